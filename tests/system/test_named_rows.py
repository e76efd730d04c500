"""Rows that a run is asked for by key: what it did not come to is said, and one command makes it.

The command of the run itself, given again, would make the first rows once more. What is suggested
is pasted here, and the API's own records say what was submitted.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Ended, Product, interrupt
from tests.system.test_renamed import Shop

pytestmark = pytest.mark.long

COMMAND = re.compile(r"For the rest: reelsheet (.*)")
KEYS = ("A", "B,b", "C", "D")
NAMED = ("--redo", 'A,"B,b",C,D')
ONE_BY_ONE = {"limits.outstanding": "1", "limits.submits_in_flight": "1"}


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """Four rows that are done."""
    made = Shop(product, api, api.mark())
    name = product.folder.name
    made.write([sheets.row(key, f"{name}: {key}", duration="4") for key in KEYS])
    ended = made("run")
    assert (ended.code, made.submitted) == (0, 4), ended.err
    return made


def times(shop: Shop) -> str:
    """How often each row was bought, in the order of the sheet."""
    return "".join(str(shop.accepted()[one["prompt"]]) for one in shop.rows)


def paste(shop: Shop, ended: Ended, *more: str) -> Ended:
    """Carry out the command for the rest; there is nothing else that says to run again."""
    assert "run again" not in ended.err.lower()
    (command,) = COMMAND.findall(ended.err)
    return shop.product(*shlex.split(command), *more)


def test_a_cap(shop: Shop) -> None:
    """The rest is made in as many parts as the cap needs, and each row once."""
    ended = shop("run", *NAMED, **{"budget.videos": "2"})
    assert (ended.code, times(shop)) == (4, "2211"), ended.err
    assert "2 rows asked for by key were not sent: C, D." in ended.err
    assert "Raise the cap under budget, or run the rest for the next part." in ended.err
    again = paste(shop, ended, "--set", "budget.videos=1")
    assert (again.code, times(shop)) == (4, "2221")
    assert "1 row asked for by key was not sent: D." in again.err
    last = paste(shop, again, "--set", "budget.videos=1")
    assert (last.code, times(shop)) == (0, "2222"), last.err
    assert "asked for by key" not in last.err


def test_a_limit(shop: Shop) -> None:
    """It is no reason to end with 0; the plan says it, too. The limit and what was named stay."""
    planned = shop("plan", *NAMED, "--limit", "3")
    assert "1 row asked for by key is beyond --limit: D" in planned.err
    shop.write([*shop.rows, sheets.row("E", f"{shop.product.folder.name}: E", duration="4")])
    options = ("--limit", "1", "--only", 'A,"B,b",C')
    ended = shop("run", "--redo", 'A,"B,b",C', *options)
    assert (ended.code, times(shop)) == (1, "21110"), ended.err
    for expected in ("22110", "22210"):
        ended = paste(shop, ended)
        assert times(shop) == expected
    assert ended.code == 0


def test_ctrl_c(shop: Shop) -> None:
    """Whatever was sent by then is not sent again."""
    shop.api.faults("submit_slow@0.4")
    before = shop.api.mark()
    process = shop.product.start("run", shop.manifest, *NAMED, sets=ONE_BY_ONE)
    wait_for("a submission", lambda: len(shop.api.calls("submit", since=before)) >= 1)
    interrupt(process)
    ended = shop.product.end(process)
    shop.api.faults()
    assert ended.code == 130
    assert "Run the rest to continue." in ended.err
    assert times(shop) != "2222"
    last = paste(shop, ended)
    assert (last.code, times(shop)) == (0, "2222"), last.err


def test_an_outage(shop: Shop) -> None:
    """An account without credit: nothing was sent, so everything is the rest."""
    shop.api.faults("submit_402")
    ended = shop("run", *NAMED)
    shop.api.faults()
    assert (ended.code, times(shop)) == (4, "1111"), ended.err
    assert "Top up your ToAPIs account, then run the rest" in ended.err
    for _ in range(2):  # what waits is not asked for once more by whoever pastes it twice
        last = paste(shop, ended)
        assert (last.code, times(shop)) == (0, "2222"), last.err


def test_rows_still_being_made_are_no_rest(shop: Shop) -> None:
    """They are fetched by a plain run, and the sentence says so."""
    shop.api.faults("query_never_finishing")
    ended = shop("run", "--redo", "A", **{"polling.deadline_s": "1"})
    shop.api.faults()
    assert (ended.code, times(shop)) == (5, "2111")
    assert "run again without --redo" in ended.err
    assert not COMMAND.findall(ended.err)
    action = shop.results[0]["result_action"]
    assert action == "Run again without --redo; nothing is paid for twice."


def test_pay_again(shop: Shop) -> None:
    """The same where a copy of the sheet is paid for again."""
    copy = shop.product.folder / "copy.csv"
    copy.write_bytes(shop.manifest.read_bytes())
    ended = shop.product("run", copy, "--pay-again", "C,A", "--limit", "1")
    assert (ended.code, times(shop)) == (1, "2111"), ended.err
    last = paste(shop, ended)
    assert (last.code, times(shop)) == (0, "2121"), last.err


def test_several_manifests(shop: Shop) -> None:
    """Each has a command of its own."""
    other = Path(sheets.write(shop.product.folder / "other.csv", [sheets.row("A", "other A")]))
    assert shop.product("run", other).code == 0
    before = Counter(shop.accepted())
    ended = shop.product("run", shop.manifest, other, "--redo", "A,D", "--limit", "1")
    assert ended.code == 1
    assert (shop.accepted() - before).total() == 1
    commands = COMMAND.findall(ended.err)
    assert [command.split(" --set ")[-1].split(" --")[1:] for command in commands] == [
        ["redo D", "limit 1"],
        ["redo A", "limit 1"],
    ]
    for command in commands:
        assert shop.product(*shlex.split(command)).code == 0
    assert times(shop) == "2112"
