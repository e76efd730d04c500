"""A pipe, a socket or a file in the wrong place is refused in a sentence: nobody waits for it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.account.book import Book
from pipeline.account.schema import reading
from pipeline.disk.folder import OutputFolder
from pipeline.disk.rights import make_folder_for
from pipeline.emulator.store import Store
from pipeline.errors import ExitCode, ReelsheetError, WrongKind
from pipeline.journal.copies import salvage
from pipeline.journal.database import connect
from pipeline.journal.decisions import copy_decisions
from pipeline.journal.handovers import copy_handovers
from pipeline.journal.reading import read_entries
from pipeline.planner.planner import files_gone
from pipeline.runner.target import resolve_target
from tests.system.harness import sheets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes in folders")

DATABASES = ("journal.db", "journal.db-wal", "journal.db-shm", "journal.db-journal")


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """End a test that waits for the other end of a pipe."""
    signal.alarm(20)
    yield
    signal.alarm(0)


def put(path: Path, kind: str) -> None:
    """Put something at a path that is no ordinary file, or no folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a socket":
        # The path of a socket must be short.
        with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    elif kind == "a device":
        path.symlink_to("/dev/zero")  # only root makes a device
    else:
        path.write_bytes(b"")


def refused(error: pytest.ExceptionInfo[WrongKind], path: Path, kind: str) -> None:
    assert error.value.exit_code == ExitCode.USAGE
    assert path.name in error.value.message
    assert kind in error.value.message
    assert error.value.message.count("\n") == 0


def journal_in(folder: Path) -> Path:
    """Make a journal without rows."""
    folder.mkdir(parents=True, exist_ok=True)
    connect(folder / "journal.db").close()
    return folder / "journal.db"


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a device"])
@pytest.mark.parametrize("name", DATABASES)
def test_no_database_waits_for_a_pipe(tmp_path: Path, name: str, kind: str) -> None:
    """Neither the journal nor the book, to read or to write, also for a file beside it."""
    journal = tmp_path / "journal.db"
    if name != journal.name:
        journal_in(tmp_path)
    put(tmp_path / name, kind)
    with pytest.raises(WrongKind) as error:
        read_entries(journal)
    refused(error, tmp_path / name, kind)
    with pytest.raises(WrongKind) as error, reading(journal):
        pass
    refused(error, tmp_path / name, kind)
    if kind != "a device":  # that is a link here, which is refused as such
        for open_it in (connect, Book):
            with pytest.raises(WrongKind) as error:
                open_it(journal)
            refused(error, tmp_path / name, kind)
    assert salvage(journal).attempts == ()
    assert copy_decisions(journal, tmp_path / "new.db") == 0
    copy_handovers(journal, tmp_path / "new.db")


def test_beside_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    """There SQLite keeps its files."""
    real = journal_in(tmp_path / "real")
    os.mkfifo(real.with_name("journal.db-wal"))
    (tmp_path / "journal.db").symlink_to(real)
    with pytest.raises(WrongKind, match=r"journal\.db-wal is a pipe"):
        read_entries(tmp_path / "journal.db")


@pytest.mark.parametrize("rehearses", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_every_command_names_the_pipe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, named: bool, rehearses: bool
) -> None:
    """Whether the output folder was named or is the manifest's own."""
    monkeypatch.chdir(tmp_path)
    sheets.write(Path("shop.csv"), [sheets.row("A", duration="4")])
    root = tmp_path / "outputs" / ("shop.rehearsal" if rehearses else "shop")
    put(root / "journal.db", "a pipe")
    sets = [f"provider={'rehearsal' if rehearses else 'toapis'}"]
    with pytest.raises(ReelsheetError, match=r"journal\.db is a pipe, not a file") as error:
        read_entries(
            resolve_target(
                Path("shop.csv"), settings=sets, out=root if named else None
            ).folder.journal
        )
    assert error.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("kind", ["a pipe", "a socket"])
@pytest.mark.parametrize(
    "name",
    ["run.lock", "run.owner.json", "reserve", "pictures.db", "pictures.db-wal",
     "emulator/state.db", "emulator/state.db-wal"],
)  # fmt: skip
def test_no_command_works_on_a_cache_with_a_pipe(tmp_path: Path, name: str, kind: str) -> None:
    """The lock and the other files below `cache/` are looked at before any is opened."""
    place = tmp_path / "out" / "cache" / name
    put(place, kind)
    with pytest.raises(WrongKind) as error:
        resolve_target(tmp_path / "a.csv", out=tmp_path / "out")
    refused(error, place, kind)


def test_the_emulator_waits_for_no_pipe(tmp_path: Path) -> None:
    """Nor for a file beside its state."""
    os.mkfifo(tmp_path / "state.db-wal")
    with pytest.raises(OSError, match="no ordinary file"):
        Store(tmp_path / "state.db")


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a file"])
@pytest.mark.parametrize("name", ["videos", "cache", "cache/emulator", "review", "approved"])
def test_no_folder_is_a_file(tmp_path: Path, name: str, kind: str) -> None:
    """Each is refused by whoever looks into it, or makes it."""
    out = OutputFolder(tmp_path / "out")
    put(out.root / name, kind)
    manifest = tmp_path / "a.csv"
    use: dict[str, Callable[[], object]] = {
        "videos": lambda: files_gone({}, out),
        "cache": lambda: resolve_target(manifest, out=out.root),
        "cache/emulator": lambda: resolve_target(manifest, out=out.root),
    }
    with pytest.raises(WrongKind, match="not a folder") as error:
        use.get(name, lambda: make_folder_for(out.root / name, manifest))()
    refused(error, out.root / name, kind)
