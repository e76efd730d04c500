"""What the rows of one model are held to, as its sheet says: values, pictures, what goes together.

The values of a row's cells are understood as people write them (`formtexts`); which of them the
model takes, what an empty cell means and which sentence a person reads comes from the sheet.

Tested in tests/checker/test_rowmodels.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.checker.formtexts import lines_in, ratio_in, seconds_in, whole_in, yes_or_no_in
from pipeline.checker.rules import FORM_FIELDS, LONG_PROMPT, Form, keeps_its_hash
from pipeline.manifest.blank import fold_text
from pipeline.models.describing import say_counts, say_rule, say_values
from pipeline.models.records import ANY
from pipeline.models.shelf import sheet_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.models.records import ConditionRule, FieldRule, ImageFiles, Value

FIRST_FORM = Form()
"""The defaults of the first model without any settings."""


@dataclass(frozen=True)
class ModelRules:
    """The rules of a model; `given` are the settings' defaults, `own` the model of the settings."""

    model: str
    given: Form = FIRST_FORM
    own: bool = True

    @cached_property
    def fields(self) -> Mapping[str, FieldRule]:
        """The fields of the sheet, in the order of the body."""
        return sheet_of(self.model).fields

    @cached_property
    def extras(self) -> tuple[str, ...]:
        """The fields that not every manifest has a column for."""
        return tuple(name for name in self.fields if name not in FORM_FIELDS)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """How many pictures a video takes."""
        return sheet_of(self.model).picture_counts

    @cached_property
    def image_files(self) -> ImageFiles:
        """What the files of its pictures have to be, where the page says it."""
        return sheet_of(self.model).image_files

    @cached_property
    def defaults(self) -> dict[str, Value]:
        """What empty cells mean: by the settings for the first model, else by the sheet."""
        defaults = sheet_of(self.model).defaults
        if keeps_its_hash(self.model):
            duration, ratio, lines = self.given[:3]
            given: dict[str, Value] = dict(zip(FORM_FIELDS, (duration, ratio, lines), strict=True))
            defaults |= {
                name: value
                for name, value in given.items()
                if name in self.fields and self.fields[name].allows(value)
            }
        return defaults

    @cached_property
    def longest_prompt(self) -> int:
        """Characters of a prompt about which there is nothing to say."""
        return min(LONG_PROMPT, self.most_characters or LONG_PROMPT)

    @cached_property
    def most_characters(self) -> int | None:
        """Characters that a prompt may have; None: the page says nothing."""
        return sheet_of(self.model).prompt.max_characters

    def needs_prompt(self, pictures: int) -> bool:
        """Tell whether a row with so many pictures needs a prompt."""
        return sheet_of(self.model).prompt.required is True or not pictures

    def understand(self, name: str, text: str) -> Value | None:
        """Return the value that a cell asks for; None if the model does not take it."""
        rule = self.fields[name]
        value = _read(name, rule, text)
        return value if value is not None and rule.allows(value) else None

    def values_of(self, said: Mapping[str, Value]) -> dict[str, Value]:
        """Return all values of a row that says these, in the order of the sheet.

        `said` has the number of its pictures, too, as `images`.
        """
        named: dict[str, Value] = {**said, "model": self.model}
        values = {
            name: said[name] if name in said else self.defaults[name]
            for name in self.fields
            if name in said or name in self.defaults
        }
        for rule in self._rules:  # a default is no wish: what is ruled out beside the row goes
            if rule.forbid and rule.is_broken_by(values | named):
                for name, wanted in rule.forbid.items():
                    if wanted == ANY and name not in said:
                        values.pop(name, None)
        return values

    def broken(self, values: Mapping[str, Value], pictures: int) -> ConditionRule | None:
        """Return the first rule between fields that is broken by these values and pictures."""
        named = {**values, "model": self.model, "images": pictures}
        return next((rule for rule in self._rules if rule.is_broken_by(named)), None)

    def form(self, said: Mapping[str, Value], pictures: int) -> Form | None:
        """Return the form of a row that says these values; None if they break a rule together."""
        values = self.values_of({**said, "images": pictures})
        if pictures not in self.counts or self.broken(values, pictures):
            return None
        seconds = values.get("duration", 0)
        return Form(
            int(seconds) if str(seconds).isdecimal() else 0,
            str(values.get("aspect_ratio", "")),
            str(values.get("resolution", "")),
            "" if self.own else self.model,
            tuple((name, values[name]) for name in self.extras if name in values),
        )

    def sentence(self, name: str) -> str:
        """Say which values a field takes."""
        return say_rule(name, self.fields[name])

    def say_counts(self) -> str:
        """Say how many pictures a video takes."""
        return say_counts(self.counts)

    def remedies(self, rule: ConditionRule) -> list[str]:
        """Return what can be written so that a rule is kept: each the end of `Write …`."""
        ways = []
        for name, when in rule.when.items():
            free = self._others(name, when)
            if free:
                ways.append(f"{free} as the {_words(name)}")
        for name, wanted in rule.wanted.items():
            if name in ("images", "model"):
                continue
            if rule.need is not None and wanted != ANY:
                ways.append(f"{say_values(name, list(wanted))} as the {_words(name)}")
            elif rule.need is None and (free := self._others(name, wanted)):
                ways.append(f"{free} as the {_words(name)}")
            elif rule.need is None and (wanted == ANY or self.defaults.get(name) not in wanted):
                ways.append(f"nothing at all as the {_words(name)}")
        return ways

    @cached_property
    def _rules(self) -> tuple[ConditionRule, ...]:
        return sheet_of(self.model).rules

    def _others(self, name: str, values: list[Value] | str) -> str:
        rule = self.fields.get(name)
        if rule is None or values == ANY:
            return ""
        listed = (True, False) if rule.type == "boolean" else rule.values or ()
        free = [value for value in listed if value not in values]
        return say_values(name, free) if free else ""


def _read(name: str, rule: FieldRule, text: str) -> Value | None:
    if name == "duration":
        seconds = seconds_in(text)
        return str(seconds) if rule.type == "string" and seconds is not None else seconds
    if rule.type == "boolean":
        return yes_or_no_in(text)
    if rule.type == "integer":
        return whole_in(lines_in(text) or text) if name == "resolution" else whole_in(text)
    if rule.values is None:
        return text
    return _listed(name, [str(value) for value in rule.values], text)


def _listed(name: str, values: list[str], text: str) -> str | None:
    """Find the listed value that a text means: as it is written or, for shapes and lines, meant."""
    plain = fold_text(text)
    for value in values:
        if fold_text(value) == plain:
            return value
    if name == "resolution" and (lines := lines_in(text)) is not None:
        return next((value for value in values if lines_in(value) == lines), None)
    ratio = ratio_in(text) if name == "aspect_ratio" else None
    return ratio if ratio in values else None


def _words(name: str) -> str:
    return "number of pictures" if name == "images" else name.replace("_", " ")
