"""What the system and SQLite report becomes a sentence with a remedy, the same for every file."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
import sys
from pathlib import Path

import pytest

from pipeline.disk.failures import (
    damaged,
    explain_os_error,
    explain_rights,
    no_room,
    raise_store_errors,
    store_error,
    without_right,
)
from pipeline.errors import StoreError

VIDEO = Path("videos/a.mp4")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EMFILE, "the system lets this program open no more files"),
        (errno.ENFILE, "the system lets no program open any more files"),
        (errno.EROFS, "cannot be written: the disk is read-only"),
        (errno.EACCES, "access is denied"),
        (errno.ELOOP, "it is a link to another place"),
        (errno.EISDIR, "a folder is in its place"),
        (errno.EIO, "reason"),
        (None, "disk on fire"),
    ],
)
def test_what_the_system_refuses(number: int | None, words: str) -> None:
    """It is told in plain words, with something to do; what is not known in the system's own."""
    error = OSError("disk on fire") if number is None else OSError(number, "reason")
    told = store_error(VIDEO, error)
    assert told.message.startswith(f"{VIDEO} cannot be written: ")
    assert words in told.message
    assert told.message.endswith(".")
    assert told.action


def test_each_limit_of_open_files_has_its_own_remedy() -> None:
    """A limit of this program is the user's to raise; the machine's is shared with others."""
    own = store_error(VIDEO, OSError(errno.EMFILE, "reason")).action or ""
    whole = store_error(VIDEO, OSError(errno.ENFILE, "reason")).action or ""
    assert "limits.downloads" in own
    assert "ulimit -n" in own
    assert whole == "Close other programs and run again."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EIO, "reason", "a.mp4"), "reason"),
        (OSError("disk on fire"), "disk on fire"),
        (PermissionError(), "PermissionError"),
    ],
)
def test_the_words_of_the_system(error: OSError, words: str) -> None:
    """They come without the number and the path, and there always are some."""
    assert explain_os_error(error) == words


def test_what_sqlite_refuses(tmp_path: Path) -> None:
    """Its own errors, as it really raises them: full, locked, read-only, no database."""
    path = tmp_path / "a.db"
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as database:
        database.execute("CREATE TABLE t (x)")
        with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with (
                pytest.raises(StoreError, match="another program keeps it locked"),
                raise_store_errors(path),
            ):
                database.execute("INSERT INTO t VALUES (1)")
            other.execute("ROLLBACK")
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        with (
            pytest.raises(StoreError, match="the disk is full") as caught,
            raise_store_errors(path),
        ):
            database.execute("INSERT INTO t VALUES (zeroblob(100000))")
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert no_room(caught.value.__cause__)
        database.execute("PRAGMA query_only = 1")
        with pytest.raises(StoreError, match="read-only") as caught, raise_store_errors(path):
            database.execute("INSERT INTO t VALUES (1)")
        assert isinstance(caught.value.__cause__, sqlite3.Error)
        assert not no_room(caught.value.__cause__)
    path.write_bytes(b"no database, but long enough to look at" * 99)
    with (
        contextlib.closing(sqlite3.connect(path)) as database,
        pytest.raises(StoreError, match="no SQLite database, or it is damaged"),
        raise_store_errors(path),
    ):
        database.execute("SELECT * FROM t")


def test_the_caller_says_what_could_not_be_done() -> None:
    """And gives a remedy of its own where the usual one does not fit."""
    with (
        pytest.raises(StoreError, match=r"^the log cannot be read: the disk is full\.$") as caught,
        raise_store_errors("the log", cannot="be read", action="Look elsewhere."),
    ):
        raise OSError(errno.ENOSPC, "no space")
    assert caught.value.action == "Look elsewhere."


def test_damage_and_rights_are_told_apart(tmp_path: Path) -> None:
    """Of what a file holds, and of who may open it, as SQLite and the system really say it."""
    path = tmp_path / "a.db"
    path.write_bytes(b"no database, but long enough to look at" * 99)
    with (
        contextlib.closing(sqlite3.connect(path)) as database,
        pytest.raises(sqlite3.DatabaseError) as found,
    ):
        database.execute("SELECT * FROM t")
    assert damaged(found.value)
    assert not without_right(found.value)
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(f"file://{tmp_path / 'none.db'}?mode=ro", uri=True).execute("SELECT 1")
    assert without_right(caught.value)
    assert not damaged(caught.value)
    assert without_right(PermissionError(errno.EACCES, "no"))
    assert not without_right(OSError(errno.ENOSPC, "full"))
    assert not damaged(OSError(errno.EIO, "broken"))


def test_other_errors_pass() -> None:
    """A fault of the program is no failure of the disk."""
    with pytest.raises(KeyError), raise_store_errors("the log"):
        raise KeyError
    assert not no_room(KeyError())


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
def test_rights_are_explained_where_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first folder on the way that is closed, or the file; by its owner, or the user himself.

    A stand-in for the system's own answer: root, who may run this, has every right.
    """
    path = tmp_path / "out put" / "journal.db"
    path.parent.mkdir()
    path.touch()
    closed: dict[Path, int] = {}
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & closed.get(Path(place), 0))
    assert explain_rights(path).endswith(f"chmod u+rw '{path}'.")
    closed[path.parent] = os.W_OK
    assert explain_rights(path).endswith(f"chmod u+rwx '{path.parent}'.")
    closed[tmp_path] = os.W_OK
    assert explain_rights(path).endswith(f"chmod u+rwx '{path.parent}'.")
    closed[tmp_path] = os.X_OK
    assert explain_rights(path).endswith(f"chmod u+rwx {shlex.quote(str(tmp_path))}.")
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    owner = tmp_path.owner()
    assert explain_rights(path) == f"{tmp_path} belongs to {owner}: run as that user."

    def no_name(_: Path) -> str:
        raise KeyError

    monkeypatch.setattr(Path, "owner", no_name)
    number = tmp_path.stat().st_uid
    assert explain_rights(path) == f"{tmp_path} belongs to user {number}: run as that user."
