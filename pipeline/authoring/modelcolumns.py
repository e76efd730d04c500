"""What a new manifest has for the models of its rows: columns, notes, choices. Pure.

All of it comes from the sheets of the models. A table for the default model alone says what it
always said (`workbook`); here is what another model says, or several whose rows share a table.

Tested in tests/authoring/test_modelcolumns.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import NamedTuple

from pipeline.checker import rules
from pipeline.checker.modelrules import ModelRules
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.manifest.wording import begin
from pipeline.models.describing import say_counts, say_image_files, say_pictures, say_prompt
from pipeline.models.records import ANY, ConditionRule, FieldRule, Value, show
from pipeline.models.shelf import DEFAULT_MODEL, sheet_of

_MOST_LISTED = 60
"""Whole numbers of a range that are offered one by one."""
_LONGEST_HINT = 220
"""Characters of what a spreadsheet program shows beside a cell; it takes 255."""
_MEANT = {
    "duration": "The length of the video",
    "aspect_ratio": "The shape of the video",
    "resolution": "The lines of the video",
}
_PICTURE = (
    "A picture for the video: a path relative to this file's folder (pictures/mug.jpg) or an "
    "https:// address. "
)


class Choice(NamedTuple):
    """What a spreadsheet program offers below a header, and what it says beside the cell.

    `whole` are the smallest and the largest number where there are too many to list.
    """

    say: str
    listed: tuple[Value, ...] = ()
    whole: tuple[int, int] | None = None


@dataclass(frozen=True)
class Models:
    """The models that rows of a new manifest may have; `default` is that of rows that name none."""

    default: str = DEFAULT_MODEL
    others: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys((self.default, *self.others)))

    @property
    def mixed(self) -> bool:
        """Whether rows name their models."""
        return len(self.names) > 1

    @property
    def is_first_alone(self) -> bool:
        """Whether all rows have the default model, of which the workbook itself speaks."""
        return self.names == (DEFAULT_MODEL,)

    @cached_property
    def rules(self) -> Mapping[str, ModelRules]:
        """The rules of each."""
        return {name: ModelRules(name) for name in self.names}

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Their fields: first those that every manifest has, then each in the order of its body."""
        named = [name for model in self.rules.values() for name in model.fields]
        first = [one for one in rules.FORM_FIELDS if one in named]
        return tuple(dict.fromkeys([*first, *named]))

    @cached_property
    def pictures(self) -> tuple[str, ...]:
        """The columns of pictures: one each or, where a video takes more, one of all."""
        most = max(max(counts_of(model)) for model in self.rules.values())
        single = rules.SINGLE_IMAGES
        return single[:most] if most <= len(single) else (rules.IMAGE_FIELDS[-1],)

    @property
    def headers(self) -> tuple[str, ...]:
        """The columns behind the prompt, in the order in which a person fills them in."""
        return (*((MODEL_COLUMN,) if self.mixed else ()), *self.pictures, *self.fields)

    @property
    def needed(self) -> frozenset[str]:
        """The columns that every row has to fill in."""
        always = all(one.needs_prompt(1) for one in self.rules.values())
        fewest = min(min(counts_of(model)) for model in self.rules.values())
        pictures = self.pictures if len(self.pictures) == 1 else self.pictures[:fewest]
        return frozenset({"key", *(("prompt",) if always else ()), *(pictures if fewest else ())})

    def cells_of(self, pictures: Sequence[str]) -> dict[str, str]:
        """Return the cells, by header, that name these pictures."""
        if len(pictures) <= len(self.pictures):
            return dict(zip(self.pictures, pictures, strict=False))
        return {self.pictures[0]: "\n".join(pictures)}

    @property
    def abouts(self) -> dict[str, str]:
        """What to write below each header that depends on the models."""
        told = dict.fromkeys(self.pictures, _PICTURE + self._of_each(say_pictures_of))
        for name in self.fields:
            meant = _MEANT.get(name) or begin(f"{name.replace('_', ' ')} of the video")
            told[name] = f"{meant}. {self._of_each(partial(_say_field, name))}"
        if self.mixed:
            told[MODEL_COLUMN] = (
                f"Which model makes the video: {' or '.join(self.names)}. Empty means "
                f"{self.default}. What each model takes is on its own sheet."
            )
        return told

    @property
    def choices(self) -> dict[str, Choice]:
        """What is offered below each header, where that can be told."""
        found = {name: choice for name in self.fields if (choice := self._choice(name))}
        if self.mixed:
            say = f"Choose a model, or leave the cell empty for {self.default}"
            found[MODEL_COLUMN] = Choice(say, self.names)
        return found

    def _choice(self, name: str) -> Choice | None:
        having = [one.fields[name] for one in self.rules.values() if name in one.fields]
        listed = list(map(_listed, having))
        hint = self._of_each(partial(_say_values, name)).rstrip(".")
        if not self.mixed:
            hint = f"Write {hint[:1].lower()}{hint[1:]}, or leave the cell empty"
        elif len(hint) > _LONGEST_HINT:
            hint = "What each model takes is on its own sheet"
        if all(listed):
            values = list(dict.fromkeys(value for one in listed for value in one))
            if all(type(value) is int for value in values):
                values.sort(key=int)
            return Choice(hint, tuple(values))
        whole = having[0].range if len(having) == 1 else None
        return Choice(hint, whole=whole) if whole else None

    def _of_each(self, say: Callable[[ModelRules], str]) -> str:
        """Say something of each model; what is the same of several only once."""
        said: dict[str, list[str]] = {}
        for name, model in self.rules.items():
            if told := say(model):
                said.setdefault(told, []).append(name)
        if not self.mixed:
            return "".join(f"{begin(told)}." for told in said)
        return " ".join(f"{', '.join(names)}: {told}." for told, names in said.items())


FIRST = Models()
"""The default model alone."""


def counts_of(model: ModelRules) -> tuple[int, ...]:
    """Return how many pictures a row may have, without what a rule forbids in any case."""
    free = [count for count in model.counts if not _forbids(model, count)]
    return tuple(free) or model.counts


def count_to_take(model: ModelRules, there: int) -> int:
    """Return how many of a product's pictures a row takes that is made without asking.

    As many as may come as references. Of frames at most the first: a second one is the end of the
    film, which nobody has said.
    """
    meant = {count: one.as_ for one in sheet_of(model.model).images for count in one.counts}
    fit = (one for one in counts_of(model) if meant.get(one) != "frames" or one <= 1)
    return max((one for one in fit if one <= there), default=0)


def describe_model(model: ModelRules) -> list[tuple[str, str, str, str]]:
    """Return a line for each field: header, what to write, what is allowed, what empty means."""
    one = Models(model.model)
    fewest = min(counts_of(model))
    none = "no picture" if not fewest else f"a problem: the model needs {say_counts([fewest])}"
    lines = [(name, one.abouts[name], say_pictures_of(model), none) for name in one.pictures]
    for name in one.fields:
        default = model.defaults.get(name)
        empty = "nothing is sent" if default is None else show(default)
        lines.append((name, one.abouts[name], _say_values(name, model), empty))
    return lines


def notes_of(model: ModelRules) -> list[str]:
    """Return what holds for whole rows of a model."""
    sheet = sheet_of(model.model)
    notes = [f"Prompt: {say_prompt(sheet)}."]
    if files := say_image_files(sheet.image_files):
        notes.append(f"Pictures of {model.model}: {files}.")
    return notes + [f"{begin(rule.say)}." for rule in _rules_of(model)]


def _forbids(model: ModelRules, count: int) -> bool:
    said: dict[str, Value] = {"model": model.model, "images": count}
    return any(
        rule.forbid is not None
        and set(rule.when) <= set(said)
        and set(rule.forbid) <= set(said)
        and rule.is_broken_by(said)
        for rule in sheet_of(model.model).rules
    )


def _rules_of(model: ModelRules) -> list[ConditionRule]:
    """Return the rules between fields that concern a model."""
    return [
        rule
        for rule in sheet_of(model.model).rules
        if (named := rule.when.get("model")) is None or named == ANY or model.model in named
    ]


def _listed(rule: FieldRule) -> tuple[Value, ...]:
    """Return the values of a field one by one; none where there are too many."""
    if rule.type == "boolean":
        return ("true", "false")
    if rule.range is not None and rule.range[1] - rule.range[0] < _MOST_LISTED:
        return tuple(range(rule.range[0], rule.range[1] + 1))
    return tuple(rule.values or ())


def _say_values(name: str, model: ModelRules) -> str:
    return model.sentence(name) if name in model.fields else ""


def _say_field(name: str, model: ModelRules) -> str:
    if name not in model.fields:
        return ""
    said = [rule.say for rule in _rules_of(model) if name in {*rule.when, *rule.wanted}]
    return ". ".join((model.sentence(name), *map(begin, said)))


def say_pictures_of(model: ModelRules) -> str:
    """Say how many pictures a row may have, and what they mean."""
    sheet, free = sheet_of(model.model), counts_of(model)
    kept = (one._replace(counts=[it for it in one.counts if it in free]) for one in sheet.images)
    return say_pictures(sheet._replace(images=tuple(one for one in kept if one.counts)))
