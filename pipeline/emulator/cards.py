"""Pictures drawn for a rehearsal: title cards, placeholders, and the mark on every frame."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Size = tuple[int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_INK = (244, 241, 234)
_MUTED = (186, 190, 198)
_GROUNDS = ((38, 52, 74), (58, 44, 66), (34, 60, 56), (70, 50, 42), (44, 48, 58))
_LONGEST = 600
_SMALLEST = 16
_SPACING = 0.35  # of the font's size, between lines
MARK = "REHEARSAL"


@lru_cache(maxsize=16)
def font(size: int) -> Font:
    """Return Pillow's own font, the only one that is there on every machine."""
    return ImageFont.load_default(size)


def title_card(text: str, size: Size, caption: str = "") -> Image.Image:
    """Return ``text`` as a readable card, as large as it fits."""
    image = Image.new("RGB", size, _ground(text))
    draw = ImageDraw.Draw(image)
    width, height = size
    room = (int(width * 0.82), int(height * 0.62))
    chosen, lines = _fitted(draw, text[:_LONGEST], room, min(size) // 9)
    wrapped = "\n".join(lines)
    spacing = getattr(chosen, "size", _SMALLEST) * _SPACING
    draw.multiline_text(
        (width / 2, height / 2),
        wrapped,
        fill=_INK,
        font=chosen,
        anchor="mm",
        align="center",
        spacing=spacing,
    )
    if caption:
        small = font(max(16, height // 36))
        draw.text((width / 2, height * 0.93), caption, fill=_MUTED, font=small, anchor="mm")
    return image


def mark_patch(size: Size) -> Image.Image:
    """Return the grey patch that says that this is no real video."""
    text = font(max(20, min(size) // 18))
    probe = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = probe.textbbox((0, 0), MARK, font=text)
    pad = max(8, min(size) // 60)
    # Even sides, since a colour sample covers two by two pixels.
    width = (int(right - left) + 2 * pad + 1) // 2 * 2
    height = (int(bottom - top) + 2 * pad + 1) // 2 * 2
    patch = Image.new("L", (width, height), 28)
    draw = ImageDraw.Draw(patch)
    draw.rectangle((0, 0, width - 1, height - 1), outline=220, width=2)
    draw.text((pad - left, pad - top), MARK, fill=235, font=text)
    return patch


def _ground(text: str) -> tuple[int, int, int]:
    digest = hashlib.sha256(text.encode()).digest()
    return _GROUNDS[digest[0] % len(_GROUNDS)]


def _fitted(
    draw: ImageDraw.ImageDraw, text: str, room: Size, largest: int
) -> tuple[Font, list[str]]:
    """Return the largest font at which the wrapped text fits, and its lines."""
    size = largest
    # Below this a long word is cut rather than all the rest made smaller still.
    smallest = max(_SMALLEST, largest // 4)
    while True:
        chosen = font(size)
        lines = _wrapped(draw, text, chosen, room[0])
        spacing = size * _SPACING
        box = draw.multiline_textbbox((0, 0), "\n".join(lines), font=chosen, spacing=spacing)
        fits = box[3] - box[1] <= room[1] and _words_fit(draw, text, chosen, room[0])
        if fits or size <= smallest:
            return chosen, lines
        size = int(size * 0.85)


def _words_fit(draw: ImageDraw.ImageDraw, text: str, chosen: Font, width: int) -> bool:
    return all(draw.textlength(word, font=chosen) <= width for word in text.split())


def _wrapped(draw: ImageDraw.ImageDraw, text: str, chosen: Font, width: int) -> list[str]:
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split():
            for piece in _pieces(draw, word, chosen, width):
                longer = f"{line} {piece}".strip()
                if line and draw.textlength(longer, font=chosen) > width:
                    lines.append(line)
                    longer = piece
                line = longer
        lines.append(line)
    return lines


def _pieces(draw: ImageDraw.ImageDraw, word: str, chosen: Font, width: int) -> list[str]:
    """Cut a word that is wider than a line; scripts without spaces are one such word."""
    if draw.textlength(word, font=chosen) <= width:
        return [word]
    pieces = [""]
    for letter in word:
        if draw.textlength(pieces[-1] + letter, font=chosen) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces
