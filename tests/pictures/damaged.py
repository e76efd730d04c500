"""Photographs with every kind of damage that copying, syncing and old disks do; always the same."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

from PIL import Image

_SIZES = ((96, 64), (330, 251))
_PIECES = (1, 16, 200, 1500)


def photographs() -> Iterator[tuple[str, bytes]]:
    """Yield sound baseline JPEGs as cameras and programs write them, each with its name."""
    chance = random.Random(311)
    for size in _SIZES:
        small = (size[0] // 8, size[1] // 8)
        noise = Image.frombytes("L", small, chance.randbytes(small[0] * small[1])).resize(size)
        colour = Image.merge("RGB", (noise, noise.transpose(Image.Transpose.ROTATE_180), noise))
        for mode in ("RGB", "L"):
            picture = colour.convert(mode)
            for name, options in (
                ("plain", {}),
                ("fine", {"quality": 97, "subsampling": 0}),
                ("restarts", {"restart_marker_blocks": 5}),
                ("optimised", {"optimize": True, "quality": 60}),
            ):
                target = io.BytesIO()
                picture.save(target, "JPEG", **options)
                yield f"{name} {mode} {size[0]}", target.getvalue()


def damaged() -> Iterator[tuple[str, bytes]]:
    """Yield the same with a piece cut off, cut out, emptied, garbled or put in, at many places."""
    chance = random.Random(1202)
    for name, data in photographs():
        for share in (0.02, 0.2, 0.5, 0.9, 0.99):
            yield f"{name}, cut at {share}", data[: int(len(data) * share)]
        yield f"{name}, last byte gone", data[:-1]
        yield f"{name}, end mark gone", data[:-2]
        yield f"{name}, zeros at its end", data[: len(data) // 2] + bytes(len(data) // 2)
        for piece in _PIECES:
            at = chance.randrange(2, len(data) - piece) if piece < len(data) - 2 else 2
            before, after = data[:at], data[at + piece :]
            garbled = chance.randbytes(piece)
            yield f"{name}, {piece} bytes gone at {at}", before + after
            yield f"{name}, {piece} zeros at {at}", before + bytes(piece) + after
            yield f"{name}, {piece} garbled at {at}", before + garbled + after
            yield f"{name}, {piece} more at {at}", before + garbled + data[at:]
