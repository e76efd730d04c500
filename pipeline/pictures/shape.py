"""How well the shape of a picture suits the frame of a video."""

from __future__ import annotations

LEAST_SHARE = 0.5
"""Below this share of the picture that a full frame can show, the row gets a warning. A square in
either frame shows 56 % and passes, as do 4:3 and 3:2 in 16:9; a portrait 3:4 in 16:9 shows 42 %."""


def share(width: int, height: int, aspect_ratio: str) -> float:
    """Return how much of a picture is left when it is cropped to fill the frame, from 0 to 1."""
    across, down = (int(part) for part in aspect_ratio.split(":"))
    ratio = width * down / (height * across)
    return min(ratio, 1 / ratio)


def warning(name: str, width: int, height: int, aspect_ratio: str) -> str | None:
    """Return what to tell about a picture whose shape is far from the frame; None if it is not."""
    shown = share(width, height, aspect_ratio)
    if shown >= LEAST_SHARE:
        return None
    return (
        f"{name} ({width} x {height}) is far from the shape of a {aspect_ratio} video: a full "
        f"frame shows {shown:.0%} of it. Crop it, or choose the aspect_ratio that suits it."
    )
