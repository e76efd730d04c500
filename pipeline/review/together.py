"""Several manifests on one page: their cards are one list, and each keeps its own journal.

A manifest is known to the page by its place among them, which stands in each of its cards and
decisions as `m`; of a single manifest nothing of the kind is said.

Tested in tests/review/test_together.py.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import UsageError
from pipeline.review.cards import Card
from pipeline.review.live import LiveReview
from pipeline.review.static import (
    MOST_ROWS,
    Facts,
    Reviewed,
    as_script,
    cards_of,
    page_data,
    put_page,
)
from pipeline.review.takelinks import link_takes
from pipeline.review.takes import rows_with_takes

Group: TypeAlias = Mapping[str, Any]
_NONE = -1
"""The value of a card in a group of another manifest."""
OWN_GROUP = "manifest"
"""What the group is called by which the manifests are told apart."""


@dataclass(frozen=True, slots=True)
class News:
    """What is new since some version: cards with their places, and decisions."""

    version: str
    cards: tuple[tuple[int, Card], ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.cards or self.decisions)


class Groups:
    """The columns by which the rows of several manifests can be grouped; equal names are one."""

    def __init__(self, parts: Sequence[tuple[str, Sequence[Group]]]) -> None:
        """Join the groups of each manifest, which come with its name."""
        self._single = len(parts) == 1
        names = dict.fromkeys(group["name"] for _, groups in parts for group in groups)
        values: dict[str, dict[str, int]] = {name: {} for name in names}
        places = {name: at for at, name in enumerate(values, start=1)}
        self._maps: list[list[tuple[int, list[int]]]] = []
        for _, groups in parts:
            maps = []
            for group in groups:
                known = values[group["name"]]
                found = [known.setdefault(value, len(known)) for value in group["values"]]
                maps.append((places[group["name"]], found))
            self._maps.append(maps)
        own = {"name": OWN_GROUP, "values": [name for name, _ in parts]}
        joined = [{"name": name, "values": list(known)} for name, known in values.items()]
        self.all: list[Group] = list(parts[0][1]) if self._single else [own, *joined]

    def place(self, at: int, card: Card) -> Card:
        """Return a card of the manifest at this place as the page shows it among the others."""
        if self._single:
            return card
        found = [at, *[_NONE] * (len(self.all) - 1)]
        for (place, values), value in zip(self._maps[at], card["groups"], strict=True):
            found[place] = values[value]
        return {**card, "m": at, "groups": found}


class Together:
    """The page of one manifest or several, kept up to date; any thread may ask."""

    def __init__(self, lives: Sequence[LiveReview]) -> None:
        self.lives = lives
        self._lock = threading.Lock()
        self._script: tuple[str, bytes] | None = None
        self._groups = Groups([(one.facts.manifest.name, one.groups) for one in lives])
        self._first = [0]
        for one in lives:
            self._first.append(self._first[-1] + len(one.rows))

    @property
    def roots(self) -> list[str]:
        """The first segment of the paths of each manifest's files; empty for a single one."""
        return [""] if len(self.lives) == 1 else [f"m{at}" for at in range(len(self.lives))]

    @property
    def left(self) -> int:
        """How many rows have a take to judge, as of the last look."""
        return sum(one.left for one in self.lives)

    def look(self) -> str:
        """Read the journals again that changed; return the version of all. Raises StoreError."""
        return ".".join(str(one.look()) for one in self.lives)

    def news_since(self, version: str) -> News:
        """Return what became new after a version, as of the last look; after none, all."""
        numbers = [int(part) for part in version.split(".")]
        if len(numbers) != len(self.lives):
            numbers = [0] * len(self.lives)
        found = [one.news_since(number) for one, number in zip(self.lives, numbers, strict=True)]
        several = len(self.lives) > 1
        return News(
            ".".join(str(news.version) for news in found),
            tuple(
                (self._first[at] + index, self._groups.place(at, card))
                for at, news in enumerate(found)
                for index, card in news.cards
            ),
            tuple(
                {**one, "m": at} if several else one
                for at, news in enumerate(found)
                for one in news.decisions
            ),
        )

    def script(self, **more: object) -> bytes:
        """Return the data of the page as a script; raises StoreError.

        `more` is what only the server knows, and always the same.
        """
        version = self.look()
        with self._lock:  # made once for a version: of thousands of rows it takes a while
            if self._script is None or self._script[0] != version:
                self._script = version, self._make_script(version, more)
            return self._script[1]

    def _make_script(self, version: str, more: Mapping[str, object]) -> bytes:
        cards = [
            self._groups.place(at, card) for at, one in enumerate(self.lives) for card in one.cards
        ]
        facts: Sequence[Facts] = [one.facts for one in self.lives]
        data = page_data(
            facts, self._groups.all, cards, self.roots, served=True, version=version, **more
        )
        return as_script(data)


def write_joint_page(reviewed: Sequence[Reviewed]) -> Path:
    """Write one static page of several manifests into the folder around their output folders.

    Raises:
        UsageError: They have too many rows, or there is no such folder for the page.
        StoreError: The folder does not take it, or a journal cannot be read.

    """
    rows = sum(len(one.checked.manifest.rows) for one in reviewed)
    if rows > MOST_ROWS:
        raise UsageError(
            f"the manifests have {rows:,} rows, more than {MOST_ROWS:,}: too many for a page in a "
            "file.",
            action="Serve it instead: `reelsheet review` without --static.",
        )
    around = _around(reviewed)
    rows_of = [rows_with_takes(one.checked, one.folder) for one in reviewed]
    parts = [cards_of(one, found) for one, found in zip(reviewed, rows_of, strict=True)]
    linked = [link_takes(some, found) for (_, some), found in zip(parts, rows_of, strict=True)]
    groups = Groups(
        [
            (one.facts.manifest.name, maker.groups)
            for one, (maker, _) in zip(reviewed, parts, strict=True)
        ]
    )
    cards = [groups.place(at, card) for at, (_, some) in enumerate(parts) for card in some]
    roots = [one.folder.root.resolve().name for one in reviewed]
    until = min((one.until for one in linked if one.until is not None), default=None)
    data = page_data([one.facts for one in reviewed], groups.all, cards, roots, until=until)
    sources = tuple(one.checked.manifest.path for one in reviewed)
    origins = frozenset().union(*(one.origins for one in linked))
    return put_page(around, data, sources, origins)


def _around(reviewed: Sequence[Reviewed]) -> OutputFolder:
    """Return the folder in which all output folders lie."""
    parents = {one.folder.root.resolve().parent for one in reviewed}
    if len(parents) > 1:
        named = ", ".join(sorted(map(str, parents)))
        raise UsageError(
            f"the output folders lie in several folders ({named}): no page in a file can show "
            "them together.",
            action="Serve it instead: `reelsheet review` without --static.",
        )
    around = OutputFolder(parents.pop())
    if any(one.folder.root.resolve() == around.review for one in reviewed) or not is_gone(
        OutputFolder(around.review).journal
    ):
        raise UsageError(
            f"{around.review} is the output folder of a manifest, and the page needs the name.",
            action="Rename that manifest, or serve the page: `reelsheet review` without --static.",
        )
    return around
