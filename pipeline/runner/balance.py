"""What the account holds: asked before a run submits and at its end, and compared with the book.

Tested in tests/runner/test_balance.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.account.reading import total_since
from pipeline.engine.rows import Reach, Stop, stop_for_address, stop_for_key
from pipeline.errors import ExitCode, ProviderError, Unauthorized
from pipeline.journal.reading import RunRecord
from pipeline.model import Balance, BalanceOf
from pipeline.runner.offer import PROVIDER_CURRENCY, Offer, explain_shortage
from pipeline.writer.outcome import iso

_LIMIT_S = 15
"""How long a run waits for the balance, which it can do without."""

_TOLERANCE = 0.01
"""This part of what was spent may be missing: prices are rounded, and a run may have ended late."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the account must still hold: what it held at Unix second `since`, less what was spent.

    That is by the book, at the price of the configuration. Both are in the provider's currency.
    """

    held: float
    spent: float
    since: float


def expect(
    runs: Iterable[RunRecord], book: Path, account: str, *, price: float | None, currency: str
) -> Expected | None:
    """Return what an account must still hold; None where that cannot be said.

    Args:
        runs: the runs of the journals at hand: the last of them that knew the balance counts.
        book: the file of the account's book.
        account: the account.
        price: what a second of video costs; None: nothing can be said.
        currency: that of the price.

    Raises:
        StoreError: the book cannot be read.

    """
    known = [
        (run.finished_at, run.balance_after)
        for run in runs
        if run.finished_at is not None and run.balance_after is not None
    ]
    if price is None or currency != PROVIDER_CURRENCY or not known:
        return None
    since, held = max(known)
    return Expected(held, total_since(book, account, since, price).money, since)


def unexplained(remaining: float | None, expected: Expected | None) -> str | None:
    """Say that the account holds less than its book explains; None if not, or if nobody knows."""
    if remaining is None or expected is None:
        return None
    less = expected.held - expected.spent - remaining
    if less <= max(0.01, _TOLERANCE * expected.spent):
        return None
    return (
        f"The account holds {less:,.2f} {PROVIDER_CURRENCY} less than its book explains: it held "
        f"{expected.held:,.2f} on {iso(expected.since)}, {expected.spent:,.2f} were spent since by "
        f"the book, and it holds {remaining:,.2f}. Somebody else pays from it, or another machine "
        "with a book of its own, or a price has changed."
    )


class _BalanceTeller(Protocol):
    """Knows the balance: the provider."""

    async def balance(self, of: BalanceOf = "key") -> Balance:
        """Return what the key may spend, or what the account holds; raises ProviderError."""


@dataclass
class BalanceWatch:
    """What the account holds `before` and `after` a run; None while unknown, or unlimited.

    `warn` shows a line; `note` keeps both figures; `consent` is shown the offer, and says whether
    it is taken. `expected` is what the account must still hold by what is known of it, `least` what
    is to be left in it, in the currency of the offer. `answered` says that the provider has
    answered, whatever it said.
    """

    warn: Callable[[str], None]
    note: Callable[[float | None, float | None], None]
    consent: Callable[[Offer], bool]
    expected: Expected | None = None
    least: float | None = None
    before: float | None = None
    after: float | None = None
    answered: bool = False
    _misdirected: str | None = None

    def note_answer(self) -> None:
        """Take note that the provider has answered another call: its address is right."""
        self.answered = True

    async def look_before(self, teller: _BalanceTeller, offer: Offer) -> Stop | None:
        """Ask before the first submission; return why nothing is to be submitted, if so."""
        try:
            held = await self._look(teller, "before")
        except Unauthorized as error:
            return stop_for_key(error)
        self.before = None if held is None else held.remaining
        self.note(self.before, None)
        if self._misdirected is not None and not self.answered:
            return stop_for_address(self._misdirected)
        if (less := unexplained(self.before, self.expected)) is not None:
            self.warn(less)
        if offer.low_price is not None:
            self.warn(offer.low_price)
        remaining = await self._least_of(teller)
        short = explain_shortage(remaining, offer.money, offer.currency, self.least)
        if short is not None:
            self.warn(f"{short[0].upper()}{short[1:]}.")
        unlimited = held is not None and remaining is None
        if not offer.rows:  # the caps let nothing through, which the run says
            return None
        if self.consent(replace(offer, remaining=remaining, unlimited=unlimited, short=short)):
            return None
        if short is None:
            return Stop(
                ExitCode.STOPPED,
                "nobody agreed to what it costs",
                Reach.SUBMITTING,
                "Run again, or submit less: --limit, --only, budget.",
            )
        action = (
            "Top up the account, or submit less (--limit, --only, budget), then run again. To "
            "submit nevertheless, add --yes."
        )
        return Stop(ExitCode.STOPPED, short, Reach.SUBMITTING, action)

    async def _least_of(self, teller: _BalanceTeller) -> float | None:
        """Return the least of what key and account hold: a full key may be of an empty account.

        Not every deployment answers for the account, so a failure there is none.
        """
        with contextlib.suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_LIMIT_S):
                account = await teller.balance("account")
            known = [one for one in (self.before, account.remaining) if one is not None]
            return min(known, default=None)
        return self.before

    async def look_after(self, teller: _BalanceTeller) -> None:
        """Ask at the end; whatever comes of it, the run has ended."""
        try:
            held = await self._look(teller, "after")
            self.after = None if held is None else held.remaining
        except Unauthorized as error:
            self.warn(f"The balance after the run is not known: {error.message}")
        self.note(self.before, self.after)

    async def _look(self, teller: _BalanceTeller, when: str) -> Balance | None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                held = await teller.balance()
            self.answered = True
        except Unauthorized:
            raise
        except ProviderError as error:
            self.answered = self.answered or error.status is not None
            self._misdirected = error.message if error.misdirected else None
            failure = error.message
        except TimeoutError:
            failure = f"no answer came within {_LIMIT_S} s."
        else:
            return held
        self.warn(f"The balance {when} the run is not known: {failure}")
        return None
