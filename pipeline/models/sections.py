"""The sections of a model's sheet as they are read strictly, each with the rules inside it. Pure.

An unknown key, a number where a text belongs, a default that is not allowed are faults. What holds
between sections is in `sheet`; what the keys mean, and what is made of them, in `records`.

Tested in tests/models/test_sheet.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, model_validator

from pipeline.models import records
from pipeline.models.records import ALL, REST, TYPES, marks_of, run_from, show

OWN_FIELDS = ("model", "prompt", "client_business_id")
"""What the program alone writes into a body."""
PSEUDO_FIELDS = ("images", "model")
"""What a rule may ask for beside the fields: how many pictures, and which of the sheet's names."""
_MOST = 10_000
"""Entries of a list that are taken; a sheet has a few."""
_LARGEST = 2**53
"""Whole numbers beyond which JSON readers differ."""


def check_model_name(text: str) -> str:
    """Return the name of a model; raises ValueError for what cannot be one."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}", text):
        raise ValueError("is no name of a model: letters, digits and . _ - : / only")
    return text


def check_field_name(text: str) -> None:
    """Raise ValueError for what cannot be the name of a field."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", text):
        raise ValueError("is no name of a field: small letters, digits and _ only")
    if text in OWN_FIELDS or text in PSEUDO_FIELDS:
        raise ValueError(f"is no name of a field: {text} is the program's own")


def _body_path(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,60}(\.[A-Za-z0-9_]{1,60}){0,4}", text):
        raise ValueError("is no place in a body: letters, digits, _ and single dots only")
    if text.partition(".")[0] in OWN_FIELDS:
        raise ValueError(f"is no place in a body for a sheet: {text} is the program's own")
    return text


def _sentence(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("must be a sentence on one line")
    return text


def _whole(number: int) -> int:
    if abs(number) > _LARGEST:
        raise ValueError("is larger than a JSON number may be")
    return number


_Name = Annotated[str, AfterValidator(check_model_name)]
_BodyPath = Annotated[str, AfterValidator(_body_path)]
_Sentence = Annotated[str, Field(max_length=300), AfterValidator(_sentence)]
_Int = Annotated[int, AfterValidator(_whole)]
_Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_sentence)]
_Value = bool | _Int | _Text
_Count = Annotated[int, Field(ge=0, le=50)]
_Ratio = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
_Side = Annotated[int, Field(ge=1, le=16_384)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PromptRule(_Section):
    """As `records.PromptRule`."""

    required: Literal[True, "without images"] = True
    max_characters: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class ImagesRule(_Section):
    """As `records.ImagesRule`."""

    counts: Annotated[list[_Count], Field(min_length=1, max_length=50)]
    put: Mapping[_BodyPath, Any] = {}
    as_: Annotated[Literal["references", "frames"], Field(alias="as")] = "references"

    @model_validator(mode="after")
    def _puts_each_picture(self) -> Self:
        if strange := next(filter(None, map(_no_json, self.put.values())), ""):
            raise ValueError(f"put has {strange}, which no body can hold")
        fewest, most = min(self.counts), max(self.counts)
        if len(set(self.counts)) < len(self.counts):
            raise ValueError("counts names a number twice")
        marks = set(marks_of(self.put))
        for outside in _outside_lists(self.put):
            if runs := [mark for mark in marks_of(outside) if run_from(mark)]:
                raise ValueError(f"put has {{{runs[0]}}} elsewhere than inside a list")
        for entry in _entries(self.put):
            runs = sorted({mark for mark in marks_of(entry) if run_from(mark)})
            if len(runs) > 1:
                raise ValueError(f"put has {{{runs[0]}}} and {{{runs[1]}}} in one entry of a list")
        numbered = {int(mark.removesuffix(REST)) for mark in marks if mark != ALL}
        missing = set(range(1, most + 1)) - numbered
        for first in filter(None, map(run_from, marks)):
            missing -= set(range(first, most + 1))
        if missing:
            raise ValueError(f"put has no place for picture {min(missing)} of {most}")
        beyond = {number for number in numbered if not 1 <= number <= fewest}
        if beyond or (marks and not fewest):
            named = min(beyond, default=1)
            each = (
                "give each number an [[images]] of its own, or write {*} for all, {2+} for the rest"
            )
            raise ValueError(f"put names picture {named}, and a row may have only {fewest}: {each}")
        return self


class FieldRule(_Section):
    """As `records.FieldRule`."""

    type: Literal["string", "integer", "boolean"] = "string"
    values: Annotated[list[_Value], Field(min_length=1, max_length=_MOST)] | None = None
    range: Annotated[tuple[_Int, _Int], Field(strict=False)] | None = None
    default: _Value | None = None
    path: _BodyPath | None = None
    send: Mapping[str, _Value] = {}
    max_characters: Annotated[int, Field(ge=1, le=32_767)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.values is not None and self.range is not None:
            raise ValueError("has both values and range; keep one of them")
        if self.range is not None and (self.type != "integer" or self.range[0] > self.range[1]):
            raise ValueError("range is for whole numbers, the smaller one first")
        if self.type == "boolean" and self.values is not None:
            raise ValueError("a boolean is true or false; leave out values")
        if self.max_characters is not None and (self.type != "string" or self.values is not None):
            raise ValueError("max_characters is for texts without values")
        for value in [*(self.values or ()), *([] if self.default is None else [self.default])]:
            if type(value) is not TYPES[self.type]:
                raise ValueError(f"{show(value)} is not of the type {self.type}")
        if len(set(self.values or ())) < len(self.values or ()):
            raise ValueError("values names a value twice")
        if self.default is not None and not self.allows(self.default):
            raise ValueError(f"the default {show(self.default)} is not among what is allowed")
        either = (True, False) if self.type == "boolean" else ()
        known = {show(value) for value in self.values or either}
        strange = [name for name in self.send if name not in known]
        if strange:
            raise ValueError(f"send names {strange[0]}, which is not among the values")
        return self

    def allows(self, value: records.Value) -> bool:
        """As `records.FieldRule.allows`."""
        rule = records.FieldRule(self.type, self.values, self.range)
        return rule._replace(max_characters=self.max_characters).allows(value)


_Conditions = Mapping[str, Annotated[list[_Value], Field(min_length=1)] | Literal["any"]]


class ConditionRule(_Section):
    """As `records.ConditionRule`."""

    when: Annotated[_Conditions, Field(min_length=1)]
    need: Annotated[_Conditions, Field(min_length=1)] | None = None
    forbid: Annotated[_Conditions, Field(min_length=1)] | None = None
    say: _Sentence

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.need is None) == (self.forbid is None):
            raise ValueError("has to have either need or forbid")
        return self


class Price(_Section):
    """As `records.Price`."""

    when: _Conditions = {}
    per_second: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] | None = None
    per_request: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"

    @model_validator(mode="after")
    def _is_one_price(self) -> Self:
        if (self.per_second is None) == (self.per_request is None):
            raise ValueError("has to have either per_second or per_request")
        return self


class ImageFiles(_Section):
    """As `records.ImageFiles`."""

    types: Annotated[list[Literal["jpeg", "png", "webp"]], Field(min_length=1)] | None = None
    max_bytes: Annotated[int, Field(ge=1, le=_LARGEST)] | None = None
    min_side: _Side | None = None
    shape: Annotated[tuple[_Ratio, _Ratio], Field(strict=False)] | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.shape is not None and self.shape[0] > self.shape[1]:
            raise ValueError("shape is the narrowest ratio, then the widest one")
        return self


class Frame(RootModel[tuple[_Side, _Side]]):
    """Width and height of a video, in pixels."""

    model_config = ConfigDict(frozen=True, strict=False)


class Head(_Section):
    """As `records.Head`."""

    sheet: Literal[1]
    models: Annotated[list[_Name], Field(min_length=1, max_length=100)]
    aliases: list[_Name] = []
    source: Annotated[str, Field(pattern=r"^https?://[^\s\p{C}]+$", max_length=500)]
    read: date
    verified: bool = False
    replaces: bool = False
    superseded_by: _Name | None = None


def _no_json(template: object) -> str:
    """Return what of a template cannot be sent, as a person calls it; "" if all of it can."""
    if isinstance(template, Mapping | list):
        inner = template.values() if isinstance(template, Mapping) else template
        return next(filter(None, map(_no_json, inner)), "")
    if isinstance(template, str):
        return "" if template.replace("\n", "").isprintable() else "characters that nobody sees"
    if isinstance(template, bool):
        return ""
    if isinstance(template, int | float):
        return "" if abs(template) <= _LARGEST else "a number that is too large"
    return "a date or a time without quotes"


def _entries(template: object) -> Iterator[object]:
    """Yield what a template has in lists that stand in no other list."""
    if isinstance(template, Mapping):
        for inner in template.values():
            yield from _entries(inner)
    elif isinstance(template, list):
        yield from template


def _outside_lists(template: object) -> Iterator[str]:
    """Yield the texts of a template that are in no list."""
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for inner in template.values():
            yield from _outside_lists(inner)
