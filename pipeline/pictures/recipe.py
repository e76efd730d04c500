"""The recipe of copies: what a picture needs before it can be sent, and how its copy is made.

A copy is the first picture of its file, upright, small enough, with 8 bits per colour, in sRGB or
grey: the form that screens and providers take.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageCms

from pipeline.pictures.accepted import FORMAT_OF, LARGEST_BYTES, LARGEST_SIDE, PictureFormat

RECIPE = 1
"""Raise it when copies become visibly different: then all rows that use a copy count as edited."""

_QUALITIES = (92, 85, 75)
"""Qualities of JPEG, tried in this order until the file is small enough."""
_SHRINK = 0.75
"""If no quality makes the file small enough, its sides shrink by this factor, again and again."""
_DRAWN = frozenset({"1", "P", "PA"})  # drawings stay sharp as PNG
_SIXTEEN = 16
_OPAQUE = 255
_TO_EIGHT_BITS = 1 / 257  # 65535 becomes 255
_PROFILED = frozenset({"L", "RGB", "RGBA", "CMYK"})
"""The modes to which a colour profile can belong."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Needs:
    """What keeps a picture from being sent as it is; nothing of all this if it is `fit`."""

    kind: str | None  # its format, if the provider does not take that
    turn: int  # the EXIF orientation; 1 is upright
    count: int  # the pictures of an animation, or pages
    printed: bool  # in the colours of printing inks
    deep: bool  # more than 8 bits per colour
    wide: bool
    heavy_bytes: int  # the file's size if that is too much, else 0

    @property
    def fit(self) -> bool:
        """Whether the file can be sent byte for byte."""
        odd = self.kind or self.printed or self.deep or self.wide or self.heavy_bytes
        return not odd and self.turn == 1 and self.count == 1


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy, still in memory; `reasons` says in words what was done and why."""

    data: bytes
    format: PictureFormat
    width: int
    height: int
    reasons: str


def find_needs(picture: Image.Image, data: bytes, count: int) -> Needs:
    """Find out what an opened picture needs.

    Args:
        picture: the first picture of the file, decoded.
        data: the file.
        count: how many pictures or pages the file has.

    """
    kind = FORMAT_OF[picture.format or ""]
    return Needs(
        kind=None if kind.mime_type else kind.name,
        turn=_orientation(picture),
        count=1 if picture.format == "MPO" else count,  # an MPO is not animated
        printed=picture.mode == "CMYK",
        deep=_is_deep(picture, data),
        wide=max(picture.size) > LARGEST_SIDE,
        heavy_bytes=len(data) if len(data) > LARGEST_BYTES else 0,
    )


def make_copy(picture: Image.Image, needs: Needs) -> Copy:
    """Make the copy of an opened picture."""
    before, drawn = picture.size, picture.mode in _DRAWN
    # It is made small first, so that all later steps cost less time and memory.
    work = _shrink(_eight_bit(picture), LARGEST_SIDE)
    if "icc_profile" in picture.info:
        work.info["icc_profile"] = picture.info["icc_profile"]
    work = _without_idle_alpha(_screen_colours(work))
    if needs.turn in _TURNS:
        work = work.transpose(_TURNS[needs.turn])
    white = work.mode == "RGBA"
    if drawn or white:
        data = _save(work, "PNG")
        if len(data) <= LARGEST_BYTES:
            reasons = _reasons(needs, before, work.size, len(data), white=False)
            return Copy(data, FORMAT_OF["PNG"], *work.size, reasons)
    data, size = _jpeg(_on_white(work))
    reasons = _reasons(needs, before, size, len(data), white=white)
    return Copy(data, FORMAT_OF["JPEG"], *size, reasons)


def _reasons(
    needs: Needs, before: tuple[int, int], after: tuple[int, int], size_bytes: int, *, white: bool
) -> str:
    pages = "pages" if needs.kind == "TIFF" else "pictures"
    shrunk = sorted(before) != sorted(after)
    steps = (
        (needs.kind, f"it is {'an' if needs.kind == 'AVIF' else 'a'} {needs.kind} picture"),
        (needs.count > 1, f"only the first of its {needs.count} {pages} is used"),
        (needs.turn != 1, "turned upright as the camera noted"),
        (needs.printed, "printing colours (CMYK) became screen colours"),
        (needs.deep, f"{_SIXTEEN} bits per colour became 8"),
        (shrunk, f"made smaller, from {before[0]} x {before[1]} to {after[0]} x {after[1]} pixels"),
        (needs.heavy_bytes, f"{needs.heavy_bytes / 1e6:.1f} MB became {size_bytes / 1e6:.1f} MB"),
        (white, "its transparent parts became white"),
    )
    return ", ".join(text for needed, text in steps if needed)


def _orientation(picture: Image.Image) -> int:
    """Read the camera's note on how it was held; 1 if it cannot be read."""
    try:
        noted = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, struct.error):
        return 1
    return noted if noted in _TURNS else 1


def _is_deep(picture: Image.Image, data: bytes) -> bool:
    """Tell whether a colour has more than 8 bits, which Pillow hides of coloured PNGs."""
    if picture.format == "PNG":
        return data[24] == _SIXTEEN  # the bit depth of IHDR
    if picture.format == "TIFF":
        bits = picture.getexif().get(ExifTags.Base.BitsPerSample, 8)
        return _SIXTEEN in (bits if isinstance(bits, tuple) else (bits,))
    return False


def _shrink(picture: Image.Image, side: int) -> Image.Image:
    """Return the picture with its longer side at most `side` pixels; never larger than before."""
    if max(picture.size) <= side:
        return picture.copy()
    scale = side / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg(picture: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as JPEG of few enough bytes, and its size in pixels."""
    while True:
        for quality in _QUALITIES:
            # Without subsampling: a red product on white keeps its edge.
            data = _save(picture, "JPEG", quality=quality, subsampling=0)
            if len(data) <= LARGEST_BYTES:
                return data, picture.size
        picture = _shrink(picture, int(max(picture.size) * _SHRINK))


def _save(picture: Image.Image, kind: str, **options: int) -> bytes:
    """Return a file of the pixels alone: no place, date, owner or profile goes along."""
    anonymous = picture.copy()
    anonymous.info.clear()
    target = io.BytesIO()
    anonymous.save(target, kind, **options)
    return target.getvalue()


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Return the picture with 8 bits per colour; plain colours instead of a palette.

    Numbers without a stated range (32 bits, floating point) are stretched from their darkest to
    their brightest.
    """
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda v: v * _TO_EIGHT_BITS + 0.5).convert("L")
    if picture.mode in ("I", "F"):
        return _stretch(picture)
    if picture.has_transparency_data:
        # Not copied in vain: it may be a third of a gigabyte.
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGB") if picture.mode in ("P", "PA") else picture


def _screen_colours(picture: Image.Image) -> Image.Image:
    """Return the picture as L, RGB or RGBA in sRGB, its colour profile or printing inks applied.

    A profile that cannot be read, or belongs to another kind of picture, is passed over.
    """
    if picture.mode == "LAB":
        return _apply_profile(
            picture, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "RGB"
        )
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in _PROFILED:
        try:
            read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return _apply_profile(picture, read, "RGBA" if picture.mode == "RGBA" else "RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # A viewer without profiles shows the numbers as they are.
            return _plain(picture)
    return _plain(picture)


def _without_idle_alpha(picture: Image.Image) -> Image.Image:
    """Return the picture without its alpha channel if that hides nothing."""
    if picture.mode != "RGBA":
        return picture
    least, _ = picture.getchannel("A").getextrema()
    return picture.convert("RGB") if least == _OPAQUE else picture


def _on_white(picture: Image.Image) -> Image.Image:
    """Return the picture with white where it was transparent."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def _apply_profile(
    picture: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(
        picture, profile, ImageCms.createProfile("sRGB"), outputMode=mode
    )
    return picture if converted is None else converted


def _plain(picture: Image.Image) -> Image.Image:
    return picture if picture.mode in ("L", "RGB", "RGBA") else picture.convert("RGB")


def _stretch(picture: Image.Image) -> Image.Image:
    least, most = picture.convert("F").getextrema()
    if isinstance(least, tuple) or isinstance(most, tuple):  # one band has one pair
        raise TypeError("more than one band")
    scale = 255 / (most - least) if most > least else 0.0
    return picture.point(lambda v: v * scale + -least * scale).convert("L")
