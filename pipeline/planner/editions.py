"""Editions of one table: a manifest whose keys were bought under another name, in other words.

A nightly export has a date in its file name, and a word or the address of a picture differs from
the day before. Such a file is a manifest of its own, so all its rows are new, and none is a repeat:
the very request was never bought. In one manifest these rows would be `changed` and left alone. So
a run asks before it pays, if of the rows that it would pay for many have keys of another manifest:
one that was bought before, or that the same run pays for. Rows whose very request was bought are no
matter of this: what becomes of them the setting `repeats` says. The setting `manifest.series` gives
all editions one journal, which takes over what was bought for an edition before: for the very file,
for an edition called like the series, or for one that is gone, where a person says so. A series
whose journal does not know these keys is asked about like any other manifest.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from pipeline.manifest.invocation import Invocation
from pipeline.model import Entry
from pipeline.planner.plan import Action, Plan
from pipeline.planner.selection import Selection

_DATE = re.compile(r"(?:[0-9][-_. ]?){4,}")
_NUMBERS = "0123456789 ._-()"
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
        pilot=None,
        redo_rejected=False,
        rejected=frozenset(),
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
    if not editions:
        return None
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

    A date before the name is no part of it. Equal keys alone do not tell: many tables number their
    rows from 1.
    """
    stem = PurePath(edition.manifest).stem
    names = (stem.casefold(), _bare(stem).casefold())
    return any(name.startswith(series.casefold()) for name in names)


def series_of(stem: str, other: str) -> str:
    """Return a name for the series of two editions: how their names begin, without their dates.

    Where they have no word in common it is called after the `other`, whose rows were bought.
    """
    one, two = _bare(stem), _bare(other)
    pairs = enumerate(zip(one.casefold(), two.casefold(), strict=False))
    alike = next((at for at, (a, b) in pairs if a != b), min(len(one), len(two)))
    torn = one[:alike][-1:].isalpha() and (one[alike:][:1].isalpha() or two[alike:][:1].isalpha())
    common = "" if torn else one[:alike].rstrip(_NUMBERS)
    return common or two or other.lstrip("-.") or "series"


def _bare(stem: str) -> str:
    """Return the name of a file without its dates, and without what parts them from the rest."""
    return _DATE.sub("", stem).strip(" ._-")


@dataclass(frozen=True, slots=True)
class WayOn:
    """How a manifest becomes an edition of a series, as commands; they pay for no edited row.

    `owner` is the manifest that rows were bought for, `gone` that its file is. `known` says that
    the series knows these rows already, `renamed` that the manifest can go on in its folder.
    """

    typed: Invocation
    series: str
    owner: Path
    out: Path | None = None
    gone: bool = False
    known: bool = False
    renamed: bool = False

    @property
    def sentences(self) -> str:
        """Say which commands, in their order."""
        joining = replace(self.typed, series=self.series, out=self.out)
        if self.known:
            return f"run: {joining.command('run')}."
        if not self.gone:
            taking_over = replace(joining, manifest=self.owner, origin=None)
            return (
                f"let the series {self.series} take over what was bought, first, with: "
                f"{taking_over.command('run', '--limit', '0')}. Then run: {joining.command('run')}."
            )
        moved = f" If it is that file, renamed: {self.typed.command('run', '--adopt')}."
        return (
            f"which is gone, run: {joining.command('run', '--adopt')}."
            f"{moved if self.renamed else ''}"
        )
