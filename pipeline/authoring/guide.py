"""What a person has to know to fill in a manifest, said from the rules themselves."""

from __future__ import annotations

from pipeline.checker import rules
from pipeline.manifest import columns

_DEFAULTS = rules.Defaults()


def _capital(text: str) -> str:
    """The text as the beginning of a sentence; the rest keeps its case, as in 720P."""
    return text[:1].upper() + text[1:]


_IMAGES = (
    f"A picture that the video starts from: a path from this file's folder (pictures/mug.jpg) or "
    f"an https:// address. {_capital(rules.BY_FIELD['image_urls'].sentence)} a row."
)
_PICTURE_FILES = "JPEG, PNG, WebP or GIF files of at most 10 MB each"
ABOUT = {
    "key": (
        "The row's own name for good, such as an article number: the video is named after it, and "
        "a later run knows the row by it. Each only once."
    ),
    "prompt": (
        f"{_capital(rules.BY_FIELD['prompt'].sentence)}. Say what is seen, what moves, how the "
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
        f"{_capital(rules.BY_FIELD['resolution'].sentence)}. 1080p exists only with "
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
    f"Pictures: {_PICTURE_FILES}. A row with two of them is refused.",
    (
        "Instead of the three picture columns there may be one called images, its pictures parted "
        "by | or ; or a line break."
    ),
    "Empty cells take the value under `defaults` in config.yaml.",
    "This file is never written to: the results come as a copy of it with columns result_… added.",
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
