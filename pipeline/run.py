"""One run wired together: sheet, plan, journal, engine, provider, videos, results."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline import naming, rules
from pipeline import plan as planning
from pipeline.check import Checked
from pipeline.commands import Decision
from pipeline.config.secret import api_key
from pipeline.config.settings import Config
from pipeline.config.values import is_loopback
from pipeline.downloader.fetching import Downloader
from pipeline.engine.engine import Engine
from pipeline.engine.rows import Stop
from pipeline.engine.settings import Caps, Settings
from pipeline.errors import ExitCode, ReelsheetError, StoreError
from pipeline.events import Accepted, AnswerLost, Downloaded, Event
from pipeline.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.lock import run_lock
from pipeline.model import Attempt, Entry, State, Summary
from pipeline.outcome import code_of, highest, iso, state_of
from pipeline.plan import Action, Plan, Selection
from pipeline.polling.schedule import Pace
from pipeline.publish import Published, publish, results_of
from pipeline.rehearsal import KEY as REHEARSAL_KEY
from pipeline.rehearsal import emulator
from pipeline.runlog import RunLog
from pipeline.scheduler import Scheduler
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


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the checked manifest, where to, how, and which rows."""

    checked: Checked
    config: Config
    folder: OutputFolder
    selection: Selection
    command: str = "run"
    adopt: bool = False


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


def run(order: Order, screen: Screen) -> Outcome:
    """Carry out an order; results are written whatever happens on the way.

    Raises RunLocked, UsageError and StoreError when nothing could be begun.
    """
    with run_lock(order.folder.lock):
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        with (
            contextlib.closing(Journal(order.folder.journal)) as journal,
            RunLog(order.folder.log, run_id) as log,
        ):
            journal.claim(order.checked.manifest.path, adopt=order.adopt)
            return _Run(order, screen, journal, log, run_id).carry_out()


def plan_for(
    checked: Checked, entries: Mapping[str, Entry], folder: OutputFolder, selection: Selection
) -> Plan:
    """Return what a run would do with each row now."""
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    gone = files_gone(entries, folder.videos)
    oldest = time.time() - LINK_LIFETIME_S
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
    clock: SystemClock = field(default_factory=SystemClock)
    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    settled: Counter[State] = field(default_factory=Counter)
    stops: list[Stop] = field(default_factory=list)

    @property
    def interval_s(self) -> float:
        """How often the screen wants to be told, at least."""
        return self.screen.interval_s

    def carry_out(self) -> Outcome:
        began = self.clock.wall()
        self.journal.begin_run(self.run_id, self.order.command, began)
        self._log("begin", command=self.order.command, manifest=self.order.checked.manifest.path)
        entries = self.journal.entries()
        plan = plan_for(self.order.checked, entries, self.order.folder, self.order.selection)
        if plan.of(Action.SUBMIT) or plan.of(Action.TAKE_UP):
            self._work(plan, entries)
        del entries
        return self._finish(plan, began)

    # The work.

    def _work(self, plan: Plan, entries: dict[str, Entry]) -> None:
        self.settled = Counter(
            state_of(step, entries.get(step.key))
            for step in plan.steps
            if step.action is Action.LEAVE
        )
        engine = self._engine(plan, entries)
        try:
            asyncio.run(self._with_provider(engine))
        except ReelsheetError as error:
            code = error.exit_code
            self.stops.append(Stop(code, error.message, action=error.action))
        except Exception as error:  # noqa: BLE001 - the journal is whole: results are still written
            self._log("internal error", traceback=traceback.format_exc())
            reason = f"internal error: {type(error).__name__}: {error}"
            action = f"Please report it with {self.order.folder.log}; nothing is lost, run again."
            self.stops.append(Stop(ExitCode.INTERNAL, reason, action=action))
        self.stops += engine.stops

    def _engine(self, plan: Plan, entries: Mapping[str, Entry]) -> Engine:
        config, now, wall = self.order.config, self.clock.now(), self.clock.wall()
        age_s = config.api.upload_age_h * 3600
        engine = Engine(engine_settings(config), now, upload_age_s=age_s)
        for sha256, url, at in self.journal.uploads(self._account, wall - age_s):
            engine.know_upload(sha256, url, now + age_s - (wall - at))
        for step in plan.of(Action.TAKE_UP):
            entry = entries[step.key]
            engine.take_up(entry, now, doubt_age_s=max(0.0, wall - (entry.submitted_at or wall)))
        for attempt in self._attempts(plan, entries):
            engine.enqueue(attempt, now, supersedes=entries.get(attempt.key))
        return engine

    def _attempts(self, plan: Plan, entries: Mapping[str, Entry]) -> list[Attempt]:
        checked, config = self.order.checked, self.order.config
        steps = plan.of(Action.SUBMIT)
        if not steps:
            return []
        taken = {name.casefold(): entry.key for entry in entries.values() for name in _names(entry)}
        rows = dict(zip(checked.keys, checked.manifest.rows, strict=True))
        bases = naming.video_names(
            rows.items(), checked.manifest.headers, config.output.name, taken
        )
        attempts = []
        for step in steps:
            entry, request = entries.get(step.key), checked.requests[rows[step.key].number]
            number = entry.next_number if entry else 1
            attempts.append(
                Attempt(
                    key=step.key,
                    number=number,
                    client_business_id=naming.reference(self.journal.id, step.key, number),
                    request=request,
                    video_name=naming.attempt_name(bases[step.key], number),
                    cost=rules.cost(request.duration, config.budget.price_per_second),
                )
            )
        return attempts

    @property
    def _account(self) -> str:
        # A key belongs to one account; only its digest would tell two apart, and none is kept.
        return "rehearsal" if self._rehearses else self.order.config.api.base_url

    @property
    def _rehearses(self) -> bool:
        return self.order.config.provider == "rehearsal"

    async def _with_provider(self, engine: Engine) -> None:
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
            interruptions.steer(scheduler)
            await scheduler.run()

    def saw(self, decision: Decision, engine: Engine) -> None:
        """Take in a decision of the engine: count, log and show it."""
        at = iso(self.clock.wall()) or ""
        for event in decision.events:
            self._count(event)
            self.log.event(at, event)
        if decision.events:
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

    def _finish(self, plan: Plan, began: float) -> Outcome:
        entries = self.journal.entries()
        results = results_of(self.order.checked, plan, entries)
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
            elapsed_s=round(ended - began, 3),
            exit_code=int(code),
            stopped_by=self.stops[0].reason if self.stops else None,
        )
        published = publish(self.order.checked, results, self.order.folder, summary)
        for stop in self.stops:
            self._log("stopped", exit_code=int(stop.exit_code), reason=stop.reason)
        self._log("end", exit_code=int(code), states=summary.states, notes=published.notes)
        self.journal.end_run(self.run_id, ended, int(code))
        return Outcome(summary, published, tuple(self.stops))


def engine_settings(config: Config) -> Settings:
    """Return the engine's part of the configuration."""
    limits, polling, budget = config.limits, config.polling, config.budget
    return Settings(
        pace=Pace(polling.first_s, polling.interval_s, config.poll_floor_s),
        outstanding=limits.outstanding,
        submits_in_flight=limits.submits_in_flight,
        submits_per_minute=limits.submits_per_minute,
        polls_per_minute=limits.polls_per_minute,
        uploads=limits.uploads,
        downloads=limits.downloads,
        deadline_s=polling.deadline_s,
        lookup_s=config.api.lookup_s,
        missing_grace_s=config.api.missing_grace_s,
        client_reference=config.api.client_reference,
        caps=Caps(budget.videos, budget.video_seconds, budget.money),
    )


def _names(entry: Entry) -> list[str]:
    names = [entry.attempt.video_name]
    return [*names, entry.take.name] if entry.take else names
