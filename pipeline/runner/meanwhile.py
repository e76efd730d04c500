"""What is written while a run goes on: logs, the results of manifests that are through, and of all.

Tested in tests/system/test_several.py.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.disk.reserve import Reserve
from pipeline.engine.engine import Engine
from pipeline.engine.rows import stop_by
from pipeline.errors import ExitCode, ReelsheetError, StoreError, code_of, why_ended
from pipeline.lifecycle import SETTLED
from pipeline.model import Entry, State
from pipeline.runner.atend import results_at_end
from pipeline.runner.reports import count_states, progress_of, summarise
from pipeline.runner.run import ManifestRun
from pipeline.runner.storage import set_aside
from pipeline.runner.watching import ManifestProgress, RunProgress
from pipeline.scheduler.seams import Clock
from pipeline.writer.layout import Result
from pipeline.writer.outcome import state_of
from pipeline.writer.publish import publish
from pipeline.writer.summary import Summary, write_beginning, write_summary

_UNSETTLED = frozenset(State) - SETTLED

_PUBLISH_EVERY_S = 180.0
"""In a night the results of each manifest are written so often, if anything came since."""
_SUMMARISE_EVERY_S = 5.0
"""Likewise its summary."""
_REST = 20
"""After writing them nothing is written for so many times as long as it took."""


class Meanwhile:
    """Writes for the manifests of a run while the others, or their own rows, go on.

    `unwritten` are the lanes whose logs hold lines that are not on the disk.
    """

    def __init__(self, runs: Sequence[ManifestRun], clock: Clock) -> None:
        self._runs = runs
        self._clock = clock
        self.unwritten = set(range(len(runs)))
        self._open = set(range(len(runs)))
        self._finishing: list[asyncio.Task[None]] = []
        self._publishing: asyncio.Task[None] | None = None
        self._publish_at = clock.now() + _PUBLISH_EVERY_S
        self._fresh: set[int] = set()
        self._summarise_at = clock.now() + _SUMMARISE_EVERY_S
        self._unsummarised: set[int] = set()

    def log(self, title: str, /, **details: object) -> None:
        """Write a line into the log of each manifest that is not through."""
        for lane in self._open:
            self._runs[lane].log.write(title, **details)
        self.unwritten |= self._open

    def write(self, engine: Engine) -> None:
        """Bring the logs to the disk, and write the results that are due."""
        self._fresh |= self.unwritten
        self._unsummarised |= self.unwritten
        self._flush(engine)
        self._finish_lanes(engine)
        if not self._runs[0].terms.is_night or self._is_writing:
            return
        if self._clock.now() >= self._publish_at:
            self._publish()
        elif self._clock.now() >= self._summarise_at and self._unsummarised & self._open:
            self._publishing = asyncio.create_task(self._summarise_each())

    async def finish(self) -> None:
        """Await what is being written."""
        tasks = [*self._finishing, *([self._publishing] if self._publishing else [])]
        await asyncio.gather(*tasks)

    def note_what_is_left(self, engine: Engine) -> None:
        """Have the manifests that are not through know what the run leaves undone."""
        for lane in self._open:
            _note_what_is_left(engine, lane, self._runs[lane])

    def _publish(self) -> None:
        """Write the results of the manifests of which anything came, in another thread."""
        lanes = sorted(self._fresh & self._open)
        self._fresh.clear()
        self._publish_at = self._clock.now() + _PUBLISH_EVERY_S
        self._publishing = asyncio.create_task(self._publish_each(lanes))

    async def _publish_each(self, lanes: Sequence[int]) -> None:
        began = self._clock.now()
        for lane in lanes:
            if lane in self._open:
                # A lane that is through while this goes on waits for its turn at the folder.
                await asyncio.to_thread(_publish_so_far, self._runs[lane])
        took_s = self._clock.now() - began
        self._publish_at = self._clock.now() + max(_PUBLISH_EVERY_S, _REST * took_s)

    @property
    def _is_writing(self) -> bool:
        return self._publishing is not None and not self._publishing.done()

    async def _summarise_each(self) -> None:
        """Write the summaries of the manifests of which anything came, in another thread."""
        began = self._clock.now()
        lanes, self._unsummarised = self._unsummarised & self._open, set()
        for lane in sorted(lanes):
            if lane in self._open:
                await asyncio.to_thread(_summarise_so_far, self._runs[lane])
        took_s = self._clock.now() - began
        self._summarise_at = self._clock.now() + max(_SUMMARISE_EVERY_S, _REST * took_s)

    def _finish_lanes(self, engine: Engine) -> None:
        """Write the results of manifests whose rows are through, while others go on."""
        for lane in sorted(self._open - self.unwritten):
            through = _UNSETTLED.isdisjoint(+engine.states_of(lane))
            # What its rows wait for may still be made in another lane.
            if len(self._open) > 1 and through and not self._runs[lane].waiting:
                self._open.discard(lane)
                _note_what_is_left(engine, lane, self._runs[lane])
                task = asyncio.create_task(self._finish_early(lane))
                self._finishing.append(task)

    async def _finish_early(self, lane: int) -> None:
        if self._publishing is not None:
            await self._publishing
        await asyncio.to_thread(self._runs[lane].finish_early)

    def _flush(self, engine: Engine) -> None:
        try:
            while self.unwritten:
                self._runs[self.unwritten.pop()].log.flush()
        except StoreError as error:
            # Where the log finds no room the next video finds none: answers are still awaited.
            if not engine.stops:
                engine.stop(stop_by(error))


def reserve_room(
    runs: Mapping[int, ManifestRun], stack: contextlib.ExitStack
) -> dict[int, Reserve]:
    """Return the room that is set aside for the answers to the paid calls of each manifest.

    One for which there is none is left out, and keeps no other from its turn: it says why.

    Args:
        runs: The manifests, by their numbers.
        stack: Frees the room when it ends.

    """
    reserves = {}
    for number, run in runs.items():
        try:
            reserves[number], stop = set_aside(stack, run.order.folder, run.plan)
        except StoreError as error:
            run.tally.stops.append(stop_by(error))
        else:
            if stop is not None:
                run.plan = run.plan.without(set(run.keys_to_submit), stop.reason)
                run.terms = replace(run.terms, held=True)
                run.tally.stops.append(stop)
    return reserves


def standing(run: ManifestRun) -> ManifestProgress:
    """Return where the rows of a manifest stand for which nothing is asked or sent."""
    states = Counter(state_of(step, run.entries.get(step.key)) for step in run.plan.steps)
    return progress_of(run.order, run.tally, run.run_id, states, states[State.WAITING])


def progress_beside(beside: tuple[ManifestProgress, ...]) -> RunProgress:
    """Return how far a run is with whose manifests nothing more is done."""
    states = sum((Counter(one.states) for one in beside), Counter[State]())
    return RunProgress(states, beside=beside)


def begin_summary(run: ManifestRun) -> None:
    """Have summary.json say that a run goes on, by what it found; raises StoreError.

    The result of each row is not made for it: of a hundred thousand that takes seconds.
    """
    states, seconds = Counter[State](), 0
    for step in run.plan.steps:
        entry = run.entries.get(step.key)
        state = state_of(step, entry)
        states[state] += 1
        if state is State.DONE and entry is not None:
            seconds += entry.attempt.request.duration
    times = (run.began_at, run.clock.wall(), run.clock.now() - run.began)
    tally, code = replace(run.tally, stops=[]), ExitCode.UNFINISHED
    begun = summarise(run.order, tally, states, seconds, run_id=run.run_id, times=times, code=code)
    write_beginning(begun, run.order.folder.root)


def _summarise_so_far(run: ManifestRun) -> None:
    """Have summary.json say how far a run is; what goes wrong is told at the end."""
    with contextlib.suppress(ReelsheetError):
        write_beginning(_so_far(run)[1], run.order.folder.root)


def end_summary(run: ManifestRun, error: BaseException) -> None:
    """Have summary.json say what ended a run whose results could not be written any more.

    After a bug nothing may be as it should: then it goes on to say that the run has no end.
    """
    with contextlib.suppress(Exception):
        summary = replace(_so_far(run)[1], exit_code=code_of(error), stopped_by=why_ended(error))
        write_summary(summary, run.order.folder.root)


def end_refused(run: ManifestRun, error: ReelsheetError) -> None:
    """Have log, journal and summary.json say why a run ended of which nothing could begin.

    Without a plan the summary stays that of the run before.
    """
    code, states = int(error.exit_code), Counter(one.state for one in run.entries.values())
    counted: Mapping[str, int] = {state.value: number for state, number in states.items()}
    if run.plan.steps:
        with contextlib.suppress(ReelsheetError):
            summary = replace(_so_far(run)[1], exit_code=code, stopped_by=error.message)
            counted = dict(summary.states)
            write_summary(summary, run.order.folder.root)
    run.log.write("stopped", exit_code=code, reason=error.message)
    run.log.write("end", exit_code=code, states=counted, notes=())
    run.note_end(run.clock.wall(), code, why=error.message)


def _publish_so_far(run: ManifestRun) -> None:
    """Write the results as they are; what goes wrong is told at the end, when they are written."""
    order = run.order
    with contextlib.suppress(ReelsheetError):
        results, summary = _so_far(run)
        publish(order.checked, results, order.folder, None, order.source, typed=order.invocation)
        write_beginning(summary, order.folder.root)


def _so_far(run: ManifestRun) -> tuple[list[Result], Summary]:
    order, tally = run.order, replace(run.tally, stops=[])
    known = order.checked.requests_by_hash

    def entries_of(keys: Sequence[str]) -> dict[str, Entry]:
        return run.journal.entries_of(keys, known)

    results = results_at_end(order, run.plan, tally, entries_of, ())
    times = (run.began_at, run.clock.wall(), run.clock.now() - run.began)
    code = ExitCode.UNFINISHED
    return results, summarise(
        order, tally, *count_states(results), run_id=run.run_id, times=times, code=code
    )


def _note_what_is_left(engine: Engine, lane: int, run: ManifestRun) -> None:
    tally = run.tally
    tally.note_what_is_left(engine, lane)
    for key, error in tally.undelivered.items():
        run.log.write("video_not_downloaded", key=key, reason=error.message)
    for status, rows in Counter(tally.unknown_statuses.values()).items():
        run.log.write("unknown_status", status=status, rows=rows)
    if engine.finds_by_reference:
        run.log.write("reference_found")
