"""Journals that were lost, restored or copied, with a real book beside them."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.opening import OpenAccount
from pipeline.account.reading import submissions_of
from pipeline.account.reconcile import Reconciliation, Standing
from pipeline.account.recovery import (
    ASKS_FIRST,
    foresee,
    is_unsent,
    known_before,
    note_asked,
    note_unsent,
)
from pipeline.checker.naming import reference
from pipeline.disk.groupcommit import Committed, done_with
from pipeline.errors import UsageError
from pipeline.journal.database import connect
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries
from pipeline.journal.writing import Change
from pipeline.manifest.invocation import Invocation
from pipeline.model import Attempt, Entry, State
from tests.account.accounts import ACCOUNT, opened, request

VIDEO_ID = "video_{}"


@dataclass
class Shop:
    """A manifest with its output folder, and the book of its account."""

    root: Path
    book: str = "book.db"
    folder: str = "outputs/products"

    @property
    def out(self) -> Path:
        return self.root / self.folder

    @property
    def journal(self) -> Path:
        return self.out / "journal.db"

    @contextlib.contextmanager
    def run(self, *, ends: bool = True) -> Iterator[tuple[Journal, Reconciliation]]:
        """Begin a run as the runner does, and end it unless it is to be cut off."""
        self.out.mkdir(parents=True, exist_ok=True)
        with (
            opened(self.root / self.book) as book,
            contextlib.closing(Journal(self.journal)) as journal,
        ):
            account = OpenAccount(ACCOUNT, book, lambda _: None)
            recorder = account.follow(
                journal, self.out, Invocation(self.root / "products.csv"), 1000.0
            )
            journal.begin_run(f"run-{len(list(self.root.rglob('*')))}-{id(journal)}", "run", 1000.0)
            yield journal, recorder.recovery
            if ends:
                (run_id,) = journal._connection.execute(
                    "SELECT run_id FROM runs WHERE finished_at IS NULL"
                ).fetchone()
                journal.end_run(run_id, 1002.0, 0)

    def entries(self) -> dict[str, Entry]:
        return read_entries(self.journal)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop in which nothing was run yet."""
    return Shop(tmp_path)


def send(journal: Journal, key: str, number: int = 1, *, accepted: bool = True) -> str:
    """Send a row as a run does; return the reference."""
    name = reference(journal.id, journal.identity_of(key), number)
    attempt = Attempt(
        key, number, name, request(key), f"{key}-{number}.mp4", identity=journal.identity_of(key)
    )
    assert not journal.append([ev.Intended(key, number, attempt)], 1000.0).result(20).withheld
    if accepted:
        journal.append([ev.Accepted(key, number, VIDEO_ID.format(name))], 1001.0).result(20)
    return name


def test_a_deleted_journal_comes_back_under_its_old_id(shop: Shop) -> None:
    """Rows, states and the id that references are made of: the next number was never used."""
    with shop.run() as (journal, _):
        old_id, sent = journal.id, [send(journal, "a"), send(journal, "b", accepted=False)]
    shop.journal.unlink()
    with shop.run() as (journal, recovery):
        assert journal.id == old_id
        assert {one.key for one in recovery.adopted} == {"a", "b"}
        assert not recovery.ask_all
        entries = journal.entries()
    assert {key: entry.state for key, entry in entries.items()} == {
        "a": State.RUNNING,
        "b": State.IN_DOUBT,
    }
    assert [entry.attempt.client_business_id for entry in entries.values()] == sent


def test_an_older_copy_catches_up(shop: Shop) -> None:
    """It is told of rows that were sent and ended since, and goes on with new numbers."""
    with shop.run() as (journal, _):
        send(journal, "a")
    shutil.copy(shop.journal, shop.root / "copy.db")
    with shop.run() as (journal, _):
        journal.append([ev.TaskFailed("a", 1, None, "no"), ev.Requeued("a", 1)], 1003.0)
        send(journal, "a", 2)
        send(journal, "b")
    shutil.copy(shop.root / "copy.db", shop.journal)
    with shop.run() as (journal, recovery):
        assert [one.key for one in recovery.adopted] == ["a", "a", "b"]
        assert journal.entries()["a"].attempt.number == 2
        send(journal, "c")
    with shop.run() as (_, recovery):
        assert not recovery.adopted
    assert len(submissions_of(shop.root / "book.db", journal.id)) == 4


def test_a_copy_in_another_folder_is_told_what_the_first_one_sends(shop: Shop) -> None:
    """Two journals of one id: neither sends a reference that the other has sent."""
    with shop.run() as (journal, _):
        send(journal, "a")
    other = Shop(shop.root, folder="outputs/copy")
    shutil.copytree(shop.out, other.out)
    with shop.run() as (journal, _):
        send(journal, "b")
    with other.run() as (journal, recovery):
        assert [one.key for one in recovery.adopted] == ["b"]
        send(journal, "c")
    with shop.run() as (journal, recovery):
        assert [one.key for one in recovery.adopted] == ["c"]


def test_a_run_that_was_cut_off_under_another_book(shop: Shop) -> None:
    """The file alone came to another machine: every row is looked up, now and in later runs."""
    with shop.run(ends=False) as (journal, _):
        send(journal, "a")
    there = Shop(shop.root, book="other.db")
    for _ in range(2):
        with there.run() as (_, recovery):
            assert recovery.ask_all


def test_a_journal_is_trusted_again_when_every_row_was_looked_up(shop: Shop) -> None:
    """Those that were sent before that are looked up all the same before their next attempt."""
    with shop.run(ends=False) as (journal, _):
        send(journal, "a")
    there = Shop(shop.root, book="other.db")
    with there.run() as (journal, recovery):
        assert recovery.ask_all
        note_asked(journal, 2000.0)
        send(journal, "b")
    with there.run() as (journal, recovery):
        assert not recovery.ask_all
        assert recovery.asks_first(journal.entries()["a"])
        assert not recovery.asks_first(None)


def test_the_file_alone_says_that_a_run_was_under_way(shop: Shop) -> None:
    """Without the log beside it, which a killed run leaves: what it had sent may be missing."""
    with shop.run(ends=False) as (journal, _):
        send(journal, "a")
        there = Shop(shop.root / "there", book="other.db")
        there.out.mkdir(parents=True)
        shutil.copy(shop.journal, there.journal)
    with there.run() as (_, recovery):
        assert recovery.ask_all


def test_a_run_that_was_cut_off_under_its_own_book(shop: Shop) -> None:
    """The book knows what was sent; the intent that never reached it is looked up."""
    with shop.run(ends=False) as (journal, _):
        send(journal, "a", accepted=False)
        journal.be_followed_by(_Nobody())
        send(journal, "b", accepted=False)
    with shop.run() as (journal, recovery):
        assert not recovery.ask_all
        assert recovery.ask_first == {"b"}
        entries = journal.entries()
    assert entries["a"].state is State.SUBMITTING
    assert entries["b"].state is State.WAITING


def test_a_journal_of_an_earlier_version_is_trusted_if_its_run_ended(shop: Shop) -> None:
    """It never had a book; only a run that was cut off leaves a doubt."""
    shop.out.mkdir(parents=True)
    connect(shop.journal).close()
    with shop.run() as (_, recovery):
        assert recovery == Reconciliation(Standing.OTHER_BOOK)


def test_another_journal_in_the_folder_is_refused(shop: Shop) -> None:
    """It would not know what was paid for there; one command restores the right one."""
    other = Shop(shop.root, folder="outputs/other")
    for one in (shop, other):
        with one.run() as (journal, _):
            send(journal, "a" if one is shop else "b")
    shutil.copy(other.journal, shop.journal)
    with pytest.raises(UsageError, match="not the one") as caught, shop.run():
        pass
    assert "reelsheet journal rebuild" in (caught.value.action or "")


def lose(shop: Shop, how: str) -> None:
    """Have a journal that knows of row `a` alone, where `b` was sent, too, and `a` renamed."""
    with shop.run() as (journal, _):
        send(journal, "a")
    shutil.copy(shop.journal, shop.root / "copy.db")
    with shop.run() as (journal, _):
        send(journal, "b")
        journal.append([ev.Renamed("a", 1, "first")], 1003.0).result(20)
    match how:
        case "deleted":
            shop.journal.unlink()
        case "older":
            shutil.copy(shop.root / "copy.db", shop.journal)
        case "another book":
            shop.book = "other.db"
        case "unknown to it":
            shop.folder, there = "outputs/there", shop.journal
            shop.out.mkdir()
            shutil.copy(there, shop.journal)
            shop.book = "other.db"


@pytest.mark.parametrize("how", ["whole", "deleted", "older", "another book", "unknown to it"])
def test_a_plan_foresees_what_a_run_will_know(shop: Shop, how: str) -> None:
    """By reading alone: the same rows, in the same states, under the same keys and references."""
    lose(shop, how)
    book = shop.root / shop.book
    before = {one: one.read_bytes() for one in shop.root.rglob("*.db")}
    foreseen = foresee(shop.journal, book, shop.out)
    known = known_before(shop.journal, book, shop.out)
    assert {one: one.read_bytes() for one in shop.root.rglob("*.db")} == before
    assert without_book(shop, how) == foresee(shop.journal, None, shop.out)
    with shop.run() as (journal, _):
        entries, attempts = journal.entries(), journal.attempts()
    assert foreseen == entries
    assert set(foreseen) == {"first", "b"}
    assert known.references == {one.attempt.client_business_id for one in attempts}
    assert known.tasks == {one.task_id for one in attempts}
    assert [known.sent_since(at) for at in (0.0, 1000.0, 1000.5)] == [2, 2, 0]


def without_book(shop: Shop, how: str) -> dict[str, Entry]:
    """What the file of the journal says by itself."""
    return {} if how == "deleted" else read_entries(shop.journal)


class _Nobody:
    """A book that a kill has cut off."""

    concerned: frozenset[type[ev.Event]] = frozenset()

    def notes(self, last_event: int) -> dict[str, str]:  # noqa: ARG002
        return {}

    def follow(self, changes: Sequence[Change]) -> Future[Committed]:  # noqa: ARG002
        return done_with(Committed())


def test_what_a_person_says_of_a_row_holds_as_long_as_the_journal_is_distrusted(shop: Shop) -> None:
    """Once it is trusted, or distrusted for a new cause, it says nothing any more."""
    shop.out.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Journal(shop.journal)) as journal:
        identity = journal.identity_of("a")
        note_unsent(journal, "a")
        assert not is_unsent(journal.notes(), identity)
        journal.note({ASKS_FIRST: "1.0"})
        note_unsent(journal, "a")
        assert is_unsent(journal.notes(), identity)
        assert not is_unsent(journal.notes(), journal.identity_of("b"))
        journal.note({ASKS_FIRST: "2.0"})
        assert not is_unsent(journal.notes(), identity)
