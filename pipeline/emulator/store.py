"""What survives a restart: accepted tasks, uploads and a few settled values, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.emulator.rules import Order
from pipeline.emulator.tasks import Task

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
        """Open or create the file; None keeps it in memory."""
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
        failure = json.dumps(task.failure) if task.failure else None
        self._db.execute(
            "INSERT INTO task VALUES (?,?,?,?,?,?,?,?)",
            (
                task.number,
                task.task_id,
                json.dumps(asdict(task.order)),
                task.created_at,
                task.run_s,
                failure,
                task.cost_usd,
                task.curve,
            ),
        )

    def tasks(self) -> Iterator[Task]:
        """Give back every task in the order of acceptance."""
        for row in self._db.execute("SELECT * FROM task ORDER BY number"):
            number, task_id, ordered, created_at, run_s, failure, cost_usd, curve = row
            fields = json.loads(ordered)
            fields["image_urls"] = tuple(fields["image_urls"])
            order = Order(**fields)
            pair = tuple(json.loads(failure)) if failure else None
            yield Task(number, task_id, order, created_at, run_s, pair, cost_usd, curve)

    def add_upload(self, upload: Upload) -> None:
        """Keep an upload."""
        self._db.execute(
            "INSERT INTO upload VALUES (?,?,?,?,?)",
            (upload.path, upload.upload_id, upload.mime_type, upload.size_bytes, upload.name),
        )

    def uploads(self) -> Iterator[Upload]:
        """Give back every upload."""
        for row in self._db.execute("SELECT * FROM upload ORDER BY rowid"):
            yield Upload(*row)

    def settled(self, name: str, value: str) -> str:
        """Return what ``name`` was settled to the first time, which is ``value`` if now."""
        self._db.execute("INSERT OR IGNORE INTO settled VALUES (?,?)", (name, value))
        row = self._db.execute("SELECT value FROM settled WHERE name=?", (name,)).fetchone()
        return str(row[0])
