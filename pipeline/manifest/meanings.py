"""Which fields a header may stand for, in any of the languages of the table.

Headers are compared without case, accents, width, blanks and punctuation: "Bild-1", "BILD 1" and
"Foto_2" with a full-width digit are all found.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import NamedTuple

from pipeline.manifest.languages import IF_CELLS_FIT, OFFERED, PICTURE, PICTURES, SECONDS, SURE
from pipeline.manifest.normalform import to_normal_form


class Standing(IntEnum):
    """How surely a name means its field."""

    SURE = 1
    IF_CELLS_FIT = 2
    OFFERED = 3


class Meaning(NamedTuple):
    """The field that a name stands for, and how surely."""

    field: str
    standing: Standing


_UNDECOMPOSED = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_LONGEST = 60
"""Letters and digits of a header that is compared: no name has half as many."""
_SHORTEST_SLIP, _SLIP = 5, 0.85
"""A longer name than this may be misspelt: headers are as similar to it (difflib's ratio)."""
_NUMBERED = re.compile(r"(?:0?(?P<first>[123])(?P<rest>\D.*))|(?:(?P<stem>.*\D)0?(?P<last>[123]))")
_URL = re.compile(r"(?P<stem>.*\D)(?P<number>[123])(?P<what>url|link|pfad|datei|path|file)")
"""A number in front of what the cell holds: "Bild 1 URL"."""
_APART = re.compile(r"[\W_][sS]\W*$")
"""An s that is a unit and not the end of a word."""
_NUMBER_SIGNS = ("numero", "nummer", "number", "num", "nr", "no", "n")
"""What may stand between a name and its number."""


def fold_name(header: str) -> str:
    """Return the letters and digits of a header, without case, accents and width."""
    plain = to_normal_form("NFKC", header).casefold().translate(_UNDECOMPOSED)
    return "".join(char for char in to_normal_form("NFD", plain) if char.isalnum())


def meanings_of(header: str) -> tuple[Meaning, ...]:
    """Return the fields that a header may stand for, the surest first; none for any other."""
    name = fold_name(header)
    if len(name) > _LONGEST:
        return ()
    found = _MEANINGS.get(name) or _with_unit(name, header)
    if found:
        return found
    picture = _numbered_picture(name)
    return () if picture is None else (Meaning(picture, Standing.SURE),)


def nearest_name(header: str, fields: Collection[str]) -> tuple[str, str] | None:
    """Return the name that a header may be a slip of, and its field, one of `fields`."""
    name = fold_name(header)
    if len(name) > _LONGEST:
        return None
    alike = [
        known
        for known, written in _WRITTEN.items()
        if abs(len(known) - len(name)) <= 1 < _SHORTEST_SLIP <= len(known) and written[1] in fields
    ]
    near = difflib.get_close_matches(name, alike, n=1, cutoff=_SLIP)
    return _WRITTEN[near[0]] if near else None


def is_in_seconds(text: str) -> bool:
    """Tell whether a cell is a number, with or without the word for seconds in any language."""
    name = fold_name(text)
    unit = name.lstrip("0123456789")
    return len(name) - len(unit) in range(1, 4) and (not unit or unit in _UNITS)


def is_unit_of_seconds(text: str) -> bool:
    """Tell whether a text is a word for seconds in any of the languages."""
    return fold_name(text) in _UNITS


def _with_unit(name: str, header: str) -> tuple[Meaning, ...]:
    """Find a name of a duration with its unit behind it."""
    for unit in _UNITS:
        if name.endswith(unit) and (unit != "s" or _APART.search(header)):
            found = _MEANINGS.get(name.removesuffix(unit), ())
            timed = tuple(one for one in found if one.field == "duration")
            if timed:
                return timed
    return ()


def _numbered_picture(name: str) -> str | None:
    """Find a picture with its number: Bild 1, 画像2, 3. Foto, Bild Nr. 1, Bild 1 URL."""
    if between := _URL.fullmatch(name):
        name = f"{between['stem']}{between['what']}{between['number']}"
    match = _NUMBERED.fullmatch(name)
    if match is None:
        return None
    stem, number = match["rest"] or match["stem"], match["first"] or match["last"]
    if stem not in _PICTURE_NAMES:
        stem = next((stem.removesuffix(sign) for sign in _NUMBER_SIGNS if stem.endswith(sign)), "")
    return f"image_{number}" if stem in _PICTURE_NAMES else None


def _names_in(languages: Mapping[str, str]) -> dict[str, str]:
    """Return the names of a field in all languages, each by what is compared of it."""
    names: dict[str, str] = {}
    for listed in languages.values():
        for name in listed.split(","):
            names.setdefault(fold_name(name), name.strip())
            names.setdefault(fold_name(name.casefold().translate(_UMLAUTS)), name.strip())
    return names


_PICTURE_NAMES = frozenset({*_names_in(PICTURE), "图", "圖"})
_UNITS = tuple(sorted(_names_in(SECONDS), key=len, reverse=True))
_MEANINGS: dict[str, tuple[Meaning, ...]] = {}
_WRITTEN: dict[str, tuple[str, str]] = {}
for _standing, _table in (
    (Standing.SURE, {**SURE, "image_1": PICTURE, "images": PICTURES}),
    (Standing.IF_CELLS_FIT, IF_CELLS_FIT),
    (Standing.OFFERED, OFFERED),
):
    for _field, _languages in _table.items():
        for _name, _text in _names_in(_languages).items():
            _MEANINGS[_name] = (*_MEANINGS.get(_name, ()), Meaning(_field, _standing))
            if _standing is not Standing.OFFERED:
                _WRITTEN.setdefault(_name, (_text, _field))
