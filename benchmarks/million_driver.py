"""A night of very many rows in virtual time, its journal and its book real files on the disk.

    python -m benchmarks.million_driver FOLDER ROWS

Everything is the product's but the provider and the clock: the engine decides, each event goes to
the journal and, where money is in it, to the account's book. Prints a JSON document.
"""

from __future__ import annotations

import contextlib
import json
import random
import resource
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline import events as ev
from pipeline.account.book import Book
from pipeline.account.recording import Recorder
from pipeline.disk.groupcommit import Committed
from pipeline.engine.commands import (
    Command,
    Download,
    DownloadReply,
    Query,
    QueryReply,
    Reply,
    Submit,
    SubmitReply,
)
from pipeline.engine.engine import Engine
from pipeline.errors import NoSuchTask, ProviderError
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Entry, Phase, Request, State, TaskView, Video
from tests.engine.night import SETTINGS, Night, Provider

SLOTS, SUBMITS_PER_MINUTE = 2000, 2000
_WAITING = 2000
"""Commits that are not waited for yet: in a night's own time they would be there long ago."""
_NIGHT_BEGAN = 1_795_000_000.0


@dataclass
class LeanProvider(Provider):
    """A provider that remembers no more than the tasks that it works on."""

    submitted: int = 0

    def answer(self, command: Command, now: float) -> Reply:
        """Carry a command out at once."""
        match command:
            case Submit():
                self.submitted += 1
                task_id = f"video_01{self.submitted:024}"
                self.tasks[task_id] = (now, now + self.task_s(self.dice))
                return SubmitReply(command.row, task_id)
            case Query():
                return QueryReply(command.row, self._look(command.reference, now))
            case Download():
                name = f"{command.attempt.key}.mp4"
                video = Video(name, 4_000_000, f"{hash(name) & 2**256 - 1:064x}", 6.0, 1280, 720)
                return DownloadReply(command.row, video)
        raise AssertionError(command)

    def _look(self, task_id: str, now: float) -> TaskView | ProviderError:
        times = self.tasks.get(task_id)
        if times is None:
            return NoSuchTask("task_not_exist", status=404)
        began, ends = times
        if now < ends:
            return TaskView(task_id, Phase.IN_PROGRESS, (now - began) / (ends - began) * 100)
        del self.tasks[task_id]
        url = f"https://files.example/{task_id}.mp4"
        return TaskView(task_id, Phase.COMPLETED, 100, url, began, ends, ends + 86400)


@dataclass
class WrittenNight(Night):
    """A night whose events go to the disk."""

    recorder: Recorder | None = None
    events: int = 0
    _commits: list[Future[Committed]] = field(default_factory=list)

    def _commit(self, events: Iterable[ev.Event]) -> None:
        some = list(events)
        assert self.recorder is not None
        self.events += len(some)
        self._commits.append(self.recorder.append(some, _NIGHT_BEGAN + self.now))
        if len(self._commits) >= _WAITING:
            self.settle()

    def settle(self) -> None:
        """Wait until all events are on the disk; the book took every intent."""
        for one in self._commits:
            assert not one.result().withheld
        self._commits.clear()


def attempt(key: str) -> tuple[Attempt, Entry | None]:
    """Return the attempt of a row, made when its turn is near."""
    number = int(key[1:])
    prompt = f"Slow dolly towards product {number} on a linen cloth, soft morning light"
    request = Request(prompt, (), 6, "16:9", "720P", "gemini_omni_flash", f"{number:064x}")
    return Attempt(key, 1, f"rs-{number:040x}", request, f"{key}.mp4", 0.6), None


def main(folder: Path, rows: int) -> None:
    """Run the night and print what it took."""
    settings = replace(SETTINGS, outstanding=SLOTS, submits_per_minute=SUBMITS_PER_MINUTE)
    before_bytes = _peak_bytes()
    began, began_cpu = time.monotonic(), time.process_time()
    journal, book = Journal(folder / "journal.db"), Book(folder / "book.db")
    known = book.register(
        "toapis.com", journal.id, folder=folder, manifest=folder / "night.csv", at=_NIGHT_BEGAN
    )
    engine = Engine(settings, 0.0)
    engine.enqueue(0, [f"P{number:07}" for number in range(rows)], attempt)
    night = WrittenNight(engine, LeanProvider(), [], settings)
    night.recorder = Recorder(book, journal, known)
    night.provider.dice = random.Random(1)  # noqa: S311 - the same night each time
    night.run()
    night.settle()
    cpu_s, elapsed_s = time.process_time() - began_cpu, time.monotonic() - began
    assert engine.states_of(0)[State.DONE] == rows
    journal.close()
    book.close()
    sizes = {name: (folder / name).stat().st_size for name in ("journal.db", "book.db")}
    print(
        json.dumps(
            {
                "cpu_s": cpu_s,
                "elapsed_s": elapsed_s,
                "night_h": night.now / 3600,
                "events": night.events,
                "memory_bytes": _peak_bytes() - before_bytes,
                "journal_bytes": sizes["journal.db"],
                "book_bytes": sizes["book.db"],
            }
        )
    )


def _peak_bytes() -> int:
    """Return the peak of this process alone: that of `getrusage` begins with its parent's."""
    with contextlib.suppress(OSError):
        said = Path("/proc/self/status").read_text("ascii")
        return int(said.partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
