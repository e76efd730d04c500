"""The book takes what the journals of an account have committed, and refuses what it must."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.account.book import Book
from pipeline.account.guard import Days, Guard
from pipeline.account.reading import bought_elsewhere, submissions_of, total_since
from pipeline.disk.groupcommit import Committed
from pipeline.disk.reserve import Reserve
from pipeline.errors import StoreError, UsageError
from pipeline.manifest.wording import quote_name
from pipeline.model import State
from tests.account.accounts import ACCOUNT, DAY, VIDEO, Lane, attempt, caps, lane, opened, states

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "book.db"


def test_it_is_for_its_owner_alone(path: Path) -> None:
    with opened(path) as book:
        assert len(book.id) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_keeps_its_id(path: Path) -> None:
    with opened(path) as book:
        first = book.id
    with opened(path) as book:
        assert book.id == first


def test_a_link_in_its_place_is_refused(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(StoreError, match="link to another place"):
        Book(path)
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_newer_book_is_refused(path: Path) -> None:
    with opened(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer version"):
        Book(path)
    with pytest.raises(UsageError, match="newer version"):
        submissions_of(path, "any")


def test_a_damaged_book_is_named(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match=r"book\.db") as caught:
        Book(path)
    assert f"reelsheet account import {quote_name(str(path))}" in (caught.value.action or "")


def test_a_submission_from_its_intent_to_its_video(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        assert not one.intend("r", cost=0.6).withheld
        (intended,) = submissions_of(path, one.journal.id)
        assert (intended.state, intended.money, intended.submitted_at) == (
            State.SUBMITTING, 0.6, DAY,
        )  # fmt: skip
        one.tell([ev.Accepted("r", 1, "task-1")], DAY + 1)
        one.tell([ev.Completed("r", 1, 30.0)], DAY + 2)
        assert submissions_of(path, one.journal.id)[0].state is State.RUNNING
        one.tell([ev.Downloaded("r", 1, VIDEO)], DAY + 3)
        (done,) = submissions_of(path, one.journal.id)
        assert (done.state, done.task_id, done.video) == (State.DONE, "task-1", VIDEO)
        assert (done.folder, done.finished_at) == (str(tmp_path / "a"), DAY + 3)
        one.tell([ev.Renamed("r", 1, "s")], DAY + 4)
        (renamed,) = submissions_of(path, one.journal.id)
        assert (renamed.key, renamed.identity, renamed.state) == ("s", "r", State.DONE)


def test_what_closes_an_attempt_leaves_its_state(path: Path, tmp_path: Path) -> None:
    """A done take still counts as bought when its row is to be made anew."""
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        one.intend("r")
        one.tell([ev.Accepted("r", 1, "t"), ev.Completed("r", 1, None)])
        again = ev.Intended("r", 2, attempt("r", "another film", 2, of="a"))
        one.tell([ev.Downloaded("r", 1, VIDEO), ev.Requeued("r", 1), again])
    assert states(path) == {"rs-a-r-1": State.DONE, "rs-a-r-2": State.SUBMITTING}


def test_a_repeat_is_refused_and_not_written(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a, lane(book, tmp_path / "b") as b:
        assert not a.intend("r", text="same").withheld
        refused = b.intend("s", "t", text="same").withheld
        assert set(refused) == {"rs-b-s-1", "rs-b-t-1"}
        assert all(one.repeat and "'r'" in one.message for one in refused.values())
        assert str(tmp_path / "a") in refused["rs-b-s-1"].message
        assert submissions_of(path, b.journal.id) == []
        b.tell([ev.NotAccepted("s", 1)])
        assert submissions_of(path, b.journal.id) == []
        found = bought_elsewhere(path, ACCOUNT, {b.journal.id}, {"hash-same", "hash-other"})
        assert [one.key for one in found["hash-same"]] == ["r"]
        assert bought_elsewhere(path, ACCOUNT, {a.journal.id}, {"hash-same"}) == {}
        assert bought_elsewhere(path, "another", {b.journal.id}, {"hash-same"}) == {}


@pytest.mark.parametrize(
    ("events", "bought"),
    [
        ([ev.NotAccepted("r", 1)], False),
        ([ev.Declined("r", 1, None, "no")], False),
        ([ev.Accepted("r", 1, "t"), ev.TaskFailed("r", 1, None, "no")], False),
        ([ev.AnswerLost("r", 1, "?"), ev.ClosedUnsent("r", 1)], False),
        ([ev.AnswerLost("r", 1, "?")], True),
        ([ev.Interrupted("r", 1)], True),
        ([ev.Accepted("r", 1, "t")], True),
        ([ev.Accepted("r", 1, "t"), ev.TaskLost("r", 1, "?")], True),
        ([ev.Accepted("r", 1, "t"), ev.Completed("r", 1, None)], True),
        (
            [
                ev.Accepted("r", 1, "t"),
                ev.Completed("r", 1, None),
                ev.LinkLost("r", 1, "link_dead", "?"),
            ],
            True,
        ),
    ],
)
def test_what_counts_as_bought(
    path: Path, tmp_path: Path, events: list[ev.Event], bought: bool
) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a, lane(book, tmp_path / "b") as b:
        a.intend("r", text="same")
        for event in events:
            a.tell([event])
        assert bool(b.intend("s", text="same").withheld) == bought


def test_rows_of_one_journal_never_repeat_each_other(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        assert not a.intend("r", "s", text="same").withheld
        assert not a.intend("t", text="same").withheld


def test_what_the_plan_knew_and_what_is_asked_for_is_bought(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a, lane(book, tmp_path / "b") as b:
        a.intend("r", text="same")
        b.recorder.guard = Guard(known={"hash-same": 1})
        assert not b.intend("s", text="same").withheld
        a.recorder.guard = Guard(pays=True)
        a.intend("r2", text="same")
        assert set(b.intend("t", text="same").withheld) == {"rs-b-t-1"}
        b.recorder.guard = Guard(exempt=frozenset({"u"}))
        assert set(b.intend("u", "v", text="same").withheld) == {"rs-b-v-1"}
        b.recorder.guard = Guard(pays=True)
        assert not b.intend("w", text="same").withheld


def test_no_attempt_is_sent_a_second_time(path: Path, tmp_path: Path) -> None:
    """An older copy of a journal makes a reference again that the book knows as accepted."""
    with opened(path) as book:
        with lane(book, tmp_path / "a") as a:
            a.intend("other")
            a.journal.close()
            old = (tmp_path / "a" / "journal.db").read_bytes()
        with lane(book, tmp_path / "a") as a:
            a.intend("r")
            a.tell([ev.Accepted("r", 1, "t")])
        (tmp_path / "a" / "journal.db").write_bytes(old)
        with lane(book, tmp_path / "a") as a:
            a.recorder.guard = Guard(pays=True)
            assert "sent before" in a.intend("r").withheld["rs-a-r-1"].message
    assert states(path)["rs-a-r-1"] is State.RUNNING


def test_an_attempt_that_was_not_accepted_goes_again(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        a.intend("r")
        a.tell([ev.NotAccepted("r", 1)])
        assert not a.intend("r").withheld
    assert states(path) == {"rs-a-r-1": State.SUBMITTING}


def test_a_cap_of_the_day_holds_over_all_journals(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a, lane(book, tmp_path / "b") as b:
        a.recorder.guard = b.recorder.guard = caps(3)
        assert not a.intend("1", "2").withheld
        refused = b.intend("3", "4").withheld
        assert set(refused) == {"rs-b-4-1"}
        (why,) = refused.values()
        assert not why.repeat
        assert "budget.per_day.videos is 3 and the next video would make it 4" in why.message
        a.tell([ev.NotAccepted("1", 1)])
        assert not b.intend("5").withheld
        assert b.intend("6").withheld
        a.tell([ev.Declined("2", 1, None, "no")])
        assert not b.intend("7").withheld
        # The next day has room again; a clock that is set back does not get the old one.
        assert not b.intend("8", "9", at=DAY + 86_400).withheld
        assert set(b.intend("10", "11", at=DAY).withheld) == {"rs-b-11-1"}
    assert total_since(path, ACCOUNT, DAY, None).videos == 6


def test_what_is_given_back_is_given_back_to_its_own_day_and_account(
    path: Path, tmp_path: Path
) -> None:
    """Nothing for what was never taken, for yesterday's, and for what another account sent."""
    with (
        opened(path) as book,
        lane(book, tmp_path / "a") as a,
        lane(book, tmp_path / "b", "another") as b,
    ):
        a.recorder.guard = b.recorder.guard = caps(2)
        a.intend("yesterday", at=DAY - 1)
        b.intend("theirs")
        assert set(a.intend("1", "2", "3").withheld) == {"rs-a-3-1"}
        a.tell([ev.NotAccepted("3", 1), ev.NotAccepted("yesterday", 1)])
        b.tell([ev.Declined("theirs", 1, None, "no")])
        assert a.intend("4").withheld
        a.tell([ev.NotAccepted("2", 1)])
        assert not a.intend("5").withheld
        assert a.intend("6").withheld
    assert total_since(path, ACCOUNT, DAY, None).videos == 2


class Lifting(Reserve):
    """A reserve that makes room in the book's own limit of pages, as a disk would."""

    book: Book

    def give_up_a_piece(self) -> bool:
        self.book._connection.execute("PRAGMA max_page_count = 100000")
        return super().give_up_a_piece()


def test_a_cap_holds_where_the_disk_was_full_in_between(path: Path, tmp_path: Path) -> None:
    """What the transaction that was rolled back had counted is counted once."""
    with (
        opened(path) as book,
        lane(book, tmp_path / "a") as a,
        Lifting(tmp_path / "reserve", 800) as reserve,
    ):
        reserve.book = book
        book.fall_back_on(reserve)
        a.recorder.guard = caps(61)
        a.intend("first")
        pages = book._connection.execute("PRAGMA page_count").fetchone()[0]
        book._connection.execute(f"PRAGMA max_page_count = {pages}")
        sent = a.intend(*(f"r{number}" for number in range(61)))
        assert sent.shortage is not None
        assert set(sent.withheld) == {"rs-a-r60-1"}
    assert total_since(path, ACCOUNT, DAY, None).videos == 61


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be moved there")
@pytest.mark.parametrize("again", [False, True])
def test_a_book_that_is_no_longer_in_its_place_takes_no_intent(
    path: Path, tmp_path: Path, *, again: bool
) -> None:
    """No other process would see it. What was answered goes to the journal all the same."""
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        a.intend("sent")
        path.rename(tmp_path / "moved.db")
        if again:
            Book(path).close()
        with pytest.raises(StoreError, match="deleted, moved or replaced"):
            a.intend("later")
        with pytest.raises(StoreError, match="deleted, moved or replaced"):
            a.tell([ev.Accepted("sent", 1, "task-1")])
        assert a.journal.entries()["sent"].task_id == "task-1"
    with opened(path) as book, lane(book, tmp_path / "a"):
        assert states(path)["rs-a-sent-1"] is State.RUNNING


def test_what_was_sent_without_a_price_costs_what_it_costs_now(path: Path, tmp_path: Path) -> None:
    with opened(path) as book, lane(book, tmp_path / "a") as a:
        a.intend("1")
        a.recorder.guard = Guard(caps=caps(money=1.5).caps, price=0.1)
        assert not a.intend("2", cost=0.6).withheld
        assert "budget.per_day.money" in str(a.intend("3", cost=0.6).withheld["rs-a-3-1"])
    assert total_since(path, ACCOUNT, DAY, 0.1).money == pytest.approx(1.2)


def test_another_account_has_its_own_caps_and_repeats(path: Path, tmp_path: Path) -> None:
    with (
        opened(path) as book,
        lane(book, tmp_path / "a") as a,
        lane(book, tmp_path / "b", "x") as b,
    ):
        a.recorder.guard = b.recorder.guard = caps(1)
        assert not a.intend("r", text="same").withheld
        assert not b.intend("r", text="same").withheld


def test_threads_of_one_process_share_a_cap(path: Path, tmp_path: Path) -> None:
    """Eight journals at once, and never more than the cap."""

    def buy(number: int) -> int:
        with opened(path) as book, lane(book, tmp_path / f"m{number}") as one:
            one.recorder.guard = caps(50)
            return sum(not one.intend(f"r{row}").withheld for row in range(20))

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(buy, range(8)))
    assert sum(taken) == 50
    assert total_since(path, ACCOUNT, DAY, None).videos == 50


SPENDER = """
import sys
from pathlib import Path
from pipeline.account.guard import Days, Guard
from pipeline.engine.limits import Caps
from tests.account.accounts import lane, opened

folder, path, name, zone, *moments = sys.argv[1:]
caps = Caps(**{name: {"videos": 50, "video_seconds": 305, "money": 50.5}[name]})
with opened(Path(path)) as book, lane(book, Path(folder)) as one:
    one.recorder.guard = Guard(caps=caps, price=1 / 6, day_start=Days(zone).start_of)
    print("ready", flush=True)
    for day, at in enumerate(moments):
        sys.stdin.readline()
        keys = [f"{day}-{row}" for row in range(30)]
        taken = sum(not one.intend(key, at=float(at), cost=1.0).withheld for key in keys)
        print(taken, flush=True)
"""


def told_by(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.mark.process
@pytest.mark.parametrize("cap", ["videos", "video_seconds", "money"])
def test_processes_share_the_caps_of_two_days(path: Path, tmp_path: Path, cap: str) -> None:
    """Fifty before midnight of the zone, and fifty after it; midnight in UTC is no new day."""
    zone = "Asia/Tokyo"
    evening = DAY + 15 * 3600 - 1
    assert Days(zone).number_of(evening) + 1 == Days(zone).number_of(evening + 1)
    words = [str(path), cap, zone, str(evening), str(evening + 1)]
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", SPENDER, str(tmp_path / f"m{number}"), *words],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    bufsize=1,
                )
            )
            for number in range(3)
        ]
        assert [told_by(child) for child in running] == ["ready"] * 3
        for _ in range(2):
            for child in running:
                assert child.stdin is not None
                child.stdin.write("go\n")
            assert sum(int(told_by(child)) for child in running) == 50
    assert total_since(path, ACCOUNT, evening, None).videos == 100


def test_of_threads_with_one_request_one_buys(path: Path, tmp_path: Path) -> None:
    def buy(number: int) -> list[str]:
        with opened(path) as book, lane(book, tmp_path / f"m{number}") as one:
            rows = [f"same {row}" for row in range(10)]
            return [text for text in rows if not one.intend(text, text=text).withheld]

    with ThreadPoolExecutor(6) as pool:
        bought = [text for texts in pool.map(buy, range(6)) for text in texts]
    assert sorted(bought) == [f"same {row}" for row in range(10)]


WRITER = """
import sys
from pathlib import Path
from pipeline import events as ev
from tests.account.accounts import lane, opened

with opened(Path(sys.argv[1])) as book, lane(book, Path(sys.argv[2])) as one:
    number = 0
    while True:
        keys = [f"row{number + i}" for i in range(3)]
        number += 3
        one.intend(*keys)
        print(*keys, flush=True)
        one.tell([ev.Accepted(key, 1, "task-" + key) for key in keys])
"""


@pytest.mark.process
def test_a_killed_process_loses_nothing_that_was_durable(path: Path, tmp_path: Path) -> None:
    for number in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(tmp_path / f"m{number}")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        ) as child:
            assert child.stdout is not None
            intended = [child.stdout.readline().split() for _ in range(4)]
            child.kill()
            rest = child.stdout.read().split()
        keys = [key for keys in intended for key in keys] + rest
        kept = states(path)
        assert {f"rs-m{number}-{key}-1" for key in keys} <= kept.keys()
    with opened(path) as book, contextlib.closing(sqlite3.connect(book.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_goes_on_is_written_also_where_its_intent_was_lost(path: Path, tmp_path: Path) -> None:
    """Someone has cleared the book under a run: what was paid for is in it all the same."""
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        one.intend("r", "s")
        with contextlib.closing(sqlite3.connect(path)) as other, other:
            other.execute("DELETE FROM submissions")
        one.tell([ev.Accepted("r", 1, "t"), ev.NotAccepted("s", 1)])
        (known,) = submissions_of(path, one.journal.id)
    assert (known.state, known.task_id, known.submitted_at) == (State.RUNNING, "t", DAY)


def test_uploads_serve_every_manifest(path: Path) -> None:
    with opened(path) as book:
        book.remember_upload(ACCOUNT, "aa", "https://files.example/1", DAY).result(10)
        assert list(book.uploads(ACCOUNT, DAY - 1)) == [("aa", "https://files.example/1", DAY)]
        assert list(book.uploads(ACCOUNT, DAY)) == []
        assert list(book.uploads("another", DAY - 1)) == []


def test_a_key_belongs_to_the_account_that_it_was_first_seen_under(path: Path) -> None:
    with opened(path) as book:
        assert book.account_of_key("toapis.com", "sk-one") == "toapis.com"
        assert book.account_of_key("agency", "sk-one") == "toapis.com"
        assert book.account_of_key("agency", "sk-two") == "agency"
    assert b"sk-one" not in path.read_bytes()


def test_a_broken_book_stops_and_the_journal_goes_on(path: Path, tmp_path: Path) -> None:
    """The answers to paid calls are in the journal even when the book takes nothing any more."""
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        one.intend("r")
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE submissions")
        with pytest.raises(StoreError, match="book"):
            one.tell([ev.Accepted("r", 1, "t")])
        with pytest.raises(StoreError, match="book"):
            one.intend("s")
        entries = one.journal.entries()
        assert entries["r"].task_id == "t"
        assert entries["s"].state is State.SUBMITTING


def test_commits_are_told_in_their_order(path: Path, tmp_path: Path) -> None:
    """What has no money in it is not done before what came earlier and has."""
    with opened(path) as book, lane(book, tmp_path / "a") as one:
        one.intend("r")
        one.tell([ev.Accepted("r", 1, "t")])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = _later(one, "s")
            while one.journal.entries().get("s") is None:
                pass
            second = one.journal.append([ev.Completed("r", 1, None)], DAY)
            while one.journal.entries()["r"].state is not State.READY:
                pass
            assert not first.done()
            assert not second.done()
            other.execute("COMMIT")
        assert not second.result(10).withheld
        assert first.done()


def _later(one: Lane, key: str) -> Future[Committed]:
    made = attempt(key, of=one.name)
    return one.journal.append([ev.Intended(key, 1, made)], DAY)
