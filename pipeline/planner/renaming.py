"""Rows that were renamed: content is identity, inside one manifest and one output folder.

A journal knows its rows by their keys. People rename keys, give the key column another header, add
or drop it, and sort the table at the same time. By its key alone such a row is new, and what was
paid for it would be paid for again. So before anything is decided, rows without an entry are held
against entries without a row:

- An entry is free if no row of the manifest has its key, a row is free if no entry has its key. A
  key that still stands in the manifest keeps its entry, whatever its row says now: it was edited.
- A free row whose request is that of a free entry's latest attempt is that entry's row, renamed.
  The request hash covers all that the provider is told, so equal hashes mean equal videos. The
  entry moves in whatever state it is: done, under way, in doubt, failed, never sent.
- Of equal requests the entries are given to the rows in order: that in which the journal first
  heard of them, and that of the sheet. Where there are more entries than rows, those that ended
  without a video are left over before those that are paid for.

What follows: no free entry's request is ever bought as new; each entry has one row at most and each
row one entry; nothing else moves. A row that breaks a rule has no request, so it cannot be matched.
A free entry that no row matches stays as it was: its row left the manifest.

The earlier keys are no keys of the manifest, and the new ones no keys of entries: renaming is no
chain, and its order does not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from pipeline.lifecycle import PAID
from pipeline.model import Entry, Request, State

_WORTH_MOST = PAID | {State.DONE}


def match_renamed(
    rows: Sequence[tuple[str, Request | None]],
    entries: Mapping[str, Entry],
    first_events: Callable[[], Mapping[str, int]],
) -> dict[str, str]:
    """Find the rows that were renamed: return the earlier key of each, by the new one.

    Args:
        rows: each row's key and its request, in the sheet's order; None if it breaks a rule.
        entries: what the journal knows, by key.
        first_events: gives, by identity, the place of each entry's first event in the journal. It
            is called only where several free entries have the same request.

    """
    waiting = _free_rows(rows, entries)
    if not waiting:
        return {}
    free = _free_entries({key for key, _ in rows}, entries, waiting)
    if any(len(alike) > 1 for alike in free.values()):
        order = first_events()
        free = {
            request_hash: _in_order(alike, len(waiting[request_hash]), order)
            for request_hash, alike in free.items()
        }
    return {
        key: entry.key
        for request_hash, alike in free.items()
        for key, entry in zip(waiting[request_hash], alike, strict=False)
    }


def rename(entries: dict[str, Entry], renamed: Mapping[str, str]) -> None:
    """Put the entries of renamed rows under their new keys.

    `renamed` is what `match_renamed` returned for these entries.
    """
    for key, earlier in renamed.items():
        entries[key] = entries.pop(earlier).with_key(key)


def _free_rows(
    rows: Iterable[tuple[str, Request | None]], entries: Mapping[str, Entry]
) -> dict[str, list[str]]:
    """Return the keys of rows without an entry, by their request's hash, in the sheet's order."""
    free: dict[str, list[str]] = defaultdict(list)
    for key, request in rows:
        if request is not None and key not in entries:
            free[request.request_hash].append(key)
    return dict(free)


def _free_entries(
    keys: set[str], entries: Mapping[str, Entry], waiting: Mapping[str, list[str]]
) -> dict[str, list[Entry]]:
    """Return the entries without a row that a row waits for, by their request's hash."""
    free: dict[str, list[Entry]] = defaultdict(list)
    for key, entry in entries.items():
        request_hash = entry.attempt.request.request_hash
        if key not in keys and request_hash in waiting:
            free[request_hash].append(entry)
    return dict(free)


def _in_order(alike: list[Entry], rows: int, order: Mapping[str, int]) -> list[Entry]:
    """Return as many of these entries as there are rows for, in the journal's order."""
    first = sorted(alike, key=lambda entry: order.get(entry.identity, 0))
    kept = sorted(first, key=lambda entry: entry.state not in _WORTH_MOST)[:rows]
    taken = {entry.key for entry in kept}
    return [entry for entry in first if entry.key in taken]
