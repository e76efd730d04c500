"""Rows that the provider refuses for their content: no night ends, and no retry pays for them."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product


@pytest.mark.parametrize("fault", ["submit_400", "submit_404", "submit_413", "submit_422"])
def test_refused_rows_on_top_end_no_night(product: Product, api: Api, fault: str) -> None:
    """Twelve refused rows come first; the others are made all the same."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(16))
    api.faults(f"{fault}*12")
    ended = product("run", manifest, sets={"limits.submits_in_flight": "1"})
    assert ended.code == 1, ended.err
    states = Counter(sheets.states(product.folder / "outputs" / "shop").values())
    assert states == {"refused": 12, "done": 4}


def test_a_retry_spends_nothing_on_what_no_retry_can_help(product: Product, api: Api) -> None:
    """It says how many it leaves out and why; a changed row and a named one are sent."""
    out = product.folder / "outputs" / "shop"
    lines = sheets.rows(4)
    manifest = sheets.write(product.folder / "shop.csv", lines)
    api.faults("query_failed_error@content_policy_violation*all")
    assert product("run", manifest).code == 1
    assert set(sheets.states(out).values()) == {"failed"}
    api.faults()
    mark = api.mark()
    said = "4 rows left out, because the provider would say content_policy_violation again: "
    shown = product("retry", manifest, "--dry-run")
    assert (shown.code, said in shown.out) == (0, True), shown.out
    assert said in product("plan", manifest, "--retry", "failed").out
    retried = product("retry", manifest)
    assert (retried.code, said in retried.err) == (1, True), retried.err
    assert api.calls("submit", since=mark) == []
    lines[0]["prompt"] = "another shot"
    sheets.write(manifest, lines)
    assert "3 rows left out" in product("retry", manifest).err
    named = lines[1]["sku"]
    assert f"--only {named}" in retried.err.replace(lines[0]["sku"], named)
    product("retry", manifest, "--only", named)
    assert len(api.calls("submit", since=mark)) == 2
    assert Counter(sheets.states(out).values()) == {"done": 2, "failed": 2}
    assert json.loads((out / "summary.json").read_text("utf-8"))["submitted"] == 1
