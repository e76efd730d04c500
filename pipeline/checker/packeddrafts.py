"""The drafts and requests of a large manifest, made of its packed rows when they are asked for.

A million drafts take a third of a gigabyte, and a check needs no more than to know that they are
there. Only those are kept that it took a closer look to make.

Tested in tests/checker/test_packeddrafts.py.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import ItemsView, Mapping, ValuesView
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, compress, count, islice
from operator import mul, not_
from typing import TYPE_CHECKING

from pipeline.checker.rules import Draft, Form, make_request, plain_prompt
from pipeline.manifest.blank import strip_all, strip_blanks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pipeline.checker.drafts import PlainForms
    from pipeline.manifest.packedrows import PackedRows
    from pipeline.model import Request, Row

_BUNDLE = 1000


@dataclass(frozen=True, eq=False)
class PackedDrafts(Mapping[int, "Draft"]):
    """The drafts of rows by their physical numbers, in the order of the rows.

    `plain` has the forms of the rows without pictures, whose prompts are in the column with the
    index `prompt_at`. `kept` are the drafts of other rows; those that are in neither have none.
    """

    rows: PackedRows
    row_keys: Sequence[str]
    plain: PlainForms
    prompt_at: int
    kept: Mapping[int, Draft]

    def without(self, numbers: Collection[int | None]) -> PackedDrafts:
        """Return the same without the drafts of some rows."""
        forms = self.plain.numbers[:]
        for number in numbers:
            if number is not None and (place := self.rows.place_of(number)) is not None:
                forms[place] = 0
        kept = {number: one for number, one in self.kept.items() if number not in numbers}
        return replace(self, plain=self.plain._replace(numbers=forms), kept=kept)

    def of_keys(self, keys: Collection[str]) -> PackedDrafts:
        """Return those of rows with these keys."""
        chosen = map(keys.__contains__, self.row_keys)
        forms = array(self.plain.numbers.typecode, map(mul, self.plain.numbers, chosen))
        kept = {number: one for number, one in self.kept.items() if one.key in keys}
        return replace(self, plain=self.plain._replace(numbers=forms), kept=kept)

    def left_rows(self) -> Iterator[tuple[Row, str]]:
        """Return the rows without a plain draft, with their keys."""
        places = compress(count(), map(not_, self.plain.numbers))
        return ((self.rows[place], self.row_keys[place]) for place in places)

    def validity(self) -> Iterator[bool]:
        """Return for each row of the manifest whether it has a draft."""
        if not self.kept:
            return map(bool, self.plain.numbers)
        numbered = zip(self.plain.numbers, self.rows.numbers, strict=True)
        return (form > 0 or number in self.kept for form, number in numbered)

    def prompts(self) -> Iterator[tuple[int, str]]:
        """Return the number and the prompt of each, without making the rest."""
        texts = chain.from_iterable(
            strip_all(cells) for (cells,) in self.rows.columns([self.prompt_at])
        )
        pairs = zip(self.rows.numbers, texts, strict=True)
        if not self.kept:
            return compress(pairs, self.plain.numbers)
        return self._with_kept(zip(pairs, self.plain.numbers, strict=True))

    def _with_kept(self, texts: Iterable[tuple[tuple[int, str], int]]) -> Iterator[tuple[int, str]]:
        for (number, text), form in texts:
            if form:
                yield number, text
            elif (kept := self.kept.get(number)) is not None:
                yield number, kept.prompt

    def walk(self) -> Iterator[tuple[int, Draft]]:
        """Return the number and the draft of each."""
        forms, kept = self.plain.forms, self.kept
        texts = chain.from_iterable(cells for (cells,) in self.rows.columns([self.prompt_at]))
        rows = zip(self.rows.numbers, self.row_keys, texts, self.plain.numbers, strict=True)
        for number, key, text, at in rows:
            if at:
                yield number, Draft(key, number, strip_blanks(text), (), *forms[at])
            elif number in kept:
                yield number, kept[number]

    def count_forms(self) -> Counter[Form]:
        """Return how many have which form, without making them."""
        found = Counter(one.form for one in self.kept.values())
        for at, times in Counter(filter(None, self.plain.numbers)).items():
            found[self.plain.forms[at][0]] += times
        return found

    def __len__(self) -> int:
        return len(self.plain.numbers) - self.plain.numbers.count(0) + len(self.kept)

    def __iter__(self) -> Iterator[int]:
        return compress(self.rows.numbers, self.validity())

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and (number in self.kept or self._has_plain(number))

    def __getitem__(self, number: int) -> Draft:
        if number in self.kept:
            return self.kept[number]
        place = self.rows.place_of(number)
        if place is None or not (at := self.plain.numbers[place]):
            raise KeyError(number)
        prompt = strip_blanks(self.rows[place].cells[self.prompt_at])
        return Draft(self.row_keys[place], number, prompt, (), *self.plain.forms[at])

    def items(self) -> ItemsView[int, Draft]:
        """Return the pairs, made row by row."""
        return _Items(self)

    def values(self) -> ValuesView[Draft]:
        """Return the drafts, made row by row."""
        return _Values(self)

    def _has_plain(self, number: int) -> bool:
        place = self.rows.place_of(number)
        return place is not None and self.plain.numbers[place] > 0


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


def bundles_of(drafts: Mapping[int, Draft]) -> Iterator[list[tuple[int, str]]]:
    """Return the same in lists of a thousand: what is done to each list at once costs less."""
    prompts = iter(prompts_of(drafts))
    return iter(lambda: list(islice(prompts, _BUNDLE)), [])


def drafts_without(drafts: Mapping[int, Draft], numbers: Collection[int]) -> Mapping[int, Draft]:
    """Return drafts without those of some rows."""
    if isinstance(drafts, PackedDrafts):
        return drafts.without(numbers)
    return {number: draft for number, draft in drafts.items() if number not in numbers}


def drafts_of(drafts: Mapping[int, Draft], keys: Collection[str]) -> Mapping[int, Draft]:
    """Return the drafts of rows with these keys."""
    if isinstance(drafts, PackedDrafts):
        return drafts.of_keys(keys)
    return {number: draft for number, draft in drafts.items() if draft.key in keys}


def keys_with_prompts(drafts: Mapping[int, Draft], prompts: Collection[int]) -> frozenset[str]:
    """Return the keys of rows whose prompts, in whatever spelling, have one of these hashes."""
    numbers = [one for one, text in prompts_of(drafts) if hash(plain_prompt(text)) in prompts]
    return frozenset(drafts[number].key for number in numbers)


def count_forms(drafts: Mapping[int, Draft]) -> Counter[Form]:
    """Return how many drafts have which form."""
    if isinstance(drafts, PackedDrafts):
        return drafts.count_forms()
    return Counter(draft.form for draft in drafts.values())


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
        rows = zip(drafts.row_keys, drafts.rows.numbers, strict=True)
        return dict(compress(rows, drafts.validity()))

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
