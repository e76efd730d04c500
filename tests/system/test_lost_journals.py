"""Journals that were lost, restored or copied: nothing is paid twice, and one command mends them.

Each case is a real file and a real process. The API says what was accepted.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.reading import read_entries, replay
from pipeline.model import Decision
from tests.system.harness import invariants, loglines, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Ended, Product, interrupt
from tests.system.test_journal_command import halved, torn, zeroed

ROWS = 8
SLOW = {"polling.deadline_s": "100"}
NO_BOOK = {"account.book": "none"}
FORGET = """
DELETE FROM events; DELETE FROM attempts; DELETE FROM requests;
DELETE FROM meta WHERE name LIKE 'book%';
"""
"""What the file of a journal does not have while it is still in the log beside it."""


@dataclass
class Shop:
    """A manifest whose requests nobody else makes, and where its runs put things."""

    product: Product
    api: Api
    mark: int
    sets: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        return self.product.folder / "shop.csv"

    @property
    def out(self) -> Path:
        return self.product.folder / "outputs" / "shop"

    @property
    def journal(self) -> Path:
        return self.out / "journal.db"

    def write(self, rows: int = ROWS) -> None:
        prompt = f"{self.product.folder.name} {{}}"
        sheets.write(self.manifest, sheets.rows(rows, prompt))

    def run(self, *arguments: str, command: str = "run", **sets: str) -> Ended:
        more = {**self.sets, **sets}
        return self.product(*command.split(), self.manifest, *arguments, sets=more, env=self.env)

    def cut_off(self, number: signal.Signals = signal.SIGKILL, *, copy: Path | None = None) -> None:
        """Stop a run after its rows were sent; with `copy`, copy its journal as `cp` does then."""
        self.api.faults("query_never_finishing")
        process = self.product.start("run", self.manifest, sets={**self.sets, **SLOW}, env=self.env)
        wait_for("submissions", lambda: self.sent == ROWS)
        if copy is not None:
            shutil.copy(self.journal, copy)
        wait_for("tasks in the journal", lambda: len(self.tasks) == ROWS)
        interrupt(process, number)
        self.product.end(process)
        self.api.faults()

    def keep_only_a_forgetful_copy(self, folder: Path) -> None:
        """Buy all rows, and keep a copy from the middle of that, which has forgotten some."""
        self.cut_off(copy=folder / "copy.db")
        self.elsewhere(folder)
        shutil.rmtree(self.out)
        self.out.mkdir()
        shutil.copy(folder / "copy.db", self.journal)
        with contextlib.closing(sqlite3.connect(self.journal)) as journal:
            journal.executescript(FORGET)
            journal.commit()

    @property
    def sent(self) -> int:
        return len(self.api.calls("submit", since=self.mark))

    @property
    def tasks(self) -> list[str]:
        if not invariants.journal_made(self.out):
            return []
        return [one.task_id for one in read_entries(self.journal).values() if one.task_id]

    def hold(self, rows: int = ROWS) -> None:
        """Every row is done, and its request and reference were accepted once."""
        prefix = self.product.folder.name + " "
        ours = [
            one for one in self.api.records()["submissions"] if one["prompt"].startswith(prefix)
        ]
        for name in ("prompt", "client_business_id"):
            accepted = Counter(one[name] for one in ours)
            assert set(accepted.values()) == {1}
            assert len(accepted) == rows
        assert self.sent == rows
        entries = read_entries(self.journal)
        assert {one.state.value for one in entries.values()} == {"done"}
        assert len(entries) == rows
        assert replay(self.journal) == dict(entries)
        _, results = sheets.read(self.out / "results.csv")
        assert {one["result_state"] for one in results} == {"done"}

    def elsewhere(self, tmp_path: Path, name: str = "other-state") -> Path:
        """Go on as another user or machine, who has another book; return its file."""
        other = tmp_path / name
        other.mkdir()
        self.env = {"XDG_STATE_HOME": str(other)}
        return other / "reelsheet" / "book.db"


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """A shop in which nothing was run yet."""
    made = Shop(product, api, api.mark())
    made.write()
    return made


def refused(shop: Shop, *words: str) -> None:
    """A run sends nothing, and names the one command, however often it is tried."""
    before, there = shop.sent, shop.journal.exists()
    for _ in range(2):
        ended = shop.run()
        assert ended.code == 2, ended.err
        for word in words:
            assert word in ended.err
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err
        assert "room" not in ended.err
        assert shop.sent == before
        assert shop.journal.exists() == there


def rebuilt(shop: Shop) -> Ended:
    """Restore the journal: first shown, then done."""
    before, there = shop.sent, shop.journal.exists()
    shown = shop.run(command="journal rebuild")
    assert shown.code == 2, shown.out + shown.err
    assert "It would hold " in shown.out
    assert shop.journal.exists() == there
    assert not list(shop.out.glob("journal.before-*"))
    done = shop.run("--yes", command="journal rebuild")
    assert done.code == 0, done.err
    assert shop.sent == before
    assert bool(list(shop.out.glob("journal.before-*"))) == there
    assert replay(shop.journal) == dict(read_entries(shop.journal))
    return done


# With nothing in it.


@pytest.mark.long
def test_an_empty_journal_where_nothing_was_ever_sent(shop: Shop) -> None:
    """As a kill at the beginning of the first run leaves it: the next one begins."""
    shop.out.mkdir(parents=True)
    for one in (shop.journal, shop.out / "run.log"):
        one.touch()
    assert shop.run(command="plan").code == 0
    assert shop.run(command="journal verify").code == 0
    ended = shop.run()
    assert ended.code == 0, ended.err
    shop.hold()


@pytest.mark.parametrize("left", [b"", b"no journal at all" * 1000])
def test_a_journal_that_cannot_be_used_where_nothing_was_ever_sent(shop: Shop, left: bytes) -> None:
    """It is put aside when that is agreed to, and the next run begins."""
    shop.out.mkdir(parents=True)
    shop.journal.write_bytes(left)
    (shop.out / "run.log").write_text('{"what": "begin"}\n', "utf-8")
    assert shop.run().code == 5
    asked = shop.run(command="journal rebuild")
    assert asked.code == 2
    assert "Nothing else remembers" in asked.out
    assert shop.journal.read_bytes() == left
    done = shop.run("--yes", command="journal rebuild")
    assert done.code == 0, done.err
    (aside,) = shop.out.glob("journal.before-*.db")
    assert aside.read_bytes() == left
    assert aside.name in done.out
    ended = shop.run()
    assert ended.code == 0, ended.err
    shop.hold()


@pytest.mark.long
def test_what_is_left_beside_a_journal_that_is_gone_does_not_get_into_the_new_one(
    shop: Shop,
) -> None:
    """SQLite would undo there what was never written, and damage it."""
    shop.cut_off()
    shop.journal.unlink()
    shop.journal.with_name("journal.db-journal").write_bytes(b"of the journal that is gone")
    assert shop.run("--yes", command="journal rebuild").code == 0
    assert not shop.journal.with_name("journal.db-journal").exists()
    assert shop.run().code == 0
    shop.hold()


# Lost while a run works.

ONE_BY_ONE = {"limits.submits_per_minute": "60"}


def deleted(path: Path) -> None:
    for one in path.parent.glob(f"{path.name}*"):
        one.unlink()


def deleted_alone(path: Path) -> None:
    path.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replaced(path: Path) -> None:
    """By a copy of it, as an editor or a tool for backups may."""
    copy = path.with_name("copy.db")
    with (
        contextlib.closing(sqlite3.connect(path)) as there,
        contextlib.closing(sqlite3.connect(copy)) as made,
    ):
        there.backup(made)
    deleted(path)
    copy.rename(path)


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be deleted there")
@pytest.mark.parametrize("lose", [deleted, deleted_alone, moved, replaced])
@pytest.mark.parametrize("which", ["book", "journal"])
@pytest.mark.long
def test_lost_while_a_run_works(
    shop: Shop, tmp_path: Path, which: str, lose: Callable[[Path], None]
) -> None:
    """Nothing more is submitted, what was sent is not lost, and the next run goes on."""
    book = shop.elsewhere(tmp_path)
    process = shop.product.start("run", shop.manifest, sets=ONE_BY_ONE, env=shop.env)
    wait_for("submissions", lambda: 2 <= shop.sent < ROWS)
    lose(book if which == "book" else shop.journal)
    known = shop.sent
    ended = shop.product.end(process)
    assert ended.code == 5, ended.err
    assert ended.err.count("was deleted, moved or replaced while this run was using it") == 1
    assert "Traceback" not in ended.err
    assert shop.sent <= known + 1, "the one that was on its way"
    if which == "book":
        assert len(shop.tasks) == shop.sent, "the journal has every answer"
    ended = shop.run()
    assert ended.code == 0, ended.err
    shop.hold()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be deleted there")
@pytest.mark.long
def test_a_cap_holds_where_the_book_is_deleted_while_a_run_works(
    shop: Shop, tmp_path: Path
) -> None:
    """Another process begins a new book, and neither of the two passes the cap or buys twice."""
    book = shop.elsewhere(tmp_path)
    shop.sets = {"budget.per_day.videos": str(ROWS)}
    process = shop.product.start(
        "run", shop.manifest, sets={**shop.sets, **ONE_BY_ONE}, env=shop.env
    )
    wait_for("submissions", lambda: 2 <= shop.sent < ROWS)
    deleted(book)
    other = shop.product.folder / "other.csv"
    shutil.copy(shop.manifest, other)
    assert shop.product("run", other, sets=shop.sets, env=shop.env).code in {0, 1, 4}
    assert shop.product.end(process).code == 5
    shop.run()
    assert shop.sent == ROWS
    assert not shop.api.repeated()


# With the account's book.


def test_a_deleted_journal(shop: Shop) -> None:
    """The book knows every row: the run takes them over and sends nothing."""
    assert shop.run().code == 0
    shop.journal.unlink()
    foreseen = shop.run("--json", command="plan").json
    assert (foreseen["groups"]["done"], foreseen["groups"]["new"]) == (ROWS, 0)
    assert not shop.journal.exists()
    ended = shop.run()
    assert ended.code == 0, ended.err
    assert f"did not know of {ROWS} submissions" in ended.err
    shop.hold()
    assert "did not know" not in shop.run().err


def test_an_output_folder_that_is_gone(shop: Shop) -> None:
    """With its videos: what was paid for is not sent again, but asked for by name."""
    assert shop.run().code == 0
    shutil.rmtree(shop.out)
    assert shop.run().code in {0, 1}
    assert shop.sent == ROWS


def test_a_journal_deleted_after_a_kill(shop: Shop) -> None:
    """Tasks that were under way are taken up by their ids, the others by their references."""
    shop.cut_off()
    for one in shop.out.glob("journal.db*"):
        one.unlink()
    assert shop.run().code == 0
    shop.hold()


def test_an_older_copy(shop: Shop, tmp_path: Path) -> None:
    """A whole copy of an earlier day, put back after the table had grown."""
    shop.write(ROWS // 2)
    assert shop.run().code == 0
    shutil.copy(shop.journal, tmp_path / "copy.db")
    shop.write()
    assert shop.run().code == 0
    shutil.copy(tmp_path / "copy.db", shop.journal)
    assert shop.run().code == 0
    shop.hold()


def test_a_copy_taken_in_the_middle_of_a_run(shop: Shop, tmp_path: Path) -> None:
    """By `cp`, and put back after that run had ended."""
    shop.cut_off(signal.SIGINT, copy=tmp_path / "copy.db")
    assert shop.run().code == 0
    shutil.copy(tmp_path / "copy.db", shop.journal)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_a_dump_of_an_earlier_moment(shop: Shop) -> None:
    """Restored as people do it; the schema version is in a table."""
    shop.write(ROWS // 2)
    assert shop.run().code == 0
    with contextlib.closing(sqlite3.connect(shop.journal)) as journal:
        dump = "\n".join(journal.iterdump())
    shop.write()
    assert shop.run().code == 0
    shop.journal.unlink()
    with contextlib.closing(sqlite3.connect(shop.journal)) as journal:
        journal.executescript(dump)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.parametrize("damage", [zeroed, halved, torn])
def test_a_damaged_journal(shop: Shop, damage: Callable[[Path], None]) -> None:
    """It is said and nothing is sent; the journal is restored, and the file kept beside it."""
    assert shop.run().code == 0
    damage(shop.journal)
    ended = shop.run()
    assert ended.code == 5
    assert "reelsheet journal rebuild" in ended.err
    rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.parametrize("book", [True, False])
@pytest.mark.parametrize("gone", ["attempts", "events", "meta", "runs", "events meta runs"])
def test_a_journal_whose_tables_were_emptied(shop: Shop, gone: str, book: bool) -> None:
    """The file is whole and its rows were deleted: it is damaged like any other."""
    shop.sets = {} if book else NO_BOOK
    assert shop.run().code == 0
    said = Decision("P0001", 1, "00", "approve", reviewer="Ada", at=1.0, seq=1)
    with DecisionTable(shop.journal) as decisions:
        decisions.add(None, lambda _: [said])
    with contextlib.closing(sqlite3.connect(shop.journal)) as journal:
        for table in gone.split():
            journal.execute(f"DELETE FROM {table}")  # noqa: S608
        journal.commit()
    for command in ("journal verify", "run"):
        ended = shop.run(command=command)
        assert ended.code == {"run": 5}.get(command, 1), ended.err
        told = ended.out + ended.err
        assert "rows were deleted from it" in told
        assert f"reelsheet journal rebuild {shop.manifest}" in told
    assert shop.sent == ROWS
    rebuilt(shop)
    assert read_decisions(shop.journal) == [said]
    assert shop.run(command="journal verify").code == 0
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_another_journal_in_the_folder(shop: Shop) -> None:
    """A copy of another folder's journal of the same manifest, which does not know these rows."""
    assert shop.run().code == 0
    other = shop.product.folder / "other"
    shop.write(1)
    assert shop.run("--out", str(other), "--set", "repeats=reuse").code == 0
    shop.write()
    shutil.copy(other / "journal.db", shop.journal)
    refused(shop, "is not the one")
    rebuilt(shop)
    assert shop.run().code == 0
    assert shop.sent == ROWS


def test_without_journal_and_book_no_command_sends_or_writes(shop: Shop, tmp_path: Path) -> None:
    """Not at the second try either, and not as one of several; the results stay as they are.

    The others wait, too: they may ask for what was bought for this one.
    """
    book = shop.elsewhere(tmp_path)
    assert shop.run("--limit", "5").code == 0
    for lost in (shop.journal, book):
        lost.unlink()
    remains = {path: path.read_bytes() for path in shop.out.iterdir() if path.is_file()}
    refused(shop, "is gone", "run.log")
    for command in ("retry", "fetch", "report", "run --only P0001"):
        name, *more = command.split()
        ended = shop.run(*more, command=name)
        assert ended.code == 2, ended.err
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err
    other = shop.product.folder / "another.csv"
    sheets.write(other, sheets.rows(1, f"{shop.product.folder.name} another {{}}"))
    for _ in range(2):
        ended = shop.run(str(other))
        assert ended.code != 0
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err
    assert shop.sent == 5
    there = {path: path.read_bytes() for path in shop.out.iterdir() if path.is_file()}
    assert there == remains
    rebuilt(shop)
    assert shop.run(str(other)).code == 0
    assert shop.sent == ROWS + 1


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.long
def test_journal_and_book_of_one_earlier_moment(shop: Shop, tmp_path: Path, log: bool) -> None:
    """They agree with each other, and run.log and the results know more than both."""
    book = shop.elsewhere(tmp_path)
    assert shop.run("--limit", "3").code == 0
    for one in (shop.journal, book):
        shutil.copy(one, tmp_path / one.name)
    assert shop.run().code == 0
    for one in (shop.journal, book):
        shutil.copy(tmp_path / one.name, one)
    if not log:
        (shop.out / "run.log").unlink()
    refused(shop, "is an older copy", "run.log" if log else "results.csv")
    rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_a_log_in_several_files_is_read_whole(shop: Shop, tmp_path: Path) -> None:
    """It was begun anew while rows were sent, and alone tells of them; all of it is documented."""
    shop.sets = {**shop.sets, "log.rotate_mb": "0.004", "log.mode": "0640"}
    book = shop.elsewhere(tmp_path)
    assert shop.run().code == 0
    for one in (shop.journal, book, shop.out / "results.csv", shop.out / "summary.json"):
        one.unlink()
    assert (shop.out / "run.log.2").stat().st_mode & 0o777 == 0o640
    events = Counter(one["event"] for one in loglines.in_folder(shop.out))
    assert events["Intended"] == events["Downloaded"] == ROWS
    refused(shop, "is gone", "run.log")
    assert "8 submissions known from run.log" in rebuilt(shop).out
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.parametrize("journal", [True, False])
def test_an_older_book(shop: Shop, tmp_path: Path, journal: bool) -> None:
    """With the journal it belongs to nothing is lost; without it nothing is sent."""
    book = shop.elsewhere(tmp_path)
    assert shop.run("--limit", "3").code == 0
    shutil.copy(book, tmp_path / "book.db")
    assert shop.run("--limit", "3").code == 0
    shutil.copy(tmp_path / "book.db", book)
    if not journal:
        shop.journal.unlink()
        refused(shop, "is gone", "run.log")
        rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_a_journal_carried_to_another_folder_while_its_own_is_still_there(
    shop: Shop, tmp_path: Path
) -> None:
    """By another user, after a kill: the copy knows nothing, and the one in its place does."""
    shop.cut_off(copy=tmp_path / "copy.db")
    book = shop.elsewhere(tmp_path)
    there = tmp_path / "there"
    (there / "outputs" / "shop").mkdir(parents=True)
    shutil.copy(shop.manifest, there)
    shutil.copy(tmp_path / "copy.db", there / "outputs" / "shop" / "journal.db")
    with contextlib.closing(sqlite3.connect(there / "outputs" / "shop" / "journal.db")) as journal:
        journal.executescript(FORGET)
        journal.commit()
    assert not book.exists()
    other = Product(there, shop.product.base_url, shop.product.key)
    plan = other("plan", there / "shop.csv", "--json", env=shop.env)
    assert plan.json["groups"]["new"] == 0
    ended = other("run", there / "shop.csv", env=shop.env)
    assert shop.sent == ROWS, ended.err
    assert ended.code in {1, 2}, ended.err
    assert shop.run().code == 0
    assert other("run", there / "shop.csv", env=shop.env).code == 0
    assert shop.sent == ROWS


@pytest.mark.parametrize("book", [True, False])
@pytest.mark.parametrize("left", ["run.log", "summary.json"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.long
def test_the_journal_of_another_manifest_in_the_folder(
    shop: Shop, tmp_path: Path, *, book: bool, left: str, named: bool
) -> None:
    """It is not taken for a folder of the other one: the rows of this one were sent from there."""
    there = shop.elsewhere(tmp_path)
    assert shop.run().code == 0
    other = shop.product.folder / "other.csv"
    sheets.write(other, sheets.rows(3, f"{shop.product.folder.name} other {{}}"))
    out = ("--out", str(shop.out)) if named else ()
    assert shop.product("run", other, sets=shop.sets, env=shop.env).code == 0
    shutil.copy(shop.product.folder / "outputs" / "other" / "journal.db", shop.journal)
    for name in {"run.log", "summary.json"} - {left}:
        (shop.out / name).unlink()
    if not book:
        there.unlink()
    for command in ("plan", "run", "run", "status", "retry"):
        ended = shop.run(*out, command=command)
        assert ended.code == 2, ended.err
        assert "is that of" in ended.err
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err
    assert shop.product("run", other, sets=shop.sets, env=shop.env).code == 0
    assert shop.run("--yes", *out, command="journal rebuild").code == 0
    ended = shop.run(*out)
    assert ended.code == 0, ended.err
    assert shop.sent == ROWS + 3
    assert not (shop.product.folder / "outputs" / "shop-2").exists()


@pytest.mark.parametrize("place", ["outputs-2", "new/outputs"])
@pytest.mark.long
def test_another_output_folder_after_the_book_was_deleted(
    shop: Shop, tmp_path: Path, place: str
) -> None:
    """The journal in the folder of before is found beside the new one, or beside the manifest."""
    book = shop.elsewhere(tmp_path)
    assert shop.run().code == 0
    shutil.rmtree(book.parent)
    shop.sets = {"output.dir": place}
    assert shop.run(command="plan").code == 0
    ended = shop.run()
    assert ended.code == 0, ended.err
    assert shop.sent == ROWS
    assert "taken from" in (shop.product.folder / place / "shop" / "results.csv").read_text("utf-8")


# Without it.


def test_a_deleted_journal_without_a_book(shop: Shop) -> None:
    """run.log says that rows were sent: nothing is sent before the journal is restored from it."""
    shop.sets = NO_BOOK
    assert shop.run().code == 0
    shop.journal.unlink()
    assert "is gone" in shop.run(command="plan").err
    refused(shop, "is gone", "run.log")
    rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_an_older_copy_without_a_book(shop: Shop, tmp_path: Path) -> None:
    """run.log knows a run that the copy does not."""
    shop.sets = NO_BOOK
    shop.write(ROWS // 2)
    assert shop.run().code == 0
    shutil.copy(shop.journal, tmp_path / "copy.db")
    shop.write()
    assert shop.run().code == 0
    shutil.copy(tmp_path / "copy.db", shop.journal)
    refused(shop, "is an older copy", "run.log")
    rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_what_is_restored_stands_in_the_book_at_once(shop: Shop, tmp_path: Path) -> None:
    """`account` shows it before the next run, also in a book that is made for it."""
    assert shop.run().code == 0
    shop.journal.unlink()
    shop.elsewhere(tmp_path)
    rebuilt(shop)
    said = shop.product("account", "--json", env=shop.env).json
    assert said["manifests"][0]["videos"] == ROWS
    assert sum(day["videos"] for day in said["days"]) == ROWS
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_only_the_results_are_left(shop: Shop, tmp_path: Path) -> None:
    """Neither journal nor log nor book: the results know the tasks."""
    assert shop.run().code == 0
    shop.elsewhere(tmp_path)
    for name in ("journal.db", "run.log", "summary.json"):
        (shop.out / name).unlink()
    refused(shop, "is gone", "results.csv")
    rebuilt(shop)
    assert shop.run().code == 0
    assert shop.sent == ROWS
    assert set(read_entries(shop.journal)) == {f"P{n:04}" for n in range(1, ROWS + 1)}


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.long
def test_only_the_journals_file_after_a_kill(shop: Shop, tmp_path: Path, log: bool) -> None:
    """Carried away without the log beside it, to where another book is: every row is looked up."""
    shop.cut_off(copy=tmp_path / "copy.db")
    shop.elsewhere(tmp_path)
    for one in shop.out.iterdir():
        if one.is_file() and (one.name != "run.log" or not log):
            one.unlink()
    shutil.copy(tmp_path / "copy.db", shop.journal)
    ended = shop.run()
    assert ended.code == 0, ended.err
    assert "looked up" in ended.err
    shop.hold()
    again = shop.run()
    assert again.code == 0
    assert shop.sent == ROWS


@pytest.mark.long
def test_only_the_journals_file_at_another_path(shop: Shop, tmp_path: Path) -> None:
    """Only its id is left in it: the manifest goes on with it, and finds its rows by that."""
    shop.cut_off(copy=tmp_path / "copy.db")
    shop.elsewhere(tmp_path)
    shutil.rmtree(shop.out)
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as journal:
        journal.executescript(FORGET)
        moved = str(tmp_path / "gone" / "shop.csv")
        journal.execute("UPDATE meta SET value = ? WHERE name = 'manifest'", (moved,))
        journal.commit()
    shop.out.mkdir()
    shutil.copy(tmp_path / "copy.db", shop.journal)
    ended = shop.run()
    assert ended.code == 0, ended.err
    assert "looked up" in ended.err
    shop.hold()


@pytest.mark.parametrize("left", ["run.log", "summary.json", "results.csv"])
@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.long
def test_journal_and_book_of_one_moment_of_a_run(
    shop: Shop, tmp_path: Path, left: str, *, ended: bool
) -> None:
    """What was sent after the copies were made is known to neither: every row is looked up."""
    book = shop.elsewhere(tmp_path)
    assert shop.run("--limit", "2").code == 0
    shop.api.faults("query_never_finishing")
    more = {"limits.submits_per_minute": "120", **SLOW}
    process = shop.product.start("run", shop.manifest, sets=more, env=shop.env)
    wait_for("submissions", lambda: shop.sent >= 4)
    copies = [*shop.out.glob("journal.db*"), *book.parent.glob("book.db*")]
    for one in copies:
        shutil.copy(one, tmp_path / one.name)
    wait_for("all submissions", lambda: shop.sent == ROWS)
    shop.api.faults()
    if ended:
        assert shop.product.end(process).code == 0
    else:
        interrupt(process, signal.SIGKILL)
        shop.product.end(process)
        if left != "run.log":
            return  # written at the end alone
    for name in {"run.log", "summary.json", "results.csv"} - {left}:
        (shop.out / name).unlink(missing_ok=True)
    for one in (shop.journal, book):
        for beside in one.parent.glob(one.name + "*"):
            beside.unlink()
    for one in copies:
        shutil.copy(tmp_path / one.name, one)
    again = shop.run()
    assert again.code == 0, again.err
    assert "may have forgotten" in again.err
    shop.hold()
    assert "may have forgotten" not in shop.run().err


@pytest.mark.long
def test_a_journal_is_trusted_again_once_every_row_was_asked_for(shop: Shop) -> None:
    """Not before; then new rows go out at once, and what is made anew of the others does not."""
    shop.write(4)
    shop.sets = NO_BOOK
    assert shop.run("--only", "P0001").code == 0
    cut_short(shop)
    assert "may have forgotten" in shop.run("--only", "P0002").err
    assert "may have forgotten" in shop.run().err
    mark = shop.api.mark()
    assert "may have forgotten" not in shop.run().err
    assert not shop.api.calls("query", since=mark)
    shop.write()
    assert "may have forgotten" not in shop.run().err
    asked = [one["path"] for one in shop.api.calls("query", since=mark)]
    assert len([one for one in asked if "/rs-" in one]) <= 1, "the proof that look-ups work"
    mark = shop.api.mark()
    assert shop.run("--redo", "P0003").code == 0
    first, *_ = (one for one in shop.api.calls(since=mark) if one["kind"] in {"query", "submit"})
    assert first["kind"] == "query"
    assert shop.sent == ROWS + 1


def cut_short(shop: Shop) -> None:
    """Let the journal say that its last run did not end."""
    with contextlib.closing(sqlite3.connect(shop.journal)) as journal:
        journal.execute("UPDATE runs SET finished_at = NULL, exit_code = NULL")
        journal.commit()


@pytest.mark.long
def test_no_such_task_is_not_believed_where_no_reference_is_found(
    shop: Shop, tmp_path: Path
) -> None:
    """A provider that finds nothing by reference: the rows wait, until it finds a task that way."""
    shop.keep_only_a_forgetful_copy(tmp_path)
    shop.api.faults("query_lookup_unsupported")
    for _ in range(2):
        ended = shop.run()
        assert ended.code == 3, ended.err
        assert "nobody can tell whether the other rows were sent already" in ended.err
        assert "--pay-again KEY" in ended.err
        assert shop.sent == ROWS
    all_of_them = shop.run("--pay-again", "all")
    assert all_of_them.code == 3
    assert "--pay-again all does not send them" in all_of_them.err
    assert shop.sent == ROWS
    shop.api.faults()
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_a_person_names_the_task_of_a_row_that_the_journal_has_forgotten(
    shop: Shop, tmp_path: Path
) -> None:
    """The results say how, row by row; what is adopted is fetched, and never sent."""
    shop.keep_only_a_forgetful_copy(tmp_path)
    shop.api.faults("query_lookup_unsupported")
    assert shop.run().code == 3
    waiting = [one for one in sheets.results(shop.out) if one["result_state"] == "waiting"]
    assert waiting
    tasks = {one["prompt"]: one["task_id"] for one in shop.api.records()["submissions"]}
    for row in waiting:
        key = row["sku"]
        made, _, not_made = row["result_action"].partition("If it was not: ")
        assert f"reelsheet resolve {shop.manifest} " in made
        assert f" {key} --task-id ID" in made
        assert f"reelsheet run {shop.manifest} " in not_made
        assert f" --pay-again {key}" in not_made
        settled = shop.run(key, "--task-id", tasks[row["prompt"]], command="resolve")
        assert settled.code == 0, settled.err
    ended = shop.run()
    assert ended.code == 0, ended.err
    shop.hold()


@pytest.mark.long
def test_an_outage_of_look_ups_says_what_is_waited_for(shop: Shop, tmp_path: Path) -> None:
    """On the screen and in run.log: how many rows, why, and how long; then the run goes on."""
    shop.keep_only_a_forgetful_copy(tmp_path)
    shop.api.faults("query_500@503*6")
    ended = shop.run()
    assert ended.code == 0, ended.err
    log = (shop.out / "run.log").read_text(encoding="utf-8")
    for told in (ended.err, log):
        assert "asking the provider about " in told
        assert "that may have been sent already" in told
        assert "503" in told
        assert "trying again for " in told
    shop.hold()


@pytest.mark.long
def test_what_results_tell_stays_with_its_content(shop: Shop, tmp_path: Path) -> None:
    """Rows that were numbered anew before the journal was restored keep their own videos."""
    assert shop.run().code == 0
    shop.elsewhere(tmp_path)
    for name in ("journal.db", "run.log"):
        (shop.out / name).unlink()
    _, rows = sheets.read(shop.manifest)
    moved = [{**row, "sku": f"P{number:04}"} for number, row in enumerate(rows[1:], 1)]
    sheets.write(shop.manifest, moved)
    rebuilt(shop)
    assert shop.run().code == 0
    tasks = {one["prompt"]: one["task_id"] for one in shop.api.records()["submissions"]}
    for row in sheets.results(shop.out):
        assert row["result_task_id"] == tasks[row["prompt"]]
    sheets.write(shop.manifest, [*moved, {**rows[0], "sku": "P9999"}])
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_a_lost_journal_of_free_copies_is_begun_anew(shop: Shop) -> None:
    """The book knows all of their videos, so nothing is forgotten and nothing is paid."""
    assert shop.run().code == 0
    copy = shop.manifest.with_name("copy.csv")
    shop.manifest.rename(copy)
    copied = shop.out.with_name("copy")
    line = {"sets": shop.sets, "env": shop.env}
    assert shop.product("run", copy, "--out", copied, **line).code == 0
    (copied / "journal.db").unlink()
    again = shop.product("run", copy, "--out", copied, **line)
    assert again.code == 0, again.err
    assert shop.sent == ROWS
    assert set(sheets.states(copied).values()) == {"done"}
    for name in ("journal.db", "run.log"):
        (copied / name).unlink()
    refused = shop.product("run", copy, "--out", copied, **line)
    assert refused.code == 2, "without the log more may have been sent than the results tell"
    assert shop.sent == ROWS


@pytest.mark.parametrize("book", [True, False])
@pytest.mark.long
def test_known_tasks_prove_that_look_ups_work(shop: Shop, tmp_path: Path, book: bool) -> None:
    """Videos that were brought home long ago are asked for by reference, and new rows are sent."""
    shop.sets = {} if book else NO_BOOK
    assert shop.run("--limit", "3").code == 0
    cut_short(shop)
    if book:
        shop.elsewhere(tmp_path)
    shop.api.faults("query_lookup_unsupported")
    assert shop.run().code == 3
    assert shop.sent == 3
    assert shop.run("--pay-again", "P0004").code == 3
    assert shop.sent == 4
    shop.api.faults()
    assert shop.run().code == 0
    shop.hold()


def nothing_known(shop: Shop) -> None:
    """Leave a journal that knows of no submission and says that its last run did not end."""
    shop.sets = NO_BOOK
    shop.api.faults("submit_401")
    assert shop.run().code == 4
    shop.api.faults()
    shop.mark = shop.api.mark()
    cut_short(shop)


@pytest.mark.long
def test_a_row_that_a_person_vouches_for_lets_the_others_go(shop: Shop) -> None:
    """Nothing is known that could prove it: the row's own reference does, as soon as it is sent."""
    nothing_known(shop)
    ended = shop.run()
    assert ended.code == 3, ended.err
    assert shop.sent == 0
    assert shop.run("--pay-again", "P0001").code == 0
    shop.hold()


@pytest.mark.long
def test_a_row_that_a_person_knows_as_not_sent_is_sent(shop: Shop) -> None:
    """`resolve --not-sent` settles a row of which the journal knows nothing; it alone goes out."""
    nothing_known(shop)
    assert shop.run().code == 3
    shop.api.faults("query_lookup_unsupported")
    unknown = shop.run("P9999", "--not-sent", command="resolve")
    assert (unknown.code, "has no row 'P9999'" in unknown.err) == (2, True), unknown.err
    settled = shop.run("P0003", "--not-sent", command="resolve")
    assert settled.code == 0, settled.err
    assert "the next run submits it" in settled.out
    assert shop.run().code == 3
    assert shop.sent == 1
    assert sheets.states(shop.out)["P0003"] == "done"
    assert shop.run().code == 3
    assert shop.sent == 1
    shop.api.faults()
    assert shop.run("P0004", "--not-sent", command="resolve").code == 0
    assert shop.run().code == 0
    shop.hold()


@pytest.mark.long
def test_without_references_rows_are_sent_by_their_keys(shop: Shop, tmp_path: Path) -> None:
    """Where nothing is left to restore, a person who has looked says which rows to send."""
    shop.sets = {"api.client_reference": "false"}
    shop.keep_only_a_forgetful_copy(tmp_path)
    ended = shop.run()
    assert ended.code == 3, ended.err
    assert "--pay-again KEY" in ended.err
    assert "--pay-again KEY" in shop.run("--yes", command="journal rebuild").err
    assert shop.sent == ROWS
    assert shop.run("--pay-again", "P0001").code == 3
    assert shop.sent == ROWS + 1


@pytest.mark.long
def test_the_check_of_a_journal_that_is_gone(shop: Shop) -> None:
    """It names the one command, unless nothing was ever sent."""
    assert "no run has ever sent" in shop.run(command="journal verify").err
    assert shop.run("--limit", "1").code == 0
    shop.journal.unlink()
    for command in ("verify", "backup"):
        ended = shop.run(command=f"journal {command}")
        assert ended.code == 2
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err


@pytest.mark.long
def test_without_references_nothing_is_sent_that_may_have_been(shop: Shop, tmp_path: Path) -> None:
    """The rows wait until a person has looked into the account."""
    shop.sets = {"api.client_reference": "false"}
    shop.write(ROWS)
    shop.cut_off()
    shop.elsewhere(tmp_path)
    shop.write(ROWS + 1)
    ended = shop.run()
    assert ended.code == 3
    assert "journal rebuild" in ended.err
    assert shop.sent == ROWS
    assert shop.run("--yes", command="journal rebuild").code == 0
    assert shop.run().code == 0
    assert shop.sent == ROWS + 1


@pytest.mark.long
def test_a_damaged_journal_without_a_book(shop: Shop) -> None:
    """What can be read of it, and run.log, are enough."""
    shop.sets = NO_BOOK
    assert shop.run().code == 0
    zeroed(shop.journal)
    rebuilt(shop)
    assert shop.run().code == 0
    shop.hold()


def test_a_killed_run_without_a_book_goes_on(shop: Shop) -> None:
    """In its place, with all its files, it only looks up what it sends."""
    shop.sets = NO_BOOK
    shop.cut_off()
    ended = shop.run()
    assert ended.code == 0, ended.err
    shop.hold()


# The command.


@pytest.mark.long
def test_there_is_nothing_to_restore(shop: Shop) -> None:
    """Where nothing was run, and where the journal knows everything."""
    never = shop.run("--yes", command="journal rebuild")
    assert never.code == 2
    assert "nothing to restore" in never.err
    assert shop.run().code == 0
    before = shop.journal.read_bytes()
    fine = shop.run("--yes", command="journal rebuild")
    assert fine.code == 0
    assert "nothing to restore" in fine.out
    assert shop.journal.read_bytes() == before


@pytest.mark.parametrize("book", [True, False])
@pytest.mark.parametrize("ours", ["results.csv", "failed.csv"])
@pytest.mark.long
def test_a_file_of_ours_does_not_take_the_place_of_its_manifest(
    shop: Shop, tmp_path: Path, ours: str, *, book: bool
) -> None:
    """The journal is gone: neither rebuild nor run makes one for a part of the rows."""
    kept = shop.elsewhere(tmp_path)
    shop.api.faults("query_failed_error@internal_error")
    assert shop.run().code == 1
    shop.api.faults()
    shop.journal.unlink()
    if not book:
        kept.unlink()
    before = shop.sent
    for command in (["journal", "rebuild"], ["run"], ["retry"]):
        more = ["--yes"] if command[0] == "journal" else []
        ended = shop.product(
            *command, shop.out / ours, "--out", shop.out, *more, sets=shop.sets, env=shop.env
        )
        assert ended.code == 2, ended.err
        assert f"reelsheet journal rebuild {shop.manifest}" in ended.err
        assert not shop.journal.exists()
    assert shop.run("--yes", command="journal rebuild").code == 0
    assert shop.run().code == 1
    assert shop.sent == before
    ended = shop.product("retry", shop.out / "failed.csv", sets=shop.sets, env=shop.env)
    assert ended.code == 0, ended.err
    assert shop.sent == before + ROWS
