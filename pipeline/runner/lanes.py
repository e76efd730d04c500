"""A run over one manifest or several: each is a lane of the same engine, with a folder of its own.

Each manifest has its own lock, journal, log and results. One that cannot be begun keeps no other
from its turn. Tested in tests/system/test_several.py and tests/runner/test_api.py.
"""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from pipeline.account.nights import begin_night
from pipeline.account.opening import OpenAccount, open_account
from pipeline.account.recovery import ask_for_all, recover
from pipeline.disk.lock import run_lock
from pipeline.disk.reserve import Reserve
from pipeline.errors import ReelsheetError
from pipeline.journal.journal import Journal
from pipeline.manifest.earlier import NOTE
from pipeline.planner.editions import Sibling
from pipeline.planner.plan import Action
from pipeline.runner.forgotten import is_copy_of_a_moment, refuse_forgotten, tell_recovery
from pipeline.runner.meanwhile import (
    begin_summary,
    end_refused,
    end_summary,
    progress_beside,
    reserve_room,
    standing,
)
from pipeline.runner.neighbours import why_unguarded
from pipeline.runner.order import Order
from pipeline.runner.reports import RunReport
from pipeline.runner.reviewing import write_review
from pipeline.runner.run import ManifestRun
from pipeline.runner.runlog import RunLog
from pipeline.runner.signals import Brake, heed_signals
from pipeline.runner.watching import ManifestProgress, Watcher
from pipeline.scheduler.seams import Clock

Outcome: TypeAlias = RunReport | ReelsheetError
"""How the run of a manifest ended, or why it did not begin."""


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
    (outcome,) = run_several([order], watcher, clock=clock, brake=brake)
    if isinstance(outcome, ReelsheetError):
        raise outcome
    return outcome


def run_several(
    orders: Sequence[Order],
    watcher: Watcher,
    *,
    clock: Clock | None = None,
    brake: Brake | None = None,
    heeds_signals: bool | None = None,
) -> list[Outcome]:
    """Carry out orders of one configuration together; return how each ended, or did not begin.

    `limit` of their selection is for all of them, in their order.

    Args:
        orders: What to run, as `place_orders` gives it.
        watcher: Is told how it goes, over all manifests.
        clock: The machine's own unless given. Waits are its `now`; its `wall` may jump as it likes.
        brake: Stops the run early, from another thread; without one the signals of the process do.
        heeds_signals: Whether the signals of the process press the brake; None: only without one.

    Raises:
        StoreError: The account's book cannot be used.
        UsageError: The book was written by a newer version.

    """
    if not orders:
        return []
    with ExitStack() as stack:
        several = _Several(orders, watcher, clock or _SystemClock(), brake, stack)
        if heeds_signals is not None:
            several.heeds_signals = heeds_signals
        return several.carry_out()


class _Several:
    """The manifests of a run while it lasts; what is known of a failed one is its error."""

    def __init__(
        self,
        orders: Sequence[Order],
        watcher: Watcher,
        clock: Clock,
        brake: Brake | None,
        stack: ExitStack,
    ) -> None:
        self._orders = orders
        self._watcher = watcher
        self._clock = clock
        self._brake = brake or Brake(watcher.say)
        self.heeds_signals = brake is None
        self._stack = stack
        self._outcomes: dict[int, Outcome] = {}
        self._held: set[Path] = set()
        self._summarised: set[int] = set()

    def carry_out(self) -> list[Outcome]:
        opened = self._open()
        try:
            return self._carry_out(opened)
        except BaseException as error:  # a bug, or a signal where nobody listens
            for number, run in opened.items():
                if number in self._summarised and number not in self._outcomes:
                    end_summary(run, error)
            raise

    def _carry_out(self, opened: Mapping[int, ManifestRun]) -> list[Outcome]:
        if self.heeds_signals:
            # From here on there are results to write, whatever ends the run.
            grace_s = self._orders[0].config.stop.grace_s
            self._stack.enter_context(heed_signals(self._brake, grace_s))
        runs = self._prepare(opened)
        working = {number: run for number, run in runs.items() if run.needs_provider}
        if working:
            self._work(working, [run for number, run in runs.items() if number not in working])
        for number, run in runs.items():
            if number not in self._outcomes:
                with self._keeping_errors(number):
                    self._outcomes[number] = report = run.conclude()
                    write_review(run.order, report, run.log)
        return [self._outcomes[number] for number in range(len(self._orders))]

    @contextlib.contextmanager
    def _keeping_errors(self, number: int, begun: ManifestRun | None = None) -> Iterator[None]:
        try:
            yield
        except ReelsheetError as error:
            self._outcomes[number] = error
            if begun is not None:
                end_refused(begun, error)

    def _open(self) -> dict[int, ManifestRun]:
        locked = []
        for number, order in enumerate(self._orders):
            with self._keeping_errors(number):
                self._stack.enter_context(run_lock(order.folder.lock, order.checked.manifest.path))
                self._held.add(order.folder.root.resolve())
                locked.append(number)
        if not locked:
            return {}
        account = self._stack.enter_context(
            open_account(self._orders[0].config, os.environ, self._watcher.warn)
        )
        runs = {}
        for number in locked:
            with self._keeping_errors(number):
                opened = _open_run(
                    self._orders[number],
                    account,
                    clock=self._clock,
                    brake=self._brake,
                    tell=self._watcher.warn,
                )
                runs[number] = self._stack.enter_context(opened)
        self._begin_night(account, runs)
        if account is not None and runs:  # a journal that was refused is not taken over by the way
            self._take_over(account, runs)
        return runs

    def _begin_night(self, account: OpenAccount | None, runs: Mapping[int, ManifestRun]) -> None:
        """Tell the runs since when the caps of their night count."""
        since, journals = None, [run.journal for run in runs.values()]
        for run in runs.values():
            run.terms = run.order.terms
            if run.terms.is_night and run.terms.night_since is None:
                if since is None:
                    since = begin_night(account, journals, self._clock.wall())
                run.terms = replace(run.terms, night_since=since)

    def _take_over(self, account: OpenAccount, runs: Mapping[int, ManifestRun]) -> None:
        """Let the book know what was paid for near the output folders, once for each place.

        Where it cannot, each run is told why: of one that was refused, the folder is near, too.
        """
        outputs = Path(self._orders[0].config.output.dir)
        beside = {
            run.order.folder.root.parent.resolve(): run.order.folder.root for run in runs.values()
        }
        manifests = {run.order.checked.manifest.path for run in runs.values()}
        near = [
            *chain.from_iterable(
                account.take_over(outputs, folder, manifests) for folder in beside.values()
            )
        ]
        account.catch_up({one.root.resolve() for one in near})
        own = {run.order.folder.root.resolve() for run in runs.values()}
        neighbours = {one.root.resolve(): one for one in near if one.root.resolve() not in own}
        for run in runs.values():
            typed = run.order.invocation
            refusal = why_unguarded(
                neighbours.values(), account.book.path, outputs, typed, held=self._held
            )
            if refusal is None:
                break
            run.unguarded = refusal

    def _prepare(self, runs: Mapping[int, ManifestRun]) -> dict[int, ManifestRun]:
        left = self._orders[0].selection.limit
        prepared = {}
        siblings: list[Sibling] = []
        for number, run in runs.items():
            with self._keeping_errors(number, run):
                siblings.append(run.prepare(left, siblings))
                if run.terms.is_night or run.needs_provider:
                    begin_summary(run)
                    self._summarised.add(number)
                prepared[number] = run
                if left is not None:
                    left -= len(run.plan.of(Action.SUBMIT))
        return prepared

    def _work(self, working: Mapping[int, ManifestRun], others: Sequence[ManifestRun]) -> None:
        with ExitStack() as stack:
            reserves = reserve_room(working, stack)
            left_out = (run for number, run in working.items() if number not in reserves)
            beside = tuple(map(standing, (*others, *left_out)))
            if reserves:
                self._work_on({one: working[one] for one in reserves}, reserves, beside)
            else:
                self._watcher.show(progress_beside(beside))

    def _work_on(
        self,
        working: Mapping[int, ManifestRun],
        reserves: Mapping[int, Reserve],
        beside: tuple[ManifestProgress, ...],
    ) -> None:
        # The libraries that talk to a provider: a run with nothing left to do starts without them.
        from pipeline.runner.session import ProviderSession  # noqa: PLC0415

        runs, room = list(working.values()), list(reserves.values())
        session = ProviderSession(runs, room, self._watcher, self._clock, beside, self._brake)
        try:
            session.carry_out()
        except ReelsheetError as error:  # before anything was begun
            self._outcomes |= dict.fromkeys(working, error)
            for run in runs:
                end_refused(run, error)
            self._watcher.show(progress_beside((*beside, *map(standing, runs))))
        # Freed before they are read anew: a hundred thousand are much, as is what the engine knows.
        del session
        for run in runs:
            run.entries.clear()
        gc.collect()


@contextlib.contextmanager
def _open_run(
    order: Order,
    account: OpenAccount | None,
    *,
    clock: Clock,
    brake: Brake,
    tell: Callable[[str], None],
) -> Iterator[ManifestRun]:
    """Yield the run of one manifest, with journal and log open; its output folder is locked.

    Args:
        order: What to run, as `place_order` gives it.
        account: The account with its book; None without a book.
        clock: Says the time.
        brake: Tells whether the run is to be stopped.
        tell: Shows a line to whoever pays.

    Raises:
        UsageError: The output folder belongs to another manifest, or its journal was lost.
        StoreError: The output folder cannot be used.

    """
    folder, manifest = order.folder, order.checked.manifest.path
    run_id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
    copied = False
    if not order.config.rehearses:
        book = None if account is None else account.book.path
        # Before anything is made or noted: a run is refused at every try, not only at the first.
        refuse_forgotten(folder, order.invocation, book)
        copied = is_copy_of_a_moment(folder, book)
    with (
        contextlib.closing(Journal(folder.journal)) as journal,
        RunLog(
            folder.log,
            run_id,
            clock.wall,
            manifest=manifest,
            secret=order.secret,
            mode=order.config.log.rights,
            rotate_mb=order.config.log.rotate_mb,
        ) as log,
    ):
        journal.claim(manifest, adopt=order.adopt, series=order.config.manifest.series)
        if not folder.wrote(manifest):
            journal.note({NOTE: order.checked.reading.note()})
        run = ManifestRun(order, journal, log, run_id, clock, brake, tell)
        if account is not None:
            run.account = account
            run.recorder = account.follow(journal, folder.root, order.invocation, clock.wall())
            run.recovery = run.recorder.recovery
        elif not order.config.rehearses:
            run.recovery = recover(journal, None, folder.root, clock.wall())
        if not order.config.rehearses:
            tell_recovery(run.recovery, manifest, tell, log)
        if copied:
            run.recovery = ask_for_all(journal, run.recovery, clock.wall())
        yield run
