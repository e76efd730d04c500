"""The part of a run that costs money: provider, engine and scheduler, and a look at the balance.

Tested in tests/system/test_main_job.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.concealment import conceal
from pipeline.config.loading import api_key
from pipeline.config.values import is_loopback
from pipeline.downloader.fetching import Downloader
from pipeline.engine.commands import Decision
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Reach, Stop, stop_for_key
from pipeline.errors import ExitCode, ProviderError, ReelsheetError, StoreError, Unauthorized
from pipeline.events import Accepted, AnswerLost, Downloaded, Event
from pipeline.journal.database import Reserve
from pipeline.journal.journal import Journal
from pipeline.model import Balance, Entry, State
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import estimate
from pipeline.runner.engine_setup import build_engine
from pipeline.runner.order import Order, RunProgress, Tally, Watcher
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake, heed_signals
from pipeline.scheduler import Clock, Scheduler
from pipeline.writer.outcome import state_of

_TELL_EVERY_S = 0.25
"""How often log and watcher are told; at every decision it would cost half of what queries do."""

_PROVIDER_CURRENCY = "USD"
"""Balances are in dollars: docs/contract.md, "Balance"."""

_LIMIT_S = 15
"""How long a run waits for the balance, which it can do without."""


@dataclass
class ProviderSession:
    """The part of one run that costs money; as the scheduler's observer it keeps the `tally`.

    Without a `brake` the signals of the process stop it.
    """

    order: Order
    watcher: Watcher
    journal: Journal
    log: RunLog
    run_id: str
    clock: Clock
    tally: Tally
    brake: Brake | None = None
    _left_alone: Counter[State] = field(default_factory=Counter)
    _tell_at: float = 0.0

    @property
    def interval_s(self) -> float:
        """How often the watcher, and the log if there is something for it, want to be told."""
        return _TELL_EVERY_S if self.log.waiting else self.watcher.interval_s

    def carry_out(self, plan: Plan, entries: Mapping[str, Entry]) -> None:
        """Submit, poll and download what the plan says; if it ended early, the tally says why.

        Raises ConfigError when there is no key, and StoreError, before anything was begun.
        """
        account = self._account()
        self._left_alone = Counter(
            state_of(step, entries.get(step.key))
            for step in plan.steps
            if step.action is Action.LEAVE
        )
        engine = build_engine(
            plan,
            entries,
            self.journal,
            checked=self.order.checked,
            config=self.order.config,
            account=account,
            now=self.clock.now(),
            wall=self.clock.wall(),
        )
        self.tally.spend = engine.spend
        try:
            with Reserve(self.order.folder.cache / "reserve") as reserve:
                self.journal.fall_back_on(reserve)
                asyncio.run(self._with_provider(engine, plan, account))
        except ReelsheetError as error:
            code = error.exit_code
            self.tally.stops.append(Stop(code, error.message, action=error.action))
        except Exception as error:  # noqa: BLE001 - the journal is whole: results are still written
            self.log.write("internal error", traceback=traceback.format_exc())
            said = conceal(str(error), self.order.secret)
            reason = f"internal error: {type(error).__name__}: {said}"
            action = f"Please report it with {self.order.folder.log}; nothing is lost, run again."
            self.tally.stops.append(Stop(ExitCode.INTERNAL, reason, action=action))
        self.tally.stops += engine.stops
        self.tally.unknown_statuses = engine.unknown_statuses
        for status, rows in Counter(self.tally.unknown_statuses.values()).items():
            self.log.write("tasks are left with a status nobody knows", status=status, rows=rows)
        if engine.finds_by_reference:
            self.log.write("a task was found by its client_business_id: look-ups work")

    def _account(self) -> str:
        """Return whose uploads may be used again; raises ConfigError when there is no key."""
        if self.order.config.rehearses:
            return "rehearsal"
        # Another key may be another account: told apart by a digest that says nothing elsewhere.
        key = api_key(self.order.config, os.environ).encode()
        digest = hmac.digest(self.journal.id.encode(), key, "sha256").hex()[:16]
        return f"{self.order.config.api.base_url} {digest}"

    async def _with_provider(self, engine: Engine, plan: Plan, account: str) -> None:
        config = self.order.config
        async with contextlib.AsyncExitStack() as stack:
            # First of all, so that a Ctrl-C while the rest starts or ends is heard as well.
            brake = self.brake or Brake(self.watcher.say)
            stack.enter_context(brake.listening())
            if self.brake is None:
                stack.enter_context(heed_signals(brake))
            provider = await stack.enter_async_context(
                open_provider(config, self.order.folder.emulator)
            )
            store = await stack.enter_async_context(
                Downloader(
                    self.order.folder.videos,
                    concurrency=config.limits.downloads,
                    verify=config.output.verify,
                    allow_private=is_loopback(provider.origin),
                )
            )
            scheduler = Scheduler(
                engine,
                provider=provider,
                store=store,
                journal=self.journal,
                clock=self.clock,
                observer=self,
                pictures=self.order.checked.pictures,
                account=account,
                client_reference=config.api.client_reference,
            )
            balance = BalanceWatch(self.watcher.warn, self._note_balance, self.order.go_on)
            asks = not config.rehearses and bool(plan.of(Action.SUBMIT))
            if asks:
                needed = self._estimate_money(plan)
                stop = await balance.look_before(provider, needed, config.budget.currency)
                if stop is not None:
                    engine.stop(stop)
            brake.steer(scheduler)
            await scheduler.run()
            if asks and not any(
                one.exit_code is ExitCode.STOPPED
                for one in engine.stops
                if one.reach is Reach.EVERYTHING
            ):
                await balance.look_after(provider)

    def _estimate_money(self, plan: Plan) -> float | None:
        """Return how much money the submissions take at most; None without a price."""
        budget = self.order.config.budget
        needed = estimate(plan, self.order.checked, self.order.config).money
        sums = (needed, budget.money, budget.per_day.money)
        return None if needed is None else min(money for money in sums if money is not None)

    def _note_balance(self, before: float | None, after: float | None) -> None:
        self.tally.balance_before, self.tally.balance_after = before, after
        self.journal.note_balance(self.run_id, before, after)

    def observe(self, decision: Decision, engine: Engine) -> None:
        """Take in a decision of the engine: count, log and show it."""
        for event in decision.events:
            self._count(event)
            self.log.write_event(event)
        if (now := self.clock.now()) >= self._tell_at:
            self._tell_at = now + _TELL_EVERY_S
            self._flush(engine)
            states = self._left_alone + engine.states
            self.watcher.show(RunProgress(states, self.tally.submitted, self.tally.downloaded))

    def _flush(self, engine: Engine) -> None:
        try:
            self.log.flush()
        except StoreError as error:
            # Where the log finds no room the next video finds none: answers are still awaited.
            if not engine.stops:
                engine.stop(Stop(error.exit_code, error.message, action=error.action))

    def _count(self, event: Event) -> None:
        if isinstance(event, Accepted | AnswerLost):
            self.tally.submitted += 1
        elif isinstance(event, Downloaded):
            self.tally.downloaded += 1
            self.tally.bytes += event.video.size_bytes


class _BalanceTeller(Protocol):
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

    async def look_before(
        self, teller: _BalanceTeller, needed: float | None, currency: str
    ) -> Stop | None:
        """Ask before the first submission; return why nothing is to be submitted, if so."""
        try:
            self.before = await self._look(teller, "before")
        except Unauthorized as error:
            return stop_for_key(error)
        self.note(self.before, None)
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
                return (await teller.balance()).remaining
        except Unauthorized:
            raise
        except ProviderError as error:
            failure = error.message
        except TimeoutError:
            failure = f"no answer came within {_LIMIT_S} s."
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
