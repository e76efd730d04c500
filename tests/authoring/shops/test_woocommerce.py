"""WooCommerce's product export: products in rows, variations with their parents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.authoring.shops.conversion import convert
from pipeline.authoring.shops.recognition import EXPORT_FORMATS, find
from pipeline.errors import ManifestError, UsageError

HEADERS = (
    "ID", "Type", "SKU", "Name", "Published", "Short description", "Description", "Sale price",
    "Regular price", "Categories", "Tags", "Images", "Parent", "External URL", "Brands",
)  # fmt: skip
Made = Callable[..., tuple[list[dict[str, str]], Any]]
Save = Callable[..., Path]


def test_a_simple_product(save: Save, made: Made) -> None:
    """SKU, name, words, price, category, brand, link and three pictures, commas escaped."""
    line = {
        "ID": "7", "Type": "simple", "SKU": "M-1", "Name": "Mug &amp; saucer", "Published": "1",
        "Short description": r"<strong>Big</strong>\n\nand [gallery ids=""1""] blue",
        "Regular price": "12", "Sale price": "9", "Categories": r"Home > Mugs\, cups, Sale",
        "Tags": "clay, blue", "Brands": "Kiln", "External URL": "https://127.0.0.1/p",
        "Images": r"https://127.0.0.1/a.jpg, https://127.0.0.1/b\,c.jpg, https://127.0.0.1/d.jpg",
    }  # fmt: skip
    (row,), _ = made(save(HEADERS, [line]), "woocommerce")
    kept = {
        "key": "M-1", "title": "Mug & saucer", "description": "Big; and blue", "price": "9",
        "regular_price": "12", "type": "Mugs, cups", "vendor": "Kiln", "tags": "clay, blue",
        "status": "published", "url": "https://127.0.0.1/p", "image_2": "https://127.0.0.1/b,c.jpg",
    }  # fmt: skip
    assert kept.items() <= row.items()


def test_the_id_stands_in_for_the_sku(save: Save, made: Made) -> None:
    """Without an SKU the key is the ID, and without both the line is named."""
    lines = [{"ID": "7", "Name": "A"}, {"Name": "B"}]
    rows, conversion = made(save(HEADERS, lines), "woocommerce")
    assert [row["key"] for row in rows] == ["id-7"]
    assert conversion.findings[1:] == ("left out: line 3: it has neither an SKU nor an ID",)


@pytest.mark.parametrize("parent", ["SHIRT", "id:1"])
def test_variations_belong_to_their_parent(save: Save, made: Made, parent: str) -> None:
    """They are no rows; their pictures and price stand in where the parent has none."""
    lines = [
        {"ID": "1", "Type": "variable", "SKU": "SHIRT", "Name": "Shirt"},
        {"ID": "2", "Type": "variation", "SKU": "SHIRT-S", "Name": "Shirt - S", "Parent": parent,
         "Regular price": "20", "Images": "https://127.0.0.1/s.jpg"},
    ]  # fmt: skip
    (row,), _ = made(save(HEADERS, lines), "woocommerce")
    assert (row["key"], row["price"], row["image_1"]) == ("SHIRT", "20", "https://127.0.0.1/s.jpg")


def test_a_variation_without_its_parent(save: Save, made: Made) -> None:
    """Exported alone it is a product of its own, and no picture is lost."""
    lines = [{"ID": "2", "Type": "variation", "SKU": "S", "Name": "Shirt - S", "Parent": "SHIRT"}]
    (row,), _ = made(save(HEADERS, lines), "woocommerce")
    assert row["key"] == "S"


@pytest.mark.parametrize(
    ("published", "status", "active"),
    [("1", "published", True), ("0", "private", False), ("-1", "draft", False),
     ("2", "pending", False)],
)  # fmt: skip
def test_statuses(save: Save, made: Made, published: str, status: str, active: bool) -> None:
    """The number becomes a word; --only-active keeps the published ones."""
    lines = [
        {"SKU": "a", "Name": "A", "Published": published},
        {"SKU": "b", "Name": "B", "Published": "1"},
    ]
    path = save(HEADERS, lines)
    rows, _ = made(path, "woocommerce")
    assert rows[0]["status"] == status
    rows, _ = made(path, "woocommerce", only_active=True)
    assert (rows[0]["key"] == "a") is active


def test_the_exporters_guard_is_taken_off(save: Save, made: Made) -> None:
    """The apostrophe before a formula goes, any other stays."""
    lines = [{"SKU": "a", "Name": "'=1+1"}, {"SKU": "b", "Name": "'s Mugs"}]
    rows, _ = made(save(HEADERS, lines), "woocommerce", suffix=".xlsx")
    assert [row["title"] for row in rows] == ["=1+1", "'s Mugs"]


def test_one_sku_twice(save: Save, made: Made) -> None:
    """Both products are rows with keys of their own, and it is said."""
    skus = ("A", "A-2", "A")
    lines = [{"SKU": sku, "Name": f"{sku} {number}"} for number, sku in enumerate(skus)]
    rows, conversion = made(save(HEADERS, lines), "woocommerce")
    assert [row["key"] for row in rows] == ["A", "A-2", "A-3"]
    assert "same SKU" in conversion.findings[0]


def test_headers_in_another_language(save: Save) -> None:
    """They are not guessed: the message names what is missing and how to export in English."""
    path = save(("ID", "Artikelnummer", "Name des Produkts"), [{"ID": "1"}])
    with pytest.raises(UsageError, match='no column "Name"') as raised:
        convert(path, find("woocommerce"))
    assert "English" in str(raised.value.action)


GERMAN = ("ID", "Typ", "Artikelnummer", "Name", "Veröffentlicht", "Kurzbeschreibung",
          "Regulärer Preis", "Kategorien", "Schlagwörter", "Bilder",
          "Übergeordnetes Produkt")  # fmt: skip
FRENCH = ("ID", "Type", "UGS", "Nom", "Publié", "Description courte", "Tarif régulier",
          "Catégories", "Étiquettes", "Images", "Parent")  # fmt: skip
SPANISH = ("ID", "Tipo", "SKU", "Nombre", "Publicado", "Descripción corta", "Precio normal",
           "Categorías", "Etiquetas", "Imágenes", "Superior")  # fmt: skip
POLISH = ("ID", "Rodzaj", "SKU", "Nazwa", "Opublikowano", "Krótki opis", "Cena regularna",
          "Kategorie", "Tagi", "Obrazki", "Rodzic")  # fmt: skip


@pytest.mark.parametrize("headers", [GERMAN, FRENCH, SPANISH, POLISH])
def test_headers_of_known_languages(save: Save, made: Made, headers: tuple[str, ...]) -> None:
    """The exporter translates its headers; products, variations and pictures are the same."""
    at = "https://127.0.0.1"
    lines = [
        ("1", "variable", "S", "Shirt", "1", "Soft", "", "A > B", "red", f"{at}/a.jpg", ""),
        ("2", "variation", "S-M", "Shirt M", "1", "", "20", "", "", f"{at}/b.jpg", "S"),
    ]
    path = save(headers, [dict(zip(headers, line, strict=True)) for line in lines])
    (row,), _ = made(path, "woocommerce")
    kept = {"key": "S", "title": "Shirt", "description": "Soft", "price": "20", "type": "B",
            "tags": "red", "status": "published", "image_1": f"{at}/a.jpg"}  # fmt: skip
    assert kept.items() <= row.items()


@pytest.mark.parametrize(
    ("headers", "line", "said"),
    [
        (("SKU", "Name", "Kuvat"), ("A", "Mug", "https://x.example/a.jpg?v=1"),
         'no column "Images", and its pictures would be lost: "Kuvat"'),
        (("SKU", "Name", "Tyyppi", "Images", "Emo"), ("A", "Mug", "variation", "", "B"),
         'no column "Parent", and each variation would become a product'),
    ],
)  # fmt: skip
def test_an_export_that_would_lose_something_is_refused(
    save: Save, headers: tuple[str, ...], line: tuple[str, ...], said: str
) -> None:
    """Columns of pictures and parents are required where the export has any, in any language."""
    path = save(headers, [dict(zip(headers, line, strict=True))])
    with pytest.raises(UsageError, match=said) as raised:
        convert(path, find("woocommerce"))
    assert "English" in str(raised.value.action)


def test_pictures_in_a_description_are_no_column_of_pictures(save: Save, made: Made) -> None:
    """Only cells that name pictures are."""
    line = {"SKU": "A", "Name": "Mug", "Description": '<img src="https://x.example/a.jpg">Big'}
    (row,), _ = made(save(tuple(line), [line]), "woocommerce")
    assert row["description"] == "Big"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a sentence."""
    with pytest.raises(ManifestError):
        convert(tmp_path / "none.csv", find("woocommerce"))


def test_formats_are_found_by_name() -> None:
    """Capitals do not matter; a slip gets a suggestion, anything else the list."""
    assert find(" Shopify ").name == "shopify"
    with pytest.raises(UsageError, match="no such export format") as raised:
        find("shoppify")
    assert "Did you mean shopify?" in str(raised.value.action)
    with pytest.raises(UsageError) as raised:
        find("xyz")
    assert all(name in str(raised.value.action) for name in EXPORT_FORMATS)


def test_a_row_for_each_variation(made: Made, save: Save) -> None:
    """With --variants each has its own key, words and pictures, and else its product's."""
    lines = [
        {"ID": "1", "Type": "variable", "SKU": "M", "Name": "Mug", "Images": "https://127.0.0.1/m.jpg"},
        {"ID": "2", "Type": "variation", "SKU": "M-B", "Name": "Mug - Blue", "Parent": "M"},
        {"ID": "3", "Type": "variation", "Name": "Mug - Red", "Parent": "M",
         "Images": "https://127.0.0.1/r.jpg"},
    ]  # fmt: skip
    path = save(HEADERS, lines)
    assert [row["key"] for row in made(path, "woocommerce")[0]] == ["M"]
    rows, _ = made(path, "woocommerce", variants=True)
    shown = [(row["key"], row["title"], row["image_1"][-5:]) for row in rows]
    assert shown == [("M-B", "Mug - Blue", "m.jpg"), ("id-3", "Mug - Red", "r.jpg")]
