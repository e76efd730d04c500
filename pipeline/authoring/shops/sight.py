"""What the prompt of a product says, if nobody says otherwise, and what is hard to film.

Tested in tests/authoring/shops/test_shopify.py and tests/authoring/shops/test_traits.py.
"""

from __future__ import annotations

from pipeline.authoring.namewords import fold
from pipeline.authoring.shops.exportformat import Product
from pipeline.authoring.shops.traits import seen_title, seen_type, traits_of, unseen_kind
from pipeline.manifest.videolooks import built_in

DEFAULT_TEMPLATE = (
    "Product film of {{ name or kind or key }}"
    "{% if kind and kind | lower not in name | lower %}, {{ kind | lower }}{% endif %}"
    "{% if colour and colour | lower not in name | lower %}, in {{ colour | lower }}{% endif %}"
    "{% if material and material | lower not in name | lower %}, made of {{ material | lower }}"
    "{% endif %}"
    "{% if shape and shape | lower not in name | lower %}, shape: {{ shape | lower }}{% endif %}"
    "{% if pictures == 1 %}, exactly as in the picture{% elif pictures %}, exactly as in the "
    "pictures{% endif %}. {{ look }} Form, colours and labels stay as they are; nothing is "
    "written into the picture."
)


def hard_to_film(product: Product, pictures: int) -> list[str]:
    """Say what a person should know of a product before its film is paid for."""
    found = [] if pictures else ["no picture in the export, so the film is made of words alone"]
    if kind := unseen_kind(product.type, product.title, product.export):
        found.append(f"{kind}: perhaps there is nothing to film; delete the row if so")
    return found


def see(product: Product, pictures: int) -> tuple[str, dict[str, str]]:
    """Return the look that suits a product, and what of it can be seen, in words."""
    traits, kind = traits_of(product.export), seen_type(product.type)
    name = seen_title(product.title, product.vendor)
    told = fold(kind).rstrip("s") in fold(name)
    look = built_in().default(f"{kind} {name}", pictures)
    words = {"colour": traits.colour, "material": traits.material, "shape": traits.shape}
    return look.name, {
        "name": name,
        "kind": "" if told else kind,
        "look": look.for_pictures(pictures),
        **words,
    }
