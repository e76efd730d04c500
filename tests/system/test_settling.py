"""Doubts by the dozen: looked up for nothing, and closed together once a person has agreed."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product
from tests.system.harness.terminal import Seen, terminal

ON_A_TERMINAL = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX")
PRICE = {"budget.price_per_second": "0.02"}
LOST = {**PRICE, "api.lookup_s": "0.3"}
LOST_KEYS, UNSENT_KEYS = ("P0001", "P0002"), ("P0003", "P0004")


def prompt_of(product: Product) -> str:
    """Return a prompt that no other test has: a fault comes once for each."""
    return f"{product.folder.name} {{}}"


@pytest.fixture
def doubtful(product: Product, api: Api) -> tuple[Path, Path]:
    """Return a manifest with two rows that were accepted, two that were not, and its folder.

    All four are in doubt; a fifth is done.
    """
    rows = sheets.rows(5, prompt_of(product))
    for row in rows:
        fault = {
            **dict.fromkeys(LOST_KEYS, "submit_answer_lost"),
            **dict.fromkeys(UNSENT_KEYS, "submit_redirect"),
        }.get(row["sku"])
        if fault is not None:
            row["prompt"] = f"[fault:{fault}] {row['prompt']}"
    manifest = sheets.write(product.folder / "shop.csv", rows)
    out = product.folder / "outputs" / "shop"
    api.faults("query_lookup_unsupported")
    assert product("run", manifest, sets=LOST).code == 3
    assert sorted(sheets.states(out).values()) == ["done", *["in_doubt"] * 4]
    return manifest, out


def at_a_terminal(
    product: Product, manifest: Path, answer: str, *more: str
) -> tuple[int, str, str]:
    """Close what is not found, with this answer; return the code and what both streams said."""
    with terminal() as (person, program):
        process = product.start(
            "resolve", manifest, "--all-not-found", *more, sets=PRICE, stdin=program, stderr=program
        )
        seen = Seen(person)
        wait_for("the question", lambda: seen("[y/N]") or process.poll() is not None)
        os.write(person, f"{answer}\n".encode())
        ended = product.end(process)
        seen("")
        return ended.code, ended.out, seen.text


def states(product: Product, manifest: Path, keys: Sequence[str]) -> set[str]:
    """Return the states of some rows by now."""
    rows = product("status", manifest, "--json").json["rows"]
    return {one["state"] for one in rows if one["key"] in keys}


def test_what_is_found_is_settled_free(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """`--look-up` asks for each; what the provider does not know stays in doubt."""
    manifest, out = doubtful
    blind = product("resolve", manifest, "--look-up")
    assert blind.code == 3
    assert "0 rows settled, 4 to settle." in blind.out
    api.faults()
    mark = api.mark()
    looked = product("resolve", manifest, "--look-up")
    assert looked.code == 3, looked.err
    assert "2 rows settled, 2 to settle." in looked.out
    assert "P0003: the provider does not know it." in looked.out
    assert {one["kind"] for one in api.calls(since=mark)} == {"query"}
    assert states(product, manifest, LOST_KEYS) == {"running"}
    assert product("run", manifest, sets={"api.lookup_s": "0.3"}).code == 3
    assert not api.calls("submit", since=mark)
    assert {sheets.states(out)[key] for key in LOST_KEYS} == {"done"}


@ON_A_TERMINAL
def test_what_is_not_found_is_closed_after_a_yes(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """The evidence is shown and one question asked; then the rows are sent, each once.

    What the account holds is asked for, free, where the run was cut off before it asked.
    """
    manifest, out = doubtful
    api.faults()
    with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
        journal.execute("UPDATE runs SET balance_after = NULL")
    code, said, screen = at_a_terminal(product, manifest, "n")
    assert code == 3
    assert states(product, manifest, UNSENT_KEYS) == {"in_doubt"}
    for words in (
        "rs-",
        "6 s of video, 0.12 USD",
        "2 submissions in doubt for 0.24 USD",
        "3 accepted for 0.36 USD; the balance fell by 0.36",
        "which is what the accepted ones cost: they were probably not accepted",
    ):
        assert words in " ".join(screen.split())
    assert "Nothing was closed, as nobody agreed." in said
    young, said, _ = at_a_terminal(product, manifest, "y", "--older-than", "1h")
    assert (young, states(product, manifest, UNSENT_KEYS)) == (3, {"in_doubt"})
    assert "2 rows were left alone, sent less than 1h ago (--older-than)." in said
    code, said, _ = at_a_terminal(product, manifest, "y", "--older-than", "0s")
    assert code == 0, said
    assert "P0004: closed as not sent." in said
    mark = api.mark()
    for row in (rows := sheets.rows(5, prompt_of(product))):
        if row["sku"] in LOST_KEYS:
            row["prompt"] = f"[fault:submit_answer_lost] {row['prompt']}"
    sheets.write(manifest, rows)
    assert product("run", manifest).code == 0
    assert len(api.calls("submit", since=mark)) == 2
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


@ON_A_TERMINAL
def test_nothing_is_closed_where_look_ups_were_never_seen_to_work(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """A provider that knows no references finds nothing: each row has to be named."""
    manifest, _ = doubtful
    code, _, screen = at_a_terminal(product, manifest, "y")
    assert code == 2
    assert "proves nothing" in " ".join(screen.split())
    assert "KEY --not-sent" in screen
    assert states(product, manifest, (*LOST_KEYS, *UNSENT_KEYS)) == {"in_doubt"}
    api.faults()
    assert product("resolve", manifest, "--look-up").code == 3


def test_without_a_terminal_nothing_is_closed(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """A scheduler cannot agree to pay perhaps twice."""
    manifest, _ = doubtful
    api.faults()
    mark = api.mark()
    ended = product("resolve", manifest, "--all-not-found")
    assert ended.code == 2
    assert "there is no terminal to ask on" in ended.err
    assert not api.calls(since=mark)
    assert states(product, manifest, UNSENT_KEYS) == {"in_doubt"}
    for wrong in (
        ("P0001", "--look-up"),
        ("--older-than", "1h"),
        ("--all", "--look-up"),
        ("--all-not-found", "--older-than", "a day"),
    ):
        assert product("resolve", manifest, *wrong).code == 2


def test_doubts_of_rows_that_left_the_manifest_are_shown(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """`status` names them and how to settle them; a look-up finds them, too."""
    manifest, _ = doubtful
    sheets.write(manifest, sheets.rows(5, prompt_of(product))[4:])
    shown = product("status", manifest)
    assert shown.code == 0
    assert "no longer in the manifest: P0001, in_doubt, submitted " in shown.out
    assert f"reelsheet resolve {manifest} " in shown.out
    gone = product("status", manifest, "--json").json["gone"]
    assert [one["key"] for one in gone] == [*LOST_KEYS, *UNSENT_KEYS]
    api.faults()
    assert "2 rows settled, 2 to settle." in product("resolve", manifest, "--look-up").out
    assert len(product("status", manifest, "--json").json["gone"]) == 2


@ON_A_TERMINAL
def test_what_is_missing_is_not_closed_with_the_rest(product: Product, api: Api) -> None:
    """It was accepted once: why it stays, and the command that closes it, are said."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(1, prompt_of(product)))
    api.faults("query_task_not_exist")
    assert product("run", manifest, sets={**PRICE, "api.missing_grace_s": "0.3"}).code == 3
    code, said, _ = at_a_terminal(product, manifest, "")
    assert code == 3
    assert "0 rows settled, 1 to settle." in said
    assert "1 row was not closed, being missing: the provider knew the task once" in said
    assert f"close the row by its key: reelsheet resolve {manifest} " in said
    assert "P0001 --not-sent" in said


def test_a_task_that_was_given_to_the_wrong_row_is_moved(
    product: Product, api: Api, doubtful: tuple[Path, Path]
) -> None:
    """It is taken back or exchanged until its video is there; nothing is sent by any of that."""
    manifest, out = doubtful
    prompts = {row["sku"]: row["prompt"] for row in sheets.rows(5, prompt_of(product))}
    first, second = (
        next(
            one["task_id"] for one in api.records()["submissions"] if prompts[key] in one["prompt"]
        )
        for key in LOST_KEYS
    )
    mark = api.mark()
    assert product("resolve", manifest, "P0001", "--task-id", second).code == 0
    refused = product("resolve", manifest, "P0002", "--task-id", second)
    assert refused.code == 2
    assert "two products would get its video" in refused.err
    assert "P0001 --undo" in refused.err
    moved = product("resolve", manifest, "P0001", "--task-id", first)
    assert (moved.code, f"in place of {second}" in moved.out) == (0, True)
    assert product("resolve", manifest, "P0002", "--task-id", second).code == 0
    back = product("resolve", manifest, "P0002", "--undo")
    assert back.code == 0, back.err
    assert f"task {second} is free again" in back.out
    assert states(product, manifest, ("P0002",)) == {"missing"}
    listed = product("resolve", manifest, "--all", "--json").json["rows"]
    assert {one["key"]: one["task_id"] for one in listed}["P0002"] is None
    again = product("resolve", manifest, "P0002", "--undo")
    assert (again.code, "no task that could be taken back" in again.err) == (2, True)
    own = product("resolve", manifest, "P0005", "--undo")
    assert (own.code, "no task that could be taken back" in own.err) == (2, True)
    api.faults()
    found = product("resolve", manifest, "--look-up", "--json")
    assert (found.code, found.json["settled"], found.json["left"]) == (3, 1, 2)
    assert found.json["found"] == [{"key": "P0002", "task_id": second}]
    assert product("run", manifest, sets={"api.lookup_s": "0.3"}).code == 3
    assert not api.calls("submit", since=mark)
    shown = {row["key"]: row for row in product("status", manifest, "--json").json["rows"]}
    assert [shown[key]["task_id"] for key in LOST_KEYS] == [first, second]
    assert {sheets.states(out)[key] for key in LOST_KEYS} == {"done"}
