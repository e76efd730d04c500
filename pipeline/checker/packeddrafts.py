"""The drafts and requests of a large manifest, made of its packed rows when they are asked for.

A million drafts take a third of a gigabyte, and a check needs no more than to know that they are
there. Only those are kept that it took a closer look to make.

Tested in tests/checker/test_packeddrafts.py.
"""

from __future__ import annotations

from collections.abc import ItemsView, Mapping, ValuesView
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.checker.rules import make_request
from pipeline.manifest.blank import strip_blanks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from pipeline.checker.rules import Draft
    from pipeline.manifest.packedrows import PackedRows
    from pipeline.model import Request, Row


@dataclass(frozen=True, eq=False)
class PackedDrafts(Mapping[int, "Draft"]):
    """The drafts of rows by their physical numbers, in the order of the rows.

    `read` makes the draft of a row from its key, `prompt_at` is the index of the column that it
    takes the prompt from. `kept` are drafts that it cannot make; rows of `none` have no draft.
    """

    rows: PackedRows
    row_keys: Sequence[str]
    read: Callable[[Row, str], Draft | None]
    prompt_at: int
    kept: Mapping[int, Draft]
    none: AbstractSet[int]

    def without(self, numbers: Collection[int]) -> PackedDrafts:
        """Return the same without the drafts of some rows."""
        return replace(self, none=self.none | {number for number in numbers if number in self})

    def with_kept(self, kept: Mapping[int, Draft]) -> PackedDrafts:
        """Return the same with other drafts that were made with a closer look."""
        return replace(self, kept=kept, none=self.none - kept.keys())

    def prompts(self) -> Iterator[tuple[int, str]]:
        """Return the number and the prompt of each, without making the rest."""
        kept, none = self.kept, self.none
        for number, text in zip(self.rows.numbers, self.rows.texts_of(self.prompt_at), strict=True):
            if number not in none:
                yield number, kept[number].prompt if number in kept else strip_blanks(text)

    def walk(self) -> Iterator[tuple[int, Draft]]:
        """Return the number and the draft of each."""
        for row, key in zip(self.rows, self.row_keys, strict=True):
            if row.number not in self.none:
                yield row.number, self._draft_of(row, key)

    def __len__(self) -> int:
        return len(self.rows) - len(self.none)

    def __iter__(self) -> Iterator[int]:
        return (number for number in self.rows.numbers if number not in self.none)

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self._place_of(number) is not None

    def __getitem__(self, number: int) -> Draft:
        place = self._place_of(number)
        if place is None:
            raise KeyError(number)
        return self._draft_of(self.rows[place], self.row_keys[place])

    def _draft_of(self, row: Row, key: str) -> Draft:
        draft = self.kept.get(row.number) or self.read(row, key)
        if draft is None:
            raise KeyError(row.number)
        return draft

    def items(self) -> ItemsView[int, Draft]:
        """Return the pairs, made row by row."""
        return _Items(self)

    def values(self) -> ValuesView[Draft]:
        """Return the drafts, made row by row."""
        return _Values(self)

    def _place_of(self, number: int) -> int | None:
        return None if number in self.none else self.rows.place_of(number)


class _Items(ItemsView[int, "Draft"]):
    """Pairs made row by row: a look-up for each would take three times as long."""

    _mapping: PackedDrafts

    def __iter__(self) -> Iterator[tuple[int, Draft]]:
        return self._mapping.walk()


class _Values(ValuesView["Draft"]):
    _mapping: PackedDrafts

    def __iter__(self) -> Iterator[Draft]:
        return (draft for _, draft in self._mapping.walk())


def prompts_of(drafts: Mapping[int, Draft]) -> Iterator[tuple[int, str]]:
    """Return the number of each row and its prompt."""
    if isinstance(drafts, PackedDrafts):
        return drafts.prompts()
    return ((number, draft.prompt) for number, draft in drafts.items())


def drafts_without(drafts: Mapping[int, Draft], numbers: Collection[int]) -> Mapping[int, Draft]:
    """Return drafts without those of some rows."""
    if isinstance(drafts, PackedDrafts):
        return drafts.without(numbers)
    return {number: draft for number, draft in drafts.items() if number not in numbers}


@dataclass(frozen=True, eq=False)
class PackedRequests(Mapping[int, "Request"]):
    """The requests of drafts by their rows' physical numbers; `images` are those of the rows."""

    drafts: PackedDrafts
    images: Mapping[int, tuple[str, ...]]
    model: str

    def walk(self) -> Iterator[tuple[Draft, Request]]:
        """Return each draft with its request, in the order of the rows."""
        return ((draft, self._of(draft)) for draft in self.drafts.values())

    def _of(self, draft: Draft) -> Request:
        return make_request(draft, self.images.get(draft.row, ()), self.model)

    def __len__(self) -> int:
        return len(self.drafts)

    def __iter__(self) -> Iterator[int]:
        return iter(self.drafts)

    def __contains__(self, number: object) -> bool:
        return number in self.drafts

    def __getitem__(self, number: int) -> Request:
        return self._of(self.drafts[number])

    def items(self) -> ItemsView[int, Request]:
        """Return the pairs, made row by row."""
        return _RequestItems(self)

    def values(self) -> ValuesView[Request]:
        """Return the requests, made row by row."""
        return _RequestValues(self)


class KeyedRequests(Mapping[str, "Request"]):
    """The same by the keys of the rows."""

    def __init__(self, requests: PackedRequests) -> None:
        self._requests = requests

    @cached_property
    def _number_of(self) -> dict[str, int]:
        drafts = self._requests.drafts
        numbers = zip(drafts.row_keys, drafts.rows.numbers, strict=True)
        return {key: number for key, number in numbers if number not in drafts.none}

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[str]:
        return iter(self._number_of)

    def __contains__(self, key: object) -> bool:
        return key in self._number_of

    def __getitem__(self, key: str) -> Request:
        return self._requests[self._number_of[key]]

    def items(self) -> ItemsView[str, Request]:
        """Return the pairs, made row by row."""
        return _KeyedItems(self)

    def values(self) -> ValuesView[Request]:
        """Return the requests, made row by row."""
        return self._requests.values()

    def walk(self) -> Iterator[tuple[str, Request]]:
        """Return each key with its request, in the order of the rows."""
        return ((draft.key, request) for draft, request in self._requests.walk())


class _RequestItems(ItemsView[int, "Request"]):
    _mapping: PackedRequests

    def __iter__(self) -> Iterator[tuple[int, Request]]:
        return ((draft.row, request) for draft, request in self._mapping.walk())


class _KeyedItems(ItemsView[str, "Request"]):
    _mapping: KeyedRequests

    def __iter__(self) -> Iterator[tuple[str, Request]]:
        return self._mapping.walk()


class _RequestValues(ValuesView["Request"]):
    _mapping: PackedRequests

    def __iter__(self) -> Iterator[Request]:
        return (request for _, request in self._mapping.walk())
