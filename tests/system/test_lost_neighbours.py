"""The book is gone, and a folder near has lost its journal: its rows are not bought for another.

Each case is a real file and a real process. The API says what was accepted.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.harness.api import Api
from tests.system.harness.product import Ended, Product
from tests.system.test_journal_command import halved, zeroed
from tests.system.test_lost_journals import ROWS, Shop

pytestmark = pytest.mark.long


@dataclass
class _Town:
    """A shop, and a table that asks for the same under other keys."""

    shop: Shop
    book: Path

    @property
    def copy(self) -> Path:
        return self.shop.product.folder / "copy.csv"

    def run(self, *arguments: str | Path) -> Ended:
        shop = self.shop
        return shop.product(*arguments, sets=shop.sets, env=shop.env)

    def lose_book(self) -> None:
        shutil.rmtree(self.book.parent)

    def refused(self, *words: str) -> str:
        """Nothing is sent however often it is tried; return the command that is named."""
        before = self.shop.sent
        planned = self.run("plan", self.copy)
        assert planned.code == 0, planned.err
        for word in ("warning: ", "is not guarded", *words):
            assert word in planned.err
        for _ in range(2):
            ended = self.run("run", self.copy)
            assert ended.code == 2, (ended.code, ended.err, ended.out)
            for word in (str(self.shop.out.name), "is not guarded", *words):
                assert word in ended.err
        assert self.shop.sent == before
        said = " ".join(ended.err.split())
        return said.split("Restore it with: ")[1].split(". To submit")[0]

    def mend(self, command: str) -> None:
        """What was suggested works when pasted, and then the copies are free."""
        done = self.run(*shlex.split(command)[1:], "--yes")
        assert done.code == 0, done.err
        ended = self.run("run", self.copy)
        assert ended.code == 0, (ended.err, ended.out)
        assert self.shop.sent == ROWS
        results = (self.copy.parent / "outputs" / "copy" / "results.csv").read_text("utf-8")
        assert results.count("taken from") == ROWS


@pytest.fixture
def town(product: Product, api: Api, tmp_path: Path) -> _Town:
    """A town in which nothing was bought yet."""
    shop = Shop(product, api, api.mark())
    shop.write()
    made = _Town(shop, shop.elsewhere(tmp_path))
    head, *rows = shop.manifest.read_text("utf-8").splitlines()
    made.copy.write_text("\n".join([head, *(f"X{row}" for row in rows)]) + "\n", "utf-8")
    return made


def test_a_neighbours_journal_that_is_gone(town: _Town) -> None:
    assert town.shop.run().code == 0
    town.lose_book()
    town.shop.journal.unlink()
    town.mend(town.refused("is gone", "run.log"))


@pytest.mark.parametrize("left", ["results.csv", "summary.json"])
def test_only_one_file_is_left_of_a_neighbour(town: _Town, left: str) -> None:
    assert town.shop.run().code == 0
    town.lose_book()
    for one in ("journal.db", "run.log", "results.csv", "summary.json"):
        if one != left:
            (town.shop.out / one).unlink()
    town.refused("is gone", left)


def test_a_neighbours_older_copy(town: _Town, tmp_path: Path) -> None:
    town.shop.write(ROWS // 2)
    assert town.shop.run().code == 0
    shutil.copy(town.shop.journal, tmp_path / "older.db")
    town.shop.write()
    assert town.shop.run().code == 0
    town.lose_book()
    shutil.copy(tmp_path / "older.db", town.shop.journal)
    town.mend(town.refused("is an older copy", "run.log"))


def test_a_neighbours_older_copy_and_the_book_of_that_moment(town: _Town, tmp_path: Path) -> None:
    """Journal and book agree, and only the log beside tells of what came after."""
    town.shop.write(ROWS // 2)
    assert town.shop.run().code == 0
    shutil.copy(town.shop.journal, tmp_path / "older.db")
    shutil.copy(town.book, tmp_path / "older book.db")
    town.shop.write()
    assert town.shop.run().code == 0
    shutil.copy(tmp_path / "older.db", town.shop.journal)
    shutil.copy(tmp_path / "older book.db", town.book)
    town.mend(town.refused("is an older copy", "run.log"))


@pytest.mark.parametrize("damage", [zeroed, halved])
def test_a_neighbours_damaged_journal(town: _Town, damage: Callable[[Path], None]) -> None:
    assert town.shop.run().code == 0
    town.lose_book()
    damage(town.shop.journal)
    town.mend(town.refused("cannot be read"))


def test_a_neighbours_journal_carried_without_its_log(town: _Town) -> None:
    town.shop.cut_off()
    town.lose_book()
    for name in ("journal.db-wal", "journal.db-shm"):
        (town.shop.out / name).unlink(missing_ok=True)
    command = town.refused()
    assert town.run(*shlex.split(command)[1:], "--yes").code == 0
    assert town.shop.run().code == 0
    assert town.run("run", town.copy).code == 0
    assert town.shop.sent == ROWS


def test_a_neighbour_that_was_killed_and_lost_nothing(town: _Town) -> None:
    """Its journal is whole with its log: the rows wait for its videos, and nothing is refused."""
    town.shop.cut_off()
    town.lose_book()
    assert "is not guarded" not in town.run("plan", town.copy).err
    ended = town.run("run", town.copy)
    assert "is not guarded" not in ended.err
    assert town.shop.sent == ROWS


@pytest.mark.parametrize("lost", ["gone", "damaged"])
def test_a_neighbour_that_the_book_knows_needs_no_words(town: _Town, lost: str) -> None:
    assert town.shop.run().code == 0
    if lost == "gone":
        town.shop.journal.unlink()
    else:
        zeroed(town.shop.journal)
    ended = town.run("run", town.copy)
    assert ended.code == 0, ended.err
    assert "guarded" not in ended.err
    assert town.shop.sent == ROWS


def test_a_person_goes_on(town: _Town) -> None:
    """With some keys these rows alone are bought; with `all`, the rest."""
    assert town.shop.run().code == 0
    town.lose_book()
    town.shop.journal.unlink()
    town.refused()
    keys = [line.split(",")[0] for line in town.copy.read_text("utf-8").splitlines()[1:]]
    ended = town.run("run", town.copy, "--pay-again", keys[0])
    assert "is not guarded" in ended.err
    assert town.shop.sent == ROWS + 1
    assert town.run("run", town.copy, "--pay-again", "all").code == 0
    assert town.shop.sent == 2 * ROWS
    assert town.run("run", town.copy).code == 0  # there is nothing left to send


def test_both_in_one_call(town: _Town) -> None:
    """The folder of a manifest that is refused is near the others."""
    assert town.shop.run().code == 0
    town.lose_book()
    town.shop.journal.unlink()
    ended = town.run("run", town.shop.manifest, town.copy)
    assert ended.code in {1, 2}, ended.err  # 1: not every manifest could be used
    assert "is not guarded" in ended.err
    assert town.shop.sent == ROWS


def test_caps_of_the_day_count_what_was_restored(town: _Town) -> None:
    assert town.shop.run().code == 0
    town.lose_book()
    town.shop.journal.unlink()
    command = town.refused()
    assert town.run(*shlex.split(command)[1:], "--yes").code == 0
    fresh = town.copy.with_name("fresh.csv")
    text = town.shop.manifest.read_text("utf-8")
    fresh.write_text(text.replace(f"{town.shop.product.folder.name} ", "another "), "utf-8")
    town.shop.sets = {"budget.per_day.videos": str(ROWS)}
    assert town.run("run", fresh).code == 4
    assert town.shop.sent == ROWS


@pytest.mark.parametrize("taken", ["by the run", "by hand"])
def test_copies_are_all_that_is_left_of_what_was_bought(town: _Town, taken: str) -> None:
    """Working folder after working folder, without the book and without the first folder."""
    assert town.shop.run().code == 0
    assert town.run("run", town.copy).code == 0
    town.lose_book()
    shutil.rmtree(town.shop.out)
    town.shop.manifest.rename(town.copy.with_name("third.csv"))
    if taken == "by hand":
        done = town.run("account", "import", town.copy.parent / "outputs" / "copy")
        assert f"{ROWS} submissions taken over, {ROWS} of them as copies" in done.out
    ended = town.run("run", town.copy.with_name("third.csv"))
    assert ended.code == 0, ended.err
    assert town.shop.sent == ROWS
    results = (town.copy.parent / "outputs" / "third" / "results.csv").read_text("utf-8")
    assert results.count("taken from") == ROWS
    said = town.run("account", "--json").json
    assert said["videos"] == 0


def test_copies_and_purchases_are_each_bought_once(town: _Town) -> None:
    """A row that is added to the first manifest, equal to another one there, is made anew."""
    assert town.shop.run().code == 0
    assert town.run("run", town.copy).code == 0
    town.lose_book()
    text = town.shop.manifest.read_text("utf-8")
    first = text.splitlines()[1]
    town.shop.manifest.write_text(f"{text.rstrip()}\nNEW{first}\n", "utf-8")
    foreseen = town.shop.run("--json", command="plan").json
    assert foreseen["groups"]["new"] == 1
    assert town.shop.run().code == 0
    assert town.shop.sent == ROWS + 1
