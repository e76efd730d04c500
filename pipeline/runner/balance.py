"""What the account holds: asked before a run submits and at its end, and compared with the book.

Tested in tests/runner/test_balance.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.account.reading import total_since
from pipeline.engine.rows import Reach, Stop, stop_for_address, stop_for_key
from pipeline.errors import ExitCode, ProviderError, Unauthorized
from pipeline.journal.reading import RunRecord
from pipeline.model import Balance
from pipeline.writer.outcome import iso

_PROVIDER_CURRENCY = "USD"
"""Balances are in dollars: docs/contract.md, "Balance"."""

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
    if price is None or currency != _PROVIDER_CURRENCY or not known:
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
        f"The account holds {less:,.2f} {_PROVIDER_CURRENCY} less than its book explains: it held "
        f"{expected.held:,.2f} on {iso(expected.since)}, {expected.spent:,.2f} were spent since by "
        f"the book, and it holds {remaining:,.2f}. Somebody else pays from it, or another machine "
        "with a book of its own, or a price has changed."
    )


class _BalanceTeller(Protocol):
    """Knows the balance: the provider."""

    async def balance(self) -> Balance:
        """Return what the account holds; raises ProviderError."""


@dataclass
class BalanceWatch:
    """What the account holds `before` and `after` a run; None while unknown, or unlimited.

    `warn` shows a line; `note` keeps both figures; `go_on` is asked when there is too little.
    `expected` is what the account must still hold by what is known of it. `answered` says that the
    provider has answered, whatever it said.
    """

    warn: Callable[[str], None]
    note: Callable[[float | None, float | None], None]
    go_on: Callable[[], bool]
    expected: Expected | None = None
    before: float | None = None
    after: float | None = None
    answered: bool = False
    _misdirected: str | None = None

    async def look_before(
        self, teller: _BalanceTeller, needed: float | None, currency: str
    ) -> Stop | None:
        """Ask before the first submission; return why nothing is to be submitted, if so."""
        try:
            self.before = await self._look(teller, "before")
        except Unauthorized as error:
            return stop_for_key(error)
        self.note(self.before, None)
        if self._misdirected is not None:
            return stop_for_address(self._misdirected)
        if (less := unexplained(self.before, self.expected)) is not None:
            self.warn(less)
        short = explain_shortage(self.before, needed, currency)
        if short is None:
            return None
        self.warn(f"{short[0].upper()}{short[1:]}.")
        if self.go_on():
            return None
        action = "Top up the account, or submit less (--limit, --only, budget), then run again."
        return Stop(ExitCode.STOPPED, short, Reach.SUBMITTING, action)

    async def look_after(self, teller: _BalanceTeller) -> None:
        """Ask at the end; whatever comes of it, the run has ended."""
        try:
            self.after = await self._look(teller, "after")
        except Unauthorized as error:
            self.warn(f"The balance after the run is not known: {error.message}")
        self.note(self.before, self.after)

    async def _look(self, teller: _BalanceTeller, when: str) -> float | None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                remaining = (await teller.balance()).remaining
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
            return remaining
        self.warn(f"The balance {when} the run is not known: {failure}")
        return None


def explain_shortage(remaining: float | None, needed: float | None, currency: str) -> str | None:
    """Say that the account holds less than a run needs; None if not, or if nobody knows.

    `needed` is None without a price. A need in another currency than the provider's cannot be
    compared, so then only an empty account is told of.
    """
    if remaining is None:
        return None
    holds = f"the account holds {remaining:,.2f} {_PROVIDER_CURRENCY}"
    if needed is not None and currency == _PROVIDER_CURRENCY:
        # Sums of decimal fractions: a cent is not short by a rounding.
        short = needed > remaining + 1e-9
        return f"{holds} and this run needs {needed:,.2f} {currency}" if short else None
    return f"{holds}: submissions will probably be refused" if remaining <= 0 else None
