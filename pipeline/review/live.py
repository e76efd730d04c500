"""What the served page shows, kept up to date with the journal while a run goes on.

Tested in tests/review/test_server.py.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.journal.decisions import read_decisions
from pipeline.model import Decision
from pipeline.review.cards import Card, Cards, as_said
from pipeline.review.looks import Looks
from pipeline.review.static import Facts, as_script, page_data, stills_in
from pipeline.review.takes import JudgedRow, rows_with_takes, videos_of
from pipeline.review.verdicts import Take, latest_of


@dataclass(frozen=True, slots=True)
class News:
    """What is new since some version: cards with their places, and decisions."""

    version: int
    cards: tuple[tuple[int, Card], ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.cards or self.decisions)


class LiveReview:
    """The cards of a manifest as the journal knows them now; any thread may ask."""

    def __init__(
        self,
        checked: CheckedManifest,
        folder: OutputFolder,
        facts: Facts,
        who: str,
        looks: Looks | None = None,
    ) -> None:
        """Read everything for the first time; raises StoreError.

        Args:
            checked: the manifest.
            folder: its output folder.
            facts: what the page says of the whole.
            who: who decides in this page.
            looks: what was measured of the videos; None shows nothing of it.

        """
        self.who = who
        self._checked = checked
        self._folder = folder
        self._facts = facts
        self._looks = looks
        self._maker = Cards(checked)
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
            rows = rows_with_takes(self._checked, self._folder)
            latest = latest_of(read_decisions(self._folder.journal))
            odd = self._looks.chips(rows) if self._looks else {}
            cards = self._maker.make(rows, latest, stills_in(self._folder), odd)
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

    def news_since(self, version: int) -> News:
        """Return what became new after a version, as of the last look."""
        with self._lock:
            cards = zip(self._cards_at, enumerate(self._cards), strict=True)
            return News(
                self._version,
                tuple(card for at, card in cards if at > version),
                tuple(
                    as_said(self._decisions[take])
                    for take, at in self._decided_at.items()
                    if at > version
                ),
            )

    def script(self) -> bytes:
        """Return the data of the page as a script; raises StoreError."""
        self.look()
        with self._lock:
            cards, version = self._cards, self._version
        more = {"served": True, "who": self.who, "version": version}
        return as_script(page_data(self._facts, self._maker.groups, cards, **more))

    def _signs(self) -> tuple[object, ...]:
        """Return what changes when the journal, the posters or the figures do."""
        journal = self._folder.journal
        return tuple(
            map(
                _sign,
                (
                    journal,
                    journal.with_name(f"{journal.name}-wal"),
                    self._folder.posters,
                    self._folder.small_pictures,
                    self._folder.looks,
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
