"""A damaged book is set aside, and a new one is made of what is left.

Journals come first: one that is there knows its rows to the end. What only the damaged file tells
comes after them. A page that is damaged hides what is on it and what comes after it in the order of
reading, so each table is read from both ends, and submissions by each of their indexes, too.

Tested in tests/account/test_mending.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.account.book import NONE_WITHHELD, PUT_EARLIER, Book
from pipeline.account.importing import import_journal
from pipeline.account.reading import journals_in
from pipeline.account.schema import clear_errors, how_to_mend, reading, refuse_damaged
from pipeline.account.submission import KnownJournal
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone, open_to_read_bytes
from pipeline.disk.sqlitefile import insert, open_damaged, path_of
from pipeline.errors import ReelsheetError, StoreError, Withheld

_UNREADABLE = (sqlite3.Error, ValueError, TypeError, KeyError)
_BESIDE = ("-journal", "-wal", "-shm", "")
"""What the names of a book's files end with: the log first, it is nothing without its book."""
_KEYS = {"journals": "journal_id", "requests": "request_hash", "uploads": "account, sha256"}
_INDEXES = {
    "by_request": "account, request_hash",
    "by_day": "account, submitted_at",
    "by_entry": "journal_id, identity, number",
}
_TABLE, _PAGE_BYTES = b"CREATE TABLE submissions", 4096
_JOURNAL_ID = 2
"""The column of a submission that names its journal."""

_Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Mended:
    """What became of a damaged book.

    It is kept as `aside`. The new one has `submissions` from `journals` journals. `lost` are output
    folders that the damaged one names and whose journals cannot be read.
    """

    aside: Path
    submissions: int
    journals: int
    lost: tuple[str, ...]


@dataclass(slots=True)
class _Salvaged:
    """Rows of a damaged book, by table, as far as they can be read."""

    ids: str = ""
    rows: dict[str, list[_Row]] = field(default_factory=dict)

    @property
    def journals(self) -> list[KnownJournal]:
        return [
            KnownJournal(str(key), str(account), str(folder), str(manifest), 0, int(str(last)))
            for key, account, folder, manifest, _, last, _ in self.rows["journals"]
        ]


def is_broken(path: Path) -> bool:
    """Return whether a book is there that cannot be used: empty, or damaged."""
    if is_gone(path):
        return False
    with raise_store_errors(path, cannot="be read"):
        if path.stat().st_size == 0:
            return True
    try:
        with reading(path) as connection:
            refuse_damaged(connection, path)
    except StoreError as error:
        return error.action == how_to_mend(path)
    return False


def shows_a_book(path: Path) -> bool:
    """Return whether a file that cannot be used was a book once, by what its first page says."""
    try:
        with open_to_read_bytes(path) as file:
            return _TABLE in file.read(_PAGE_BYTES)
    except OSError:
        return False


def mend(path: Path, account: str, near: Iterable[Path]) -> Mended:
    """Set a damaged book aside, and make a new one of what it and the journals tell.

    Args:
        path: the file of the book, which no run uses.
        account: the account that rows were paid from, where neither says it.
        near: the journals that it should have known, whether it names them or not.

    Raises:
        StoreError: the files cannot be moved or made.

    """
    told = _salvage(path)
    aside = _set_aside(path)
    with contextlib.closing(Book(path)) as book:
        lost = _import(book, told, account, near)
        submissions = _put(book, told)
        return Mended(aside, submissions, len(journals_in(path)), lost)


def _set_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    with raise_store_errors(path):
        for end in _BESIDE:
            file = path.with_name(path.name + end)
            if not is_gone(file):
                file.rename(aside.with_name(aside.name + end))
    return aside


def _import(book: Book, told: _Salvaged, account: str, near: Iterable[Path]) -> tuple[str, ...]:
    """Take over the journals that a damaged book names, and others; return folders without."""
    owners = {OutputFolder(path_of(one.folder)).journal: one.account for one in told.journals}
    lost = []
    for journal in dict.fromkeys([*owners, *(one.resolve() for one in near)]):
        try:
            if is_gone(journal):
                lost.append(str(journal.parent))
            else:
                import_journal(book, owners.get(journal, account), journal)
        except ReelsheetError:  # of the journal: what the damaged book tells of it is kept
            lost.append(str(journal.parent))
    return tuple(lost)


def _put(book: Book, told: _Salvaged) -> int:
    """Add what only the damaged book tells; return how many submissions the new one has."""
    known = {one.journal_id: one.last_event for one in journals_in(book.path)}
    # The journal is gone, or an older copy.
    newer = {
        one.journal_id for one in told.journals if one.last_event > known.get(one.journal_id, -1)
    }
    found: list[int] = []

    def put(into: sqlite3.Connection) -> Mapping[str, Withheld]:
        for table in _KEYS:
            _insert(into, "IGNORE", table, told.rows[table])
        submissions = told.rows["submissions"]
        _insert(into, "IGNORE", "submissions", submissions)
        newest = [row for row in submissions if row[_JOURNAL_ID] in newer]
        _insert(into, "REPLACE", "submissions", newest)
        into.execute(PUT_EARLIER, (told.ids,))
        found.append(into.execute("SELECT count(*) FROM submissions").fetchone()[0])
        return NONE_WITHHELD

    book.carry_out(put).result()
    return found[-1]


def _insert(into: sqlite3.Connection, how: str, table: str, rows: Sequence[_Row]) -> None:
    if rows:
        insert(into, f"INSERT OR {how} INTO {table}", rows)


# What can be read.


def _salvage(path: Path) -> _Salvaged:
    told = _Salvaged(rows={name: [] for name in (*_KEYS, "submissions")})
    with clear_errors(path), contextlib.closing(open_damaged(path)) as connection:
        with contextlib.suppress(*_UNREADABLE):
            ids = connection.execute("SELECT value FROM meta WHERE name IN ('id', 'earlier')")
            told.ids = " ".join(str(value) for (value,) in ids)
        for table, key in _KEYS.items():
            told.rows[table] = list(_from_both_ends(connection, f"* FROM {table}", key))
        told.rows["submissions"] = list(_submissions(connection))
    return told


def _submissions(connection: sqlite3.Connection) -> Iterator[_Row]:
    seen = set()
    for row in _from_both_ends(connection, "* FROM submissions", "reference"):
        seen.add(row[0])
        yield row
    # What lies between two damaged pages is found by the indexes, on pages of their own.
    for index, columns in _INDEXES.items():
        what = f"reference FROM submissions INDEXED BY {index}"
        for (reference,) in list(_from_both_ends(connection, what, columns)):
            if reference not in seen:
                seen.add(reference)
                with contextlib.suppress(*_UNREADABLE):
                    get = "SELECT * FROM submissions WHERE reference = ?"
                    yield from connection.execute(get, (reference,))


def _from_both_ends(connection: sqlite3.Connection, what: str, columns: str) -> Iterator[_Row]:
    seen = set()
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{column} {order}" for column in columns.split(", "))
        with contextlib.suppress(*_UNREADABLE):
            for row in connection.execute(f"SELECT {what} ORDER BY {by}"):
                if row not in seen:
                    seen.add(row)
                    yield row
