"""Accepted pictures: the shape of a picture against the frame of the video."""

from __future__ import annotations

import pytest

from pipeline.pictures.accepted import shape_warning


@pytest.mark.parametrize(
    ("size", "frame", "far"),
    [
        ((1920, 1080), "16:9", False),
        ((1080, 1920), "9:16", False),
        ((1000, 1000), "16:9", False),
        ((1000, 1000), "9:16", False),
        ((4000, 3000), "16:9", False),
        ((3000, 4000), "16:9", True),
        ((3000, 4000), "9:16", False),
        ((4000, 3000), "9:16", True),
        ((1080, 1920), "16:9", True),
        ((3200, 900), "16:9", False),  # exactly half
        ((3201, 900), "16:9", True),
        ((5000, 10), "16:9", True),
    ],
)
def test_a_picture_far_from_the_frame_is_told(size: tuple[int, int], frame: str, far: bool) -> None:
    """Where a full frame would show less than half of it, and only there."""
    said = shape_warning("a.jpg", *size, frame)
    assert (said is not None) == far
    if said:
        assert f"a.jpg ({size[0]} x {size[1]})" in said
        assert frame in said
