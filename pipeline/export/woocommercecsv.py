"""A CSV file for the importer of WooCommerce: it finds the product by its SKU and sets one field.

A header `Meta: <key>` sets a field of that name, of plain text. WooCommerce itself shows no videos:
each plugin reads a field of its own, which --meta-key names. Tick "Update existing products" there,
or products are made. Source: the WooCommerce wiki, "Product CSV Import Schema", and
woocommerce.com/document/product-csv-importer-exporter, read in November 2026.
"""

from __future__ import annotations

from collections import Counter

from pipeline.errors import UsageError
from pipeline.export.mediatable import Medium, write_table
from pipeline.export.tables import Table, TableFormat, TableOrder, sort_out, unfit_name

DEFAULT_META_KEY = "product_video_url"
"""The field that is set where none is named."""

_LONGEST_META_KEY = 255
"""WordPress keeps the name of a field in VARCHAR(255)."""


def read_meta_key(text: str | None) -> str:
    """Understand the value of --meta-key, None for the default; raises UsageError."""
    key = DEFAULT_META_KEY if text is None else text.strip()
    if not key or len(key) > _LONGEST_META_KEY or not key.isprintable():
        raise UsageError(
            f"--meta-key names a field in 1 to {_LONGEST_META_KEY} printable characters.",
            action="The description of your plugin says which field it reads.",
        )
    return key


def _write(order: TableOrder) -> Table:
    seen: Counter[str] = Counter()

    def why_not(one: Medium) -> str | None:
        seen[one.product] += 1
        if seen[one.product] > 1:
            return "another row has the video of this product; the field takes only one"
        return unfit_name(one.product)

    found = sort_out(order.media, FORMAT.name, why_not)
    path = write_table(
        order.approved / FORMAT.file,
        ("SKU", f"Meta: {order.meta_key}"),
        ((one.product, one.url) for one in found.taken),
        order.manifest,
        mark="",
    )
    return Table(path, tuple(found.left))


FORMAT = TableFormat("woocommerce", "woocommerce.csv", _write)
