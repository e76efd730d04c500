"""Grouped commits: everything that comes while one transaction is committed shares the next one.

How batches work, and why a kill at any moment is safe:

- What is put is added to the batch that is open. The first of it puts the batch into the queue of
  the writing thread; when the thread takes it, it is closed, and the next opens another. So a batch
  gathers whatever comes while the one before it is committed: the intents of concurrent submissions
  share one flush of the disk. Batches keep the order in which they were opened.
- A batch is one transaction. Its future is done only after its COMMIT with synchronous=FULL.
- After the first failure nothing is written any more: every later batch fails with the same error.
  Nothing is durable without what came before it.
- Only a full disk is answered: the transaction is rolled back, a piece of the reserve is freed and
  the same batch tried again. Its future then says so, and the run begins nothing new.
- Every few seconds, when no batch waits, SQLite's log beside the file is folded into it, as at the
  end: a copy of the file alone is then whole.

Tested in tests/journal/test_journal.py, tests/journal/test_disk.py and tests/account/test_book.py.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from pipeline.disk.failures import no_room
from pipeline.disk.reserve import Reserve
from pipeline.disk.sqlitefile import fold_in
from pipeline.errors import StoreError, Withheld

_FOLD_EVERY_S = 2.0
"""It takes half a millisecond of CPU, and a few flushes of the disk."""
_MOST_IN_A_BATCH = 2000
"""A batch with more than this takes nothing more: its transaction would hold up the next."""

_Item = TypeVar("_Item")
_Written = TypeVar("_Written")
_Taken_contra = TypeVar("_Taken_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a commit.

    `shortage` says why it needed the room of the reserve, if it did: nothing new may begin then.
    `withheld` are the intents that were not taken, by their references: they must not be sent.
    """

    shortage: StoreError | None = None
    withheld: Mapping[str, Withheld] = field(default_factory=dict)


class _Store(Protocol[_Taken_contra, _Written]):
    """What is written to; every method is called by the writing thread alone."""

    def write(self, items: Sequence[_Taken_contra]) -> _Written:
        """Write a batch inside the open transaction; raises sqlite3.Error."""

    def forget(self) -> None:
        """Forget what was learned from a transaction that was rolled back and is tried again."""

    def explain(self, error: OSError | sqlite3.Error) -> StoreError:
        """Say what a failure means and what to do."""

    def conclude(self, written: _Written, shortage: StoreError | None) -> Future[Committed]:
        """Return the future of a batch that is durable now, and of whatever must follow it."""


class _Batch(Generic[_Item]):
    """The writes of one transaction, and the future of all who wait for it."""

    def __init__(self) -> None:
        self.items: list[_Item] = []
        self.size = 0
        self.done: Future[Committed] = Future()
        self.done.set_running_or_notify_cancel()  # nobody may cancel a future that others wait for


class GroupCommit(Generic[_Item, _Written]):
    """The writing thread of an open SQLite file, and the queue of batches before it."""

    def __init__(
        self, connection: sqlite3.Connection, store: _Store[_Item, _Written], name: str
    ) -> None:
        """Begin to write to an open connection, which from now on the thread alone writes to.

        Args:
            connection: the file, open for writing; `close` closes it.
            store: what writes a batch into its tables.
            name: the name of the thread.

        """
        self._connection = connection
        self._store = store
        self._reserve: Reserve | None = None
        self._shortage: StoreError | None = None
        self._lock = threading.Lock()
        self._batch: _Batch[_Item] | None = None
        self._queue: SimpleQueue[_Batch[_Item] | None] = SimpleQueue()
        self._broken: Exception | None = None
        self._folded_at = time.monotonic()
        self._thread = threading.Thread(target=self._write_all, name=name, daemon=True)
        self._thread.start()

    def fall_back_on(self, reserve: Reserve) -> None:
        """Free pieces of `reserve` when the disk is full, as long as there are any."""
        self._reserve = reserve

    def put(self, item: _Item, size: int = 1) -> Future[Committed]:
        """Write an item, of so many lines; the future is done when it is durable.

        Everything that shares a commit has the same future, which cannot be cancelled. It fails
        when the disk does not take the batch at all; nothing is written after that.
        """
        with self._lock:
            batch = self._open_batch()
            batch.items.append(item)
            batch.size += size
        return batch.done

    def end(self) -> None:
        """Write what is queued, and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _open_batch(self) -> _Batch[_Item]:
        """Return the open batch; a new one is put into the queue at once and stays open."""
        batch = self._batch
        if batch is None or batch.size >= _MOST_IN_A_BATCH:
            batch = self._batch = _Batch()
            self._queue.put(batch)
        return batch

    # The writing thread.

    def _write_all(self) -> None:
        while (batch := self._next()) is not None:
            with self._lock:
                if self._batch is batch:
                    self._batch = None
            self._commit(batch)

    def _next(self) -> _Batch[_Item] | None:
        """Wait for a batch; fold in what was written before it when there is time for that."""
        wait_s = max(0.0, self._folded_at + _FOLD_EVERY_S - time.monotonic())
        try:
            return self._queue.get(timeout=wait_s)
        except Empty:
            # A full disk may have no room for it, and would lose that of the log for the answers.
            if self._broken is None and self._shortage is None:
                fold_in(self._connection)
        self._folded_at = time.monotonic()
        return self._queue.get()

    def _commit(self, batch: _Batch[_Item]) -> None:
        if self._broken is not None:
            batch.done.set_exception(self._broken)
            return
        try:
            written = self._transact(batch.items)
            concluded = self._store.conclude(written, self._shortage)
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits
            self._fail(batch, error)
            return
        _hand_on(concluded, batch.done)

    def _transact(self, items: Sequence[_Item]) -> _Written:
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                written = self._store.write(items)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if not self._make_room(error):
                    raise
            else:
                return written

    def _make_room(self, error: sqlite3.Error) -> bool:
        """Roll back and free a piece of the reserve, if that can help; return whether it did."""
        reserve = self._reserve
        if reserve is None or not no_room(error) or not reserve.give_up_a_piece():
            return False
        self._shortage = self._shortage or self._store.explain(error)
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        self._store.forget()
        return True

    def _fail(self, batch: _Batch[_Item], error: Exception) -> None:
        if isinstance(error, sqlite3.Error | OSError):
            error = self._store.explain(error)
        self._broken = error
        # A disk that takes no writes may refuse the rollback too; nothing is committed after this.
        with contextlib.suppress(sqlite3.Error):
            self._connection.rollback()
        batch.done.set_exception(error)


def done_with(committed: Committed) -> Future[Committed]:
    """Return a future that is done."""
    done: Future[Committed] = Future()
    done.set_result(committed)
    return done


def after(
    first: Future[Committed], say: Callable[[Committed], Committed] = lambda committed: committed
) -> Future[Committed]:
    """Return a future that is done right after another, with what `say` makes of its result."""
    then: Future[Committed] = Future()
    _hand_on(first, then, say)
    return then


def _hand_on(
    first: Future[Committed],
    then: Future[Committed],
    say: Callable[[Committed], Committed] = lambda committed: committed,
) -> None:
    """Have `then` end as `first` does, with what `say` makes of its result."""

    def end(done: Future[Committed]) -> None:
        error = done.exception()
        if error is not None:
            then.set_exception(error)
        else:
            then.set_result(say(done.result()))

    first.add_done_callback(end)
