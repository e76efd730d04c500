"""The caps of a run and of its day, and what of a plan they let through: told before it is paid.

Tested in tests/system/test_money.py and tests/system/test_foreseen.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from pipeline.account.guard import Days
from pipeline.account.opening import OpenAccount
from pipeline.account.reading import total_since
from pipeline.config.settings import Budget
from pipeline.engine.limits import Caps, Reservations, Spend
from pipeline.engine.rows import Stop
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Request
from pipeline.models.pricing import cost_of
from pipeline.planner.plan import Action, Plan


def caps_per_run(budget: Budget) -> Caps:
    """Return the caps of one run."""
    return Caps(budget.videos, budget.video_seconds, budget.money)


def caps_per_day(budget: Budget) -> Caps:
    """Return the caps of one day."""
    per_day = budget.per_day
    return Caps(per_day.videos, per_day.video_seconds, per_day.money)


def caps_per_night(budget: Budget) -> Caps:
    """Return the caps of one night."""
    per_night = budget.per_night
    return Caps(per_night.videos, per_night.video_seconds, per_night.money)


def spent_since(
    since: float,
    journals: Iterable[Journal],
    budget: Budget,
    account: OpenAccount | None,
    *,
    caps: Caps,
) -> Spend:
    """Return what was spent since a Unix second: by the account or, without a book, from here.

    Args:
        since: The second.
        journals: Those of the run.
        budget: The price.
        account: The account; None without a book.
        caps: What it is counted for; without any nothing is counted.

    """
    spend = Spend()
    if caps == Caps():
        return spend
    if account is not None:
        return total_since(account.book.path, account.name, since, budget.price_per_second)
    for attempt in chain.from_iterable(one.submitted_since(since) for one in journals):
        # What was sent before a price was set costs what it costs now.
        cost = cost_of(attempt.request, budget.price_per_second, budget.currency)
        spend.add(attempt if attempt.cost is not None else replace(attempt, cost=cost))
    return spend


def count_in(
    plan: Plan, requests: Mapping[str, Request], budget: Budget, counted: Reservations
) -> tuple[list[str], Stop | None]:
    """Reserve what a plan submits, until a cap would be passed.

    Args:
        plan: The plan.
        requests: Those of its rows, by key.
        budget: The price.
        counted: What is reserved already; what the caps let through is added.

    Returns:
        The keys of the rows that are over a cap, and why.

    """
    over: list[str] = []
    stop: Stop | None = None
    for step in plan.of(Action.SUBMIT):
        request = requests[step.key]
        cost = cost_of(request, budget.price_per_second, budget.currency)
        attempt = Attempt(step.key, 1, "", request, "", cost=cost)
        stop = stop or counted.refusal(attempt)
        if stop is None:
            counted.reserve(attempt, 0)
        else:
            over.append(attempt.key)
    return over, stop


def within_caps(
    planned: Sequence[tuple[Plan, Mapping[str, Request], Journal]],
    budget: Budget,
    account: OpenAccount | None,
    wall: float,
    night_since: float | None = None,
) -> list[Plan]:
    """Return the plans of a run with what the caps let through of them.

    Args:
        planned: Each plan with the requests of its rows, by key, and its journal.
        budget: The caps and the price.
        account: The account; None without a book.
        wall: The time, as a Unix time.
        night_since: The Unix second from which caps per night count; None: they do not.

    """
    of_day = caps_per_day(budget)
    of_night = Caps() if night_since is None else caps_per_night(budget)
    counted = Reservations(caps_per_run(budget), of_day, of_night)
    since = Days(budget.timezone).start_of(wall)
    journals = [journal for _, _, journal in planned]
    counted.begin_day(0.0, spent_since(since, journals, budget, account, caps=of_day))
    began = wall if night_since is None else night_since
    counted.begin_night(spent_since(began, journals, budget, account, caps=of_night))
    plans = []
    for plan, requests, _ in planned:
        over, stop = count_in(plan, requests, budget, counted)
        plans.append(plan if stop is None else plan.without(over, stop.reason))
    return plans
