"""The problems of a manifest in groups: what is wrong, how often, where it begins.

A sheet of 400 rows with one mistake in each has one problem for the person who corrects it. Those
of one cause are one group by the sentence that they share (`Problem.together`), all others by their
kind and column.

A check that finds many problems of a cause gives each of them the same sentence in `together`, with
their number: "56 pictures are missing; all of them lie in photos/: …". Each keeps its own `message`
for its row's result, for JSON and for `-v`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.manifest.wording import count, list_numbers
from pipeline.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_SINGLY = 20
"""So many problems of a manifest are shown one by one; of more, each kind is shown once."""
_FEW = 3
"""Fewer problems of a kind are shown one by one in any case."""
_CELLS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one kind: at least one, in the order of the sheet.

    `sentence` says what is wrong and what to do. If `alike`, it is true of each of them; otherwise
    it is that of the first.
    """

    problems: tuple[Problem, ...]
    sentence: str
    alike: bool

    @property
    def first(self) -> Problem:
        """The first of them, whose code and severity all have."""
        return self.problems[0]

    @property
    def column(self) -> str | None:
        """The column that they are in; None where they are in several or in none."""
        columns = {problem.column for problem in self.problems}
        return columns.pop() if len(columns) == 1 else None

    @property
    def rows(self) -> tuple[int, ...]:
        """The physical numbers of their rows, each once."""
        return tuple(dict.fromkeys(one.row for one in self.problems if one.row is not None))

    @property
    def cells(self) -> tuple[str, ...]:
        """The addresses of their cells, each once; none in a text file."""
        return tuple(dict.fromkeys(one.cell for one in self.problems if one.cell is not None))

    @property
    def place(self) -> str:
        """Where they are: "cells D2, D3, D17 …, column Image", "rows 2, 3 and 4"."""
        where = ""
        if cells := self.cells:
            where = _list_cells(cells)
        elif rows := self.rows:
            where = f"row {rows[0]}" if len(rows) == 1 else f"rows {list_numbers(rows)}"
        column = f"column {self.column}" if self.column else ""
        return ", ".join(filter(None, (where, column)))

    @property
    def summary(self) -> str:
        """All of them in one line without the file: how many, where, what is wrong."""
        if self.first.together is not None:
            return f"{self.place}: {self.sentence}"
        example = "" if self.alike else ", for example"
        return f"{count(len(self.problems), 'problem')}, {self.place}{example}: {self.sentence}"


def group_problems(problems: Iterable[Problem]) -> tuple[ProblemGroup, ...]:
    """Put problems into groups: errors before warnings, the largest group first.

    Problems of the whole file stay alone, and stand before all others.
    """
    groups: defaultdict[object, list[Problem]] = defaultdict(list)
    for at, problem in enumerate(problems):
        groups[_kind(problem, at)].append(problem)
    made = [_group(tuple(group)) for group in groups.values()]
    return tuple(sorted(made, key=_rank))


def shown_groups(problems: Sequence[Problem]) -> tuple[ProblemGroup, ...]:
    """Return the groups that are shown in place of their problems; the others stand one by one.

    All of more than two problems, where there are many problems; where there are few, only those
    that one sentence is about.
    """
    many = len(problems) > MOST_SINGLY
    return tuple(
        group
        for group in group_problems(problems)
        if len(group.problems) >= _FEW and (many or group.first.together is not None)
    )


def _kind(problem: Problem, at: int) -> object:
    if problem.row is None:
        return at
    if problem.together is not None:
        return problem.severity, problem.together
    return problem.severity, problem.code, problem.column


def _group(problems: tuple[Problem, ...]) -> ProblemGroup:
    first = problems[0]
    if first.together is not None:
        return ProblemGroup(problems, first.together, alike=True)
    alike = all(problem.message == first.message for problem in problems)
    return ProblemGroup(problems, first.message, alike=alike)


def _rank(group: ProblemGroup) -> tuple[bool, bool, int]:
    of_a_row = group.first.row is not None
    return of_a_row, group.first.severity is Severity.WARNING, -len(group.problems) * of_a_row


def _list_cells(cells: Sequence[str]) -> str:
    shown = ", ".join(cells[:_CELLS_SHOWN])
    more = " …" if len(cells) > _CELLS_SHOWN else ""
    return f"{'cell' if len(cells) == 1 else 'cells'} {shown}{more}"
