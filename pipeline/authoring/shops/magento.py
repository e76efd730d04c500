"""The product export of Magento 2 and Adobe Commerce (System, Data Transfer, Export, Products).

Source: https://experienceleague.adobe.com/docs/commerce-admin/systems/data-transfer/: a product has
a line for all shops and further ones, with `store_view_code`, for what differs in a shop, such as
its name in another language. Several values in a cell are separated by commas. A configurable
product names its variants in `configurable_variations` (`sku=A-S,size=S|sku=A-M,size=M`), a grouped
one its parts in `associated_skus` (`A=1,B=2`). Pictures are paths below the folder
`pub/media/catalog/product` of the shop; `no_selection` means none.

Tested in tests/authoring/shops/test_magento.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.authoring.shops.exportformat import (
    Export,
    ExportFormat,
    Product,
    vary,
    with_values,
)
from pipeline.checker.naming import normalise_key
from pipeline.manifest.plaintext import plain_text, unescape
from pipeline.model import Row

_COLUMNS = {
    "sku": ("sku",),
    "store": ("store_view_code", "_store"),
    "kind": ("product_type", "_type"),
    "name": ("name",),
    "short": ("short_description",),
    "description": ("description",),
    "categories": ("categories",),
    "price": ("price",),
    "special_price": ("special_price",),
    "online": ("product_online", "status"),
    "base": ("base_image", "image"),
    "more": ("additional_images", "_media_image"),
    "small": ("small_image",),
    "variations": ("configurable_variations",),
    "brand": ("manufacturer", "brand"),
    "url": ("url_key",),
}
_PICTURES = ("base", "more")
_PAIR = re.compile(r"\s*(\w+)=(.*)", re.DOTALL)
_MORE = "additional_attributes"
_NONE = "no_selection"
_OFFLINE = "2"


def _products(export: Export, left_out: list[str]) -> list[Product]:
    lines: dict[str, list[Row]] = {}
    latest = ""
    for line in export.table.rows:
        # A line without an SKU goes on with the product before.
        latest = normalise_key(export.cell(line, "sku")) or latest
        if latest:
            lines.setdefault(latest, []).append(line)
        else:
            left_out.append(f"line {line.number}: it has no sku")
    below = {sku: _variations(export, some) for sku, some in lines.items()}
    variants = {one for some in below.values() for one in some if one in lines}
    products = []
    for sku, some in lines.items():
        if sku not in variants:
            known = [lines[one] for one in below[sku] if one in lines]
            product = _product(export, sku, some, known)
            own = tuple(
                _variant(export, product, one, values, lines.get(one, ()))
                for one, values in below[sku].items()
            )
            products.append(replace(product, variants=own if len(own) > 1 else ()))
    return products


def _variations(export: Export, lines: Sequence[Row]) -> dict[str, dict[str, str]]:
    """Return what tells each variant from the others, such as its size, by its SKU."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        for one in export.cell(line, "variations").split("|"):
            pairs = [pair.groups() for part in one.split(",") if (pair := _PAIR.fullmatch(part))]
            values = {name.casefold(): value.strip() for name, value in pairs}
            if sku := normalise_key(values.pop("sku", "")):
                found.setdefault(sku, values)
    return found


def _variant(
    export: Export, product: Product, sku: str, values: Mapping[str, str], lines: Sequence[Row]
) -> Product:
    """Return a variant: what its own lines say, and all else from its product."""
    lines = _in_order(export, lines)
    cells: Mapping[str, str] = export.cells(lines[0]) if lines else {}
    own = ",".join(f"{name}={value}" for name, value in values.items())
    more = [own, cells.get(_MORE, ""), product.export.get(_MORE, "")]
    special, price = _first(export, lines, "special_price"), _first(export, lines, "price")
    online = _first(export, lines, "online")
    variant = vary(
        product,
        {**cells, _MORE: ",".join(filter(None, more))},
        key=sku,
        title=with_values(product.title, list(values.values())),
        price=special or price or product.price,
        pictures=_links(export, lines) or product.pictures,
    )
    if not online:
        return variant
    active = online != _OFFLINE
    return replace(variant, status="online" if active else "offline", active=active)


def _in_order(export: Export, lines: Sequence[Row]) -> list[Row]:
    """Return the line for all shops, which says most, before those of what differs in a shop."""
    return sorted(lines, key=lambda line: bool(export.cell(line, "store")))


def _first(export: Export, lines: Sequence[Row], name: str) -> str:
    return next(filter(None, (export.cell(line, name) for line in lines)), "")


def _product(
    export: Export, sku: str, lines: Sequence[Row], variants: Sequence[Sequence[Row]]
) -> Product:
    lines = _in_order(export, lines)
    first = lines[0]

    def cell(name: str) -> str:
        return _first(export, lines, name)

    categories = [one.strip() for one in cell("categories").split(",")]
    special, online = cell("special_price"), cell("online")
    return Product(
        key=sku,
        line=first.number,
        title=plain_text(unescape(cell("name"))),
        type=categories[-1].rsplit("/", 1)[-1],
        vendor=cell("brand"),
        description=plain_text(cell("short")) or plain_text(cell("description")),
        price=special or cell("price") or _price(export, variants),
        status="offline" if online == _OFFLINE else "online",
        active=online != _OFFLINE,
        pictures=_pictures(export, lines, variants),
        kept={"category": ", ".join(filter(None, categories)), "url_key": cell("url")},
        export=export.cells(first),
    )


def _price(export: Export, variants: Sequence[Sequence[Row]]) -> str:
    prices = (export.cell(line, "price") for lines in variants for line in lines)
    return next(filter(None, prices), "")


def _pictures(
    export: Export, lines: Sequence[Row], variants: Sequence[Sequence[Row]]
) -> tuple[str, ...]:
    """Return the product's own pictures, or those of its variants if it has none."""
    own = _links(export, lines)
    return own or tuple(dict.fromkeys(one for some in variants for one in _links(export, some)))


def _links(export: Export, lines: Sequence[Row]) -> tuple[str, ...]:
    names = _PICTURES if any(name in export.places for name in _PICTURES) else ("small",)
    cells = (export.cell(line, name) for name in names for line in lines)
    links = (link.strip() for cell in cells for link in cell.split(","))
    return tuple(dict.fromkeys(link for link in links if link and link != _NONE))


FORMAT = ExportFormat(
    name="magento",
    shop="Magento 2",
    obtain="In Magento's admin: System, Export, Entity Type: Products, CSV.",
    columns=_COLUMNS,
    required=(("sku",), ("name",)),
    pictures=("base", "more", "small"),
    products=_products,
    marks=(
        "attribute_set_code", "store_view_code", "base_image", "additional_images",
        "configurable_variations", "product_online", "_attribute_set", "_media_image",
    ),
    base="https://YOUR-SHOP/media/catalog/product",
)  # fmt: skip
"""Magento's product export."""
