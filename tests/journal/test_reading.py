"""What a journal says is the same whether requests are known already or read from it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from pipeline import events as ev
from pipeline.disk.sqlitefile import path_of, text_of, uri_of
from pipeline.errors import StoreError
from pipeline.journal.journal import Journal
from pipeline.journal.logreading import last_line
from pipeline.journal.reading import read_entries, read_twice, replay
from pipeline.journal.sums import Sent, arrived_untold, runs_in, sum_up
from tests.journal.lives import VIDEO, intended, request

ROWS = 1203  # more than are read at once


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of done rows, some with an earlier take and a request of their own."""
    path = tmp_path_factory.mktemp("night") / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        for row in range(ROWS):
            key = f"row{row}"
            for number in range(1, 3 if row % 100 == 0 else 2):
                events = [
                    intended(key, number, f"film {row % 700} take {number}"),
                    ev.Accepted(key, number, f"task-{key}-{number}"),
                    ev.Completed(key, number, 30.0),
                    ev.Downloaded(key, number, VIDEO),
                ]
                if number > 1:
                    events.insert(0, ev.Requeued(key, 1))
                journal.append(events, float(row)).result(10)
    return path


@pytest.mark.parametrize("share", [0, 1, 3])
def test_requests_known_before_change_nothing(path: Path, share: int) -> None:
    """None, some or all of them may be known: the entries are those of a replay."""
    texts = [f"film {row} take 1" for row in range(700) if share and row % share == 0]
    known = {one.request_hash: one for one in map(request, texts)}
    entries = read_entries(path, known)
    assert entries == replay(path)
    assert len(entries) == ROWS
    assert entries["row100"].take == VIDEO
    assert entries["row100"].earlier == ("hash-film 100 take 1",)


def test_known_requests_are_not_made_again(path: Path) -> None:
    """A hundred thousand rows need their requests in memory once."""
    known = {one.request_hash: one for one in [request("film 3 take 1")]}
    found = read_entries(path, known)["row3"].attempt.request
    assert found is known[found.request_hash]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM requests",
        "UPDATE attempts SET state = 'sold'",
        "UPDATE attempts SET video = '{'",
        "UPDATE requests SET body = '[1]'",
    ],
)
def test_a_damaged_journal_says_so(tmp_path: Path, damage: str) -> None:
    """What no run ever wrote is told as damage, not as an error of the program."""
    path = tmp_path / "journal.db"
    with contextlib.closing(Journal(path)) as journal:
        journal.append([intended("a", 1, "a film")], 1.0).result()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with pytest.raises(StoreError, match="damaged"):
        read_entries(path)


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        (PurePosixPath("/my videos/ü?#%.db"), "file:///my%20videos/%C3%BC%3F%23%25.db"),
        (PureWindowsPath("C:\\videos\\j.db"), "file:///C:/videos/j.db"),
        (PureWindowsPath("\\\\server\\share\\j.db"), "file:////server/share/j.db"),
    ],
)
def test_a_journal_has_an_address_that_sqlite_takes(place: PurePath, uri: str) -> None:
    """On a Windows share, too: SQLite takes no name of a server before the path."""
    assert uri_of(place) == uri


@pytest.mark.skipif(os.sep == "\\", reason="every name is text there")
@pytest.mark.parametrize("name", ["plain", "ü ₤", "b\udce4d \udcff", "back\\slash"])
def test_every_path_can_be_kept_as_text(name: str) -> None:
    """SQLite takes no half of a surrogate pair, which stands for a byte that is no text."""
    kept = text_of(Path("/shop") / name)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert path_of(kept) == Path("/shop") / name


def test_some_rows_are_read_as_all_are(path: Path) -> None:
    """A few hundred keys give the entries that a replay has of them, and no others."""
    keys = [*(f"row{row}" for row in range(0, ROWS, 3)), "never-seen"]
    with contextlib.closing(Journal(path)) as journal:
        found = journal.entries_of(keys)
    known = replay(path)
    assert found == {key: known[key] for key in keys if key in known}
    assert found["row300"].take == VIDEO


def test_a_journal_without_tables_is_read_as_nothing(tmp_path: Path) -> None:
    """So it is while the first run has not got any further; a file that is gone is an error."""
    path = tmp_path / "journal.db"
    with pytest.raises(StoreError, match="there is no journal"):
        read_twice(path)
    path.touch()
    assert read_twice(path) == ({}, {})


def test_where_no_journal_is_nothing_was_run_or_sent(tmp_path: Path) -> None:
    """Nothing is made by looking."""
    journal = tmp_path / "journal.db"
    assert runs_in(journal) == []
    assert sum_up(journal, 0.0, 1e12) == Sent(None, {}, None)
    assert arrived_untold(journal, "20261128T020000Z-abcd") == []
    (tmp_path / "run.log").mkdir()
    assert last_line(tmp_path / "run.log") == {}
    assert not journal.exists()
