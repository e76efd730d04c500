"""What the provider accepts, as data; a row becomes a draft or problems, a draft a request.

The source of `RULES` is the model's own page (contract: POST /v1/videos/generations).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, TypeVar

from pipeline.model import Manifest, Problem, Request, Row, Severity
from pipeline.plaintext import bare

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
    Rule("duration", "integer", (4, 6, 10), 6, "4, 6 or 10 seconds"),
    Rule("aspect_ratio", "string", ("16:9", "9:16"), "16:9", "16:9 or 9:16"),
    Rule("resolution", "string", ("720P", "1080p"), "720P", "720P or 1080p"),
    Rule("image_urls", "string[]", (0, 1, 3), 0, "no picture, one or three"),
)
BY_FIELD = {rule.field: rule for rule in RULES}
_BY_LINES = {str(one).rstrip("Pp"): str(one) for one in BY_FIELD["resolution"].allowed}
FRAME_OF_1080P = "16:9"  # 1080p exists with no other
LONG_PROMPT = 4_000  # characters; no limit is documented, so this only warns
_HASH_VERSION = "request-1"

_SECONDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*(?:s|sec|secs|seconds?|\u2032\u2032|\")?\.?")
# Excel makes a time of 16:9, which comes out as 16:09, 16:09:00, 4:09 PM, the fraction of a day, or
# a time on the day before all days.
_RATIO = re.compile(r"0*([0-9]{1,4})\s*[:x\u00d7/\u2236\u2215\u2044]\s*0*([0-9]{1,4})(?::00)?")
_DAY_FRACTION = re.compile(r"0?[.,][0-9]{4,}")
_CLOCK = re.compile(r"0*([0-9]{1,2}):([0-9]{2})(?::00)?\s*([ap])\.?m\.?")
_FIRST_DAY = re.compile(r"(?:1899-12-3[01]|1900-01-0[01])[t ]")
_MINUTES_PER_DAY = 1440
_LINES = re.compile(r"0*([0-9]{3,4})\s*p?")
_SHAPES = {"portrait": "9:16", "vertical": "9:16", "landscape": "16:9", "horizontal": "16:9"}
_IMAGE_BREAKS = re.compile(r"[|;\r\n]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_IMAGES = ("image_1", "image_2", "image_3")
IMAGE_FIELDS = (*_IMAGES, "images")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an empty cell means; the values are those of the table."""

    duration: int = 6
    aspect_ratio: str = "16:9"
    resolution: str = "720P"


@dataclass(frozen=True, slots=True)
class Draft:
    """A row that keeps all rules, with its pictures still as the cells name them."""

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
    form = _form(
        texts.get("duration", ""),
        texts.get("aspect_ratio", ""),
        texts.get("resolution", ""),
        defaults,
    )
    if form is None:
        _explain_form(reading, defaults)
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
        for name in _IMAGES
        if name in fields and (text := bare(row.cells[fields[name]]))
    ]
    index = fields.get("images")
    if index is not None and row.cells[index]:
        found += [("images", text) for text in split_images(row.cells[index])]
    return found


@lru_cache(maxsize=4096)
def duration_of(text: str) -> int | None:
    """Seconds out of `4`, `4s`, `4 sec`, `4.0`, full-width digits…; None if not allowed."""
    match = _SECONDS.fullmatch(_plain(text))
    value = int(match[1]) if match else None
    return value if value in BY_FIELD["duration"].allowed else None


@lru_cache(maxsize=4096)
def aspect_ratio_of(text: str) -> str | None:
    """A frame out of `16:9`, `16x9`, `16/9`, `portrait`, a time…; None if not allowed."""
    plain = _FIRST_DAY.sub("", _plain(text), count=1)
    match = _RATIO.fullmatch(plain)
    value = f"{match[1]}:{match[2]}" if match else _SHAPES.get(plain) or _ratio_of_time(plain)
    return value if value in BY_FIELD["aspect_ratio"].allowed else None


@lru_cache(maxsize=4096)
def resolution_of(text: str) -> str | None:
    """A resolution out of `720`, `720p`, `1080P`…, as the provider spells it; None if none."""
    match = _LINES.fullmatch(_plain(text))
    return _BY_LINES.get(match[1]) if match else None


def _ratio_of_time(plain: str) -> str | None:
    """The frame that was typed where a spreadsheet kept a time of day."""
    if _DAY_FRACTION.fullmatch(plain):
        minutes = round(float(plain.replace(",", ".")) * _MINUTES_PER_DAY, 1)
        hours, rest = divmod(minutes, 60)
        return f"{hours:g}:{rest:g}"
    if clock := _CLOCK.fullmatch(plain):
        return f"{int(clock[1]) % 12 + 12 * (clock[3] == 'p')}:{int(clock[2])}"
    return None


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).strip().casefold()


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
def _form(
    duration: str, aspect_ratio: str, resolution: str, defaults: Defaults
) -> tuple[int, str, str] | None:
    """Duration, aspect ratio and resolution of a row; None if one of them breaks a rule.

    Remembered, because a manifest says the same few things in all its rows.
    """
    seconds = duration_of(duration) if duration else defaults.duration
    ratio = aspect_ratio_of(aspect_ratio) if aspect_ratio else defaults.aspect_ratio
    lines = resolution_of(resolution) if resolution else defaults.resolution
    if seconds is None or ratio is None or lines is None:
        return None
    return None if lines == "1080p" and ratio != FRAME_OF_1080P else (seconds, ratio, lines)


def _explain_form(reading: _Reading, defaults: Defaults) -> None:
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
