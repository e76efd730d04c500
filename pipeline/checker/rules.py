"""What the provider accepts, as data, and the request that a valid row becomes.

The source of `RULES` is docs/contract.md, "Models" and "Submissions".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, NamedTuple

from pipeline.manifest.spellings import (
    ASPECT_RATIOS,
    DURATIONS,
    RESOLUTIONS,
    aspect_ratio_of,
    duration_of,
    resolution_of,
)
from pipeline.model import Request

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Rule:
    """A field of a request: its type at the provider, its allowed values, and how to say so."""

    field: str
    kind: str
    allowed: tuple[int | str, ...]
    default: int | str | None
    sentence: str


RULES = (
    Rule("prompt", "string", (), None, "what the video shows; every row needs one"),
    Rule("duration", "integer", DURATIONS, 6, "4, 6 or 10 seconds"),
    Rule("aspect_ratio", "string", ASPECT_RATIOS, "16:9", "16:9 or 9:16"),
    Rule("resolution", "string", RESOLUTIONS, "720P", "720P or 1080p"),
    Rule("image_urls", "string[]", (0, 1, 3), 0, "no picture, one or three"),
)
BY_FIELD = {rule.field: rule for rule in RULES}
FRAME_OF_1080P = "16:9"
"""The only aspect ratio in which the provider makes 1080p."""
LONG_PROMPT = 4_000
"""Characters above which a prompt gets a warning; the provider documents no limit."""
FORM_FIELDS = ("duration", "aspect_ratio", "resolution")
SINGLE_IMAGES = ("image_1", "image_2", "image_3")
IMAGE_FIELDS = (*SINGLE_IMAGES, "images")
_HASH_VERSION = "request-1"

Form = tuple[int, str, str]
"""Duration in seconds, aspect ratio and resolution, as the provider writes them."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an empty cell means; the values are those of the table."""

    duration: int = 6
    aspect_ratio: str = "16:9"
    resolution: str = "720P"


class Draft(NamedTuple):
    """A row that keeps all rules, with its pictures still as the cells name them.

    A tuple, because there is one for each row and it costs a third of a frozen dataclass.
    """

    key: str
    row: int
    prompt: str
    image_cells: tuple[str, ...]
    duration: int
    aspect_ratio: str
    resolution: str


@lru_cache(maxsize=4096)
def form_of(duration: str, aspect_ratio: str, resolution: str, defaults: Defaults) -> Form | None:
    """Understand the three cells of a row's form; None if they break a rule.

    Remembered, because a manifest says the same few things in all its rows.

    Args:
        duration: the cell's text without blanks around it, like the other two; empty: the default.
        aspect_ratio: as `duration`.
        resolution: as `duration`.
        defaults: what an empty text means.

    """
    seconds = duration_of(duration) if duration else defaults.duration
    ratio = aspect_ratio_of(aspect_ratio) if aspect_ratio else defaults.aspect_ratio
    lines = resolution_of(resolution) if resolution else defaults.resolution
    if seconds is None or ratio is None or lines is None:
        return None
    return None if lines == "1080p" and ratio != FRAME_OF_1080P else (seconds, ratio, lines)


def make_request(draft: Draft, images: tuple[str, ...], model: str) -> Request:
    """Make the provider-ready form of a draft.

    Args:
        draft: the valid row.
        images: its pictures as URLs and `sha256:<hex>`, in the order of the cells.
        model: the name of the provider's model.

    """
    return Request(
        draft.prompt,
        images,
        draft.duration,
        draft.aspect_ratio,
        draft.resolution,
        model,
        request_hash(
            draft.prompt,
            images,
            duration=draft.duration,
            aspect_ratio=draft.aspect_ratio,
            resolution=draft.resolution,
            model=model,
        ),
    )


def request_hash(
    prompt: str,
    images: Sequence[str],
    *,
    duration: int,
    aspect_ratio: str,
    resolution: str,
    model: str,
) -> str:
    """Hash everything that the provider would be told (SHA-256); the same on every machine.

    Hashed is the JSON (ASCII, no blanks) of `[version, prompt, [images], duration, aspect_ratio,
    resolution, model]`. The journal knows requests by it: another hash means another video.
    """
    shown = ",".join(map(_quoted, images))
    rest = ",".join(map(_quoted, (aspect_ratio, resolution, model)))
    text = f'["{_HASH_VERSION}",{_quoted(prompt)},[{shown}],{duration},{rest}]'
    return hashlib.sha256(text.encode()).hexdigest()


def cost(duration_s: int, price_per_second: float | None) -> float | None:
    """Return what so many seconds of video cost, in the currency of the price; None without one."""
    return None if price_per_second is None else duration_s * price_per_second
