"""A picture file, decoded in full: itself or a copy of it can be sent, or a fault says why not.

Tested in tests/pictures/test_shelf.py and tests/pictures/test_recipe.py.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
import zlib
from functools import cache
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL import _imaging as core

from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.model import Picture, PictureFault
from pipeline.pictures import accepted
from pipeline.pictures.accepted import (
    FORMAT_OF,
    HEIC,
    LARGEST_BYTES,
    LARGEST_PIXELS,
    LARGEST_SOURCE_BYTES,
    PICTURE_FORMATS,
)
from pipeline.pictures.cost import (
    DECODE_ROOM,
    TimedFile,
    TookTooLong,
    took_too_long,
    weigh,
)
from pipeline.pictures.memory import CopyFolder
from pipeline.pictures.metadata.orientation import Unwalkable
from pipeline.pictures.metadata.png import rewrite_png
from pipeline.pictures.recipe import RECIPE, Copy, find_needs, make_copy

# The errors of Pillow's plugins on damaged data. Each of them was met; none is a bug of ours.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    RuntimeError,
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
_JPEG = frozenset({"JPEG", "MPO"})
_SUBFILE_TYPE, _DNG_VERSION = 254, 50706  # TIFF 6.0; Adobe DNG 1.0

# Between the limit and twice the limit Pillow only warns, and `catch_warnings` is not safe in
# threads: so the warning is an error wherever this module is used. No content team could act on
# Pillow's warnings about odd metadata.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# Blocks of this size are returned to the system when a picture is freed; smaller ones are kept, for
# each thread, and three large pictures in a row would take three times the memory.
core.set_block_size(64 * 1024 * 1024)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode_picture(
    path: Path, copies: CopyFolder | None, *, prepare: bool
) -> Picture | PictureFault:
    """Read a file whole, decode its first picture in full and hash its bytes.

    Args:
        path: the file; links are followed, and nothing but a regular file is opened. It is never
            written to.
        copies: where copies go; None: no copy is kept.
        prepare: whether a picture that is not fit to be sent becomes a copy.

    """
    limit = LARGEST_SOURCE_BYTES if prepare else LARGEST_BYTES
    try:
        data = read_regular(path, limit)
    except OSError as error:
        return accepted.unreadable(path, error)
    if not data:
        return accepted.empty(path)
    if len(data) > limit:
        return accepted.picture_too_large(path, len(data), prepare=prepare)
    return _open(path, data, copies, prepare=prepare)


def _open(
    path: Path, data: bytes, copies: CopyFolder | None, *, prepare: bool
) -> Picture | PictureFault:
    heic = prepare and HEIC.begins(data) and _heic_decoder_loaded()
    names = [
        each.pillow_names[0]
        for each in PICTURE_FORMATS
        if each.mime_type or (prepare and (heic or each is not HEIC))
    ]
    try:
        try:
            return _decode(path, data, data, names, copies, prepare=prepare)
        except ValueError:
            lighter = _without_texts(data)
            if lighter is None:
                raise
            return _decode(path, data, lighter, names, copies, prepare=prepare)
    except TookTooLong:
        return took_too_long(path)
    except UnidentifiedImageError:
        return accepted.unidentified(path, data, prepare=prepare, heic=heic)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return accepted.too_many_pixels(path)
    except (MemoryError, *_DAMAGE) as error:
        return accepted.damaged(path, f" ({error})")


def _decode(
    path: Path,
    data: bytes,
    decoded: bytes,
    names: list[str],
    copies: CopyFolder | None,
    *,
    prepare: bool,
) -> Picture | PictureFault:
    """Decode a picture.

    Args:
        path: the file, for messages.
        data: its bytes.
        decoded: the bytes that are decoded: the same ones, or a PNG without its texts.
        names: Pillow's names of the formats that are tried.
        copies: where copies go.
        prepare: whether a picture that is not fit to be sent becomes a copy.

    """
    with Image.open(TimedFile(decoded), formats=names) as picture:
        if picture.width * picture.height > LARGEST_PIXELS:
            return accepted.too_many_pixels(path)
        if _is_raw(picture, data):
            return accepted.camera_raw(path)
        needed = weigh(path, picture, data)
        if isinstance(needed, PictureFault):
            return needed
        with DECODE_ROOM.take(needed):
            return _judge(path, data, picture, copies, prepare=prepare)


def _without_texts(data: bytes) -> bytes | None:
    """Return a PNG without its metadata; None for any other file.

    Pillow refuses a PNG whose texts or colour profile unfold to more than some megabytes, for fear
    of bombs. None of them is needed to show the picture, and none is sent.
    """
    try:
        return rewrite_png(data, longest_profile_bytes=PngImagePlugin.MAX_TEXT_CHUNK)
    except Unwalkable:
        return None


@cache
def _heic_decoder_loaded() -> bool:
    """Make Pillow open HEIC; False where the library is not installed.

    It is loaded when the first HEIC photograph appears, because most manifests have none.
    """
    try:
        import pi_heif  # noqa: PLC0415 - 18 MB
    except ImportError:
        return False
    pi_heif.register_heif_opener()
    return True


def _judge(
    path: Path, data: bytes, picture: Image.Image, copies: CopyFolder | None, *, prepare: bool
) -> Picture | PictureFault:
    count = int(getattr(picture, "n_frames", 1))  # counting may move on to the last one
    picture.seek(0)
    width, height = picture.size
    needs = find_needs(picture, data, count) if picture.format in _JPEG else None
    if needs is not None and (needs.fit or not prepare) and not picture.info.get("progressive"):
        # All of its data is read all the same, and the same damage found: see the test of that.
        picture.draft(None, (1, 1))
    picture.load()
    if not _has_end(data, picture.format):
        return accepted.damaged(path, " (its end is missing)")
    sha256 = hashlib.sha256(data).hexdigest()
    if needs is None:
        needs = find_needs(picture, data, count)
        width, height = picture.size
    if prepare and not needs.fit:
        return _keep(path, sha256, make_copy(picture, needs), copies)
    return Picture(
        path=path,
        sha256=sha256,
        size_bytes=len(data),
        mime_type=FORMAT_OF[picture.format or ""].mime_type or "",
        width=width,
        height=height,
        warnings=_animation_warning(path, needs.count),
    )


def _keep(path: Path, sha256: str, copy: Copy, copies: CopyFolder | None) -> Picture:
    """Keep the copy of a file; `sha256` is the hash of the file itself."""
    identity = hashlib.sha256(f"picture recipe {RECIPE}: {sha256}".encode()).hexdigest()
    place, unkept = path, None
    try:
        if copies is None:
            unkept = "there is no folder for copies"
        else:
            place = copies.keep(identity + copy.format.suffixes[0], copy.data)
    except OSError as error:
        unkept = f"no copy can be kept: {explain_os_error(error)}"
    verb = "would be" if unkept else "is"
    note = f"{path.name} {verb} sent as a {copy.format.name} copy: {copy.reasons}."
    return Picture(
        path=place,
        sha256=identity,
        size_bytes=len(copy.data),
        mime_type=copy.format.mime_type or "",
        width=copy.width,
        height=copy.height,
        warnings=(f"{note} At present {unkept}." if unkept else note,),
        copy_sha256=hashlib.sha256(copy.data).hexdigest(),
        unkept=unkept,
    )


def _has_end(data: bytes, kind: str | None) -> bool:
    """Tell whether the format's end mark is there; Pillow misses its loss in these two.

    In a JPEG it finds it, but where every bit of the picture was read before it missed the mark;
    nothing of what is shown is lost then. A PNG may have other data behind its end, a GIF padding.
    """
    if kind == "PNG":
        return data.rfind(b"IEND\xaeB`\x82") != -1
    return kind != "GIF" or data.rstrip(b"\0\r\n ").endswith(b";")


def _is_raw(picture: Image.Image, data: bytes) -> bool:
    """Tell a camera's raw file, which begins as a TIFF does, with a small preview in front."""
    if picture.format != "TIFF":
        return False
    tags = picture.getexif()
    return bool(data[8:10] == b"CR" or _DNG_VERSION in tags or int(tags.get(_SUBFILE_TYPE, 0)) & 1)


def _animation_warning(path: Path, count: int) -> tuple[str, ...]:
    if count == 1:
        return ()
    return (f"{path.name} is animated ({count} pictures); only its first picture counts.",)
