"""Renamed rows: their entries are put under the keys that they have now, before anything else.

Tested in tests/system/test_renamed.py.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.events import Event
from pipeline.journal.journal import Journal
from pipeline.model import Entry
from pipeline.planner.planner import renamed_rows
from pipeline.planner.renaming import rename, renaming_events
from pipeline.runner.order import Order


def rename_entries(
    order: Order,
    journal: Journal,
    note: Callable[[Event], None],
    entries: dict[str, Entry],
    wall: float,
) -> dict[str, str]:
    """Put entries under the keys that their rows have now, first of all in the journal.

    It is one transaction, and nothing else is begun before it is durable.

    Args:
        order: What the run is asked to do.
        journal: The journal.
        note: Takes each event for the log.
        entries: What the journal knows, by key; they are renamed here, too.
        wall: The time, in Unix seconds.

    Returns:
        The earlier keys of renamed rows, by their keys now.

    """
    renamed = renamed_rows(order.checked, entries, order.folder, journal.first_events)
    events = renaming_events(renamed, entries)
    if events:
        journal.append(events, wall).result()
        rename(entries, renamed)
    for event in events:
        note(event)
    return renamed
