"""A model whose sheet was never run, and a sheet of the team's own, from the command line."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipeline.models.copying import write_sheet_like
from pipeline.models.shelf import sheet_of
from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

pytestmark = pytest.mark.process
NEWER = "gemini-omni-flash"


def shop(product: Product, rows: int) -> Path:
    path = product.folder / "shop.csv"
    lines = ["sku,prompt,duration", *(f"R{number},a mug {number},4" for number in range(rows))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_three_rows_are_tried_and_the_next_run_begins_with_one(product: Product, api: Api) -> None:
    """Exit code 4; the rest is unsent, and goes once a row of the model has come home."""
    manifest, out = shop(product, 8), product.folder / "outputs" / "shop"
    newer = {"api.model": NEWER}
    api.faults("submit_400")
    ended = product("run", manifest, sets=newer)
    assert ended.code == 4, ended.err
    assert f"The sheet of the model {NEWER} was never run: one row goes first" in ended.err
    assert f"3 rows of the model {NEWER}, whose sheet was never run, were tried" in ended.err
    states = sheets.states(out)
    assert [states[f"R{number}"] for number in range(8)] == ["refused"] * 3 + ["waiting"] * 5
    api.faults()
    mark = api.mark()
    ended = product("run", manifest, sets=newer)
    assert ended.code == 1, ended.err
    assert sorted(sheets.states(out).values()) == ["done"] * 5 + ["refused"] * 3
    kinds = [call["kind"] for call in api.calls(since=mark)]
    assert "download" in kinds[: kinds.index("submit", kinds.index("submit") + 1)]
    assert product("run", manifest, "--retry", "refused", sets=newer).code == 0


@pytest.mark.long
def test_a_sheet_of_ones_own_is_rehearsed(product: Product) -> None:
    """The emulator believes it, and that is said: on the screen and in the run's figures."""
    manifest = shop(product, 1)
    (product.folder / "models").mkdir()
    text = write_sheet_like(
        sheet_of(NEWER), NEWER, "clip-2", today=date(2026, 11, 22), replaces=False
    )
    (product.folder / "models" / "clip-2.toml").write_text(text, "utf-8")
    rehearsal = {"provider": "rehearsal", "api.model": "clip-2"}
    ended = product("run", manifest, sets=rehearsal)
    assert ended.code == 0, ended.err
    said = "The rules of clip-2 come from a sheet of yours alone: they were not checked indep"
    assert ended.err.count(said) == 2  # before it begins, and when it has ended
    assert said in product("report", manifest, sets=rehearsal).err
    again = product("run", manifest, "--redo", "R0", "--quiet", sets=rehearsal)
    assert again.err.count(said) == 1, again.err
    out = product.folder / "outputs" / "shop.rehearsal"
    assert json.loads((out / "summary.json").read_text())["unchecked_models"] == ["clip-2"]
