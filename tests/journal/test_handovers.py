"""Notes of what was handed over: they only grow, and the latest about an entry counts."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import VERSION
from pipeline.journal.handovers import (
    Handover,
    copy_handovers,
    latest_handovers,
    note_handovers,
    note_removed,
    read_handovers,
    read_removed,
)
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries
from tests.review.shop import make_shop

FIRST = Handover(10.0, "MUG", 1, "a" * 64, "MUG", "b" * 64)
BACK = Handover(11.0, "MUG", 0, "", "MUG")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    shop = make_shop(tmp_path)
    shop.make("MUG")
    return shop.folder.journal


def test_the_latest_note_counts(path: Path) -> None:
    """What was taken back does not stand, and stays on record."""
    note_handovers(path, [FIRST])
    assert latest_handovers(path) == {"MUG": FIRST}
    note_handovers(path, [BACK])
    assert latest_handovers(path) == {}
    assert read_handovers(path) == [FIRST, BACK]
    assert not path.with_name("journal.db-wal").exists()


def test_an_earlier_journal_has_none_and_takes_them(path: Path) -> None:
    """Reading changes nothing; the first note brings it forward, with all that it knew."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE handovers; UPDATE meta SET value = '3' WHERE name = 'schema';"
            "PRAGMA user_version = 3"
        )
    before, content = read_entries(path), path.read_bytes()
    assert read_handovers(path) == []
    assert path.read_bytes() == content
    note_handovers(path, [FIRST])
    assert read_handovers(path) == [FIRST]
    assert read_entries(path) == before
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_run_goes_on_beside(path: Path) -> None:
    """Both write to the same file."""
    with contextlib.closing(Journal(path)) as journal:
        note_handovers(path, [FIRST])
        journal.note({"x": "y"})
    assert read_handovers(path) == [FIRST]


def test_a_journal_that_is_restored_keeps_them(path: Path, tmp_path: Path) -> None:
    """What can be read of the old one is in the new one."""
    note_handovers(path, [FIRST, BACK])
    note_removed(path, {("MUG", 1): "MUG.mp4"}, 8.0)
    restored = tmp_path / "restored.db"
    with contextlib.closing(Journal(restored)):
        pass
    copy_handovers(path, restored)
    assert read_handovers(restored) == [FIRST, BACK]
    assert read_removed(restored) == {("MUG", 1): 8.0}
    copy_handovers(tmp_path / "gone.db", restored)
    assert len(read_handovers(restored)) == 2


def test_no_journal_is_made_for_a_note(tmp_path: Path) -> None:
    """An empty one would look as if nothing had ever been sent."""
    with pytest.raises(StoreError):
        note_handovers(tmp_path / "journal.db", [FIRST])
    assert not any(tmp_path.iterdir())


def test_nothing_of_a_batch_that_fails(path: Path) -> None:
    """A name that no file can hold leaves none of its notes, and the next are taken."""
    with pytest.raises(UsageError):
        note_handovers(path, [FIRST, replace(FIRST, name="\ud800")])
    assert read_handovers(path) == []
    note_handovers(path, [FIRST, BACK])
    assert read_handovers(path) == [FIRST, BACK]
