"""How a manifest was read stays as it was, once anything was sent from it."""

from __future__ import annotations

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
