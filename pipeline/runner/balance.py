"""The money in the account: asked for before the first submission of a live run, and after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.engine.rows import Reach, Stop, unauthorized
from pipeline.errors import ExitCode, ProviderError, Unauthorized
from pipeline.model import Balance

_PROVIDER_CURRENCY = "USD"
"""Balances are in dollars: docs/contract.md, "Balance"."""

_LIMIT_S = 15
"""How long a run waits for the balance, which it can do without."""


class Teller(Protocol):
    """Knows the balance: the provider."""

    async def balance(self) -> Balance:
        """Return what the account holds; raises ProviderError."""


@dataclass
class BalanceWatch:
    """What the account holds `before` and `after` a run; None while unknown, or unlimited.

    `warn` shows a line; `note` keeps both figures; `go_on` is asked when there is too little.
    """

    warn: Callable[[str], None]
    note: Callable[[float | None, float | None], None]
    go_on: Callable[[], bool]
    before: float | None = None
    after: float | None = None

    async def look_before(self, teller: Teller, needed: float | None, currency: str) -> Stop | None:
        """Ask before the first submission; return why nothing is to be submitted, if so."""
        try:
            self.before = await self._look(teller, "before")
        except Unauthorized as error:
            return unauthorized(error)
        self.note(self.before, None)
        short = shortage(self.before, needed, currency)
        if short is None:
            return None
        self.warn(f"{short[0].upper()}{short[1:]}.")
        if self.go_on():
            return None
        action = "Top up the account, or submit less (--limit, --only, budget), then run again."
        return Stop(ExitCode.STOPPED, short, Reach.SUBMITTING, action)

    async def look_after(self, teller: Teller) -> None:
        """Ask at the end; whatever comes of it, the run has ended."""
        try:
            self.after = await self._look(teller, "after")
        except Unauthorized as error:
            self.warn(f"The balance after the run is not known: {error.message}")
        self.note(self.before, self.after)

    async def _look(self, teller: Teller, when: str) -> float | None:
        try:
            async with asyncio.timeout(_LIMIT_S):
                return (await teller.balance()).remaining
        except Unauthorized:
            raise
        except ProviderError as error:
            failure = error.message
        except TimeoutError:
            failure = f"no answer came within {_LIMIT_S} s."
        self.warn(f"The balance {when} the run is not known: {failure}")
        return None


def shortage(remaining: float | None, needed: float | None, currency: str) -> str | None:
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
    return f"{holds}: submissions will hardly be taken" if remaining <= 0 else None
