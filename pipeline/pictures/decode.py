"""One picture file: decoded in full, and made fit if it has to be; or why it cannot be sent."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from functools import cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipeline.manifest.locations import PictureFault, read_regular
from pipeline.model import Picture
from pipeline.pictures import accepted
from pipeline.pictures.accepted import (
    HEIC_BRANDS,
    LARGEST_BYTES,
    LARGEST_PIXELS,
    LARGEST_SOURCE_BYTES,
)
from pipeline.pictures.memory import CopyFolder
from pipeline.pictures.recipe import CONVERTED, RECIPE, SENT_AS_THEY_ARE, Made, make, needs_of

# An MPO is a JPEG with more pictures behind the first, as phones write it.
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
# What Pillow's plugins raise on damaged data; each of them was met, none means a fault of ours.
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
_SUBFILE_TYPE, _DNG_VERSION = 254, 50706  # TIFF 6.0; Adobe DNG 1.0

# Between one and two times the limit Pillow only warns, and `catch_warnings` is not safe in
# threads: so the warning is an error wherever this module is used. What Pillow says about odd
# metadata is nothing that a content team could act on.
warnings.simplefilter("error", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode(path: Path, copies: CopyFolder | None, *, prepare: bool) -> Picture | PictureFault:
    """Read `path` whole, decode its first frame in full and hash its bytes.

    With `prepare` a picture that is not fit to be sent becomes a copy in `copies`. Links are
    followed. Nothing but a regular file is opened, and `path` itself is never written to.
    """
    limit = LARGEST_SOURCE_BYTES if prepare else LARGEST_BYTES
    try:
        data = read_regular(path, limit)
    except OSError as error:
        return accepted.unreadable(path, error)
    if not data:
        return accepted.empty(path)
    if len(data) > limit:
        return accepted.too_large(path, len(data), prepare=prepare)
    return _decoded(path, data, copies, prepare=prepare)


def _decoded(
    path: Path, data: bytes, copies: CopyFolder | None, *, prepare: bool
) -> Picture | PictureFault:
    heic = prepare and is_heic(data) and decoder_loaded()
    try:
        with Image.open(io.BytesIO(data), formats=_formats(prepare=prepare, heic=heic)) as image:
            if image.width * image.height > LARGEST_PIXELS:
                return accepted.too_many_pixels(path)
            if _is_raw(image, data):
                return accepted.camera_raw(path)
            return _judged(path, data, image, copies, prepare=prepare)
    except UnidentifiedImageError:
        return accepted.unidentified(path, data, prepare=prepare, heic=heic)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return accepted.too_many_pixels(path)
    except (MemoryError, *_DAMAGE) as error:
        return accepted.damaged(path, f" ({error})")


def _formats(*, prepare: bool, heic: bool) -> tuple[str, ...]:
    """Return what Pillow may open; an MPO is opened as JPEG."""
    sent = tuple(one for one in SENT_AS_THEY_ARE if one != "MPO")
    if not prepare:
        return sent
    return sent + tuple(one for one in CONVERTED if heic or one != "HEIF")


def _judged(
    path: Path, data: bytes, image: Image.Image, copies: CopyFolder | None, *, prepare: bool
) -> Picture | PictureFault:
    frames = int(getattr(image, "n_frames", 1))  # counting may move on to the last one
    image.seek(0)
    image.load()
    if not _has_end(data, image.format):
        return accepted.damaged(path, " (its end is missing)")
    sha256 = hashlib.sha256(data).hexdigest()
    needs = needs_of(image, data, frames)
    if prepare and not needs.fit:
        return _copied(path, sha256, make(image, needs), copies)
    return Picture(
        path=path,
        sha256=sha256,
        size_bytes=len(data),
        mime_type=_MIME_TYPES[image.format or ""],
        width=image.width,
        height=image.height,
        warnings=_moving(path, needs.frames),
    )


def _copied(path: Path, sha256: str, made: Made, copies: CopyFolder | None) -> Picture:
    identity = hashlib.sha256(f"picture recipe {RECIPE}: {sha256}".encode()).hexdigest()
    kind = "PNG" if made.mime_type == "image/png" else "JPEG"
    place, unkept = path, None
    try:
        if copies is None:
            unkept = "there is no folder for copies"
        else:
            place = copies.keep(identity + made.suffix, made.data)
    except OSError as error:
        unkept = f"no copy can be kept: {error.strerror or error}"
    said = f"is sent as a {kind} copy: {made.done}."
    if unkept:
        said = f"would be sent as a {kind} copy: {made.done}. For now {unkept}."
    return Picture(
        path=place,
        sha256=identity,
        size_bytes=len(made.data),
        mime_type=made.mime_type,
        width=made.width,
        height=made.height,
        warnings=(f"{path.name} {said}",),
        copy_sha256=hashlib.sha256(made.data).hexdigest(),
        unkept=unkept,
    )


def _has_end(data: bytes, kind: str | None) -> bool:
    """Tell whether the format's end mark is there; Pillow misses its loss in these two alone.

    A PNG may carry other data behind its end, a GIF some padding.
    """
    if kind == "PNG":
        return data.rfind(b"IEND\xaeB`\x82") != -1
    return kind != "GIF" or data.rstrip(b"\0\r\n ").endswith(b";")


def _is_raw(image: Image.Image, data: bytes) -> bool:
    """Tell a camera's raw file, which begins as a TIFF does, with a small preview in front."""
    if image.format != "TIFF":
        return False
    tags = image.getexif()
    return bool(data[8:10] == b"CR" or _DNG_VERSION in tags or int(tags.get(_SUBFILE_TYPE, 0)) & 1)


def _moving(path: Path, frames: int) -> tuple[str, ...]:
    if frames == 1:
        return ()
    return (f"{path.name} is animated ({frames} frames); only its first frame counts.",)


def is_heic(data: bytes) -> bool:
    """Tell by its first bytes whether a file is HEIC or HEIF."""
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


@cache
def decoder_loaded() -> bool:
    """Make Pillow open HEIC, under the name HEIF; False where the library is not installed."""
    try:
        import pi_heif  # noqa: PLC0415 - 18 MB that most manifests never need
    except ImportError:
        return False
    pi_heif.register_heif_opener()
    return True
