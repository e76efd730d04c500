"""Every picture of the example: which product, which backdrop, from where."""

from __future__ import annotations

from collections.abc import Callable

from .bags import handlebar_bag, saddle_bag
from .pottery import mug, teapot, vase
from .studio import Shot
from .tea import tin

SAND, STONE, SKY, BLUSH = (222, 208, 188), (204, 204, 200), (186, 202, 208), (226, 202, 190)
SMOKE = ((44, 62, 72), (236, 226, 204), (44, 62, 72))
JASMINE = ((196, 206, 178), (250, 246, 234), (86, 110, 72))

SHOTS: dict[str, Callable[[], Shot]] = {
    "mug-moss.jpg": lambda: Shot(mug(), SAND, 24, 19, 5.2, (0.12, 0.47, 0.0), 1.2),
    "teapot-ash-front.jpg": lambda: Shot(teapot(), STONE, 6, 14, 6.3, (0.02, 0.56, 0.0), 1.5),
    "teapot-ash-spout.jpg": lambda: Shot(teapot(), STONE, 44, 24, 5.8, (0.1, 0.56, 0.0), 1.5),
    "teapot-ash-open.jpg": lambda: Shot(
        teapot(lid_off=True), STONE, -28, 40, 6.6, (0.1, 0.42, 0.2), 1.8
    ),
    "vase-rust.webp": lambda: Shot(vase(), BLUSH, 12, 9, 9.2, (0.05, 1.12, 0.0), 1.6),
    "handlebar-bag-front.jpg": lambda: Shot(
        handlebar_bag(), SKY, -14, 14, 6.6, (0.0, 0.54, 0.0), 1.5
    ),
    "handlebar-bag-side.jpg": lambda: Shot(
        handlebar_bag(), SKY, 58, 20, 6.2, (0.0, 0.54, 0.0), 1.5
    ),
    "handlebar-bag-buckle.jpg": lambda: Shot(
        handlebar_bag(), SKY, 26, 26, 3.4, (0.44, 0.66, 0.3), 2.0
    ),
    "saddle-bag-pine.jpg": lambda: Shot(saddle_bag(), SAND, -26, 17, 6.2, (0.0, 0.48, 0.0), 1.5),
    "tea-tin-smoke-front.jpg": lambda: Shot(
        tin(*SMOKE), STONE, -10, 13, 5.6, (0.0, 0.62, 0.0), 1.2
    ),
    "tea-tin-smoke-open.jpg": lambda: Shot(
        tin(*SMOKE, opened=True), STONE, -6, 34, 6.2, (0.28, 0.5, 0.0), 1.6
    ),
    "tea-tin-smoke-label.jpg": lambda: Shot(tin(*SMOKE), STONE, 16, 6, 3.1, (0.0, 0.60, 0.2), 1.4),
    "tea-tin-jasmine.png": lambda: Shot(
        tin(*JASMINE), BLUSH, 8, 16, 6.0, (0.0, 0.62, 0.0), 1.2, grain=0.0
    ),
}
