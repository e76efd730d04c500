"""The cells that the reader could not read: which of them count, and what is not said besides.

Tested in tests/checker/test_check.py.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.model import Manifest, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.checker.rowtexts import RowPrompts, RowTemplate


def unread_cells(
    manifest: Manifest,
    fields: Mapping[str, int],
    *,
    names: RowTemplate | None,
    prompts: RowPrompts | None,
) -> dict[int | None, list[Problem]]:
    """Group by row what the reader found in cells that count; under None what is of the file.

    A cell counts if its column is a field or a part of the video's name, or a part of the
    template of prompts in a row whose prompt is made.

    Args:
        manifest: the manifest as read.
        fields: the index of the column of each field.
        names: the template of the videos' names; None where every row has a name.
        prompts: the template of the prompts; None without one.

    """
    if not manifest.cell_problems:
        return {}

    def headers_at(indexes: Iterable[int]) -> set[str]:
        return {manifest.headers[index].strip() for index in indexes}

    used = headers_at(fields.values())
    if names is not None:
        used |= headers_at(names.columns)
    needed, made = set[str](), set[int]()
    if prompts is not None:
        needed = headers_at(prompts.template.columns)
        made = {row.number for row in manifest.rows if prompts.stands_for(row)}
    found: defaultdict[int | None, list[Problem]] = defaultdict(list)
    for problem in manifest.cell_problems:
        column = _header(problem)
        counts = not column or column in used or (column in needed and problem.row in made)
        if problem.row is None or counts:
            found[problem.row].append(problem)
    return dict(found)


def join_unread(problems: Iterable[Problem], unread: Iterable[Problem], key: str) -> list[Problem]:
    """Join both kinds of problem; that a cell is empty is not said of one that was not read.

    Args:
        problems: what breaks a rule in a row.
        unread: what the reader found in its cells.
        key: the key of the row.

    """
    named = [one if one.key else replace(one, key=key) for one in unread]
    columns_unread = {_header(one) for one in named if one.severity is Severity.ERROR}
    return named + [one for one in problems if _header(one) not in columns_unread]


def _header(problem: Problem) -> str:
    return (problem.column or "").strip()
