"""A sheet as a person sees it, for any workbook format to be made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Number:
    """A number and the code of its format."""

    value: float
    code: str


@dataclass(frozen=True)
class Formula:
    """A formula with its cached value; None for one that was never calculated."""

    value: str | float | None


@dataclass(frozen=True)
class Error:
    """An error value, of a formula."""

    text: str


Value = str | float | bool | Number | Formula | Error | None


@dataclass(frozen=True)
class Sheet:
    """Rows of cells from A1 on; numbers of rows count from 1.

    `flat` rows have no height, which is how some programs filter; `merges` are (first row, first
    column from 0, last row, last column).
    """

    rows: Sequence[Sequence[Value]]
    name: str = "Sheet1"
    shown: bool = True
    hidden: tuple[int, ...] = ()
    flat: tuple[int, ...] = ()
    merges: tuple[tuple[int, int, int, int], ...] = field(default=())

    @property
    def width(self) -> int:
        """The number of columns."""
        return max(map(len, self.rows), default=0)


# BErr, [MS-XLS] 2.5.10.
ERROR_CODES = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#N/A": 42}


def codes_of(sheets: Sequence[Sheet]) -> list[str]:
    """The format codes of all numbers, each once, in order."""
    cells = [cell for sheet in sheets for row in sheet.rows for cell in row]
    return list(dict.fromkeys(cell.code for cell in cells if isinstance(cell, Number)))


def never_calculated(sheets: Sequence[Sheet]) -> bool:
    """Whether the workbook comes from a program that calculates nothing."""
    return Formula(None) in [cell for sheet in sheets for row in sheet.rows for cell in row]
