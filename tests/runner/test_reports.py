"""What runs and offers cost where rows have different models: what is not known is not left out."""

from __future__ import annotations

from dataclasses import replace

from pipeline.config.loading import load
from pipeline.config.settings import Budget
from pipeline.engine.limits import Spend
from pipeline.models.pricing import NOTHING_KNOWN, Costs
from pipeline.planner.planner import Estimate
from pipeline.runner.offer import make_offer
from pipeline.runner.reports import RunSpend, costs_of
from tests.engine.night import attempt

LIVE = load(None, environ={}, overrides=["provider=toapis"])
PRICED = load(None, environ={}, overrides=["provider=toapis", "budget.price_per_second=0.1"])


def test_a_run_knows_what_it_spent_by_the_models_of_its_rows() -> None:
    """Whatever the settings say of the default model; a submission that was refused counts not."""
    spend = Spend()
    assert costs_of(spend, LIVE) == NOTHING_KNOWN, "nobody knows a price, which is not 0"
    assert costs_of(spend, PRICED) == Costs(0.0, 0.0)
    spend.add(replace(attempt("a"), cost=0.1))
    assert costs_of(spend, LIVE) == Costs(0.1, 0.1)
    other = replace(attempt("b"), cost=None)
    spend.add(other)
    assert costs_of(spend, LIVE) == Costs(None, 0.1, 1)
    spend.add(other, -1)
    assert costs_of(spend, LIVE) == Costs(0.1, 0.1)
    assert costs_of(spend, load(None, environ={}, overrides=[])) == NOTHING_KNOWN


def test_runs_are_summed_up_with_what_is_known_of_them() -> None:
    """As they stand in the line at the end, and in the notice of a night."""
    assert RunSpend(2, 12, 0.2, "USD", 0.2).costs == Costs(0.2, 0.2)
    assert RunSpend(2, 12, None, "USD", 0.1).costs == Costs(None, 0.1, 2)
    assert RunSpend(0, 0, None, "USD").costs == NOTHING_KNOWN


def test_an_offer_says_where_it_is_the_least() -> None:
    """Unless a cap ends it there."""
    mixed, known = Estimate(2, 12, Costs(None, 0.6, 1), 60), Estimate(1, 6, Costs(0.6, 0.6), 60)
    least = make_offer([mixed, known], Budget(), [], None)
    assert least.sentence.startswith("3 videos, 18 s, at least 1.20 USD")
    assert make_offer([known], Budget(), [], None).sentence.startswith("1 video, 6 s, about 0.60")
    capped = Budget(money=1.0, price_per_second=0.1)
    assert make_offer([mixed, known], capped, [], None).sentence.startswith("3 videos, 18 s, about")
