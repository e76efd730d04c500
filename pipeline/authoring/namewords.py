"""The words in names of pictures: views, copies, versions and sizes, in filenames.toml.

Tested in tests/authoring/test_filenames.py.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.manifest.normalform import fold

LEAST_SIDE = 100
"""Pixels of the longer side of a picture, in a name; 50x70 is the size of a poster."""
_ASIN = re.compile(r"b0[a-z0-9]{8}")  # Amazon's
_PIXELS = re.compile(r"(\d{2,5})x(\d{2,5})|(\d{3,4})x|x(\d{3,4})|(\d{3,4})px")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of filenames.toml, folded: `views` and `unsure` by their kind."""

    views: Mapping[str, str]
    unsure: Mapping[str, str]
    compounds: Mapping[str, frozenset[str]]
    scenes: frozenset[str]
    copies: frozenset[str]
    before: frozenset[str]
    versions: frozenset[str]
    unsure_versions: frozenset[str]
    uses: frozenset[str]
    sizes: frozenset[str]
    largest: Mapping[str, int]
    numbered: frozenset[str]
    nameless: frozenset[str]
    between: frozenset[str]
    folders: frozenset[str]


@cache
def vocabulary() -> Vocabulary:
    """Read the words once."""
    data: dict[str, Any] = tomllib.loads(
        files("pipeline.authoring").joinpath("filenames.toml").read_text("utf-8")
    )
    views = {
        fold(word): kind
        for kind, lists in data["views"].items()
        for words in lists.values()
        for word in words
    }
    return Vocabulary(
        views,
        {fold(word): kind for kind, words in data["unsure_views"].items() for word in words},
        {word: _folded(before) for word, before in data["compounds"].items()},
        _folded(data["scenes"]["words"]),
        _folded(data["copies"]["behind"]),
        _folded(data["copies"]["before"]),
        _folded(data["versions"]["sure"]),
        _folded(data["versions"]["unsure"]),
        _folded(data["versions"]["uses"]),
        _folded(data["sizes"]["sure"]),
        data["sizes"]["largest"],
        _folded(data["numbered"]["words"]),
        _folded(data["nameless"]["words"]),
        _folded(data["nameless"]["between"]),
        _folded(data["folders"]["words"]),
    )


def _folded(words: list[str]) -> frozenset[str]:
    return frozenset(map(fold, words))


def is_article(text: str) -> bool:
    """Tell whether a word is a number by which shops everywhere know an article."""
    return _ASIN.fullmatch(text) is not None or is_ean(text)


def is_ean(text: str) -> bool:
    """Tell whether digits are an EAN, UPC or GTIN: their last one is a sum over the others."""
    if not (text.isascii() and text.isdecimal() and len(text) in {8, 12, 13, 14}):
        return False
    digits = [int(digit) for digit in reversed(text)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0 and int(text) > 0


def size_of(text: str) -> tuple[int, int] | None:
    """Return width and height that a word tells, 0 for one that it does not: 1600x1200, 900x."""
    found = _PIXELS.fullmatch(text)
    if not found:
        return None
    sides = [int(side) for side in found.groups(default="0")]
    width, height = sides[0] or sides[2] or sides[4], sides[1] or sides[3]
    return (width, height) if max(width, height) >= LEAST_SIDE else None


def name_of_product(title: str) -> str:
    """Return a title that says in words what a product is; empty for numbers and codes."""
    known = vocabulary()
    words = [fold(word) for word in title.split()]
    said = known.numbered | known.nameless | known.views.keys()
    telling = [word for word in words if len(word) > 2 and word.isalpha() and word not in said]  # noqa: PLR2004
    return title if telling else ""
