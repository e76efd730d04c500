"""How a manifest was read stays as it was, once anything was sent from it."""

from __future__ import annotations

from pipeline.disk.folder import OutputFolder
from pipeline.runner.knownreading import known_reading
from tests.system.harness.api import Api
from tests.system.harness.product import Product

RUSSIAN = "key,prompt\r\nK1,Красная кружка медленно вращается\r\n"


def test_a_regional_csv_is_read_run_and_read_again(product: Product, api: Api) -> None:
    """Found at first, kept afterwards: an edit that would be read otherwise changes no row."""
    sheet = product.folder / "m.csv"
    sheet.write_bytes(RUSSIAN.encode("cp1251"))
    checked = product("check", sheet)
    assert checked.code == 0
    assert "read as cp1251" in checked.err
    assert "Красная кружка" in checked.err
    assert product("run", sheet).code == 0
    assert any("Красная кружка" in one["prompt"] for one in api.records()["submissions"])
    # By itself, it would be read in another way from now on.
    more = "".join(f"N{at},Schöne grüne Bänke für Gärten\r\n" for at in range(9))
    sheet.write_bytes(RUSSIAN.encode("cp1251") + more.encode("cp1252"))
    again = product("plan", sheet, "--json")
    assert "as in its earlier runs" in again.err
    assert again.json["groups"]["done"] == 1


def test_what_was_found_out_outlives_the_journal(product: Product, api: Api) -> None:
    """A restored journal reads as the lost one did; a file that a run wrote changes no note."""
    sheet, out = product.folder / "m.csv", product.folder / "out"
    text = RUSSIAN.replace("кружка", f"кружка {product.folder.name}") + "K2,\r\n"
    sheet.write_bytes(text.encode("cp1251"))
    mark, words = api.mark(), (sheet, "--out", out)
    assert product("run", *words).code == 1
    reading = known_reading(OutputFolder(out))
    assert reading is not None
    assert reading.encoding == "cp1251"
    assert product("run", out / "failed.csv", "--out", out).code == 1
    assert known_reading(OutputFolder(out)) == reading
    (out / "journal.db").unlink()
    rebuilt = product("journal", "rebuild", *words, "--yes")
    assert rebuilt.code == 0, rebuilt.err
    assert known_reading(OutputFolder(out)) == reading
    more = "".join(f"N{at},Schöne grüne Bänke für Gärten\r\n" for at in range(9))
    sheet.write_bytes(text.encode("cp1251") + more.encode("cp1252"))
    again = product("plan", *words, "--json")
    assert "as in its earlier runs" in again.err
    assert again.json["groups"]["done"] == 1
    assert len(api.calls("submit", since=mark)) == 1
