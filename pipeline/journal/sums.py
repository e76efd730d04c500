"""What the submissions of a journal add up to, between two moments: for whoever looks from outside.

Tested in tests/night/test_history.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.disk.sqlitefile import path_of
from pipeline.journal.database import STOPPED, clear_errors, connect_for_reading
from pipeline.model import State

_MANIFEST = "SELECT value FROM meta WHERE name = 'manifest'"
_SENT = (
    "SELECT state, COUNT(*), COUNT(cost), SUM(cost) FROM attempts WHERE state != 'refused' AND "
    "(submitted_at >= ? AND submitted_at < ? OR submitted_at IS NULL AND state = 'submitting') "
    "GROUP BY state"
)
# What was taken from another row has the time at which that one's video was made.
_ENDED = (
    "SELECT state, COUNT(*), COUNT(video) FROM attempts WHERE submitted_at IS NOT NULL "
    "AND finished_at >= ? AND finished_at < ? GROUP BY state"
)

_UNTOLD = (
    "SELECT key, number FROM attempts WHERE video IS NOT NULL AND finished_at >= "
    "(SELECT MIN(started_at) FROM runs WHERE command = 'night' AND finished_at IS NULL "
    "AND run_id != ? AND started_at > COALESCE((SELECT MAX(started_at) FROM runs "
    "WHERE command = 'night' AND finished_at IS NOT NULL), 0))"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent for a manifest: submissions by the state that they are in now, and their cost.

    Those whose answer a kill kept away are `submitting`. `cost` is None if one has no price.
    Whenever they were sent, `ended` are those that ended in this time, and of `home` the videos
    came, also where a later take has their place by now.
    """

    manifest: Path | None
    states: Mapping[State, int]
    cost: float | None
    ended: Mapping[State, int] = field(default_factory=dict)
    home: int = 0


@dataclass(frozen=True, slots=True)
class RunTold:
    """A run as the journal notes it. Times are Unix seconds, None where it has no end.

    `stopped_by` says what ended it early.
    """

    run_id: str
    command: str
    started_at: float
    finished_at: float | None
    exit_code: int | None
    stopped_by: str | None


def runs_in(journal: Path) -> list[RunTold]:
    """Return the runs of a journal, the earliest first; raises StoreError."""
    connection = connect_for_reading(journal)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(journal):
        found = connection.execute(
            "SELECT run_id, command, started_at, finished_at, exit_code, value FROM runs "
            "LEFT JOIN meta ON name = ? || run_id ORDER BY started_at",
            (STOPPED,),
        )
        return [RunTold(*row) for row in found]


def arrived_untold(journal: Path, run_id: str) -> list[tuple[str, int]]:
    """Return the takes of which no night has told, as those that they came in were killed.

    Later runs by day do not count as told. Raises StoreError.

    Args:
        journal: The file; nothing came if there is none.
        run_id: The night that goes on, which has no end yet either.

    Returns:
        The identities of their rows, and their numbers.

    """
    connection = connect_for_reading(journal)
    if connection is None:
        return []
    with contextlib.closing(connection), clear_errors(journal):
        return connection.execute(_UNTOLD, (run_id,)).fetchall()


def sum_up(journal: Path, since: float, before: float) -> Sent:
    """Return what was sent, and what ended, from one Unix second on; raises StoreError.

    Args:
        journal: The file; nothing was sent if there is none.
        since: The first second.
        before: The second after the last one.

    """
    connection = connect_for_reading(journal)
    if connection is None:
        return Sent(None, {}, None)
    with contextlib.closing(connection), clear_errors(journal):
        named = connection.execute(_MANIFEST).fetchone()
        found = connection.execute(_SENT, (since, before)).fetchall()
        ended = connection.execute(_ENDED, (since, before)).fetchall()
    states = {State(one[0]): one[1] for one in found}
    priced = bool(found) and all(one[1] == one[2] for one in found)
    cost = sum(one[3] for one in found) if priced else None
    manifest = path_of(named[0]) if named else None
    home = sum(one[2] for one in ended)
    return Sent(manifest, states, cost, {State(one[0]): one[1] for one in ended}, home)
