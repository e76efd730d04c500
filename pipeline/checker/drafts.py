"""A row becomes a draft, or all its problems at once.

There are two ways to the same draft. `Drafter` serves the rows about which there is nothing to
say, most of a manifest, at a fraction of the cost: it understands duration, aspect ratio and
resolution once for each way in which rows write them. `draft_row` serves all others: it finds every
problem of a row and says each in a sentence.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pipeline.checker import rules
from pipeline.checker.formfaults import explain_form, wrong_count
from pipeline.checker.rowmodels import RowModels
from pipeline.checker.rules import LONG_PROMPT, Draft
from pipeline.manifest.blank import strip_all, strip_blanks, without_controls
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.manifest.picturetexts import split_addresses
from pipeline.manifest.wording import address_of
from pipeline.model import Manifest, Problem, Row, Severity
from pipeline.models.shelf import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.checker.modelrules import ModelRules
    from pipeline.manifest.packedrows import PackedRows
    from pipeline.models.records import Value

    _Understood: TypeAlias = tuple[rules.Form, tuple[str, ...], int]

_IMAGE_BREAKS = re.compile(r"[|;\r\n]+")
_MOST_PICTURES = 50
"""Pictures of a cell that are counted; a video takes a few."""
LONGEST_TEXT = 32_767
"""Characters of a text that is worked on: as many as a cell of a spreadsheet holds."""
_BARE = 24
"""Characters below which a prompt is looked at for something that is sent."""


class Drafter:
    """The quick reader of rows; to be called with a row and its key.

    It gives the draft of `draft_row`, or None for a row that `draft_row` has to read: a row
    without a prompt or with a very long one, with an images column in use, or that breaks a rule.
    Without `models` all rows are of the first model.
    """

    def __init__(
        self, fields: Mapping[str, int], defaults: rules.Form, models: RowModels | None = None
    ) -> None:
        bound = models or RowModels(DEFAULT_MODEL, defaults)
        self._prompt_at = fields.get("prompt")
        self._understood = _Understandings(fields, bound)
        self._form_cells = _cells_at(self._understood.places)
        self._pictures = [fields[name] for name in rules.IMAGE_FIELDS if name in fields]
        self._image_cells = _cells_at(self._pictures)
        self._single = sum(name in fields for name in rules.SINGLE_IMAGES)  # they come first

    def __call__(self, row: Row, key: str) -> Draft | None:
        """Return the draft of a row; None if it has to be read by `draft_row`."""
        if self._prompt_at is None:
            return None
        cells = row.cells
        prompt = strip_blanks(cells[self._prompt_at])
        pictures: tuple[str, ...] = ()
        if any(named := self._image_cells(cells)):
            pictures = tuple(filter(None, map(strip_blanks, named[: self._single])))
            if any(named[self._single :]):
                return None
        if len(prompt) < _BARE and not prompt.isprintable():
            return None  # it may consist of control characters alone
        form = self._understood[self._form_cells(cells), len(pictures)]
        if form is None or not 0 < len(prompt) <= form[2]:
            return None
        return Draft(key, row.number, prompt, pictures, form[0], form[1])

    def number_forms(self, rows: PackedRows, *, none: bool = False) -> PlainForms:
        """Return the forms of all rows without pictures that it can read; with `none` of no row."""
        found = PlainForms(array("I"), [(rules.Form(), ())])
        if none:
            return found._replace(numbers=array("I", bytes(found.numbers.itemsize * len(rows))))
        places, known = self._understood.places, dict[tuple[str, ...], tuple[int, int]]()
        for columns in rows.columns([self._prompt_at or 0, *places, *self._pictures]):
            prompts, pictures = strip_all(columns[0]), columns[1 + len(places) :]
            said = [*zip(*columns[1 : 1 + len(places)], strict=True)] or [()] * len(prompts)
            for cells in dict.fromkeys(said).keys() - known.keys():
                form = self._understood[cells, 0]
                known[cells] = (0, 0) if form is None else (len(found.forms), form[2])
                found.forms.extend([] if form is None else [form[:2]])
            numbers = [
                number
                if 0 < len(prompt) <= longest and (len(prompt) >= _BARE or prompt.isprintable())
                else 0
                for prompt, (number, longest) in zip(
                    prompts, map(known.__getitem__, said), strict=True
                )
            ]
            for named in filter(any, pictures):
                pairs = zip(named, numbers, strict=True)
                numbers = [0 if cell else number for cell, number in pairs]
            found.numbers.extend(numbers)
        return found


class PlainForms(NamedTuple):
    """The form of each row of a large manifest as its number in `forms`; 0 for other rows.

    With each form are the fields that such rows say themselves, as a draft has them.
    """

    numbers: array[int]
    forms: list[tuple[rules.Form, tuple[str, ...]]]


class _Understandings(dict["tuple[tuple[str, ...], int]", "_Understood | None"]):
    """What the cells of forms say, by their texts and the number of pictures; each read once."""

    def __init__(self, fields: Mapping[str, int], models: RowModels) -> None:
        super().__init__()
        columns = {name: fields[name] for name in rules.FORM_FIELDS if name in fields}
        self._columns = columns | models.fields
        self._models = models
        self.places = [*self._columns.values()]

    def __missing__(self, said: tuple[tuple[str, ...], int]) -> _Understood | None:
        cells, pictures = said
        texts = dict(zip(self._columns, map(strip_blanks, cells), strict=True))
        self[said] = _understand(texts, pictures, self._models)
        return self[said]


def _understand(texts: Mapping[str, str], pictures: int, models: RowModels) -> _Understood | None:
    """Return a row's form, the fields that it says where that counts, and its longest prompt."""
    model = models.rules_for(texts.get(MODEL_COLUMN, ""))
    if model is None:
        return None
    said: dict[str, Value] = {}
    for name in model.fields:
        if text := texts.get(name, ""):
            value = model.understand(name, text)
            if value is None:
                return None
            said[name] = value
    if any(texts.get(name) for name in rules.FORM_FIELDS if name not in model.fields):
        return None
    form = model.form(said, pictures)
    return None if form is None else (form, _noted(model, said), model.longest_prompt)


def _noted(model: ModelRules, said: Mapping[str, Value]) -> tuple[str, ...]:
    return () if rules.keeps_its_hash(model.model) else tuple(said)


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
    models: RowModels | None = None,
) -> tuple[Draft | None, tuple[Problem, ...]]:
    """Read a row by the rules: a draft unless something is wrong, and all problems at once.

    `fields` maps the fields to the indexes of their columns (`Columns.fields`). `made` is a prompt
    that stands for the cell, or the problem that kept it from being made. Without `models` the row
    is of the first model. A draft may come with warnings.
    """
    bound = models or RowModels(DEFAULT_MODEL, defaults)
    places = {**fields, **bound.fields}
    texts = {name: strip_blanks(row.cells[index]) for name, index in places.items()}
    reading = _Reading(row, key, manifest, places, texts)
    model = bound.rules_of(row)
    if model is None:
        unknown = bound.explain_unknown(texts[MODEL_COLUMN])
        reading.note(MODEL_COLUMN, "model_unknown", unknown)
        model = bound.own
    pictures = len(image_fields(row, fields))
    prompt = reading.prompt(made, model, pictures)
    images = reading.images(model)
    found = _understand(texts, pictures, bound)
    if found is None and not any(one.code == "model_unknown" for one in reading.problems):
        for fault in explain_form(texts, pictures, model):
            reading.note(*fault)
    problems = tuple(reading.problems)
    if found is None or any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    return Draft(key, row.number, prompt, images, found[0], found[1]), problems


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

    def prompt(self, made: str | Problem | None, model: ModelRules, pictures: int) -> str:
        if isinstance(made, Problem):
            self.problems.append(made)
            return ""
        prompt = made or self.text("prompt")
        most = model.most_characters
        if not without_controls(prompt):
            if model.needs_prompt(pictures):
                self.note(
                    "prompt",
                    "prompt_empty",
                    "The prompt is empty. Write what the video should show, or delete the row.",
                )
        elif len(prompt) > LONGEST_TEXT:
            self.note("prompt", "prompt_too_long", f"The prompt {say_too_long(len(prompt))}")
        elif most is not None and len(prompt) > most:
            self.note(
                "prompt",
                "prompt_too_long",
                f"The prompt has {len(prompt):,} characters; {model.model} takes at most {most:,}. "
                "Shorten it.",
            )
        elif len(prompt) > LONG_PROMPT and most is None:
            self.note(
                "prompt",
                "prompt_long",
                f"The prompt has {len(prompt):,} characters, which is unusually long. It is sent "
                "unchanged, but the provider may refuse it.",
                Severity.WARNING,
            )
        return prompt

    def images(self, model: ModelRules) -> tuple[str, ...]:
        named = image_fields(self.row, self.fields)
        texts = tuple(text for _, text in named)
        sources = {name for name, _ in named}
        last = named[-1][0] if named else "image_1"
        if "images" in sources and len(sources) > 1:
            self.note(
                last,
                "images_twice",
                "The row names pictures both in the images column and in a column for a single "
                "picture. Keep one of the two.",
            )
        elif len(texts) not in model.counts:
            self.note(last, "image_count", wrong_count(len(texts), model, _MOST_PICTURES))
        return texts

    def note(self, name: str, code: str, message: str, severity: Severity = Severity.ERROR) -> None:
        """Add a problem of a cell."""
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
