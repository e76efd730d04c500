"""Editions of one table: a manifest whose keys were bought under another name, in other words.

A nightly export has a date in its file name, and a word or the address of a picture differs from
the day before. Such a file is a manifest of its own, so all its rows are new, and none is a repeat:
the very request was never bought. In one manifest these rows would be `changed` and left alone. So
a run asks before it pays, if of the rows that it would pay for many have keys of another manifest:
one that was bought before, or that the same run pays for. Rows whose very request was bought are no
matter of this: what becomes of them the setting `repeats` says. The setting `manifest.series` gives
all editions one journal.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from pipeline.model import Entry
from pipeline.planner.plan import Action, Plan, Selection

_DATE = re.compile(r"(?:[0-9][-_. ]?){4,}")
LEAST_ROWS = 10
"""Fewer rows than these are paid for without a question."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A manifest of the account, by its journal, and those of some keys that were bought for it.

    With `now` the run that asks is about to buy them.
    """

    journal_id: str
    folder: str
    manifest: str
    keys: frozenset[str]
    now: bool = False


@dataclass(frozen=True, slots=True)
class Sibling:
    """A manifest that is run together with another: what is bought for it, content by key."""

    folder: str
    manifest: str
    contents: Mapping[str, str]

    def as_edition(self, keys: Collection[str]) -> Edition:
        """Return it with those of some keys that it has."""
        return Edition(
            "", self.folder, self.manifest, frozenset(self.contents.keys() & keys), now=True
        )


@dataclass(frozen=True, slots=True)
class SameTable:
    """Why a manifest looks like another edition of a table.

    Of the rows with `asked` keys, which would be paid for, those with `known` keys were bought
    before in other words, most of them for `edition`.
    """

    asked: tuple[str, ...]
    known: tuple[str, ...]
    edition: Edition


def keys_to_ask_for(
    plan: Plan, entries: Mapping[str, Entry], exempt: Collection[str]
) -> tuple[str, ...]:
    """Return the keys of the rows that would be paid for and were never sent.

    Args:
        plan: the plan, with its repeats.
        entries: what the journal knows, by key.
        exempt: the keys of rows that are paid for on purpose.

    """
    return tuple(
        step.key
        for step in plan.of(Action.SUBMIT)
        if step.key not in exempt and not (step.key in entries and entries[step.key].submissions)
    )


def widen(selection: Selection) -> Selection:
    """Return a selection without what narrows it: another edition is known by all of its rows."""
    return replace(
        selection,
        redo=frozenset(),
        redo_changed=False,
        only=None,
        limit=None,
        pay_again=frozenset(),
        pay_again_all=False,
    )


def find_same_table(
    asked: Sequence[str], editions: Sequence[Edition], least: int = LEAST_ROWS
) -> SameTable | None:
    """Return why these rows look like another edition of a table; None if they do not.

    They do if enough of them, and at least half, have keys that were bought before.

    Args:
        asked: the keys of the rows, as `keys_to_ask_for` gives them.
        editions: the manifests of the account that have some of them.
        least: how many are enough.

    """
    bought = frozenset[str]().union(*(edition.keys for edition in editions))
    known = tuple(key for key in asked if key in bought)
    if len(known) < least or 2 * len(known) < len(asked):
        return None
    closest = max(editions, key=lambda edition: len(edition.keys.intersection(asked)))
    return SameTable(tuple(asked), known, closest)


def are_called_alike(one: PurePath, other: PurePath) -> bool:
    """Return whether two files may be editions of a table, by their names.

    They differ in a date, in the file's name or in its folder's, or the one has words after the
    name of the other. Equal keys alone do not tell, see `begins_series`.
    """
    short, long = sorted((one.stem.casefold(), other.stem.casefold()), key=len)
    if short == long:
        return _differ_in_date(one.parent.name, other.parent.name)
    more = long.removeprefix(short)
    return (more != long and not more[0].isdigit()) or _differ_in_date(short, long)


def _differ_in_date(one: str, other: str) -> bool:
    return one != other and _DATE.search(one) is not None and _undated(one) == _undated(other)


def _undated(name: str) -> str:
    return _DATE.sub("", name).casefold()


def begins_series(series: str, edition: Edition) -> bool:
    """Return whether a manifest may be an edition of a series: its name begins as the series does.

    Equal keys alone do not tell: many tables number their rows from 1.
    """
    stem = PurePath(edition.manifest).stem
    return stem.casefold().startswith(series.casefold())


def series_of(stem: str, other: str) -> str:
    """Return a name for the series of two editions: how their names begin, without their dates."""
    shorter = min(len(stem), len(other))
    pairs = enumerate(zip(stem.casefold(), other.casefold(), strict=False))
    alike = next((at for at, (one, two) in pairs if one != two), shorter)
    return stem[:alike].rstrip("0123456789 ._-()") or stem
