"""One picture file: its bytes decoded in full, or why they cannot be."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipeline.locations import PictureFault, read_regular
from pipeline.model import Picture

LARGEST_BYTES = 10_000_000  # the provider says "10 MB"; this is the smaller reading of it
LARGEST_PIXELS = 89_478_485  # where Pillow begins to suspect a decompression bomb

# An MPO is a JPEG with more pictures behind the first, as phones write it.
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}
_ACCEPTED = ("JPEG", "PNG", "WEBP", "GIF")
_HOW = "Save it as JPEG or PNG and name that file."
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
    ZeroDivisionError,
    struct.error,
    zlib.error,
)
_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypheic", "a HEIC photograph of a phone"),
    (4, b"ftypheix", "a HEIC photograph of a phone"),
    (4, b"ftypmif1", "a HEIC photograph of a phone"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "a video"),
    (0, b"II*\0", "a TIFF or camera raw picture"),
    (0, b"MM\0*", "a TIFF or camera raw picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"PK\x03\x04", "an archive or Office file"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an SVG drawing or another XML file"),
    (0, b"<!doctype html", "a web page"),
    (0, b"<html", "a web page"),
)

# Between one and two times the limit Pillow only warns, and `catch_warnings` is not safe in
# threads: so the warning is an error wherever this module is used.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def decode(path: Path) -> Picture | PictureFault:
    """Read `path` whole, decode its first frame in full and hash its bytes.

    Links are followed. Nothing but a regular file is opened.
    """
    try:
        data = read_regular(path, LARGEST_BYTES)
    except OSError as error:
        return unreadable(path, error)
    if not data:
        return PictureFault(
            "empty_file",
            f"{path.name} has no content (0 bytes). It may not be downloaded or synchronised yet: "
            "open it once, or copy it again.",
        )
    if len(data) > LARGEST_BYTES:
        return too_large(path, len(data))
    return _decoded(path, data)


def unreadable(path: Path, error: OSError) -> PictureFault:
    """Return the fault of a file that is there and cannot be read."""
    return PictureFault(
        "unreadable",
        f"{path} cannot be read: {error.strerror or error}. Check that you may open it.",
    )


def too_large(path: Path, size_bytes: int) -> PictureFault:
    """Return the fault of a file with more bytes than the provider takes."""
    return PictureFault(
        "too_large",
        f"{path.name} has {size_bytes / 1e6:.1f} MB; at most 10 MB can be sent. Save it smaller, "
        "for example as JPEG with at most 3000 pixels on the longer side.",
    )


def _decoded(path: Path, data: bytes) -> Picture | PictureFault:
    try:
        with Image.open(io.BytesIO(data), formats=_ACCEPTED) as image:
            if image.width * image.height > LARGEST_PIXELS:
                return _too_many_pixels(path)
            image.load()
            if not _has_end(data, image.format):
                return _damaged(path, " (its end is missing)")
            return _picture(path, data, image)
    except UnidentifiedImageError:
        return _unknown(path, data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _too_many_pixels(path)
    except (MemoryError, *_DAMAGE) as error:
        return _damaged(path, f" ({error})")


def _picture(path: Path, data: bytes, image: Image.Image) -> Picture:
    return Picture(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        mime_type=_MIME_TYPES[image.format or ""],
        width=image.width,
        height=image.height,
        warnings=_warnings(path, image),
    )


def _has_end(data: bytes, kind: str | None) -> bool:
    """Tell whether the format's end mark is there; Pillow misses its loss in these two alone.

    A PNG may carry other data behind its end, a GIF some padding.
    """
    if kind == "PNG":
        return data.rfind(b"IEND\xaeB`\x82") != -1
    return kind != "GIF" or data.rstrip(b"\0\r\n ").endswith(b";")


def _warnings(path: Path, image: Image.Image) -> tuple[str, ...]:
    frames = getattr(image, "n_frames", 1)
    if image.format == "MPO" or frames < 2:  # noqa: PLR2004 - an MPO does not move
        return ()
    return (f"{path.name} is animated ({frames} frames); only its first frame counts.",)


def _too_many_pixels(path: Path) -> PictureFault:
    return PictureFault(
        "too_many_pixels",
        f"{path.name} has more than {LARGEST_PIXELS // 1_000_000} million pixels when it is opened."
        " Save it smaller, for example with at most 3000 pixels on the longer side.",
    )


def _damaged(path: Path, detail: str = "") -> PictureFault:
    return PictureFault(
        "damaged",
        f"{path.name} is damaged or not whole{detail}. Copy it again from where it came from, or "
        "open it and save it anew.",
    )


def _unknown(path: Path, data: bytes) -> PictureFault:
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")) or data[8:12] == b"WEBP":
        return _damaged(path)
    head = data[:32].lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, magic, name in _OTHER_KINDS:
        seen = head[start : start + len(magic)]
        if seen == magic or seen.lower() == magic:
            return PictureFault("wrong_format", f"{path.name} is {name}. {_HOW}")
    return PictureFault("wrong_format", f"{path.name} is no JPEG, PNG, WebP or GIF picture. {_HOW}")
