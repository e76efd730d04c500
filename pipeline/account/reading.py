"""The book, read without ever writing to it; where there is none, nothing was bought.

Every function raises StoreError where the book cannot be read, UsageError where it is a newer one.

Tested in tests/account/test_book.py, tests/account/test_importing.py and tests/cli/test_account.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.account.guard import IS_COUNTING, spent_since
from pipeline.account.place import digest_of
from pipeline.account.schema import reading
from pipeline.account.submission import KnownJournal, Submission
from pipeline.disk.sqlitefile import path_of, text_of
from pipeline.engine.limits import Spend
from pipeline.journal.records import request_of, videos_of
from pipeline.manifest.blank import has_controls
from pipeline.model import Request, State, Video

_AT_ONCE = 500
"""Hashes asked for at a time: every SQLite takes 999 values in a query (sqlite.org/limits.html)."""

_GET = (
    "SELECT s.reference, s.journal_id, coalesce(j.folder, ''), coalesce(j.manifest, ''), "
    "s.identity, s.key, s.number, s.request_hash, r.body, s.state, s.video_name, s.task_id, "
    "s.money, s.submitted_at, s.finished_at, s.video "
    "FROM submissions s JOIN requests r USING (request_hash) LEFT JOIN journals j USING "
    "(journal_id) "
)
_GET_SENT = (
    "SELECT coalesce(j.folder, ''), coalesce(j.manifest, ''), s.state, s.seconds, s.money, "
    "s.submitted_at FROM submissions s LEFT JOIN journals j USING (journal_id) "
    "WHERE s.account = ? AND s.submitted_at IS NOT NULL ORDER BY s.submitted_at"
)
# Bodies are JSON: most control characters are escaped in them.
_GET_WITH_CONTROLS = (
    "SELECT request_hash, body FROM requests "
    "WHERE body GLOB '*\\u00[0189]*' OR body GLOB '*[\x7f-\x9f]*'"
)
_GET_JOURNALS = "SELECT journal_id, account, folder, manifest, seq, last_event FROM journals"


def has_submissions(book: Path, account: str) -> bool:
    """Return whether the book knows of any submission of the account."""
    with reading(book) as connection:
        sql = "SELECT 1 FROM submissions WHERE account = ? LIMIT 1"
        return connection.execute(sql, (account,)).fetchone() is not None


def bought_elsewhere(
    book: Path, account: str, journal_ids: Collection[str], hashes: Collection[str]
) -> dict[str, list[Submission]]:
    """Return what the account has bought for the rows of other journals, by request hash.

    Args:
        book: the file of the book.
        account: the account.
        journal_ids: the journals whose own submissions are left out.
        hashes: the requests that are asked for.

    Returns:
        For each hash that was bought elsewhere its submissions that count, the newest first.

    """
    found: dict[str, list[Submission]] = {}
    with reading(book) as connection:
        for some in _in_pieces(sorted(hashes)):
            rows = connection.execute(
                f"{_GET} WHERE s.account = ? AND {IS_COUNTING} AND s.request_hash IN "
                f"({', '.join('?' * len(some))}) ORDER BY s.submitted_at DESC, s.reference",
                (account, *some),
            )
            for one in _submissions(rows):
                if one.journal_id not in journal_ids:
                    found.setdefault(one.request.request_hash, []).append(one)
    return found


def requests_with_controls(book: Path) -> list[Request]:
    """Return the requests whose prompts have control characters, which are not sent.

    No hash of the same prompt without them tells theirs. It looks at every request.
    """
    with reading(book) as connection:
        rows = connection.execute(_GET_WITH_CONTROLS)
        found = [request_of(*row) for row in rows]
    return [one for one in found if has_controls(one.prompt)]


def prompts_in(book: Path) -> Iterator[str]:
    """Yield the prompts of all requests that were bought; it looks at each of them."""
    with reading(book) as connection:
        for (prompt,) in connection.execute("SELECT json_extract(body, '$[0]') FROM requests"):
            yield prompt


def keys_bought(
    book: Path, account: str, keys: Collection[str]
) -> list[tuple[KnownJournal, frozenset[str]]]:
    """Return the journals for which rows with any of these keys were bought, with these keys.

    It looks at every submission of the account, a second for a million.

    Args:
        book: the file of the book.
        account: the account.
        keys: the keys that are asked for.

    """
    if not keys:
        return []
    sought = frozenset(keys)
    found: dict[str, set[str]] = {}
    with reading(book) as connection:
        rows = connection.execute(
            f"SELECT journal_id, key FROM submissions s WHERE account = ? AND {IS_COUNTING}",  # noqa: S608
            (account,),
        )
        for journal_id, key in rows:
            if key in sought:
                found.setdefault(journal_id, set()).add(key)
        known = [KnownJournal(*row) for row in connection.execute(_GET_JOURNALS)]
    return [(one, frozenset(found[one.journal_id])) for one in known if one.journal_id in found]


def submissions_of(book: Path, journal_id: str) -> list[Submission]:
    """Return what the book knows of a journal's submissions, in the order of rows and attempts."""
    with reading(book) as connection:
        where = "WHERE s.journal_id = ? ORDER BY s.identity, s.number"
        return list(_submissions(connection.execute(_GET + where, (journal_id,))))


def tasks_among(book: Path, tasks: Collection[str]) -> set[str]:
    """Return those of these tasks that the book knows, whoever submitted them."""
    return _among(book, "task_id", tasks)


def references_among(book: Path, references: Collection[str]) -> set[str]:
    """Return those of these references that the book knows, whatever journal they are of."""
    return _among(book, "reference", references)


def _among(book: Path, column: str, values: Collection[str]) -> set[str]:
    found: set[str] = set()
    with reading(book) as connection:
        for some in _in_pieces(sorted(values)):
            marks = ", ".join("?" * len(some))
            rows = connection.execute(
                f"SELECT {column} FROM submissions WHERE {column} IN ({marks})",  # noqa: S608
                some,
            )
            found.update(str(value) for (value,) in rows)
    return found


def latest_tasks(book: Path, account: str, most: int) -> list[tuple[str, str]]:
    """Return reference and id of the tasks that an account submitted last, the newest first.

    Args:
        book: the file of the account's book.
        account: the name of the account.
        most: the most to return.

    Raises:
        StoreError: the book cannot be read.

    """
    with reading(book) as connection:
        found = connection.execute(
            "SELECT reference, task_id FROM submissions WHERE account = ? AND task_id IS NOT NULL "
            "AND submitted_at IS NOT NULL ORDER BY submitted_at DESC LIMIT ?",
            (account, most),
        )
        return [(str(reference), str(task_id)) for reference, task_id in found]


def journals_in(book: Path, folder: Path | None = None) -> list[KnownJournal]:
    """Return the journals that the book knows, those of one output folder or all."""
    with reading(book) as connection:
        if folder is None:
            rows = connection.execute(f"{_GET_JOURNALS} ORDER BY folder")
        else:
            where = f"{_GET_JOURNALS} WHERE folder = ? ORDER BY opened_at DESC"
            rows = connection.execute(where, (text_of(folder.resolve()),))
        return [KnownJournal(*row) for row in rows]


def accounts_that_bought(book: Path) -> list[str]:
    """Return the names of the accounts that something was bought from."""
    with reading(book) as connection:
        return [name for (name,) in connection.execute("SELECT DISTINCT account FROM submissions")]


def id_of(book: Path) -> str:
    """Return the id of a book; empty if there is none."""
    with reading(book) as connection:
        return id_in(connection)


def id_in(connection: sqlite3.Connection) -> str:
    """Return the id of an open book; empty if it has none yet."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
    return "" if row is None else str(row[0])


def owner_of_key(book: Path, key: str) -> str | None:
    """Return the account that a key was first seen under; None if it was never seen."""
    with reading(book) as connection:
        digest = digest_of(id_in(connection), key)
        row = connection.execute("SELECT account FROM keys WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else str(row[0])


def total_since(book: Path, account: str, since: float, price: float | None) -> Spend:
    """Return what an account has spent since the Unix second `since`, over all manifests.

    Args:
        book: the file of the book.
        account: the account.
        since: the first second that counts.
        price: what a second costs, for what was sent before a price was set.

    """
    with reading(book) as connection:
        return spent_since(connection, account, since, price)


@dataclass(frozen=True, slots=True)
class Sent:
    """A submission in short; `folder` and `manifest` as in `Submission`, times in Unix seconds."""

    folder: str
    manifest: str
    state: State
    seconds: int
    money: float | None
    submitted_at: float


def sent_from(book: Path, account: str) -> Iterator[Sent]:
    """Yield in short what was sent from an account, the earliest first."""
    with reading(book) as connection:
        found = connection.execute(_GET_SENT, (account,))
        for folder, manifest, state, seconds, money, at in found:
            yield Sent(folder, manifest, State(state), seconds, money, at)


def latest_videos(book: Path, account: str, model: str) -> list[Video]:
    """Return the videos of an account that came last, some hundreds at most.

    Args:
        book: the file of the book.
        account: the account.
        model: the model that made them; where none of them is its, those of any other count.

    """
    with reading(book) as connection:
        found = connection.execute(
            "SELECT s.video, s.request_hash, r.body FROM submissions s "
            "JOIN requests r USING (request_hash) WHERE s.account = ? AND s.video IS NOT NULL "
            "ORDER BY s.finished_at DESC LIMIT ?",
            (account, _AT_ONCE),
        ).fetchall()
    own = [text for text, *request in found if request_of(*request).model == model]
    texts = own or [text for text, *_ in found]
    return [video for video in videos_of(texts) if video is not None]


def models_made(book: Path, account: str) -> set[str]:
    """Return the models of which the account has a video."""
    with reading(book) as connection:
        found = connection.execute(
            "SELECT DISTINCT json_extract(r.body, '$[5]') FROM submissions s "
            "JOIN requests r USING (request_hash) WHERE s.account = ? AND s.video IS NOT NULL",
            (account,),
        )
        return {str(model) for (model,) in found}


@dataclass(frozen=True, slots=True)
class Coming:
    """Video that is paid for and not yet home, in one output folder: its seconds by resolution."""

    folder: Path
    seconds: Mapping[str, float]


def coming_to(book: Path, account: str, since: float) -> list[Coming]:
    """Return what is paid for and not yet home, by output folder.

    Args:
        book: the file of the book.
        account: the account.
        since: the Unix second since which it was sent: what is older hardly comes any more.

    """
    states = (State.SUBMITTING.value, State.IN_DOUBT.value, State.RUNNING.value, State.READY.value)
    found: dict[str, dict[str, float]] = {}
    with reading(book) as connection:
        rows = connection.execute(
            "SELECT j.folder, s.request_hash, r.body, s.seconds FROM submissions s "
            "JOIN requests r USING (request_hash) JOIN journals j USING (journal_id) "
            "WHERE s.account = ? AND s.submitted_at >= ? AND s.state IN (?, ?, ?, ?)",
            (account, since, *states),
        )
        for folder, request_hash, body, seconds in rows:
            by_resolution = found.setdefault(folder, {})
            resolution = request_of(request_hash, body).resolution
            by_resolution[resolution] = by_resolution.get(resolution, 0.0) + seconds
    return [Coming(path_of(folder), seconds) for folder, seconds in found.items()]


def doubts_of(book: Path, account: str) -> list[Submission]:
    """Return the submissions whose answer was lost, the newest first."""
    with reading(book) as connection:
        where = "WHERE s.account = ? AND s.state IN (?, ?, ?) ORDER BY s.submitted_at DESC"
        states = (State.IN_DOUBT.value, State.SUBMITTING.value, State.MISSING.value)
        return list(_submissions(connection.execute(_GET + where, (account, *states))))


def _submissions(rows: sqlite3.Cursor) -> Iterator[Submission]:
    while some := rows.fetchmany(_AT_ONCE):
        videos = videos_of([row[15] for row in some])
        for row, video in zip(some, videos, strict=True):
            request = request_of(row[7], row[8])
            values = (*row[:7], request, State(row[9]), *row[10:15], video)
            yield Submission(*values)


def _in_pieces(many: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(many), _AT_ONCE):
        yield many[first : first + _AT_ONCE]
