"""The sheet of a model, read strictly: every fault of it at once, each with its path. Pure.

A sheet is TOML: YAML reads `16:9` as a number. It says which names it is for, what it takes as
prompt, pictures and fields, in the order of the request's body, and what is known of price and
frame. It has no expressions and inherits nothing: who has read one sheet has read all of it.

Each section is read by itself, so that a fault in one hides none in another; what holds between
sections is looked at in those that could be read.

Tested in tests/models/test_sheet.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import ConfigError
from pipeline.models.records import SECTIONS, Sheet, make_sheet, parts_of_frame, show
from pipeline.models.sections import (
    PSEUDO_FIELDS,
    ConditionRule,
    FieldRule,
    Frame,
    Head,
    ImageFiles,
    ImagesRule,
    Price,
    PromptRule,
    check_field_name,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_T = TypeVar("_T")
_WORDS = {
    "extra_forbidden": "there is no such key here",
    "missing": "is missing",
    "list_type": "must be a list in [ ]",
    "tuple_type": "must be a list in [ ]",
    "string_type": "must be a text in quotes",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false, without quotes",
    "date_type": "must be a date without quotes, as 2026-11-22",
    "mapping_type": "must be a table",
    "dict_type": "must be a table",
    "model_type": "must be a table",
}
_BY_PLACE = {
    "source": "must be the web address of the page, without blanks",
    "currency": "must be three capital letters, as USD",
}
"""What a text that has to have some form must be, by the last part of its place."""
_PLAINLY = (
    ("Input should", "must"),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
    ("greater than", "more than"),
    ("be True or", "be true or"),
    ("'", '"'),
)
"""What the library calls by other words."""
_MOST_ENTRIES = 200
"""Fields, rules and the like of a sheet that are read; one has a few of each."""
_LONGEST_PATH = 100
"""Characters of a path that is named whole."""
_VALUE = "must be a text in quotes, a whole number, true or false"
_CONDITION = 'must be a list of values in [ ], or "any"'


def read_sheet(text: str, origin: str) -> Sheet:
    """Read a sheet, whose file is called `origin` in messages.

    Raises:
        ConfigError: It is no TOML, or breaks a rule of sheets; every fault is named.

    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin} is no TOML: {error}.") from error
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        why = "lists or tables stand too deeply in each other" if deep else "a number is too long"
        raise ConfigError(f"{origin} is no TOML that can be read: {why}.") from error
    reading = _Reading(document)
    reading.read_all()
    if reading.faults:
        raise ConfigError(f"{origin} is no sheet of a model:", faults=reading.faults)
    return make_sheet(document)


@dataclass(slots=True)
class _Reading:
    """A sheet while it is read: what it says, and what is wrong with it so far."""

    document: Mapping[str, Any]
    faults: list[str] = field(default_factory=list)

    def read_all(self) -> None:
        """Read all sections, and note every fault."""
        document = self.document
        head = self._read(Head, "", {k: v for k, v in document.items() if k not in SECTIONS})
        self._read(PromptRule, "prompt", document.get("prompt", {}))
        self._read(ImageFiles, "image_files", document.get("image_files", {}))
        images, fields = self._list(ImagesRule, "images"), self._table(FieldRule, "fields")
        self._list(ConditionRule, "rules")
        prices = self._list(Price, "prices")
        self._check_frames(fields)
        self._check_names(head, fields)
        self._check_pictures(images)
        self._check_places(fields, images)
        for at, path, conditions in self._conditions():
            self._check_conditions(f"{at}.{path}", conditions, head, fields, images)
        always = ""
        for at, price in prices.items():
            if always:
                self._fault(at, f"is never reached: {always} has no when, and the first counts")
            elif not price.when:
                always = at
            if price.per_second is not None and "duration" not in fields:
                self._fault(f"{at}.per_second", "a price per second needs a field duration")

    def _read(self, kind: type[_T], path: str, content: object) -> _T | None:
        try:
            return TypeAdapter(kind).validate_python(content)
        except ValidationError as error:
            strange = set()
            found: dict[str, list[ErrorDetails]] = {}
            for detail in error.errors(include_url=False):
                inner = (str(part) for part in detail["loc"] if not _is_branch(part))
                found.setdefault(".".join(filter(None, (path, *inner))), []).append(detail)
                if detail["type"] == "extra_forbidden":
                    strange.add(detail["loc"][0])
            for place, details in found.items():
                self._fault(place, _say(place, details))
            if strange and isinstance(content, dict):  # it hides what else is wrong
                self._read(kind, path, {k: v for k, v in content.items() if k not in strange})
            return None

    def _list(self, kind: type[_T], name: str) -> dict[str, _T]:
        """Read the tables of a list, each by its path."""
        content = self.document.get(name, [])
        if not isinstance(content, list):
            self._fault(name, f"must be tables, each under [[{name}]]")
            return {}
        content = content[: self._most(name, len(content))]
        paths = [f"{name}.{at}" for at in range(1, len(content) + 1)]
        read = {path: self._read(kind, path, one) for path, one in zip(paths, content, strict=True)}
        return {path: one for path, one in read.items() if one is not None}

    def _table(self, kind: type[_T], name: str) -> dict[str, _T]:
        """Read the entries of a table, each by its name."""
        content = self.document.get(name, {})
        if not isinstance(content, dict):
            self._fault(name, "must be a table")
            return {}
        entries = islice(content.items(), self._most(name, len(content)))
        read = {key: self._read(kind, f"{name}.{key}", one) for key, one in entries}
        return {key: one for key, one in read.items() if one is not None}

    def _most(self, name: str, there: int) -> int:
        """Note too many entries of a section; return how many are looked at."""
        if there > _MOST_ENTRIES:
            self._fault(name, f"has {there} entries; {_MOST_ENTRIES} are read")
        return _MOST_ENTRIES

    def _check_names(self, head: Head | None, fields: Iterable[str]) -> None:
        if head is not None:
            names = [*head.models, *head.aliases]
            plain = [name.casefold() for name in names]
            for name in sorted({name for name in names if plain.count(name.casefold()) > 1}):
                self._fault("models", f"{name} stands there twice, as a model or as an alias")
        for name in fields:
            try:
                check_field_name(name)
            except ValueError as error:
                self._fault(f"fields.{name}", str(error))

    def _check_pictures(self, images: Mapping[str, ImagesRule]) -> None:
        seen: dict[int, str] = {}
        for path, rule in images.items():
            for count in rule.counts:
                if count in seen:
                    self._fault(f"{path}.counts", f"{count} stands in {seen[count]}, too")
                seen.setdefault(count, path)

    def _check_places(
        self, fields: Mapping[str, FieldRule], images: Mapping[str, ImagesRule]
    ) -> None:
        """See to it that nothing in a body stands where another thing does, or inside it."""
        places = {f"fields.{name}": rule.path or name for name, rule in fields.items()}
        puts = [{f"{path}.put.{place}": place for place in one.put} for path, one in images.items()]
        for put in [{}, *puts]:
            for (one, first), (other, second) in combinations((places | put).items(), 2):
                if _meet(first, second):
                    self._fault(other, f"goes to the same place in the body as {one}")

    def _conditions(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the conditions as the document has them, those of faulty sections too."""
        for section, parts in (("rules", ("when", "need", "forbid")), ("prices", ("when",))):
            content = self.document.get(section)
            for at, one in enumerate(content if isinstance(content, list) else [], start=1):
                for part in parts:
                    if isinstance(one, dict) and isinstance(one.get(part), dict):
                        yield f"{section}.{at}", part, one[part]

    def _check_conditions(
        self,
        path: str,
        conditions: Mapping[str, Any],
        head: Head | None,
        fields: Mapping[str, FieldRule],
        images: Mapping[str, ImagesRule],
    ) -> None:
        """Note every field and every value of a condition that no row can have."""
        told = self.document.get("fields", {})
        named = told if isinstance(told, dict) else {}
        for name, values in conditions.items():
            if name not in PSEUDO_FIELDS and name not in named:
                self._fault(f"{path}.{name}", "there is no such field")
            for value in values if isinstance(values, list) else ():
                if not isinstance(value, bool | int | str):
                    continue  # a fault of its own
                if name == "model":
                    possible = head is None or value in head.models
                elif name == "images":
                    counts = [count for rule in images.values() for count in rule.counts]
                    unread = not counts and "images" in self.document
                    possible = unread or value in (counts or [0])
                else:
                    possible = name not in fields or fields[name].allows(value)
                if not possible:
                    self._fault(f"{path}.{name}", f"{show(value)} is not among what is allowed")

    def _check_frames(self, fields: Mapping[str, FieldRule]) -> None:
        """Note frames of what no row can ask for; their names are a ratio and a resolution."""
        for name in self._table(Frame, "frames"):
            parts = zip(("aspect_ratio", "resolution"), parts_of_frame(name), strict=True)
            for field_name, value in parts:
                told = self.document.get("fields", {})
                if value and isinstance(told, dict) and field_name not in told:
                    self._fault(f'frames."{name}"', f"there is no field {field_name}")
                elif field_name in fields and not fields[field_name].allows(value):
                    said = f'the {field_name} "{value}" is not among what is allowed'
                    self._fault(f'frames."{name}"', said)

    def _fault(self, path: str, text: str) -> None:
        if len(path) > _LONGEST_PATH:
            path = f"{path[:_LONGEST_PATH]}…"
        fault = f"{path}: {text}" if path else text
        if fault not in self.faults:
            self.faults.append(fault)


def _say(place: str, details: Sequence[ErrorDetails]) -> str:
    """Say what is wrong at a place, once: what may be one of several things is wrong as each."""
    if any(one["type"] == "literal_error" and one["msg"].endswith("'any'") for one in details):
        return _CONDITION
    own = [one for one in details if one["type"] == "value_error"]
    if isinstance(details[0]["input"], str):
        own += [one for one in details if one["type"].startswith("string_too_")]
    if len(details) > 1 and not own:
        return _VALUE
    detail = (own or list(details))[0]
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "string_pattern_mismatch":
        return _BY_PLACE[place.rpartition(".")[2]]
    if "Tuple" in detail["msg"]:
        return "must be two numbers in [ ]"
    said = detail["msg"]
    for library, ours in _PLAINLY:
        said = said.replace(library, ours)
    return _WORDS.get(detail["type"], said)


def _is_branch(part: int | str) -> bool:
    """Tell what pydantic calls the branch of a union from what stands in the sheet."""
    return isinstance(part, str) and (
        "[" in part or part in ("bool", "int", "str", "function-after")
    )


def _meet(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
