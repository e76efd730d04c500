r"""The product export of WooCommerce (Products, Export).

Sources: https://woocommerce.com/document/product-csv-importer-exporter/ and its column schema
https://github.com/woocommerce/woocommerce/wiki/Product-CSV-Import-Schema: Published is 1, 0
(private) or -1 (draft), several values in a cell are separated by commas, and each variation has a
line whose Parent is an SKU, or `id:` and a number. From the exporter itself
(WC_Product_CSV_Exporter and WC_CSV_Exporter): 2 is pending, a line break in a description is
written as the two characters `\n`, a comma inside a value as `\,`, and text that a spreadsheet
could take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.authoring.shops.exportformat import Export, ExportFormat, Product, vary
from pipeline.checker.naming import normalise_key
from pipeline.manifest.plaintext import plain_text, unescape
from pipeline.model import Row

_COLUMNS = {
    "id": ("ID",),
    "type": ("Type",),
    "sku": ("SKU",),
    "name": ("Name",),
    "published": ("Published",),
    "short": ("Short description",),
    "description": ("Description",),
    "regular_price": ("Regular price",),
    "sale_price": ("Sale price",),
    "categories": ("Categories",),
    "tags": ("Tags",),
    "brands": ("Brands",),
    "pictures": ("Images",),
    "parent": ("Parent",),
    "url": ("External URL",),
}
# What the exporter calls them in other languages: German, French, Spanish, Italian, Dutch,
# Portuguese, Polish. The values, such as `variation`, are the same in all of them.
_TRANSLATIONS = {
    "type": ("Typ", "Tipo", "Rodzaj"),
    "sku": ("Artikelnummer", "UGS", "COD", "REF", "Codice articolo"),
    "name": ("Nom", "Nombre", "Nome", "Naam", "Nazwa"),
    "published": (
        "Veröffentlicht", "Publié", "Publicado", "Pubblicato", "Gepubliceerd", "Opublikowano",
        "Opublikowany",
    ),
    "short": (
        "Kurzbeschreibung", "Description courte", "Descripción corta", "Breve descrizione",
        "Korte beschrijving", "Descrição curta", "Breve descrição", "Krótki opis",
    ),
    "description": (
        "Beschreibung", "Descripción", "Descrizione", "Beschrijving", "Descrição", "Opis",
    ),
    "regular_price": (
        "Regulärer Preis", "Tarif régulier", "Precio normal", "Prezzo di listino",
        "Reguliere prijs", "Normale prijs", "Preço normal", "Preço", "Cena regularna", "Cena",
    ),
    "sale_price": (
        "Angebotspreis", "Tarif promo", "Precio rebajado", "Prezzo in offerta", "Actieprijs",
        "Preço promocional", "Cena promocyjna",
    ),
    "categories": (
        "Kategorien", "Catégories", "Categorías", "Categorie", "Categorieën", "Categorias",
        "Kategorie",
    ),
    "tags": ("Schlagwörter", "Étiquettes", "Etiquetas", "Tag", "Tagi", "Znaczniki"),
    "brands": ("Marken", "Marques", "Marcas", "Marchi", "Merken", "Marki"),
    "pictures": (
        "Bilder", "Imágenes", "Immagini", "Afbeeldingen", "Imagens", "Obrazki", "Obrazy", "Zdjęcia",
    ),
    "parent": (
        "Übergeordnetes Produkt", "Übergeordnet", "Eltern", "Superior", "Padre", "Principal",
        "Genitore", "Hoofd", "Hoofdproduct", "Bovenliggend", "Ascendente", "Pai", "Rodzic",
        "Nadrzędny", "Produkt nadrzędny",
    ),
    "url": ("Externe URL", "URL externe", "URL externa", "URL esterno", "Zewnętrzny URL"),
}  # fmt: skip
_PRICES = ("sale_price", "regular_price")
_STATUSES = {"1": "published", "0": "private", "-1": "draft", "2": "pending"}
_GUARD = re.compile(r"\A'(?=[=+\-@\t\r])")
_COMMA = re.compile(r"(?<!\\),")
_NEWLINE = re.compile(r"(?<!\\)\\n")
# [gallery ids="1,2"], [vc_row], [/caption]; but not a plain word in brackets.
_SHORTCODE = re.compile(r"\[(?:/[\w-]+|\w+_\w+[^\]]*|[\w-]+ [\w-]+=[^\]]*)\]")


def _products(export: Export, left_out: list[str]) -> list[Product]:
    known = {name for line in export.table.rows for name in _names(export, line)}
    variations: dict[str, list[Row]] = {}
    own: list[Row] = []
    for line in export.table.rows:
        parent = _text(export, line, "parent")
        if "variation" in _values(_text(export, line, "type")) and parent in known:
            variations.setdefault(parent, []).append(line)
        else:
            own.append(line)
    products = []
    for line in own:
        key = _key(export, line)
        if not key:
            left_out.append(f"line {line.number}: it has neither an SKU nor an ID")
            continue
        below = [row for name in _names(export, line) for row in variations.get(name, ())]
        products.append(_product(export, key, line, below))
    return products


def _names(export: Export, line: Row) -> list[str]:
    """Return the names by which a variation may refer to this product in its Parent cell."""
    sku, number = _text(export, line, "sku"), _text(export, line, "id")
    return [name for name in (sku, number and f"id:{number}") if name]


def _key(export: Export, line: Row) -> str:
    number = _text(export, line, "id")
    return normalise_key(_text(export, line, "sku")) or (number and f"id-{number}")


def _product(export: Export, key: str, line: Row, variations: Sequence[Row]) -> Product:
    categories = _values(_text(export, line, "categories"))
    published = _text(export, line, "published")
    sale, regular = (_price(export, line, variations, column) for column in _PRICES)
    product = Product(
        key=key,
        line=line.number,
        title=plain_text(unescape(_text(export, line, "name"))),
        type=categories[0].rsplit(">", 1)[-1].strip() if categories else "",
        vendor=", ".join(_values(_text(export, line, "brands"))),
        description=_description(export, line),
        tags=", ".join(_values(_text(export, line, "tags"))),
        price=sale or regular,
        status=_STATUSES.get(published, published),
        active=published in ("1", ""),
        pictures=_pictures(export, line, variations),
        kept={
            "category": ", ".join(categories),
            "regular_price": regular if sale else "",
            "url": _text(export, line, "url"),
        },
        export=export.cells(line),
    )
    return replace(product, variants=_variants(export, product, variations))


def _variants(export: Export, product: Product, variations: Sequence[Row]) -> tuple[Product, ...]:
    found = []
    for line in variations:
        sale, regular = (_text(export, line, column) for column in _PRICES)
        variant = vary(
            product,
            export.cells(line),
            key=_key(export, line) or product.key,
            line=line.number,
            title=plain_text(unescape(_text(export, line, "name"))) or product.title,
            price=sale or regular or product.price,
            pictures=tuple(_values(_text(export, line, "pictures"))) or product.pictures,
        )
        found.append(variant)
    return tuple(found) if len(found) > 1 else ()


def _price(export: Export, line: Row, variations: Sequence[Row], column: str) -> str:
    """Return the product's price, or the first one of its variations if it has none itself."""
    prices = (_text(export, row, column) for row in (line, *variations))
    return next(filter(None, prices), "")


def _pictures(export: Export, line: Row, variations: Sequence[Row]) -> tuple[str, ...]:
    own = _values(_text(export, line, "pictures"))
    if own:
        return tuple(own)
    theirs = (_values(_text(export, row, "pictures")) for row in variations)
    return tuple(dict.fromkeys(link for links in theirs for link in links))


def _description(export: Export, line: Row) -> str:
    """Return the short description, or the long one if there is no short one."""
    for column in ("short", "description"):
        raw = _NEWLINE.sub("\n", _text(export, line, column)).replace("\\\\n", "\\n")
        # WordPress turns line breaks into paragraphs when it displays the text.
        text = plain_text(_SHORTCODE.sub(" ", raw).replace("\n", "<br>"))
        if text:
            return text
    return ""


def _text(export: Export, line: Row, column: str) -> str:
    return _GUARD.sub("", export.cell(line, column))


def _values(text: str) -> list[str]:
    parts = (part.replace("\\,", ",").strip() for part in _COMMA.split(text))
    return [part for part in parts if part]


FORMAT = ExportFormat(
    name="woocommerce",
    shop="WooCommerce",
    obtain=(
        "In WordPress: Products, All Products, Export, all columns. If its headers are in a "
        "language that is not known here, set the language of your profile to English before you "
        "export."
    ),
    columns=_COLUMNS,
    translations=_TRANSLATIONS,
    required=(("sku", "id"), ("name",)),
    pictures=("pictures",),
    marks=(
        "Published",
        "Is featured?",
        "Visibility in catalog",
        "Regular price",
        "Grouped products",
    ),
    variants=("type", "variation", "parent"),
    products=_products,
)
"""WooCommerce's product export."""
