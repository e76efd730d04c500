"""What a sheet allows, in words. Pure.

Tested in tests/models/test_shelf.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models.records import FieldRule, Value, show

_UNITS = {"duration": " seconds"}
_COUNTS = ("no picture", "one", "two", "three")


def say_values(field: str, values: Sequence[Value]) -> str:
    """Say which values a field takes: `4, 6 or 10 seconds`."""
    return _join([show(value) for value in values]) + _UNITS.get(field, "")


def say_rule(field: str, rule: FieldRule) -> str:
    """Say what a field takes: its values, `true or false`, `a whole number from 1 to 15`."""
    if rule.values is not None:
        return say_values(field, rule.values)
    if rule.range is not None:
        fewest, most = rule.range
        return f"a whole number from {fewest} to {most}{_UNITS.get(field, '')}"
    if rule.type == "boolean":
        return say_values(field, (True, False))
    return "a whole number" if rule.type == "integer" else "any text"


def say_counts(counts: Sequence[int]) -> str:
    """Say how many pictures a video takes: `no picture, one or three`, or `up to three`."""
    if len(counts) > 2 and list(counts) == list(range(len(counts))):  # noqa: PLR2004
        return f"up to {_count(counts[-1])}"
    return _join([_count(count) for count in counts])


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
