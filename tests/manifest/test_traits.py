"""A prompt speaks of what can be seen: no vendor, no sales talk, no measurements."""

from __future__ import annotations

import pytest

from pipeline.manifest.traits import (
    Traits,
    common_traits,
    seen_title,
    seen_type,
    sizes_of,
    traits_of,
    unseen_kind,
)


@pytest.mark.parametrize(
    ("title", "vendor", "seen"),
    [
        ("Moss Mug by Kiln & Co", "Kiln & Co", "Moss Mug"),
        ("SALE! Moss Mug -20%", "", "Moss Mug"),
        ('Lampe de table "Ida" -20% SALE', "", 'Lampe de table "Ida"'),
        ("Blanket 80% wool", "", "Blanket 80% wool"),
        ("NEW: Oak Table 120 x 80 cm", "", "Oak Table"),
        ("Soy candle Fig (200 g)", "", "Soy candle Fig"),
        ("Vase Ø 20 cm | matt", "", "Vase, matt"),
        ("Bestseller - Leinenhemd Ada - Versandkostenfrei", "Ada Moden", "Leinenhemd Ada"),
        ("Soy Candle Fig (220 g, burns 45 h)", "", "Soy Candle Fig"),
        ("Lamp Arc (E27, max. 40 W, IP20) brass", "", "Lamp Arc brass"),
        ("Set of glasses (4 pieces)", "", "Set of glasses (4 pieces)"),
        ("Linen Shirt Ada | NEW 2026 | Free Shipping", "", "Linen Shirt Ada"),
        ("Leinenhemd Ada \u2013 Jetzt 20% reduziert!", "", "Leinenhemd Ada"),
        ("Stehleuchte Bogen, H 180 cm, Messing", "", "Stehleuchte Bogen, Messing"),
        ("Vase Ida 22cm hoch", "", "Vase Ida"),
        ("Mug Moss only 9.90 \u20ac", "", "Mug Moss only"),
        ("New York, a poster - NEW", "", "New York, a poster"),
        ("New Balance 574", "", "New Balance 574"),
        ("Sneaker Sol white EU 42.5", "", "Sneaker Sol white"),
        ("Pullover Gr. 38, blau", "", "Pullover, blau"),
        ("T-Shirt 100% cotton", "", "T-Shirt 100% cotton"),
        ("Set of 4 glasses", "", "Set of 4 glasses"),
        ("Levi's 501 Jeans", "Levi's", "501 Jeans"),
        ("SALE", "", "SALE"),
        ("Kiln", "Kiln", "Kiln"),
    ],
)
def test_titles(title: str, vendor: str, seen: str) -> None:
    """What is no product is left out; a title that says nothing else stays."""
    assert seen_title(title, vendor) == seen


@pytest.mark.parametrize(
    ("title", "sizes", "seen"),
    [
        ("Shirt Ada, Blue, M", ("M",), "Shirt Ada, Blue"),
        ("Shirt Ada - M - Blue", ("M",), "Shirt Ada - Blue"),
        ("Sneaker Sol (42)", ("42",), "Sneaker Sol"),
        ("M, a novel", ("M",), "M, a novel"),
        ("Lamp, Medium-weight", ("M",), "Lamp, Medium-weight"),
        ("Ring, (", ("(",), "Ring"),
    ],
)
def test_sizes_in_titles(title: str, sizes: tuple[str, ...], seen: str) -> None:
    """A size cannot be seen; what stands between joints alone is one."""
    assert seen_title(title, "", sizes) == seen


def test_traits_by_their_headers() -> None:
    """Columns, metafields, options, attributes and additional attributes, in any language."""
    assert traits_of({"Farbe": "Moosgrün", "Material": "Steinzeug"}).material == "Steinzeug"
    meta = {"Color (product.metafields.shopify.color-pattern)": "blue; white"}
    assert traits_of(meta).colour == "blue and white"
    option = {"Option1 Name": "Colour", "Option1 Value": "Sand", "Option2 Name": "Size"}
    assert traits_of(option).colour == "Sand"
    woo = {"Attribute 1 name": "Matière", "Attribute 1 value(s)": "Lin, Coton"}
    assert traits_of(woo).material == "Lin and Coton"
    magento = {"additional_attributes": "activity=Gym,material=Burlap|Nylon,style_bags=x"}
    assert traits_of(magento).material == "Burlap and Nylon"
    mug = [{"Colour": colour, "Material": "clay"} for colour in ("blue", "grey")]
    assert common_traits(mug) == Traits(material="clay")
    assert sizes_of({"Option2 Name": "Größe", "Option2 Value": "XL", "Size": "42"}) == ("XL", "42")
    assert traits_of({"Shape": "30 x 40 cm"}).shape == ""
    assert traits_of({"Color": "Default Title"}).colour == ""


def test_types_and_what_cannot_be_filmed() -> None:
    """The last part of a path is the type; gift cards and digital goods are told."""
    assert seen_type("Home > Kitchen > Mugs") == "Mugs"
    assert seen_type("") == ""
    assert seen_type("Chemises > Femme") == "Chemises"
    assert seen_type("Bekleidung/Herren/Sale") == "Bekleidung"
    assert seen_type("Uncategorized") == seen_type("Non classé") == ""
    assert unseen_kind("Gift Cards", "Voucher", {}) == "a gift card"
    assert unseen_kind("", "Geschenkgutschein 50 €", {}) == "a gift card"
    assert unseen_kind("", "Pattern", {"Is downloadable?": "1"}) == "a digital product"
    assert unseen_kind("Mugs", "Gift mug", {"Gift Card": "false"}) == ""
