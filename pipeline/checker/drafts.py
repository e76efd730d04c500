"""A row becomes a draft, or all its problems at once.

There are two ways to the same draft. `make_drafter` serves the rows about which there is nothing to
say, most of a manifest, at a fraction of the cost: it understands duration, aspect ratio and
resolution once for each way in which rows write them. `draft_row` serves all others: it finds every
problem of a row and says each in a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar

from pipeline.checker import rules
from pipeline.checker.rules import (
    BY_FIELD,
    LONG_PROMPT,
    Draft,
    aspect_ratio_of,
    duration_of,
    resolution_of,
)
from pipeline.manifest.blank import strip_blanks
from pipeline.manifest.controls import without_controls
from pipeline.manifest.picturetexts import split_addresses
from pipeline.manifest.wording import address_of
from pipeline.model import Manifest, Problem, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TypeVar("_T")

PICTURE_COUNTS = tuple(int(one) for one in BY_FIELD["image_urls"].allowed)
"""How many pictures a video of the default model takes."""

_IMAGE_BREAKS = re.compile(r"[|;\r\n]+")
_MOST_PICTURES = 50
"""Pictures of a cell that are counted; a video takes a few."""
LONGEST_TEXT = 32_767
"""Characters of a text that is worked on: as many as a cell of a spreadsheet holds."""
_BARE = 24
"""Characters below which a prompt is looked at for something that is sent."""
_LONGEST_SHOWN = 40
"""Characters of a cell that a message repeats."""


def make_drafter(
    fields: Mapping[str, int], defaults: rules.Form, counts: Sequence[int] = PICTURE_COUNTS
) -> Callable[[Row, str], Draft | None]:
    """Make a quick reader of rows, a function of a row and its key.

    It gives the draft of `draft_row`, or None for a row that `draft_row` has to read: a row
    without a prompt or with a very long one, with an images column in use, or that breaks a rule.
    `counts` is how many pictures a video takes.
    """
    forms: dict[tuple[str, ...], rules.Form | None] = {}
    written = [name for name in rules.FORM_FIELDS if name in fields]
    form_cells = _cells_at([fields[name] for name in written])
    image_cells = _cells_at([fields[name] for name in rules.IMAGE_FIELDS if name in fields])
    single = sum(name in fields for name in rules.SINGLE_IMAGES)  # they come first
    prompt_at = fields.get("prompt")
    if prompt_at is None:
        return lambda _row, _key: None

    def draft(row: Row, key: str) -> Draft | None:
        cells = row.cells
        prompt = strip_blanks(cells[prompt_at])
        pictures: tuple[str, ...] = ()
        if any(named := image_cells(cells)):
            pictures = tuple(filter(None, map(strip_blanks, named[:single])))
            if len(pictures) not in counts or any(named[single:]):
                return None
        if not 0 < len(prompt) <= LONG_PROMPT:
            return None
        if len(prompt) < _BARE and not prompt.isprintable():
            return None  # it may consist of control characters alone
        said = form_cells(cells)
        if said not in forms:
            texts = dict(zip(written, map(strip_blanks, said), strict=True))
            forms[said] = rules.form_of(
                *(texts.get(name, "") for name in rules.FORM_FIELDS), defaults
            )
        form = forms[said]
        return None if form is None else Draft(key, row.number, prompt, pictures, form)

    return draft


def _cells_at(indexes: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Make a function that picks these cells of a row."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    if not indexes:
        return lambda _cells: ()
    (only,) = indexes
    return lambda cells: (cells[only],)


def draft_row(
    row: Row,
    key: str,
    *,
    manifest: Manifest,
    fields: Mapping[str, int],
    defaults: rules.Form,
    made: str | Problem | None = None,
    counts: Sequence[int] = PICTURE_COUNTS,
) -> tuple[Draft | None, tuple[Problem, ...]]:
    """Read a row by the rules: a draft unless something is wrong, and all problems at once.

    `fields` maps the fields to the indexes of their columns (`Columns.fields`). `made` is a prompt
    that stands for the cell, or the problem that kept it from being made. `counts` is how many
    pictures a video takes. A draft may come with warnings.
    """
    texts = {name: strip_blanks(row.cells[index]) for name, index in fields.items()}
    reading = _Reading(row, key, manifest, fields, texts)
    prompt = reading.prompt(made)
    images = reading.images(counts)
    form = rules.form_of(*(reading.text(name) for name in rules.FORM_FIELDS), defaults)
    if form is None:
        reading.explain_form(defaults)
    problems = tuple(reading.problems)
    if form is None or any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    return Draft(key, row.number, prompt, images, form), problems


@dataclass(slots=True)
class _Reading:
    """A row while it is read: where its fields are, and the problems so far."""

    row: Row
    key: str
    manifest: Manifest
    fields: Mapping[str, int]
    texts: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def prompt(self, made: str | Problem | None) -> str:
        if isinstance(made, Problem):
            self.problems.append(made)
            return ""
        prompt = made or self.text("prompt")
        if not without_controls(prompt):
            self._note(
                "prompt",
                "prompt_empty",
                "The prompt is empty. Write what the video should show, or delete the row.",
            )
        elif len(prompt) > LONGEST_TEXT:
            self._note("prompt", "prompt_too_long", f"The prompt {say_too_long(len(prompt))}")
        elif len(prompt) > LONG_PROMPT:
            self._note(
                "prompt",
                "prompt_long",
                f"The prompt has {len(prompt):,} characters, which is unusually long. It is sent "
                "unchanged, but the provider may refuse it.",
                Severity.WARNING,
            )
        return prompt

    def images(self, counts: Sequence[int]) -> tuple[str, ...]:
        named = image_fields(self.row, self.fields)
        if not named:
            return ()
        texts = tuple(text for _, text in named)
        sources = {name for name, _ in named}
        last = named[-1][0]
        if "images" in sources and len(sources) > 1:
            self._note(
                last,
                "images_twice",
                "The row names pictures both in the images column and in a column for a single "
                "picture. Keep one of the two.",
            )
        elif len(texts) not in counts:
            self._note(last, "image_count", _wrong_count(len(texts), counts))
        return texts

    def explain_form(self, defaults: rules.Form) -> None:
        """Note which of duration, aspect ratio and resolution breaks a rule."""
        understood = {
            "duration": self._understand("duration", duration_of, defaults.duration),
            "aspect_ratio": self._understand(
                "aspect_ratio", aspect_ratio_of, defaults.aspect_ratio
            ),
            "resolution": self._understand("resolution", resolution_of, defaults.resolution),
        }
        said = {name: value for name, value in understood.items() if value is not None}
        if (rule := rules.broken_rule(said)) is not None:
            self._explain_rule(rule, said)

    def _understand(
        self, name: str, understand: Callable[[str], _T | None], default: _T
    ) -> _T | None:
        text = self.text(name)
        if not text:
            return default
        value = understand(text)
        if value is None:
            self._note(
                name,
                f"{name}_not_allowed",
                f'The {_words(name)} "{_shorten(text)}" is not possible. '
                f"Write {BY_FIELD[name].sentence}, or leave the cell empty for {default}.",
            )
        return value

    def _explain_rule(self, rule: rules.FormRule, said: Mapping[str, int | str]) -> None:
        # The cell that says something is the one to change; both may come from the defaults.
        name = rule.name if self.text(rule.name) else rule.other
        origin = "" if self.text(rule.name) else f", and the {_words(rule.name)} is the default"
        self._note(
            name,
            "resolution_needs_frame",
            f"{rule.sentence}; this row has {said[rule.other]}{origin}. Write {rule.instead} as "
            f"the {_words(rule.name)}, or {rule.needed} as the {_words(rule.other)}.",
        )

    def _note(
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
    """Make a problem of a row, with the cell's address and the column's header if it has a column.

    `row` is the physical row number, `index` the column's place in `manifest.headers`.
    """
    return Problem(
        code=code,
        message=message,
        severity=severity,
        row=row,
        cell=None if index is None else address_of(manifest, index, row),
        column=None if index is None else manifest.headers[index],
        key=key,
    )


def split_images(text: str) -> tuple[str, ...]:
    """Split an `images` cell into the pictures that it names.

    It is split at `|`, `;` and line breaks, and before each web address: file names may hold commas
    and blanks.
    """
    found: list[str] = []
    at = 0
    # No further than there are pictures to count: a cell may hold a hundred thousand signs.
    while len(found) <= _MOST_PICTURES and at <= len(text):
        sign = _IMAGE_BREAKS.search(text, at)
        part = text[at : sign.start() if sign else len(text)]
        found += filter(None, map(strip_blanks, split_addresses(part)))
        at = sign.end() if sign else len(text) + 1
    return tuple(found)


def say_too_long(characters: int) -> str:
    """Say of a text that it is longer than any cell, and what to do."""
    return (
        f"has {characters:,} characters; a text has at most {LONGEST_TEXT:,}, as many as a cell of "
        "a spreadsheet. Shorten it."
    )


def image_fields(row: Row, fields: Mapping[str, int]) -> list[tuple[str, str]]:
    """List the pictures that a row names, each as (field, text), in their order."""
    found = [
        (name, text)
        for name in rules.SINGLE_IMAGES
        if name in fields and (text := strip_blanks(row.cells[fields[name]]))
    ]
    index = fields.get("images")
    if index is not None and row.cells[index]:
        found += [("images", text) for text in split_images(row.cells[index])]
    return found


def _words(field: str) -> str:
    return field.replace("_", " ")


def _wrong_count(named: int, counts: Sequence[int]) -> str:
    remedy = "Remove one or add a third." if named == 2 else "Keep three, one or none."  # noqa: PLR2004
    sentence = BY_FIELD["image_urls"].sentence
    if 2 in counts:  # noqa: PLR2004 - two pictures are what the models differ in
        remedy, sentence = "Keep three.", "up to three"
    shown = f"more than {_MOST_PICTURES}" if named > _MOST_PICTURES else named
    return f"The row names {shown} pictures; a video takes {sentence}. {remedy}"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
