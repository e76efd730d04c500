"""Rows of a results file that a person has worked in find their rows in the manifest again. Pure.

A row is known by its key; where that is gone or another one, by its task; where a spreadsheet
program made a number of it (`007` as `7`, `4006381333931` as `4.00638E+12`), by the only key that
is the same number. Sorted, left out and doubled rows do no harm: of doubled ones the first counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from pipeline.checker.check import CheckedManifest
from pipeline.checker.naming import normalise_key, row_keys
from pipeline.manifest.resultcolumns import (
    DECISION_COLUMNS,
    RESULT_PREFIX,
    names_beside,
    our_columns,
)
from pipeline.model import Manifest, Row

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:[.,][0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_DIGITS = re.compile(r"[0-9]+")
_NO_DATE = re.compile(r"[^0-9.:/\-T ]")
_TASK = "result_task_id"


@dataclass(frozen=True, slots=True)
class Joined:
    """A results file, joined to its manifest.

    `rows` are its rows by the numbers of theirs in the manifest, `others` those that have none.
    `ours` maps the names of the columns that runs write to their places in the file, `own` the
    places of the manifest's columns to theirs, `added` lists the columns of the person.
    """

    table: Manifest
    rows: Mapping[int, Row]
    others: tuple[Row, ...]
    ours: Mapping[str, int]
    own: Mapping[int, int]
    added: tuple[int, ...]


def join(checked: CheckedManifest, table: Manifest, tasks: Mapping[str, str]) -> Joined:
    """Join a results file to its manifest.

    Args:
        checked: the manifest.
        table: the file as it is now.
        tasks: the keys of rows by the ids of their tasks.

    """
    manifest = checked.manifest
    ours, own = _our_places(manifest, table), _own_places(manifest, table)
    taken = {*ours.values(), *own.values(), *our_columns(table.headers)}
    added = tuple(at for at, name in enumerate(table.headers) if name.strip() and at not in taken)
    number_of = {key: row.number for key, row in zip(checked.keys, manifest.rows, strict=True)}
    found: dict[int, Row] = {}
    left = [*table.rows]
    for names in _namers(checked, table, own, ours, tasks):
        if left:
            left = _join_by(names(left), left, number_of, found)
    return Joined(table, found, tuple(left), ours, own, added)


def _our_places(manifest: Manifest, table: Manifest) -> dict[str, int]:
    """Find the columns that runs write, by the names that they have beside the manifest's.

    Where the file itself has the other names of those for decisions, they are found by these.
    """
    folded = _folded(table.headers)
    names = names_beside(manifest.headers)
    own = _folded(manifest.headers).keys() - {*names}
    found = {}
    for name in names:
        other = RESULT_PREFIX + name if name in DECISION_COLUMNS else name
        spelled = [one for one in (other, name) if one in folded and one not in own]
        if spelled:
            found[name] = folded[spelled[0]]
    return found


def _own_places(manifest: Manifest, table: Manifest) -> dict[int, int]:
    folded = _folded(table.headers)
    ours = our_columns(manifest.headers)
    return {
        at: folded[name]
        for at, name in enumerate(map(_fold, manifest.headers))
        if at not in ours and name and name in folded
    }


def _folded(headers: Sequence[str]) -> dict[str, int]:
    """Return where each header is, of equal ones the first."""
    return {name: at for at, name in reversed([*enumerate(map(_fold, headers))])}


def _fold(header: str) -> str:
    return header.strip().casefold()


_Names = Callable[[Sequence[Row]], Iterable[str | None]]


def _namers(
    checked: CheckedManifest,
    table: Manifest,
    own: Mapping[int, int],
    ours: Mapping[str, int],
    tasks: Mapping[str, str],
) -> Iterable[_Names]:
    """Yield the ways to tell the keys of rows, the surest first."""
    key = own.get(checked.fields.get("key", -1))
    if key is not None:
        yield lambda rows: (normalise_key(row.cells[key]) for row in rows)
    task = ours.get(_TASK)
    if task is not None:
        yield lambda rows: (tasks.get(row.cells[task].strip()) for row in rows)
    fields = {name: own[at] for name, at in checked.fields.items() if at in own and name != "key"}
    if key is None and fields:
        # Of all rows, since equal ones are told apart by their order.
        keys, _ = row_keys(table, fields)
        made = {row.number: name for row, name in zip(table.rows, keys, strict=True)}
        yield lambda rows: (made[row.number] for row in rows)
    if key is not None:
        numbers = _Numbers(checked.keys)
        yield lambda rows: (numbers.find(row.cells[key]) for row in rows)


def _join_by(
    names: Iterable[str | None],
    rows: Sequence[Row],
    number_of: Mapping[str, int],
    found: dict[int, Row],
) -> list[Row]:
    """Put the rows whose names are keys to theirs; return the others."""
    left = []
    for name, row in zip(names, rows, strict=True):
        number = None if name is None else number_of.get(name)
        if number is None or number in found:
            left.append(row)
        else:
            found[number] = row
    return left


class _Numbers:
    """Keys that are numbers, by what a spreadsheet program shows of them."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys: dict[Decimal, set[str]] = {}
        for key in keys:
            for shown in _shorts(_number(key)):
                self._keys.setdefault(shown, set()).add(key)

    def find(self, cell: str) -> str | None:
        """Return the only key that a cell can be."""
        number = _number(cell)
        keys = set() if number is None else self._keys.get(number, set())
        return next(iter(keys)) if len(keys) == 1 else None


def _number(text: str) -> Decimal | None:
    plain = text.strip().replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:  # pragma: no cover - the pattern takes none of those
        return None


def _shorts(number: Decimal | None) -> set[Decimal]:
    """Return a number; a long one also as it is shown in powers of ten, and kept in 15 digits."""
    if number is None:
        return set()
    long = abs(number) >= 10**11
    return {number, *(Decimal(f"{number:.{digits}E}") for digits in (5, 14) if long)}


def strays(joined: Joined) -> list[Row]:
    """Return the rows that a new file would lose: those that are no mere doubles of others."""
    there = {row.cells for row in joined.rows.values()}
    return [row for row in joined.others if row.cells not in there]


def means_the_same(one: str, other: str) -> bool:
    """Tell whether two cells say the same, but for how a spreadsheet program writes them.

    It writes numbers without zeros in front, and dates in the order of its country.
    """
    one, other = " ".join(one.split()), " ".join(other.split())
    if one == other:
        return True
    number, other_number = _number(one), _number(other)
    if number is not None and other_number is not None:
        return bool(_shorts(number) & _shorts(other_number))
    if _NO_DATE.search(one) or _NO_DATE.search(other):
        return False
    return _parts(one) == _parts(other)


def _parts(text: str) -> Counter[int]:
    """Return the numbers in a date, without the hours of midnight."""
    return Counter(number for part in _DIGITS.findall(text) if (number := int(part[-9:])))
