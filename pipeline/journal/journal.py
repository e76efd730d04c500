"""The journal of one output folder, open for the run that writes it.

How events become durable, and why a kill at any moment is safe, is told in `writing`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from pipeline.disk.groupcommit import Committed, GroupCommit
from pipeline.disk.openfile import OpenFile
from pipeline.disk.reserve import Reserve
from pipeline.disk.sqlitefile import fold_in, id_in, leave_whole
from pipeline.events import Event
from pipeline.journal.database import STOPPED, clear_errors, connect
from pipeline.journal.ownership import claim, is_new
from pipeline.journal.reading import GET_ENTRIES, attempts_in, entries_in, first_events, was_cut_off
from pipeline.journal.records import attempt_of, request_of
from pipeline.journal.writing import PUT_NOTE, EventWriter, Follower, Happened, Statement
from pipeline.model import Attempt, Entry, Request, State, made_for
from pipeline.process.collector import pause_collector

# A row whose submission was declined may be waiting again by now: only the event tells for good.
_GET_SUBMITTED = GET_ENTRIES.format(
    where="WHERE a.submitted_at >= ? AND (a.key, a.number) NOT IN "
    "(SELECT key, number FROM events WHERE kind = 'Declined')"
)


class Journal:
    """Open for writing by one run; close it when the run ends."""

    def __init__(self, path: Path) -> None:
        """Open or make the journal at `path`; raises StoreError, UsageError."""
        self.path = path
        there = OpenFile.at(path)
        self._connection = connect(path)
        with contextlib.ExitStack() as on_failure:
            on_failure.callback(self._connection.close)
            with clear_errors(path):
                self.id = id_in(self._connection)
                self._writer = EventWriter(path, self._connection, there or OpenFile.at(path))
            on_failure.pop_all()
        self._commits = GroupCommit(self._connection, self._writer, "journal")

    def claim(self, manifest: Path, *, adopt: bool, series: str | None = None) -> None:
        """Bind the journal to the path of one manifest, or to a new one with `adopt`.

        Raises UsageError if the journal belongs to another manifest, StoreError.
        """
        claim(self._connection, self.path, manifest, adopt=adopt, series=series)

    @pause_collector()
    def entries(self, known: Mapping[str, Request] | None = None) -> dict[str, Entry]:
        """Return the latest entry of every row, by key; raises StoreError.

        `known` are requests by their hash, as those of the manifest: they are not read once more.
        """
        with clear_errors(self.path):
            return entries_in(self._connection, identities=self._writer.identities, known=known)

    def entries_of(
        self, keys: Sequence[str], known: Mapping[str, Request] | None = None
    ) -> dict[str, Entry]:
        """Return the latest entries of at most 999 rows, by key; raises StoreError.

        `known` as for `entries`.
        """
        with clear_errors(self.path):
            return self._writer.entries_of(keys, known)

    def attempts(self, state: State | None = None) -> list[Entry]:
        """Return every attempt, each as the entry that it is or was; those in one state if given.

        Raises StoreError.
        """
        where, values = ("", ()) if state is None else ("WHERE a.state = ?", (state.value,))
        with clear_errors(self.path):
            found = attempts_in(self._connection, where, values, identities=self._writer.identities)
            return list(found)

    def is_new(self) -> bool:
        """Return whether nothing ever happened in it; raises StoreError."""
        with clear_errors(self.path):
            return is_new(self._connection)

    def was_found(self, entry: Entry) -> bool:
        """Return whether the task of a row's latest attempt was found, by a look-up or a person.

        The provider itself gave it to the row else. Raises StoreError.
        """
        with clear_errors(self.path):
            last = self._connection.execute(
                "SELECT kind FROM events WHERE key = ? AND number = ? "
                "AND kind IN ('Accepted', 'Found') ORDER BY seq DESC LIMIT 1",
                (entry.identity, entry.attempt.number),
            ).fetchone()
        return last is not None and last[0] == "Found"

    def was_cut_off(self) -> bool:
        """Return whether its last run did not end cleanly; raises StoreError."""
        with clear_errors(self.path):
            return was_cut_off(self._connection)

    def take_over_id(self, journal_id: str) -> None:
        """Go on under the id of a journal that was lost, before anything happens in this one.

        The references of attempts are made from it. Raises StoreError.
        """
        self.note({"id": journal_id})
        self.id = journal_id

    def identity_of(self, key: str) -> str:
        """Return the identity of the entry with a key; if there is none, that of a new one."""
        return self._writer.identities.of(key)

    def first_events(self) -> dict[str, int]:
        """Return when each entry was first heard of, by identity; raises StoreError."""
        with clear_errors(self.path):
            return first_events(self._connection)

    def submitted_since(self, since: float) -> list[Attempt]:
        """Return the attempts sent at Unix second `since` or later, except declined ones.

        Attempts in doubt are among them, also those closed since and sent again. Raises StoreError.
        """
        with clear_errors(self.path):
            found = self._connection.execute(_GET_SUBMITTED, (since,)).fetchall()
        return [
            attempt_of(tuple(columns), request_of(columns[3], body), made_for(columns[0]))
            for *columns, body in found
        ]

    def fall_back_on(self, reserve: Reserve) -> None:
        """Free pieces of `reserve` when the disk is full, as long as there are any."""
        self._commits.fall_back_on(reserve)

    def be_followed_by(self, follower: Follower) -> None:
        """Have every later commit count only when `follower` has taken it, too."""
        self._writer.follower = follower

    def append(self, events: Sequence[Event], at: float) -> Future[Committed]:
        """Write events that happened at Unix second `at`; the future is done when they are durable.

        Everything that shares a commit has the same future, which cannot be cancelled. Its result
        says whether the disk is full and the reserve was needed: the caller must begin nothing new
        then. The future fails with StoreError when the disk does not take the events at all.
        """
        return self._commits.put(Happened(events, at), len(events))

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        """Keep the URL of an uploaded picture for later runs; the future is `append`'s.

        Args:
            account: the account that the picture was uploaded to.
            sha256: the hash of the uploaded bytes.
            url: the address that the provider gave.
            at: when it was uploaded, in Unix seconds.

        """
        return self._append_statement(
            "INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?)", (account, sha256, url, at)
        )

    def uploads(self, account: str, since: float) -> Iterator[tuple[str, str, float]]:
        """Yield content hash, URL and time of the uploads made after `since`, in Unix seconds."""
        with clear_errors(self.path):
            yield from self._connection.execute(
                "SELECT sha256, url, uploaded_at FROM uploads "
                "WHERE account = ? AND uploaded_at > ?",
                (account, since),
            )

    def begin_run(self, run_id: str, command: str, at: float) -> None:
        """Record that a run begins, at Unix second `at`; blocks until it is durable.

        Args:
            run_id: the run's id.
            command: the command that the user gave.
            at: when it began, in Unix seconds.

        Raises:
            StoreError: the disk does not take it.

        """
        self._append_statement(
            "INSERT INTO runs (run_id, command, started_at) VALUES (?, ?, ?)",
            (run_id, command, at),
        ).result()
        # Whoever takes the file alone from here must be able to see that a run was under way.
        fold_in(self._connection)

    def note_balance(self, run_id: str, before: float | None, after: float | None) -> None:
        """Record the account's balance when the run began to submit, and when it ended.

        Args:
            run_id: the run's id.
            before: the balance in the account's currency; None if it is not known.
            after: likewise.

        Raises:
            StoreError: the disk does not take it.

        """
        self._append_statement(
            "UPDATE runs SET balance_before = ?, balance_after = ? WHERE run_id = ?",
            (before, after, run_id),
        ).result()

    def end_run(
        self, run_id: str, at: float, exit_code: int, stopped_by: str | None = None
    ) -> None:
        """Record that a run ended; blocks until it is durable.

        Args:
            run_id: the run's id.
            at: when it ended, in Unix seconds.
            exit_code: the exit code of the run.
            stopped_by: what ended it early; None if nothing did.

        Raises:
            StoreError: the disk does not take it.

        """
        if stopped_by is not None:  # a note: no earlier version has to know of it
            self._append_statement(PUT_NOTE, (f"{STOPPED}{run_id}", stopped_by))
        self._append_statement(
            "UPDATE runs SET finished_at = ?, exit_code = ? WHERE run_id = ?",
            (at, exit_code, run_id),
        ).result()

    def note(self, values: Mapping[str, str]) -> None:
        """Keep texts in `meta` by their names; blocks until they are durable. Raises StoreError."""
        noted = [self._append_statement(PUT_NOTE, item) for item in values.items()]
        for one in noted:
            one.result()

    def notes(self) -> dict[str, str]:
        """Return all texts in `meta` by their names; raises StoreError."""
        with clear_errors(self.path):
            return dict(self._connection.execute("SELECT name, value FROM meta"))

    def close(self) -> None:
        """Write what is queued and close the file, whole and with nothing left beside it."""
        self._commits.end()
        leave_whole(self._connection)
        self._connection.close()

    def _append_statement(self, sql: str, values: tuple[object, ...]) -> Future[Committed]:
        return self._commits.put(Statement(sql, values))
