"""Product files of PrestaShop: the export of its product list, and files for its import.

Sources: https://github.com/PrestaShop/PrestaShop: the headers that the importer offers (`Product
ID`, `Name *`, `Image URLs (x,y,z...)`), which export modules write, and those of the button Export
above the list of products (`Product ID`, `Image`, `Name`, `Reference`, `Category`). Several values
in a cell are separated by commas. A combination, such as a colour in a size, is a line with the ID
of its product and the importer's columns `Attribute (Name:Type:Position)` and `Value
(Value:Position)`; files of products alone have none. The list has a thumbnail of each product: the
large picture has the same address with another size in it.

Tested in tests/authoring/shops/test_prestashop.py.
"""

from __future__ import annotations

import re
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
    "id": ("Product ID", "ID"),
    "reference": ("Reference #", "Reference", "Product reference"),
    "name": ("Name *", "Name"),
    "active": ("Active (0/1)", "Status", "Active"),
    "categories": ("Categories (x,y,z...)", "Category", "Categories"),
    "short": ("Summary", "Short description"),
    "description": ("Description",),
    "brand": ("Manufacturer", "Brand"),
    "tags": ("Tags (x,y,z...)", "Tags"),
    "price": (
        "Price tax included", "Price (tax incl.)", "Price tax excluded", "Price (tax excl.)",
    ),
    "pictures": ("Image URLs (x,y,z...)", "Image", "Images"),
    "attribute": ("Attribute (Name:Type:Position)*", "Attribute (Name:Type:Position)"),
    "value": ("Value (Value:Position)*", "Value (Value:Position)"),
}  # fmt: skip
_TRANSLATIONS = {
    "id": ("ID du produit", "ID produit", "ID de producto", "Produkt-ID"),
    "reference": ("Référence", "Référence n°", "Referencia", "Artikelnr.", "Artikel-Nr."),
    "name": ("Nom", "Nom *", "Nombre", "Nombre *"),
    "active": ("Actif (0/1)", "État", "Activo (0/1)", "Estado"),
    "categories": ("Catégorie", "Catégories (x,y,z...)", "Categoría", "Kategorie"),
    "short": ("Résumé", "Resumen"),
    "description": ("Descripción", "Beschreibung"),
    "brand": ("Marque", "Marca", "Marke"),
    "price": ("Prix (TTC)", "Prix TTC", "Prix (HT)", "Precio (imp. incl.)", "Preis (inkl. MwSt.)"),
    "pictures": ("URL des images (x,y,z...)", "Imagen", "URL de las imágenes (x,y,z...)", "Bild"),
}
_SIZE = re.compile(r"-(?:small|cart|home|medium)_default(?=[/.])")
_LARGE = "-large_default"
_INACTIVE = frozenset({"0", "no", "false", "disabled", "inactive", "non", "nein"})


def _products(export: Export, left_out: list[str]) -> list[Product]:
    products, combinations = dict[str, Product](), dict[str, list[Row]]()
    for line in export.table.rows:
        number, key = export.cell(line, "id"), _key(export, line)
        if number and export.cell(line, "value"):
            combinations.setdefault(number, []).append(line)
            if number in products:
                continue
        if key:
            place = f"line {line.number}" if number in {"", *products} else number
            products[place] = _product(export, key, line)
        else:
            left_out.append(f"line {line.number}: it has neither a reference nor an ID")
    return [
        replace(one, variants=_variants(export, one, combinations.get(number, ())))
        for number, one in products.items()
    ]


def _key(export: Export, line: Row) -> str:
    number = export.cell(line, "id")
    return normalise_key(export.cell(line, "reference")) or (number and f"id-{number}")


def _variants(export: Export, product: Product, lines: Sequence[Row]) -> tuple[Product, ...]:
    found = []
    for line in lines:
        names, values = (_parts(export.cell(line, name)) for name in ("attribute", "value"))
        own = normalise_key(export.cell(line, "reference"))
        variant = vary(
            product,
            export.cells(line) | dict(zip(names, values, strict=False)),
            key=own if own not in {"", product.key} else f"{product.key}-{'-'.join(values)}",
            line=line.number,
            title=with_values(product.title, values),
            pictures=_pictures(export.cell(line, "pictures")) or product.pictures,
        )
        found.append(variant)
    return tuple(found) if len(found) > 1 else ()


def _parts(cell: str) -> list[str]:
    """Return the names in a cell: of `Size:select:0, Color:color:1` those are Size and Color."""
    return [part.split(":")[0].strip() for part in cell.split(",")]


def _product(export: Export, key: str, line: Row) -> Product:
    categories = [one.strip() for one in export.cell(line, "categories").split(",")]
    active = export.cell(line, "active").casefold() not in _INACTIVE
    return Product(
        key=key,
        line=line.number,
        title=plain_text(unescape(export.cell(line, "name"))),
        type=categories[-1].rsplit(">", 1)[-1].strip(),
        vendor=export.cell(line, "brand"),
        description=(
            plain_text(export.cell(line, "short")) or plain_text(export.cell(line, "description"))
        ),
        tags=export.cell(line, "tags"),
        price=export.cell(line, "price"),
        status="active" if active else "inactive",
        active=active,
        pictures=_pictures(export.cell(line, "pictures")),
        kept={"category": ", ".join(filter(None, categories)), "id": export.cell(line, "id")},
        export=export.cells(line),
    )


def _pictures(cell: str) -> tuple[str, ...]:
    links = split_addresses(cell) if "://" in cell else cell.split(",")
    large = (_SIZE.sub(_LARGE, link.strip()) for link in links)
    return tuple(dict.fromkeys(filter(None, large)))


FORMAT = ExportFormat(
    name="prestashop",
    shop="PrestaShop",
    obtain=(
        "In PrestaShop's back office: Catalog, Products, Export, or an export module that writes "
        "files for PrestaShop's import, with Product ID, Name and Image URLs."
    ),
    columns=_COLUMNS,
    translations=_TRANSLATIONS,
    required=(("reference", "id"), ("name",)),
    pictures=("pictures",),
    products=_products,
    marks=(
        "Image URLs (x,y,z...)", "Name *", "Active (0/1)", "Price tax excluded", "Reference #",
        "Price (tax excl.)",
    ),
    base="https://YOUR-SHOP",
    without_variants=(
        "no product of this file has combinations, so each is one row; the list of products has "
        "none, files for the import have them as lines with Product ID, Attribute and Value"
    ),
)  # fmt: skip
"""PrestaShop's product files."""
