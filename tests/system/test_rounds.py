"""A round trip: rejected with new prompts, made again, judged again, and nothing bought unasked.

By command and in the results, with the product as a process; the API's own records say what was
submitted, and of which text.
"""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product
from tests.system.test_renamed import Shop

pytestmark = [pytest.mark.process, pytest.mark.long]


def results_of(shop: Shop) -> dict[str, dict[str, str]]:
    with (shop.out / "results.csv").open(encoding="utf-8", newline="") as file:
        return {row["sku"]: row for row in csv.DictReader(file)}


def bought(shop: Shop) -> Counter[str]:
    """How often the API accepted each prompt of this test."""
    prompts = (one["prompt"] for one in shop.api.records()["submissions"])
    return Counter(one for one in prompts if one.startswith(f"{shop.product.folder.name}: "))


def type_in(shop: Shop, **cells: dict[str, str]) -> None:
    """Have a person type into the results, and save them."""
    rows = results_of(shop)
    for key, texts in cells.items():
        rows[key] |= texts
    with (shop.out / "results.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, next(iter(rows.values())))
        table.writeheader()
        table.writerows(rows.values())


def test_rounds(product: Product, api: Api) -> None:
    """Two rounds, and a third take of the same text that limits.attempts refuses, with its key."""
    shop = Shop(product, api, api.mark())
    name = product.folder.name
    shop.write([sheets.row(key, f"{name}: {key}", duration="4") for key in ("A", "B", "C")])
    limit = {"limits.attempts": "2"}
    assert shop("run", **limit).code == 0
    better = f"{name}: B, brighter"
    type_in(shop, A={"review": "ok"}, B={"review": "no", "new_prompt": better})
    assert shop("review", "--reject", "C", "--reason", "dull").code == 0

    planned = shop("plan", "--redo", "rejected", "--set", "budget.price_per_second=0.1", **limit)
    assert "to submit: 2 rows, 8 s of video, 0.80 USD" in planned.out, planned.err
    assert "1  changed" in planned.out  # its new prompt is part of the row
    assert "2  done, 1 of them to be made again" in planned.out
    assert shop("run", **limit).code == 0
    assert shop.submitted == 3
    assert shop("run", "--redo", "rejected", **limit).code == 0
    assert bought(shop) == {f"{name}: A": 1, f"{name}: B": 1, f"{name}: C": 2, better: 1}

    # The rows do not count as edited, by whatever command, and both files of a row are there.
    assert shop("run", "--redo", "changed", **limit).code == 0
    assert shop("run", "--redo", "rejected", **limit).code == 0
    assert shop.submitted == 2
    found = results_of(shop)
    assert [found[key]["result_take"] for key in "ABC"] == ["1", "2", "2"]
    assert [found[key]["review"] for key in "ABC"] == ["approve", "", ""]
    for video in ("A.mp4", "B.mp4", "B-2.mp4", "C.mp4", "C-2.mp4"):
        assert (shop.out / "videos" / video).is_file()

    # The second round: B is approved in its first take after all, C is rejected for good.
    type_in(shop, B={"review": "no"}, C={"review": "no"})
    ended = shop("run", "--redo", "rejected", **limit)
    assert (ended.code, bought(shop)[better]) == (1, 2), ended.err
    assert "C gets no new take: 2 attempts made, limits.attempts is 2" in ended.err
    assert bought(shop)[f"{name}: C"] == 2
    assert shop("review", "--approve", "B").code == 0
    assert shop("report").code == 0
    found = results_of(shop)
    assert (found["B"]["result_video"], found["B"]["review"]) == ("videos/B-3.mp4", "approve")
    told = shop("status").out
    assert "review: 2 approved, 1 rejected, 0 to review" in told
    decisions = (shop.out / "decisions.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(decisions) == 1 + 6

    # The manifest's text was changed since: it counts, and that is said.
    shop.write([{**row, "prompt": f"{row['prompt']}!"} for row in shop.rows])
    planned = shop("plan", "-v", **limit)
    assert "3  changed" in planned.out
    assert shop.submitted == 1


def test_what_is_named_and_not_made_again_is_said(product: Product, api: Api) -> None:
    """A row that breaks a rule, and one that --only leaves out: 1, and nothing is sent."""
    shop = Shop(product, api, api.mark())
    name = product.folder.name
    rows = [sheets.row(key, f"{name}: {key}", duration="4") for key in ("A", "B")]
    shop.write([*rows, sheets.row("C", f"{name}: C", duration="5")])
    shop("run")
    ended = shop("run", "--redo", "C,B", "--only", "A,C")
    assert ended.code == 1
    assert "C gets no take: breaks a rule" in ended.err
    assert "B gets no new take: not selected by --only" in ended.err
    assert shop.submitted == 2
