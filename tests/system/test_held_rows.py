"""Rows that nobody means to pay for are held; what was ordered before goes on as it was ordered.

The product is run as a process, and the API's own records say what was submitted.
"""

from __future__ import annotations

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product
from tests.system.test_renamed import Shop

pytestmark = pytest.mark.long

TEXTS = ("a red mug", "a mug TBD", "a {{ colour }} bag", "a cap #N/A")
ALL = "prompt_todo,prompt_placeholder,error_text"


def test_what_was_ordered_before_goes_on(product: Product, api: Api) -> None:
    """Under way it is fetched, done it stays done; new rows of the kind are held."""
    shop = Shop(product, api, api.mark())
    name = product.folder.name
    texts = [{"sku": f"P{at}", "prompt": f"{name}: {text}"} for at, text in enumerate(TEXTS)]
    shop.write(texts)
    late = {"polling.deadline_s": "0.01", "polling.first_s": "0.01"}  # asked about once, at once
    ended = shop("run", **{"manifest.allow": ALL, **late})
    assert (ended.code, shop.submitted) == (5, 4), ended.err
    assert set(sheets.states(shop.out).values()) == {"running"}

    ended = shop("run", "--strict")
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    assert set(sheets.states(shop.out).values()) == {"done"}
    assert shop.groups == {"done": 4}
    checked = shop("check", "--json")
    assert (checked.code, checked.json["valid"]) == (0, 4)
    assert [one["code"] for one in checked.json["problems"]] == ["ordered_before"]
    assert "3 rows (rows 3, 4 and 5)" in checked.json["problems"][0]["message"]

    shop.write([{"sku": f"N{row['sku']}", "prompt": row["prompt"]} for row in texts])
    assert shop.groups == {"renamed": 4}
    ended = shop("run", "--redo", "changed")
    assert (ended.code, shop.submitted) == (0, 0), ended.err

    new = {"sku": "NEW", "prompt": "TODO"}
    twin = {"sku": "TWIN", "prompt": shop.rows[1]["prompt"]}
    shop.write([*shop.rows, new, twin])
    ended = shop("run")
    assert (ended.code, shop.submitted) == (1, 0), ended.err
    states = sheets.states(shop.out)
    assert (states["NEW"], states["TWIN"]) == ("invalid", "invalid")
    (said,) = [one["result_error"] for one in shop.results if one["sku"] == "NEW"]
    assert "--set manifest.allow=prompt_todo" in said
    assert shop("run", "--only", "NEW", "--set", "manifest.allow=prompt_todo").code == 0
    assert shop.submitted == 1


def test_control_characters_are_not_sent(product: Product, api: Api) -> None:
    """The row is known with them and without: taken out of the sheet, it is the same row."""
    mark, sheet = api.mark(), product.folder / "shop.csv"
    prompt = f"{product.folder.name}: a mug\x07 turns"
    sheet.write_text(f"sku,prompt\nA,{prompt}\n", encoding="utf-8")
    ended = product("run", sheet)
    assert ended.code == 0, ended.err
    clean = prompt.replace("\x07", "")
    assert api.posts_of(clean, since=mark) == 1
    assert api.posts_of(prompt, since=mark) == 0
    assert product("plan", sheet, "--json").json["groups"]["done"] == 1
    shown = product("check", sheet, "--show-prompts", "1").out
    assert f"row 2 (key A): {clean}" in shown
    assert "removed from what is sent" in shown
    sheet.write_text(f"sku,prompt\nA,{clean}\n", encoding="utf-8")
    assert product("run", sheet, "--redo", "changed").code == 0
    assert product("plan", sheet, "--json").json["groups"]["done"] == 1
    assert api.posts_of(clean, since=mark) == 1
    other = product.folder / "other.csv"  # another folder, which has never seen the character
    other.write_text(f"sku,prompt\nB,{clean}\n", encoding="utf-8")
    assert product("plan", other, "--json").json["groups"]["repeat"] == 1
    assert product("run", other).code == 0
    assert api.posts_of(clean, since=mark) == 1
