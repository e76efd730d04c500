"""Decisions about takes: kept for good, beside a run that goes on, and by earlier journals too."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError, UsageError
from pipeline.journal.database import VERSION
from pipeline.journal.decisions import DecisionTable, copy_decisions, copy_note, read_decisions
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_entries
from pipeline.model import Decision
from tests.journal.lives import intended

APPROVED = Decision("MUG", 1, "ab" * 32, "approve", reviewer="Ada", at=10.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("MUG")], 1.0).result(10)
    return path


def test_what_is_decided_is_read_again(path: Path) -> None:
    """Every field of it, with its place; and the states of rows stay as they were."""
    before = read_entries(path)
    rejected = Decision(
        "MUG", 1, "cd", "reject", "wrong colour", "zu grün\nsehr", "Ein Becher.", "ef", "Öle",
        "command", 11.25,
    )  # fmt: skip
    with DecisionTable(path) as table:
        assert table.add(None, lambda there: [APPROVED] if not there else []) == [
            replace(APPROVED, seq=1)
        ]
        table.add({"MUG"}, lambda there: [replace(rejected, number=len(there))])
    assert read_decisions(path) == [replace(APPROVED, seq=1), replace(rejected, seq=2)]
    assert read_entries(path) == before
    assert not path.with_name("journal.db-wal").exists()


def test_a_run_goes_on_beside(path: Path) -> None:
    """Both write to the journal in turn; neither loses anything, nor leaves it in two files."""
    with contextlib.closing(Journal(path)) as journal:
        with DecisionTable(path) as table:
            journal.append([intended("BAG")], 2.0).result(10)
            table.add(None, lambda _: [APPROVED])
            journal.append([intended("TEA")], 3.0).result(10)
        journal.append([intended("TIN")], 4.0).result(10)
        assert len(read_decisions(path)) == 1
    assert set(read_entries(path)) == {"MUG", "BAG", "TEA", "TIN"}
    assert len(read_decisions(path)) == 1
    assert not path.with_name("journal.db-wal").exists()


def test_nothing_of_a_batch_that_fails(path: Path) -> None:
    """A mistake in the middle of many leaves none of them."""
    with DecisionTable(path) as table:
        with pytest.raises(ZeroDivisionError):
            table.add(None, lambda there: [APPROVED, replace(APPROVED, number=1 // len(there))])
        table.add(None, lambda _: [replace(APPROVED, number=7)])
    assert [one.number for one in read_decisions(path)] == [7]


def test_an_earlier_journal_has_no_decisions_and_takes_them(path: Path) -> None:
    """Reading one changes nothing; the first decision brings it forward, with all that it knew."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE decisions; UPDATE meta SET value = '2' WHERE name = 'schema';"
            "PRAGMA user_version = 2"
        )
    before, content = read_entries(path), path.read_bytes()
    assert read_decisions(path) == []
    assert path.read_bytes() == content
    with DecisionTable(path) as table:
        table.add(None, lambda _: [APPROVED])
    assert read_decisions(path) == [replace(APPROVED, seq=1)]
    assert read_entries(path) == before
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_no_journal_is_made_for_a_decision(tmp_path: Path) -> None:
    """An empty one would look as if nothing had ever been sent."""
    with pytest.raises(UsageError, match="nothing was made"):
        DecisionTable(tmp_path / "journal.db")
    assert not any(tmp_path.iterdir())
    assert read_decisions(tmp_path / "journal.db") == []


def test_a_journal_that_is_restored_keeps_them(path: Path, tmp_path: Path) -> None:
    """What can be read of the old one is in the new one, in the same order."""
    second = replace(APPROVED, verdict="reject", at=12.0)
    with DecisionTable(path) as table:
        table.add(None, lambda _: [APPROVED, second])
    restored = tmp_path / "restored.db"
    with contextlib.closing(Journal(restored)):
        pass
    assert copy_decisions(path, restored) == 2
    assert [one.verdict for one in read_decisions(restored)] == ["approve", "reject"]
    damaged = tmp_path / "damaged.db"
    shutil.copyfile(path, damaged)
    damaged.write_bytes(b"no journal at all" * 100)
    assert copy_decisions(damaged, restored) == 0
    assert copy_decisions(tmp_path / "gone.db", restored) == 0


def test_a_note_is_copied_where_it_can_be_read(path: Path, tmp_path: Path) -> None:
    """A journal that is restored still knows which rows are the pilot."""
    restored = tmp_path / "restored.db"
    with contextlib.closing(Journal(restored)) as journal:
        journal.append([intended("MUG")], 1.0).result(10)
    assert not copy_note(path, restored, "pilot")
    with DecisionTable(path) as table:
        table.note({"pilot": "MUG"})
    assert copy_note(path, restored, "pilot")
    assert read_notes(restored)["pilot"] == "MUG"
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"no journal at all" * 100)
    assert not copy_note(damaged, restored, "pilot")
    assert not copy_note(tmp_path / "gone.db", restored, "pilot")


def test_a_journal_that_is_gone_takes_no_decision(path: Path) -> None:
    """What was typed is not lost in a file that nobody finds any more."""
    with DecisionTable(path) as table:
        path.rename(path.with_name("elsewhere.db"))
        with pytest.raises(StoreError, match=re.escape(str(path))):
            table.add(None, lambda _: [APPROVED])
        with pytest.raises(StoreError, match=re.escape(str(path))):
            table.note({"written": "before"})


def test_nothing_of_notes_of_which_one_fails(path: Path) -> None:
    """A text that no file can hold leaves none of them, and the table takes the next."""
    with DecisionTable(path) as table:
        with pytest.raises(UsageError):
            table.note({"first": "kept?", "second": "\ud800"})
        table.note({"third": "kept"})
    with contextlib.closing(Journal(path)) as journal:
        notes = journal.notes()
    assert notes["third"] == "kept"
    assert not {"first", "second"} & notes.keys()
