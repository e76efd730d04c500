"""What a person has to know to fill in a manifest, said from the rules themselves."""

from __future__ import annotations

from pipeline import columns, rules

_DEFAULTS = rules.Defaults()
_IMAGES = (
    f"A picture that the video starts from: a path from this file's folder (pictures/mug.jpg) or "
    f"an https:// address. {rules.BY_FIELD['image_urls'].sentence.capitalize()} a row."
)
ABOUT = {
    "key": (
        "The row's own name for good, such as an article number: the video is named after it, and "
        "a later run knows the row by it. Each only once."
    ),
    "prompt": (
        f"{rules.BY_FIELD['prompt'].sentence.capitalize()}. Say what is seen, what moves, how the "
        "camera moves, and in which light."
    ),
    "image_1": _IMAGES,
    "image_2": _IMAGES,
    "image_3": _IMAGES,
    "duration": f"The length of the video: {rules.BY_FIELD['duration'].sentence}.",
    "aspect_ratio": (
        f"The shape of the picture: {rules.BY_FIELD['aspect_ratio'].sentence} (9:16 is upright, "
        "for telephones)."
    ),
    "resolution": (
        f"{rules.BY_FIELD['resolution'].sentence.capitalize()}. 1080p exists only with "
        f"{rules.FRAME_OF_1080P}."
    ),
}
HEADINGS = {
    "column": 16,
    "what to write": 64,
    "allowed": 24,
    "an empty cell means": 28,
    "other headers understood": 46,
}
KNOWN = (
    "Every other column is yours: it is kept, and stands in the results as it was.",
    "Pictures are JPEG, PNG, WebP or GIF files of at most 10 MB. A row with two of them is refused: "
    f"{rules.BY_FIELD['image_urls'].sentence}. Instead of the three columns there may be one called "
    "images, its pictures parted by | or ; or a line break.",
    "Empty cells take the value under `defaults` in config.yaml.",
    "This file is never written to. The results come as a copy of it with columns result_… added.",
)


def table() -> list[tuple[str, ...]]:
    """One line per field: its header, what to write, what is allowed, what empty means, aliases."""
    return [
        (field, about, _allowed(field), _empty(field), _others(field))
        for field, about in ABOUT.items()
    ]


def _allowed(field: str) -> str:
    if field in rules.IMAGE_FIELDS:
        return f"{rules.BY_FIELD['image_urls'].sentence} a row"
    rule = rules.BY_FIELD.get(field)
    if rule is None or not rule.allowed:
        return "any text"
    return ", ".join(map(str, rule.allowed))


def _empty(field: str) -> str:
    if field == "prompt":
        return "a problem: every row needs one"
    if field == "key":
        return "a problem; without the whole column, rows are told apart by their contents"
    if field in rules.IMAGE_FIELDS:
        return "no picture"
    return str(getattr(_DEFAULTS, field))


def _others(field: str) -> str:
    return ", ".join(name for name in columns.ALIASES[field] if name != field)
