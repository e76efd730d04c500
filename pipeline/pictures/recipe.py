"""How a picture is made fit: what it needs, and the JPEG or PNG bytes that come of it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageCms

from pipeline.pictures.accepted import LARGEST_BYTES, LARGEST_SIDE

RECIPE = 1
"""Raise it when the copies get visibly different: then rows that use one count as edited."""

SENT_AS_THEY_ARE = ("JPEG", "MPO", "PNG", "WEBP", "GIF")
CONVERTED = ("TIFF", "BMP", "AVIF", "HEIF")

_KINDS = {"TIFF": "TIFF", "BMP": "BMP", "AVIF": "AVIF", "HEIF": "HEIC"}
_QUALITIES = (92, 85, 75)  # of JPEG, tried in this order until the file is small enough
_SHRINK = 0.75  # then the frame is made smaller, again and again
_DRAWN = frozenset({"1", "P", "PA"})  # drawings stay sharp as PNG
_SIXTEEN = 16
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
    """What keeps a picture from being sent as it is; nothing of all this if it is `fit`.

    `turn` is the EXIF orientation (1: upright), `frames` counts 1 for a picture that does not move.
    """

    kind: str | None
    turn: int
    frames: int
    printed: bool
    deep: bool
    wide: bool
    heavy_bytes: int

    @property
    def fit(self) -> bool:
        """Whether the file can be sent byte for byte."""
        odd = self.kind or self.printed or self.deep or self.wide or self.heavy_bytes
        return not odd and self.turn == 1 and self.frames == 1


@dataclass(frozen=True, slots=True)
class Made:
    """A copy, still in memory; `done` says in words what was done for it."""

    data: bytes
    mime_type: str
    width: int
    height: int
    done: str

    @property
    def suffix(self) -> str:
        """The suffix of its file."""
        return ".png" if self.mime_type == "image/png" else ".jpg"


def needs_of(image: Image.Image, data: bytes, frames: int) -> Needs:
    """Say what an opened picture needs. `data` is its file, `frames` its frames or pages."""
    fit_kind = image.format in SENT_AS_THEY_ARE
    return Needs(
        kind=None if fit_kind else _KINDS.get(image.format or "", image.format or "unknown"),
        turn=_orientation(image),
        frames=1 if image.format == "MPO" else frames,  # an MPO does not move
        printed=image.mode == "CMYK",
        deep=_is_deep(image, data),
        wide=max(image.size) > LARGEST_SIDE,
        heavy_bytes=len(data) if len(data) > LARGEST_BYTES else 0,
    )


def make(image: Image.Image, needs: Needs) -> Made:
    """Make the copy of an opened picture: its first frame, upright, small enough, in sRGB."""
    before, drawn = image.size, image.mode in _DRAWN
    # Small first: what follows then costs less time and memory.
    work = _within(eight_bit(image), LARGEST_SIDE)
    if "icc_profile" in image.info:
        work.info["icc_profile"] = image.info["icc_profile"]
    work = without_idle_alpha(screen_colours(work))
    if needs.turn in _TURNS:
        work = work.transpose(_TURNS[needs.turn])
    kept = _png(work) if drawn or work.mode == "RGBA" else None
    if kept is not None:
        done = _done(needs, before, work.size, len(kept), white=False)
        return Made(kept, "image/png", *work.size, done)
    white = work.mode == "RGBA"
    data, size = _jpeg(on_white(work))
    return Made(data, "image/jpeg", *size, _done(needs, before, size, len(data), white=white))


def _done(
    needs: Needs, before: tuple[int, int], after: tuple[int, int], size_bytes: int, *, white: bool
) -> str:
    pages = "pages" if needs.kind == "TIFF" else "frames"
    shrunk = sorted(before) != sorted(after)
    steps = (
        (needs.kind, f"it is {'an' if needs.kind == 'AVIF' else 'a'} {needs.kind} picture"),
        (needs.frames > 1, f"only the first of its {needs.frames} {pages} is used"),
        (needs.turn != 1, "turned upright as the camera noted"),
        (needs.printed, "printing colours (CMYK) became screen colours"),
        (needs.deep, f"{_SIXTEEN} bits a colour became 8"),
        (shrunk, f"made smaller, from {before[0]} x {before[1]} to {after[0]} x {after[1]} pixels"),
        (needs.heavy_bytes, f"{needs.heavy_bytes / 1e6:.1f} MB became {size_bytes / 1e6:.1f} MB"),
        (white, "its transparent parts became white"),
    )
    return ", ".join(text for needed, text in steps if needed)


def _orientation(image: Image.Image) -> int:
    """Read the camera's note on how it was held; 1 where there is none that can be read."""
    try:
        noted = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, struct.error):
        return 1
    return noted if noted in _TURNS else 1


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Tell whether a colour has more than 8 bits; Pillow itself hides it of coloured PNGs."""
    if image.format == "PNG":
        return data[24] == _SIXTEEN  # the bit depth of IHDR
    if image.format == "TIFF":
        bits = image.getexif().get(ExifTags.Base.BitsPerSample, 8)
        return _SIXTEEN in (bits if isinstance(bits, tuple) else (bits,))
    return False


def _within(image: Image.Image, side: int) -> Image.Image:
    """Return the picture with its longer side at most `side` pixels; never larger than before."""
    if max(image.size) <= side:
        return image.copy()
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _png(image: Image.Image) -> bytes | None:
    """Return the picture as PNG; None if that is too many bytes."""
    data = _saved(image, "PNG")
    return data if len(data) <= LARGEST_BYTES else None


def _jpeg(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as JPEG of few enough bytes, and its size in pixels."""
    while True:
        for quality in _QUALITIES:
            # Without subsampling: a red product on white keeps its edge.
            data = _saved(image, "JPEG", quality=quality, subsampling=0)
            if len(data) <= LARGEST_BYTES:
                return data, image.size
        image = _within(image, int(max(image.size) * _SHRINK))


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    """Return the file's bytes, the pixels alone: no place, date, owner or profile goes along."""
    bare = image.copy()
    bare.info.clear()
    target = io.BytesIO()
    bare.save(target, kind, **options)
    return target.getvalue()


_OPAQUE = 255
_SIXTEEN_TO_EIGHT = 1 / 257  # 65535 becomes 255
# What a colour profile can belong to.
_PROFILED = frozenset({"L", "RGB", "RGBA", "CMYK"})


def eight_bit(image: Image.Image) -> Image.Image:
    """Return the picture with 8 bits a colour; plain colours instead of a palette.

    Numbers without a stated range (32 bits, floating point) are stretched from their darkest to
    their brightest.
    """
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda v: v * _SIXTEEN_TO_EIGHT + 0.5).convert("L")
    if image.mode in ("I", "F"):
        return _stretched(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGB") if image.mode in ("P", "PA") else image


def screen_colours(image: Image.Image) -> Image.Image:
    """Return the picture as L, RGB or RGBA in sRGB, its colour profile or printing inks applied.

    A profile that cannot be read, or belongs to another kind of picture, is passed over.
    """
    if image.mode == "LAB":
        return _applied(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), "RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode in _PROFILED:
        try:
            read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return _applied(image, read, "RGBA" if image.mode == "RGBA" else "RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            # The plain reading of the numbers is what a viewer without profiles shows.
            return _plain(image)
    return _plain(image)


def without_idle_alpha(image: Image.Image) -> Image.Image:
    """Return the picture without its alpha channel if that hides nothing."""
    if image.mode != "RGBA":
        return image
    least, _ = image.getchannel("A").getextrema()
    return image.convert("RGB") if least == _OPAQUE else image


def on_white(image: Image.Image) -> Image.Image:
    """Return the picture with white where it was transparent."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _applied(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, profile, ImageCms.createProfile("sRGB"), outputMode=mode
    )
    return image if converted is None else converted


def _plain(image: Image.Image) -> Image.Image:
    return image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")


def _stretched(image: Image.Image) -> Image.Image:
    least, most = image.convert("F").getextrema()
    if isinstance(least, tuple) or isinstance(most, tuple):  # one band has one pair
        raise TypeError("more than one band")
    scale = 255 / (most - least) if most > least else 0.0
    return image.point(lambda v: v * scale + -least * scale).convert("L")
