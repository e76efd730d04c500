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
from pipeline.review.static import Facts, as_script, page_data, stills_in
from pipeline.review.takes import JudgedRow, rows_with_takes, videos_of
from pipeline.review.verdicts import Take, latest_of


@dataclass(frozen=True, slots=True)
class News:
    """Cards that changed, each with its place, and decisions that others made."""

    cards: tuple[tuple[int, Card], ...] = ()
    decisions: tuple[dict[str, Any], ...] = ()

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.cards or self.decisions)


class LiveReview:
    """The cards of a manifest as the journal knows them now; any thread may ask."""

    def __init__(
        self, checked: CheckedManifest, folder: OutputFolder, facts: Facts, who: str
    ) -> None:
        """Read everything for the first time; raises StoreError.

        Args:
            checked: the manifest.
            folder: its output folder.
            facts: what the page says of the whole.
            who: who decides in this page.

        """
        self.who = who
        self._checked = checked
        self._folder = folder
        self._facts = facts
        self._maker = Cards(checked)
        self._lock = threading.Lock()
        self._seen: object = None
        self._cards: list[Card] = []
        self._decisions: dict[Take, Decision] = {}
        self.rows: Sequence[JudgedRow] = ()
        self.videos: dict[Take, str] = {}
        self.look()

    def look(self) -> News:
        """Read the journal again if it changed, and return what is new; raises StoreError."""
        with self._lock:
            signs = self._signs()
            if signs == self._seen:
                return News()
            rows = rows_with_takes(self._checked, self._folder)
            latest = latest_of(read_decisions(self._folder.journal))
            cards = self._maker.make(rows, latest, stills_in(self._folder))
            news = News(_changed(self._cards, cards), _newer(self._decisions, latest))
            self._cards, self._decisions = cards, latest
            self.rows, self.videos = rows, videos_of(rows)
            self._seen = signs
            return news

    def script(self) -> bytes:
        """Return the data of the page as a script; raises StoreError."""
        self.look()
        with self._lock:
            cards = self._cards
        return as_script(
            page_data(self._facts, self._maker.groups, cards, served=True, who=self.who)
        )

    def _signs(self) -> tuple[object, ...]:
        """Return what changes when the journal or the posters do."""
        journal = self._folder.journal
        return tuple(
            map(
                _sign,
                (
                    journal,
                    journal.with_name(f"{journal.name}-wal"),
                    self._folder.posters,
                    self._folder.small_pictures,
                ),
            )
        )


def _sign(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size


def _changed(before: Sequence[Card], now: Sequence[Card]) -> tuple[tuple[int, Card], ...]:
    """Return the cards whose takes or state are others than before; decisions are told apart."""
    if not before:
        return ()
    pairs = enumerate(zip(before, now, strict=True))
    return tuple((at, new) for at, (old, new) in pairs if _bare(old) != _bare(new))


def _bare(card: Card) -> tuple[object, ...]:
    takes = [{name: one for name, one in take.items() if name != "said"} for take in card["takes"]]
    return card["state"], card["error"], card["entry"], card["pictures"], takes


def _newer(before: dict[Take, Decision], now: dict[Take, Decision]) -> tuple[dict[str, Any], ...]:
    return tuple(as_said(one) for take, one in now.items() if before.get(take) != one)
