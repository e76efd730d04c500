"""Local pictures as they are: what can be sent, what cannot and why, and what is remembered."""

from __future__ import annotations

import hashlib
import io
import os
import re
import sqlite3
import stat
import struct
import sys
import threading
import zlib
from pathlib import Path

import pytest
from PIL import Image

from pipeline.model import Picture, PictureFault
from pipeline.pictures import shelf as shelf_module
from pipeline.pictures.memory import PictureMemory
from pipeline.pictures.shelf import PictureShelf

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def encoded(kind: str = "PNG", size: tuple[int, int] = (80, 60), frames: int = 1) -> bytes:
    """Make a picture that does not compress to nothing."""
    pictures = [Image.effect_noise(size, 40 + 10 * n).convert("RGB") for n in range(frames)]
    target = io.BytesIO()
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(target, kind, **more)
    return target.getvalue()


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def inspect(
    path: Path, cache: Path | None = None, *, prepare: bool = False
) -> Picture | PictureFault:
    with PictureShelf(cache, prepare=prepare) as shelf:
        return shelf.inspect([path])[path]


def fault(path: Path, *, prepare: bool = False) -> PictureFault:
    found = inspect(path, prepare=prepare)
    assert isinstance(found, PictureFault)
    assert found.message.endswith((".", "?"))
    return found


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/gif"),
        ("MPO", "image/jpeg"),
    ],
)
def test_a_picture_is_known_by_its_content(kind: str, mime_type: str, tmp_path: Path) -> None:
    """The four kinds, whatever their suffix; size, hash and measures are those of the file."""
    content = encoded(kind)
    path = put(tmp_path / "Grüße aus Köln" / "mein Bild.dat", content)
    assert inspect(path) == Picture(
        path, hashlib.sha256(content).hexdigest(), len(content), mime_type, 80, 60
    )


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animated_picture_is_taken_with_a_warning(kind: str, tmp_path: Path) -> None:
    """Its first frame counts, and the content team is told."""
    found = inspect(put(tmp_path / "moves", encoded(kind, frames=3)))
    assert isinstance(found, Picture)
    assert "3 pictures" in found.warnings[0]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("lost", [1, 30, 1000, 0.5, 0.9, 0.99])
def test_a_truncated_picture_is_a_fault(kind: str, lost: float, tmp_path: Path) -> None:
    """However little is missing, even one byte, unless nothing is of what it shows."""
    content = encoded(kind)
    cut = int(lost * len(content)) if lost < 1 else int(lost)
    path = put(tmp_path / "cut.jpg", content[: len(content) - cut])
    if (kind, cut) == ("JPEG", 1) and isinstance(inspect(path), Picture):
        # Without half of its end mark one JPEG in 27 is read whole: no bit was still to come.
        with Image.open(path) as cut_off, Image.open(io.BytesIO(content)) as whole:
            assert cut_off.tobytes() == whole.tobytes()
        return
    assert fault(path).code == fault(path, prepare=True).code == "damaged"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (encoded("BMP"), "BMP"),
        (encoded("TIFF"), "TIFF"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
        (b"\0\0\0\x18ftypavif" + bytes(40), "AVIF"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<svg xmlns=''/>", "SVG"),
        (b"just text", "no JPEG, PNG, WebP or GIF"),
    ],
)
def test_another_kind_of_file_is_named(content: bytes, word: str, tmp_path: Path) -> None:
    """What it is and how to save it, although it is called .jpg."""
    found = fault(put(tmp_path / "a.jpg", content))
    assert (found.code, word in found.message) == ("wrong_format", True)
    assert ("images.prepare" in found.message) == (word in ("BMP", "TIFF", "HEIC", "AVIF"))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\0\0\0\x10ftypmif3avif" + bytes(40), "an AVIF picture in a short form"),
        (b"\0\0\0\x18ftypmiaf\0\0\0\0mif1avif" + bytes(40), "AVIF"),
        (b"\0\0\0\x18ftypMiHE\0\0\0\0mif1heic" + bytes(40), "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomavc1" + bytes(40), "a video"),
    ],
)
def test_a_picture_is_told_from_a_video_by_all_its_brands(
    content: bytes, word: str, tmp_path: Path
) -> None:
    """The first one need not be that of a picture."""
    for prepare in (False, True):
        assert word in fault(put(tmp_path / "a.avif", content), prepare=prepare).message


def _png_with(*chunks: tuple[bytes, bytes], end: bytes = b"IEND") -> bytes:
    """A red picture of 64 x 36 with these chunks before the one that is named."""
    target = io.BytesIO()
    Image.new("RGB", (64, 36), (255, 0, 0)).save(target, "PNG")
    data = target.getvalue()
    at = data.index(end) - 4
    made = (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
    return b"".join([data[:at], *made, data[at:]])


LONG = zlib.compress(bytes(3_000_000))


@pytest.mark.parametrize(
    "data",
    [
        _png_with((b"zTXt", b"Raw profile\0\0" + LONG)),
        _png_with((b"zTXt", b"Raw profile\0\0" + LONG), end=b"IDAT"),
        _png_with((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LONG), end=b"IDAT"),
        _png_with((b"iCCP", b"wide\0\0" + LONG), end=b"IDAT"),
        _png_with(*[(b"tEXt", b"Comment\0" + bytes(1_000_000))] * 70, end=b"IDAT"),
    ],
    ids=["zTXt behind", "zTXt", "iTXt", "iCCP", "tEXt"],
)
def test_a_png_with_much_metadata_is_taken(data: bytes, tmp_path: Path) -> None:
    """Texts and profiles of megabytes are no damage: nobody needs them to see the picture."""
    found = inspect(put(tmp_path / "a.png", data), prepare=True)
    assert isinstance(found, Picture)
    assert (found.width, found.height) == (64, 36)


def test_a_png_with_much_metadata_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    """What is left out for reading does not hide what is missing."""
    data = _png_with((b"zTXt", b"Raw profile\0\0" + LONG), end=b"IDAT")
    assert fault(put(tmp_path / "a.png", data[:-20])).code == "damaged"


@pytest.mark.parametrize("size", [(10_000, 9_000), (20_000, 18_000)])
def test_a_decompression_bomb_is_a_fault(size: tuple[int, int], tmp_path: Path) -> None:
    """A small file that unfolds to more than the limit is not unfolded."""
    target = io.BytesIO()
    Image.new("1", size).save(target, "PNG")
    path = put(tmp_path / "bomb.png", target.getvalue())
    assert fault(path).code == fault(path, prepare=True).code == "too_many_pixels"


def test_size_limits(tmp_path: Path) -> None:
    """Ten million bytes pass, one more does not; an empty file is named as such."""
    picture = encoded()
    padded = put(tmp_path / "full.png", picture + bytes(10_000_000 - len(picture)))
    assert isinstance(inspect(padded), Picture)
    assert fault(put(tmp_path / "over.png", picture + bytes(10_000_001))).code == "too_large"
    assert fault(put(tmp_path / "empty.png", b"")).code == "empty_file"


@posix_only
def test_nothing_but_regular_files_is_opened(tmp_path: Path) -> None:
    """A folder, a pipe and a device are named; a link to a picture is that picture."""
    os.mkfifo(tmp_path / "pipe")
    for path, word in (
        (tmp_path, "folder"),
        (tmp_path / "pipe", "pipe"),
        (Path("/dev/null"), "dev"),
    ):
        found = fault(path)
        assert (found.code, word in found.message) == ("not_a_file", True)
    (tmp_path / "link.png").symlink_to(put(tmp_path / "a.png", encoded()))
    assert isinstance(inspect(tmp_path / "link.png"), Picture)
    (tmp_path / "dead.png").symlink_to("nowhere.png")
    assert "link" in fault(tmp_path / "dead.png").message
    (tmp_path / "ring").symlink_to("ring")
    assert fault(tmp_path / "ring").code == "unreadable"


@pytest.mark.parametrize(
    ("there", "asked", "meant"),
    [
        ("kettle red.jpeg", "kettle red.jpg", "kettle red.jpeg"),
        ("kettle.png", "kettle", "kettle.png"),
        ("red-kettle-01.jpg", "red-ketle-01.jpg", "red-kettle-01.jpg"),
        ("photos/a.jpg", "photo/a.jpg", "photos/a.jpg"),
    ],
)
def test_a_missing_picture_comes_with_the_likely_one(
    there: str, asked: str, meant: str, tmp_path: Path
) -> None:
    """Another suffix, none, a slip, a folder misspelt."""
    put(tmp_path / there, b"x")
    if (tmp_path / asked).exists():
        pytest.skip("this disk takes the two names for one")
    found = fault(tmp_path / asked)
    assert found.code == "missing"
    assert f"Did you mean {tmp_path / meant}?" in found.message


def test_another_case_is_suggested_where_it_matters(tmp_path: Path) -> None:
    """On a disk that tells case apart, the existing spelling is named."""
    put(tmp_path / "Kettle.JPG", encoded("JPEG"))
    if (tmp_path / "kettle.jpg").exists():
        pytest.skip("this disk takes the two names for one")
    assert f"Did you mean {tmp_path / 'Kettle.JPG'}?" in fault(tmp_path / "kettle.jpg").message


def test_nothing_alike_is_nothing_suggested(tmp_path: Path) -> None:
    """No guess is better than a wrong one; names that no file can have are no crash."""
    put(tmp_path / "zebra.jpg", b"x")
    assert "Did you mean" not in fault(tmp_path / "kettle.jpg").message
    assert fault(tmp_path / "a\0b.jpg").code in ("bad_path", "missing")
    assert fault(tmp_path / ("x" * 5000)).code in ("unreadable", "missing")


def test_each_path_is_looked_at_once_and_progress_told(tmp_path: Path) -> None:
    """Results in the order asked for, one a path, and progress from the calling thread."""
    paths = [put(tmp_path / f"{n}.png", encoded()) for n in range(5)]
    missing = tmp_path / "gone.png"
    told: list[tuple[int, str, int]] = []
    with PictureShelf(None, workers=3) as shelf:
        found = shelf.inspect(
            [*paths, missing, *paths],
            progress=lambda n, line: told.append((n, line, threading.get_ident())),
        )
    assert list(found) == [*paths, missing]
    assert told == [(n, "", threading.get_ident()) for n in range(1, 7)]


def test_slow_pictures_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of them: a folder of thousands would be a screen of names."""
    monkeypatch.setattr(shelf_module, "_SLOW_S", -1.0)
    monkeypatch.setattr(shelf_module, "_SLOW_NAMED", 2)
    paths = [put(tmp_path / f"{n}.png", encoded()) for n in range(5)]
    lines: list[str] = []
    with PictureShelf(None, workers=1) as shelf:
        shelf.inspect(paths, progress=lambda _, line: lines.append(line))
    named = [line for line in lines if line]
    assert len(named) == 2
    assert all(re.fullmatch(r"\d\.png took \d+ s to be opened", line) for line in named)


def test_what_was_seen_is_not_read_again(tmp_path: Path) -> None:
    """A second run takes the findings from the cache, until the file changes; no fault is kept."""
    cache = tmp_path / "cache"
    good = put(tmp_path / "a.gif", encoded("GIF", frames=2))
    first = inspect(good, cache)
    assert isinstance(first, Picture)
    assert inspect(put(tmp_path / "b.png", b"x"), cache) != first
    with sqlite3.connect(cache / "pictures.db") as store:
        assert store.execute("SELECT count(*) FROM pictures_2").fetchone() == (1,)
        store.execute("UPDATE pictures_2 SET width = 4711")
    store.close()
    second = inspect(good, cache)
    assert isinstance(second, Picture)
    assert (second.width, second.sha256, second.warnings) == (4711, first.sha256, first.warnings)
    put(good, encoded("PNG", (90, 60)))
    changed = inspect(good, cache)
    assert isinstance(changed, Picture)
    assert (changed.width, changed.mime_type) == (90, "image/png")


@posix_only
def test_a_file_replaced_under_its_old_date_is_read_again(tmp_path: Path) -> None:
    """Same name, size and date, other content: the hash is the new one."""
    content = encoded("BMP")
    path = put(tmp_path / "a.gif", encoded("GIF"))
    before = path.stat()
    inspect(path, tmp_path)
    path.write_bytes((content * 9)[: before.st_size])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert isinstance(inspect(path, tmp_path), PictureFault)


@posix_only
def test_the_cache_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    """Mode 0600, also where it was looser before."""
    file = put(tmp_path / "cache" / "pictures.db", b"")
    file.chmod(0o644)
    inspect(put(tmp_path / "a.png", encoded()), file.parent)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_trouble_with_the_cache_is_no_trouble(tmp_path: Path) -> None:
    """A damaged cache begins anew; one that cannot be written or is locked is done without."""
    picture = put(tmp_path / "a.png", encoded())
    damaged = put(tmp_path / "damaged" / "pictures.db", b"no database at all" * 99).parent
    assert isinstance(inspect(picture, damaged), Picture)
    assert (damaged / "pictures.db").read_bytes().startswith(b"SQLite")
    assert isinstance(inspect(picture, put(tmp_path / "file", b"") / "cache"), Picture)
    (tmp_path / "folder" / "pictures.db").mkdir(parents=True)
    assert isinstance(inspect(picture, tmp_path / "folder"), Picture)
    odd = tmp_path / "odd"
    inspect(picture, odd)
    with sqlite3.connect(odd / "pictures.db") as store:
        store.execute("UPDATE pictures_2 SET warnings = 'not json'")
    store.close()
    assert isinstance(inspect(picture, odd), Picture)


def test_two_processes_may_share_the_cache(tmp_path: Path) -> None:
    """Two open memories write by turns and see each other's findings."""
    paths = [put(tmp_path / f"{n}.png", encoded()) for n in range(4)]
    with PictureShelf(tmp_path) as one, PictureShelf(tmp_path) as two:
        one.inspect(paths[:2])
        two.inspect(paths[2:])
        assert all(isinstance(each, Picture) for each in one.inspect(paths).values())
    memory = PictureMemory(tmp_path)
    memory.close()
    with sqlite3.connect(tmp_path / "pictures.db") as store:
        assert store.execute("SELECT count(*) FROM pictures_2").fetchone() == (4,)
    store.close()
