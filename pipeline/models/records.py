"""A sheet as the program works with it: plain records, made of a document that has no faults. Pure.

Every start of a command makes some of these, so nothing here needs the library of the strict
reading (`sections`, `sheet`), which is loaded only for the sheets of a team. The records are
tuples, because to declare one takes a quarter of what a frozen dataclass does.

Tested in tests/models/test_records.py and tests/models/test_sheet.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

Value: TypeAlias = bool | int | str
"""What a field of a request may be."""

ANY = "any"
"""In a rule: whatever is said, if something is."""
Conditions: TypeAlias = Mapping[str, list[Value] | Literal["any"]]
"""What a row has to say, by field."""
ALL = "*"
"""The mark of all pictures."""
REST = "+"
"""The end of a mark of a picture and all after it."""
MARK = re.compile(r"\{([0-9]{1,2}\+?|\*)\}")
"""What stands for a picture's address in `put`: `{1}` for the first, `{*}` for each, and `{2+}` for
each from the second on.
"""
LONGEST_TEXT = 2_000
"""Characters of a text that a sheet neither lists nor gives a length."""
TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}
"""The types of fields, as they go over the wire."""
SECTIONS = ("prompt", "images", "fields", "rules", "prices", "frames", "image_files")
"""The tables of a sheet; what is in none of them is its head."""


class Head(NamedTuple):
    """What a sheet is for, where it comes from, and when that was read."""

    sheet: int
    models: Sequence[str]
    source: str
    read: date
    aliases: Sequence[str] = ()
    verified: bool = False
    replaces: bool = False
    superseded_by: str | None = None


class PromptRule(NamedTuple):
    """Whether a row needs a prompt, and how long it may be."""

    required: bool | str = True
    max_characters: int | None = None


class ImagesRule(NamedTuple):
    """So many pictures may come, and where in the body they go.

    `put` maps a place to what stands there: `"{1}"` is the first picture's address, `["{*}"]` a
    list of all; objects and constants go as they are. `as_` says what the pictures mean.
    """

    counts: Sequence[int]
    put: Mapping[str, Any] = {}
    as_: str = "references"


class FieldRule(NamedTuple):
    """A field of the body: its type on the wire, its allowed values, its default.

    `path` is its place in the body, by default its name; `send` maps values as a row has them to
    values as they are sent. Neither `values` nor `range`: whatever is of the type, a text of at
    most `max_characters`.
    """

    type: str = "string"
    values: Sequence[Value] | None = None
    range: tuple[int, int] | None = None
    default: Value | None = None
    path: str | None = None
    send: Mapping[str, Value] = {}
    max_characters: int | None = None

    @property
    def longest(self) -> int:
        """How many characters a text may have that is not listed."""
        return self.max_characters or LONGEST_TEXT

    def allows(self, value: Value) -> bool:
        """Return whether a value may be sent."""
        if type(value) is not TYPES[self.type]:
            return False
        if self.range is not None:
            return isinstance(value, int) and self.range[0] <= value <= self.range[1]
        if self.values is None:
            return not isinstance(value, str) or len(value) <= self.longest
        return value in self.values

    def sent(self, value: Value) -> Value:
        """Return a value as it goes over the wire."""
        return self.send.get(show(value), value)


class ConditionRule(NamedTuple):
    """When a row says this, it needs or must not have that; `say` is for people."""

    when: Conditions
    say: str
    need: Conditions | None = None
    forbid: Conditions | None = None

    def is_broken_by(self, said: Mapping[str, Value]) -> bool:
        """Return whether a row that says this breaks the rule; what it leaves out it lacks."""
        if not _meets_all(said, self.when):
            return False
        if self.need is not None:
            return not _meets_all(said, self.need)
        return any(_meets(said.get(name), wanted) for name, wanted in (self.forbid or {}).items())

    @property
    def wanted(self) -> Conditions:
        """What is needed, or forbidden."""
        return self.need or self.forbid or {}


class Price(NamedTuple):
    """What a video costs that meets `when`: per second of its length, or for each request."""

    when: Mapping[str, list[Value] | Literal["any"]] = {}
    per_second: float | None = None
    per_request: float | None = None
    currency: str = "USD"

    def is_for(self, said: Mapping[str, Value]) -> bool:
        """Return whether a row that says this has this price; what it leaves out it lacks."""
        return _meets_all(said, self.when)


class ImageFiles(NamedTuple):
    """What a picture's file has to be, where the page says it."""

    types: Sequence[str] | None = None
    max_bytes: int | None = None
    min_side: int | None = None
    shape: tuple[float, float] | None = None


class Sheet(NamedTuple):
    """All that is known of a model, or of several that differ in little.

    `fields` are in the order of the body. `frames` maps the values of aspect ratio and resolution,
    as rows have them, to width and height in pixels.
    """

    head: Head
    prompt: PromptRule
    images: tuple[ImagesRule, ...]
    fields: Mapping[str, FieldRule]
    rules: tuple[ConditionRule, ...]
    prices: tuple[Price, ...]
    frames: Mapping[tuple[str, str], tuple[int, int]]
    image_files: ImageFiles

    @property
    def picture_counts(self) -> tuple[int, ...]:
        """How many pictures a row may have, the smallest number first."""
        return tuple(sorted(count for rule in self.images for count in rule.counts)) or (0,)

    @property
    def defaults(self) -> dict[str, Value]:
        """What is sent where a row says nothing; a field without a default is then left out."""
        return {
            name: rule.default for name, rule in self.fields.items() if rule.default is not None
        }


def make_sheet(document: Mapping[str, Any]) -> Sheet:
    """Make a sheet of what its file says, which has no fault: nothing is looked at here."""
    return Sheet(
        head=Head(**{name: said for name, said in document.items() if name not in SECTIONS}),
        prompt=PromptRule(**document.get("prompt", {})),
        images=tuple(map(_images_rule, document.get("images", ()))),
        fields={name: FieldRule(**rule) for name, rule in document.get("fields", {}).items()},
        rules=tuple(ConditionRule(**rule) for rule in document.get("rules", ())),
        prices=tuple(Price(**price) for price in document.get("prices", ())),
        frames={
            parts_of_frame(name): (width, height)
            for name, (width, height) in document.get("frames", {}).items()
        },
        image_files=ImageFiles(**document.get("image_files", {})),
    )


def _images_rule(said: Mapping[str, Any]) -> ImagesRule:
    return ImagesRule(**{"as_" if name == "as" else name: what for name, what in said.items()})


def parts_of_frame(name: str) -> tuple[str, str]:
    """Part the name of a frame into the aspect ratio and, after a blank, the resolution."""
    ratio, _, resolution = name.partition(" ")
    return ratio, resolution


def name_of_frame(parts: tuple[str, str]) -> str:
    """Return the name of a frame, of which `parts_of_frame` makes these parts."""
    return " ".join(parts).strip()


def show(value: Value) -> str:
    """Return a value as a cell writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def run_from(mark: str) -> int | None:
    """Return the first picture of those that a mark stands for, each; None if it is one alone."""
    return 1 if mark == ALL else int(mark[:-1]) if mark.endswith(REST) else None


def marks_of(template: object) -> Iterator[str]:
    """Yield what stands for pictures in a template of `put`: `1`, `2+`, and `*` for all."""
    if isinstance(template, str):
        yield from MARK.findall(template)
    elif isinstance(template, Mapping):
        for inner in template.values():
            yield from marks_of(inner)
    elif isinstance(template, list):
        for inner in template:
            yield from marks_of(inner)


def _meets_all(said: Mapping[str, Value], conditions: Conditions) -> bool:
    return all(_meets(said.get(name), wanted) for name, wanted in conditions.items())


def _meets(value: Value | None, wanted: list[Value] | Literal["any"]) -> bool:
    return value is not None if wanted == ANY else value in wanted
