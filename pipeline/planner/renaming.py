"""Rows whose keys have changed: content is identity, inside one manifest and one output folder.

A journal knows its rows by their keys. People rename keys, number the rows anew, give the key
column another header, add or drop it, and sort the table at the same time. By its key alone such a
row is new or edited, and what was paid for it would be paid for again, or shown for another
product. So before anything is decided, rows and entries are matched by their requests:

- A row whose own entry, the one with its key, has the row's very request is settled with it.
- Every other row with a request is open, and every entry that no row is settled with is free:
  its key is gone, or the row with that key asks for something else now, or breaks a rule.
- An open row whose request is that of a free entry's latest attempt is that entry's row. A
  request is all that the provider is told, so equal requests mean equal videos, in whatever
  spelling (see `checker.rules`). The entry moves in whatever state it is: done, under way, in
  doubt, failed, never sent.
- Of equal requests the entries are given to the rows in order: that in which the journal first
  heard of them, and that of the sheet. Where there are more entries than rows, those that ended
  without a video are left over before those that are paid for.
- A free entry that finds no row keeps its key and, if there is a row with it that found no entry
  either, its row: that row was edited. If another entry takes the key, it steps aside, under a key
  that no row can have: it has left the manifest, and what is paid for is still fetched.
- An open row that matches nothing, and whose own entry has moved away, is new.

What follows: no request is bought as new that a free entry asked for last, unless there are more
rows with it than entries; each entry has one row at most and each row one entry; what moves has the
row's very request. A row that breaks a rule has no request, so it cannot be matched.

Keys may be exchanged in chains and circles. In memory all of them change at once (`rename`); the
journal changes them one after the other (`renaming_events`), so that no two entries have the same
key at one time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.checker.rules import content_of, same_content
from pipeline.events import Renamed
from pipeline.lifecycle import PAID
from pipeline.model import Entry, Request, State, aside_key

_WORTH_MOST = PAID | {State.DONE}


def match_renamed(
    rows: Sequence[tuple[str, Request | None]],
    entries: Mapping[str, Entry],
    first_events: Callable[[], Mapping[str, int]],
) -> dict[str, str]:
    """Find the entries whose keys change: return the earlier key of each, by the new one.

    The new keys are those of rows that were renamed, and of no row for entries that step aside.

    Args:
        rows: each row's key and its request, in the sheet's order; None if it breaks a rule.
        entries: what the journal knows, by key.
        first_events: gives, by identity, the place of each entry's first event in the journal. It
            is called only where several free entries have the same request.

    """
    settled = _settled_keys(rows, entries)
    waiting = _open_rows(rows, settled)
    if not waiting:
        return {}
    free = _free_entries(settled, entries, waiting)
    if any(len(alike) > 1 for alike in free.values()):
        order = first_events()
        free = {
            content: _in_order(alike, len(waiting[content]), order)
            for content, alike in free.items()
        }
    moving = {
        key: entry.key
        for content, alike in free.items()
        for key, entry in zip(waiting[content], alike, strict=False)
    }
    left = moving.keys() & entries.keys() - set(moving.values())
    return moving | {aside_key(entries[key].identity): key for key in sorted(left)}


def rename(entries: dict[str, Entry], renamed: Mapping[str, str]) -> None:
    """Put entries under their new keys, all at once.

    `renamed` is what `match_renamed` returned for these entries.
    """
    moving = [(key, entries.pop(earlier)) for key, earlier in renamed.items()]
    entries.update((key, entry.with_key(key)) for key, entry in moving)


def renaming_events(renamed: Mapping[str, str], entries: Mapping[str, Entry]) -> list[Renamed]:
    """Return the events by which entries come to their new keys, each to a key that is free then.

    Of the keys that go round in a circle, the first entry steps aside until its own key is free.
    `renamed` is what `match_renamed` returned for `entries`, which have their earlier keys.
    """
    numbers = {earlier: entries[earlier].attempt.number for earlier in renamed.values()}
    left = dict(renamed)
    events = []

    def fill(free: str) -> None:
        """Give a free key to its entry, then the key that this one had, and so on."""
        while free in left:
            earlier = left.pop(free)
            events.append(Renamed(earlier, numbers[earlier], free))
            free = earlier

    for key in renamed:
        if key not in numbers:
            fill(key)
    for key, earlier in renamed.items():
        if key in left:
            aside = aside_key(entries[earlier].identity)
            events.append(Renamed(earlier, numbers[earlier], aside))
            left[key], numbers[aside] = aside, numbers[earlier]
            fill(earlier)
    return events


def _settled_keys(
    rows: Iterable[tuple[str, Request | None]], entries: Mapping[str, Entry]
) -> set[str]:
    """Return the keys whose row asks for what its own entry asked for last."""
    return {
        key
        for key, request in rows
        if request is not None
        and key in entries
        and same_content(entries[key].attempt.request, request)
    }


def _open_rows(
    rows: Iterable[tuple[str, Request | None]], settled: set[str]
) -> dict[str, list[str]]:
    """Return the keys of rows that are not settled, by their request, in sheet order."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for key, request in rows:
        if request is not None and key not in settled:
            waiting[content_of(request)].append(key)
    return dict(waiting)


def _free_entries(
    settled: set[str], entries: Mapping[str, Entry], waiting: Mapping[str, list[str]]
) -> dict[str, list[Entry]]:
    """Return the free entries that an open row waits for, by their request."""
    free: dict[str, list[Entry]] = defaultdict(list)
    for key, entry in entries.items():
        if key not in settled and (content := content_of(entry.attempt.request)) in waiting:
            free[content].append(entry)
    return dict(free)


def _in_order(alike: list[Entry], rows: int, order: Mapping[str, int]) -> list[Entry]:
    """Return as many of these entries as there are rows for, in the journal's order."""
    first = sorted(alike, key=lambda entry: order.get(entry.identity, 0))
    kept = sorted(first, key=lambda entry: entry.state not in _WORTH_MOST)[:rows]
    taken = {entry.key for entry in kept}
    return [entry for entry in first if entry.key in taken]
