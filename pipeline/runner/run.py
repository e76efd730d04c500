"""One run from its lock to its results: plan, journal, provider, results."""

from __future__ import annotations

import contextlib
import gc
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.disk.lock import run_lock
from pipeline.errors import ExitCode, StoreError
from pipeline.events import Renamed
from pipeline.journal.journal import Journal
from pipeline.model import Entry, Result, State, Summary
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import plan_manifest, renamed_rows
from pipeline.planner.renaming import rename
from pipeline.runner.order import Order, Tally, Watcher
from pipeline.runner.reports import RunReport, RunSpend
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake
from pipeline.scheduler import Clock
from pipeline.writer.outcome import code_of, highest, iso, remarks, with_unknown_statuses
from pipeline.writer.publish import EntriesOf, Published, publish, results_by_part, states_of


class _SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Return seconds of the monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Return Unix seconds."""
        return time.time()


def run(
    order: Order, watcher: Watcher, *, clock: Clock | None = None, brake: Brake | None = None
) -> RunReport:
    """Carry out an order; results are written whatever happens on the way.

    Args:
        order: What to run, as `place_order` gives it.
        watcher: Is told how it goes.
        clock: The machine's own unless given. Waits are its `now`; its `wall` may jump as it likes.
        brake: Stops the run early, from another thread; without one the signals of the process do.

    Raises:
        RunLocked: Another run works in the output folder.
        UsageError: The output folder belongs to another manifest, or there is no key.
        StoreError: The output folder cannot be used.

    """
    with run_lock(order.folder.lock):
        clock = clock or _SystemClock()
        run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        with (
            contextlib.closing(Journal(order.folder.journal)) as journal,
            RunLog(order.folder.log, run_id, clock.wall, secret=order.secret) as log,
        ):
            journal.claim(order.checked.manifest.path, adopt=order.adopt)
            return _Run(order, watcher, journal, log, run_id, clock, brake).carry_out()


@dataclass
class _Run:
    """One run while it lasts."""

    order: Order
    watcher: Watcher
    journal: Journal
    log: RunLog
    run_id: str
    clock: Clock
    brake: Brake | None = None
    began: float = 0.0
    tally: Tally = field(default_factory=Tally)

    def carry_out(self) -> RunReport:
        began, self.began = self.clock.wall(), self.clock.now()
        self.journal.begin_run(self.run_id, self.order.command, began)
        self.log.write(
            "begin", command=self.order.command, manifest=self.order.checked.manifest.path
        )
        checked = self.order.checked
        entries = self.journal.entries(checked.requests_by_hash)
        renamed = self._rename(entries, began)
        plan = plan_manifest(
            checked,
            entries,
            self.order.folder,
            self.order.selection,
            renamed=renamed,
            wall=began,
        )
        if plan.of(Action.SUBMIT) or plan.of(Action.TAKE_UP):
            self._work(plan, entries)
            # Freed before they are read anew: a hundred thousand of them are much. So is what the
            # engine knows of the rows, and it refers to itself: only the collector frees it.
            entries.clear()
            gc.collect()
            return self._finish(plan, self._entries_of, began)
        return self._finish(plan, lambda keys: _take_out(entries, keys), began)

    def _rename(self, entries: dict[str, Entry], wall: float) -> dict[str, str]:
        """Put the entries of renamed rows under their new keys, first of all in the journal.

        It is one transaction, and nothing else is begun before it is durable.
        """
        renamed = renamed_rows(
            self.order.checked, entries, self.order.folder, self.journal.first_events
        )
        events = [
            Renamed(earlier, entries[earlier].attempt.number, key)
            for key, earlier in renamed.items()
        ]
        if events:
            self.journal.append(events, wall).result()
            rename(entries, renamed)
        for event in events:
            self.log.write_event(event)
        return renamed

    def _entries_of(self, keys: Sequence[str]) -> dict[str, Entry]:
        return self.journal.entries_of(keys, self.order.checked.requests_by_hash)

    def _work(self, plan: Plan, entries: Mapping[str, Entry]) -> None:
        # The libraries that talk to a provider: a run with nothing left to do starts without them.
        from pipeline.runner.session import ProviderSession  # noqa: PLC0415

        session = ProviderSession(
            self.order,
            self.watcher,
            self.journal,
            self.log,
            self.run_id,
            self.clock,
            self.tally,
            self.brake,
        )
        session.carry_out(plan, entries)

    # The end.

    def _finish(self, plan: Plan, entries_of: EntriesOf, began: float) -> RunReport:
        results = results_by_part(self.order.checked, plan, entries_of, self.order.config)
        unknown = self.tally.unknown_statuses
        results = with_unknown_statuses(results, self.order.checked.keys, unknown)
        states = [result.state for result in results]
        states += states_of(plan.gone, entries_of)
        steps = (*plan.steps, *plan.gone)
        counted = {state for step, state in zip(steps, states, strict=True) if step.counts}
        stops = self.tally.stops
        code = highest([code_of(counted), *(stop.exit_code for stop in stops)])
        ended = self.clock.wall()
        summary = self._summary(results, began, ended, code)
        try:
            published = publish(
                self.order.checked, results, self.order.folder, summary, self.order.source
            )
        except StoreError as failure:
            # What else happened may concern more than the results that cannot be written.
            failure.exit_code = highest([code, failure.exit_code])
            summary = replace(summary, exit_code=int(failure.exit_code))
            return self._report(summary, results, failure=failure.with_traceback(None))
        for stop in stops:
            self.log.write("stopped", exit_code=int(stop.exit_code), reason=stop.reason)
        self.log.write(
            "end", exit_code=int(code), states=dict(summary.states), notes=published.notes
        )
        self._note_end(ended, int(code))
        told = remarks(plan.steps, results, stopped=bool(stops))
        published = replace(published, notes=(*published.notes, *told))
        return self._report(summary, results, published)

    def _report(
        self,
        summary: Summary,
        results: Sequence[Result],
        published: Published | None = None,
        failure: StoreError | None = None,
    ) -> RunReport:
        return RunReport(
            summary=summary,
            spend=self._spend,
            keys=self.order.checked.keys,
            _outcomes=tuple(results),
            folder=self.order.folder.root,
            results_file=published.results if published else None,
            failed_file=published.failed if published else None,
            notes=published.notes if published else (),
            stops=tuple(self.tally.stops),
            failure=failure,
        )

    def _summary(
        self, results: Sequence[Result], began: float, ended: float, code: ExitCode
    ) -> Summary:
        states = Counter(result.state for result in results)
        done = (result for result in results if result.state is State.DONE)
        spend = self._spend
        return Summary(
            run_id=self.run_id,
            manifest=str(self.order.checked.manifest.path),
            provider=self.order.config.provider,
            rows=len(results),
            states=tuple((state.value, count) for state, count in states.items()),
            submitted=self.tally.submitted,
            downloaded=self.tally.downloaded,
            bytes=self.tally.bytes,
            video_seconds=sum(result.seconds or 0 for result in done),
            started_at=iso(began) or "",
            finished_at=iso(ended) or "",
            elapsed_s=round(self.clock.now() - self.began, 3),
            exit_code=int(code),
            stopped_by=self.tally.stops[0].reason if self.tally.stops else None,
            balance_before=self.tally.balance_before,
            balance_after=self.tally.balance_after,
            spend=None if spend.money is None else (spend.money, spend.currency),
        )

    @property
    def _spend(self) -> RunSpend:
        spend, budget = self.tally.spend, self.order.config.budget
        paid = not self.order.config.rehearses and budget.price_per_second is not None
        money = round(spend.money, 6) if paid else None
        return RunSpend(spend.videos, spend.video_seconds, money, budget.currency)

    def _note_end(self, ended: float, code: int) -> None:
        try:
            self.journal.end_run(self.run_id, ended, code)
        except StoreError as error:
            # The results are out by now, and why the journal takes no more was said if it matters.
            self.log.write(
                "the end of the run could not be recorded in the journal", reason=error.message
            )


def _take_out(entries: dict[str, Entry], keys: Sequence[str]) -> dict[str, Entry]:
    """Take entries out: each is freed when its result is made, which needs room again.

    Keys are unique in a manifest: doubled ones were told apart when it was checked.
    """
    return {key: entries.pop(key) for key in keys if key in entries}
