"""Which rows stand for a whole sheet: spread over it, and over the kinds of rows that are in it.

Kinds are the values of the user's own columns that group rows, such as a collection or a type of
product, and what differs in the requests. No kind comes a second time before each has come once, as
far as there is room. The same sheet gives the same rows: there is no chance in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import chain
from math import fsum
from typing import TypeAlias

from pipeline.model import Request

_Kind: TypeAlias = tuple[str, str]
"""A kind: of what, and which."""
_MOST_VALUES = 50
"""A column with more different values tells articles apart, and does not group them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that may be chosen, with its place in the sheet, from 0, and its kinds."""

    key: str
    place: int
    kinds: frozenset[_Kind] = frozenset()


def candidates_of(
    headers: Sequence[str],
    own: Iterable[int],
    rows: Sequence[tuple[str, Sequence[str], Request | None]],
) -> list[Candidate]:
    """Return the rows of a sheet that break no rule, with their kinds.

    Args:
        headers: the headers of the sheet.
        own: which columns are the user's own, by their place.
        rows: each row's key, its cells and its request; None if it breaks a rule.

    """
    valid = [(place, *row) for place, row in enumerate(rows) if row[2] is not None]
    grouping = {
        f"column {headers[column]}": values
        for column in own
        if (values := _grouped(cells[column] for _, _, cells, _ in valid)) is not None
    }
    return [
        Candidate(
            key,
            place,
            frozenset(
                chain(
                    ((name, values[n]) for name, values in grouping.items() if values[n]),
                    _kinds_of(request) if request is not None else (),
                )
            ),
        )
        for n, (place, key, _, request) in enumerate(valid)
    ]


def _grouped(cells: Iterable[str]) -> list[str] | None:
    """Return the values of a column that groups rows, some for each value; None for another one."""
    values, counts = [], Counter[str]()
    for cell in cells:
        value = " ".join(cell.split()).casefold()
        values.append(value)
        if value:
            counts[value] += 1
        if len(counts) > _MOST_VALUES:
            return None
    return values if 1 < len(counts) <= counts.total() // 2 else None


def _kinds_of(request: Request) -> Iterable[_Kind]:
    local = sum(one.startswith("sha256:") for one in request.images)
    web = len(request.images) - local
    where = " and ".join(word for word, number in (("local", local), ("web", web)) if number)
    return (
        ("duration", str(request.duration)),
        ("aspect_ratio", request.aspect_ratio),
        ("resolution", request.resolution.casefold()),
        ("pictures", str(len(request.images))),
        ("pictures from", where),
    )


def choose(
    candidates: Sequence[Candidate],
    number: int,
    chosen: Sequence[Candidate] = (),
    *,
    length: int,
) -> list[str]:
    """Return the keys of rows that make up a pilot of so many rows, in the order of their weight.

    Args:
        candidates: the rows to choose from.
        number: how many rows the pilot has, with those that are chosen already.
        chosen: the rows of it that are chosen already.
        length: how many rows the sheet has.

    """
    if number <= len(chosen) or not candidates:
        return []
    kinds = set(chain.from_iterable(one.kinds for one in (*candidates, *chosen)))
    # Where not all kinds find room the common ones come first. Where all might, the rare ones do:
    # a row that has one of them is needed anyway, and may stand for a common one, too.
    found = [_Choice(candidates, number, chosen, length, rare).make() for rare in (False, True)]
    known = set(chain.from_iterable(one.kinds for one in chosen))
    reached = [len(known.union(*(one.kinds for one in some))) for some in found]
    best = found[1] if reached[1] == len(kinds) and reached[0] < len(kinds) else found[0]
    return [one.key for one in best]


class _Choice:
    """One way to choose: the row with the most new kinds first, then one of an empty stretch."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        number: int,
        chosen: Sequence[Candidate],
        length: int,
        rare: bool,
    ) -> None:
        self._number = number
        self._length = max(1, length)
        self._rare = rare
        self._chosen = list(chosen)
        self._counts = Counter(chain.from_iterable(one.kinds for one in candidates))
        self._left: defaultdict[frozenset[_Kind], list[Candidate]] = defaultdict(list)
        for one in candidates:
            self._left[one.kinds].append(one)

    def make(self) -> list[Candidate]:
        found: list[Candidate] = []
        seen = set(chain.from_iterable(one.kinds for one in self._chosen))
        while self._left and len(self._chosen) < self._number:
            weights = {kinds: self._weigh(kinds - seen) for kinds in self._left}
            heaviest = max(weights.values())
            if not heaviest[0] and seen:
                seen = set()  # each kind has come: from here they come again
                continue
            alike = [kinds for kinds, weight in weights.items() if weight == heaviest]
            one = self._best_placed(chain.from_iterable(self._left[kinds] for kinds in alike))
            found.append(one)
            self._chosen.append(one)
            seen |= one.kinds
            self._left[one.kinds].remove(one)
            if not self._left[one.kinds]:
                del self._left[one.kinds]
        return found

    def _weigh(self, new: AbstractSet[_Kind]) -> tuple[int, float]:
        # Sums that do not depend on the order: the same sheet gives the same pilot.
        counts = [self._counts[kind] for kind in new]
        return len(counts), fsum(1 / one for one in counts) if self._rare else float(sum(counts))

    def _best_placed(self, candidates: Iterable[Candidate]) -> Candidate:
        taken = {self._stretch(one) for one in self._chosen}

        def rank(one: Candidate) -> tuple[bool, float, int]:
            stretch = self._stretch(one)
            middle = (stretch + 0.5) * self._length / self._number
            return stretch in taken, abs(one.place + 0.5 - middle), one.place

        return min(candidates, key=rank)

    def _stretch(self, one: Candidate) -> int:
        return one.place * self._number // self._length
