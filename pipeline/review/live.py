"""What the served page shows of a manifest, kept up to date with its journal while a run goes on.

Tested in tests/review/test_server.py.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.journal.decisions import read_decisions
from pipeline.model import Decision
from pipeline.review.cards import Card, Cards, as_said
from pipeline.review.static import Reviewed, stills_in
from pipeline.review.takes import JudgedRow, rows_with_takes, standings_of, videos_of
from pipeline.review.verdicts import TAKEN_BACK, Take, latest_of


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since some version: cards with their rows, and decisions."""

    version: int
    cards: tuple[tuple[int, Card], ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()


class LiveReview:
    """The cards of a manifest as the journal knows them now; any thread may ask."""

    def __init__(self, reviewed: Reviewed) -> None:
        """Read everything for the first time; raises StoreError."""
        self.facts = reviewed.facts
        self.folder = reviewed.folder
        self._checked = reviewed.checked
        self._looks = reviewed.looks
        self._maker = Cards(reviewed.checked)
        self._lock = threading.Lock()
        self._seen: object = None
        self._cards: list[Card] = []
        self._decisions: dict[Take, Decision] = {}
        self._version = 0
        self._cards_at: list[int] = []
        self._decided_at: dict[Take, int] = {}
        self.rows: Sequence[JudgedRow] = ()
        self.videos: dict[Take, str] = {}
        self.look()

    def look(self) -> int:
        """Read the journal again if it changed; return the version of all. Raises StoreError."""
        with self._lock:
            signs = self._signs()
            if signs == self._seen:
                return self._version
            rows = rows_with_takes(self._checked, self.folder)
            latest = latest_of(read_decisions(self.folder.journal))
            odd = self._looks.chips(rows)
            cards = self._maker.make(rows, latest, stills_in(self.folder), odd)
            self._note_changes(cards, latest)
            self._cards, self._decisions = cards, latest
            self.rows, self.videos = rows, videos_of(rows)
            self._seen = signs
            return self._version

    def _note_changes(self, cards: list[Card], latest: dict[Take, Decision]) -> None:
        """Give all that is other than before the next version."""
        self._version += 1
        before = self._cards or [{}] * len(cards)
        at = self._cards_at or [0] * len(cards)
        self._cards_at = [
            earlier if _bare(old) == _bare(new) else self._version
            for earlier, old, new in zip(at, before, cards, strict=True)
        ]
        for take, decision in latest.items():
            if self._decisions.get(take) != decision:
                self._decided_at[take] = self._version

    def news_since(self, version: int) -> Changes:
        """Return what became new after a version, as of the last look."""
        with self._lock:
            cards = zip(self._cards_at, enumerate(self._cards), strict=True)
            return Changes(
                self._version,
                tuple(card for at, card in cards if at > version),
                tuple(
                    as_said(self._decisions[take])
                    for take, at in self._decided_at.items()
                    if at > version
                ),
            )

    @property
    def groups(self) -> Sequence[Mapping[str, Any]]:
        """The own columns by which the rows can be grouped."""
        return self._maker.groups

    @property
    def left(self) -> int:
        """How many rows have a take to judge, as of the last look."""
        with self._lock:
            return [*standings_of(self.rows, self._decisions)].count(TAKEN_BACK)

    @property
    def cards(self) -> Sequence[Card]:
        """All cards, as of the last look."""
        with self._lock:
            return self._cards

    def _signs(self) -> tuple[object, ...]:
        """Return what changes when the journal, the posters or the figures do."""
        journal = self.folder.journal
        return tuple(
            map(
                _sign,
                (
                    journal,
                    journal.with_name(f"{journal.name}-wal"),
                    self.folder.posters,
                    self.folder.small_pictures,
                    self.folder.looks,
                ),
            )
        )


def _sign(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _bare(card: Card) -> tuple[object, ...]:
    """Return what of a card can change but decisions, which are told apart."""
    takes = [
        {name: one for name, one in take.items() if name != "said"}
        for take in card.get("takes", ())
    ]
    return card.get("state"), card.get("error"), card.get("entry"), card.get("pictures"), takes
