"""What the sheet of a model says, for people and programs, with an example of its request. Pure.

Tested in tests/models/test_describing.py and tests/models/test_shelf.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any

from pipeline.models.body import make_body
from pipeline.models.records import (
    ANY,
    FieldRule,
    ImageFiles,
    ImagesRule,
    Price,
    Sheet,
    Value,
    name_of_frame,
    show,
)

_PROMPT = "What the video shows"
_URL = "https://example.com/picture-{}.jpg"
_UNITS = {"duration": " seconds"}
_COUNTS = ("no picture", "one", "two", "three")
_MOST_TRIED = 20_000
"""Combinations of values among which one that keeps all rules is looked for."""


def document_of(name: str, sheet: Sheet) -> dict[str, Any]:
    """Return all that a sheet says of a model, as one JSON object."""
    head = sheet.head
    return {
        **head_of(name, sheet),
        "prompt": sheet.prompt._asdict(),
        "pictures": [{"counts": list(one.counts), "as": one.as_} for one in sheet.images],
        "columns": [_column(field, rule) for field, rule in sheet.fields.items()],
        "rules": [rule.say for rule in sheet.rules],
        "prices": [one._asdict() for one in sheet.prices],
        "frames": {name_of_frame(parts): list(size) for parts, size in sheet.frames.items()},
        "superseded_by": head.superseded_by,
        "example": example_of(name, sheet),
        "examples": examples_of(name, sheet),
    }


def head_of(name: str, sheet: Sheet) -> dict[str, Any]:
    """Return what a sheet is for and where it comes from, as one JSON object."""
    head = sheet.head
    return {
        "name": name,
        "aliases": list(head.aliases),
        "source": head.source,
        "read": head.read.isoformat(),
        "verified": head.verified,
        "replaces": head.replaces,
    }


def _column(field: str, rule: FieldRule) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field, "type": rule.type}
    if rule.values is not None:
        told["values"] = list(rule.values)
    if rule.range is not None:
        told["range"] = list(rule.range)
    if rule.max_characters is not None:
        told["max_characters"] = rule.max_characters
    sent = {"sent_as": dict(rule.send)} if rule.send else {}
    return {**told, "default": rule.default, "path": rule.path or field, **sent}


def say_columns(sheet: Sheet) -> list[tuple[str, str, str, str]]:
    """Return a line for each column: its name, its values, its default, its place in the body."""
    return [
        (
            field,
            say_rule(field, rule),
            "left out" if rule.default is None else show(rule.default),
            (rule.path or field) + _say_sent(rule),
        )
        for field, rule in sheet.fields.items()
    ]


def _say_sent(rule: FieldRule) -> str:
    if not rule.send:
        return ""
    return f" ({', '.join(f'{one} as {show(sent)}' for one, sent in rule.send.items())})"


def say_prompt(sheet: Sheet) -> str:
    """Say whether a row needs a prompt, and how long it may be."""
    needed = "every row needs one"
    if sheet.prompt.required is not True:
        needed = "a row without pictures needs one"
    most = sheet.prompt.max_characters
    return needed if most is None else f"{needed}, of up to {most:,} characters"


def say_pictures(sheet: Sheet) -> str:
    """Say how many pictures a row may have, and what they mean."""
    if not sheet.images:
        return say_counts((0,))
    plain = all(one.as_ == "references" for one in sheet.images)
    return say_counts(sheet.picture_counts) if plain else "; ".join(map(_say_images, sheet.images))


def _say_images(rule: ImagesRule) -> str:
    said = say_counts(rule.counts)
    if rule.as_ == "references":
        return said if max(rule.counts) == 0 else f"{said} to go by"
    meant = ("the first frame", "the first and the last frame")
    frames = [meant[count - 1] for count in rule.counts if 0 < count <= len(meant)]
    return f"{said} ({'; '.join(frames)})" if frames else f"{said} as frames"


def say_image_files(files: ImageFiles) -> str:
    """Say what the files of pictures have to be; empty if the sheet says nothing of them."""
    said = []
    if files.types is not None:
        said.append(" or ".join(map(say_type, files.types)))
    if files.max_bytes is not None:
        said.append(f"of at most {say_size(files.max_bytes)}")
    if files.min_side is not None:
        said.append(f"at least {files.min_side:,} pixels on each side")
    if files.shape is not None:
        said.append("{:g} to {:g} times as wide as high".format(*files.shape))
    return ", ".join(said)


def say_price(price: Price) -> str:
    """Say what a video costs, and which."""
    each = "a second" if price.per_request is None else "a request"
    money = f"{price.per_second or price.per_request:g} {price.currency} {each}"
    when = ", ".join(
        f"{name} {'said' if isinstance(wanted, str) else say_values(name, wanted)}"
        for name, wanted in price.when.items()
    )
    return f"{money} with {when}" if when else money


def example_of(name: str, sheet: Sheet) -> dict[str, Any] | None:
    """Return the body of a request that keeps all rules; None if there seems to be none."""
    return _example(name, sheet, sheet.picture_counts)


def examples_of(name: str, sheet: Sheet) -> list[dict[str, Any]]:
    """Return that body and, for each way in which pictures go out, one with as many as may come."""
    found = [] if (plain := example_of(name, sheet)) is None else [plain]
    pictured = (_example(name, sheet, [max(images.counts)]) for images in sheet.images)
    found += [one for one in pictured if one is not None]
    return [one for at, one in enumerate(found) if one not in found[:at]]


def say_of_defaults(name: str, sheet: Sheet) -> list[str]:
    """Say with which numbers of pictures a row of empty cells breaks a rule of the sheet."""
    broken: dict[str, list[int]] = {}
    for count in sheet.picture_counts:
        said: dict[str, Value] = {**sheet.defaults, "images": count, "model": name}
        for rule in sheet.rules:
            never = rule.forbid is not None and "model" in rule.forbid
            dropped = {one for one, wanted in (rule.forbid or {}).items() if wanted == ANY}
            kept = {one: value for one, value in said.items() if one not in dropped}
            if not never and rule.is_broken_by(kept) and set(rule.wanted) - {"images"}:
                broken.setdefault(rule.say, []).append(count)
    return [
        f"a row of {name} with empty cells and {_say_number(counts)} breaks this: {say}"
        for say, counts in broken.items()
    ]


def _say_number(counts: Sequence[int]) -> str:
    most = counts[-1]
    return say_counts(counts) + ("" if not most else " pictures" if most > 1 else " picture")


def _example(name: str, sheet: Sheet, counts: Sequence[int]) -> dict[str, Any] | None:
    """Return the first body with so many pictures that keeps all rules."""
    for count, values in islice(_combinations(sheet), _MOST_TRIED):
        said: Mapping[str, Value] = {**values, "images": count, "model": name}
        if count in counts and not any(rule.is_broken_by(said) for rule in sheet.rules):
            urls = [_URL.format(number) for number in range(1, count + 1)]
            return make_body(sheet, name, _PROMPT, values=values, image_urls=urls)
    return None


def _combinations(sheet: Sheet) -> Iterator[tuple[int, dict[str, Value]]]:
    """Yield numbers of pictures with values, the defaults first."""
    choices = [_choices(rule) for rule in sheet.fields.values()]
    for chosen in product(*choices):
        named = zip(sheet.fields, chosen, strict=True)
        values = {name: value for name, value in named if value is not None}
        for count in sheet.picture_counts:
            yield count, values


def _choices(rule: FieldRule) -> list[Value | None]:
    listed = rule.values or rule.range or ((True, False) if rule.type == "boolean" else ())
    return list(dict.fromkeys((rule.default, *listed)))


def say_values(field: str, values: Sequence[Value]) -> str:
    """Say which values a field takes: `4, 6 or 10 seconds`."""
    unit = _UNITS.get(field, "") if all(show(value).isdecimal() for value in values) else ""
    return _join([show(value) for value in values]) + unit


def say_rule(field: str, rule: FieldRule) -> str:
    """Say what a field takes: its values, `true or false`, `a whole number from 1 to 15`."""
    if rule.values is not None:
        return say_values(field, rule.values)
    if rule.range is not None:
        fewest, most = rule.range
        return f"a whole number from {fewest} to {most}{_UNITS.get(field, '')}"
    if rule.type == "boolean":
        return say_values(field, (True, False))
    if rule.type == "integer":
        return "a whole number"
    return f"any text of up to {rule.longest:,} characters"


def say_counts(counts: Sequence[int]) -> str:
    """Say how many pictures a video takes: `no picture, one or three`, or `up to three`."""
    small = max(counts) < len(_COUNTS)  # of small and large numbers together all are in digits
    if len(counts) > 2 and list(counts) == list(range(len(counts))):  # noqa: PLR2004
        return f"up to {_count(counts[-1])}"
    return _join([_count(count) if small or not count else str(count) for count in counts])


def say_type(kind: str) -> str:
    """Say a type of picture as people do: `WebP`."""
    return "WebP" if kind == "webp" else kind.upper()


def say_size(size_bytes: int) -> str:
    """Say how large a file is: `10 MB`, `500 kB`."""
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if size_bytes >= unit:
            return f"{size_bytes / unit:.4g} {name}"
    return f"{size_bytes} bytes"


def _count(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else str(count)


def _join(texts: Sequence[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last
