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
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from pipeline.account.guard import Days
from pipeline.account.learned import keep_learned
from pipeline.account.opening import OpenAccount
from pipeline.concealment import conceal, conceal_secret
from pipeline.config.key import api_key, key_warnings
from pipeline.config.settings import Config
from pipeline.config.values import is_loopback
from pipeline.disk.groupcommit import Committed
from pipeline.disk.reserve import Reserve
from pipeline.downloader.verification import Decoders
from pipeline.engine.commands import Decision, Query
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Reach, Stop, stop_by
from pipeline.errors import ExitCode, ReelsheetError, StoreError
from pipeline.model import State
from pipeline.network import read_network
from pipeline.pictures.metadata.removal import remove_metadata
from pipeline.planner.plan import Action
from pipeline.runner.arriving import open_fleet_store, open_store
from pipeline.runner.balance import BalanceWatch
from pipeline.runner.buying import expect_of, offer_of
from pipeline.runner.engine_setup import (
    PlannedLane,
    build_engine,
    keep_room,
    sees_references,
)
from pipeline.runner.manning import Manning
from pipeline.runner.meanwhile import Meanwhile
from pipeline.runner.mishaps import Mishaps
from pipeline.runner.modelcheck import look_at_models
from pipeline.runner.patience import Patience
from pipeline.runner.rehearsal import open_provider
from pipeline.runner.reports import progress_of
from pipeline.runner.reviewing import RunStills
from pipeline.runner.run import ManifestRun
from pipeline.runner.signals import Brake
from pipeline.runner.storage import Storage, say_shared
from pipeline.runner.untried import models_to_buy, tell_of_models
from pipeline.runner.watching import ManifestProgress, RunProgress, Watcher
from pipeline.scheduler.scheduler import Scheduler
from pipeline.scheduler.seams import Clock, Lane, Store
from pipeline.toapis.client import ToAPIs
from pipeline.writer.outcome import state_of

_TELL_EVERY_S = 0.25
"""How often log and watcher are told; at every decision it would cost half of what queries do."""


_KEEP_EVERY_S = 300.0
"""How often the book is told what was learned: a run that is killed has not learned in vain."""


@dataclass
class ProviderSession:
    """The part of a run that costs money; as the scheduler's observer it keeps the tallies.

    `runs` are the manifests that need the provider, in the order of their lanes, and `reserves` the
    room that is set aside for each. `beside` says
    where the others stand, for the watcher. The `brake` stops it.
    """

    runs: Sequence[ManifestRun]
    reserves: Sequence[Reserve]
    watcher: Watcher
    clock: Clock
    beside: tuple[ManifestProgress, ...] = ()
    brake: Brake = field(default_factory=Brake)
    _left_alone: Counter[State] = field(default_factory=Counter)
    _left_in: list[Counter[State]] = field(default_factory=list)
    _manning: Manning | None = None
    _models: list[str] = field(default_factory=list)
    _tell_at: float = 0.0
    _keep_at: float = 0.0

    def __post_init__(self) -> None:
        """Have what is waited for told on the screen and in the logs."""
        self._meanwhile = Meanwhile(self.runs, self.clock)
        self._patience = Patience(self.watcher.say, self._meanwhile.log)
        self._mishaps = Mishaps(self.watcher.say)
        self._keep_at = self.clock.now() + _KEEP_EVERY_S
        self._stills = RunStills([run.order for run in self.runs], self.brake, self.watcher.say)

    @property
    def interval_s(self) -> float:
        """How often the watcher, and a log if there is something for it, want to be told."""
        return _TELL_EVERY_S if self._meanwhile.unwritten else self.watcher.interval_s

    @property
    def _config(self) -> Config:
        return self.runs[0].order.config

    @property
    def _account(self) -> OpenAccount | None:
        return self.runs[0].account

    def carry_out(self) -> None:
        """Submit, poll and download what the plans say; if it ended early, the tallies say why.

        Raises ConfigError without a key or a way out, and StoreError, before anything begins.
        """
        uploaders = [self._uploader(run) for run in self.runs]
        for sentence in key_warnings(self._config, os.environ):
            self.watcher.warn(sentence)
        self._left_in = [_left_alone(run) for run in self.runs]
        beside = [Counter(one.states) for one in self.beside]
        self._left_alone = sum([*self._left_in, *beside], Counter[State]())
        lanes = [
            PlannedLane(
                run.plan,
                run.entries,
                run.journal,
                run.order.checked,
                uploader,
                run.asks_first,
                run.wants_proof,
                run.terms,
                run.may_order,
            )
            for run, uploader in zip(self.runs, uploaders, strict=True)
        ]
        now, wall = self.clock.now(), self.clock.wall()
        engine = build_engine(lanes, self._config, self._account, now=now, wall=wall)
        folders = [run.order.folder for run in self.runs]
        storage = keep_room(engine, lanes, folders, self._config, self._account)
        self._models = models_to_buy((run.order.checked, run.plan) for run in self.runs)
        tell_of_models(self._models, engine.trials.models, self.watcher, self._config)
        for lane, run in enumerate(self.runs):
            run.tally.spend = engine.spend_of(lane)
        try:
            for run, reserve in zip(self.runs, self.reserves, strict=True):
                self._fall_back_on(run, reserve)
            asyncio.run(self._with_provider(engine, storage, uploaders))
        except ReelsheetError as error:
            self._stop_all([stop_by(error)])
        except Exception as error:  # noqa: BLE001 - the journals are whole: results are still written
            self._report_crash(error)
        self._stop_all(engine.stops)
        if self._account is not None:
            with contextlib.suppress(StoreError):  # it is seen again by another run
                self._keep_learned(engine, self._account).result()
                if engine.finds_by_reference:
                    self._account.book.note_references(self._account.name)
        self._meanwhile.note_what_is_left(engine)

    def _stop_all(self, stops: Sequence[Stop]) -> None:
        folders = [run.order.folder for run in self.runs]
        for lane, run in enumerate(self.runs):
            own = (dict(stop.own).get(lane, stop) for stop in stops)
            run.tally.stops += [say_shared(stop, folders) for stop in own]

    def _report_crash(self, error: Exception) -> None:
        said = traceback.format_exc()
        for run in self.runs:
            order = run.order
            run.log.write("internal_error", traceback=said)
            name = f"{type(error).__name__}: {conceal(str(error), order.secret)}"
            action = f"Please report it with {order.folder.log}; nothing is lost, run again."
            stop = Stop(ExitCode.INTERNAL, f"internal error: {name}", action=action)
            run.tally.stops.append(stop)

    def _fall_back_on(self, run: ManifestRun, reserve: Reserve) -> None:
        """Let the journal have the room set aside and, where it lies on the same disk, the book."""
        run.journal.fall_back_on(reserve)
        if self._account is None:
            return
        book = self._account.book
        if book.path.stat().st_dev == run.order.folder.root.stat().st_dev:
            book.fall_back_on(reserve)

    def _uploader(self, run: ManifestRun) -> str:
        """Return whose uploads may be used again; raises ConfigError when there is no key."""
        if self._config.rehearses:
            return "rehearsal"
        # Another key may be another account: told apart by a digest that says nothing elsewhere.
        key = api_key(self._config, os.environ).encode()
        read_network(self._config, os.environ)
        digest = hmac.digest(run.journal.id.encode(), key, "sha256").hex()[:16]
        return f"{conceal_secret(self._config.api.base_url)} {digest}"

    async def _with_provider(
        self, engine: Engine, storage: Storage, uploaders: Sequence[str]
    ) -> None:
        config = self._config
        async with contextlib.AsyncExitStack() as stack:
            # First of all, so that a Ctrl-C while the rest starts or ends is heard as well.
            brake = self.brake
            stack.enter_context(brake.listening())
            providers = await self._open_providers(stack)
            private = is_loopback(providers[0].origin)
            orders = [run.order for run in self.runs]
            manning = Manning(orders, brake, private=private, say=self.watcher.say)
            self._manning = await stack.enter_async_context(manning)
            decoders = await stack.enter_async_context(Decoders())
            scheduler = Scheduler(
                engine,
                [
                    await self._lane(stack, run, provider, uploader, decoders)
                    for run, provider, uploader in zip(self.runs, providers, uploaders, strict=True)
                ],
                clock=self.clock,
                observer=self,
                client_reference=config.api.client_reference,
                day_of=Days(config.budget.timezone).number_of,
                look_at_disks=storage.look,
            )
            warn, consent = self.watcher.warn, self.runs[0].order.consent
            least = config.budget.min_balance
            balance = BalanceWatch(warn, self._note_balance, consent, expect_of(self.runs), least)
            named, told = self._models, balance.note_answer
            asks = bool(named) and not config.rehearses
            if asks:
                asked = look_at_models(providers[0], named, warn, told, setting=config.api.model)
                stop = await brake.unless_pressed(asked)
                if stop is None:
                    look = balance.look_before(providers[0], offer_of(self.runs, self.clock.wall()))
                    stop = await brake.unless_pressed(look)
                if stop is not None and not brake.presses:  # a signal is the cause then
                    engine.stop(stop)
                if balance.answered:
                    engine.note_answer()
            hanging = [r.journal for r in self.runs if any(map(r.wants_proof, r.keys_to_submit))]
            if await brake.unless_pressed(sees_references(providers[0], hanging, self._account)):
                engine.trust_references()
            await stack.enter_async_context(self._stills)
            manning.attend(scheduler)
            brake.steer(scheduler)
            try:
                await scheduler.run()
            finally:
                await self._meanwhile.finish()
            final = [one for one in engine.stops if one.reach is Reach.EVERYTHING]
            if asks and not any(one.exit_code is ExitCode.STOPPED for one in final):
                await brake.unless_pressed(balance.look_after(providers[0]))

    async def _open_providers(self, stack: contextlib.AsyncExitStack) -> list[ToAPIs]:
        """Return the provider of each lane: for a rehearsal the emulator that has its tasks."""
        if not self._config.rehearses:
            state = self.runs[0].order.folder.emulator
            live = await stack.enter_async_context(open_provider(self._config, state, trusted=True))
            return [live] * len(self.runs)
        folders = [run.order.folder for run in self.runs]
        return [
            await stack.enter_async_context(
                open_provider(self._config, one.emulator, pictures=one.small_pictures)
            )
            for one in folders
        ]

    async def _lane(
        self,
        stack: contextlib.AsyncExitStack,
        run: ManifestRun,
        provider: ToAPIs,
        uploader: str,
        decoders: Decoders,
    ) -> Lane:
        order, private = run.order, is_loopback(provider.origin)
        if order.config.has_workers and self._manning is not None:
            fleet = self._manning.fleet
            carried = open_fleet_store(order, fleet, decoders, allow_private=private)
            store: Store = self._stills.drawn_by(await stack.enter_async_context(carried))
        else:
            own = open_store(order, run.entries.values(), decoders, allow_private=private)
            store = self._stills.drawn_by(await stack.enter_async_context(own))
        return Lane(
            provider,
            run.recorder or run.journal,
            store,
            run.order.checked.pictures,
            uploader,
            rewrite=remove_metadata if self._config.images.metadata == "remove" else None,
        )

    def _note_balance(self, before: float | None, after: float | None) -> None:
        for run in self.runs:
            run.tally.balance_before, run.tally.balance_after = before, after
            run.journal.note_balance(run.run_id, before, after)

    def observe(self, decision: Decision, engine: Engine) -> None:
        """Take in a decision of the engine: count, log and show it."""
        wall = self.clock.wall() if decision.events else 0.0
        for event in decision.events:
            run = self.runs[event.lane]
            run.tally.count(event, wall)
            run.log.write_event(event)
            self._stills.note(event)
            self._mishaps.note(event, run.order.checked)
            self._meanwhile.unwritten.add(event.lane)
        for command in decision.commands:
            if isinstance(command, Query):
                self.runs[command.row.lane].tally.polls += 1
        if (now := self.clock.now()) >= self._tell_at:
            self._tell_at = now + _TELL_EVERY_S
            self._meanwhile.write(engine)
            if now >= self._keep_at and self._account is not None:
                self._keep_at = now + _KEEP_EVERY_S
                self._keep_learned(engine, self._account)
            submitted = sum(run.tally.submitted for run in self.runs)
            downloaded = sum(run.tally.downloaded for run in self.runs)
            states = self._left_alone + engine.states
            waits_for = self._patience.tell(engine, now, self.clock.wall())
            each = tuple(self._progress_of(engine, lane) for lane in range(len(self.runs)))
            left = self._left_alone[State.WAITING]
            workers = self._manning.workers if self._manning is not None else None
            progress = RunProgress(
                states, submitted, downloaded, waits_for, each, left, workers, self.beside
            )
            self.watcher.show(progress)

    def _keep_learned(self, engine: Engine, account: OpenAccount) -> Future[Committed]:
        """Have the book keep what the next run can do with."""
        return keep_learned(account.book, account.name, engine.take_learned(), self.clock.wall())

    def _progress_of(self, engine: Engine, lane: int) -> ManifestProgress:
        run, alone = self.runs[lane], self._left_in[lane]
        states = alone + engine.states_of(lane)
        return progress_of(run.order, run.tally, run.run_id, states, alone[State.WAITING])


def _left_alone(run: ManifestRun) -> Counter[State]:
    """Count the rows of a manifest with which nothing is done, by where they stand."""
    return Counter(
        state_of(step, run.entries.get(step.key))
        for step in run.plan.steps
        if step.action is Action.LEAVE
    )
