"""One run wired together: sheet, plan, journal, engine, provider, videos, results."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import secrets
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pipeline import plan as planning
from pipeline.account import Account
from pipeline.check import Checked
from pipeline.commands import Decision
from pipeline.concealment import conceal
from pipeline.config.secret import api_key
from pipeline.config.settings import Config
from pipeline.config.values import is_loopback
from pipeline.downloader.fetching import Downloader
from pipeline.engine.budget import Spend
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, ReelsheetError, StoreError
from pipeline.estimate import estimate
from pipeline.events import Accepted, AnswerLost, Downloaded, Event
from pipeline.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.journal.reserve import Reserve
from pipeline.lock import run_lock
from pipeline.model import Entry, State, Summary
from pipeline.outcome import code_of, highest, iso, remarks, state_of
from pipeline.plan import Action, Plan, Selection
from pipeline.preparation import prepared
from pipeline.publish import Published, publish, results_of
from pipeline.rehearsal import KEY as REHEARSAL_KEY
from pipeline.rehearsal import emulator
from pipeline.runlog import RunLog
from pipeline.scheduler import Clock, Scheduler
from pipeline.signals import Interruptions
from pipeline.toapis.client import ToAPIs

LINK_LIFETIME_S = 24 * 3600
"""docs: result URLs die 24 hours after completion."""


class Screen(Protocol):
    """What a person sees."""

    @property
    def interval_s(self) -> float:
        """The longest time between two calls of `show`, in seconds."""

    def show(self, states: Mapping[State, int]) -> None:
        """Show how many rows stand where."""

    def say(self, line: str) -> None:
        """Show a line."""

    def warn(self, line: str) -> None:
        """Show a line that matters to whoever pays."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the checked manifest, where to, how, and which rows.

    `source` is a workbook as it was when it was read. `go_on` is asked whether to submit although
    the account does not hold enough.
    """

    checked: Checked
    config: Config
    folder: OutputFolder
    selection: Selection
    command: str = "run"
    adopt: bool = False
    go_on: Callable[[], bool] = lambda: True
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its figures, where the results are, and why it stopped early if it did."""

    summary: Summary
    published: Published
    stops: tuple[Stop, ...]

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return self.summary.exit_code


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Return Unix seconds."""
        return time.time()


def run(order: Order, screen: Screen, *, clock: Clock | None = None) -> Outcome:
    """Carry out an order; results are written whatever happens on the way.

    `clock` is the machine's own unless given. Waits are its `now`; its `wall` may jump as it likes.

    Raises RunLocked, UsageError and StoreError when nothing could be begun.
    """
    with run_lock(order.folder.lock):
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        with (
            contextlib.closing(Journal(order.folder.journal)) as journal,
            RunLog(order.folder.log, run_id, secret=_key_of(order.config)) as log,
        ):
            journal.claim(order.checked.manifest.path, adopt=order.adopt)
            return _Run(order, screen, journal, log, run_id, clock or SystemClock()).carry_out()


def plan_for(
    checked: Checked,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    selection: Selection,
    *,
    wall: float | None = None,
) -> Plan:
    """Return what a run would do with each row at the Unix second `wall`; None: now."""
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    gone = files_gone(entries, folder.videos)
    oldest = (time.time() if wall is None else wall) - LINK_LIFETIME_S
    return planning.make(
        ((key, checked.requests.get(row.number)) for key, row in rows),
        entries,
        selection,
        files_gone=gone,
        links_live={key for key in gone if (entries[key].finished_at or 0) > oldest},
    )


def files_gone(entries: Mapping[str, Entry], videos: Path) -> set[str]:
    """Return the keys of done rows whose video is not in its place with its length."""
    try:
        with os.scandir(videos) as found:
            sizes = {one.name: one.stat().st_size for one in found if one.is_file()}
    except FileNotFoundError:
        sizes = {}
    return {
        entry.key
        for entry in entries.values()
        if entry.state is State.DONE
        and entry.video
        and sizes.get(entry.video.name) != entry.video.size_bytes
    }


@dataclass
class _Run:
    """One run while it lasts; also the scheduler's watcher."""

    order: Order
    screen: Screen
    journal: Journal
    log: RunLog
    run_id: str
    clock: Clock
    began: float = 0.0
    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    settled: Counter[State] = field(default_factory=Counter)
    stops: list[Stop] = field(default_factory=list)
    spend: Spend = field(default_factory=Spend)

    def __post_init__(self) -> None:
        """Get ready for the two looks at the account."""
        self.balance = Account(
            warn=self.screen.warn,
            note=lambda before, after: self.journal.note_balance(self.run_id, before, after),
            go_on=self.order.go_on,
        )

    @property
    def interval_s(self) -> float:
        """How often the screen wants to be told, at least."""
        return self.screen.interval_s

    def carry_out(self) -> Outcome:
        began, self.began = self.clock.wall(), self.clock.now()
        self.journal.begin_run(self.run_id, self.order.command, began)
        self._log("begin", command=self.order.command, manifest=self.order.checked.manifest.path)
        entries = self.journal.entries()
        plan = plan_for(
            self.order.checked, entries, self.order.folder, self.order.selection, wall=began
        )
        if plan.of(Action.SUBMIT) or plan.of(Action.TAKE_UP):
            self._require_key()
            self._work(plan, entries)
            # Freed before they are read anew: a hundred thousand of them are much.
            entries.clear()
            entries = self.journal.entries()
        return self._finish(plan, entries, began)

    # The work.

    def _require_key(self) -> None:
        if not self._rehearses:
            api_key(self.order.config, os.environ)

    def _work(self, plan: Plan, entries: dict[str, Entry]) -> None:
        self.settled = Counter(
            state_of(step, entries.get(step.key))
            for step in plan.steps
            if step.action is Action.LEAVE
        )
        engine = prepared(
            plan,
            entries,
            self.journal,
            checked=self.order.checked,
            config=self.order.config,
            selection=self.order.selection,
            account=self._account,
            now=self.clock.now(),
            wall=self.clock.wall(),
        )
        self.spend = engine.spend
        try:
            with Reserve(self.order.folder.cache / "reserve") as reserve:
                self.journal.fall_back_on(reserve)
                asyncio.run(self._with_provider(engine, plan))
        except ReelsheetError as error:
            code = error.exit_code
            self.stops.append(Stop(code, error.message, action=error.action))
        except Exception as error:  # noqa: BLE001 - the journal is whole: results are still written
            self._log("internal error", traceback=traceback.format_exc())
            said = conceal(str(error), _key_of(self.order.config))
            reason = f"internal error: {type(error).__name__}: {said}"
            action = f"Please report it with {self.order.folder.log}; nothing is lost, run again."
            self.stops.append(Stop(ExitCode.INTERNAL, reason, action=action))
        self.stops += engine.stops

    @property
    def _account(self) -> str:
        if self._rehearses:
            return "rehearsal"
        # Another key may be another account: told apart by a digest that says nothing elsewhere.
        key = api_key(self.order.config, os.environ).encode()
        digest = hmac.digest(self.journal.id.encode(), key, "sha256").hex()[:16]
        return f"{self.order.config.api.base_url} {digest}"

    @property
    def _rehearses(self) -> bool:
        return self.order.config.provider == "rehearsal"

    async def _with_provider(self, engine: Engine, plan: Plan) -> None:
        config = self.order.config
        async with contextlib.AsyncExitStack() as stack:
            # First of all, so that a Ctrl-C while the rest starts or ends is heard as well.
            interruptions = stack.enter_context(Interruptions(self.screen.say))
            if self._rehearses:
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
                watcher=self,
                pictures=self.order.checked.pictures,
                account=self._account,
                client_reference=config.api.client_reference,
            )
            asks = not self._rehearses and bool(plan.of(Action.SUBMIT))
            stop = await self._look_before(provider, plan) if asks else None
            if stop is not None:
                engine.stop(stop)
            interruptions.steer(scheduler)
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
            self._flush(engine)
        self.screen.show(self.settled + engine.states)

    def _flush(self, engine: Engine) -> None:
        try:
            self.log.flush()
        except StoreError as error:
            # Where the log finds no room the next video finds none: answers are still awaited.
            if not engine.stops:
                engine.stop(Stop(error.exit_code, error.message, action=error.action))

    def _count(self, event: Event) -> None:
        if isinstance(event, Accepted | AnswerLost):
            self.submitted += 1
        elif isinstance(event, Downloaded):
            self.downloaded += 1
            self.bytes += event.video.size_bytes

    def _log(self, what: str, **said: object) -> None:
        self.log.write(iso(self.clock.wall()) or "", what, **said)

    # The end.

    @property
    def _spend(self) -> tuple[float, str] | None:
        budget = self.order.config.budget
        if self._rehearses or budget.price_per_second is None:
            return None
        return round(self.spend.money, 6), budget.currency

    def _finish(self, plan: Plan, entries: Mapping[str, Entry], began: float) -> Outcome:
        results = results_of(self.order.checked, plan, entries, self.order.config)
        counted = [
            state_of(step, entries.get(step.key))
            for step in (*plan.steps, *plan.gone)
            if step.counts
        ]
        code = highest([code_of(counted), *(stop.exit_code for stop in self.stops)])
        ended = self.clock.wall()
        done = [result for result in results if result.state is State.DONE]
        summary = Summary(
            run_id=self.run_id,
            manifest=str(self.order.checked.manifest.path),
            provider=self.order.config.provider,
            rows=len(results),
            states=dict(Counter(result.state.value for result in results)),
            submitted=self.submitted,
            downloaded=self.downloaded,
            bytes=self.bytes,
            video_seconds=sum(result.seconds or 0 for result in done),
            started_at=iso(began) or "",
            finished_at=iso(ended) or "",
            elapsed_s=round(self.clock.now() - self.began, 3),
            exit_code=int(code),
            stopped_by=self.stops[0].reason if self.stops else None,
            balance_before=self.balance.before,
            balance_after=self.balance.after,
            spend=self._spend,
        )
        try:
            published = publish(
                self.order.checked, results, self.order.folder, summary, self.order.source
            )
        except StoreError as error:
            # What else happened may concern more than the results that cannot be written.
            error.exit_code = highest([code, error.exit_code])
            raise
        for stop in self.stops:
            self._log("stopped", exit_code=int(stop.exit_code), reason=stop.reason)
        self._log("end", exit_code=int(code), states=summary.states, notes=published.notes)
        self._note_end(ended, int(code))
        told = remarks(plan.steps, results, stopped=bool(self.stops))
        published = replace(published, notes=(*published.notes, *told))
        return Outcome(summary, published, tuple(self.stops))

    def _note_end(self, ended: float, code: int) -> None:
        try:
            self.journal.end_run(self.run_id, ended, code)
        except StoreError as error:
            # The results are out by now, and why the journal takes no more was said if it matters.
            self._log("the end stands not in the journal", reason=error.message)


def _key_of(config: Config) -> str:
    """Return the key, to be kept out of every text; it need not be one that can be used."""
    return os.environ.get(config.api.key_env, "").strip()
