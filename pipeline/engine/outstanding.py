"""Tasks at the provider, and submissions in doubt: who holds a slot, who is asked for when.

What is held to here, for every row from its submission until its task has ended:

1. A slot stands for a task that may be unfinished at the provider and is watched. A row takes one
   before its submission leaves and gives it back when the submission was provably not accepted,
   when the task has ended or is missing, or when this run no longer asks for it. One in doubt holds
   a slot while it is looked up. `slots` is how many rows hold one; the gate compares it with the
   cap before each submission, so that the provider never works on more than the cap allows. Rows
   of an earlier run count as well: if they alone are more, nothing is submitted for the time being.
2. A row that is asked for stands in the sweep exactly once: either its next query is scheduled or
   its last one has not been replied to. So each reply schedules at most one query, and a row with
   neither is left as it is for the next run. The engine is finished when no row has either.
3. Only the provider ends a row. A query that fails on the way, or says nothing, is made again;
   "no such task" makes a row missing after the grace time, and leaves one in doubt where it is.
   Nothing is ever submitted again from here. A row that asks first is no task of this run: it is
   looked up before its paid call, which it needs only if the provider does not know its reference.
4. Each limit (deadline, grace time, time for look-ups) is followed by one last query, so that after
   a long sleep of the machine a task is asked for before it is given up.

Tested in tests/engine/test_doubtful_nights.py, test_queries_at_night.py and test_references.py.
"""

from __future__ import annotations

from math import inf

from pipeline import events as ev
from pipeline.engine.doubts import Doubts
from pipeline.engine.limits import LOOK_UP, PROOF, RunLimits
from pipeline.engine.polling import Schedule
from pipeline.engine.queries import LookUps, Sweep
from pipeline.engine.rows import (
    NOTHING,
    Reaction,
    Tracked,
    close_earlier,
    stop_for_key,
    stop_for_look_ups,
)
from pipeline.errors import NoSuchTask, ProviderError, Unauthorized
from pipeline.model import Phase, State, TaskView
from pipeline.refusals import NO_REASON

_URLLESS_QUERIES = 5
"""A completed task without a URL is asked for this many times more."""

PROOF_TRIES = 30
"""At most this many tasks whose id is known are asked for by their reference, one at a time."""


class Outstanding:
    """Decides what the reply to a query means for its row, and when to ask again."""

    def __init__(self, settings: RunLimits, sweep: Sweep) -> None:
        self.slots = 0
        self.nothing_waits = False
        self.references = _References(wanted=settings.client_reference)
        self.look_ups = LookUps()
        self.doubts = Doubts(settings.polls_per_minute)
        self.schedule = Schedule(settings.pace, settings.polls_per_minute / 60)
        self._settings = settings
        self._sweep = sweep

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
            self.look_up_doubt(row, now, doubt_age_s)
            return
        row.watch.timed = False
        if row.state is State.RUNNING:
            self.hold(row)
        self._sweep.schedule(row.id, now)

    def follow(self, row: Tracked, task_id: str, now: float) -> None:
        """Ask for a new task after the first wait."""
        row.task_id = task_id
        row.since = now
        self._sweep.schedule(row.id, now + self.schedule.first_wait_s(row.watch, self.slots))

    def take_query_reply(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> Reaction:
        """Take in how a query, or a look-up of a submission in doubt, ended."""
        if isinstance(content, Unauthorized):
            self._sweep.note_answer()
            self._ask_again(row, now)
            return Reaction(stop=stop_for_key(content))
        if row.state is State.WAITING:
            return self._take_first_look_up(row, content, now)
        if row.state is State.IN_DOUBT:
            events = self._take_look_up_reply(row, content, now)
        elif self.references.tells(row, content, now):
            events = self._take_task_reply(row, content, now)
        else:
            # Nobody was asked for the task itself: it gets a query by its id, even past a deadline.
            self._sweep.note_answer()
            self._ask_within(row, now, None)
            return NOTHING
        return Reaction(events) if events else NOTHING

    # With a task id.

    def _take_task_reply(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> tuple[ev.Event, ...]:
        self._slow_down_or_not(row, content, now)
        if isinstance(content, TaskView):
            row.unknown_since = row.unanswered_since = None
            return self._take_view(row, content, now)
        if isinstance(content, NoSuchTask):
            row.unanswered_since = None
            return self._take_not_found(row, content, now)
        if row.unanswered_since is None:
            row.unanswered_since = now
        self._ask_again(row, now)
        return ()

    def _take_view(self, row: Tracked, view: TaskView, now: float) -> tuple[ev.Event, ...]:
        """Take in how the provider shows the task of a row."""
        unknown = view.phase is Phase.UNKNOWN
        row.unknown_status = (view.unknown_status or "") if unknown else None
        if row.state is State.READY:  # asked for a fresh link alone
            return ()
        events: tuple[ev.Event, ...] = ()
        if row.state is State.MISSING:
            events = (row.event(ev.TaskBack),)
            self.hold(row)
        if view.phase is Phase.COMPLETED:
            events = (*events, row.event(ev.Completed, _duration_s(view)))
        elif view.phase is Phase.FAILED:
            message = view.error_message or NO_REASON
            events = (*events, row.event(ev.TaskFailed, view.error_code, message))
        else:
            self._ask_within(row, now, row.since, view)
            return events
        self.release(row)
        self.schedule.learn(row.watch, now - row.since, _duration_s(view))
        return events

    def _take_not_found(self, row: Tracked, error: NoSuchTask, now: float) -> tuple[ev.Event, ...]:
        if row.unknown_since is None:
            row.unknown_since = now
        if row.state is State.MISSING:
            # Asked for once in each run; it stays missing until somebody settles it.
            return ()
        if now - row.unknown_since < self._settings.missing_grace_s:
            self._ask_again(row, now)
            return ()
        if row.state is State.READY:
            return (row.event(ev.LinkLost, "task_gone", error.message),)
        self.release(row)
        return (row.event(ev.TaskLost, error.message),)

    def ask_for_url(self, row: Tracked, now: float) -> bool:
        """Ask again for a completed task that has no URL; return True when that is given up."""
        row.urlless += 1
        if row.urlless > _URLLESS_QUERIES:
            return True
        self._ask_again(row, now)
        return False

    def _ask_again(self, row: Tracked, now: float) -> None:
        """Ask for a row again after the usual wait; a running one until its deadline.

        Past the deadline it stays as it is, and the next run takes it up. So does any other row
        that got no answer for that long.
        """
        since = row.since if row.state is State.RUNNING else row.unanswered_since
        self._ask_within(row, now, since)

    def _ask_within(
        self, row: Tracked, now: float, since: float | None, view: TaskView | None = None
    ) -> None:
        """Ask again after the usual wait, until the deadline that counts from `since`.

        `view` shows the task unfinished, if anything does.
        """
        limits = (
            _limit_after(row.unknown_since, self._settings.missing_grace_s),
            _limit_after(since, self._settings.deadline_s),
        )
        if now >= limits[1]:
            self.release(row)
            return
        age_s, last = now - row.since, self.nothing_waits
        if view is not None:
            self.schedule.note_unfinished(row.watch, age_s, view.progress)
        due = now + self.schedule.next_wait_s(row.watch, age_s, self.slots, last=last)
        # A last query at the end of the time, but none sooner after this one than is polite.
        soonest = now + self._settings.pace.floor_s
        due = min([due, *(max(limit, soonest) for limit in limits if limit > now)])
        self._sweep.schedule(row.id, due)

    def _slow_down_or_not(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> None:
        if isinstance(content, TaskView | NoSuchTask):
            self._sweep.note_answer()
            return
        since = row.unanswered_since if row.unanswered_since is not None else now
        until = {
            State.RUNNING: row.since + self._settings.deadline_s,
            State.IN_DOUBT: row.lookup_until + self._settings.lookup_s,
            State.WAITING: since + self._settings.outage_s,
        }.get(row.state, since + self._settings.deadline_s)
        self._sweep.note_failure(now, content.retry_after_s, content.message, until)

    # In doubt.

    def look_up_doubt(self, row: Tracked, now: float, age_s: float) -> bool:
        """Look up a submission, sent `age_s` ago, for a while.

        Return False if there is no reference to look it up by.
        """
        if not self._settings.client_reference:
            self.release(row)
            return False
        row.lookup_until = now + max(0.0, self._settings.lookup_s - age_s)
        self.hold(row)
        self._sweep.schedule(row.id, now + (LOOK_UP.wait_s(1, row.key) if not age_s else 0))
        return True

    def _take_look_up_reply(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> tuple[ev.Event, ...]:
        row.lookups += 1
        self._slow_down_or_not(row, content, now)
        if isinstance(content, TaskView) and not content.says_nothing:
            self.look_ups.note(row, content, now)
            return self._adopt(row, content, now)
        until = row.lookup_until
        if not isinstance(content, NoSuchTask):
            # The look-up itself failed, so it gets the same time again.
            until += self._settings.lookup_s
        self.look_ups.note(row, content, until)
        if now >= until:
            self.release(row)
            # What is found later says nothing about how the provider answers then.
            row.doubted_now = row.doubted_now and row.lookups == 1
            self.doubts.put_aside(row.id, now)
        else:
            due = now + LOOK_UP.wait_s(row.lookups + 1, row.key)
            self._sweep.schedule(row.id, min(due, until))
        return ()

    def _adopt(self, row: Tracked, view: TaskView, now: float) -> tuple[ev.Event, ...]:
        self.references.note_found(view)
        row.task_id = view.task_id or row.attempt.client_business_id
        row.since = now
        row.watch.timed = False
        self.hold(row)
        found = row.event(ev.Found, row.task_id)
        return (found, *self._take_view(row, view, now))

    # Before the paid call.

    def ask_first(self, row: Tracked, now: float) -> None:
        """Look up a row that waits: an earlier run, of which nothing is known, may have sent it."""
        self._sweep.schedule(row.id, now)

    def _take_first_look_up(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> Reaction:
        """Take the task of a forgotten submission for the row's; an unclear answer is no answer."""
        self._slow_down_or_not(row, content, now)
        since = now if row.unanswered_since is None else row.unanswered_since
        self.look_ups.note(row, content, since + self._settings.outage_s)
        if isinstance(content, TaskView) and not content.says_nothing:
            sent = (row.event(ev.Intended, row.attempt), row.event(ev.Interrupted))
            return Reaction((*close_earlier(row), *sent, *self._adopt(row, content, now)))
        if isinstance(content, NoSuchTask):
            return NOTHING
        row.unanswered_since = since
        if now - since >= self._settings.outage_s:
            message = content.message if isinstance(content, ProviderError) else "an empty answer"
            return Reaction(stop=stop_for_look_ups(message))
        row.lookups += 1
        self._sweep.schedule(row.id, now + LOOK_UP.wait_s(row.lookups, row.key))
        return NOTHING


class _References:
    """Whether the provider finds tasks by our own reference, as seen in this run.

    Unless it was seen to find one, "no such task" proves nothing about a submission in doubt: the
    provider may not know references at all on this account, or not today. So now and then a task
    whose id is known is asked for by its reference, with the first query of its row, until one is
    found that way.
    """

    def __init__(self, *, wanted: bool) -> None:
        self.found = False
        self._wanted = wanted
        self._tries = 0
        self._next_at = 0.0

    def name_of(self, row: Tracked, now: float) -> str:
        """Return what to ask for a row by; for a known task its reference is a try."""
        if row.task_id is None:
            return row.attempt.client_business_id
        if self.found or not self._wanted or self._tries == PROOF_TRIES or now < self._next_at:
            return row.task_id
        if row.state is not State.RUNNING or row.watch.queries:
            return row.task_id
        self._tries += 1
        self._next_at = inf
        row.proves = True
        return row.attempt.client_business_id

    def tells(self, row: Tracked, content: TaskView | ProviderError, now: float) -> bool:
        """Take in the reply to a query; return whether it says anything about the row's task."""
        if not row.proves:
            return True
        row.proves = False
        self._next_at = now + PROOF.wait_s(self._tries, "proof")
        if isinstance(content, TaskView):
            same = content.task_id == row.task_id
            self.found = self.found or same
            return same
        if isinstance(content, NoSuchTask):
            return False
        self._tries -= 1  # nobody looked
        return True

    def note_found(self, view: TaskView) -> None:
        """Take in that a submission in doubt was found by its reference."""
        self.found = self.found or view.task_id is not None


def _limit_after(since: float | None, wait_s: float) -> float:
    return inf if since is None else since + wait_s


def _duration_s(view: TaskView) -> float | None:
    if view.created_at is None or view.completed_at is None:
        return None
    return max(0.0, view.completed_at - view.created_at)
