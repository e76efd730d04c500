"""The part of a run that costs money: provider, engine and scheduler, and a look at the balance."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.concealment import conceal
from pipeline.config.loading import api_key
from pipeline.config.values import is_loopback
from pipeline.downloader.fetching import Downloader
from pipeline.engine.commands import Decision
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, ReelsheetError, StoreError
from pipeline.events import Accepted, AnswerLost, Downloaded, Event
from pipeline.journal.database import Reserve
from pipeline.journal.journal import Journal
from pipeline.model import Entry, State
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import estimate
from pipeline.runner.balance import BalanceWatch
from pipeline.runner.engine_setup import build_engine
from pipeline.runner.order import Order, RunProgress, Tally, Watcher
from pipeline.runner.rehearsal import KEY as REHEARSAL_KEY
from pipeline.runner.rehearsal import emulator
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake, heed_signals
from pipeline.scheduler import Clock, Scheduler
from pipeline.toapis.client import ToAPIs
from pipeline.writer.outcome import iso, state_of

_TELL_EVERY_S = 0.25
"""How often log and watcher are told; at every decision it would cost half of what queries do."""


@dataclass
class ProviderSession:
    """The part of one run that costs money; as the scheduler's observer it keeps the `tally`.

    Without a `brake` the signals of the process stop it.
    """

    order: Order
    watcher: Watcher
    journal: Journal
    log: RunLog
    clock: Clock
    balance: BalanceWatch
    tally: Tally
    brake: Brake | None = None
    settled: Counter[State] = field(default_factory=Counter)
    _tell_at: float = 0.0

    @property
    def interval_s(self) -> float:
        """How often the watcher, and the log if there is something for it, want to be told."""
        return _TELL_EVERY_S if self.log.waiting else self.watcher.interval_s

    def carry_out(self, plan: Plan, entries: Mapping[str, Entry]) -> None:
        """Submit, poll and download what the plan says; if it ended early, the tally says why.

        Raises ConfigError when there is no key, and StoreError, before anything was begun.
        """
        if not self.order.rehearses:
            api_key(self.order.config, os.environ)
        self.settled = Counter(
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
            account=self._account,
            now=self.clock.now(),
            wall=self.clock.wall(),
        )
        self.tally.spend = engine.spend
        try:
            with Reserve(self.order.folder.cache / "reserve") as reserve:
                self.journal.fall_back_on(reserve)
                asyncio.run(self._with_provider(engine, plan))
        except ReelsheetError as error:
            code = error.exit_code
            self.tally.stops.append(Stop(code, error.message, action=error.action))
        except Exception as error:  # noqa: BLE001 - the journal is whole: results are still written
            self._log("internal error", traceback=traceback.format_exc())
            said = conceal(str(error), self.order.secret)
            reason = f"internal error: {type(error).__name__}: {said}"
            action = f"Please report it with {self.order.folder.log}; nothing is lost, run again."
            self.tally.stops.append(Stop(ExitCode.INTERNAL, reason, action=action))
        self.tally.stops += engine.stops
        if engine.finds_by_reference:
            self._log("a task was found by its client_business_id: look-ups work")

    @property
    def _account(self) -> str:
        if self.order.rehearses:
            return "rehearsal"
        # Another key may be another account: told apart by a digest that says nothing elsewhere.
        key = api_key(self.order.config, os.environ).encode()
        digest = hmac.digest(self.journal.id.encode(), key, "sha256").hex()[:16]
        return f"{self.order.config.api.base_url} {digest}"

    async def _with_provider(self, engine: Engine, plan: Plan) -> None:
        config = self.order.config
        async with contextlib.AsyncExitStack() as stack:
            # First of all, so that a Ctrl-C while the rest starts or ends is heard as well.
            brake = self.brake or Brake(self.watcher.say)
            stack.enter_context(brake.listening())
            if self.brake is None:
                stack.enter_context(heed_signals(brake))
            if self.order.rehearses:
                state = self.order.folder.emulator
                base_url, key = await stack.enter_async_context(emulator(state)), REHEARSAL_KEY
            else:
                base_url, key = config.api.base_url, api_key(config, os.environ)
            provider = await stack.enter_async_context(
                ToAPIs(base_url, key, submit_timeout_s=config.api.submit_timeout_s)
            )
            store = await stack.enter_async_context(
                Downloader(
                    self.order.folder.videos,
                    concurrency=config.limits.downloads,
                    verify=config.output.verify,
                    allow_private=is_loopback(base_url),
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
                account=self._account,
                client_reference=config.api.client_reference,
            )
            asks = not self.order.rehearses and bool(plan.of(Action.SUBMIT))
            stop = await self._look_before(provider, plan) if asks else None
            if stop is not None:
                engine.stop(stop)
            brake.steer(scheduler)
            await scheduler.run()
            if asks and not any(
                one.exit_code is ExitCode.STOPPED
                for one in engine.stops
                if one.reach is Reach.EVERYTHING
            ):
                await self.balance.look_after(provider)

    async def _look_before(self, provider: ToAPIs, plan: Plan) -> Stop | None:
        budget = self.order.config.budget
        needed = estimate(plan, self.order.checked, self.order.config).money
        if needed is not None:
            caps = (budget.money, budget.per_day.money)
            needed = min([needed, *(cap for cap in caps if cap is not None)])
        return await self.balance.look_before(provider, needed, budget.currency)

    def saw(self, decision: Decision, engine: Engine) -> None:
        """Take in a decision of the engine: count, log and show it."""
        if decision.events:
            at = iso(self.clock.wall()) or ""
            for event in decision.events:
                self._count(event)
                self.log.event(at, event)
        if (now := self.clock.now()) >= self._tell_at:
            self._tell_at = now + _TELL_EVERY_S
            self._flush(engine)
            states = self.settled + engine.states
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

    def _log(self, what: str, **said: object) -> None:
        self.log.write(iso(self.clock.wall()) or "", what, **said)
