"""Shopify's product export: one row per product, its pictures in the product's own order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from pipeline.authoring.shops.conversion import convert, web_address
from pipeline.authoring.shops.recognition import find
from pipeline.errors import UsageError

OLD = (
    "Handle", "Title", "Body (HTML)", "Vendor", "Type", "Tags", "Published", "Variant SKU",
    "Variant Price", "Image Src", "Image Position", "Variant Image", "Status",
)  # fmt: skip
NEW = (
    "Title", "URL handle", "Description", "Vendor", "Product category", "Type", "Tags",
    "Published on online store", "Status", "SKU", "Price", "Compare-at price", "Product image URL",
    "Image position", "Variant image URL",
)  # fmt: skip
Made = Callable[..., tuple[list[dict[str, str]], Any]]
Save = Callable[..., Path]


def pictures(row: dict[str, str]) -> list[str]:
    return [row[f"image_{n}"] for n in (1, 2, 3) if row[f"image_{n}"]]


def picture(handle: str, place: str, link: str) -> dict[str, str]:
    return {"Handle": handle, "Image Src": link, "Image Position": place}


def test_lines_of_a_product_become_one_row(save: Save, made: Made) -> None:
    """Variants and further pictures are lines of their product, also when they are far apart."""
    path = save(
        OLD,
        [
            {"Handle": "mug", "Title": "Mug", "Variant Price": "9", "Status": "active"}
            | picture("mug", "1", "https://127.0.0.1/1.jpg"),
            {"Handle": "mug", "Variant Price": "11"},
            {"Handle": "tea", "Title": "Tea"},
            picture("mug", "3", "https://127.0.0.1/3.jpg"),
            picture("mug", "2", "https://127.0.0.1/2.jpg"),
        ],
    )
    rows, _ = made(path, "shopify")
    assert [row["key"] for row in rows] == ["mug", "tea"]
    assert pictures(rows[0]) == [f"https://127.0.0.1/{n}.jpg" for n in (1, 2, 3)]
    assert (rows[0]["price"], rows[0]["status"]) == ("9", "active")
    assert pictures(rows[1]) == []


def test_positions_are_numbers(save: Save, made: Made) -> None:
    """Ten comes after two, and a picture without a position last."""
    lines = [{"Handle": "mug", "Title": "Mug"}]
    lines += [
        picture("mug", place, f"https://127.0.0.1/{place or 'x'}.jpg") for place in ("", "10", "2")
    ]
    rows, _ = made(save(OLD, lines), "shopify")
    assert pictures(rows[0]) == [f"https://127.0.0.1/{n}.jpg" for n in ("2", "10", "x")]


def test_two_pictures_are_one(save: Save, made: Made) -> None:
    """With two the first is used; the row and the summary say so."""
    lines = [
        {"Handle": "mug", "Title": "Mug"},
        picture("mug", "2", "https://127.0.0.1/b.jpg"),
        picture("mug", "1", "https://127.0.0.1/a.jpg"),
    ]
    rows, conversion = made(save(OLD, lines), "shopify")
    assert pictures(rows[0]) == ["https://127.0.0.1/a.jpg"]
    assert "2 pictures found" in rows[0]["notes"]
    assert "1 product: 2 pictures found" in conversion.findings[0]
    assert "(mug)" in conversion.findings[0]


def test_links_as_shops_write_them(save: Save, made: Made) -> None:
    """`//cdn…` gets its https:, a blank is encoded, the same picture twice is one."""
    lines = [
        {"Handle": "mug", "Title": "Mug"},
        picture("mug", "1", "//127.0.0.1/a b.jpg?v=1"),
        picture("mug", "2", "https://127.0.0.1/a%20b.jpg?v=1"),
    ]
    rows, _ = made(save(OLD, lines), "shopify")
    assert pictures(rows[0]) == ["https://127.0.0.1/a%20b.jpg?v=1"]
    assert web_address(" //127.0.0.1/x ") == "https://127.0.0.1/x"


def test_a_link_that_is_none(save: Save, made: Made) -> None:
    """A picture that no provider could fetch is left out and named in the row."""
    lines = [{"Handle": "mug", "Title": "Mug"}, picture("mug", "1", "mug.jpg")]
    rows, conversion = made(save(OLD, lines), "shopify")
    assert pictures(rows[0]) == []
    assert "mug.jpg" in rows[0]["notes"]
    assert any("picture link cannot be used" in line for line in conversion.findings)


def test_variant_pictures_stand_in(save: Save, made: Made) -> None:
    """A product whose pictures hang on its variants only is not without."""
    lines = [
        {"Handle": "mug", "Title": "Mug", "Variant Image": "https://127.0.0.1/blue.jpg"},
        {"Handle": "mug", "Variant Image": "https://127.0.0.1/blue.jpg"},
    ]
    rows, _ = made(save(OLD, lines), "shopify")
    assert pictures(rows[0]) == ["https://127.0.0.1/blue.jpg"]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".tsv"])
def test_the_prompt_speaks_of_the_product(save: Save, made: Made, suffix: str) -> None:
    """Title, type, and what can be seen; no vendor. The description keeps its plain text."""
    body = '<p>Thrown by hand,\r\nin "two" sizes</p>\n<ul><li>Safe, in the oven</li></ul>'
    lines = [
        {
            "Handle": "mug",
            "Title": "Moss",
            "Vendor": "Kiln & Co",
            "Type": "Mug",
            "Body (HTML)": body,
        }
    ]
    rows, _ = made(save(OLD, lines), "shopify", suffix=suffix)
    assert rows[0]["prompt"].startswith("Product film of Moss (Mug). The camera pushes in slowly")
    assert rows[0]["video_look"] == "hero push-in"
    assert rows[0]["description"] == 'Thrown by hand, in "two" sizes; Safe, in the oven'


def test_a_template_of_ones_own(save: Save, made: Made) -> None:
    """The template takes any column of the export."""
    lines = [{"Handle": "mug", "Title": "Mug", "Variant SKU": "M-1"}]
    rows, _ = made(
        save(OLD, lines), "shopify", template="{{ title | upper }} {{ row['Variant SKU'] }}"
    )
    assert (rows[0]["prompt"], rows[0]["video_look"]) == ("MUG M-1", "")


def test_the_newer_headers(save: Save, made: Made) -> None:
    """The renamed columns are understood, and what a person would want is kept."""
    lines = [
        {
            "Title": "Mug", "URL handle": "mug", "Description": "<p>Big</p>", "Vendor": "Kiln",
            "Product category": "Home > Mugs", "Tags": "clay, blue", "SKU": "M-1", "Price": "9",
            "Compare-at price": "12", "Published on online store": "TRUE", "Status": "Active",
            "Product image URL": "https://127.0.0.1/b.jpg", "Image position": "2",
        },
        {"URL handle": "mug", "Product image URL": "https://127.0.0.1/a.jpg",
         "Image position": "1"},
        {"URL handle": "mug", "Product image URL": "https://127.0.0.1/c.jpg",
         "Image position": "3"},
    ]  # fmt: skip
    rows, _ = made(save(NEW, lines), "shopify")
    assert pictures(rows[0]) == [f"https://127.0.0.1/{n}.jpg" for n in "abc"]
    kept = {"title": "Mug", "vendor": "Kiln", "tags": "clay, blue", "price": "9", "sku": "M-1",
            "status": "active", "category": "Home > Mugs", "compare_at_price": "12"}  # fmt: skip
    assert kept.items() <= rows[0].items()
    assert "type" not in rows[0]


@pytest.mark.parametrize(
    ("cells", "shown", "active"),
    [
        (("active", "TRUE"), "active", True),
        (("Active", ""), "active", True),
        (("active", "false"), "active, unpublished", False),
        (("draft", "TRUE"), "draft", False),
        (("archived", "TRUE"), "archived", False),
        (("unlisted", "TRUE"), "unlisted", False),
        (("", "true"), "published", True),
        (("", ""), "published", True),
        (("", "FALSE"), "unpublished", False),
    ],
)
def test_only_what_customers_see(
    save: Save, made: Made, cells: tuple[str, str], shown: str, active: bool
) -> None:
    """The status stands in a column; --only-active leaves out the rest and says so."""
    lines = [
        {"Handle": "a", "Title": "A", "Status": cells[0], "Published": cells[1]},
        {"Handle": "b", "Title": "B", "Status": "active", "Published": "TRUE"},
    ]
    path = save(OLD, lines)
    rows, _ = made(path, "shopify")
    assert [row["status"] for row in rows] == [shown, "active"]
    rows, conversion = made(path, "shopify", only_active=True)
    assert [row["key"] for row in rows] == (["a", "b"] if active else ["b"])
    said = [line for line in conversion.findings if "no picture" not in line]
    assert bool(said) is not active


def test_products_without_words(save: Save, made: Made) -> None:
    """Without title and description there is no prompt: left out and named; a title is enough."""
    lines = [
        {"Handle": "bare", "Variant Price": "1"},
        {"Handle": "told", "Body (HTML)": "A mug"},
        {"Title": "Named Only"},
        {"Variant Price": "2"},
    ]
    rows, conversion = made(save(OLD, lines), "shopify")
    assert [row["key"] for row in rows] == ["told", "named-only"]
    assert "No title" in rows[0]["notes"]
    assert any("neither a title nor a description (bare)" in line for line in conversion.findings)


def test_a_line_that_belongs_nowhere(save: Save, made: Made) -> None:
    """A first line without handle and title is named by its number."""
    _, conversion = made(save(OLD, [{"Vendor": "x"}, {"Handle": "a", "Title": "A"}]), "shopify")
    assert conversion.findings[1:] == ("left out: line 2: it has neither a handle nor a title",)


def test_cells_that_look_like_formulas(save: Save, made: Made, tmp_path: Path) -> None:
    """They are strings in the workbook and reach the manifest unchanged."""
    lines = [{"Handle": "mug", "Title": "=1+1", "Vendor": "@home", "Tags": "-5"}]
    rows, _ = made(save(OLD, lines), "shopify", suffix=".xlsx")
    assert (rows[0]["title"], rows[0]["vendor"], rows[0]["tags"]) == ("=1+1", "@home", "-5")
    sheet = openpyxl.load_workbook(tmp_path / "made.xlsx").worksheets[0]
    assert not [cell for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


def test_an_empty_export(save: Save) -> None:
    """A header without lines is said, with how to get a full one."""
    with pytest.raises(UsageError, match="has no products") as raised:
        convert(save(OLD, []), find("shopify"))
    assert "Export" in str(raised.value.action)


def test_nothing_left(save: Save) -> None:
    """When every product is left out the reasons are the message."""
    path = save(OLD, [{"Handle": "a", "Title": "A", "Status": "draft"}])
    with pytest.raises(UsageError, match="--only-active: draft"):
        convert(path, find("shopify"), only_active=True)


def test_an_export_of_another_shop(save: Save) -> None:
    """The missing columns are named, and the format that fits."""
    path = save(("ID", "SKU", "Name"), [{"ID": "1", "Name": "Mug"}])
    with pytest.raises(UsageError, match='"URL handle" or "Handle"') as raised:
        convert(path, find("shopify"))
    assert "--from woocommerce" in str(raised.value.action)


def test_thousands_of_lines(save: Save, made: Made) -> None:
    """A large shop comes through whole: 3,000 products on 12,000 lines."""
    lines = []
    for number in range(3000):
        handle = f"mug-{number}"
        body = f"<p>Mug number {number}</p>" * 20
        lines.append({"Handle": handle, "Title": f"Mug {number}", "Body (HTML)": body})
        lines += [
            picture(handle, str(place), f"https://127.0.0.1/{number}-{place}.jpg")
            for place in (3, 1, 2)
        ]
    rows, _ = made(save(OLD, lines), "shopify")
    assert len(rows) == 3000
    assert pictures(rows[-1]) == [f"https://127.0.0.1/2999-{n}.jpg" for n in (1, 2, 3)]


def test_a_row_for_each_variant(save: Save, made: Made) -> None:
    """With --variants each has the words of its options, its own key and picture."""
    options = ("Option1 Name", "Option1 Value", "Option2 Value")
    link = "https://127.0.0.1/{}.jpg"
    lines = [
        {"Handle": "mug", "Title": "Mug", "Option1 Name": "Color", "Option1 Value": "Moss",
         "Variant SKU": "M-1", "Image Src": link.format("m")},
        {"Handle": "mug", "Option1 Value": "Sand", "Variant Image": link.format("s")},
        {"Handle": "tea", "Title": "Tea", "Option1 Value": "Default Title"},
    ]  # fmt: skip
    path = save((*OLD, *options), lines)
    assert [row["key"] for row in made(path, "shopify")[0]] == ["mug", "tea"]
    rows, _ = made(path, "shopify", variants=True)
    assert [row["key"] for row in rows] == ["M-1", "mug-sand", "tea"]
    assert pictures(rows[1]) == [link.format("s")]
    assert rows[1]["prompt"].startswith("Product film of Mug, Sand, exactly as in the picture. ")


def test_what_is_hard_to_film_stays_and_is_named(save: Save, made: Made) -> None:
    """Products without a picture, gift cards and digital ones are rows, and a line names them."""
    lines = [
        {"Handle": "card", "Title": "Gift Card"},
        {"Handle": "book", "Title": "Knitting", "Type": "E-Book"}
        | picture("book", "1", "https://127.0.0.1/1.jpg"),
    ]
    rows, conversion = made(save(OLD, lines), "shopify")
    assert [row["key"] for row in rows] == ["card", "book"]
    said = "\n".join(conversion.findings)
    assert "no picture in the export, so the film is made of words alone (card)" in said
    assert "a gift card: perhaps there is nothing to film" in said
    assert (
        "a digital product: perhaps there is nothing to film; delete the row if so (book)" in said
    )
