"""What a run may spend, what it says about the account, and how a doubt is settled."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product, book_of
from tests.system.harness.terminal import Seen, terminal

PRICE = {"budget.price_per_second": "0.02"}
DEAR = {"budget.price_per_second": "100000"}
"""So that any row needs more than the emulator's account holds."""


def shop(product: Product, rows: int) -> tuple[Path, Path]:
    """Write a manifest of so many rows; return it and its output folder."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(rows))
    return manifest, product.folder / "outputs" / "shop"


@pytest.mark.parametrize(
    "cap",
    [
        {"budget.per_day.videos": "3"},
        {"budget.per_day.video_seconds": "18"},
        {"budget.per_day.money": "0.36", **PRICE},
    ],
)
def test_a_day_has_its_cap_over_all_runs(product: Product, api: Api, cap: dict[str, str]) -> None:
    """Two runs of one day submit together what the cap allows; exit 4, the rest waits."""
    manifest, out = shop(product, 5)
    mark = api.mark()
    first = product("run", manifest, "--limit", "2", sets=cap)
    assert first.code == 0, first.err
    second = product("run", manifest, sets=cap)
    assert second.code == 4, second.err
    assert "budget.per_day" in second.err
    assert "1 video, 6 s" in second.err, (
        "the offer counts what the cap lets through, as a plan does"
    )
    assert len(api.calls("submit", since=mark)) == 3
    assert [*sheets.states(out).values()] == ["done"] * 3 + ["waiting"] * 2
    third = product("run", manifest, sets=cap)
    assert third.code == 4
    assert "0 videos" not in third.err
    assert len(api.calls("submit", since=mark)) == 3
    with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
        journal.execute("UPDATE attempts SET submitted_at = submitted_at - 86400")
    with contextlib.closing(sqlite3.connect(book_of())) as book, book:
        book.execute("UPDATE submissions SET submitted_at = submitted_at - 86400")
    assert product("run", manifest, sets=cap).code == 0, "on the next day there is room again"
    assert len(api.calls("submit", since=mark)) == 5


def test_a_doubt_keeps_its_place_of_the_day(product: Product, api: Api) -> None:
    """What may have been paid for counts, in this run and in the next one of the day."""
    manifest, out = shop(product, 3)
    quick = {"api.lookup_s": "0.3", "budget.per_day.videos": "2", "limits.submits_in_flight": "1"}
    api.faults("submit_reset*1")
    assert product("run", manifest, sets=quick).code == 4
    assert sorted(sheets.states(out).values()) == ["done", "in_doubt", "waiting"]
    assert product("run", manifest, sets=quick).code == 4
    assert sorted(sheets.states(out).values()) == ["done", "in_doubt", "waiting"]


def test_the_balance_is_asked_for_before_and_after(product: Product, api: Api) -> None:
    """Twice in a live run that submits, and kept; not at all when there is nothing to submit."""
    manifest, out = shop(product, 2)
    mark = api.mark()
    ended = product("run", manifest, sets=PRICE)
    assert ended.code == 0, ended.err
    assert "Continuing" not in ended.err
    calls = [call["kind"] for call in api.calls(since=mark)]
    assert calls.count("balance") == 3, "of key and account before, of the key after"
    assert calls[:2] == ["models", "balance"]
    said = sheets.summary(out)
    assert [*said][-2:] == ["balance_before", "balance_after"]
    assert said["balance_before"] - said["balance_after"] == pytest.approx(0.24)
    assert "0.24 USD" in ended.out

    mark = api.mark()
    assert product("run", manifest, sets=PRICE).code == 0
    assert product("fetch", manifest, sets=PRICE).code == 0
    assert api.calls(since=mark) == []
    said = sheets.summary(out)
    assert (said["balance_before"], said["balance_after"]) == (None, None)


def test_too_little_is_said_before_the_first_submission(product: Product, api: Api) -> None:
    """Without a terminal it stops with 4, unless --yes or a setting says to go on."""
    manifest, _ = shop(product, 3)
    mark = api.mark()
    ended = product("run", manifest, "--limit", "1", sets=DEAR)
    assert ended.code == 4, ended.err
    assert "The account holds" in ended.err
    assert "this run needs 600,000.00 USD" in ended.err
    assert "add --yes" in ended.err
    assert not api.calls("submit", since=mark)
    on = {**DEAR, "budget.when_short": "go_on"}
    assert product("run", manifest, "--limit", "1", sets=on).code == 0
    agreed = product("run", manifest, "--yes", sets=DEAR)
    assert agreed.code == 0
    assert "2 videos, 12 s, about 1,200,000.00 USD; the account holds " in agreed.err
    assert len(api.calls("submit", since=mark)) == 3


def test_what_is_to_be_left_in_the_account_is_not_spent(product: Product, api: Api) -> None:
    """budget.min_balance counts as needed, with a price and without one."""
    manifest, _ = shop(product, 1)
    mark = api.mark()
    for price in (PRICE, {}):
        ended = product("run", manifest, sets={**price, "budget.min_balance": "10000000"})
        assert ended.code == 4, ended.err
        assert "budget.min_balance keeps 10,000,000.00" in ended.err
    assert not api.calls("submit", since=mark)


def test_a_price_is_learned_from_the_balance(product: Product) -> None:
    """Where none is set the next run says what it will come to, and that this is learned."""
    manifest, _ = shop(product, 2)
    first = product("run", manifest)
    assert first.code == 0
    assert "2 videos, 12 s; the account holds " in first.err
    shop(product, 3)
    planned = product("plan", manifest)
    assert "1 row, 6 s of video, about 0.12 USD (0.0200 a second, learned from " in planned.out
    document = product("plan", manifest, "--json").json
    learned = {"amount": 0.12, "currency": "USD", "per_second": 0.02}
    assert (document["cost"], document.get("cost_learned")) == (None, learned)
    capped = product("plan", manifest, "--json", sets={"budget.money": "0.01"})
    assert capped.code != 0 or capped.json.get("refusal") is None, "a cap needs a price that is set"
    again = product("run", manifest)
    assert "1 video, 6 s, about 0.12 USD (0.0200 a second, learned from " in again.err


@pytest.mark.parametrize("fault", ["balance_500", "balance_success_false", "balance_unlimited"])
def test_an_unknown_balance_stops_nothing(product: Product, api: Api, fault: str) -> None:
    """A failed call is said; an unlimited account is none; either way the figures are null."""
    manifest, out = shop(product, 1)
    api.faults(fault)
    ended = product("run", manifest, sets=DEAR)
    assert ended.code == 0, ended.err
    assert ("is not known" in ended.err) == (fault != "balance_unlimited")
    said = sheets.summary(out)
    assert (said["balance_before"], said["balance_after"]) == (None, None)


def test_a_price_far_below_what_the_balance_tells_is_doubted(product: Product) -> None:
    """Plan and run say so once; the price counts all the same."""
    manifest, _ = shop(product, 2)
    assert product("run", manifest, "--limit", "1", sets=PRICE).code == 0
    low = {"budget.price_per_second": "0.002"}
    said = (
        "budget.price_per_second is 0.002 USD, but by the balance a second of video came to 0.0200"
    )
    planned = product("plan", manifest, sets=low)
    assert planned.err.count(said) == 1, planned.err
    assert "6 s of video, 0.01 USD" in planned.out
    ended = product("run", manifest, sets=low)
    assert ended.err.count(said) == 1, ended.err
    assert said not in product("plan", manifest, sets=PRICE).err


def test_a_key_that_is_refused_at_the_balance(product: Product, api: Api) -> None:
    """401: exit 4, nothing is uploaded or submitted."""
    manifest, out = shop(product, 2)
    api.faults("balance_401")
    mark = api.mark()
    ended = product("run", manifest)
    assert ended.code == 4
    assert "the environment variable TOAPIS_API_KEY (api.key_env)" in ended.err
    assert [call["kind"] for call in api.calls(since=mark)] == ["models", "balance"]
    assert set(sheets.states(out).values()) == {"waiting"}


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
@pytest.mark.parametrize(
    ("answer", "code", "submits"), [("y\n", 0, 2), ("n\n", 4, 0), ("\n", 4, 0), (None, 130, 0)]
)
def test_at_a_terminal_it_asks(
    product: Product, api: Api, answer: str | None, code: int, submits: int
) -> None:
    """Only a yes submits; a no fetches what is paid for and exits 4; Ctrl-C exits 130."""
    manifest, out = shop(product, 2)
    mark = api.mark()
    with terminal() as (person, program):
        process = product.start("run", manifest, sets=DEAR, stdin=program, stderr=program)
        seen = Seen(person)
        wait_for("the question", lambda: seen("[y/N]"))
        assert api.calls("submit", since=mark) == []
        if answer is None:
            process.send_signal(signal.SIGINT)
        else:
            os.write(person, answer.encode())
        wait_for("the end", lambda: seen("\0never") or process.poll() is not None)
        product.end(process)
    assert process.returncode == code, seen.text
    assert len(api.calls("submit", since=mark)) == submits
    assert ("stopped: the account holds" in seen.text) == (code == 4), "a signal is the only cause"
    assert sheets.summary(out)["exit_code"] == code


@pytest.mark.long
def test_a_rehearsal_asks_for_no_balance(rehearsing: Product) -> None:
    """Nothing is paid there: no figures, no question."""
    manifest, _ = shop(rehearsing, 1)
    ended = rehearsing("run", manifest, sets={**DEAR, "output.verify": "boxes"})
    assert ended.code == 0, ended.err
    assert "account" not in ended.err
    said = sheets.summary(rehearsing.folder / "outputs" / "shop.rehearsal")
    assert (said["balance_before"], said["balance_after"]) == (None, None)


def test_a_doubt_is_listed_with_all_that_settles_it(product: Product, api: Api) -> None:
    """`resolve --all`: time, key, row, prompt, reference and what the account lost in that run."""
    manifest, out = shop(product, 3)
    assert "no row is in doubt" in product("resolve", manifest, "--all").out
    lost = {**PRICE, "api.lookup_s": "0.3", "limits.submits_in_flight": "1"}
    api.faults("submit_answer_lost*1", "query_lookup_unsupported")
    ended = product("run", manifest, sets=lost)
    assert ended.code == 3, ended.err
    assert "--all" in ended.out
    mark = api.mark()
    listed = product("resolve", manifest, "--all", "--json", sets=PRICE)
    assert listed.code == 0, listed.err
    assert list(listed.json) == ["manifest", "currency", "rows"]
    [one] = listed.json["rows"]
    number = 1 + int(one["key"][1:])
    assert (one["row"], one["state"], one["attempt"]) == (number, "in_doubt", 1)
    assert one["prompt"] == f"shot of {one['key']}"
    assert one["client_business_id"] == api.accepted(one["prompt"])[-1]["client_business_id"]
    assert (one["video_seconds"], one["cost"]) == (6, pytest.approx(0.12))
    assert one["balance_difference"] == pytest.approx(0.36), "all three were paid for"
    assert one["run_id"] == sheets.summary(out)["run_id"]
    assert one["submitted_at"].endswith("Z")
    plain = product("resolve", manifest, "--all", sets=PRICE).out
    for words in (one["key"], one["prompt"], one["client_business_id"], "difference 0.36"):
        assert words in plain
    assert api.calls(since=mark) == [], "it asks nobody"
    manifest.unlink()
    without = product("resolve", manifest, "--all", "--json")
    assert without.code == 0
    assert [row["row"] for row in without.json["rows"]] == [None]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("P0001",),
        ("P0001", "--all"),
        ("--all", "--not-sent"),
        ("P0001", "--task-id", "x", "--not-sent"),
        ("P0001", "--not-sent", "--json"),
    ],
)
def test_resolve_says_what_it_needs(product: Product, words: tuple[str, ...]) -> None:
    """Contradictions are usage errors."""
    manifest, _ = shop(product, 1)
    assert product("resolve", manifest, *words).code == 2


def test_a_doubt_stays_one_until_a_look_up_finds_it(product: Product, api: Api) -> None:
    """Accepted, answer lost, references unknown to the API: exit 3, one POST a row; then found."""
    manifest, out = shop(product, 4)
    quick = {"api.lookup_s": "0.5", "limits.submits_in_flight": "1"}
    found = '"event": "reference_found"'
    api.faults("submit_answer_lost*1", "query_lookup_unsupported")
    mark = api.mark()
    ended = product("run", manifest, sets=quick)
    assert ended.code == 3, ended.err
    assert len(api.calls("submit", since=mark)) == 4
    assert sorted(sheets.states(out).values()) == ["done"] * 3 + ["in_doubt"]
    assert found not in (out / "run.log").read_text(encoding="utf-8")
    api.faults()
    ended = product("run", manifest, sets=quick)
    assert ended.code == 0, ended.err
    assert len(api.calls("submit", since=mark)) == 4
    assert set(sheets.states(out).values()) == {"done"}
    assert found in (out / "run.log").read_text(encoding="utf-8")
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_a_setting_that_is_gone_is_refused_before_anything_is_sent(
    product: Product, api: Api
) -> None:
    """`in_doubt: resend` is a fault (2) that says what to do; `hold` gets a note."""
    manifest, _ = shop(product, 1)
    mark = api.mark()
    ended = product("run", manifest, sets={"api.in_doubt": "resend"})
    assert ended.code == 2
    assert "api.in_doubt: resend: this setting is gone" in ended.err
    assert "reelsheet resolve" in ended.err
    assert not api.calls("submit", since=mark)
    ended = product("run", manifest, sets={"api.in_doubt": "hold"})
    assert ended.code == 0, ended.err
    assert "note: --set: api.in_doubt: this setting is gone and is ignored." in ended.err
