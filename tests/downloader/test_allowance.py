"""How large a video may be: generous for its seconds, and never gigabytes for ten of them."""

from __future__ import annotations

import pytest

from pipeline.downloader.allowance import most_bytes, video_too_large


@pytest.mark.parametrize(
    ("duration_s", "resolution", "megabytes"),
    [(4, "720P", 25), (6, "720p", 25), (10, "720P", 40), (4, "1080p", 36), (10, "1080p", 90)],
)
def test_the_bound_follows_the_seconds(duration_s: int, resolution: str, megabytes: int) -> None:
    """Five times the most that was measured, and never less than 25 MB."""
    assert most_bytes(duration_s, resolution) == megabytes * 1_000_000


def test_the_sentence_says_what_to_do() -> None:
    """With the size that was announced, or else with ten times the bound."""
    known = video_too_large(40_000_000, 2_147_483_649)
    assert known.message == "The video has 2,147 MB, more than the 40 MB that it may have."
    assert str(known.action).endswith("fetch MANIFEST --set output.max_video_mb=2148")
    unknown = video_too_large(40_000_000)
    assert unknown.message == "The video has more than the 40 MB that it may have."
    assert str(unknown.action).endswith("--set output.max_video_mb=400")
