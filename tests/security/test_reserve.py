"""Room is set aside for the answers to paid calls: a full disk loses no task id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.failures import no_room
from pipeline.disk.groupcommit import Committed
from pipeline.disk.reserve import PIECES, Reserve
from pipeline.engine.commands import Decision
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Pace, RunLimits
from pipeline.errors import ExitCode, StoreError
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from pipeline.model import Entry, Phase, Request, State, TaskView, Video
from pipeline.scheduler.scheduler import Scheduler
from pipeline.scheduler.seams import Lane
from tests.engine.night import enqueue
from tests.journal.lives import attempt, intended
from tests.security.disk import fill, small_disk

ROOT = Path(__file__).resolve().parents[2]


def outcomes(journal: Journal, batches: Sequence[Sequence[ev.Event]]) -> list[StoreError | None]:
    """Append these batches one after the other."""
    return [journal.append(batch, 1.0).result(10).shortage for batch in batches]


def limit(journal: Journal, more_pages: int) -> None:
    """Let the journal grow by so many pages and no further."""
    connection = journal._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + more_pages}").fetchone()


def test_it_is_really_there_and_for_its_owner_alone(tmp_path: Path) -> None:
    """Blocks of the disk, not a hole in a file; nobody else may read it; afterwards it is gone."""
    path = tmp_path / "cache" / "reserve"
    with Reserve(path):
        found = path.stat()
        assert found.st_size == 4 * 1024 * 1024
        if sys.platform != "win32":
            assert found.st_blocks * 512 >= found.st_size
            assert stat.S_IMODE(found.st_mode) == 0o600
    assert not path.exists()


def test_it_is_given_up_piece_by_piece(tmp_path: Path) -> None:
    """Each piece makes it smaller; when nothing is left it says so."""
    path = tmp_path / "reserve"
    with Reserve(path, 800) as reserve:
        sizes = []
        while reserve.give_up_a_piece():
            sizes.append(path.stat().st_size if path.exists() else 0)
        assert sizes == [700, 600, 500, 400, 300, 200, 100, 0]
        assert len(sizes) == PIECES


def test_what_a_killed_run_left_is_made_anew(tmp_path: Path) -> None:
    """A smaller one of an earlier run, or none at all: the next run has all of it."""
    path = tmp_path / "reserve"
    path.write_bytes(b"left")
    with Reserve(path, 800) as reserve:
        assert path.stat().st_size == 800
        path.unlink()
        assert reserve.give_up_a_piece(), "somebody deleted it: then that is where the room is"
        assert not reserve.give_up_a_piece()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """What it points to is not written over."""
    precious = tmp_path / "precious"
    precious.write_text("precious", "utf-8")
    (tmp_path / "reserve").symlink_to(precious)
    with Reserve(tmp_path / "reserve", 800):
        assert not (tmp_path / "reserve").is_symlink()
    assert precious.read_text("utf-8") == "precious"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file in the place of the folder: a StoreError that names it."""
    (tmp_path / "cache").write_text("in the way", "utf-8")
    with pytest.raises(StoreError, match=r"cannot be set aside in .*cache"):
        Reserve(tmp_path / "cache" / "reserve").__enter__()


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_without_room_for_it_nothing_begins(tmp_path: Path) -> None:
    """It fails in plain words, says what to do, and leaves nothing behind."""
    code = """
import resource, sys
from pathlib import Path
from pipeline.errors import StoreError
from pipeline.disk.reserve import Reserve
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    with Reserve(Path(sys.argv[1])):
        print("made")
except StoreError as error:
    print(error.message, error.action)
"""
    path = tmp_path / "reserve"
    line = [sys.executable, "-c", code, str(path)]
    said = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "4.2 MB cannot be set aside" in said
    assert "nothing was sent" in said
    assert not path.exists()


class Lifting(Reserve):
    """A reserve that makes room in the journal's own limit of pages, as a disk would."""

    journal: Journal
    given = 0

    def give_up_a_piece(self) -> bool:
        if not super().give_up_a_piece():
            return False
        self.given += 1
        limit(self.journal, 400 if self.given == 2 else 0)
        return True


def test_a_transaction_is_tried_again_with_the_room(tmp_path: Path) -> None:
    """All of a batch is there, none of it twice, and the caller is told why to stop."""
    with contextlib.closing(Journal(tmp_path / "journal.db")) as journal:
        with Lifting(tmp_path / "reserve", 800) as reserve:
            reserve.journal = journal
            journal.fall_back_on(reserve)
            assert outcomes(journal, [[intended("a")]]) == [None]
            limit(journal, 0)
            long = [intended(f"row{n}", text="long " * 500 + str(n)) for n in range(20)]
            batch = [ev.Accepted("a", 1, "task-a"), *long, ev.Accepted("row3", 1, "task-3")]
            first, second = outcomes(journal, [batch, [ev.Accepted("row4", 1, "task-4")]])
            assert isinstance(first, StoreError)
            assert second is first, "it is said again: the disk is as full as before"
            assert reserve.given == 2
        entries = journal.entries()
    assert len(entries) == 21
    assert {e.task_id for e in entries.values()} == {None, "task-a", "task-3", "task-4"}
    assert replay(journal.path) == entries


def test_when_all_of_it_is_used_up_the_journal_fails(tmp_path: Path) -> None:
    """It does not try for ever, and what was there stays whole."""
    with (
        contextlib.closing(Journal(tmp_path / "journal.db")) as journal,
        Reserve(tmp_path / "reserve", 800) as reserve,
    ):
        journal.fall_back_on(reserve)
        assert outcomes(journal, [[intended("a")]]) == [None]
        limit(journal, 0)
        batch = [intended(f"row{n}", text="long " * 500 + str(n)) for n in range(20)]
        with pytest.raises(StoreError, match="full"):
            journal.append(batch, 1.0).result(10)
        assert not reserve.give_up_a_piece()
    assert set(read_entries(journal.path)) == {"a"}


def test_another_trouble_takes_nothing_of_it(tmp_path: Path) -> None:
    """A journal that is locked by another program finds no room in a reserve."""
    with (
        contextlib.closing(Journal(tmp_path / "journal.db")) as journal,
        Reserve(tmp_path / "reserve", 800) as reserve,
    ):
        journal.fall_back_on(reserve)
        journal._connection.execute("PRAGMA busy_timeout = 1")
        other = sqlite3.connect(journal.path, isolation_level=None)
        with contextlib.closing(other):
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked"):
                journal.append([intended("a")], 1.0).result(10)
        assert (tmp_path / "reserve").stat().st_size == 800
    assert not no_room(OSError(28, "said by the system, not by SQLite"))


@pytest.mark.process
def test_a_full_disk_takes_the_answers_all_the_same(tmp_path: Path) -> None:
    """On a real file system filled to the last page: every answer is durable, and it is said."""
    keys = [f"row{n}" for n in range(50)]
    with small_disk(tmp_path / "small", "8m") as folder:
        path = folder / "journal.db"
        with (
            Reserve(folder / "cache" / "reserve") as reserve,
            contextlib.closing(Journal(path)) as journal,
        ):
            journal.fall_back_on(reserve)
            assert set(outcomes(journal, [[intended(key)] for key in keys])) == {None}
            ballast = fill(folder)
            said = outcomes(journal, [[ev.Accepted(key, 1, f"task-{key}")] for key in keys])
            assert isinstance(said[-1], StoreError)
            assert "full" in said[-1].message
        assert {e.task_id for e in read_entries(path).values()} == {f"task-{k}" for k in keys}
        ballast.unlink()
        with contextlib.closing(Journal(path)) as journal:
            assert outcomes(journal, [[intended("later")]]) == [None]
        assert replay(path) == read_entries(path)


# The scheduler heeds it.


@dataclass
class Api:
    """A provider that takes so many submissions at once, and the disk fills up meanwhile."""

    disk: Path
    at_once: int
    sent: list[str] = field(default_factory=list)
    filled: asyncio.Event = field(default_factory=asyncio.Event)

    async def upload(self, path: Path, mime_type: str, **_: object) -> str:
        raise NotImplementedError

    async def submit(
        self,
        request: Request,
        image_urls: Sequence[str],
        client_business_id: str | None,
        key: str,  # noqa: ARG002
    ) -> str:
        assert client_business_id is not None
        assert request.images == image_urls == ()
        self.sent.append(client_business_id)
        if len(self.sent) == self.at_once:
            fill(self.disk)
            self.filled.set()
        await self.filled.wait()
        return f"task-{client_business_id}"

    async def query(self, reference: str) -> TaskView:
        return TaskView(reference, Phase.COMPLETED, 100, "https://files.example/a.mp4")


@dataclass
class Shelf:
    """A store whose downloads last until they are given up."""

    begun: int = 0

    async def fetch(
        self,
        url: str,
        *,
        name: str,
        duration: int,
        aspect_ratio: str,
        resolution: str,
        model: str = "",
    ) -> Video:
        assert (url, duration) == ("https://files.example/a.mp4", 6)
        assert (name, aspect_ratio, resolution, model) == ("old-1.mp4", "16:9", "720P", "")
        self.begun += 1
        await asyncio.Event().wait()
        raise NotImplementedError


class Clock:
    """The machine's own time."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()


class Nobody:
    """Sees nothing."""

    interval_s = 0.05

    def observe(self, decision: Decision, engine: Engine) -> None:
        pass


@pytest.mark.process
async def test_the_scheduler_stops_and_commits_what_is_under_way(tmp_path: Path) -> None:
    """No submission after it, downloads dropped, every task id in the journal, exit code 5."""
    with small_disk(tmp_path / "small", "8m") as folder:
        api, shelf = Api(folder, 4), Shelf()
        settings = RunLimits(pace=Pace(0.005, 0.005, 0), submits_in_flight=4)
        engine = Engine(settings, time.monotonic())
        engine.take_up(0, Entry("old", State.RUNNING, attempt("old", 1), "t"), time.monotonic())
        enqueue(engine, *(attempt(f"row{n}", 1, f"movie {n:02}") for n in range(12)))
        with (
            Reserve(folder / "cache" / "reserve") as reserve,
            contextlib.closing(Journal(folder / "journal.db")) as journal,
        ):
            journal.append([intended("old"), ev.Accepted("old", 1, "t")], 1.0).result(10)
            journal.fall_back_on(reserve)
            scheduler = Scheduler(
                engine,
                [Lane(api, journal, shelf, {}, "test")],
                clock=Clock(),
                observer=Nobody(),
            )
            async with asyncio.timeout(20):
                await scheduler.run()
            entries = journal.entries()
    assert len(api.sent) == 4
    assert [stop.exit_code for stop in engine.stops] == [ExitCode.UNFINISHED]
    paid = {e.task_id for e in entries.values() if e.state in {State.RUNNING, State.READY}}
    assert paid == {f"task-{one}" for one in api.sent} | {"t"}
    assert State.SUBMITTING not in {entry.state for entry in entries.values()}
    assert entries["old"].state in {State.RUNNING, State.READY}


class Full:
    """A record that found room for everything only in its reserve."""

    def __init__(self) -> None:
        self.events: list[ev.Event] = []

    def append(self, events: Sequence[ev.Event], at: float) -> Future[Committed]:
        assert at > 0
        self.events += events
        written: Future[Committed] = Future()
        written.set_result(Committed(StoreError("the disk is full")))
        return written

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        raise NotImplementedError


async def test_a_submission_whose_intent_took_the_last_room_stays_unsent() -> None:
    """Its intent is durable, it was never sent, and the journal says both; no download begins."""
    api, shelf, record = Api(Path(os.devnull), 99), Shelf(), Full()
    engine = Engine(RunLimits(pace=Pace(0.005, 0.005, 0)), time.monotonic())
    enqueue(engine, attempt("new", 1))
    engine.take_up(0, Entry("old", State.RUNNING, attempt("old", 1), "t"), time.monotonic())
    scheduler = Scheduler(
        engine,
        [Lane(api, record, shelf, {}, "test")],
        clock=Clock(),
        observer=Nobody(),
    )
    async with asyncio.timeout(20):
        await scheduler.run()
    assert (api.sent, shelf.begun) == ([], 0)
    kinds = [type(event) for event in record.events if event.key == "new"]
    assert kinds == [ev.Intended, ev.NotAccepted]
    assert [stop.reason for stop in engine.stops] == ["the disk is full"]
