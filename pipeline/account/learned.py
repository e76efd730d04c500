"""What runs have learned of how tasks go, kept in the book for the next ones.

A line for each kind of request of an account; none grows, and the oldest kinds are left out.
Several processes add to it at a time, each what it has learned itself since it did so last.

Tested in tests/account/test_learned.py.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from pipeline.account.book import NONE_WITHHELD, Book
from pipeline.account.schema import reading
from pipeline.disk.groupcommit import Committed
from pipeline.disk.sqlitefile import version_of
from pipeline.engine.bars import PARTS, Ratios
from pipeline.engine.experience import Known
from pipeline.errors import Withheld

_SINCE_VERSION = 2
_KINDS = 50
"""So many kinds of an account are kept."""
_DIGITS = 4

_GET = "SELECT model, seconds, resolution, pictures, body FROM learned WHERE account = ?"
_GET_ONE = (
    "SELECT body FROM learned WHERE account = ? AND model = ? AND seconds = ? AND resolution = ? "
    "AND pictures = ?"
)
_PUT = "INSERT OR REPLACE INTO learned VALUES (?, ?, ?, ?, ?, ?, ?)"
_DROP_OLD = (
    "DELETE FROM learned WHERE account = ? AND (model, seconds, resolution, pictures) NOT IN "
    "(SELECT model, seconds, resolution, pictures FROM learned WHERE account = ? "
    "ORDER BY at DESC LIMIT ?)"
)


def learned_tasks(book: Path, account: str) -> list[Known]:
    """Return what is known of how an account's tasks go.

    Args:
        book: The file of the account's book.
        account: The account.

    Raises:
        StoreError: The book cannot be read.

    """
    with reading(book) as connection:
        if version_of(connection) < _SINCE_VERSION:
            return []
        rows = connection.execute(_GET, (account,)).fetchall()
    found = (
        _read((model, seconds, resolution, pictures), body)
        for model, seconds, resolution, pictures, body in rows
    )
    return [one for one in found if one is not None]


def keep_learned(book: Book, account: str, news: Iterable[Known], at: float) -> Future[Committed]:
    """Add what was learned to what the book knows; the future ends with the transaction.

    Args:
        book: The account's book, open for writing.
        account: The account.
        news: What was learned.
        at: The Unix second.

    """
    added = list(news)

    def put(connection: sqlite3.Connection) -> Mapping[str, Withheld]:
        for one in added:
            row = connection.execute(_GET_ONE, (account, *one.kind)).fetchone()
            before = None if row is None else _read(one.kind, row[0])
            mixed = (before or Known(one.kind)).with_news(one)
            connection.execute(_PUT, (account, *one.kind, at, _text(mixed)))
        connection.execute(_DROP_OLD, (account, account, _KINDS))
        return NONE_WITHHELD

    return book.carry_out(put)


def _text(known: Known) -> str:
    return json.dumps(
        {
            "durations_s": _short(known.durations_s),
            "tasks": known.tasks,
            "by_pace": [_short(part) for part in known.by_pace],
            "by_speed": [_short(part) for part in known.by_speed],
            "heeded": round(known.heeded, _DIGITS),
        },
        separators=(",", ":"),
    )


def _short(numbers: Sequence[float]) -> list[float]:
    return [float(f"{one:.{_DIGITS}g}") for one in numbers]


def _read(kind: tuple[str, int, str, int], body: str) -> Known | None:
    """Return a line of the book; None for one of another version: it is learned anew."""
    try:
        told = json.loads(body)
        by_pace, by_speed = _ratios(told["by_pace"]), _ratios(told["by_speed"])
        durations_s = tuple(map(float, told["durations_s"]))
        tasks = int(told.get("tasks", len(durations_s)))
        return Known(kind, durations_s, tasks, by_pace, by_speed, float(told["heeded"]))
    except (ValueError, TypeError, KeyError):
        return None


def _ratios(parts: Sequence[Sequence[float]]) -> Ratios:
    ratios = tuple(tuple(map(float, part)) for part in parts)
    if len(ratios) != PARTS:
        raise ValueError("a bar of another number of parts")
    return ratios
