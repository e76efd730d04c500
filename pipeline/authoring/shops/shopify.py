"""The product export of Shopify (Products, Export, "Plain CSV file" or "CSV for Excel").

Source: https://help.shopify.com/en/manual/products/import-export/using-csv (the product CSV file
description). A product has one line per variant and per further picture, all with its handle; only
the first line has a title. `Image Position` orders the pictures. The status is active, draft or
archived (or unlisted, see https://shopify.dev/docs/api/admin-graphql/latest/enums/ProductStatus),
and an empty `Published` means published. Shopify renamed the headers once; both sets are accepted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.authoring.shops.exportformat import Export, ExportFormat, Product, vary
from pipeline.checker.naming import normalise_key
from pipeline.manifest.plaintext import plain_text
from pipeline.model import Row

_COLUMNS = {
    "handle": ("URL handle", "Handle"),
    "title": ("Title",),
    "body": ("Description", "Body (HTML)"),
    "vendor": ("Vendor",),
    "category": ("Product category", "Standardized Product Type"),
    "type": ("Type", "Custom Product Type"),
    "tags": ("Tags",),
    "published": ("Published on online store", "Published"),
    "status": ("Status",),
    "sku": ("SKU", "Variant SKU"),
    "price": ("Price", "Variant Price"),
    "compare_at_price": ("Compare-at price", "Variant Compare At Price"),
    "picture": ("Product image URL", "Image Src"),
    "position": ("Image position",),
    "option1": ("Option1 value", "Option1 Value"),
    "option2": ("Option2 value", "Option2 Value"),
    "option3": ("Option3 value", "Option3 Value"),
    "variant_picture": ("Variant image URL", "Variant Image"),
}
_KEPT = ("category", "sku", "compare_at_price")


def _products(export: Export, left_out: list[str]) -> list[Product]:
    groups: dict[str, list[Row]] = {}
    latest: list[Row] | None = None
    for line in export.table.rows:
        handle = normalise_key(export.cell(line, "handle")) or _slug(export.cell(line, "title"))
        if handle:
            latest = groups.setdefault(handle, [])
        if latest is None:
            left_out.append(f"line {line.number}: it has neither a handle nor a title")
            continue
        latest.append(line)
    return [_product(export, handle, lines) for handle, lines in groups.items()]


def _slug(title: str) -> str:
    """Make a handle from a title, as the shop does for an import without handles."""
    return re.sub(r"\W+", "-", title.casefold()).strip("-")


def _product(export: Export, handle: str, lines: Sequence[Row]) -> Product:
    # Spreadsheet users sort the lines, so the line with the title need not be the first.
    first = next((line for line in lines if export.cell(line, "title")), lines[0])
    status, active = _status(export.cell(first, "status"), export.cell(first, "published"))
    product = Product(
        key=handle,
        line=first.number,
        title=export.cell(first, "title"),
        type=export.cell(first, "type"),
        vendor=export.cell(first, "vendor"),
        description=plain_text(export.cell(first, "body")),
        tags=export.cell(first, "tags"),
        price=export.cell(first, "price"),
        status=status,
        active=active,
        pictures=_pictures(export, lines),
        kept={name: export.cell(first, name) for name in _KEPT},
        export=export.cells(first),
    )
    return replace(product, variants=_variants(export, product, lines))


def _variants(export: Export, product: Product, lines: Sequence[Row]) -> tuple[Product, ...]:
    found = []
    for line in lines:
        values = [export.cell(line, name) for name in ("option1", "option2", "option3")]
        values = [value for value in values if value and value.casefold() != "default title"]
        sku, link = export.cell(line, "sku"), export.cell(line, "variant_picture")
        if not values:
            continue
        pictures = (link,) if link else product.pictures
        variant = vary(
            product,
            export.cells(line),
            key=normalise_key(sku) or f"{product.key}-{_slug(' '.join(values))}",
            line=line.number,
            title=f"{product.title}, {', '.join(values)}",
            price=export.cell(line, "price") or product.price,
            pictures=pictures,
            kept={**product.kept, "sku": sku},
        )
        found.append(variant)
    return tuple(found) if len(found) > 1 else ()


def _status(status: str, published: str) -> tuple[str, bool]:
    hidden = published.casefold() == "false"
    plain = status.casefold()
    if not plain:
        return ("unpublished" if hidden else "published"), not hidden
    active = plain == "active"
    return f"{plain}, unpublished" if active and hidden else plain, active and not hidden


def _pictures(export: Export, lines: Sequence[Row]) -> tuple[str, ...]:
    placed = [
        (_position(export.cell(line, "position")), link)
        for line in lines
        if (link := export.cell(line, "picture"))
    ]
    if not placed:
        variants = (export.cell(line, "variant_picture") for line in lines)
        return tuple(dict.fromkeys(link for link in variants if link))
    return tuple(dict.fromkeys(link for _, link in sorted(placed, key=lambda placed: placed[0])))


def _position(text: str) -> float:
    """Return a picture's position; one without comes after all others, in the order of lines."""
    try:
        place = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(place) else place


FORMAT = ExportFormat(
    name="shopify",
    shop="Shopify",
    obtain="In Shopify's admin: Products, Export, all products, as a plain CSV file.",
    columns=_COLUMNS,
    required=(("handle",), ("title",)),
    pictures=("picture", "variant_picture"),
    marks=("Handle", "URL handle", "Body (HTML)", "Variant SKU", "Image Src", "Product image URL"),
    products=_products,
)
"""Shopify's product export."""
