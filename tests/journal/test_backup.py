"""A backup is whole, for its owner alone, in one file, and never over another."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.errors import StoreError, UsageError
from pipeline.journal.copies import back_up, backup_name
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from tests.journal.lives import intended


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as opened:
        opened.append([intended("a"), ev.Accepted("a", 1, "t")], 1.0).result(10)
    return path


def test_while_a_run_writes(journal: Path, tmp_path: Path) -> None:
    """It has all that was durable, needs no file beside it, and can be written to."""
    target = tmp_path / "copy.db"
    with contextlib.closing(Journal(journal)) as opened:
        opened.append([intended("b")], 2.0).result(10)
        back_up(journal, target)
        opened.append([intended("c")], 3.0).result(10)
    assert set(read_entries(target)) == {"a", "b"}
    assert replay(target) == read_entries(target)
    assert {one.name for one in tmp_path.iterdir()} == {"journal.db", "copy.db"}
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with contextlib.closing(Journal(target)) as opened:
        opened.append([intended("d")], 3.0).result(10)


def test_it_is_named_by_its_moment_and_lies_beside_the_journal(journal: Path) -> None:
    """In UTC, so that names are in the order of the backups also when clocks are put back."""
    before = datetime.now(UTC).replace(microsecond=0)
    target = backup_name(journal)
    after = datetime.now(UTC)
    assert target.parent == journal.parent
    said = re.fullmatch(r"journal-(\d{8}-\d{6})Z\.db", target.name)
    assert said is not None
    assert before <= datetime.strptime(f"{said[1]}+0000", "%Y%m%d-%H%M%S%z") <= after


def test_nothing_is_written_over(journal: Path, tmp_path: Path) -> None:
    """Not a file, nor where a link leads."""
    target = tmp_path / "mine"
    target.write_bytes(b"mine")
    with pytest.raises(UsageError, match="nothing is written over it"):
        back_up(journal, target)
    assert target.read_bytes() == b"mine"
    if os.name == "posix":
        link = tmp_path / "link"
        link.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(UsageError):
            back_up(journal, link)
        assert not (tmp_path / "elsewhere").exists()


def test_no_journal_and_no_folder(tmp_path: Path, journal: Path) -> None:
    """Said, and nothing is left behind."""
    with pytest.raises(UsageError, match="there is no journal"):
        back_up(tmp_path / "none.db", tmp_path / "copy.db")
    with pytest.raises(StoreError, match="its folder does not exist"):
        back_up(journal, tmp_path / "nowhere" / "copy.db")
    assert [one.name for one in tmp_path.iterdir()] == ["journal.db"]


@pytest.mark.parametrize("kept", [1.0, 0.5])
def test_damage_is_not_backed_up(journal: Path, tmp_path: Path, kept: float) -> None:
    """A copy of it would be taken for a good one."""
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        find = "SELECT rootpage FROM sqlite_master WHERE name = 'events'"
        (page,) = connection.execute(find).fetchone()
    content = bytearray(journal.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    journal.write_bytes(content[: int(len(content) * kept) // 4096 * 4096])
    with pytest.raises(StoreError, match="damaged") as caught:
        back_up(journal, tmp_path / "copy.db")
    assert str(journal) in caught.value.message
    assert [one.name for one in tmp_path.iterdir()] == ["journal.db"]
