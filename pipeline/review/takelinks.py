"""Addresses of takes that lie elsewhere, for a page in a file: signed for a week, or of a folder.

Whoever has the page can play what it links to, as long as the addresses live; so an archive that is
given away has the videos themselves instead.

Tested in tests/review/test_takelinks.py.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ReelsheetError
from pipeline.review.cards import Card
from pipeline.review.takes import JudgedRow
from pipeline.storage.opening import open_place
from pipeline.storage.places import Place, is_bucket

_LIFETIME_S = 7 * 24 * 3600
"""The longest time that the services sign an address for."""
_ORIGIN = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]+)/")


@dataclass(frozen=True, slots=True)
class Linked:
    """The origins of the addresses in some cards, and the Unix second at which they end."""

    origins: frozenset[str] = frozenset()
    until: int | None = None


def link_takes(cards: Sequence[Card], rows: Sequence[JudgedRow]) -> Linked:
    """Note in the cards of rows the addresses of takes that lie elsewhere; return what these are.

    Without an address the page says that a video cannot be played.
    """
    places: dict[str, Place | None] = {}
    origins: set[str] = set()
    for card, row in zip(cards, rows, strict=True):
        for shown, take in zip(card["takes"], row.takes, strict=True):
            at, name = take.video.place, take.video.name
            if not at:
                continue
            if not is_bucket(at):
                shown["url"] = (Path(at) / name).as_uri()
                continue
            if at not in places:
                places[at] = _open(at)
            place = places[at]
            link = None if place is None else place.link(name, _LIFETIME_S)
            origin = None if link is None else _ORIGIN.match(link)
            if link is not None and origin is not None:
                shown["url"] = link
                origins.add(origin[1])
    until = round(time.time()) + _LIFETIME_S if origins else None
    return Linked(frozenset(origins), until)


def _open(address: str) -> Place | None:
    try:
        return open_place(address)
    except ReelsheetError:
        return None
