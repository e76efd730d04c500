"""One manifest of a run: its plan before the provider is asked, and its results after that."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pipeline.account.opening import OpenAccount
from pipeline.account.reconcile import Reconciliation
from pipeline.account.recording import Recorder
from pipeline.account.recovery import is_unsent, note_asked
from pipeline.engine.rows import Stop, stop_by
from pipeline.errors import ReelsheetError, StoreError, UsageError
from pipeline.journal.journal import Journal
from pipeline.model import Entry
from pipeline.planner.editions import Sibling
from pipeline.planner.heldback import Hold
from pipeline.planner.pilot import Pilot
from pipeline.planner.plan import REPEAT, Action, Plan
from pipeline.runner.atend import complete_failure, notes_at_end, results_at_end, word_stops
from pipeline.runner.comparison import Comparison
from pipeline.runner.engine_setup import guard_of
from pipeline.runner.forgotten import stop_for_forgotten, tell_look_ups
from pipeline.runner.neighbours import hold_unguarded
from pipeline.runner.order import Order
from pipeline.runner.piloting import pilot_at_end
from pipeline.runner.publishing import publish_order
from pipeline.runner.renames import rename_entries
from pipeline.runner.reports import RunReport, count_states, report_run, summarise
from pipeline.runner.reuse import Copying, hold, hold_bought, put_steps
from pipeline.runner.reviewed import count_unjudged
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake
from pipeline.runner.takes import NOTHING_BOUGHT, Purchases
from pipeline.runner.tally import Tally
from pipeline.runner.terms import AT_ANY_TIME, Terms
from pipeline.runner.waits import count_waits
from pipeline.scheduler.seams import Clock
from pipeline.writer.advice import number_sent, rest_of
from pipeline.writer.outcome import code_at_end, highest, is_unasked
from pipeline.writer.publish import states_of
from pipeline.writer.summary import write_summary


@dataclass
class ManifestRun:
    """One manifest of a run, while it lasts.

    `prepare` makes the plan, a provider session carries out what of it is to be submitted or taken
    up, and `finish` writes the results. It began at `began_at`, in Unix seconds, which is `began`
    on its clock. `waiting` says by key why rows wait for a video that is being made for another
    row; `unguarded` why nothing may be sent, unless a person says so.
    """

    order: Order
    journal: Journal
    log: RunLog
    run_id: str
    clock: Clock
    brake: Brake = field(default_factory=Brake)
    tell: Callable[[str], None] = lambda _: None
    unguarded: UsageError | None = None
    account: OpenAccount | None = None
    recorder: Recorder | None = None
    recovery: Reconciliation = field(default_factory=Reconciliation)
    tally: Tally = field(default_factory=Tally)
    plan: Plan = field(default_factory=lambda: Plan((), ()))
    entries: dict[str, Entry] = field(default_factory=dict)
    waiting: Mapping[str, str] = field(default_factory=dict)
    report: RunReport | None = None
    terms: Terms = AT_ANY_TIME
    _pilot: Pilot | None = None
    _stop: Stop | None = None
    _doubtful: set[str] = field(default_factory=set)
    _asked: Mapping[str, int | None] = field(default_factory=dict)
    began: float = 0.0
    began_at: float = 0.0

    def prepare(self, limit: int | None, siblings: Sequence[Sibling]) -> Sibling:
        """Plan the run, and do all of it that sends nothing; return what is to be bought.

        Args:
            limit: the most to submit; None: no limit.
            siblings: what is bought for the manifests before this one.

        Raises:
            StoreError: Journal, book or folder cannot be used.
            UsageError: The manifest looks bought already.

        """
        self.began_at, self.began = self.clock.wall(), self.clock.now()
        self.journal.begin_run(self.run_id, self.order.command, self.began_at)
        checked, command = self.order.checked, self.order.command
        reading = checked.reading.note()
        self.log.write("begin", command=command, journal=self.journal.id, reading=reading)
        self.entries = self.journal.entries(checked.requests_by_hash)
        renamed = rename_entries(
            self.order, self.journal, self.log.write_event, self.entries, self.began_at
        )
        self.tally.take_up(self.entries, self.began_at)
        comparison = Comparison.of(
            checked,
            self.entries,
            self.order.folder,
            replace(self.order.selection, limit=limit),
            config=self.order.config,
            purchases=self._purchases,
            renamed=renamed,
            siblings=siblings,
            wall=self.began_at,
            typed=self.order.invocation,
            adopt=self.order.adopt,
        )
        self._ask_before_paying(comparison)
        self.plan = self._reuse(comparison, self.entries, self.began_at)
        self.waiting = {
            step.key: step.reason for step in self.plan.steps if step.hold is Hold.UNDER_WAY
        }
        self._hold_forgotten()
        self.plan = hold_unguarded(self.plan, self.unguarded, self.order.selection, self.tell)
        rows = len(checked.manifest.rows)
        self.plan, stop = self.terms.hold(self.plan, rows)
        self.terms = replace(self.terms, held=stop is not None or self.terms.has_too_few(rows))
        self._stop = self._stop or stop
        return comparison.as_sibling(self.plan)

    def asks_first(self, key: str) -> bool:
        """Whether a row is looked up before it is sent."""
        asks = self.order.config.api.client_reference
        return asks and self.recovery.asks_first(self.entries.get(key))

    def wants_proof(self, key: str) -> bool:
        """Whether a row may have been sent, and only look-ups that were seen to work say no.

        For the rows of --pay-again, and of `resolve --not-sent`, a person has looked into the
        account.
        """
        if not self.recovery.ask_all or key in self.order.selection.pay_again:
            return False
        return not is_unsent(self._notes, self.journal.identity_of(key))

    def may_order(self, key: str) -> bool:
        """Whether the pilot lets a row through that is to be tried again."""
        return self._pilot is None or self._pilot.lets_through(key)

    @cached_property
    def _notes(self) -> dict[str, str]:
        return self.journal.notes()

    @property
    def keys_to_submit(self) -> list[str]:
        """The keys of the rows that the plan submits."""
        return [step.key for step in self.plan.of(Action.SUBMIT)]

    def _hold_forgotten(self) -> None:
        """Leave alone what may have been sent and cannot be looked up."""
        if not self.order.config.api.client_reference:
            self._hold_doubtful({key for key in self.keys_to_submit if self.wants_proof(key)})
        elif self.recovery.ask_all and (self.keys_to_submit or self.recovery.adopted):
            tell_look_ups(self.order.checked.manifest.path, self.tell, self.log)

    def _hold_doubtful(self, keys: Collection[str]) -> None:
        """Leave rows alone that may have been sent, and say so at the end."""
        if not keys:
            return
        order = self.order
        references = order.config.api.client_reference
        stop = stop_for_forgotten(order.invocation, order.folder, references=references)
        if order.selection.pay_again_all:
            told = "--pay-again all does not send them: each that was not made has to be named."
            stop = replace(stop, action=f"{stop.action} {told}")
        self._stop = stop
        self.plan = self.plan.without(keys, stop.reason)
        self._doubtful |= set(keys)

    @property
    def needs_provider(self) -> bool:
        """Whether anything is to be submitted or brought home."""
        acts = self.plan.of(Action.SUBMIT) or self.plan.of(Action.TAKE_UP)
        return bool(acts) and not self.tally.stops

    def _ask_before_paying(self, comparison: Comparison) -> None:
        """Raise UsageError if the manifest looks bought already and nobody says to go on."""
        compared = comparison.compare()
        pays = self.order.selection.pay_again_all or self.order.selection.pay_again
        refusal: ReelsheetError | None = None
        if self.unguarded and not pays and compared.plan.of(Action.SUBMIT):
            refusal = self.unguarded
        elif (edition := comparison.refuse_edition(compared)) is not None:
            agreed = self.order.go_on_with(edition)
            refusal = None if agreed else self.brake.interruption or edition
        if refusal is not None:
            raise refusal
        self.journal.note(comparison.new_notes(compared))
        asked = comparison.asked_by_key(compared)
        self._asked = {key: number_sent(self.entries.get(key)) for key in asked}
        if (paid_again := comparison.describe_paid_again(compared)) is not None:
            self.tell(paid_again)

    def _reuse(self, comparison: Comparison, entries: dict[str, Entry], wall: float) -> Plan:
        """Copy the videos that were bought before, before anything is submitted."""
        copying = Copying(
            self.journal,
            self.order.folder,
            note=self.log.write_event,
            mode=self.order.video_mode,
            place=self.order.place,
            stopped=lambda: self.brake.note_stop(self.tally.stops),
        )
        try:
            compared = copying.carry_out(comparison, entries, wall)
        except StoreError as error:
            self.tally.stops.append(stop_by(error))
            entries.clear()  # what of it is still true, the journal says
            return comparison.compare().plan
        if self.recorder is not None:
            since = self.terms.night_since
            self.recorder.guard = guard_of(self.order.config, compared, since)
        self._pilot = self._pilot or compared.pilot
        return compared.plan

    @property
    def _purchases(self) -> Purchases:
        return NOTHING_BOUGHT if self.account is None else self.account.purchases(self.journal)

    def _reuse_by_now(self) -> None:
        """Copy the videos for which rows wait that were made meanwhile, if they are done by now.

        Rows that still wait say why, as they would at the beginning of the next run.
        """
        held = {**self.waiting, **self.tally.held}
        if not held or self.tally.stops or self.order.config.repeats != "reuse":
            return
        entries = self.journal.entries(self.order.checked.requests_by_hash)
        comparison = Comparison.of(
            self.order.checked,
            entries,
            self.order.folder,
            replace(self.order.selection, only=frozenset(held), limit=0),
            config=self.order.config,
            purchases=self._purchases,
            wall=self.clock.wall(),
        )
        plan = self._reuse(comparison, entries, self.clock.wall())
        self.plan = put_steps(
            self.plan,
            {
                # One for which there are not takes enough is bought by the next run.
                step.key: step if step.group == REPEAT else hold(step, held[step.key])
                for step in plan.steps
                if step.key in held
            },
        )
        self.tally.held = {}
        self.entries.clear()  # as they were at the beginning

    def _entries_of(self, keys: Sequence[str]) -> dict[str, Entry]:
        return self.journal.entries_of(keys, self.order.checked.requests_by_hash)

    # The end.

    def finish_early(self) -> None:
        """Finish as soon as all rows are through, in another thread than the provider's session.

        What goes wrong is not lost: without a report the run is finished once more at the end.
        """
        self.entries.clear()
        with contextlib.suppress(ReelsheetError):
            self.journal.append([], self.clock.wall()).result()  # all before it is durable, too
            self.report = self.finish()

    def conclude(self) -> RunReport:
        """Return how the run ended, with the last balance; raises StoreError."""
        if self.report is None:
            return self.finish()
        if (after := self.tally.balance_after) is not None:
            summary = replace(self.report.summary, balance_after=after)
            self.report = replace(self.report, summary=summary)
            write_summary(summary, self.order.folder.root)
        return self.report

    def finish(self) -> RunReport:
        """Write the results, whatever happened on the way, and say how the run ended."""
        self._reuse_by_now()
        if self.tally.held:
            self.plan = hold_bought(
                self.plan,
                self.tally.held,
                self.order.checked.requests_by_key,
                self._purchases,
                self.order.config.repeats,
            )
        self._hold_doubtful(self.tally.unproved)
        self.tally.stops += [] if self._stop is None else [self._stop]
        self._stop = None
        order, plan, tally = self.order, self.plan, self.tally
        rest = rest_of(self._asked, self._entries_of(tuple(self._asked))) if self._asked else ()
        entries_of = self._take_out if self.entries else self._entries_of
        results = results_at_end(order, plan, tally, entries_of, self._doubtful)
        stops = word_stops(tally.stops, order.selection, rest)
        states = [*(result.state for result in results), *states_of(plan.gone, entries_of)]
        code = highest([code_at_end(plan, states, rest), *(stop.exit_code for stop in stops)])
        waits = count_waits(plan.steps, results, order.checked.wanted)
        night = self.run_id if self.terms.is_night else ""
        waits = replace(waits, unjudged=count_unjudged(self.journal, tally.arrived, night))
        spent = (self.began_at, self.clock.wall(), self.clock.now() - self.began)
        summary = summarise(
            order, tally, *count_states(results), run_id=self.run_id, times=spent, code=code
        )
        failure: StoreError | None = None
        try:
            published = publish_order(order, results, summary, self.journal.note)
        except StoreError as error:
            failure = error
            summary = complete_failure(failure, summary, order, rest, results)
        for stop in stops:
            self.log.write("stopped", exit_code=int(stop.exit_code), reason=stop.reason)
        notes = published.notes if failure is None else ()
        ended, asked = summary.exit_code, not any(map(is_unasked, results))
        self.log.write("end", exit_code=ended, states=dict(summary.states), notes=notes)
        self.note_end(spent[1], ended, asked=asked, why=summary.stopped_by)
        if failure is not None:
            return report_run(order, tally, summary, results, failure, stops=stops, waits=waits)
        pilot = pilot_at_end(self._pilot, self._entries_of, order)
        told = notes_at_end(order, plan, results, rest, stopped=bool(stops), pilot=pilot)
        published = replace(published, notes=(*published.notes, *told))
        return report_run(
            order, tally, summary, results, published, stops=stops, pilot=pilot, waits=waits
        )

    def _take_out(self, keys: Sequence[str]) -> dict[str, Entry]:
        """Take entries out: each is freed when its result is made, which needs room again.

        Keys are unique in a manifest: doubled ones were told apart when it was checked.
        """
        return {key: self.entries.pop(key) for key in keys if key in self.entries}

    def note_end(
        self, ended: float, code: int, *, asked: bool = False, why: str | None = None
    ) -> None:
        """Note the end, `why` it came early, and whether all that was `asked` for was."""
        try:
            self.journal.end_run(self.run_id, ended, code, why)
            if asked and self.recovery.ask_all and self.order.config.api.client_reference:
                note_asked(self.journal, ended)
        except StoreError as error:
            # The results are out by now, and why the journal takes no more was said if it matters.
            self.log.write("end_not_recorded", reason=error.message)
