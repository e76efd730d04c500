"""A few rows first: judged before the rest is paid for, by a whole run as a user starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product
from tests.system.harness.terminal import Seen, terminal

pytestmark = pytest.mark.process

GATE = {"pilot.gate": "true", "pilot.rows": "3", "pilot.approve": "2"}
DEAR = {"budget.price_per_second": "100000", "budget.when_short": "stop"}


def shop(product: Product, rows: int = 9) -> tuple[Path, Path]:
    """Write a manifest with three types of product; return it and its output folder."""
    lines = sheets.rows(rows)
    for number, line in enumerate(lines):
        line["note"] = ("mug", "mug", "mug", "bag", "tea")[number % 5]
    return sheets.write(product.folder / "shop.csv", lines), product.folder / "outputs" / "shop"


def done(out: Path) -> list[str]:
    return [key for key, state in sheets.states(out).items() if state == "done"]


def judge(product: Product, manifest: Path, *words: str) -> None:
    ended = product("review", manifest, *words)
    assert ended.code == 0, ended.err


def test_a_pilot_alone_is_made_once_and_says_what_the_rest_would_be(
    product: Product, api: Api
) -> None:
    """A row of each type, then the line that opens the page, and rows, seconds, money and command.

    The plan says the same before, also as JSON; the pilot again buys nothing; the rest follows.
    """
    manifest, out = shop(product)
    price = {"budget.price_per_second": "0.05"}
    planned = product("plan", manifest, "--pilot", "3", sets=price)
    assert "to submit: 3 rows, 18 s of video, 0.90 USD" in planned.out
    assert "the rest would be 6 rows, 36 s of video, 1.80 USD" in planned.out
    document = product("plan", "--pilot", manifest, "--json", sets=price).json["pilot"]
    assert (document["rows"], document["unmade"]) == (5, 5), "pilot.rows, as no number was given"
    assert document["rest"]["video_seconds"] == 24
    mark = api.mark()
    ended = product("run", manifest, "--pilot", "3", sets=price)
    assert ended.code == 0, ended.err
    assert len(api.calls("submit", since=mark)) == 3
    made = done(out)
    types = {line["sku"]: line["note"] for line in sheets.read(manifest)[1]}
    assert sorted(types[key] for key in made) == ["bag", "mug", "tea"]
    assert "to judge the videos: reelsheet review" in ended.out
    assert "pilot: 3 rows, 3 to be judged" in ended.err
    assert "the rest would be 6 rows, 36 s of video, 1.80 USD" in ended.err
    again = product("run", manifest, "--pilot", "3")
    assert (again.code, done(out)) == (0, made)
    assert len(api.calls("submit", since=mark)) == 3
    assert product("run", manifest).code == 0, (
        "without a gate the rest is sent when it is asked for"
    )
    assert len(api.calls("submit", since=mark)) == 9


def test_nothing_but_the_pilot_passes_its_gate_until_it_is_decided(
    product: Product, api: Api
) -> None:
    """Exit 1 with the pilot, 2 where nothing else is left; a rejected row is made again through it.

    `retry` and a row that is named are held like a whole run; `plan` says what is missing.
    """
    manifest, out = shop(product)
    mark = api.mark()
    first = product("run", manifest, sets=GATE)
    assert first.code == 1, first.err
    pilot = done(out)
    assert len(pilot) == 3
    assert (
        "6 rows wait for the pilot (pilot.gate), 36 s of video; missing: 3 rows to be judged, "
        "0 of 2 approved. Judge the videos: reelsheet review" in first.err
    )
    waiting = next(one for one in sheets.results(out) if one["result_state"] == "waiting")
    assert "reelsheet review" in waiting["result_action"]
    assert not [*out.glob("failed*")], "nothing is wrong with the rows that wait"
    other = next(key for key in sheets.states(out) if key not in pilot)
    for words in ((), ("--redo", other, "--pay-again", "all")):
        held = product("run", manifest, *words, sets=GATE)
        assert held.code == 2, (words, held.err)
    assert product("retry", manifest, sets=GATE).code == 0, "there is nothing to retry"
    assert product("night", manifest, sets=GATE).code == 2, "a night is no other way in"
    planned = product("plan", manifest, sets=GATE)
    assert "missing: 3 rows to be judged, 0 of 2 approved" in planned.out
    judge(product, manifest, "--approve", pilot[0], "--reject", ",".join(pilot[1:]))
    assert product("run", manifest, sets=GATE).code == 2, "one of two is approved"
    assert len(api.calls("submit", since=mark)) == 3
    redone = product("run", manifest, "--redo", pilot[1], sets=GATE)
    assert redone.code == 1, redone.err
    assert len(api.calls("submit", since=mark)) == 4
    assert product("run", manifest, sets=GATE).code == 2, "the new take is open"
    judge(product, manifest, "--approve", pilot[1])
    opened = product("run", manifest, sets=GATE)
    assert opened.code == 0, opened.err
    assert "for the pilot" not in opened.err
    assert len(api.calls("submit", since=mark)) == 10
    assert len(done(out)) == 9


LOST = "DELETE FROM meta WHERE name = 'pilot'"
DAMAGED = "UPDATE meta SET value = replace(value, 'P000', 'Q000') WHERE name = 'pilot'"


@pytest.mark.long
@pytest.mark.parametrize("damage", [LOST, DAMAGED])
def test_a_pilot_that_the_journal_forgot_opens_no_gate(
    product: Product, api: Api, damage: str
) -> None:
    """All of it was decided; but which rows it was nobody can tell any more, and this is said."""
    manifest, out = shop(product, 5)
    assert product("run", manifest, sets=GATE).code == 1
    judge(product, manifest, "--approve", ",".join(done(out)))
    with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
        assert journal.execute(damage).rowcount == 1
    mark = api.mark()
    held = product("run", manifest, sets=GATE)
    assert held.code == 2, held.err
    assert "missing: one more run, since its rows were chosen only now" in held.err
    assert ("is damaged: its rows are chosen anew" in held.err) is (damage == DAMAGED)
    assert not api.calls("submit", since=mark)
    assert product("run", manifest, sets=GATE).code == 0, "now they are known, and decided"


@pytest.mark.long
@pytest.mark.parametrize("gone", [True, False])
def test_a_journal_that_is_restored_opens_no_gate(product: Product, api: Api, gone: bool) -> None:
    """What it noted of the pilot comes again; where that is gone it closes the gate and says so."""
    manifest, out = shop(product, 5)
    assert product("run", manifest, sets=GATE).code == 1
    pilot = done(out)
    if gone:
        (out / "journal.db").unlink()
    else:
        with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
            journal.execute("DELETE FROM events")
    restored = product("journal", "rebuild", manifest, "--yes", sets=GATE)
    assert restored.code == 0, restored.err
    assert ("Nothing tells any more which rows are the pilot" in restored.out) is gone
    mark = api.mark()
    assert product("run", manifest, sets=GATE).code in {1, 2}
    assert not api.calls("submit", since=mark)
    assert done(out) == pilot
    judge(product, manifest, "--approve", ",".join(pilot))
    assert product("run", manifest, sets=GATE).code == 0
    assert len(done(out)) == 5


@pytest.mark.long
def test_rows_made_before_the_gate_was_set_are_its_pilot(product: Product, api: Api) -> None:
    """Nothing is bought for it, and the rest waits for a word about them."""
    manifest, out = shop(product)
    assert product("run", manifest, "--limit", "5").code == 0
    mark = api.mark()
    held = product("run", manifest, sets=GATE)
    assert held.code == 2, held.err
    assert "pilot: 3 rows, 3 to be judged" in held.err
    assert not api.calls("submit", since=mark)
    judge(product, manifest, "--approve", ",".join(done(out)))
    assert product("run", manifest, sets=GATE).code == 0
    assert len(done(out)) == 9


def test_a_first_live_run_over_many_rows_proposes_a_pilot(product: Product, api: Api) -> None:
    """In a line without a terminal, with the command; not over fewer rows."""
    manifest, _ = shop(product, 21)
    mark = api.mark()
    ended = product("run", manifest, sets=DEAR)
    assert ended.code == 4, ended.err
    assert "first run over these 21 rows. To make 5 of them first" in ended.err
    assert f"reelsheet run {manifest} --set " in ended.err
    assert " --pilot 5\n" in ended.err
    assert "--pilot" not in product("run", manifest, "--limit", "20", sets=DEAR).err
    assert not api.calls("submit", since=mark)


@pytest.mark.skipif(sys.platform == "win32", reason="has no pseudo-terminals")
def test_at_a_terminal_the_pilot_opens_the_page(product: Product) -> None:
    """The proposal stands before the question; after the pilot the page is served until Ctrl-C."""
    manifest, out = shop(product, 21)
    alone = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    with terminal() as (person, program):
        asked = product.start("run", manifest, stdin=program, stderr=program, env=alone)
        seen = Seen(person)
        wait_for("the question", lambda: seen("Continue and submit? [y/N]"))
        assert "--pilot 5" in seen.text
        os.write(person, b"n\n")
        wait_for("the end", lambda: seen("\0never") or asked.poll() is not None)
        assert product.end(asked).code == 4
        process = product.start(
            *("run", manifest, "--pilot", "2"),
            stdin=program,
            stdout=program,
            stderr=program,
            env=alone,
        )
        seen = Seen(person)
        wait_for("the question", lambda: seen("Continue and submit? [y/N]"))
        os.write(person, b"y\n")
        wait_for("the page", lambda: seen("takes to judge"))
        assert "http://127.0.0.1:" in seen.text
        process.send_signal(signal.SIGINT)
        wait_for("the end", lambda: seen("\0never") or process.poll() is not None)
        assert process.returncode == 0
    assert len(done(out)) == 2
