"""What can be read of a damaged journal."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from pipeline import events as ev
from pipeline.journal.copies import Salvaged, salvage
from pipeline.journal.journal import Journal
from tests.journal.lives import intended

PAGE = 4096


def written(path: Path, rows: int) -> str:
    with contextlib.closing(Journal(path)) as journal:
        events = [intended(f"row {number:04}", text=f"film {number}") for number in range(rows)]
        journal.append(events, 1.0).result()
        journal.append([ev.Renamed("row 0000", 1, "other")], 2.0).result()
        return journal.id


def pages_of(path: Path, table: str) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        return [page for (page,) in connection.execute(find, (table,))]


def zero(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    path.write_bytes(content)


def test_a_whole_journal(tmp_path: Path) -> None:
    """All of it, under the keys of now."""
    path = tmp_path / "journal.db"
    journal_id = written(path, 3)
    found = salvage(path)
    assert found.journal_id == journal_id
    assert [one.key for one in found.attempts] == ["other", "row 0001", "row 0002"]


def test_a_page_in_the_middle_hides_few_rows(tmp_path: Path) -> None:
    """Those before and after it are read, from both ends, each once."""
    path = tmp_path / "journal.db"
    journal_id = written(path, 600)
    pages = len(path.read_bytes()) // PAGE
    hidden = 0
    for page in range(2, pages + 1, 7):
        content = path.read_bytes()
        zero(path, page)
        found = salvage(path)
        keys = [one.key for one in found.attempts]
        assert len(keys) == len(set(keys))
        assert found.journal_id in {journal_id, None}
        hidden = max(hidden, 600 - len(keys)) if len(keys) < 600 else hidden
        path.write_bytes(content)
    assert hidden > 0


def test_the_page_of_the_table_itself(tmp_path: Path) -> None:
    """Nothing of its rows, but the id."""
    path = tmp_path / "journal.db"
    journal_id = written(path, 3)
    (page,) = pages_of(path, "attempts")
    zero(path, page)
    assert salvage(path) == Salvaged(journal_id)


def test_what_is_no_journal(tmp_path: Path) -> None:
    """A text, nothing at all, no file: nothing is read and nothing is raised."""
    path = tmp_path / "journal.db"
    assert salvage(path) == Salvaged()
    for content in (b"", b"a text " * 1000):
        path.write_bytes(content)
        assert salvage(path) == Salvaged()
