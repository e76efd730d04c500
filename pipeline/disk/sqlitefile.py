"""A SQLite file opened to be read and never written to, wherever it lies."""

from __future__ import annotations

import sqlite3
from pathlib import Path, PurePath
from urllib.parse import quote

TIMEOUT_S = 10
"""So long another process's lock is waited for."""


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open the file at `path`, which must be there; raises sqlite3.Error."""
    return sqlite3.connect(f"{uri_of(path.absolute())}?mode=ro", uri=True, timeout=TIMEOUT_S)


def uri_of(path: PurePath) -> str:
    """Return a file's URI as SQLite takes it: a Windows share stands in the path, not before it."""
    name = path.as_posix()
    return "file://" + quote(name if name.startswith("/") else f"/{name}", safe="/:")
