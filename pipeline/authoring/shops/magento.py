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
from collections.abc import Iterator, Sequence

from pipeline.authoring.shops.exportformat import Export, ExportFormat, Product
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
_SKU = re.compile(r"(?:^|[|,])\s*sku=([^,|]+)", re.IGNORECASE)
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
    below = {sku: list(_variants(export, some)) for sku, some in lines.items()}
    variants = {one for some in below.values() for one in some if one in lines}
    return [
        _product(export, sku, some, [lines[one] for one in below[sku] if one in lines])
        for sku, some in lines.items()
        if sku not in variants
    ]


def _variants(export: Export, lines: Sequence[Row]) -> Iterator[str]:
    for line in lines:
        for sku in _SKU.findall(export.cell(line, "variations")):
            yield normalise_key(sku)


def _product(
    export: Export, sku: str, lines: Sequence[Row], variants: Sequence[Sequence[Row]]
) -> Product:
    # The line for all shops says most; the lines of single shops have what differs in them.
    lines = sorted(lines, key=lambda line: bool(export.cell(line, "store")))
    first = lines[0]

    def cell(name: str) -> str:
        return next(filter(None, (export.cell(line, name) for line in lines)), "")

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
