"""The page of looks: what each is for, and its words over products of five types."""

from __future__ import annotations

from pipeline.manifest.videolooks import built_in

from .tables import table

_PRODUCTS = (
    ("Stoneware mug Moss", "mugs", 3),
    ("Linen shirt Ada", "clothing", 1),
    ("Oak stool Finn", "furniture", 1),
    ("Silver ring Tide", "jewellery", 1),
    ("Fig candle", "candles", 0),
)
"""Name, type and number of pictures."""


def looks() -> str:
    """Return the table of looks."""
    rows = [(f"`{look.name}`", look.about) for look in built_in().looks.values()]
    return table(("look", "what it does, and for what"), rows)


def rehearsed() -> str:
    """Return the prompt of each look for a product of each type."""
    library, lines = built_in(), []
    for look in library.looks.values():
        lines += [f"### {look.name}", ""]
        for name, kind, pictures in _PRODUCTS:
            shown = {0: "no picture", 1: "one picture"}.get(pictures, "three pictures")
            prompt = library.put_into(f"Product film of {name}.", look, pictures)
            usual = ", its default" if library.default(f"{kind} {name}", pictures) is look else ""
            lines.append(f"- {kind}, {shown}{usual}: {prompt}")
        lines.append("")
    return "\n".join(lines)
