"""What keeps a run from sending anything, `plan` says before: the same sentence and exit code.

Each guard that comes before the first submission is met by a real process, and the plan before it
writes and sends nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Ended, Product, interrupt
from tests.system.test_journal_command import zeroed
from tests.system.test_lost_journals import ROWS, SLOW, Shop


@dataclass
class _Case:
    """A shop, and what a guard is met with."""

    shop: Shop
    book: Path
    options: list[str | Path] = field(default_factory=list)

    @property
    def copy(self) -> Path:
        return self.shop.product.folder / "copy.csv"

    def __call__(self, command: str, manifest: Path, *more: str | Path) -> Ended:
        shop = self.shop
        return shop.product(command, manifest, *self.options, *more, sets=shop.sets, env=shop.env)

    def write_copy(self, prefix: str = "X") -> Path:
        head, *rows = self.shop.manifest.read_text("utf-8").splitlines()
        self.copy.write_text("\n".join([head, *(prefix + row for row in rows)]) + "\n", "utf-8")
        return self.copy


@pytest.fixture
def case(product: Product, api: Api, tmp_path: Path) -> _Case:
    """A shop in which nothing was bought yet."""
    shop = Shop(product, api, api.mark())
    shop.write()
    return _Case(shop, shop.elsewhere(tmp_path))


def neighbour_is_gone(case: _Case) -> Path:
    assert case.shop.run().code == 0
    shutil.rmtree(case.book.parent)
    case.shop.journal.unlink()
    return case.write_copy()


def neighbour_is_damaged(case: _Case) -> Path:
    assert case.shop.run().code == 0
    shutil.rmtree(case.book.parent)
    zeroed(case.shop.journal)
    return case.write_copy()


def neighbour_left_only_results(case: _Case) -> Path:
    assert case.shop.run().code == 0
    shutil.rmtree(case.book.parent)
    for one in ("journal.db", "run.log", "summary.json"):
        (case.shop.out / one).unlink()
    return case.write_copy()


def own_journal_is_gone(case: _Case) -> Path:
    assert case.shop.run().code == 0
    shutil.rmtree(case.book.parent)
    case.shop.journal.unlink()
    return case.shop.manifest


def own_journal_is_older(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    older = case.book.parent.parent / "older.db"
    shutil.copy(case.shop.journal, older)
    assert case.shop.run().code == 0
    shutil.rmtree(case.book.parent)
    shutil.copy(older, case.shop.journal)
    return case.shop.manifest


def own_journal_is_damaged(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    zeroed(case.shop.journal)
    return case.shop.manifest


def journal_is_another_one(case: _Case) -> Path:
    """One of the same manifest, made elsewhere without the book."""
    assert case.shop.run("--limit", "3").code == 0
    aside = case.shop.product.folder / "aside"
    shutil.move(case.shop.out, aside)
    case.book.rename(case.book.with_name("kept.db"))
    (aside / "run.log").unlink()
    assert case.shop.run("--only", "P0004", "--pay-again", "all").code == 0
    case.book.unlink()
    case.book.with_name("kept.db").rename(case.book)
    shutil.rmtree(aside)
    return case.shop.manifest


def book_is_newer(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    with sqlite3.connect(case.book) as book:
        book.execute("PRAGMA user_version = 99")
    return case.shop.manifest


def book_is_damaged(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    case.book.write_bytes(b"no book at all" * 1000)
    return case.shop.manifest


def no_key_at_first(case: _Case) -> Path:
    case.shop.env = {**case.shop.env, "TOAPIS_API_KEY": ""}
    return case.shop.manifest


def no_key_later(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    return no_key_at_first(case)


def folder_of_another(case: _Case) -> Path:
    assert case.shop.run("--limit", "3").code == 0
    case.options += ["--out", case.shop.out]
    return case.write_copy("Y")


def another_edition(case: _Case) -> Path:
    sheets.write(case.shop.manifest, sheets.rows(12, f"{case.shop.product.folder.name} {{}}"))
    assert case.shop.run().code == 0
    tonight = case.shop.manifest.with_name("shop-2026-11-28.csv")
    sheets.write(tonight, sheets.rows(12, f"{case.shop.product.folder.name} other {{}}"))
    return tonight


def a_key_that_no_row_has(case: _Case) -> Path:
    case.options += ["--only", "TYPO"]
    return case.shop.manifest


def a_sheet_with_two_columns_of_a_name(case: _Case) -> Path:
    case.copy.write_text("sku,prompt,prompt\nA,one,two\n", "utf-8")
    return case.copy


GUARDS: list[Callable[[_Case], Path]] = [
    neighbour_is_gone, neighbour_is_damaged, neighbour_left_only_results, own_journal_is_gone,
    own_journal_is_older, own_journal_is_damaged, journal_is_another_one, book_is_newer,
    book_is_damaged, no_key_at_first, no_key_later, folder_of_another, another_edition,
    a_key_that_no_row_has, a_sheet_with_two_columns_of_a_name,
]  # fmt: skip


def foresee(case: _Case, manifest: Path) -> tuple[int, str]:
    """Return the exit code and the sentences that a plan says a run ends with."""
    planned = case("plan", manifest, "--json")
    if planned.code:
        return planned.code, planned.err
    refusal = planned.json.get("refusal")
    assert refusal is not None, planned.err
    printed = case("plan", manifest)
    assert f"warning: {refusal['message']}" in printed.err
    assert f"ends with exit code {refusal['exit_code']}." in printed.err
    return refusal["exit_code"], f"error: {refusal['message']}\n       {refusal['action']}"


@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.__name__)
def test_a_plan_says_what_the_run_says(case: _Case, guard: Callable[[_Case], Path]) -> None:
    manifest = guard(case)
    before = case.shop.sent
    code, said = foresee(case, manifest)
    ended = case("run", manifest)
    assert case.shop.sent == before
    assert ended.code == code, (ended.err, said)
    sentences = [line for line in said.splitlines() if line.startswith(("error:", "       "))]
    assert sentences
    for line in sentences:
        assert line in ended.err
    assert foresee(case, manifest) == (code, said), "a plan is no less true after the run"


def test_caps_that_are_used_up(case: _Case) -> None:
    """Of the day, over all manifests; what a cap leaves room for is what the plan counts."""
    case.shop.sets = {**case.shop.sets, "budget.per_day.videos": "3"}
    planned = case("plan", case.shop.manifest, "--json")
    assert planned.json.get("refusal") is None
    assert planned.json["video_seconds"] == 3 * 6
    assert "ends before all rows are sent, with exit code 4" in planned.err
    before = case.shop.sent
    assert case("run", case.shop.manifest).code == 4
    assert case.shop.sent == before + 3
    code, said = foresee(case, case.shop.manifest)
    ended = case("run", case.shop.manifest)
    assert (code, ended.code, case.shop.sent) == (4, 4, before + 3)
    assert said.splitlines()[0].removeprefix("error: ") in ended.err


def test_a_journal_that_cannot_look_up_what_it_forgot(case: _Case) -> None:
    """Without references nothing that may have been sent is sent: 3."""
    assert case.shop.run("--limit", "3").code == 0
    with sqlite3.connect(case.shop.journal) as journal:
        journal.execute("INSERT OR REPLACE INTO meta VALUES ('asks_first', '1.0')")
    case.shop.sets = {**case.shop.sets, "api.client_reference": "false"}
    code, said = foresee(case, case.shop.manifest)
    before = case.shop.sent
    ended = case("run", case.shop.manifest)
    assert (code, ended.code, case.shop.sent) == (3, 3, before)
    assert said.splitlines()[0].removeprefix("error: ") in ended.err


def test_rows_that_break_a_rule(case: _Case) -> None:
    """A strict run is refused for them."""
    case.shop.manifest.write_text("sku,prompt\nA,one\nB,\n", "utf-8")
    case.options.append("--strict")
    planned = case("plan", case.shop.manifest, "--json").json.get("refusal")
    assert planned["exit_code"] == 2
    assert case("run", case.shop.manifest).code == 2


def test_another_run_works_in_the_folder(case: _Case) -> None:
    case.shop.api.faults("query_never_finishing")
    shop = case.shop
    process = shop.product.start("run", shop.manifest, sets={**shop.sets, **SLOW}, env=shop.env)
    while shop.sent < ROWS:
        pass
    code, said = foresee(case, shop.manifest)
    ended = case("run", shop.manifest)
    interrupt(process)
    shop.product.end(process)
    assert (ended.code, code) == (75, 75)
    assert said.splitlines()[0] in ended.err


def test_where_nothing_keeps_a_run_from_sending_a_plan_says_nothing(case: _Case) -> None:
    assert case("plan", case.shop.manifest, "--json").json.get("refusal") is None
    assert case.shop.run("--limit", "3").code == 0
    planned = case("plan", case.write_copy(), "--json")
    assert planned.json.get("refusal") is None
    assert planned.err == ""


def test_rows_that_are_paid_again_by_name_are_all_that_is_planned(case: _Case) -> None:
    copy = neighbour_is_gone(case)
    planned = case("plan", copy, "--pay-again", "XP0001")
    assert "to submit: 1 row" in planned.out
    assert "is not guarded" in planned.err
