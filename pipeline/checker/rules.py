"""What the provider accepts, as data; a row becomes a draft or problems, a draft a request.

The source of `RULES` is the model's own page (contract: POST /v1/videos/generations).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipeline.manifest.plaintext import bare
from pipeline.manifest.spellings import (
    ASPECT_RATIOS,
    DURATIONS,
    RESOLUTIONS,
    aspect_ratio_of,
    duration_of,
    resolution_of,
)
from pipeline.model import Manifest, Problem, Request, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rule:
    """One field of a request: its type at the provider, what it may be, and how to say so."""

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
FRAME_OF_1080P = "16:9"  # 1080p exists with no other
LONG_PROMPT = 4_000  # characters; no limit is documented, so this only warns
_HASH_VERSION = "request-1"
FORM_FIELDS = ("duration", "aspect_ratio", "resolution")
Form = tuple[int, str, str]

_IMAGE_BREAKS = re.compile(r"[|;\r\n]+")
SINGLE_IMAGES = ("image_1", "image_2", "image_3")
IMAGE_FIELDS = (*SINGLE_IMAGES, "images")


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


@dataclass(slots=True)
class _Reading:
    """One row while it is read: where its fields are, and the problems so far."""

    row: Row
    key: str
    manifest: Manifest
    fields: Mapping[str, int]
    texts: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def problem(
        self, name: str, code: str, message: str, severity: Severity = Severity.ERROR
    ) -> None:
        self.problems.append(
            problem_at(self.manifest, self.row.number, self.fields.get(name), self.key,
                       code=code, message=message, severity=severity)
        )  # fmt: skip


def problem_at(
    manifest: Manifest,
    row: int,
    index: int | None,
    key: str | None,
    *,
    code: str,
    message: str,
    severity: Severity = Severity.ERROR,
) -> Problem:
    """A problem of a row, with the cell's address and the column's header where there is one."""
    return Problem(
        code=code,
        message=message,
        severity=severity,
        row=row,
        cell=None if index is None else manifest.address(index, row),
        column=None if index is None else manifest.headers[index],
        key=key,
    )


def parse(
    row: Row,
    key: str,
    *,
    manifest: Manifest,
    fields: Mapping[str, int],
    defaults: Defaults,
    made: str | Problem | None = None,
) -> tuple[Draft | None, tuple[Problem, ...]]:
    """Read a row by the rules: a draft unless something is wrong, and all problems at once.

    `fields` maps the fields to the indexes of their columns (`Columns.fields`). `made` is a prompt
    that stands for an empty cell, or why none could be made. A draft may come with warnings.
    """
    cells = row.cells
    texts = {name: bare(cells[index]) for name, index in fields.items()}
    reading = _Reading(row, key, manifest, fields, texts)
    prompt = _prompt(reading, made)
    images = _images(reading)
    form = form_of(
        texts.get("duration", ""),
        texts.get("aspect_ratio", ""),
        texts.get("resolution", ""),
        defaults,
    )
    if form is None:
        _explainform_of(reading, defaults)
    problems = tuple(reading.problems)
    if form is None or any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    return Draft(key, row.number, prompt, images, *form), problems


def request(draft: Draft, images: tuple[str, ...], model: str) -> Request:
    """The provider-ready form; `images` are URLs and `sha256:<hex>`, in the order of the cells."""
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
    """SHA-256 over everything that the provider would be told; the same on every machine.

    Hashed is the JSON (ASCII, no blanks) of `[version, prompt, [images], duration, aspect_ratio,
    resolution, model]`.
    """
    shown = ",".join(map(_quoted, images))
    rest = ",".join(map(_quoted, (aspect_ratio, resolution, model)))
    text = f'["{_HASH_VERSION}",{_quoted(prompt)},[{shown}],{duration},{rest}]'
    return hashlib.sha256(text.encode()).hexdigest()


def cost(duration: int, price_per_second: float | None) -> float | None:
    """What a video of so many seconds costs, in the currency of the price; None without one."""
    return None if price_per_second is None else duration * price_per_second


def split_images(text: str) -> tuple[str, ...]:
    """The pictures of an `images` cell, separated by `|`, `;` or a line break."""
    return tuple(part for piece in _IMAGE_BREAKS.split(text) if (part := bare(piece)))


def image_fields(row: Row, fields: Mapping[str, int]) -> list[tuple[str, str]]:
    """The pictures that a row names, each as (field, text), in their order."""
    found = [
        (name, text)
        for name in SINGLE_IMAGES
        if name in fields and (text := bare(row.cells[fields[name]]))
    ]
    index = fields.get("images")
    if index is not None and row.cells[index]:
        found += [("images", text) for text in split_images(row.cells[index])]
    return found


def _prompt(reading: _Reading, made: str | Problem | None) -> str:
    if isinstance(made, Problem):
        reading.problems.append(made)
        return ""
    prompt = reading.text("prompt") or made
    if not prompt:
        prompt = ""
        reading.problem(
            "prompt",
            "prompt_empty",
            "The prompt is empty. Write what the video should show, or delete the row.",
        )
    elif len(prompt) > LONG_PROMPT:
        reading.problem(
            "prompt",
            "prompt_long",
            f"The prompt has {len(prompt):,} characters, which is unusually long. It is sent as "
            "it is; the provider may refuse it.",
            Severity.WARNING,
        )
    return prompt


def _images(reading: _Reading) -> tuple[str, ...]:
    named = image_fields(reading.row, reading.fields)
    if not named:
        return ()
    texts = tuple(text for _, text in named)
    sources = {name for name, _ in named}
    last = named[-1][0]
    if "images" in sources and len(sources) > 1:
        reading.problem(
            last,
            "images_twice",
            "The row names pictures in the images column and in an image column of its own. "
            "Keep one of the two.",
        )
    elif len(texts) not in BY_FIELD["image_urls"].allowed:
        reading.problem(last, "image_count", _wrong_count(len(texts)))
    return texts


def _wrong_count(count: int) -> str:
    do = "Remove one or add a third." if count == 2 else "Keep three, one or none."  # noqa: PLR2004
    return f"The row names {count} pictures; a video takes {BY_FIELD['image_urls'].sentence}. {do}"


@lru_cache(maxsize=4096)
def form_of(duration: str, aspect_ratio: str, resolution: str, defaults: Defaults) -> Form | None:
    """Duration, aspect ratio and resolution of a row; None if one of them breaks a rule.

    Remembered, because a manifest says the same few things in all its rows.
    """
    seconds = duration_of(duration) if duration else defaults.duration
    ratio = aspect_ratio_of(aspect_ratio) if aspect_ratio else defaults.aspect_ratio
    lines = resolution_of(resolution) if resolution else defaults.resolution
    if seconds is None or ratio is None or lines is None:
        return None
    return None if lines == "1080p" and ratio != FRAME_OF_1080P else (seconds, ratio, lines)


def _explainform_of(reading: _Reading, defaults: Defaults) -> None:
    """Say which of duration, aspect ratio and resolution breaks a rule."""
    _value(reading, "duration", duration_of, defaults.duration)
    aspect_ratio = _value(reading, "aspect_ratio", aspect_ratio_of, defaults.aspect_ratio)
    resolution = _value(reading, "resolution", resolution_of, defaults.resolution)
    if resolution == "1080p" and aspect_ratio not in (None, FRAME_OF_1080P):
        _refuse_frame(reading, aspect_ratio)


def _value(
    reading: _Reading, name: str, understand: Callable[[str], T | None], default: T
) -> T | None:
    text = reading.text(name)
    if not text:
        return default
    value = understand(text)
    if value is None:
        reading.problem(
            name,
            f"{name}_not_allowed",
            f'The {name.replace("_", " ")} "{_shortened(text)}" is not possible. '
            f"Write {BY_FIELD[name].sentence}, or leave the cell empty for {default}.",
        )
    return value


def _refuse_frame(reading: _Reading, aspect_ratio: str | None) -> None:
    # The cell that says something is the one to change; both may come from the defaults.
    name = "resolution" if reading.text("resolution") else "aspect_ratio"
    origin = "" if reading.text("resolution") else " (from defaults)"
    reading.problem(
        name,
        "resolution_needs_frame",
        f"1080p{origin} exists only with the aspect ratio {FRAME_OF_1080P}, and this row has "
        f"{aspect_ratio}. Write 720P as the resolution, or {FRAME_OF_1080P} as the aspect ratio.",
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004
