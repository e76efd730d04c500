"""A decoded picture brought to what screens and providers take: 8 bits, grey or sRGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

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
