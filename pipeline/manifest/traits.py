"""What a shop's export says of a product that can be seen: name, kind, material, colour, shape.

A prompt is made of these alone: no vendor, no sales talk, no measurements, which a model would
write into the picture or take for an order.

Tested in tests/manifest/test_traits.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.manifest.normalform import fold
from pipeline.manifest.plaintext import plain_text

_TRAITS = {
    "colour": (
        "color", "colour", "colors", "colours", "farbe", "farben", "couleur", "couleurs", "colore",
        "color pattern", "kleur", "kolor", "cor", "pattern", "muster",
    ),
    "material": (
        "material", "materials", "fabric", "materiau", "matiere", "materiale", "stoff",
        "oberflaeche",
        "materiaal", "jewelry material", "finish", "tworzywo", "oberflache",
    ),
    "shape": (
        "shape", "form", "forme", "forma", "style", "silhouette", "vorm", "ksztalt", "schnitt",
    ),
}  # fmt: skip
_SIZES = (
    "size", "sizes", "shoe size", "grosse", "groesse", "schuhgrosse", "taille", "pointure", "talla",
    "taglia", "misura", "maat", "rozmiar", "tamanho", "storlek",
)  # fmt: skip
_FIELD = {name: trait for trait, names in _TRAITS.items() for name in names}
_PAIRS = (
    (re.compile(r"option(\d) name"), "option{} value"),
    (re.compile(r"attribute (\d+) name"), "attribute {} value s"),
)
_METAFIELD = re.compile(r"\s*\((?:product|variant)\.metafields\.[^)]*\)")
_GIFT_CARDS = (
    "gift card", "gift cards", "giftcard", "gift voucher", "e gift", "gutschein",
    "geschenkgutschein",
    "geschenkkarte", "carte cadeau", "bon cadeau", "cheque cadeau", "tarjeta regalo", "bono regalo",
    "buono regalo", "carta regalo", "cadeaubon", "cadeaukaart", "karta podarunkowa",
)  # fmt: skip
_DIGITAL = (
    "ebook", "e book", "pdf", "download", "digital download", "digital product", "printable",
    "software", "license key", "online course", "onlinekurs", "webinar", "subscription", "abo",
    "schnittmuster pdf", "warranty", "shipping protection",
)  # fmt: skip
_DIGITAL_HEADERS = ("downloadable", "is downloadable", "virtual", "is virtual", "virtual product")
_YES = frozenset({"1", "yes", "true", "ja", "oui", "si"})
_NO_TYPES = frozenset({
    "women", "men", "womens", "mens", "women s", "men s", "unisex", "kids", "children", "boys",
    "girls", "damen", "herren", "kinder", "femme", "femmes", "homme", "hommes", "enfant", "enfants",
    "mujer", "hombre", "ninos", "donna", "uomo", "bambini", "dames", "heren", "kinderen", "sale",
    "new", "neu", "new arrivals", "neuheiten", "nouveautes", "all", "alle", "all products", "tous",
    "other", "others", "sonstiges", "andere", "autres", "otros", "altro", "misc", "home", "shop",
    "uncategorized", "uncategorised", "unkategorisiert", "nicht kategorisiert", "non classe",
    "sin categoria", "senza categoria", "default category", "geen categorie",
})  # fmt: skip
"""Parts of a type that say for whom it is or where it stands, and not what it is."""
_JOINTS = re.compile(r"[\W_]+")
_ADDITIONAL = "additional attributes"
_LONGEST, _MOST = 60, 3
_LONGEST_READ = 300
"""Characters of a title, a header or a value that are looked at: what is longer is none."""
# A word such as NEW is part of a name (New Balance) unless it stands out.
_NEW = (
    r"\b(?:new|neu|nouveau|nuevo|nuovo)\b(?=\s*(?:[:!|,\-\u2013]|$|20\d\d))(?:\s*20\d\d)?|"
    r"\b(?-i:NEW|NEU|NOUVEAU|NUEVO|NUOVO)\b(?! (?-i:[A-Z]{2}))"
)
_PERCENT = (
    r"(?:\b(?:jetzt|nur|now|only|save|spare) )?[-\u2212]?\d{1,2} ?% "
    r"(?:off|discount|rabatt|reduziert|g\u00fcnstiger|sconto|de r\u00e9duction|de descuento)\b"
)
_PRICE = (
    r"[\u20ac$\u00a3] ?\d+(?:[.,]\d\d)?|\d+(?:[.,]\d\d)? ?(?:[\u20ac$\u00a3]|(?:EUR|USD|CHF)\b)"
)
_SALE = re.compile(
    rf"{_PERCENT}|(?<!\w)[-\u2212]\d{{1,2}} ?%|{_PRICE}|{_NEW}|"
    r"\b(?:sale|best ?seller|top ?seller|bestseller|limited edition|"
    r"free shipping|versandkostenfrei|gratis versand|angebot|aktion|reduziert|rabatt|sonderpreis|"
    r"promo(?:tion)?|soldes?|oferta|offerta|sconto|clearance|hot deal|deal|must[- ]have|only today|"
    r"save \d+\s?%?|on sale|restposten|nur heute|exklusiv|exclusive|premium|original)\b(?!\s*\d)"
    r"|[-\u2212]?\d{1,2}\s?%(?: off| rabatt)?(?! \w+)|[!\u2605\u2606\u26a1\U0001f300-\U0001faff]+",
    re.IGNORECASE,
)
# Of clothes and shoes: EU 42, Gr. 38, size M.
_SIZE = (
    r"\b(?:EU|US|UK|Gr\.?|Gr\u00f6\u00dfe|size|taille|talla|taglia|maat) ?"
    r"(?:\d{1,2}(?:[.,]5)?|X{0,3}[SML])\b"
)
_UNIT = (
    r"(?:mm|cm|m|km|in|inch(?:es)?|zoll|ft|ml|cl|l|liter|litre|oz|fl\.? ?oz|g|gr|kg|lbs?|mah|w|"
    r"watt|v|volt)"
)
_NUMBER = r"\d+(?:[.,]\d+)?"
_BEFORE = (
    r"(?:(?:\u00d8|\u2300|ca\.?|approx\.?|\b(?:H|B|T|L|W|D|H\u00f6he|Breite|Tiefe|L\u00e4nge|"
    r"height|width|depth|length|hauteur|largeur)\.?:?)\s*)?"
)
_AFTER = r"(?:\s(?:hoch|breit|lang|tief|high|wide|tall|long|deep|Durchmesser|diameter)\b)?"
_MEASURE = re.compile(
    rf"{_SIZE}|{_BEFORE}{_NUMBER}(?:\s?[x\u00d7]\s?{_NUMBER})+\s?{_UNIT}?\b{_AFTER}"
    rf"|{_BEFORE}{_NUMBER}\s?(?:{_UNIT}\b{_AFTER}|\"|\u2033|\u201d)",
    re.IGNORECASE,
)
_PARENTHESIS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_LOOSE = re.compile(r"\(\s*[,;/-]*\s*\)|\[\s*\]|\s[-\u2013|/,;:]+(?=\s*$)|^\s*[-\u2013|/,;:.]+\s*")
_BAR = re.compile(r"\s*\|\s*")
_REPEATED = re.compile(r"\s*([-\u2013|/,;:])\s*(?:[-\u2013|/,;:]\s*)+")


@dataclass(frozen=True, slots=True)
class Traits:
    """What can be seen of a product, in words; empty where the export does not say."""

    colour: str = ""
    material: str = ""
    shape: str = ""


def common_traits(exports: Sequence[Mapping[str, str]]) -> Traits:
    """Return what can be seen of all variants alike: of a shirt in blue and grey, no colour."""
    found = [traits_of(export) for export in exports]
    alike = {
        name: getattr(found[0], name) if len({getattr(one, name) for one in found}) == 1 else ""
        for name in _TRAITS
    }
    return Traits(**alike)


def traits_of(export: Mapping[str, str]) -> Traits:
    """Find colour, material and shape among the cells of an export, by their headers."""
    found: dict[str, str] = {}
    for name, value in _named(export):
        trait = _FIELD.get(name)
        if trait and trait not in found and (text := _short(value)):
            found[trait] = text
    return Traits(**found)


def trait_of(header: str) -> str | None:
    """Return the trait that a column says by its header; None for any other column."""
    return _FIELD.get(_word(header))


def sizes_of(export: Mapping[str, str]) -> tuple[str, ...]:
    """Return the sizes among the cells of an export, such as M or 42, by their headers."""
    sizes = (value.strip() for name, value in _named(export) if name in _SIZES)
    return tuple(size for size in sizes if 0 < len(size) <= _LONGEST)


def seen_title(title: str, vendor: str, sizes: Sequence[str] = ()) -> str:
    """Return a title without vendor, sales talk, sizes and measurements; as it is if that is all.

    Args:
        title: what the product is called.
        vendor: who makes it.
        sizes: what may stand as a size at its end or between its joints, such as M or 42.

    """
    text = " ".join(plain_text(title).split())
    if len(text) > _LONGEST_READ:
        return title
    for size in sizes:
        text = re.sub(
            rf"(?:\s*[-\u2013|/,;:(]\s*){re.escape(size)}(?=$|\s*[-\u2013|/,;:)])\)?", "", text
        )
    if vendor.strip():
        text = re.sub(rf"(?<!\w){re.escape(vendor.strip())}(?!\w)", " ", text, flags=re.IGNORECASE)
    # What stands in parentheses with a measure are data; there, too, a product is called nothing.
    text = _PARENTHESIS.sub(lambda one: "" if _MEASURE.search(one[0]) else one[0], text)
    text = _MEASURE.sub(" ", _SALE.sub(" ", text))
    text = _REPEATED.sub(r" \1 ", text)
    before = None
    while before != text:
        before = text
        text = " ".join(_LOOSE.sub(" ", text).split()).strip(" -\u2013|/,;:")
    text = re.sub(r"\b(?:von|by|de|van|di)$", "", text, flags=re.IGNORECASE).strip()
    text = _BAR.sub(", ", text).replace(" ,", ",")
    return text if any(map(str.isalpha, text)) else title


def seen_type(kind: str) -> str:
    """Return the last part of a type that says what it is: "Kitchen > Mugs > Sale" is Mugs."""
    parts = [part.strip() for part in re.split(r"[>|/]", kind) if part.strip()]
    parts = [part for part in parts if _word(part) not in _NO_TYPES]
    return _MEASURE.sub("", parts[-1][:_LONGEST_READ]).strip() if parts else ""


def _named(export: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the cells with what their header says; pairs of name and value as one."""
    cells = {_word(header): value for header, value in export.items()}
    for header, value in cells.items():
        yield header, value
        for pattern, other in _PAIRS:
            if match := pattern.fullmatch(header):
                yield _word(value), cells.get(other.format(match[1]), "")
    for pair in cells.get(_ADDITIONAL, "").split(","):
        name, _, value = pair.partition("=")
        yield _word(name), value


def _word(header: str) -> str:
    return _JOINTS.sub(" ", fold(_METAFIELD.sub("", header[:_LONGEST_READ]))).strip()


def _short(value: str) -> str:
    """Return up to three values as words: "Blue; White" is "blue and white"."""
    plain = _MEASURE.sub("", plain_text(value)[:_LONGEST_READ])
    parts = [part.strip(" .") for part in re.split(r"[;,|\n]| / ", plain)]
    parts = list(dict.fromkeys(part for part in parts if part and not part.isdecimal()))[:_MOST]
    text = " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    text = " ".join(text.replace("-", " ").split()) if text.isascii() and text.islower() else text
    return "" if len(text) > _LONGEST or text.casefold() in {"default title", "default"} else text


def unseen_kind(kind: str, title: str, export: Mapping[str, str]) -> str:
    """Say that a product is a gift card or a digital one; empty for a thing.

    Args:
        kind: its type.
        title: what it is called.
        export: the cells of its line, by the headers of the export.

    """
    text = f" {_word(kind)} {_word(title)} "
    cells = {_word(header): value.strip().casefold() for header, value in export.items()}
    if cells.get("gift card") in _YES or any(f" {word} " in text for word in _GIFT_CARDS):
        return "a gift card"
    downloaded = any(cells.get(header) in _YES for header in _DIGITAL_HEADERS)
    if downloaded or any(f" {word} " in text for word in _DIGITAL):
        return "a digital product"
    return ""
