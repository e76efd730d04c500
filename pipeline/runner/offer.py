"""What a live run is about to buy, as it is shown to whoever pays before anything is submitted.

Tested in tests/runner/test_balance.py and tests/system/test_money.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.account.opening import OpenAccount
from pipeline.account.reading import total_since
from pipeline.config.settings import Budget
from pipeline.journal.reading import RunRecord
from pipeline.manifest.wording import count
from pipeline.models.pricing import join
from pipeline.planner.planner import Estimate

PROVIDER_CURRENCY = "USD"
"""Balances are in dollars: docs/contract.md, "Balance"."""
_FAR_BELOW = 1.5
"""A second that came to so many times the configured price shows that the price is wrong."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Rows to submit, their seconds of video, their price, and what the account holds.

    `money` is in `currency` by the prices; None without one, `at_least` so much if some rows have
    none. `learned` is a price per second in the provider's currency that an earlier run came to:
    for the eye only, it decides nothing. `remaining` is None if it is `unlimited` or not known.
    `short` says that it is too little, None if it is not or if nobody knows; `low_price` that the
    configured price is too low; `pilot` how a few rows are made first.
    """

    rows: int
    video_seconds: int
    money: float | None = None
    currency: str = PROVIDER_CURRENCY
    learned: float | None = None
    remaining: float | None = None
    unlimited: bool = False
    short: str | None = None
    low_price: str | None = None
    pilot: str | None = None
    at_least: bool = False

    @property
    def sentence(self) -> str:
        """The offer in one line."""
        parts = [count(self.rows, "video"), f"{self.video_seconds:,} s"]
        if self.money is not None:
            about = "at least" if self.at_least else "about"
            parts.append(f"{about} {self.money:,.2f} {self.currency}")
        elif self.learned is not None:
            parts.append(say_learned(self.learned, self.video_seconds))
        if self.remaining is not None:
            holds = f"the account holds {self.remaining:,.2f} {PROVIDER_CURRENCY}"
        else:
            holds = (
                "the account has no limit"
                if self.unlimited
                else "what the account holds is not known"
            )
        return f"{', '.join(parts)}; {holds}"


def say_learned(price: float, video_seconds: int) -> str:
    """Say what so many seconds come to by a price that was learned."""
    return (
        f"about {price * video_seconds:,.2f} {PROVIDER_CURRENCY} ({price:,.4f} a second, learned "
        "from an earlier balance)"
    )


def make_offer(
    needed: Sequence[Estimate],
    budget: Budget,
    runs: Iterable[RunRecord],
    account: OpenAccount | None,
    pilot: str | None = None,
) -> Offer:
    """Return what several manifests buy together; money is what it takes at most.

    Args:
        needed: What each of them is estimated to take.
        budget: The caps and the price.
        runs: The runs of their journals, from which a price is learned where none is set.
        account: The account that pays; None if it has no book.
        pilot: The proposal to begin with a few rows.

    Raises:
        StoreError: The book cannot be read.

    """
    costs = join(one.costs for one in needed)
    caps = [cap for cap in (budget.money, budget.per_day.money) if cap is not None]
    money = None if costs.known is None else min([costs.known, *caps])
    learned = None
    if account is not None:
        learned = learn_price(runs, account.book.path, account.name)
    return Offer(
        rows=sum(one.submits for one in needed),
        video_seconds=sum(one.video_seconds for one in needed),
        money=money,
        currency=budget.currency,
        learned=learned,
        low_price=explain_low_price(budget.price_per_second, budget.currency, learned),
        pilot=pilot,
        at_least=costs.unpriced > 0 and money == costs.known,
    )


def explain_low_price(price: float | None, currency: str, learned: float | None) -> str | None:
    """Say that the configured price is far below what the balance tells; None if not.

    Args:
        price: What a second of video costs by the configuration; None: not set.
        currency: That of the price.
        learned: What a second came to by an earlier balance, in the provider's currency.

    """
    if not price or learned is None or currency != PROVIDER_CURRENCY:
        return None
    if learned < _FAR_BELOW * price:
        return None
    return (
        f"budget.price_per_second is {price:g} {currency}, but by the balance a second of video "
        f"came to {learned:,.4f} {PROVIDER_CURRENCY} in an earlier run: sums and caps of money may "
        "count too little. Set the price that you pay, unless somebody else paid from the account."
    )


def goes_on_unasked(offer: Offer, *, when_short: str, yes: bool) -> bool:
    """Return whether an offer is taken where there is nobody to ask.

    Args:
        offer: What would be bought.
        when_short: The setting `budget.when_short`.
        yes: Whether the answer was given beforehand.

    """
    return yes or offer.short is None or when_short == "go_on"


def explain_shortage(
    remaining: float | None, needed: float | None, currency: str, least: float | None = None
) -> str | None:
    """Say that the account holds less than a run needs; None if not, or if nobody knows.

    A need in another currency than the provider's cannot be compared, so then only an account that
    holds no more than `least` is told of.

    Args:
        remaining: What it holds; None: unlimited or not known.
        needed: What the run needs; None without a price.
        currency: That of what is needed and of `least`.
        least: What is to be left in the account, the setting `budget.min_balance`.

    """
    if remaining is None:
        return None
    holds = f"the account holds {remaining:,.2f} {PROVIDER_CURRENCY}"
    comparable = currency == PROVIDER_CURRENCY
    kept = least if least is not None and comparable else 0.0
    keeps = f", of which budget.min_balance keeps {kept:,.2f}" if kept else ""
    if needed is not None and comparable:
        # Sums of decimal fractions: a cent is not short by a rounding.
        short = needed + kept > remaining + 1e-9
        return f"{holds}{keeps}, and this run needs {needed:,.2f} {currency}" if short else None
    if remaining > kept:
        return None
    return f"{holds}{keeps}" if kept else f"{holds}: submissions will probably be refused"


def learn_price(runs: Iterable[RunRecord], book: Path, account: str) -> float | None:
    """Return what a second of video came to by the balance of the latest run that tells.

    Args:
        runs: The runs of the journals at hand.
        book: The file of the account's book.
        account: The account.

    Raises:
        StoreError: The book cannot be read.

    """
    for run in sorted(runs, key=lambda one: -one.started_at):
        before, after, ended = run.balance_before, run.balance_after, run.finished_at
        if before is None or after is None or ended is None or after >= before:
            continue
        seconds = (
            total_since(book, account, run.started_at, None).video_seconds
            - total_since(book, account, ended, None).video_seconds
        )
        if seconds > 0:
            return (before - after) / seconds
    return None
