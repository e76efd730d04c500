"""From a sheet to approved files, with a pilot and a second round: all is accounted for."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from pipeline.journal.decisions import read_decisions
from pipeline.review.verdicts import latest_of
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

pytestmark = [pytest.mark.process, pytest.mark.long]

GATE = {"pilot.gate": "true", "pilot.rows": "4", "pilot.approve": "3"}


def digests(folder: Path) -> set[str]:
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.mp4")}


def done(out: Path) -> list[str]:
    return [key for key, state in sheets.states(out).items() if state == "done"]


def test_every_purchase_decision_and_file_is_accounted_for(product: Product, api: Api) -> None:
    """A pilot; two of it rejected, one with a new prompt; new takes; the rest; files handed over.

    What is bought is what was asked for: rows, and new takes of what was rejected, each once.
    """
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(10))
    out = product.folder / "outputs" / "shop"
    mark = api.mark()
    assert product("run", manifest, sets=GATE).code == 1
    pilot = done(out)
    rejected = ",".join(pilot[2:])
    judged = product(
        *("review", manifest, "--approve", ",".join(pilot[:2]), "--reject", rejected),
        *("--reason", "dull"),
    )
    assert judged.code == 0, judged.err
    lines = sheets.results(out)
    for line in lines:
        line["new_prompt"] = "warmer light" if line["sku"] == pilot[2] else ""
    with (out / "results.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(lines[0]))
        table.writeheader()
        table.writerows(lines)
    planned = product("plan", manifest, "--redo", "rejected", sets=GATE)
    assert "to submit: 2 rows, 12 s of video" in planned.out
    assert product("run", manifest, "--redo", "rejected", sets=GATE).code == 1
    assert len(api.accepted("warmer light")) == 1
    assert product("run", manifest, "--redo", "rejected", sets=GATE).code == 2, "they are open now"
    assert product("review", manifest, "--approve", rejected).code == 0
    assert product("run", manifest, sets=GATE).code == 0
    assert product("review", manifest, "--approve", ",".join(set(done(out)) - set(pilot))).code == 0
    assert product("export", manifest).code == 0
    for words in ((), ("--redo", "rejected"), ("--redo", "changed")):
        assert product("run", manifest, *words, sets=GATE).code == 0
    assert len(api.calls("submit", since=mark)) == 12, "ten rows, and two of them again"
    invariants.submissions_hold(api, out, invariants.journal_holds(out))
    verdicts = [one.verdict for one in latest_of(read_decisions(out / "journal.db")).values()]
    assert sorted(verdicts) == ["approve"] * 10 + ["reject"] * 2
    assert len([*(out / "videos").glob("*.mp4")]) == 12, "the earlier takes are kept"
    handed = digests(out / "approved")
    assert len([*(out / "approved").rglob("*.mp4")]) == 10
    assert handed <= digests(out / "videos")
    takes = {line["sku"]: line["result_take"] for line in sheets.results(out)}
    assert {key for key, take in takes.items() if take == "2"} == set(pilot[2:])
