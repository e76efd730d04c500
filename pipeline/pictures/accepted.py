"""Which picture files are accepted: formats and limits, and a sentence for every other file."""

from __future__ import annotations

from pathlib import Path

from pipeline.manifest.locations import PictureFault

LARGEST_BYTES = 10_000_000  # the provider says "10 MB"; this is the smaller reading of it
LARGEST_SIDE = 4096
"""Pixels of the longer side of what is sent. The provider states no limit. A phone's 12 megapixels
(4032 x 3024) pass as they are, and the video has at most 1920 x 1080."""

LARGEST_SOURCE_BYTES = 200_000_000  # read in order to make a copy: a TIFF of 60 megapixels
LARGEST_PIXELS = 89_478_485  # where Pillow begins to suspect a decompression bomb


_HOW = "Save it as JPEG or PNG and name that file."
_OR_PREPARE = " Or set images.prepare to auto, and a JPEG copy is sent instead."
_SENT = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")
# A brand stands at byte 8 of a HEIF or AVIF file (ISO/IEC 23008-12, section 10).
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")
_CONVERTED: tuple[tuple[int, bytes, str], ...] = (
    *((4, b"ftyp" + brand, "a HEIC photograph of a phone") for brand in HEIC_BRANDS),
    *((4, b"ftyp" + brand, "an AVIF picture") for brand in _AVIF_BRANDS),
    (0, b"II*\0", "a TIFF or camera raw picture"),
    (0, b"MM\0*", "a TIFF or camera raw picture"),
    (0, b"BM", "a BMP picture"),
)
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


def unreadable(path: Path, error: OSError) -> PictureFault:
    """Return the fault of a file that is there and cannot be read."""
    return PictureFault(
        "unreadable",
        f"{path} cannot be read: {error.strerror or error}. Check that you may open it.",
    )


def empty(path: Path) -> PictureFault:
    """Return the fault of a file without content."""
    return PictureFault(
        "empty_file",
        f"{path.name} has no content (0 bytes). It may not be downloaded or synchronised yet: "
        "open it once, or copy it again.",
    )


def too_large(path: Path, size_bytes: int, *, prepare: bool) -> PictureFault:
    """Return the fault of a file with more bytes than can be sent, or than are read at all."""
    limit, purpose = (LARGEST_SOURCE_BYTES, "read") if prepare else (LARGEST_BYTES, "sent")
    return PictureFault(
        "too_large",
        f"{path.name} has {size_bytes / 1e6:.1f} MB; at most {limit / 1e6:.0f} MB can be "
        f"{purpose}. Save it smaller, for example as JPEG with at most 3000 pixels on the longer "
        "side.",
    )


def too_many_pixels(path: Path) -> PictureFault:
    """Return the fault of a file that unfolds to more than is held in memory."""
    return PictureFault(
        "too_many_pixels",
        f"{path.name} has more than {LARGEST_PIXELS // 1_000_000} million pixels when it is opened."
        " Save it smaller, for example with at most 3000 pixels on the longer side.",
    )


def damaged(path: Path, detail: str = "") -> PictureFault:
    """Return the fault of a picture that cannot be decoded to its end."""
    return PictureFault(
        "damaged",
        f"{path.name} is damaged or not whole{detail}. Copy it again from where it came from, or "
        "open it and save it anew.",
    )


def camera_raw(path: Path) -> PictureFault:
    """Return the fault of a camera's raw file: what opens easily in it is only a small preview."""
    return PictureFault(
        "wrong_format",
        f"{path.name} is a camera raw picture, not a finished one. Export it as JPEG and name that "
        "file.",
    )


def unidentified(path: Path, data: bytes, *, prepare: bool, heic: bool = True) -> PictureFault:
    """Return what a file is that no decoder takes; `heic` tells whether HEIC can be opened."""
    if data.startswith(_SENT) or data[8:12] == b"WEBP":
        return damaged(path)
    kind = _named(data, _CONVERTED)
    if kind is not None:
        if prepare and (heic or "HEIC" not in kind):
            return damaged(path, f" (it begins like {kind})")
        return PictureFault(
            "wrong_format", f"{path.name} is {kind}. {_HOW}{'' if prepare else _OR_PREPARE}"
        )
    kind = _named(data, _OTHER_KINDS) or "no JPEG, PNG, WebP or GIF picture"
    return PictureFault("wrong_format", f"{path.name} is {kind}. {_HOW}")


def _named(data: bytes, kinds: tuple[tuple[int, bytes, str], ...]) -> str | None:
    head = data[:32].lstrip(b"\xef\xbb\xbf \t\r\n")
    for start, magic, name in kinds:
        seen = head[start : start + len(magic)]
        if magic in (seen, seen.lower()):
            return name
    return None


_LEAST_SHARE = 0.5
"""Below this share of the picture that a full frame can show, the row gets a warning. A square in
either frame shows 56 % and passes, as do 4:3 and 3:2 in 16:9; a portrait 3:4 in 16:9 shows 42 %."""


def _share(width: int, height: int, aspect_ratio: str) -> float:
    """Return how much of a picture is left when it is cropped to fill the frame, from 0 to 1."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    ratio = width * down / (height * across)
    return min(ratio, 1 / ratio)


def shape_warning(name: str, width: int, height: int, aspect_ratio: str) -> str | None:
    """Return what to tell about a picture whose shape is far from the frame; None if it is not."""
    shown = _share(width, height, aspect_ratio)
    if shown >= _LEAST_SHARE:
        return None
    return (
        f"{name} ({width} x {height}) is far from the shape of a {aspect_ratio} video: a full "
        f"frame shows {shown:.0%} of it. Crop it, or choose the aspect_ratio that suits it."
    )
