"""The product feed of Google Merchant Center, as tab-separated text, CSV or XML.

Source: the product data specification, https://support.google.com/merchants/answer/7052112: `id`,
`title`, `description`, `link`, `image_link`, up to ten `additional_image_link`, `item_group_id` for
the variants of a product. In text files the names may be written with blanks, and further pictures
are separated by commas; in XML (RSS 2.0 and Atom) they have elements of their own. Catalogues for
Facebook and feeds for other markets are built in the same way.

Tested in tests/authoring/shops/test_google.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.authoring.shops.exportformat import (
    Export,
    ExportFormat,
    Product,
    vary,
    with_values,
)
from pipeline.checker.naming import normalise_key
from pipeline.manifest.picturetexts import split_addresses
from pipeline.manifest.plaintext import plain_text, unescape
from pipeline.model import Row

_COLUMNS = {
    "id": ("id",),
    "title": ("title",),
    "description": ("description",),
    "link": ("link",),
    "picture": ("image_link",),
    "more": ("additional_image_link", "additional_image_links"),
    "group": ("item_group_id",),
    "brand": ("brand",),
    "type": ("product_type",),
    "category": ("google_product_category",),
    "price": ("price",),
    "sale_price": ("sale_price",),
    "availability": ("availability",),
    "color": ("color",),
    "pattern": ("pattern",),
    "material": ("material",),
    "size": ("size",),
}
_OPTIONS = ("color", "pattern", "material", "size")


def _products(export: Export, left_out: list[str]) -> list[Product]:
    groups: dict[str, list[Row]] = {}
    for line in export.table.rows:
        key = normalise_key(export.cell(line, "group")) or normalise_key(export.cell(line, "id"))
        if key:
            groups.setdefault(key, []).append(line)
        else:
            left_out.append(f"{export.unit} {line.number}: it has no id")
    return [_product(export, key, lines) for key, lines in groups.items()]


def _product(export: Export, key: str, lines: Sequence[Row]) -> Product:
    first = lines[0]
    sale, regular = export.cell(first, "sale_price"), export.cell(first, "price")
    kind = export.cell(first, "type") or export.cell(first, "category")
    product = Product(
        key=key,
        line=first.number,
        title=plain_text(unescape(export.cell(first, "title"))),
        type="" if kind.isdecimal() else unescape(kind).rsplit(">", 1)[-1].strip(),
        vendor=export.cell(first, "brand"),
        description=plain_text(export.cell(first, "description")),
        price=sale or regular,
        status=export.cell(first, "availability"),
        pictures=_pictures(export, lines),
        kept={"regular_price": regular if sale else "", "url": export.cell(first, "link")},
        export=export.cells(first),
    )
    return replace(product, variants=_variants(export, product, lines))


def _variants(export: Export, product: Product, lines: Sequence[Row]) -> tuple[Product, ...]:
    """Return the items of a group, each with the words in which it differs from the others."""
    differ = [name for name in _OPTIONS if len({export.cell(line, name) for line in lines}) > 1]
    found = []
    for line in lines:
        own = plain_text(unescape(export.cell(line, "title"))) or product.title
        variant = vary(
            product,
            export.cells(line),
            key=normalise_key(export.cell(line, "id")) or product.key,
            line=line.number,
            title=with_values(own, [export.cell(line, name) for name in differ]),
            price=export.cell(line, "sale_price") or export.cell(line, "price") or product.price,
            status=export.cell(line, "availability") or product.status,
            pictures=_pictures(export, [line]) or product.pictures,
        )
        found.append(variant)
    return tuple(found) if len(found) > 1 else ()


def _pictures(export: Export, lines: Sequence[Row]) -> tuple[str, ...]:
    """Return the pictures of the first variant, and those of the others if it has none."""
    for line in lines:
        cells = (export.cell(line, name) for name in ("picture", "more"))
        links = [one.strip() for cell in cells if cell for one in split_addresses(cell)]
        if links:
            return tuple(dict.fromkeys(filter(None, links)))
    return ()


FORMAT = ExportFormat(
    name="google",
    shop="Google Merchant Center",
    obtain=(
        "Take the file of the product feed itself (.tsv, .txt, .csv or .xml), as your shop makes "
        "it for Google, with id, title and image_link."
    ),
    columns=_COLUMNS,
    required=(("id",), ("title",)),
    pictures=("picture", "more"),
    products=_products,
    marks=(
        "image_link", "additional_image_link", "google_product_category", "item_group_id", "gtin",
    ),
)  # fmt: skip
"""Google's product feed."""
