"""Whose work an output folder holds: a rehearsal and what was paid for never mix."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pipeline import events as ev
from pipeline.disk.folder import FolderUse, OutputFolder
from pipeline.emulator.store import Store
from pipeline.errors import UsageError
from pipeline.journal.journal import Journal
from tests.journal.lives import intended

if TYPE_CHECKING:
    from pathlib import Path


def home(
    root: Path,
    *,
    paid: tuple[str, ...] = (),
    rehearsed: tuple[str, ...] = (),
    last: str | None = None,
) -> OutputFolder:
    """An output folder with tasks of the provider and of the emulator, and its last summary."""
    folder = OutputFolder(root)
    root.mkdir(parents=True)
    with contextlib.closing(Journal(folder.journal)) as journal:
        for key in (*paid, *rehearsed):
            moves = [intended(key), ev.Accepted(key, 1, f"task-{key}")]
            journal.append(moves, 1.0).result(10)
    if rehearsed:
        folder.emulator.mkdir(parents=True)
        Store(folder.emulator / "state.db").close()
        with contextlib.closing(sqlite3.connect(folder.emulator / "state.db")) as state, state:
            state.executemany(
                "INSERT INTO task VALUES (NULL, ?, '{}', 1, 1, NULL, 0, 1)",
                [(f"task-{key}",) for key in rehearsed],
            )
    if last is not None:
        folder.summary.write_text(json.dumps({"provider": last}), encoding="utf-8")
    (root / "failed.csv").touch()
    return folder


def of(folder: OutputFolder, *, rehearsal: bool) -> OutputFolder:
    """The folder in which a run of its failed rows would work."""
    failed = folder.root / "failed.csv"
    return OutputFolder.of(failed, outputs="outputs", out=None, rehearsal=rehearsal)


@pytest.mark.parametrize(
    ("name", "paid", "rehearsed", "last"),
    [
        ("oc", (), ("a",), "rehearsal"),
        ("oc", (), ("a",), None),
        ("oc", (), (), "rehearsal"),
        ("shop.rehearsal", (), ("a",), "rehearsal"),
        ("shop.rehearsal", ("a",), (), None),
    ],
    ids=["out", "no summary", "nothing sent", "named", "named, its cache deleted"],
)
def test_a_rehearsal_goes_on_in_its_folder(
    tmp_path: Path, name: str, paid: tuple[str, ...], rehearsed: tuple[str, ...], last: str | None
) -> None:
    """Its failed rows are rehearsed there, whatever it is called; a live run is refused."""
    folder = home(tmp_path / name, paid=paid, rehearsed=rehearsed, last=last)
    assert folder.use is FolderUse.REHEARSED
    assert of(folder, rehearsal=True).root == folder.root
    with pytest.raises(UsageError, match="comes from a rehearsal"):
        of(folder, rehearsal=False)


@pytest.mark.parametrize("last", ["toapis", None])
@pytest.mark.parametrize("paid", [("a",), ()])
def test_a_live_run_goes_on_in_its_folder(
    tmp_path: Path, paid: tuple[str, ...], last: str | None
) -> None:
    """Its failed rows are run there; a rehearsal is refused, and says truly why."""
    folder = home(tmp_path / "shop", paid=paid, last=last)
    assert folder.use is FolderUse.LIVE
    assert of(folder, rehearsal=False).root == folder.root
    with pytest.raises(UsageError, match="comes from a live run"):
        of(folder, rehearsal=True)


@pytest.mark.parametrize(
    ("paid", "rehearsed", "last"),
    [
        (("a",), ("b",), "rehearsal"),
        (("a",), ("b",), None),
        ((), ("b",), "toapis"),
        (("a",), (), "rehearsal"),
    ],
    ids=["both", "no summary", "live at last", "the emulator's cache deleted"],
)
def test_a_folder_that_may_hold_paid_work_takes_neither(
    tmp_path: Path, paid: tuple[str, ...], rehearsed: tuple[str, ...], last: str | None
) -> None:
    """A task that the emulator does not know may be paid for: neither run takes it for its own."""
    folder = home(tmp_path / "oc", paid=paid, rehearsed=rehearsed, last=last)
    assert OutputFolder(folder.root).use is FolderUse.BOTH
    for rehearsal in (True, False):
        with pytest.raises(UsageError, match="may hold rows of live runs beside rehearsed ones"):
            of(folder, rehearsal=rehearsal)


def test_what_cannot_be_read_is_not_believed(tmp_path: Path) -> None:
    """A torn summary says nothing, and a torn state of the emulator's proves no rehearsal."""
    folder = home(tmp_path / "oc", rehearsed=("a",))
    folder.summary.write_bytes(b'["rehearsal"')
    assert folder.use is FolderUse.REHEARSED
    folder.summary.write_bytes(b'["rehearsal"]')
    assert folder.use is FolderUse.REHEARSED
    (folder.emulator / "state.db").write_bytes(b"no database, but long enough to look at" * 99)
    assert OutputFolder(folder.root).use is FolderUse.BOTH


def test_a_folder_that_was_named_is_taken(tmp_path: Path) -> None:
    """What --out says goes, and any other manifest has a folder of its own."""
    folder = home(tmp_path / "oc", paid=("a",), last="toapis")
    failed = folder.root / "failed.csv"
    named = OutputFolder.of(failed, outputs="outputs", out=folder.root, rehearsal=True)
    assert named.root == folder.root
    other = folder.root / "other.csv"
    for rehearsal, name in ((True, "other.rehearsal"), (False, "other")):
        found = OutputFolder.of(other, outputs="outputs", out=None, rehearsal=rehearsal)
        assert found.root.name == name


@pytest.mark.parametrize("rehearsal", [True, False])
def test_a_named_folder_never_holds_both(tmp_path: Path, *, rehearsal: bool) -> None:
    """Rehearsed rows would count as done, and a rehearsal would ask for tasks that are paid."""
    live = home(tmp_path / "live", paid=("a",), last="toapis")
    rehearsed = home(tmp_path / "tried", rehearsed=("a",), last="rehearsal")
    fitting, other = (rehearsed, live) if rehearsal else (live, rehearsed)
    fitting.refuse_to_mix(rehearsal=rehearsal)
    OutputFolder(tmp_path / "new").refuse_to_mix(rehearsal=rehearsal)
    with pytest.raises(UsageError, match="and this would be a"):
        other.refuse_to_mix(rehearsal=rehearsal)


def test_a_rehearsal_that_ended_before_its_first_task_is_one(tmp_path: Path) -> None:
    """The emulator's state is there from the start: the same command goes on after a kill."""
    folder = home(tmp_path / "oc")
    folder.emulator.mkdir(parents=True)
    Store(folder.emulator / "state.db").close()
    assert folder.use is FolderUse.REHEARSED


@pytest.mark.parametrize("tail", ["", ".rehearsal"])
def test_namesakes_in_the_order_of_their_numbers(tmp_path: Path, tail: str) -> None:
    """All that are there, and the first without a journal; rehearsals apart; nothing is made."""
    base = OutputFolder(tmp_path / f"shop.v1{tail}")
    assert base.namesakes() == [base]
    for name in ("shop.v1", "shop.v1-2", "shop.v1-10", "shop.v1-1", "shop.v1-02", "shopxv1-3"):
        (tmp_path / (name + tail)).mkdir()
    for name in ("shop.v1", "shop.v1-2"):
        (tmp_path / (name + tail) / "journal.db").touch()
    other = ".rehearsal" if not tail else ""
    (tmp_path / f"shop.v1-7{other}").mkdir()
    names = [one.root.name for one in base.namesakes()]
    assert names == [f"shop.v1{number}{tail}" for number in ("", "-2", "-3", "-10")]
