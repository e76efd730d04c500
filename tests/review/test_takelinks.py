"""Takes that lie elsewhere have addresses in a page that is a file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pipeline.model import State, Video
from pipeline.review.static import asset, page_data, put_page
from pipeline.review.takelinks import link_takes
from pipeline.review.takes import JudgedRow, TakeFile
from tests.review.shop import make_shop
from tests.system.harness.bucket import SECRET, Bucket


def linked(*places: str) -> tuple[dict[str, Any], JudgedRow]:
    """A card with takes in these places, and its row."""
    takes = tuple(
        TakeFile(number, Video("a b.mp4", 1, "", 4.0, 1, 1, place=place), None, "")
        for number, place in enumerate(places, 1)
    )
    return {"takes": [{} for _ in places]}, JudgedRow(2, "A", "A", State.DONE, None, takes)


def test_takes_here_have_none(tmp_path: Path) -> None:
    """The page finds them beside itself; those in another folder by their path."""
    card, row = linked("", str(tmp_path))
    found = link_takes([card], [row])
    assert (found.origins, found.until) == (frozenset(), None)
    assert card["takes"] == [{}, {"url": (tmp_path / "a b.mp4").as_uri()}]


def test_takes_in_a_bucket_are_signed_for_a_week(bucket: Bucket, tmp_path: Path) -> None:
    """The page may play from that host, and loads nothing else from it."""
    card, row = linked(f"s3://{bucket.name}/shop")
    found = link_takes([card], [row])
    link = urlsplit(card["takes"][0]["url"])
    assert found.origins == {f"{link.scheme}://{link.netloc}"} == {bucket.url}
    assert "X-Amz-Expires=604800" in link.query
    assert SECRET not in card["takes"][0]["url"]
    assert found.until is not None
    assert found.until - time.time() > 600_000
    shop = make_shop(tmp_path)
    shop.folder.root.mkdir(parents=True)
    data = {"until": found.until}
    page = put_page(shop.folder, data, (shop.manifest,), found.origins).read_text("utf-8")
    assert f"media-src 'self' blob: {bucket.url};" in page
    assert page.count(bucket.url) == 1
    assert page_data([], [], [], (), until=None)["until"] is None


def test_without_the_library_a_take_is_not_linked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is made all the same."""
    monkeypatch.setattr("pipeline.storage.opening.find_spec", lambda _: None)
    card, row = linked("s3://videos/shop")
    assert link_takes([card], [row]).until is None
    assert card["takes"] == [{}]


def test_the_page_has_the_place_for_origins() -> None:
    """Of it the rule for media is made."""
    assert asset("review.html").count(b"media-src 'self' blob:;") == 1
