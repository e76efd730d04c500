"""What the book takes over from journals that it does not know, and from other books.

A journal is read inside the transaction of the book that takes it over: a run that works in its
folder meanwhile tells the book whatever is newer only afterwards.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.account.book import GET_JOURNAL, NONE_WITHHELD, PUT_KEY, Book, put_entry
from pipeline.account.guard import of_unknown_purchases
from pipeline.account.place import name_of
from pipeline.account.reading import id_in
from pipeline.account.recording import Pair, pair_in
from pipeline.account.schema import reading
from pipeline.account.submission import MONEY, KnownJournal, Submission, submission_of
from pipeline.config.values import is_loopback
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import insert, path_of, text_of
from pipeline.errors import ReelsheetError, UsageError, Withheld
from pipeline.events import NotFound, Renamed
from pipeline.journal.database import clear_errors, connect_for_reading
from pipeline.journal.identities import Identities
from pipeline.journal.reading import reused_entries
from pipeline.journal.records import ENTRY_COLUMNS, entry_of, request_of, videos_of
from pipeline.lifecycle import FORMER_MOVES, MOVES
from pipeline.model import Entry, State

_TOLD = MONEY - {Renamed} | {NotFound}
# What was looked up in vain and closed by an earlier version may be paid for: it stays in doubt.
_STATE_AFTER = {
    kind.__name__: State.IN_DOUBT if kind is NotFound else (MOVES | FORMER_MOVES)[kind].target
    for kind in _TOLD
}
_KINDS = ", ".join(f"'{name}'" for name in sorted(_STATE_AFTER))
# Of the rows that `max` groups, SQLite takes the kind from the one with the greatest.
_GET = (
    f"SELECT {', '.join('a.' + name for name in ENTRY_COLUMNS)}, r.body, e.kind, i.at "  # noqa: S608
    f"FROM (SELECT key, number, kind, max(seq) FROM events WHERE kind IN ({_KINDS}) "
    "GROUP BY key, number) e "
    "JOIN (SELECT key, number, min(at) AS at FROM events WHERE kind = 'Intended' "
    "GROUP BY key, number) i USING (key, number) "
    "JOIN attempts a USING (key, number) JOIN requests r USING (request_hash)"
)
_DROP = "DELETE FROM submissions WHERE reference = ?"
_SENT_SINCE = f"SELECT EXISTS (SELECT * FROM events WHERE seq > ? AND kind IN ({_KINDS}))"  # noqa: S608
_RENAMED_SINCE = "SELECT EXISTS (SELECT * FROM events WHERE seq > ? AND kind = 'Renamed')"
_GET_KEYS = "SELECT DISTINCT identity, key FROM submissions WHERE journal_id = ?"
_PUT_KNOWN = (
    "INSERT INTO journals VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (journal_id) DO UPDATE SET "
    "seq = max(seq, excluded.seq), last_event = max(last_event, excluded.last_event), "
    "folder = excluded.folder, manifest = excluded.manifest"
)
_TABLES = ("requests", "journals", "uploads", "submissions")
_AT_ONCE = 500
_REQUEST = ENTRY_COLUMNS.index("request_hash")
_VIDEO = ENTRY_COLUMNS.index("video")


@dataclass(frozen=True, slots=True)
class _Found:
    """A journal as its own file tells: its id, manifest, pair, and the place of its last event.

    `address` is that of the API to which it has uploaded pictures, None if it has not.
    """

    journal_id: str
    manifest: str
    pair: Pair
    last_event: int
    address: str | None


@dataclass(frozen=True, slots=True)
class _News:
    """What a journal knows and the book does not: attempts, as money last had to do with them.

    `key_of` gives by identity what rows are called now; None if the book may know that better.
    """

    found: _Found
    owner: str
    folder: str
    entries: list[Entry]
    key_of: Callable[[str], str] | None


@dataclass(frozen=True, slots=True)
class Taken:
    """How many submissions were taken over, and how many of them are reused takes."""

    submissions: int = 0
    reused: int = 0


def import_journal(book: Book, account: str, journal: Path) -> Taken:
    """Take over what a journal knows and the book does not; return how much was read.

    Args:
        book: the account's book, open for writing.
        account: the account that the journal's rows were paid from, unless the book or the journal
            itself knows better.
        journal: the journal's file, which is only read.

    Raises:
        StoreError: the journal or the book cannot be used.
        UsageError: the journal was written by a newer version.

    """
    read: list[Taken] = []
    failures: list[ReelsheetError] = []

    def take(into: sqlite3.Connection) -> Mapping[str, Withheld]:
        try:
            read.append(_take_journal(into, book.id, account, journal))
        except ReelsheetError as error:  # of the journal, which is no failure of the book
            failures.append(error)
        return NONE_WITHHELD

    book.carry_out(take).result()
    if failures:
        raise failures[-1]
    return read[-1]


def news_of(book: Path, account: str, journal: Path) -> list[Submission]:
    """Return what `import_journal` would take over, without writing anything.

    Args:
        book: the account's book, which need not be there.
        account: the account that is asked about: the rows of others are left out.
        journal: the journal's file.

    Raises:
        StoreError: the journal or the book cannot be used.
        UsageError: one of them was written by a newer version.

    """
    with reading(book) as connection:
        news = _read_news(connection, id_in(connection), account, journal)
    if news is None or news.owner != account:
        return []
    found = news.found
    return [
        submission_of(entry, found.journal_id, news.folder, found.manifest)
        for entry in news.entries
    ]


def _take_journal(into: sqlite3.Connection, book_id: str, account: str, journal: Path) -> Taken:
    news = _read_news(into, book_id, account, journal)
    if news is None:
        return Taken()
    found = news.found
    for entry in news.entries:
        if entry.reused:  # nothing of an unsent attempt in whose place it is may stay
            into.execute(_DROP, (entry.attempt.client_business_id,))
        put_entry(into, news.owner, found.journal_id, entry)
    if news.key_of is not None:
        for identity, key in into.execute(_GET_KEYS, (found.journal_id,)).fetchall():
            if (now := news.key_of(identity)) != key:
                into.execute(PUT_KEY, (now, found.journal_id, identity))
    seq = found.pair.seq if _paired(found, book_id) else 0
    row = (found.journal_id, news.owner, news.folder, found.manifest, seq, found.last_event)
    into.execute(_PUT_KNOWN, row)
    return Taken(len(news.entries), sum(one.reused for one in news.entries))


def _read_news(book: sqlite3.Connection, book_id: str, account: str, journal: Path) -> _News | None:
    """Return what a journal knows and the book does not; None if there is nothing.

    Its folder may be news, too, if the journal was moved there.
    """
    connection = connect_for_reading(journal)
    if connection is None:
        return None
    folder = text_of(journal.parent.resolve())
    with contextlib.closing(connection):
        with clear_errors(journal):
            connection.execute("BEGIN")  # one moment of it, whatever a run adds meanwhile
            found = _describe(connection)
        if found is None:
            return None
        known = _known(book, found)
        with clear_errors(journal):
            if not _has_news(connection, found, known, book_id) and not _was_moved(known, folder):
                return None
            is_newer = _is_newer(found, known)
            identities = Identities(connection)
            entries = list(_entries(connection, identities)) if is_newer else []
            # An intent that the book lacks, although it is not older, was never sent.
            sent = (
                known is None
                or not _paired(found, book_id)
                or known.seq < found.pair.confirmed
                or _worked_without(connection, found.pair.last_event)
            )
            reused = list(reused_entries(connection, identities)) if is_newer else []
    bought = [entry for entry in entries if sent or entry.state is not State.SUBMITTING]
    owner = _owner(found, known, account)
    bought += of_unknown_purchases(reused, bought, book, owner)
    key_of = identities.key_of if is_newer else None
    return _News(found, owner, folder, bought, key_of)


def _was_moved(known: KnownJournal | None, folder: str) -> bool:
    """Return whether a journal lies elsewhere now; where both are there, one of them is a copy."""
    if known is None or known.folder == folder:
        return False
    return is_gone(OutputFolder(path_of(known.folder)).journal)


def _describe(connection: sqlite3.Connection) -> _Found | None:
    """Return what a journal says of itself; None if it has no id, so that no run ever began."""
    noted = dict(connection.execute("SELECT name, value FROM meta"))
    if "id" not in noted:
        return None
    (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    upload = connection.execute("SELECT account FROM uploads LIMIT 1").fetchone()
    address = None if upload is None or "://" not in upload[0] else upload[0].split()[0]
    return _Found(noted["id"], noted.get("manifest", ""), pair_in(noted), last, address)


def _known(into: sqlite3.Connection, found: _Found) -> KnownJournal | None:
    row = into.execute(GET_JOURNAL, (found.journal_id,)).fetchone()
    return None if row is None else KnownJournal(*row)


def _paired(found: _Found, book_id: str) -> bool:
    return found.pair.book_id == book_id


def _has_news(
    connection: sqlite3.Connection, found: _Found, known: KnownJournal | None, book_id: str
) -> bool:
    """Return whether a journal may hold submissions that the book has not, or not as they are."""
    if known is None or not _paired(found, book_id):
        return _is_newer(found, known)
    if known.seq < found.pair.seq:
        return True
    told = max(found.pair.last_event, known.last_event)
    return _worked_without(connection, told) or _happened(connection, _RENAMED_SINCE, told)


def _is_newer(found: _Found, known: KnownJournal | None) -> bool:
    """Return whether a journal is not an older copy of what the book knows."""
    return known is None or found.last_event > known.last_event


def _worked_without(connection: sqlite3.Connection, since: int) -> bool:
    """Return whether an earlier version, or a run without a book, has worked since an event."""
    return _happened(connection, _SENT_SINCE, since)


def _happened(connection: sqlite3.Connection, question: str, since: int) -> bool:
    return bool(connection.execute(question, (since,)).fetchone()[0])


def _owner(found: _Found, known: KnownJournal | None, account: str) -> str:
    """Return whose journal it is: what runs on this machine is never what is paid from elsewhere.

    What an upload says of that is taken only where one of the two is on this machine: else the
    setting `account.name` would count for some journals alone.
    """
    if known is not None:
        return known.account
    if found.address is None:
        return account
    own = name_of(found.address)
    return own if own != account and (is_loopback(found.address) or ":" in account) else account


def _entries(connection: sqlite3.Connection, identities: Identities) -> Iterator[Entry]:
    """Yield every attempt that was sent or may have been, as money last had to do with it."""
    found = connection.execute(_GET)
    while some := found.fetchmany(_AT_ONCE):
        videos = videos_of([row[_VIDEO] for row in some])
        for row, video in zip(some, videos, strict=True):
            body, kind, begun = row[-3:]
            request = request_of(row[_REQUEST], body)
            entry = entry_of(row, request, video, None, identities.key_of(row[0]))
            if entry.reused:  # in the place of a submission that was not accepted
                continue
            at = begun if entry.submitted_at is None else entry.submitted_at
            yield replace(entry, state=_STATE_AFTER[kind], submitted_at=at)


def import_book(book: Book, other: Path) -> int:
    """Take over what another book knows; return how many submissions were new.

    Args:
        book: the account's book, open for writing.
        other: the file of the other book, which is only read.

    Raises:
        StoreError: one of the two cannot be used.
        UsageError: the other was written by a newer version.

    """
    rows: dict[str, list[tuple[object, ...]]] = {}
    if is_gone(other):
        raise UsageError(f"there is no book at {other}.", action="Check the path.")
    with reading(other) as connection:
        for table in _TABLES:
            rows[table] = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
    new: list[int] = []

    def take(into: sqlite3.Connection) -> Mapping[str, Withheld]:
        before = into.total_changes
        for table, values in rows.items():
            if values:
                before = into.total_changes
                insert(into, f"INSERT OR IGNORE INTO {table}", values)
        new.append(into.total_changes - before)  # the submissions come last
        return NONE_WITHHELD

    book.carry_out(take).result()
    return new[-1]
