"""What the answers of a download host mean, by status and headers alone; who may see a part."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipeline.downloader.connection import BodyStep, PartMark, judge, strong_validator
from pipeline.downloader.transfer import PartFile, SpeedWatch
from pipeline.errors import LinkDead, TransferBroken

MARK = PartMark('"a"', 100)
REST = {"Content-Range": "bytes 40-99/100", "Content-Length": "60", "ETag": '"a"'}


def test_fitting_rest() -> None:
    """The exact rest of the file that was begun is appended."""
    assert judge(206, REST, 40, MARK).step is BodyStep.APPEND
    assert judge(206, REST | {"Content-Range": "bytes 40-99/*"}, 40, MARK).step is BodyStep.APPEND
    assert judge(206, REST, 40, PartMark('"a"')).total_bytes == 100


@pytest.mark.parametrize(
    "changed",
    [
        {"ETag": '"b"'}, {"Content-Range": ""}, {"Content-Range": "bytes 41-99/100"},
        {"Content-Range": "bytes 40-98/100"}, {"Content-Range": "bytes 40-199/200"},
        {"Content-Length": "61"}, {"Content-Encoding": "gzip"}, {"Content-Range": "bytes */100"},
    ],
)  # fmt: skip
def test_unfit_rest(changed: dict[str, str]) -> None:
    """Anything else is asked for again as a whole."""
    assert judge(206, REST | changed, 40, MARK).step is BodyStep.ASK_AGAIN


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 416, 451])
def test_refused_for_good(status: int) -> None:
    """A refusal of the link asks for a fresh one."""
    with pytest.raises(LinkDead):
        judge(status, {}, 0, None)


@pytest.mark.parametrize("status", [204, 206, 304, 408, 425, 429, 500, 502, 503, 504, 522])
def test_passing(status: int) -> None:
    """Everything that may pass by itself asks for another try."""
    with pytest.raises(TransferBroken):
        judge(status, {}, 0, None)


def test_validators() -> None:
    """A strong ETag, else a date clearly older than the answer, makes a part resumable."""
    old = {
        "Last-Modified": "Sun, 01 Nov 2026 10:00:00 GMT",
        "Date": "Sun, 01 Nov 2026 10:01:00 GMT",
    }
    assert strong_validator({"ETag": '"a"'} | old) == '"a"'
    assert strong_validator({"ETag": 'W/"a"'} | old) is None
    assert strong_validator(old) == old["Last-Modified"]
    assert strong_validator(old | {"Date": old["Last-Modified"]}) is None
    assert strong_validator(old | {"Date": "soon"}) is None
    assert strong_validator({}) is None


def test_pace() -> None:
    """A transfer must keep up 1 KB/s over every window, not at every moment."""
    pace = SpeedWatch(10, 0)
    for second in range(1, 10):
        pace.count_piece(1, second)
    pace.count_piece(20_000, 10)
    pace.count_piece(1, 15)
    with pytest.raises(TransferBroken, match="too slow"):
        pace.count_piece(1, 20)


@pytest.mark.skipif(os.name != "posix", reason="needs rights of POSIX")
def test_a_part_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    """One that an earlier run began with more rights gets those of the video."""
    for mode, before in ((0o600, None), (0o600, 0o644), (0o644, 0o600)):
        part = PartFile(tmp_path, "a.mp4", mode)
        part.start_over(MARK)
        part.write(b"video")
        if before is not None:
            part.path.chmod(before)
        part.close()
        part.settle()
        expected = mode if before is None else mode & before
        assert stat.S_IMODE(part.final.stat().st_mode) == expected
