"""What the reader found and what comes of it: nothing, an error of the row, or a row that is held.

A picture over a row says nothing if the row names another. A formula without a result in a column
that may be empty breaks no rule: the row is held, since its cell was hardly meant to be empty.

Tested in tests/checker/test_idlefindings.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipeline.checker.drafts import image_fields
from pipeline.checker.rules import IMAGE_FIELDS
from pipeline.model import Manifest, Problem, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

_Number = TypeVar("_Number", int, int | None)
_FLOATING, _MEANT = "picture_floats", "formula_empty_meant"
_HOLDING = frozenset({"formula_empty", "picture_formula"})
_NEEDED = ("prompt", "key")
"""Fields whose cell must not be empty."""


def leave_out_idle(
    found: Mapping[_Number, list[Problem]], manifest: Manifest, fields: Mapping[str, int]
) -> dict[_Number, list[Problem]]:
    """Leave out pictures over rows that name others, and empty results where none is missed.

    A formula that says itself when its result is empty is told of picture cells alone.

    Args:
        found: what the reader found in cells that count, by row.
        manifest: the rows.
        fields: the index of each field's column.

    """
    odd = [number for number, some in found.items() if any(map(_may_be_idle, some))]
    if not odd:
        return dict(found)
    rows = {row.number: row for row in manifest.rows}
    pictures = {manifest.headers[fields[one]].strip() for one in IMAGE_FIELDS if one in fields}
    kept = dict(found)
    for number in odd:
        row = rows.get(number or 0)
        kept[number] = [one for one in found[number] if not _is_idle(one, row, fields, pictures)]
    return {number: some for number, some in kept.items() if some}


def set_aside_holding(
    found: Mapping[_Number, list[Problem]], manifest: Manifest, fields: Mapping[str, int]
) -> tuple[dict[_Number, list[Problem]], list[Problem]]:
    """Take formulas without a result from cells that may be empty out of what was found.

    Args:
        found: what the reader found in cells that count, by row.
        manifest: the rows.
        fields: the index of each field's column.

    """
    aside = [one for some in found.values() for one in some if one.code in _HOLDING]
    if not aside:
        return dict(found), []
    needed = {manifest.headers[fields[one]].strip() for one in _NEEDED if one in fields}
    aside = [one for one in aside if (one.column or "").strip() not in needed]
    kept = {row: [one for one in some if one not in aside] for row, some in found.items()}
    return {row: some for row, some in kept.items() if some}, aside


def _may_be_idle(problem: Problem) -> bool:
    return problem.code in {_FLOATING, _MEANT}


def _is_idle(
    problem: Problem, row: Row | None, fields: Mapping[str, int], pictures: set[str]
) -> bool:
    if problem.code == _FLOATING:
        return row is not None and bool(image_fields(row, fields))
    return problem.code == _MEANT and (problem.column or "").strip() not in pictures
