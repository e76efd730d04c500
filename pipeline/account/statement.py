"""What an account has bought, all in all, by manifest and by day, as its book tells it.

Tested in tests/cli/test_account.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.account.guard import Days
from pipeline.account.reading import doubts_of, sent_from
from pipeline.account.submission import SPENT, Submission
from pipeline.engine.limits import Spend


@dataclass(slots=True)
class Share:
    """What one manifest has bought; `last_at` is the Unix second of its last submission."""

    manifest: str
    folder: str
    spend: Spend = field(default_factory=Spend)
    in_doubt: int = 0
    last_at: float | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What an account has bought, all in all, by manifest and by day; the doubts newest first.

    The sums of money lack what `unpriced` videos cost: there was no price, and there is none now.
    """

    total: Spend
    shares: tuple[Share, ...]
    days: Mapping[date, Spend]
    doubts: tuple[Submission, ...]
    unpriced: int = 0


def statement_of(book: Path, account: str, *, zone: str, price: float | None) -> Statement:
    """Return what an account has bought; nothing if there is no book.

    Args:
        book: the file of the book.
        account: the account.
        zone: the setting budget.timezone.
        price: what a second costs now, for what was sent before a price was set.

    Raises:
        StoreError: the book cannot be read.
        UsageError: it was written by a newer version.

    """
    total, days, unpriced = Spend(), Days(zone), 0
    shares: dict[str, Share] = {}
    by_day: dict[int, Spend] = {}
    for one in sent_from(book, account):
        share = shares.setdefault(one.folder, Share(one.manifest, one.folder))
        share.manifest = one.manifest
        day = days.number_of(one.submitted_at)
        share.last_at = max(share.last_at or 0.0, one.submitted_at)
        if one.state in SPENT:
            money = one.seconds * (price or 0.0) if one.money is None else one.money
            unpriced += one.money is None and price is None
            _add((total, share.spend, by_day.setdefault(day, Spend())), one.seconds, money)
    doubts = doubts_of(book, account)
    for doubt in doubts:
        shares.setdefault(doubt.folder, Share(doubt.manifest, doubt.folder)).in_doubt += 1
    return Statement(
        total,
        tuple(sorted(shares.values(), key=lambda one: (one.manifest, one.folder))),
        {date.fromordinal(day): by_day[day] for day in sorted(by_day)},
        tuple(doubts),
        unpriced,
    )


def _add(sums: Iterable[Spend], seconds: int, money: float) -> None:
    for spend in sums:
        spend.videos += 1
        spend.video_seconds += seconds
        spend.money += money
