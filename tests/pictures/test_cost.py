"""Pictures that ask for gigabytes or minutes: told by their headers, in a sentence, undecoded."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.model import Picture, PictureFault
from pipeline.pictures import cost
from pipeline.pictures.cost import MOST_BYTES, DecodeRoom, TimedFile, TookTooLong, weigh
from pipeline.pictures.decode import decode_picture

ROOT = Path(__file__).parents[2]
THREE = """
import re, sys
from pathlib import Path
from pipeline.pictures.shelf import PictureShelf
with PictureShelf(None, prepare=False, workers=3) as shelf:
    found = shelf.inspect(sorted(Path(sys.argv[1]).glob("*.png")))
print(sorted(type(one).__name__ for one in found.values()))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def jpeg(size: tuple[int, int], mode: str = "RGB", **how: Any) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 77).save(target, "JPEG", **how)
    return target.getvalue()


def with_passes(data: bytes, more: int) -> bytes:
    """Repeat the last pass of a progressive JPEG: each is a few bytes, and as much work again."""
    begins = [found.start() for found in re.finditer(rb"\xff\xda", data)]
    table = data.rfind(b"\xff\xc4", begins[-2], begins[-1])
    last = data[table if table > 0 else begins[-1] : -2]
    return data[:-2] + last * more + data[-2:]


def judged(data: bytes) -> int | PictureFault:
    with Image.open(io.BytesIO(data)) as picture:
        return weigh(Path("a.jpg"), picture, data)


def test_a_jpeg_of_a_thousand_passes_is_not_decoded(tmp_path: Path) -> None:
    """The sentence names the row, the column, the cause and the remedy."""
    (tmp_path / "slow.jpg").write_bytes(with_passes(jpeg((3000, 2000), "L", progressive=True), 990))
    manifest = tmp_path / "s.csv"
    manifest.write_text("sku,prompt,image_1\nA,A mug,slow.jpg\nB,A mug,\n", "utf-8")
    checked = check_manifest(manifest, load(None, environ={}, overrides=[]), cache_dir=None)
    (problem,) = checked.problems
    assert (problem.code, problem.row, problem.column) == ("picture_too_slow", 2, "image_1")
    assert problem.message == (
        "slow.jpg (3000 x 2000) is a progressive JPEG of 996 passes, where programs write about "
        "ten: it would take too long to be opened. Open it and save it anew, for example as a "
        "plain JPEG with at most 3000 pixels on the longer side."
    )


def test_what_stands_in_previews_and_behind_the_picture_is_no_pass() -> None:
    """Only the passes of the picture itself are counted where their number decides."""
    noise = b"\xff\xda\x00\x01" * 2000
    data = jpeg((3000, 2000), progressive=True, comment=noise) + noise
    assert isinstance(judged(data), int)


FINE = {"progressive": True, "subsampling": 0}


@pytest.mark.parametrize("how", [{}, {"progressive": True}, FINE])
@pytest.mark.parametrize("size", [(4000, 3000), (8000, 6000)])
def test_ordinary_photographs_pass(size: tuple[int, int], how: dict[str, Any]) -> None:
    """Of 12 and 48 megapixels, several at a time where they are plain."""
    needed = judged(jpeg(size, **how))
    assert isinstance(needed, int)
    assert needed <= (MOST_BYTES if how else MOST_BYTES // 2)
    if size == (4000, 3000):
        assert needed <= MOST_BYTES // 8


def test_what_takes_gigabytes_is_not_decoded(tmp_path: Path) -> None:
    """The decoder of WebP keeps the whole picture several times."""
    path = tmp_path / "wide.webp"
    Image.new("RGB", (9400, 9400), "red").save(path, lossless=True, method=0, quality=0)
    found = decode_picture(path, None, prepare=True)
    assert isinstance(found, PictureFault)
    assert found.code == "too_heavy"
    assert "wide.webp (9400 x 9400) would take 1.8 GB of memory" in found.message
    assert "Open it and save it anew" in found.message


@pytest.mark.parametrize(("flags", "fits"), [(0x0C, True), (0x4C, False), (0x6C, False)])
def test_an_avif_of_ten_bits_takes_more(flags: int, fits: bool) -> None:
    """Two bytes for each colour: 64 megapixels of 10 bits were seen to take 1.4 GB."""
    target = io.BytesIO()
    Image.new("RGB", (8000, 8000), "red").save(target, "AVIF", speed=10, quality=1)
    data = bytearray(target.getvalue())
    data[data.index(b"av1C") + 6] = flags
    with Image.open(io.BytesIO(target.getvalue())) as picture:
        assert isinstance(weigh(Path("a.avif"), picture, bytes(data)), int) is fits


def test_a_picture_whose_header_may_lie_is_decoded_alone() -> None:
    """An AVIF of three kilobytes that says 100 x 100 was seen to unfold to half a gigabyte."""
    target = io.BytesIO()
    Image.new("RGB", (100, 100), "red").save(target, "AVIF")
    assert judged(target.getvalue()) == MOST_BYTES


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="the system tells the peak")
def test_three_heavy_pictures_take_the_memory_of_one(tmp_path: Path) -> None:
    """Each unfolds to 358 MB; before, as many were held at a time as there are threads."""
    bomb = io.BytesIO()
    Image.new("RGBA", (9459, 9459), (1, 2, 3, 200)).save(bomb, "PNG")
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(bomb.getvalue())
    ended = subprocess.run(
        [sys.executable, "-c", THREE, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    kinds, peak_kb = ended.stdout.splitlines()
    assert kinds == "['Picture', 'Picture', 'Picture']"
    assert int(peak_kb) * 1024 < 650_000_000


def test_the_room_is_never_overdrawn() -> None:
    """However many threads ask for however much; who asks for more than all gets all."""
    room, held, most, guard = DecodeRoom(100), 0, 0, threading.Lock()

    def work(size: int) -> None:
        nonlocal held, most
        with room.take(size):
            with guard:
                held += min(size, 100)
                most = max(most, held)
            with guard:
                held -= min(size, 100)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [30, 60, 100, 1, 250, 45] * 50))
    assert held == 0
    assert 0 < most <= 100


def test_room_is_given_back_after_an_error() -> None:
    """A damaged picture does not shut the others out."""
    room = DecodeRoom(10)
    for _ in range(3):
        with pytest.raises(OSError, match="damaged"), room.take(10):
            raise OSError("damaged")


def test_a_picture_that_is_worked_on_too_long_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no header tells ends at the limit, by the work of the thread and not by the clock."""
    path = tmp_path / "a.png"
    Image.new("RGB", (60, 40)).save(path)
    assert isinstance(decode_picture(path, None, prepare=True), Picture)
    monkeypatch.setattr(cost, "_LONGEST_S", -1.0)
    found = decode_picture(path, None, prepare=True)
    assert isinstance(found, PictureFault)
    assert found.code == "too_slow"
    assert "a.png takes longer than" in found.message


def test_a_file_without_time_is_not_read() -> None:
    """Not a byte of it."""
    with pytest.raises(TookTooLong):
        TimedFile(b"abc", limit_s=-1).read()
    assert TimedFile(b"abc", limit_s=60).read() == b"abc"
