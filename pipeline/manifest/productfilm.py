"""What a product's prompt says, if nobody says otherwise: what can be seen of it, and its look.

Tested in tests/manifest/test_traits.py and tests/authoring/shops/test_shopify.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.manifest.normalform import fold
from pipeline.manifest.traits import common_traits, seen_title, seen_type, sizes_of

DEFAULT_TEMPLATE = (
    "Product film of {{ name or kind or key }}"
    "{% if kind and kind | lower not in name | lower %} ({{ kind }}){% endif %}"
    "{% if colour and colour | lower not in (name ~ material) | lower %}, in {{ colour | lower }}"
    "{% endif %}"
    "{% if material and material | lower not in name | lower %}, made of {{ material | lower }}"
    "{% endif %}"
    "{% if shape and shape | lower not in name | lower %}, shape: {{ shape | lower }}{% endif %}"
    "{% if pictures == 1 %}, exactly as in the picture{% elif pictures %}, exactly as in the "
    "pictures{% endif %}. {{ look }} {% if pictures %}Form, colours and labels stay as they are; "
    "nothing is written into the picture.{% else %}Form and colours stay the same throughout; no "
    "writing appears.{% endif %}"
)
_LEAST_STEM = 3
"""Letters of a word without its plural."""
LONGEST_TITLE = 300
"""Characters of a title or a kind that are looked at."""


def see(
    title: str,
    vendor: str,
    kind: str,
    cells: Mapping[str, str],
    variants: Sequence[Mapping[str, str]] = (),
) -> dict[str, str]:
    """Return what can be seen of a product, in words; empty where nothing says so.

    Args:
        title: what it is called.
        vendor: who makes it, which is left out.
        kind: its type, or the path of it.
        cells: all that is known of it, by headers.
        variants: the cells of what can be bought of it, if there are several.

    """
    traits, kind = common_traits(variants or [cells]), seen_type(kind)
    name = seen_title(title, vendor, sizes_of(cells))
    told = _tells(fold(name[:LONGEST_TITLE]), fold(kind))
    words = {"colour": traits.colour, "material": traits.material, "shape": traits.shape}
    return {"name": name, "kind": "" if told else kind, **words}


def _tells(name: str, kind: str) -> bool:
    """Tell whether a name says the kind already: Stool Finn of Stools, a Leuchte of Leuchten."""
    stems = {kind, *(kind[:-n] for n in (1, 2) if len(kind) - n >= _LEAST_STEM)}
    return any(stem in name for stem in stems)
