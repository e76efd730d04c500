"""What a run over several manifests is about to buy: offered to a person, held against a balance.

Tested in tests/system/test_main_job.py and tests/runner/test_balance.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.journal.reading import read_runs
from pipeline.planner.planner import estimate
from pipeline.runner.balance import Expected, expect
from pipeline.runner.caps import within_caps
from pipeline.runner.offer import Offer, make_offer
from pipeline.runner.piloting import propose_pilot
from pipeline.runner.run import ManifestRun


def offer_of(runs: Sequence[ManifestRun], wall: float) -> Offer:
    """Return what is about to be bought, as far as the caps let it through."""
    config, account = runs[0].order.config, runs[0].account
    budget, checked = config.budget, [run.order.checked for run in runs]
    planned = [(run.plan, run.order.checked.requests_by_key, run.journal) for run in runs]
    plans = within_caps(planned, budget, account, wall, runs[0].terms.night_since)
    needed = [estimate(*one, config) for one in zip(plans, checked, strict=True)]
    earlier = (one for run in runs for one in read_runs(run.journal.path))
    pilots = (propose_pilot(run.order, run.plan, run.entries) for run in runs)
    return make_offer(needed, budget, earlier, account, next(filter(None, pilots), None))


def expect_of(runs: Sequence[ManifestRun]) -> Expected | None:
    """Return what the balance should be, as far as the account's book explains it."""
    if (account := runs[0].account) is None:
        return None
    budget = runs[0].order.config.budget
    earlier = [one for run in runs for one in read_runs(run.journal.path)]
    return expect(
        earlier,
        account.book.path,
        account.name,
        price=budget.price_per_second,
        currency=budget.currency,
    )
