"""failed.csv and results.csv as manifests: same folder, same keys, same pictures, nothing lost."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
from PIL import Image

from tests.system.harness.api import Api
from tests.system.harness.product import Product


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 360), "teal").save(path)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_failed_rows_are_corrected_and_run_by_themselves(product: Product, api: Api) -> None:
    """They go on in the same journal; the file is not written over, nor the other results."""
    _picture(product.folder / "shop" / "photos" / "a.jpg")
    manifest = product.folder / "shop" / "spring.csv"
    text = "prompt,image_1,duration\nA shoe,photos/a.jpg,4\nA bag,photos/a.jpg,5\n"
    manifest.write_text(text, encoding="utf-8")
    out = product.folder / "outputs" / "spring"
    assert product("run", manifest, "-q").code == 1
    failed, results = out / "failed.csv", out / "results.csv"
    (bad,) = _table(failed)
    assert bad["key"].startswith("row-"), (
        "the manifest has no key column, so the row brings its key"
    )
    corrected = failed.read_text(encoding="utf-8").replace(",5,", ",6,")
    failed.write_text(corrected, encoding="utf-8")
    before = results.read_bytes()

    mark = api.mark()
    again = product("run", failed)
    assert again.code == 0, again.err
    assert len(api.calls("submit", since=mark)) == 1
    assert failed.read_text(encoding="utf-8") == corrected
    assert results.read_bytes() == before
    assert [one["result_state"] for one in _table(out / "failed-results.csv")] == ["done"]
    assert "Do not repeat the corrections" in again.err
    assert [one.name for one in (product.folder / "outputs").iterdir()] == ["spring"]

    mark = api.mark()
    assert product("report", manifest).code == 0
    assert [one["result_state"] for one in _table(results)] == ["done", "done"]
    for name in (manifest, results):
        assert product("run", name, "-q").code == 0
    assert api.calls("submit", since=mark) == [], "nothing is paid again, by whatever name"


def test_failed_rows_of_a_workbook(product: Product, api: Api) -> None:
    """The workbook of failed rows runs as it is, whatever sheet the manifest's rows came from."""
    manifest = product.folder / "shop.xlsx"
    book = openpyxl.Workbook()
    book.create_sheet("Products")
    for row in (("sku", "prompt", "duration"), ("A", "x", 4), ("B", "y", 7)):
        book["Products"].append(row)
    book.save(manifest)
    sheet = ("--set", "manifest.sheet=2")
    assert product("run", manifest, "-q", *sheet).code == 1
    failed = product.folder / "outputs" / "shop" / "failed.xlsx"
    book = openpyxl.load_workbook(failed)
    (cell,) = (cell for row in book.worksheets[0] for cell in row if cell.value == 7)
    cell.value = 10
    book.save(failed)
    mark = api.mark()
    assert product("run", failed, "-q", *sheet).code == 0
    assert len(api.calls("submit", since=mark)) == 1
    assert (failed.parent / "failed-results.xlsx").is_file()


def test_rehearsals_and_live_runs_do_not_mix(product: Product, rehearsing: Product) -> None:
    """A file from a rehearsal is not run live in its folder, nor the other way round."""
    manifest = product.folder / "shop.csv"
    manifest.write_text("sku,prompt,duration\nA,x,4\nB,y,5\n", encoding="utf-8")
    assert product("run", manifest, "-q").code == 1
    refused = rehearsing("run", product.folder / "outputs" / "shop" / "failed.csv")
    assert refused.code == 2
    assert "live run" in refused.err
    home = product.folder / "outputs" / "shop"
    home.rename(home.with_name("shop.rehearsal"))
    refused = product("run", home.with_name("shop.rehearsal") / "failed.csv")
    assert refused.code == 2
    assert "comes from a rehearsal" in refused.err
    assert product("run", manifest, "-q").code == 1


def test_prompts_are_shown_before_they_are_sent(product: Product) -> None:
    """`check --show-prompts` prints what a template makes of the first rows."""
    manifest = product.folder / "shop.csv"
    manifest.write_text("sku,Title\nA,Shoe\nB,\nC,Hat\nD,Bag\n", encoding="utf-8")
    template = ("--set", 'manifest.prompt_template="Video of {{ title | lower }}."')
    shown = product("check", manifest, "--show-prompts", "2", *template)
    assert shown.code == 2
    assert "row 2 (key A): Video of shoe." in shown.out
    assert "row 4 (key C): Video of hat." in shown.out
    assert "Video of bag" not in shown.out
    document = product("check", manifest, "--show-prompts", "1", "--json", *template).json
    assert document["prompts"] == [{"row": 2, "key": "A", "prompt": "Video of shoe."}]
    assert document["problems"][0]["column"] == "Title"
