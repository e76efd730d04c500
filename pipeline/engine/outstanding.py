"""Tasks at the provider, and submissions in doubt: who holds a slot, who is asked for when."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from pipeline import events as ev
from pipeline.engine.pacing import LOOK_UP, PROOF, Settings
from pipeline.engine.polling.schedule import Schedule
from pipeline.engine.rows import Tracked
from pipeline.engine.sweep import Sweep
from pipeline.errors import NoSuchTask, ProviderError
from pipeline.model import Phase, State, TaskView

URLLESS_QUERIES = 5
"""A completed task without a URL is asked for so many times more."""


class Outstanding:
    """Decides what the answer to a query means for its row, and when to ask again."""

    def __init__(
        self, settings: Settings, sweep: Sweep, happen: Callable[[Tracked, ev.Event], None]
    ) -> None:
        self.slots = 0
        self.nothing_waits = False
        self._schedule = Schedule(settings.pace, settings.polls_per_minute / 60)
        self._settings = settings
        self._sweep = sweep
        self._happen = happen

    def hold(self, row: Tracked) -> None:
        """Take a slot for a row."""
        if not row.holds_slot:
            row.holds_slot = True
            self.slots += 1

    def release(self, row: Tracked) -> None:
        """Give a row's slot back, if it holds one."""
        if row.holds_slot:
            row.holds_slot = False
            self.slots -= 1

    def take_up(self, row: Tracked, now: float, doubt_age_s: float) -> None:
        """Ask soon for a row of an earlier run."""
        if row.state is State.IN_DOUBT:
            self.doubt(row, now, doubt_age_s)
            return
        row.watch.timed = False
        if row.state is State.RUNNING:
            self.hold(row)
        self._sweep.schedule(row.key, now)

    def accepted(self, row: Tracked, task_id: str, now: float) -> None:
        """Ask for a new task after the first wait."""
        row.task_id = task_id
        row.since = now
        self._sweep.schedule(row.key, now + self._schedule.first_wait_s(row.watch, self.slots))

    def again(self, row: Tracked, now: float, progress: float | None = None) -> None:
        """Ask for a row again after the usual wait; a running one until its deadline.

        Past the deadline it frees its slot and stays as it is: the next run takes it up. So does
        any other row that got no answer for that long.
        """
        limits = [_after(row.unknown_since, self._settings.missing_grace_s)]
        since = row.since if row.state is State.RUNNING else row.unanswered_since
        limits.append(_after(since, self._settings.deadline_s))
        if now >= limits[1]:
            self.release(row)
            return
        due = now + self._schedule.next_wait_s(
            row.watch, now - row.since, progress, self.slots, last=self.nothing_waits
        )
        # A last query at the end of the time, but none sooner after this one than is polite.
        soonest = now + self._settings.pace.floor_s
        due = min([due, *(max(limit, soonest) for limit in limits if limit > now)])
        self._sweep.schedule(row.key, due)

    # In doubt.

    def doubt(self, row: Tracked, now: float, age_s: float) -> bool:
        """Look a lost submission up for a while; return False where that is not possible."""
        if not self._settings.client_reference:
            self.release(row)
            return False
        if self._settings.resend:
            age_s = 0  # what is to go again was looked for all of the time in this very run
        row.lookup_until = now + max(0.0, self._settings.lookup_s - age_s)
        self.hold(row)
        self._sweep.schedule(row.key, now + (LOOK_UP.wait_s(1, row.key) if not age_s else 0))
        return True

    def looked_up(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> bool:
        """Take in the answer to a look-up; return whether the task was found."""
        row.lookups += 1
        if isinstance(outcome, TaskView) and _shows_a_task(outcome):
            self._sweep.answered()
            task_id = outcome.task_id or row.attempt.client_business_id
            row.task_id = task_id
            row.since = now
            row.watch.timed = False
            self._happen(row, ev.Found(row.key, row.attempt.number, task_id))
            self._seen(row, outcome, now)
            return True
        self._note(outcome, now)
        until = row.lookup_until
        if not isinstance(outcome, NoSuchTask):
            # Nobody has looked in truth: there is as much time again for a clear answer.
            until += self._settings.lookup_s
        if now >= until:
            self.release(row)
        else:
            due = now + LOOK_UP.wait_s(row.lookups + 1, row.key)
            self._sweep.schedule(row.key, min(due, until))
        return False

    # With a task id.

    def queried(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> None:
        """Take in the answer to a query of a known task."""
        if isinstance(outcome, TaskView):
            self._sweep.answered()
            row.unknown_since = row.unanswered_since = None
            self._seen(row, outcome, now)
            return
        self._note(outcome, now)
        if isinstance(outcome, NoSuchTask):
            row.unanswered_since = None
            self._unknown(row, outcome, now)
            return
        if row.unanswered_since is None:
            row.unanswered_since = now
        self.again(row, now)

    def without_url(self, row: Tracked, now: float) -> bool:
        """Ask again for a completed task that has no URL; return True when that is given up."""
        row.urlless += 1
        if row.urlless > URLLESS_QUERIES:
            return True
        self.again(row, now)
        return False

    def _note(self, outcome: TaskView | ProviderError, now: float) -> None:
        if isinstance(outcome, TaskView | NoSuchTask):
            self._sweep.answered()
        else:
            self._sweep.failed(now, outcome.retry_after_s)

    def _seen(self, row: Tracked, view: TaskView, now: float) -> None:
        number = row.attempt.number
        if row.state is State.MISSING:
            self._happen(row, ev.TaskBack(row.key, number))
            self.hold(row)
        if row.state is State.READY:
            return
        if view.phase is Phase.COMPLETED:
            self.release(row)
            self._happen(row, ev.Completed(row.key, number, _duration_s(view)))
        elif view.phase is Phase.FAILED:
            self.release(row)
            message = view.error_message or "the provider gives no reason"
            self._happen(row, ev.TaskFailed(row.key, number, view.error_code, message))
        else:
            self.again(row, now, view.progress)
            return
        self._schedule.learn(row.watch, now - row.since, _duration_s(view))

    def _unknown(self, row: Tracked, error: NoSuchTask, now: float) -> None:
        if row.unknown_since is None:
            row.unknown_since = now
        if row.state is State.MISSING:
            # Asked for once in each run; it stays missing until somebody settles it.
            return
        if now - row.unknown_since < self._settings.missing_grace_s:
            self.again(row, now)
        elif row.state is State.READY:
            self._happen(row, ev.LinkLost(row.key, row.attempt.number, "task_gone", error.message))
        else:
            self.release(row)
            self._happen(row, ev.TaskLost(row.key, row.attempt.number, error.message))


def _shows_a_task(view: TaskView) -> bool:
    # A body that says nothing at all is no proof that the provider has our submission.
    return view.task_id is not None or view.phase is not Phase.UNKNOWN


def _after(since: float | None, wait_s: float) -> float:
    return inf if since is None else since + wait_s


def _duration_s(view: TaskView) -> float | None:
    if view.created_at is None or view.completed_at is None:
        return None
    return max(0.0, view.completed_at - view.created_at)


TRIES = 30
"""So often a task whose id is known is asked for by its reference, one at a time."""


class Proof:
    """Asks for known tasks by their reference now and then, until one is found so."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._given = False
        self._tries = 0
        self._next_at = 0.0
        self._in_vain: list[Tracked] = []

    def reference(self, row: Tracked, now: float) -> str:
        """Return what to ask for a row by; a query by reference of a known task is a try."""
        if row.task_id is None:
            return row.attempt.client_business_id
        more = self._wanted and not self._given and self._tries < TRIES
        if not more or now < self._next_at or row.state is not State.RUNNING:
            return row.task_id
        self._tries += 1
        self._next_at = inf
        row.proves = True
        return row.attempt.client_business_id

    def answered(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> bool:
        """Take in the answer to a query; return whether it says anything about the row's task."""
        if not row.proves:
            return True
        row.proves = False
        self._next_at = now + PROOF.wait_s(self._tries, "proof")
        if isinstance(outcome, TaskView):
            self._given = self._given or outcome.task_id == row.task_id
            return outcome.task_id == row.task_id
        if not isinstance(outcome, NoSuchTask):
            self._tries -= 1  # nobody looked
        return not isinstance(outcome, NoSuchTask)

    def looked_up(self, row: Tracked, outcome: TaskView | ProviderError, now: float) -> bool:
        """Take in a look-up of a submission in doubt; return whether it may go again."""
        if isinstance(outcome, TaskView):
            self._given = self._given or outcome.task_id is not None
            return False
        if not self._wanted or not isinstance(outcome, NoSuchTask) or now < row.lookup_until:
            return False
        if not self._given:
            self._in_vain.append(row)
        return self._given

    def look_again(self) -> list[Tracked]:
        """Return, once the proof is there, the rows that were looked for in vain before it."""
        if not self._given:
            return []
        rows, self._in_vain = self._in_vain, []
        return rows
