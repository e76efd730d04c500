"""What a sheet allows, in words. Pure.

Tested in tests/models/test_shelf.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.models.records import Value, show

_UNITS = {"duration": " seconds"}
_COUNTS = ("no picture", "one", "two", "three")


def say_values(field: str, values: Sequence[Value]) -> str:
    """Say which values a field takes: `4, 6 or 10 seconds`."""
    return _join([show(value) for value in values]) + _UNITS.get(field, "")


def say_counts(counts: Sequence[int]) -> str:
    """Say how many pictures a video takes: `no picture, one or three`, or `up to three`."""
    if len(counts) > 2 and list(counts) == list(range(len(counts))):  # noqa: PLR2004
        return f"up to {_count(counts[-1])}"
    return _join([_count(count) for count in counts])


def _count(count: int) -> str:
    return _COUNTS[count] if count < len(_COUNTS) else str(count)


def _join(texts: Sequence[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} or {last}" if most else last
