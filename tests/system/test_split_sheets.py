"""Sheets that are split or joined while their rows are under way, and the first file is removed.

The rows wait for what was bought for it. What they are told to do can be pasted, and frees them.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

pytestmark = pytest.mark.long

COMMAND = re.compile(r"(?:working on it|then run again): reelsheet (.*?)\.$")


def write(product: Product, name: str, keys: str) -> Path:
    """Write a sheet with a row for each letter."""
    prompt = f"{product.folder.name}: "
    lines = [sheets.row(key, prompt + key, duration="4") for key in keys]
    return sheets.write(product.folder / "m" / name, lines)


def bought(product: Product, api: Api) -> Counter[str]:
    """How often each letter was submitted."""
    prompt = f"{product.folder.name}: "
    return Counter(
        one["prompt"].removeprefix(prompt)
        for one in api.records()["submissions"]
        if one["prompt"].startswith(prompt)
    )


def action_of(product: Product, name: str, key: str) -> str:
    """What a row is told to do."""
    out = product.folder / "outputs" / name
    (found,) = [one["result_action"] for one in sheets.results(out) if one["sku"] == key]
    return str(found)


@pytest.mark.parametrize("doubt", [False, True], ids=["under way", "in doubt"])
def test_a_sheet_that_is_split(product: Product, api: Api, *, doubt: bool) -> None:
    """One part takes the first folder over; the other one has its videos from there."""
    faults = ["submit_answer_lost", "query_lookup_unsupported"] if doubt else []
    api.faults(*(faults or ["query_never_finishing*5"]))
    first = write(product, "all.csv", "ABCD")
    sets = {"polling.deadline_s": "0.5", "api.lookup_s": "0.3"}
    assert product("run", first, sets=sets).code == (3 if doubt else 5)
    first.unlink()
    for name, keys in (("one.csv", "AB"), ("two.csv", "CD")):
        write(product, name, keys)
    assert product("run", "m", sets=sets).code == 2
    api.faults()
    found = COMMAND.search(action_of(product, "one", "A"))
    assert found is not None
    fetched = product(*shlex.split(found[1]))
    assert fetched.code == 0, fetched.err
    last = product("run", "m")
    assert last.code == 0, last.err
    assert bought(product, api) == dict.fromkeys("ABCD", 1)


@pytest.mark.parametrize("kept", [False, True], ids=["first file gone", "first file kept"])
def test_a_finished_sheet_that_is_split(product: Product, api: Api, *, kept: bool) -> None:
    """Every row of the parts gets the video that was bought for it; a new one is bought."""
    first = write(product, "all.csv", "ABCD")
    assert product("run", first).code == 0
    if not kept:
        first.unlink()
    parts = [write(product, "one.csv", "AB"), write(product, "two.csv", "CDE")]
    planned = product("plan", *parts, "--json").json["manifests"]
    assert sum(one["groups"]["new"] for one in planned) == 1
    ended = product("run", *parts)
    assert ended.code == 0, ended.err
    assert bought(product, api) == dict.fromkeys("ABCDE", 1)
    states = [
        row["result_state"]
        for name in ("one", "two", "all")
        if (product.folder / "outputs" / name / "results.csv").exists()
        for row in sheets.results(product.folder / "outputs" / name)
    ]
    assert set(states) == {"done"}


def test_sheets_that_are_joined(product: Product, api: Api) -> None:
    """The new sheet follows one of them, and takes the folder of the other one over."""
    api.faults("query_never_finishing")
    sets = {"polling.deadline_s": "0.5"}
    firsts = [write(product, "one.csv", "AB"), write(product, "two.csv", "CD")]
    assert product("run", "m", sets=sets).code == 5
    for first in firsts:
        first.unlink()
    joined = write(product, "all.csv", "ABCD")
    assert product("run", joined, sets=sets).code == 5
    api.faults()
    waiting = product("run", joined, sets=sets)
    assert waiting.code == 1, waiting.err
    found = COMMAND.search(action_of(product, "one", "C"))
    assert found is not None
    fetched = product(*shlex.split(found[1]))
    assert fetched.code == 0, fetched.err
    last = product("run", "m")
    assert last.code == 0, last.err
    assert bought(product, api) == dict.fromkeys("ABCD", 1)
