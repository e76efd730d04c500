"""PrestaShop's product files: those for its import, and the list of its back office."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.authoring.shops.conversion import convert
from pipeline.authoring.shops.recognition import find

IMPORT = (
    "Product ID", "Active (0/1)", "Name *", "Categories (x,y,z...)", "Price tax included",
    "Reference #", "Manufacturer", "Summary", "Description", "Tags (x,y,z...)",
    "Image URLs (x,y,z...)",
)  # fmt: skip
LIST = (
    "Product ID", "Image", "Name", "Reference", "Category", "Price (tax excl.)", "Quantity",
    "Status",
)  # fmt: skip
Made = Callable[..., tuple[list[dict[str, str]], Any]]
Save = Callable[..., Path]
AT = "https://127.0.0.1"


def pictures(row: dict[str, str]) -> list[str]:
    return [row[f"image_{n}"] for n in (1, 2, 3) if row[f"image_{n}"]]


def test_a_file_for_the_import(save: Save, made: Made) -> None:
    """Reference or ID is the key; categories, tags and pictures are separated by commas."""
    lines = [
        {"Product ID": "7", "Active (0/1)": "1", "Name *": "Mug", "Reference #": "M-1",
         "Categories (x,y,z...)": "Home, Mugs", "Price tax included": "9", "Manufacturer": "Kiln",
         "Summary": "<p>Big</p>", "Description": "Long", "Tags (x,y,z...)": "clay,blue",
         "Image URLs (x,y,z...)": f"{AT}/a.jpg,{AT}/b.jpg, {AT}/c.jpg"},
        {"Product ID": "8", "Active (0/1)": "0", "Name *": "Tea"},
        {"Name *": "Nameless"},
    ]  # fmt: skip
    path = save(IMPORT, lines)
    rows, conversion = made(path, "prestashop")
    kept = {"key": "M-1", "title": "Mug", "type": "Mugs", "vendor": "Kiln", "description": "Big",
            "price": "9", "tags": "clay,blue", "status": "active"}  # fmt: skip
    assert kept.items() <= rows[0].items()
    assert pictures(rows[0]) == [f"{AT}/{name}.jpg" for name in "abc"]
    assert (rows[1]["key"], rows[1]["status"]) == ("id-8", "inactive")
    assert conversion.findings[0] == (
        "1 product: not shown to customers (draft, archived, offline …); --only-active leaves such "
        "out (id-8)"
    )
    assert conversion.findings[2:] == ("left out: line 4: it has neither a reference nor an ID",)
    rows, _ = made(path, "prestashop", only_active=True)
    assert [row["key"] for row in rows] == ["M-1"]


def test_the_list_of_products(save: Save, made: Made) -> None:
    """Its thumbnails have large pictures beside them; without an address they are paths."""
    lines = [
        {"Product ID": "1", "Name": "Mug", "Image": f"{AT}/12-small_default/mug.jpg"},
        {"Product ID": "2", "Name": "Tea", "Image": f"{AT}/img/p/1/1-small_default.jpg"},
    ]
    rows, _ = made(save(LIST, lines), "prestashop")
    assert [pictures(row) for row in rows] == [
        [f"{AT}/12-large_default/mug.jpg"],
        [f"{AT}/img/p/1/1-large_default.jpg"],
    ]
    path = save(LIST, [{"Product ID": "1", "Name": "Mug", "Image": "/img/p/1/1.jpg"}])
    made_of = convert(path, find("prestashop"), picture_base=AT).manifest
    assert f"{AT}/img/p/1/1.jpg" in made_of.rows[0]


def test_headers_in_french(save: Save, made: Made) -> None:
    """As the back office writes them."""
    line = {"ID": "1", "Image": f"{AT}/a.jpg", "Nom": "Tasse", "Référence": "T-1"}
    (row,), _ = made(save(tuple(line), [line]), "prestashop")
    assert (row["key"], row["title"], pictures(row)) == ("T-1", "Tasse", [f"{AT}/a.jpg"])


def test_a_row_for_each_combination(save: Save, made: Made) -> None:
    """With --variants; without, they belong to their product. The list of products has none."""
    lines = [
        {"Product ID": "7", "Name *": "Hoodie", "Reference #": "H",
         "Image URLs (x,y,z...)": f"{AT}/h.jpg"},
        {"Product ID": "7", "Reference #": "H-B", "Image URLs (x,y,z...)": f"{AT}/b.jpg",
         "Attribute (Name:Type:Position)*": "Color:color:0, Size:select:1",
         "Value (Value:Position)*": "Blue:0, M:1"},
        {"Product ID": "7", "Attribute (Name:Type:Position)*": "Color:color:0, Size:select:1",
         "Value (Value:Position)*": "Sand:1, M:1"},
        {"Product ID": "7", "Name *": "A second product of that ID", "Reference #": "X"},
    ]  # fmt: skip
    headers = (*IMPORT, "Attribute (Name:Type:Position)*", "Value (Value:Position)*")
    rows, _ = made(save(headers, lines), "prestashop")
    assert [row["key"] for row in rows] == ["H", "X"]
    rows, _ = made(save(headers, lines), "prestashop", variants=True)
    assert [(row["key"], row["title"], pictures(row)) for row in rows] == [
        ("H-B", "Hoodie, Blue, M", [f"{AT}/b.jpg"]),
        ("H-Sand-M", "Hoodie, Sand, M", [f"{AT}/h.jpg"]),
        ("X", "A second product of that ID", []),
    ]
    assert rows[0]["prompt"].startswith("Product film of Hoodie, Blue, exactly as in the picture.")
    path = save(LIST, [{"Product ID": "1", "Name": "Mug", "Image": f"{AT}/m.jpg"}])
    _, conversion = made(path, "prestashop", variants=True)
    assert "the list of products has none" in conversion.findings[0]
