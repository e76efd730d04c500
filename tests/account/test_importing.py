"""What the book takes over: journals that it does not know to their end, and other books."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.book import Book
from pipeline.account.guard import Guard
from pipeline.account.importing import Taken, import_book, import_journal
from pipeline.account.opening import import_file, open_account
from pipeline.account.place import journals_near
from pipeline.account.purchases import find_purchases
from pipeline.account.reading import (
    bought_elsewhere,
    journals_in,
    keys_bought,
    latest_tasks,
    submissions_of,
    total_since,
)
from pipeline.account.recovery import recover
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.sqlitefile import path_of
from pipeline.engine.limits import Spend
from pipeline.errors import StoreError, UsageError
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_id
from pipeline.manifest.invocation import Invocation
from pipeline.model import State
from tests.account.accounts import ACCOUNT, DAY, VIDEO, Mortal, attempt, caps, lane, opened, states


def intended(key: str, number: int = 1, text: str = "") -> ev.Intended:
    return ev.Intended(key, number, attempt(key, text or f"of {key}", number, of="old"))


def lonely(folder: Path, *batches: list[ev.Event]) -> Path:
    """Write a journal that no book follows, as every version before did; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Journal(folder / "journal.db")) as journal:
        for number, batch in enumerate(batches):
            journal.append(batch, DAY + number).result(10)
        return journal.path


LIVES: dict[State, list[ev.Event]] = {
    State.SUBMITTING: [],
    State.WAITING: [ev.NotAccepted("r", 1)],
    State.REFUSED: [ev.Declined("r", 1, None, "no")],
    State.IN_DOUBT: [ev.AnswerLost("r", 1, "?")],
    State.RUNNING: [ev.Accepted("r", 1, "t")],
    State.FAILED: [ev.Accepted("r", 1, "t"), ev.TaskFailed("r", 1, None, "no")],
    State.MISSING: [ev.Accepted("r", 1, "t"), ev.TaskLost("r", 1, "?")],
    State.DONE: [
        ev.Accepted("r", 1, "t"),
        ev.Completed("r", 1, None),
        ev.Downloaded("r", 1, VIDEO),
    ],
    State.EXPIRED: [
        ev.Accepted("r", 1, "t"),
        ev.Completed("r", 1, None),
        ev.LinkLost("r", 1, "link_dead", "?"),
    ],
}


@pytest.mark.parametrize("state", LIVES)
def test_every_state_is_taken_over(tmp_path: Path, state: State) -> None:
    journal = lonely(tmp_path / "old", [intended("r")], *([one] for one in LIVES[state]))
    with opened(tmp_path / "book.db") as book:
        assert import_journal(book, ACCOUNT, journal).submissions == 1
        assert import_journal(book, ACCOUNT, journal).submissions == 0
    assert states(tmp_path / "book.db") == {"rs-old-r-1": state}
    (known,) = journals_in(tmp_path / "book.db")
    (one,) = submissions_of(tmp_path / "book.db", known.journal_id)
    assert (one.folder, one.key, one.submitted_at) == (str(tmp_path / "old"), "r", DAY)
    assert one.video == (VIDEO if state is State.DONE else None)


def test_a_closed_attempt_is_taken_over_as_it_ended(tmp_path: Path) -> None:
    """A take that was made anew, and a look-up in vain by an earlier version, still count."""
    done = [intended("r"), *LIVES[State.DONE], ev.Requeued("r", 1), intended("r", 2, "again")]
    lost = [
        ev.Intended("s", 1, attempt("s", "s", of="old")),
        ev.AnswerLost("s", 1, "?"),
        ev.NotFound("s", 1),
        intended("s", 2),
    ]
    journal = lonely(tmp_path / "old", [*done, *lost])
    with opened(tmp_path / "book.db") as book:
        import_journal(book, ACCOUNT, journal)
    assert states(tmp_path / "book.db") == {
        "rs-old-r-1": State.DONE,
        "rs-old-r-2": State.SUBMITTING,
        "rs-old-s-1": State.IN_DOUBT,
        "rs-old-s-2": State.SUBMITTING,
    }
    assert total_since(tmp_path / "book.db", ACCOUNT, DAY, None).videos == 4


def test_what_is_taken_over_guards_the_others(tmp_path: Path) -> None:
    journal = lonely(tmp_path / "old", [intended("r", 1, "same")], [ev.Accepted("r", 1, "t")])
    with opened(tmp_path / "book.db") as book:
        import_journal(book, ACCOUNT, journal)
        with lane(book, tmp_path / "new") as new:
            assert new.intend("s", text="same").withheld
            found = bought_elsewhere(book.path, ACCOUNT, {new.journal.id}, {"hash-same"})
    assert [one.key for one in found["hash-same"]] == ["r"]


def test_an_earlier_version_has_worked_with_the_journal_since(tmp_path: Path) -> None:
    path, folder = tmp_path / "book.db", tmp_path / "old"
    with opened(path) as book:
        with lane(book, folder) as one:
            one.intend("r")
        assert import_journal(book, ACCOUNT, folder / "journal.db").submissions == 0
        lonely(folder, [ev.Accepted("r", 1, "t")], [intended("s")])
        assert import_journal(book, ACCOUNT, folder / "journal.db").submissions == 2
        assert import_journal(book, ACCOUNT, folder / "journal.db").submissions == 0
    assert states(path) == {"rs-old-r-1": State.RUNNING, "rs-old-s-1": State.SUBMITTING}


def keys(book: Path) -> dict[str, str]:
    """What the book says that the row of each submission is called."""
    of_journals = (submissions_of(book, one.journal_id) for one in journals_in(book))
    return {one.reference: one.key for several in of_journals for one in several}


def test_rows_are_renamed_and_the_process_dies_before_the_book_is_told(tmp_path: Path) -> None:
    """The next start brings all of their submissions to their keys, whatever state they are in."""
    path = tmp_path / "book.db"
    swap = [ev.Renamed("r", 2, "-"), ev.Renamed("s", 1, "r"), ev.Renamed("-", 2, "s")]
    with opened(path) as book:
        with lane(book, tmp_path / "a") as one:
            one.intend("r", "s", "t")
            one.tell([ev.Accepted("r", 1, "t"), ev.TaskFailed("r", 1, None, "no")])
            one.tell([ev.Requeued("r", 1), ev.NotAccepted("s", 1), ev.AnswerLost("t", 1, "?")])
            one.intend("r", number=2)
            one.journal.be_followed_by(Mortal(one.recorder, dead=True))
            one.tell([*swap, ev.Renamed("t", 1, "u")])
        assert keys(path) == {"rs-a-r-1": "r", "rs-a-r-2": "r", "rs-a-s-1": "s", "rs-a-t-1": "t"}
        with lane(book, tmp_path / "a") as one:
            assert set(one.journal.entries()) == {"r", "s", "u"}
    assert keys(path) == {"rs-a-r-1": "s", "rs-a-r-2": "s", "rs-a-s-1": "r", "rs-a-t-1": "u"}


def test_rows_are_renamed_without_the_book(tmp_path: Path) -> None:
    """By a run without one: what it was never told of is still unsent, and all keys are new."""
    path, journal = tmp_path / "book.db", tmp_path / "a" / "journal.db"
    with opened(path) as book:
        with lane(book, tmp_path / "a") as one:
            one.intend("r")
            one.journal.be_followed_by(Mortal(one.recorder, dead=True))
            one.intend("s")
        with contextlib.closing(Journal(journal)) as alone:
            alone.append([ev.Renamed("r", 1, "x"), ev.Renamed("s", 1, "y")], DAY).result(10)
        import_journal(book, ACCOUNT, journal)
        assert keys(path) == {"rs-a-r-1": "x"}
        assert import_journal(book, ACCOUNT, journal).submissions == 0


def test_an_older_copy_takes_nothing_back(tmp_path: Path) -> None:
    path, journal = tmp_path / "book.db", tmp_path / "old" / "journal.db"
    with opened(path) as book:
        with lane(book, tmp_path / "old") as one:
            one.intend("r")
        old = journal.read_bytes()
        with lane(book, tmp_path / "old") as one:
            one.tell([ev.Accepted("r", 1, "t")])
        journal.write_bytes(old)
        import_journal(book, ACCOUNT, journal)
    assert states(path) == {"rs-old-r-1": State.RUNNING}


def test_a_damaged_journal_is_no_failure_of_the_book(tmp_path: Path) -> None:
    journal = tmp_path / "old" / "journal.db"
    journal.parent.mkdir()
    journal.write_bytes(b"no database" * 500)
    with opened(tmp_path / "book.db") as book:
        with pytest.raises(StoreError, match="journal"):
            import_journal(book, ACCOUNT, journal)
        assert import_journal(book, ACCOUNT, tmp_path / "none" / "journal.db").submissions == 0
        with lane(book, tmp_path / "a") as one:
            assert not one.intend("r").withheld


def test_what_ran_on_this_machine_is_never_of_a_remote_account(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    lonely(folder, [intended("r")])
    with contextlib.closing(Journal(folder / "journal.db")) as journal:
        journal.remember_upload("http://127.0.0.1:8000 0123", "aa", "http://x", DAY).result(10)
    with opened(tmp_path / "book.db") as book:
        import_journal(book, ACCOUNT, folder / "journal.db")
    assert journals_in(tmp_path / "book.db")[0].account == "127.0.0.1:8000"


def test_another_book_is_taken_over(tmp_path: Path) -> None:
    with opened(tmp_path / "one.db") as book, lane(book, tmp_path / "a") as a:
        a.intend("r", text="same")
    with opened(tmp_path / "two.db") as book, lane(book, tmp_path / "b") as b:
        assert import_book(book, tmp_path / "one.db") == 1
        assert import_book(book, tmp_path / "one.db") == 0
        assert b.intend("s", text="same").withheld
        with pytest.raises(UsageError, match="no book"):
            import_book(book, tmp_path / "three.db")


def test_a_file_that_is_named_is_taken_for_what_it_is(tmp_path: Path) -> None:
    """A journal or a book; nothing else, not this very book, and no rehearsal."""
    other = lonely(tmp_path / "old", [intended("r")])
    rehearsed = lonely(tmp_path / "old.rehearsal", [intended("s")])
    with opened(tmp_path / "one.db") as first, lane(first, tmp_path / "a") as a:
        a.intend("t")
    with contextlib.closing(sqlite3.connect(tmp_path / "else.db")) as foreign:
        foreign.execute("CREATE TABLE songs (name TEXT)")
    with opened(tmp_path / "two.db") as book:
        assert import_file(book, ACCOUNT, other).submissions == 1
        assert import_file(book, ACCOUNT, tmp_path / "one.db").submissions == 1
        for file, why in (
            (tmp_path / "none.db", "no file"),
            (tmp_path / "else.db", "neither a journal nor a book"),
            (tmp_path / "old" / ".." / "two.db", "this very book"),
            (rehearsed, "rehearsal"),
        ):
            with pytest.raises(UsageError, match=why):
                import_file(book, ACCOUNT, file)
    assert states(tmp_path / "two.db").keys() == {"rs-old-r-1", "rs-a-t-1"}


def test_a_journal_that_no_run_began_holds_nothing(tmp_path: Path) -> None:
    """It has no id yet: a kill came before the run could send."""
    journal = lonely(tmp_path / "old")
    with contextlib.closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("DELETE FROM meta WHERE name = 'id'")
    with opened(tmp_path / "book.db") as book:
        assert import_journal(book, ACCOUNT, journal).submissions == 0
    assert journals_in(tmp_path / "book.db") == []


def test_an_older_copy_of_the_book_gets_back_what_its_journals_know(tmp_path: Path) -> None:
    """Also what was sent while the newer book was there, and what has ended since."""
    path, copy = tmp_path / "book.db", tmp_path / "copy.db"
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        a.intend("r", text="same")
    shutil.copy(path, copy)
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        a.tell([ev.Accepted("r", 1, "t")])
        a.intend("s", text="later")
    shutil.copy(copy, path)
    with opened(path) as book:
        assert import_journal(book, ACCOUNT, tmp_path / "a" / "journal.db").submissions == 2
        assert import_journal(book, ACCOUNT, tmp_path / "a" / "journal.db").submissions == 0
        with lane(book, tmp_path / "b") as b:
            assert b.intend("x", text="later").withheld
    assert states(path) == {"rs-a-r-1": State.RUNNING, "rs-a-s-1": State.SUBMITTING}


def test_the_journals_near(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    here = lonely(outputs / "a", [intended("r")])
    lonely(outputs / "a.rehearsal", [intended("r")])
    beside = lonely(tmp_path / "other" / "b", [intended("r")])
    under = lonely(tmp_path / "other" / "c" / "d", [intended("r")])
    (outputs / "empty").mkdir()
    assert list(journals_near(outputs, None, [])) == [here]
    assert list(journals_near(outputs, tmp_path / "other" / "c", [])) == [here, beside, under]
    for nowhere in (tmp_path / "nowhere", tmp_path / "not" / "here"):
        assert list(journals_near(nowhere, None, [])) == []


def owned(folder: Path, manifest: Path) -> Path:
    """Write the journal of a manifest; return its file."""
    path = lonely(folder, [intended("r")])
    with contextlib.closing(Journal(path)) as journal:
        journal.claim(manifest, adopt=False)
    return path


def test_the_journal_in_its_own_place_where_a_copy_was_carried_here(tmp_path: Path) -> None:
    """The copy lies in a folder of our manifest's name, and names a manifest that is elsewhere."""
    ours, theirs = tmp_path / "here" / "shop.csv", tmp_path / "there" / "shop.csv"
    for one in (ours, theirs):
        one.parent.mkdir()
        one.write_text("prompt\na mug\n", encoding="utf-8")
    own = owned(theirs.parent / "outputs" / "shop", theirs)
    copy = owned(ours.parent / "outputs" / "shop", theirs)
    assert set(journals_near(ours.parent / "outputs", None, [ours])) == {copy, own}
    theirs.unlink()
    assert set(journals_near(ours.parent / "outputs", None, [ours])) == {copy}


def test_the_journals_of_an_output_folder_of_before(tmp_path: Path) -> None:
    """Beside the folder of outputs and beside the manifest: its own and its neighbours'."""
    work, tables, far = tmp_path / "work", tmp_path / "tables", tmp_path / "far"
    shop, other = tables / "shop.csv", far / "other.csv"
    for one in (shop, tables / "next.csv", other):
        one.parent.mkdir(exist_ok=True)
        one.write_text("key,prompt\n", encoding="utf-8")
    found = [
        owned(tables / "outputs" / "shop", shop),
        owned(tables / "shop-videos", tables / "next.csv"),
        owned(work / "before" / "shop", tmp_path / "gone" / "shop.csv"),
        owned(work / "old" / "shop", shop),
    ]
    owned(work / "old" / "other", other)
    owned(work / "old" / "shop.rehearsal", shop)
    owned(work / "deep" / "down" / "shop", shop)
    linked = owned(far / "shop", shop)
    (work / "linked").symlink_to(linked.parent.parent)
    (work / "old" / "linked").symlink_to(linked.parent)
    near = journals_near(work / "outputs", work / "outputs" / "shop", [shop])
    assert sorted(near) == sorted(found)


def config(outputs: Path, *more: str) -> Config:
    live = [f"output.dir={outputs}", "provider=toapis", *more]
    return load(None, environ={}, overrides=live)


def test_a_plan_knows_what_a_run_would_take_over(tmp_path: Path) -> None:
    """Without a book, and with one that does not know the journal to its end; nothing is made."""
    outputs, here = tmp_path / "outputs", tmp_path / "m.csv"
    lonely(outputs / "old", [intended("r", 1, "same")], [ev.Accepted("r", 1, "t")])
    sought = {"hash-same", "hash-later"}

    def bought() -> dict[str, list[State]]:
        purchases = find_purchases(config(outputs), os.environ, OutputFolder(outputs / "new"), here)
        assert purchases is not None
        found = purchases.bought_elsewhere(sought)
        return {name: [one.state for one in several] for name, several in found.items()}

    assert bought() == {"hash-same": [State.RUNNING]}
    with open_account(config(outputs), os.environ, print) as account:
        assert account is not None
        account.take_over(outputs, None, [here])
    assert bought() == {"hash-same": [State.RUNNING]}
    lonely(outputs / "old", [intended("s", 1, "later"), ev.TaskFailed("r", 1, None, "no")])
    assert bought() == {"hash-same": [], "hash-later": [State.SUBMITTING]}
    own = find_purchases(config(outputs), os.environ, OutputFolder(outputs / "old"), here)
    assert own is not None
    assert not any(own.bought_elsewhere(sought).values())
    none = config(outputs, "account.book=none")
    assert find_purchases(none, os.environ, OutputFolder(outputs / "new"), here) is None


def test_a_journal_that_was_moved_is_found_where_it_is(tmp_path: Path) -> None:
    """Its videos are to be copied from there; a copy beside the first changes nothing."""
    path = tmp_path / "book.db"
    with opened(path) as book:
        with lane(book, tmp_path / "a") as one:
            one.intend("r", text="same")
        shutil.copytree(tmp_path / "a", tmp_path / "copy")
        import_journal(book, ACCOUNT, tmp_path / "copy" / "journal.db")
        assert [one.folder for one in journals_in(path)] == [str(tmp_path / "a")]
        (tmp_path / "a").rename(tmp_path / "b")
        import_journal(book, ACCOUNT, tmp_path / "b" / "journal.db")
        assert [one.folder for one in journals_in(path)] == [str(tmp_path / "b")]


def test_another_book_of_a_journal_is_said_and_taken_over(tmp_path: Path) -> None:
    """Whoever sets account.book later loses nothing of what the first book knew."""
    outputs = tmp_path / "outputs"
    told: list[str] = []
    for name, other in (("one.db", "elsewhere"), ("two.db", "copy")):
        chosen = config(outputs, f"account.book={tmp_path / name}")
        with (
            open_account(chosen, os.environ, told.append) as account,
            contextlib.closing(Journal(new_folder(outputs / "shop"))) as journal,
            contextlib.closing(Journal(new_folder(tmp_path / other / "shop"))) as beside,
        ):
            assert account is not None
            followed = account.follow(
                beside, tmp_path / other / "shop", Invocation(tmp_path / "b.csv"), DAY
            )
            made = attempt(other, "same", of=other)
            sent = followed.append([ev.Intended(other, 1, made)], DAY).result(20)
            assert not sent.withheld
            account.follow(journal, outputs / "shop", Invocation(tmp_path / "m.csv"), DAY)
            assert bool(account.purchases(journal).bought_elsewhere({"hash-same"}))
            told.append(f"-- {name}")
    assert told[0] == "-- one.db"
    assert "was kept in another book" in told[1]
    assert str(tmp_path / "one.db") in told[1]
    known = {one.folder for one in journals_in(tmp_path / "two.db")}
    assert str(tmp_path / "elsewhere" / "shop") in known


def new_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "journal.db"


def test_a_book_on_a_network_disk(tmp_path: Path) -> None:
    """In rollback mode, which needs no more than the disk's locks, several may write it, too."""
    path = tmp_path / "book.db"

    def buy(number: int) -> int:
        with (
            contextlib.closing(Book(path, networked=True)) as book,
            lane(book, tmp_path / f"m{number}") as one,
        ):
            one.recorder.guard = caps(20)
            return sum(not one.intend(f"r{row}").withheld for row in range(10))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(buy, range(4))) == 20
    assert {one.name for one in tmp_path.iterdir() if one.is_file()} == {"book.db"}


def test_keys_that_were_bought_are_found_with_their_journals(tmp_path: Path) -> None:
    """Those of rows that cost nothing are not among them, nor those of another account."""
    path = tmp_path / "book.db"
    assert keys_bought(path, ACCOUNT, ["a"]) == []
    with opened(path) as book:
        with lane(book, tmp_path / "monday") as monday:
            monday.intend("a", "b", "c")
            monday.tell([ev.Declined("c", 1, None, "no")])
        with lane(book, tmp_path / "sunday", "another") as sunday:
            sunday.intend("a")
    ((known, keys),) = keys_bought(path, ACCOUNT, ["a", "b", "c", "d"])
    assert (known.folder, sorted(keys)) == (str(tmp_path / "monday"), ["a", "b"])
    assert keys_bought(path, ACCOUNT, ["d"]) == keys_bought(path, ACCOUNT, []) == []


def test_a_reused_take_is_no_purchase(tmp_path: Path) -> None:
    """Whatever becomes of its file: the account bought it once, for another row."""
    path = tmp_path / "book.db"
    with opened(path) as book, lane(book, tmp_path / "copy") as copy:
        copy.tell([ev.Reused("a", 1, attempt("a", of="copy"), "t", VIDEO, DAY)])
        copy.tell([ev.FileGone("a", 1)])
        copy.tell([ev.Downloaded("a", 1, VIDEO)])
        assert states(path) == {}
        import_journal(book, ACCOUNT, copy.journal.path)
    assert states(path) == {}


def reused(key: str, text: str, task: str, number: int = 1, *, of: str = "copy") -> ev.Reused:
    return ev.Reused(key, number, attempt(key, text, number, of=of, cost=0.0), task, VIDEO, DAY)


def test_a_reused_take_stands_for_a_purchase_that_the_book_does_not_know(tmp_path: Path) -> None:
    """It counts as bought, and for no day; whoever lost its journal gets it back as it was."""
    path, folder = tmp_path / "book.db", tmp_path / "copy"
    again = [ev.Requeued("a", 1), reused("a", "x", "t", 2)]
    journal = lonely(folder, [reused("a", "x", "t")], again, [reused("b", "y", "u")])
    with opened(path) as book:
        assert import_journal(book, ACCOUNT, journal) == Taken(2, 2)
        assert import_journal(book, ACCOUNT, journal) == Taken()
        assert total_since(path, ACCOUNT, 0.0, 1.0) == Spend()
        with lane(book, tmp_path / "other") as other:
            assert other.intend("r", text="x").withheld
        (known,) = journals_in(path, folder)
        journal.unlink()
        with contextlib.closing(Journal(journal)) as lost:
            recover(lost, book, folder, DAY)
            (entry,) = [one for one in lost.attempts() if one.key == "b"]
            assert entry.reused
            assert lost.id == known.journal_id


@pytest.mark.parametrize("first", ["original", "copy"])
def test_one_task_is_one_purchase_in_whatever_order_it_is_taken_over(
    tmp_path: Path, first: str
) -> None:
    """As soon as the purchase itself is known, the copies of it stand for nothing."""
    path = tmp_path / "book.db"
    made = [intended("r", 1, "x"), ev.Accepted("r", 1, "t"), ev.Completed("r", 1, None)]
    original = lonely(tmp_path / "old", [*made, ev.Downloaded("r", 1, VIDEO)])
    copies = [
        lonely(tmp_path / name, [reused("a", "x", "t", of=name)]) for name in ("copy", "copy-2")
    ]
    order = [original, *copies] if first == "original" else [*copies, original]
    with opened(path) as book:
        for journal in order:
            import_journal(book, ACCOUNT, journal)
        found = bought_elsewhere(path, ACCOUNT, {"nobody"}, {"hash-x"})["hash-x"]
        assert [one.reference for one in found] == ["rs-old-r-1"]
        own = read_id(original)
        assert own is not None
        assert bought_elsewhere(path, ACCOUNT, {own}, {"hash-x"}) == {}
        assert latest_tasks(path, ACCOUNT, 5) == [("rs-old-r-1", "t")]
        with lane(book, tmp_path / "new") as new:
            new.recorder.guard = Guard(known={"hash-x": 1})
            assert not new.intend("s", text="x").withheld


def test_a_plan_counts_a_copy_once(tmp_path: Path) -> None:
    """It takes nothing over: of a task it knows the purchase, else one copy."""
    outputs = tmp_path / "outputs"
    for name in ("copy", "copy-2"):
        lonely(outputs / name, [reused("a", "x", "t", of=name)])
    chosen = config(outputs, f"account.book={tmp_path / 'book.db'}", "account.name=toapis.com")
    folder = OutputFolder(outputs / "new")

    def bought() -> list[str]:
        purchases = find_purchases(chosen, {}, folder, tmp_path / "new.csv")
        assert purchases is not None
        found = purchases.bought_elsewhere({"hash-x"}).get("hash-x", ())
        return [one.reference for one in found]

    assert set(bought()) == {"rs-copy-a-1", "rs-copy-2-a-1"}  # the comparison takes each task once
    lonely(outputs / "old", [intended("r", 1, "x"), ev.Accepted("r", 1, "t")])
    assert bought() == ["rs-old-r-1"]


def test_a_reused_take_in_the_place_of_an_unsent_attempt_counts_for_no_day(tmp_path: Path) -> None:
    """Its number was intended once, and provably not accepted."""
    path = tmp_path / "book.db"
    unsent = [ev.Intended("a", 1, attempt("a", of="old")), ev.NotAccepted("a", 1)]
    journal = lonely(tmp_path / "old", unsent)
    with opened(path) as book:
        assert import_journal(book, ACCOUNT, journal) == Taken(1)
        lonely(tmp_path / "old", [reused("a", "a film", "t", of="old")], [intended("b")])
        assert import_journal(book, ACCOUNT, journal) == Taken(2, 1)
        assert total_since(path, ACCOUNT, 0.0, None).videos == 1
    assert states(path) == {"rs-old-a-1": State.DONE, "rs-old-b-1": State.SUBMITTING}


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    """What was bought from there is known to a plan and to a run, and found where it lies."""
    outputs, here = tmp_path / "outputs", tmp_path / "m.csv"
    folder = Path(os.fsdecode(os.fsencode(outputs) + b"/b\xe4d"))
    try:
        lonely(folder, [intended("r", 1, "same")], [ev.Accepted("r", 1, "t")])
    except OSError:
        pytest.skip("this file system takes only names that are text")
    purchases = find_purchases(config(outputs), os.environ, OutputFolder(outputs / "new"), here)
    assert purchases is not None
    assert purchases.bought_elsewhere({"hash-same"})
    told: list[str] = []
    with open_account(config(outputs), os.environ, told.append) as account:
        assert account is not None
        account.take_over(outputs, None, [here])
        with contextlib.closing(Journal(folder / "journal.db")) as journal:
            account.follow(journal, folder, Invocation(tmp_path / "m.csv"), DAY)
        (known,) = journals_in(account.book.path, folder)
    assert told == []
    assert path_of(known.folder) == folder


def test_a_reused_take_that_was_bought_after_all_is_no_copy(tmp_path: Path) -> None:
    """Under the number of the copy, which was never sent: what counts is the submission."""
    path = tmp_path / "book.db"
    bought = [ev.Requeued("a", 1), ev.Intended("a", 1, attempt("a", "x", 1, of="copy"))]
    journal = lonely(tmp_path / "copy", [reused("a", "x", "t"), *bought])
    with opened(path) as book:
        assert import_journal(book, ACCOUNT, journal) == Taken(1, 0)
        assert import_journal(book, ACCOUNT, journal) == Taken()
