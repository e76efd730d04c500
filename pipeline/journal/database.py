"""The journal's file: SQLite in WAL mode, readable by its owner alone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StoreError, UsageError

VERSION = 1

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, command TEXT NOT NULL, started_at REAL NOT NULL,
    finished_at REAL, exit_code INTEGER
) WITHOUT ROWID;
CREATE TABLE requests (request_hash TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL,
    kind TEXT NOT NULL, data TEXT
);
CREATE TABLE attempts (
    key TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, request_hash TEXT NOT NULL,
    client_business_id TEXT NOT NULL, video_name TEXT NOT NULL, cost REAL, task_id TEXT,
    error_code TEXT, error_message TEXT, submitted_at REAL, finished_at REAL, video TEXT,
    closed INTEGER NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE TABLE uploads (
    account TEXT NOT NULL, sha256 TEXT NOT NULL, url TEXT NOT NULL, uploaded_at REAL NOT NULL,
    PRIMARY KEY (account, sha256)
) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the journal for writing, made if it is not there; raises StoreError, UsageError."""
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600))
        connection = sqlite3.connect(
            path, timeout=10, isolation_level=None, check_same_thread=False
        )
        on_failure.callback(connection.close)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _prepare(connection, path)
        on_failure.pop_all()
    return connection


def connect_for_reading(path: Path) -> sqlite3.Connection | None:
    """Open the journal without ever writing to it; None if there is none."""
    if not path.is_file():
        return None
    with clear_errors(path), contextlib.ExitStack() as on_failure:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        on_failure.callback(connection.close)
        _version(connection, path)
        on_failure.pop_all()
    return connection


@contextlib.contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what the system and SQLite say about the journal at `path` into a StoreError."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise store_error(path, error) from error


def store_error(path: Path, error: Exception) -> StoreError:
    """Say in plain words why the journal cannot be used."""
    if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
        reason = "it is not a journal, or it is damaged"
    else:
        reason = getattr(error, "strerror", None) or str(error)
    return StoreError(
        f"the journal {path} cannot be used: {reason}",
        action="Make room, or make the folder writable, then run again: nothing paid for is lost.",
    )


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise UsageError(
            f"{path} was written by a newer version of reelsheet",
            action="Update reelsheet, or choose another folder with --out.",
        )
    return version


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == VERSION:
        return
    connection.executescript(
        f"BEGIN IMMEDIATE;\n{SCHEMA}\nPRAGMA user_version = {VERSION};\nCOMMIT;"
    )
