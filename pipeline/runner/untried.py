"""Models that need care: those of which no video was made yet, and a team's own ones.

The first go out with a single row before all others (`engine.trials`). The rules of the second come
from the team's sheet alone: nothing else in the program, the emulator least of all, speaks up where
the sheet is wrong, and whoever reads what a run says has to know that.

Tested in tests/runner/test_untried.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pipeline.account.reading import models_made
from pipeline.checker.rowmodels import say_unchecked, unchecked_models
from pipeline.errors import ReelsheetError
from pipeline.manifest.wording import name_all
from pipeline.model import State
from pipeline.models.shelf import sheet_of
from pipeline.planner.plan import Action, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.checker.check import CheckedManifest
    from pipeline.config.settings import Budget, Config
    from pipeline.model import Entry
    from pipeline.runner.watching import Watcher


class OnModels(NamedTuple):
    """What has to be said of the models of a plan: those tried first, and those unchecked."""

    tried_first: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


NOTHING_ON_MODELS = OnModels()
"""Of the default model."""


def models_to_buy(manifests: Iterable[tuple[CheckedManifest, Plan]]) -> list[str]:
    """Return the models of those manifests of which a plan submits any rows, each once."""
    buying = (checked for checked, plan in manifests if plan.of(Action.SUBMIT))
    return list(dict.fromkeys(model for checked in buying for model in checked.models))


def tell_of_models(
    models: Sequence[str], untried: Sequence[str], watcher: Watcher, config: Config
) -> None:
    """Say which models go out with a single row first, and whose rules nothing has checked.

    Args:
        models: those of the rows to submit.
        untried: those of the run that are tried first.
        watcher: is told.
        config: says whether this is a rehearsal.

    """
    for line in say_unchecked(models, rehearses=config.rehearses):
        watcher.warn(line)
    for line in say_untried([one for one in untried if one in models]):
        watcher.say(line)
    if not config.rehearses:
        for line in say_foreign_prices(models, config.budget):
            watcher.warn(line)


def foresee_models(
    bought: tuple[CheckedManifest, Plan],
    entries: Iterable[Entry],
    account: tuple[Path, str] | None,
    config: Config,
) -> OnModels:
    """Say what a plan has to say of the models of the rows that it submits.

    Args:
        bought: The manifest and its plan.
        entries: What its journal knows of its rows.
        account: As for `untried_models`.
        config: The settings.

    """
    models = models_to_buy([bought])
    first = untried_models(models, entries, account)
    lines = (
        *say_unchecked(models, rehearses=config.rehearses),
        *say_untried(first),
        *say_foreign_prices(models, config.budget),
    )
    return OnModels(tuple(first), tuple(unchecked_models(models)), lines)


def say_foreign_prices(models: Iterable[str], budget: Budget) -> list[str]:
    """Say of models whose sheets have prices in another currency than the settings."""
    ours = budget.currency
    counted = "what their rows cost is not known"
    if budget.price_per_second is not None:
        counted = f"their rows count {budget.price_per_second:g} {ours} a second by the settings"
    foreign: dict[str, list[str]] = {}
    for model in models:
        currencies = {price.currency for price in sheet_of(model).prices}
        if currencies and ours not in currencies:
            foreign.setdefault(" and ".join(sorted(currencies)), []).append(model)
    return [
        f"The sheets of {name_all(named)} have their prices in {theirs}, and budget.currency is "
        f"{ours}: {counted}. Set budget.currency: {theirs} if your account is charged in it, or "
        f"budget.price_per_second to what a second of video costs in {ours}."
        for theirs, named in foreign.items()
    ]


def untried_models(
    models: Iterable[str], entries: Iterable[Entry], account: tuple[Path, str] | None
) -> list[str]:
    """Return those of some models whose sheets were never run, as far as anything knows.

    Args:
        models: The models of a run.
        entries: What the journals of the run know of their rows.
        account: The book, which knows what other runs have made, and the name of its account;
            None without.

    """
    never = [model for model in dict.fromkeys(models) if not sheet_of(model).head.verified]
    if not never:
        return []
    made = {one.attempt.request.model for one in entries if one.state is State.DONE}
    if account is not None:
        with contextlib.suppress(ReelsheetError):
            made |= models_made(*account)
    return [model for model in never if model not in made]


def say_untried(models: Sequence[str]) -> list[str]:
    """Say that the rows of these models do not all go out at once."""
    return [
        f"The sheet of the model {model} was never run: one row goes first, and the other rows of "
        "the model wait until its video is there."
        for model in models
    ]
