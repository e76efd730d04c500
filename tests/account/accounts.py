"""A book and journals beside each other, as runs of one account have them."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from pipeline import events as ev
from pipeline.account.book import Book
from pipeline.account.guard import Guard
from pipeline.account.importing import import_journal
from pipeline.account.reading import journals_in, submissions_of
from pipeline.account.recording import Recorder
from pipeline.account.schema import reading
from pipeline.disk.groupcommit import Committed, done_with
from pipeline.engine.limits import Caps
from pipeline.journal.journal import Journal
from pipeline.journal.writing import Change
from pipeline.model import Attempt, Request, State, Video

ACCOUNT = "toapis.com"
VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
DAY = 86_400.0 * 20_000


def request(text: str = "a film", duration: int = 6) -> Request:
    """A request told by its text."""
    return Request(text, (), duration, "16:9", "720P", "gemini_omni_flash", f"hash-{text}")


def attempt(
    key: str,
    text: str = "a film",
    number: int = 1,
    *,
    of: str = "",
    cost: float | None = None,
) -> Attempt:
    """An attempt of a row; `of` tells journals apart, whose references never meet."""
    return Attempt(key, number, f"rs-{of}-{key}-{number}", request(text), f"{key}.mp4", cost)


@dataclass
class Mortal:
    """Has a recorder follow a journal until the process dies between the two commits."""

    recorder: Recorder
    dead: bool = False

    @property
    def concerned(self) -> Collection[type[ev.Event]]:
        """As the recorder."""
        return self.recorder.concerned

    def notes(self, last_event: int) -> Mapping[str, str]:
        """As the recorder: the journal commits its numbers."""
        return self.recorder.notes(last_event)

    def follow(self, changes: Sequence[Change]) -> Future[Committed]:
        """As the recorder, as long as it lives."""
        return done_with(Committed()) if self.dead else self.recorder.follow(changes)


@dataclass
class Lane:
    """A journal that the book follows."""

    journal: Journal
    recorder: Recorder
    name: str

    def intend(
        self,
        *keys: str,
        text: str = "",
        at: float = DAY,
        cost: float | None = None,
        number: int = 1,
    ) -> Committed:
        """Write the intents of new rows, each with a request of its own unless `text` is given."""
        attempts = [
            attempt(key, text or f"{self.name} {key}", number, of=self.name, cost=cost)
            for key in keys
        ]
        return self.tell([ev.Intended(one.key, number, one) for one in attempts], at)

    def tell(self, events: Sequence[ev.Event], at: float = DAY) -> Committed:
        """Write events and wait until both stores have them."""
        return self.journal.append(events, at).result(20)


@contextlib.contextmanager
def lane(book: Book, folder: Path, account: str = ACCOUNT) -> Iterator[Lane]:
    """Open the journal of an output folder and have the book follow it."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Journal(folder / "journal.db")) as journal:
        import_journal(book, account, journal.path)
        known = book.register(account, journal.id, folder=folder, manifest=folder / "m.csv", at=DAY)
        yield Lane(journal, Recorder(book, journal, known), folder.name)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Book]:
    """Open a book as long as the context lasts."""
    with contextlib.closing(Book(path)) as book:
        yield book


def caps(videos: int | None = None, **said: object) -> Guard:
    """A guard with a cap per day."""
    return Guard(caps=Caps(videos, **said))  # type: ignore[arg-type]


def states(book: Path) -> Mapping[str, State]:
    """The states of all submissions in a book, by reference."""
    return {
        one.reference: one.state
        for journal in journals_in(book)
        for one in submissions_of(book, journal.journal_id)
    }


def accounts_in(book: Path) -> list[str]:
    """Return the names of the accounts that the book knows."""
    with reading(book) as connection:
        rows = connection.execute(
            "SELECT account FROM submissions UNION SELECT account FROM journals ORDER BY 1"
        )
        return [name for (name,) in rows]
