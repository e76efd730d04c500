"""Which picture files are accepted: the formats, the limits, and a sentence for every other file.

A new format is a row of `PICTURE_FORMATS`; if Pillow opens it by itself, nothing else changes.

Tested in tests/pictures/test_shelf.py, the shape of pictures in tests/pictures/test_accepted.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.failures import explain_os_error
from pipeline.model import Picture, PictureFault
from pipeline.models.describing import say_size, say_type
from pipeline.models.records import ImageFiles

LARGEST_BYTES = 10_000_000
"""The largest file that is sent: the smaller reading of "10 MB" (docs/contract.md, "Uploads")."""

LARGEST_SIDE = 4096
"""Pixels of the longer side of a picture that is sent. The provider states no limit. A phone's 12
megapixels (4032 x 3024) pass as they are, and the video has at most 1920 x 1080."""

LARGEST_SOURCE_BYTES = 200_000_000
"""The largest file that is read to make a copy of it: a TIFF of 60 megapixels."""

LARGEST_PIXELS = 89_478_485
"""The most pixels that are decoded; above it Pillow suspects a decompression bomb."""

_LEAST_SHARE = 0.5
"""Below this share of a picture that the video can show, the row gets a warning. A square shows
56 % in either aspect ratio and passes, as do 4:3 and 3:2 in 16:9; a portrait 3:4 in 16:9 shows
42 %."""


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A format of picture files.

    `pillow_names` are Pillow's names for it; files are opened by the first. `marks` are the bytes
    by which a file is known, each with its offset; `shown` is how a message calls such a file.
    Without a `mime_type` the provider does not take the format, and a copy is sent.
    """

    name: str
    pillow_names: tuple[str, ...]
    suffixes: tuple[str, ...]
    marks: tuple[tuple[int, bytes], ...]
    shown: str
    mime_type: str | None = None

    def begins(self, data: bytes) -> bool:
        """Tell whether a file's first bytes are those of this format."""
        return any(data.startswith(mark, start) for start, mark in self.marks)


def _brands(*brands: bytes) -> tuple[tuple[int, bytes], ...]:
    """Make the marks of a HEIF or AVIF file: a brand at byte 8 (ISO/IEC 23008-12, section 10)."""
    return tuple((4, b"ftyp" + brand) for brand in brands)


HEIC = PictureFormat(
    "HEIC",
    ("HEIF",),
    (".heic", ".heif"),
    _brands(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
    "a HEIC photograph of a phone",
)
"""The format of iPhones, which needs a library of its own."""
PICTURE_FORMATS = (
    # An MPO is a JPEG with more pictures behind the first, as phones write it.
    PictureFormat(
        "JPEG",
        ("JPEG", "MPO"),
        (".jpg", ".jpeg", ".jfif"),
        ((0, b"\xff\xd8\xff"),),
        "a JPEG picture",
        "image/jpeg",
    ),
    PictureFormat("PNG", ("PNG",), (".png",), ((0, b"\x89PNG"),), "a PNG picture", "image/png"),
    PictureFormat("WebP", ("WEBP",), (".webp",), ((8, b"WEBP"),), "a WebP picture", "image/webp"),
    PictureFormat("GIF", ("GIF",), (".gif",), ((0, b"GIF8"),), "a GIF picture", "image/gif"),
    PictureFormat(
        "TIFF",
        ("TIFF",),
        (".tif", ".tiff"),
        ((0, b"II*\0"), (0, b"MM\0*")),
        "a TIFF or camera raw picture",
    ),
    PictureFormat("BMP", ("BMP",), (".bmp",), ((0, b"BM"),), "a BMP picture"),
    PictureFormat("AVIF", ("AVIF",), (".avif",), _brands(b"avif", b"avis"), "an AVIF picture"),
    HEIC,
)
"""The formats that can be opened; those with a media type are also sent as they are."""
FORMAT_OF = {name: each for each in PICTURE_FORMATS for name in each.pillow_names}
"""The format that Pillow calls by a name."""
PICTURE_SUFFIXES = frozenset(suffix for each in PICTURE_FORMATS for suffix in each.suffixes)
"""The suffixes of files that are taken for pictures."""

_SHAPE = re.compile("([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")
_AVIF = FORMAT_OF["AVIF"]
# ISO/IEC 14496-12, 4.3: the first box names the brand of the file and others that it keeps to. A
# short form of AVIF has a brand of its own (ISO/IEC 23008-12, third edition).
_BRANDS_AT, _MOST_BRAND_BYTES = 8, 256
_SHORT_FORM = b"mif3"

_OTHER_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftypcrx", "a camera raw picture"),
    (4, b"ftyp", "a video"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"PK\x03\x04", "an archive or Office file"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an SVG drawing or another XML file"),
    (0, b"<!doctype html", "a web page"),
    (0, b"<html", "a web page"),
)
_SAVE_AS = "Save it as JPEG or PNG and name that file."
_OR_PREPARE = " Or set images.prepare to auto, and a JPEG copy is sent instead."


def unreadable(path: Path, error: OSError) -> PictureFault:
    """Return the fault of a file that exists and cannot be read."""
    return PictureFault(
        "unreadable",
        f"{path} cannot be read: {explain_os_error(error)}. Check that you have the permission to "
        "open it.",
    )


def empty(path: Path) -> PictureFault:
    """Return the fault of a file without content."""
    return PictureFault(
        "empty_file",
        f"{path.name} is empty (0 bytes). It may not have been downloaded or synchronised yet: "
        "open it once, or copy it again.",
    )


def picture_too_large(path: Path, size_bytes: int, *, prepare: bool) -> PictureFault:
    """Return the fault of a file with more bytes than can be sent, or than are read at all."""
    limit, purpose = (LARGEST_SOURCE_BYTES, "read") if prepare else (LARGEST_BYTES, "sent")
    return PictureFault(
        "too_large",
        f"{path.name} has {size_bytes / 1e6:.1f} MB, but at most {limit / 1e6:.0f} MB can be "
        f"{purpose}. Save it smaller, for example as JPEG with at most 3000 pixels on the longer "
        "side.",
    )


def too_many_pixels(path: Path) -> PictureFault:
    """Return the fault of a file that unfolds to more than is held in memory."""
    return PictureFault(
        "too_many_pixels",
        f"{path.name} has more than {LARGEST_PIXELS // 1_000_000} million pixels. Save it smaller, "
        "for example with at most 3000 pixels on the longer side.",
    )


def damaged(path: Path, detail: str = "") -> PictureFault:
    """Return the fault of a picture that cannot be decoded to its end."""
    return PictureFault(
        "damaged",
        f"{path.name} is damaged or incomplete{detail}. Copy it again from its source, or open it "
        "and save it again.",
    )


def camera_raw(path: Path) -> PictureFault:
    """Return the fault of a camera's raw file: what opens easily in it is only a small preview."""
    return PictureFault(
        "wrong_format",
        f"{path.name} is a camera raw picture, which has to be developed first. Export it as JPEG "
        "and name that file.",
    )


def unidentified(path: Path, data: bytes, *, prepare: bool, heic: bool) -> PictureFault:
    """Return the fault of a file that no decoder opens.

    `data` is its content; `heic` tells whether there was a decoder for HEIC.
    """
    known = _by_brands(data) or next((each for each in PICTURE_FORMATS if each.begins(data)), None)
    if known is not None and data.startswith(_SHORT_FORM, _BRANDS_AT):
        short = f"{known.shown} in a short form that cannot be opened yet"
        return PictureFault("wrong_format", f"{path.name} is {short}. {_SAVE_AS}")
    if known is None:
        kind = other_kind(data) or "no JPEG, PNG, WebP or GIF picture"
        return PictureFault("wrong_format", f"{path.name} is {kind}. {_SAVE_AS}")
    if known.mime_type is not None:
        return damaged(path)
    if prepare and (heic or known is not HEIC):
        return damaged(path, f" (it begins like {known.shown})")
    remedy = _SAVE_AS if prepare else _SAVE_AS + _OR_PREPARE
    return PictureFault("wrong_format", f"{path.name} is {known.shown}. {remedy}")


def _by_brands(data: bytes) -> PictureFormat | None:
    """Tell AVIF and HEIC by all brands that the file names: the first one may be of both."""
    if not data.startswith(b"ftyp", 4):
        return None
    length = min(int.from_bytes(data[:4], "big"), _MOST_BRAND_BYTES)
    brands = {data[at : at + 4] for at in range(_BRANDS_AT, length, 4)}
    for each in (_AVIF, HEIC):
        if any(mark.removeprefix(b"ftyp") in brands for _, mark in each.marks):
            return each
    return None


def say_unfit(name: str, picture: Picture, files: ImageFiles, model: str) -> list[str]:
    """Say why a model does not take a picture: which limit of its sheet, and what to do.

    Args:
        name: The picture's file name.
        picture: As it is sent.
        files: What the sheet of the model says of the files of pictures.
        model: The model.

    """
    unfit, size = [], f"{picture.width} x {picture.height} pixels"
    kind = picture.mime_type.removeprefix("image/")
    copy = " as it is sent" if picture.copy_sha256 else ""
    if files.types is not None and kind not in files.types:
        listed = " or ".join(map(say_type, files.types))
        unfit.append(
            f"{name} is a {say_type(kind)} picture{copy}, and {model} takes {listed} only. Save "
            f"it as {listed} and name that file."
        )
    if files.max_bytes is not None and picture.size_bytes > files.max_bytes:
        unfit.append(
            f"{name} has {say_size(picture.size_bytes)}{copy}, and {model} takes at most "
            f"{say_size(files.max_bytes)}. Save it smaller, for example as JPEG with fewer pixels."
        )
    if files.min_side is not None and min(picture.width, picture.height) < files.min_side:
        unfit.append(
            f"{name} has {size}{copy}, and {model} needs at least {files.min_side:,} on each side. "
            "Name a larger picture of it."
        )
    if files.shape is not None and not _is_between(picture.width / picture.height, files.shape):
        narrowest, widest = files.shape
        unfit.append(
            f"{name} has {size}{copy}, and {model} takes pictures that are {narrowest:g} to "
            f"{widest:g} times as wide as high. Crop it to such a shape."
        )
    return unfit


def _is_between(value: float, ends: tuple[float, float]) -> bool:
    return ends[0] <= value <= ends[1]


def shape_warning(name: str, width: int, height: int, aspect_ratio: str) -> str | None:
    """Warn of a picture of which a video that it fills can show less than half; None if not.

    Args:
        name: The picture's file name.
        width: Its width in pixels.
        height: Its height in pixels.
        aspect_ratio: The aspect ratio of the video, as in "16:9"; of any other nothing is known.

    """
    if not (shape := _SHAPE.fullmatch(aspect_ratio)):
        return None
    across, down = int(shape[1]), int(shape[2])
    ratio = width * down / (height * across)
    shown = min(ratio, 1 / ratio)
    if shown >= _LEAST_SHARE:
        return None
    return (
        f"{name} ({width} x {height}) is far from the shape of a {aspect_ratio} video, which can "
        f"show only {shown:.0%} of it. Crop it, or choose the aspect_ratio that suits it."
    )


def other_kind(data: bytes) -> str | None:
    """Return what a file is that is no picture, by its first bytes; None if nobody knows."""
    head = data[:32].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return next(
        (kind for start, mark, kind in _OTHER_KINDS if head.startswith(mark.lower(), start)), None
    )
