"""What a product's prompt says, if nobody says otherwise: what can be seen of it, and its look.

Tested in tests/manifest/test_traits.py and tests/authoring/shops/test_shopify.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.manifest.normalform import fold
from pipeline.manifest.traits import seen_title, seen_type, sizes_of, traits_of

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
LONGEST_TITLE = 300
"""Characters of a title or a kind that are looked at."""


def see(title: str, vendor: str, kind: str, cells: Mapping[str, str]) -> dict[str, str]:
    """Return what can be seen of a product, in words; empty where nothing says so.

    Args:
        title: what it is called.
        vendor: who makes it, which is left out.
        kind: its type, or the path of it.
        cells: all that is known of it, by headers.

    """
    traits, kind = traits_of(cells), seen_type(kind)
    name = seen_title(title, vendor, sizes_of(cells))
    told = fold(kind).rstrip("s") in fold(name[:LONGEST_TITLE])
    words = {"colour": traits.colour, "material": traits.material, "shape": traits.shape}
    return {"name": name, "kind": "" if told else kind, **words}
