"""Magento's product export: shops in several languages, variants, and paths for pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.authoring.newmanifest import NewManifest
from pipeline.authoring.shops.conversion import convert
from pipeline.authoring.shops.recognition import find
from pipeline.errors import UsageError

HEADERS = (
    "sku", "store_view_code", "product_type", "categories", "name", "description",
    "short_description", "product_online", "price", "special_price", "base_image", "small_image",
    "additional_images", "configurable_variations", "url_key",
)  # fmt: skip
Made = Callable[..., tuple[list[dict[str, str]], Any]]
Save = Callable[..., Path]
BASE = "https://shop.example.com/media/catalog/product"


def rows_of(made: NewManifest) -> list[dict[str, str]]:
    return [dict(zip(made.headers, row, strict=True)) for row in made.rows]


def pictures(row: dict[str, str]) -> list[str]:
    return [row[f"image_{n}"] for n in (1, 2, 3) if row[f"image_{n}"]]


BAG = {
    "sku": "BAG", "product_type": "simple", "categories": "Default/Gear,Default/Gear/Bags",
    "name": "Duffle", "description": "<p>Duffle &eacute;</p>", "price": "34.00",
    "product_online": "1", "base_image": "/m/b/1.jpg", "url_key": "duffle",
    "additional_images": "/m/b/1.jpg,/m/b/2.jpg,/m/b/3.jpg",
}  # fmt: skip


def test_lines_of_shops_are_no_products(save: Save) -> None:
    """What a shop calls a product in its language belongs to the product, in any order."""
    path = save(HEADERS, [{"sku": "BAG", "store_view_code": "de", "name": "Tasche"}, BAG])
    made = convert(path, find("magento"), picture_base=f"{BASE}/")
    (row,) = rows_of(made.manifest)
    kept = {"key": "BAG", "title": "Duffle", "description": "Duffle é", "type": "Bags",
            "price": "34.00", "status": "online", "url_key": "duffle"}  # fmt: skip
    assert kept.items() <= row.items()
    assert pictures(row) == [f"{BASE}/m/b/{n}.jpg" for n in (1, 2, 3)]
    assert not made.findings


def test_pictures_without_an_address_are_paths(save: Save) -> None:
    """They are kept, and the option that completes them is named."""
    made = convert(save(HEADERS, [BAG]), find("magento"))
    assert pictures(rows_of(made.manifest)[0]) == ["m/b/1.jpg", "m/b/2.jpg", "m/b/3.jpg"]
    assert "--picture-base https://YOUR-SHOP/media/catalog/product" in made.findings[0]


def test_variants_belong_to_their_product(save: Save) -> None:
    """They are no rows; their pictures and price stand in; offline products can be left out."""
    lines = [
        {"sku": "S-1", "name": "Shirt S", "price": "9", "base_image": "/s/1.jpg"},
        {"sku": "S", "name": "Shirt", "base_image": "no_selection",
         "configurable_variations": "sku=S-1,size=S|sku=S-2,size=M"},
        {"sku": "OFF", "name": "Old", "product_online": "2", "small_image": "/o.jpg"},
    ]  # fmt: skip
    path = save(HEADERS, lines)
    made = convert(path, find("magento"), picture_base=BASE)
    first, second = rows_of(made.manifest)
    assert (first["key"], first["price"], pictures(first)) == ("S", "9", [f"{BASE}/s/1.jpg"])
    assert (second["key"], second["status"], pictures(second)) == ("OFF", "offline", [])
    active = convert(path, find("magento"), picture_base=BASE, only_active=True)
    assert [row["key"] for row in rows_of(active.manifest)] == ["S"]


def test_a_row_for_each_variant(save: Save) -> None:
    """With --variants each has its SKU and values, its own line's picture, and its product's."""
    lines = [
        {"sku": "S-1", "name": "Shirt-S-Blue", "price": "9", "base_image": "/s/1.jpg",
         "product_online": "2"},
        {"sku": "S", "name": "Shirt Ada", "price": "8", "base_image": "/s/0.jpg",
         "additional_attributes": "material=Linen", "product_online": "1",
         "configurable_variations": "sku=S-1,size=S,color=Blue|sku=S-2,size=M,color=Blue"},
        BAG,
    ]  # fmt: skip
    path = save((*HEADERS, "additional_attributes"), lines)
    made = convert(path, find("magento"), picture_base=BASE, variants=True)
    first, second, bag = rows_of(made.manifest)
    assert (first["key"], first["title"], first["status"]) == (
        "S-1",
        "Shirt Ada, S, Blue",
        "offline",
    )
    assert (second["key"], second["title"], second["status"]) == (
        "S-2",
        "Shirt Ada, M, Blue",
        "online",
    )
    assert (first["price"], second["price"]) == ("9", "8")
    assert (pictures(first), pictures(second)) == ([f"{BASE}/s/1.jpg"], [f"{BASE}/s/0.jpg"])
    assert first["prompt"].startswith("Product film of Shirt Ada, Blue, made of linen, exactly as")
    assert bag["key"] == "BAG"


def test_thumbnails_stand_in_where_there_is_no_other_column(save: Save) -> None:
    """An export of some columns alone still has pictures."""
    path = save(
        ("sku", "name", "small_image"), [{"sku": "A", "name": "A", "small_image": "/a.jpg"}]
    )
    assert pictures(rows_of(convert(path, find("magento")).manifest)[0]) == ["a.jpg"]


def test_a_base_is_an_address(save: Save) -> None:
    """Anything else is refused before the export is read."""
    with pytest.raises(UsageError, match="--picture-base: shop") as raised:
        convert(save(HEADERS, [BAG]), find("magento"), picture_base="shop.example.com")
    assert "https://YOUR-SHOP/media/catalog/product" in str(raised.value.action)


@pytest.mark.parametrize("shop", ["woocommerce", "shopify", "google", "prestashop"])
def test_it_is_no_export_of_another_shop(save: Save, shop: str) -> None:
    """Nobody takes it, with pictures or without; all name the format that loses nothing."""
    for headers in (HEADERS, ("sku", "attribute_set_code", "name", "price")):
        line = {name: text for name, text in BAG.items() if name in headers}
        with pytest.raises(UsageError, match="is not a product export") as raised:
            convert(save(headers, [line]), find(shop))
        assert raised.value.action == "It looks like an export of magento: use --from magento."
