"""A renamed row keeps its entry, and earlier journals learn to do so without losing a row."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.sqlitefile import open_to_read
from pipeline.errors import StoreError
from pipeline.events import Event
from pipeline.journal.database import VERSION
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, read_first_events, replay
from pipeline.lifecycle import ImpossibleMove
from pipeline.model import Attempt, Entry, State, aside_key
from pipeline.planner.renaming import rename, renaming_events
from tests.journal.lives import VIDEO, attempt, intended, request

CASES = Path(__file__).parents[1] / "upgrade" / "cases"
EARLIER = sorted(CASES.glob("*/outputs/*/journal.db"))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Journal]:
    with contextlib.closing(Journal(path)) as journal:
        yield journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def version(path: Path) -> int:
    with contextlib.closing(open_to_read(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def done(key: str, number: int = 1) -> list[Event]:
    return [
        intended(key, number),
        ev.Accepted(key, number, f"task-{key}-{number}"),
        ev.Completed(key, number, 30.0),
        ev.Downloaded(key, number, VIDEO),
    ]


def write(path: Path, *batches: Sequence[Event]) -> dict[str, Entry]:
    """Append batches in a journal that is opened for it; return what it knows then."""
    with opened(path) as journal:
        for at, batch in enumerate(batches):
            journal.append(batch, float(at)).result(10)
        entries = journal.entries()
    assert read_entries(path) == entries
    assert replay(path) == entries
    return entries


def test_only_the_key_of_a_renamed_row_changes(path: Path) -> None:
    """State, task, video, attempts and identity stay, and everything later finds the row."""
    before = write(path, done("a"), [intended("b")])
    after = write(path, [ev.Renamed("a", 1, "x"), ev.Renamed("b", 1, "y")])
    assert after == {"x": before["a"].with_key("x"), "y": before["b"].with_key("y")}
    assert {one.identity for one in after.values()} == {"a", "b"}
    later = write(path, [ev.Interrupted("y", 1)], [ev.Found("y", 1, "task")])
    assert (later["y"].state, later["y"].task_id) == (State.RUNNING, "task")
    with opened(path) as journal:
        assert journal.entries_of(["a", "x", "y"]) == later
        assert journal.identity_of("x") == "a"


def test_a_row_can_be_renamed_again_and_back(path: Path) -> None:
    """Only where the key is not the first one is there anything to remember."""
    first = write(path, done("a"))
    write(path, [ev.Renamed("a", 1, "b")])
    assert write(path, [ev.Renamed("b", 1, "c")]).keys() == {"c"}
    assert write(path, [ev.Renamed("c", 1, "a")]) == first
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM renamed").fetchall() == []


def test_a_key_that_comes_back_is_another_entry(path: Path) -> None:
    """It begins with number one under an identity of its own, over and over."""
    write(path, done("a"))
    known = {"a"}
    for turn in range(3):
        moved = f"moved {turn}"
        write(path, [ev.Renamed("a", 1, moved)])
        with opened(path) as journal:
            identity = journal.identity_of("a")
            assert journal.identity_of(moved) in known
        assert identity not in known
        known.add(identity)
        new = Attempt("a", 1, f"rs-{turn}", request("another"), f"a-{turn}.mp4", identity=identity)
        entries = write(path, [ev.Intended("a", 1, new), ev.Accepted("a", 1, f"task-{turn}")])
        assert entries["a"].attempt == new
        assert entries["moved 0"].video == VIDEO
        assert entries.keys() == {"a", *(f"moved {one}" for one in range(turn + 1))}
        write(path, [ev.Completed("a", 1, 1.0), ev.Downloaded("a", 1, VIDEO)])
    assert {one.identity for one in read_entries(path).values()} == known


def test_renaming_and_what_follows_may_share_a_transaction(path: Path) -> None:
    """Events of one batch are applied in their order, under the keys of their time."""
    write(path, done("a"))
    new = Attempt("a", 1, "rs-2", request("another"), "a-2.mp4", identity="a\x1f2")
    entries = write(
        path,
        [
            ev.Renamed("a", 1, "b"),
            ev.Requeued("b", 1),
            ev.Intended("a", 1, new),
            ev.Intended("b", 2, Attempt("b", 2, "rs-b", request("b"), "b-2.mp4", identity="a")),
        ],
    )
    assert (entries["a"].attempt, entries["a"].take) == (new, None)
    assert (entries["b"].attempt.number, entries["b"].take) == (2, VIDEO)
    assert entries["b"].earlier == ("hash-a film",)


def test_no_row_takes_the_key_of_another(path: Path) -> None:
    """The journal takes nothing more then, and holds what it held."""
    before = write(path, done("a"), done("b"))
    with opened(path) as journal:
        with pytest.raises(ImpossibleMove, match="'b', which is known"):
            journal.append([ev.Renamed("a", 1, "b")], 9.0).result(10)
        with pytest.raises(ImpossibleMove):
            journal.append(done("c"), 9.0).result(10)
    assert read_entries(path) == before


KEYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "swap": ({"a": "b", "b": "a"}, {"a": "b", "b": "a", "c": "c"}),
    "circle": ({"a": "b", "b": "c", "c": "a"}, {"b": "a", "c": "b", "a": "c"}),
    "chain": ({"d": "c", "c": "b", "b": "a"}, {"a": "b", "b": "c", "c": "d"}),
    "aside": ({"a": "b", aside_key("a"): "a"}, {"b": "a", "a": aside_key("a"), "c": "c"}),
}
"""The earlier keys by the new ones, and the keys of the identities a, b and c after that."""


@pytest.mark.parametrize(("renamed", "keys"), KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("state", ["done", "under way"])
def test_keys_are_exchanged(
    path: Path, tmp_path: Path, renamed: dict[str, str], keys: dict[str, str], state: str
) -> None:
    """In one transaction that a kill leaves whole or not at all; then all goes on under them."""
    batches = [done(key) if state == "done" else [intended(key)] for key in "abc"]
    before = write(path, *batches)
    with opened(path) as journal:
        journal.append(renaming_events(renamed, before), 9.0).result(10)
        after = journal.entries()
        found = [read_entries(copy) for copy in _cut_anywhere(path, tmp_path / "cuts")]
    assert all(entries in (before, after) for entries in found)
    assert (found[0], found[-1]) == (before, after)
    assert {one.identity: one.key for one in after.values()} == keys
    rename(before, renamed)
    assert after == before == read_entries(path) == replay(path)
    for one in after.values():
        again = ev.Requeued if state == "done" else ev.NotAccepted
        later = write(path, [again(one.key, 1)])
        assert later[one.key].identity == one.identity
    with opened(path) as journal:
        assert {journal.identity_of(key): key for key in keys.values()} == keys


def test_a_key_whose_entry_stepped_aside_begins_anew(path: Path) -> None:
    """And the entry finds its way back once the key is free again."""
    before = write(path, done("a"), done("b"))
    aside = write(path, renaming_events({"a": "b", aside_key("a"): "a"}, before))
    with opened(path) as journal:
        assert journal.identity_of("a") == "b"
        assert journal.identity_of("b") == "b\x1f2"
    new = Attempt("b", 1, "rs-new", request("another"), "b-2.mp4", identity="b\x1f2")
    entries = write(path, [ev.Intended("b", 1, new)])
    assert {one.identity for one in entries.values()} == {"a", "b", "b\x1f2"}
    renamed = {"a": aside_key("a"), "b": "a", aside_key("b\x1f2"): "b"}
    back = write(path, renaming_events(renamed, entries))
    assert back["a"] == aside[aside_key("a")].with_key("a") == before["a"]
    assert back["b"] == before["b"]
    assert back[aside_key("b\x1f2")].attempt.client_business_id == "rs-new"


def test_the_order_of_the_journal(path: Path) -> None:
    """When each entry was first heard of, whatever it is called now."""
    write(path, [intended("b")], [intended("a")], [ev.Accepted("b", 1, "task")])
    write(path, [ev.Renamed("b", 1, "z")])
    with opened(path) as journal:
        order = journal.first_events()
    assert order == read_first_events(path)
    assert sorted(order, key=order.__getitem__) == ["b", "a"]
    assert read_first_events(path.with_name("none.db")) == {}


# Kills: a write-ahead log that ends anywhere is what a kill, or a power cut, leaves behind.


def _cut_anywhere(path: Path, into: Path) -> Iterator[Path]:
    """Copy a journal in use as it lies on the disk, with its log cut after each of its frames."""
    wal = path.with_name(f"{path.name}-wal").read_bytes()
    frame = 24 + int.from_bytes(wal[8:12], "big")
    for number, end in enumerate(range(32, len(wal) + 1, frame)):
        for more in (0, frame // 2):
            copy = into / f"{number}-{more}" / path.name
            copy.parent.mkdir(parents=True)
            shutil.copyfile(path, copy)
            copy.with_name(f"{path.name}-wal").write_bytes(wal[: end + more])
            yield copy


def test_a_kill_leaves_all_keys_old_or_all_new(path: Path, tmp_path: Path) -> None:
    """However far the transaction came to the disk; the next run finds one or the other."""
    rows = 400
    for first in range(0, rows, 100):
        write(path, [intended(f"old {row}") for row in range(first, first + 100)])
    with opened(path) as journal:
        before = journal.entries()
        renames = [ev.Renamed(f"old {row}", 1, f"new {row}") for row in range(rows)]
        journal.append(renames, 9.0).result(10)
        after = journal.entries()
        found = [read_entries(copy) for copy in _cut_anywhere(path, tmp_path / "cuts")]
    assert len(found) > 20
    assert all(entries in (before, after) for entries in found)
    assert found[0] == before
    assert found[-1] == after


# Journals of earlier versions.


@pytest.mark.parametrize("earlier", EARLIER, ids=lambda path: path.relative_to(CASES).parts[0])
def test_an_earlier_journal_is_read_as_it_is_and_brought_forward(earlier: Path, path: Path) -> None:
    """Looking at it changes nothing; the first run adds what is new, and knows every row."""
    for file in earlier.parent.glob("journal.db*"):  # a killed run leaves its log beside
        shutil.copyfile(file, path.with_name(file.name))
    content = path.read_bytes()
    assert version(path) == 1
    before = read_entries(path)
    assert read_first_events(path).keys() == {one.identity for one in before.values()}
    assert all(key == one.key == one.identity for key, one in before.items())
    assert path.read_bytes() == content
    assert version(path) == 1
    with opened(path) as journal:
        assert journal.entries() == before
        journal.append([], 0.0)
    assert version(path) == VERSION
    assert read_entries(path) == before
    assert replay(path).keys() == before.keys()
    renames: list[Event] = [
        ev.Renamed(key, one.attempt.number, f"new {key}") for key, one in before.items()
    ]
    after = write(path, renames)
    assert after == {f"new {key}": one.with_key(f"new {key}") for key, one in before.items()}


def test_there_are_earlier_journals(path: Path) -> None:
    """The cases of the version of 22 November, with rows in them."""
    assert len(EARLIER) > 20
    rows = 0
    for earlier in EARLIER:
        shutil.copyfile(earlier, path)  # to read one in its place would leave files beside it
        rows += len(read_entries(path))
    assert rows > 100


def test_a_kill_while_it_is_brought_forward(path: Path, tmp_path: Path) -> None:
    """It is of the earlier version or of this one, never between, and whole either way."""
    shutil.copyfile(EARLIER[0], path)
    before = read_entries(path)
    assert before
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with opened(path):
        copies = list(_cut_anywhere(path, tmp_path / "cuts"))
    found = set()
    for copy in copies:
        found.add(version(copy))
        assert read_entries(copy) == before
        with opened(copy) as journal:
            assert journal.entries() == before
        assert version(copy) == VERSION
    assert found == {1, VERSION}


def test_a_table_of_another_shape_is_damage(path: Path) -> None:
    """A clear message, not a traceback."""
    write(path, [ev.Intended("a", 1, attempt("a", 1))])
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE renamed")
        connection.execute("CREATE TABLE renamed (other TEXT)")
    for use in (Journal, read_entries):
        with pytest.raises(StoreError, match="journal"):
            use(path)
