"""The accepted tasks and uploads: in memory, and in SQLite what survives a restart.

Tested in tests/emulator/test_tasks.py.
"""

from __future__ import annotations

import heapq
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from pipeline.emulator.orders import Order
from pipeline.emulator.private import close_to_others, refuse_unusual
from pipeline.emulator.tasks import FAILED, Fate, Stage, Task

_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (
  number INTEGER PRIMARY KEY, task_id TEXT UNIQUE NOT NULL, ordered TEXT NOT NULL,
  created_at REAL NOT NULL, run_s REAL NOT NULL, failure TEXT, cost_usd REAL NOT NULL,
  curve REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS upload (
  path TEXT PRIMARY KEY, upload_id TEXT NOT NULL, mime_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, name TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS settled (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


_PATIENCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was accepted; ``path`` is that of its URL."""

    path: str
    upload_id: str
    mime_type: str
    size_bytes: int
    name: str


class Store:
    """Keeps what was accepted; each call is committed when it returns.

    One commit in WAL mode with synchronous=NORMAL takes some 30 microseconds
    and survives the death of the process, so it is made on the event loop.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; None keeps it in memory. Raises OSError if it cannot be used."""
        if path is not None:
            for log in ("-wal", "-shm", "-journal"):
                refuse_unusual(path.with_name(path.name + log))
            close_to_others(path, make=True)
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_PATIENCE_S)
        try:
            self._open()
        except sqlite3.Error as wrong:
            self._db.close()
            raise OSError(f"{path} cannot be used, or another emulator uses it ({wrong})") from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _open(self) -> None:
        # Exclusive: two emulators on one state would give out the same task numbers.
        # The lock goes with the process, however it ends.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)

    def add_task(self, task: Task) -> None:
        """Keep an accepted task."""
        fate, ordered = task.fate, json.dumps(asdict(task.order))
        failure = json.dumps(fate.failure) if fate.failure else None
        given = (task.number, task.task_id, ordered, task.created_at)
        drawn = (fate.run_s, failure, task.cost_usd, fate.curve)
        self._db.execute("INSERT INTO task VALUES (?,?,?,?,?,?,?,?)", (*given, *drawn))

    def tasks(self) -> Iterator[Task]:
        """Give back every task in the order of acceptance."""
        for row in self._db.execute("SELECT * FROM task ORDER BY number"):
            number, task_id, ordered, created_at, run_s, failure, cost_usd, curve = row
            fields = json.loads(ordered)
            fields["image_urls"] = tuple(fields["image_urls"])
            order = Order(**fields)
            pair = tuple(json.loads(failure)) if failure else None
            fate = Fate(run_s, pair, curve)
            yield Task(number, task_id, order, created_at, cost_usd, fate)

    def add_upload(self, upload: Upload) -> None:
        """Keep an upload."""
        self._db.execute("INSERT INTO upload VALUES (?,?,?,?,?)", astuple(upload))

    def uploads(self) -> Iterator[Upload]:
        """Give back every upload."""
        for row in self._db.execute("SELECT * FROM upload ORDER BY rowid"):
            yield Upload(*row)

    def keep_first(self, name: str, value: str) -> str:
        """Return what ``name`` was settled to the first time, which is ``value`` if now."""
        self._db.execute("INSERT OR IGNORE INTO settled VALUES (?,?)", (name, value))
        row = self._db.execute("SELECT value FROM settled WHERE name=?", (name,)).fetchone()
        return str(row[0])


_RECHECK_S = 0.05


class TaskBook:
    """The accepted tasks and the sums over them, each kept in O(log n) per task."""

    def __init__(self, balance_usd: float, stage_of: Callable[[Task], Stage]) -> None:
        """Begin empty; ``stage_of`` tells where a task stands now."""
        self._balance_usd = balance_usd
        self._stage_of = stage_of
        self._tasks: dict[str, Task] = {}
        self._by_reference: dict[str, Task] = {}
        self._ends: list[tuple[float, int, Task]] = []
        self._spent_usd = 0.0
        self.peak_outstanding = 0

    def __len__(self) -> int:
        """Count accepted tasks."""
        return len(self._tasks)

    def __iter__(self) -> Iterator[Task]:
        """Go through the tasks in the order of acceptance."""
        return iter(self._tasks.values())

    def add(self, task: Task) -> None:
        """Take in an accepted task."""
        self._tasks[task.task_id] = task
        if task.order.client_business_id:
            self._by_reference[task.order.client_business_id] = task
        self._spent_usd += task.cost_usd
        heapq.heappush(self._ends, (task.due_at, task.number, task))

    def by_id(self, task_id: str) -> Task | None:
        """Return the task with this id."""
        return self._tasks.get(task_id)

    def by_reference(self, reference: str) -> Task | None:
        """Return the newest task with this ``client_business_id``."""
        return self._by_reference.get(reference)

    def outstanding(self, now: float) -> int:
        """Count tasks that have not ended at ``now`` (Unix seconds)."""
        waiting = []
        while self._ends and self._ends[0][0] <= now:
            _, number, task = heapq.heappop(self._ends)
            stage = self._stage_of(task)
            if not stage.finished:
                waiting.append((number, task))
            elif stage.status == FAILED:
                self._spent_usd -= task.cost_usd
        # The more wait for their videos, the more seldom they are all looked at.
        pause_s = _RECHECK_S * max(1.0, len(waiting) / 100)
        for number, task in waiting:
            heapq.heappush(self._ends, (now + pause_s, number, task))
        return len(self._ends)

    def note_peak(self, now: float) -> None:
        """Take the present count into the peak."""
        self.peak_outstanding = max(self.peak_outstanding, self.outstanding(now))

    def money(self, now: float) -> tuple[float, float]:
        """Return what remains and what is used, in USD, failed tasks refunded."""
        self.outstanding(now)
        return self._balance_usd - self._spent_usd, self._spent_usd
