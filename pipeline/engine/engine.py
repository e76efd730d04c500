"""The engine: replies in, events and commands out.

It owns the caps, the rates, the poll schedule, the back-off and the budget, and it decides every
move of a row. It is told the time and never reads it; it has no socket, no disk and no dice, so a
whole night runs as an ordinary function in virtual time, and a resumed night is the journal's
entries taken up by a fresh engine, followed by ordinary replies.

The way of one row: `enqueue` -> its turn (`waiting`) -> pictures (`uploads`) -> the paid call
(`submissions`, `gate`) -> queries (`queries`, `outstanding`) -> the video (`videos`) -> settled.

The rows come in lanes, one for each manifest of the run. A row is known by its `RowId`, its lane
and its key there. Limits and caps hold over all lanes, and a stop ends all of them; lanes differ in
whose turn it is to submit.

Tested in tests/engine/test_plain_nights.py and the other nights beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from math import inf

from pipeline import events as ev
from pipeline.engine.commands import (
    Command,
    Decision,
    Download,
    Query,
    QueryReply,
    Reply,
    RowId,
    SubmitReply,
    UploadReply,
)
from pipeline.engine.control import Control, Retries
from pipeline.engine.gate import Gate
from pipeline.engine.hours import OrderingHours
from pipeline.engine.later import Later
from pipeline.engine.limits import Reservations, RunLimits
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.queries import Sweep
from pipeline.engine.room import Room
from pipeline.engine.rows import (
    LaneRows,
    NewAttempt,
    Reach,
    Reaction,
    Stop,
    Tracked,
    stop_at_address,
    stop_for_long_wait,
    was_answered,
)
from pipeline.engine.submissions import Submissions
from pipeline.engine.trials import Trials
from pipeline.engine.uploads import Uploads
from pipeline.engine.videos import Videos
from pipeline.engine.waiting import Waiting
from pipeline.errors import Unauthorized
from pipeline.lifecycle import SETTLED, next_state
from pipeline.model import Entry, State, TaskView

AHEAD = 32
"""Pictures are uploaded for this many rows of each lane before there are free slots for them."""


class Engine(Control):
    """Decides for all rows of one run; see the module for the way of one row."""

    def __init__(
        self,
        settings: RunLimits,
        now: float,
        *,
        upload_age_s: float = 72_000,
        shares_uploads: bool = True,
    ) -> None:
        """Begin without rows.

        Args:
            settings: The limits of the run.
            now: The time, in seconds, on the clock that every later call uses.
            upload_age_s: How long the URL of an uploaded picture is used, in seconds.
            shares_uploads: Whether a picture that a lane has uploaded serves all lanes.

        """
        self.stops: list[Stop] = []
        self._reach = 0
        self._answered = False
        self._grace_s: float | None = None
        self._ends_at = inf
        self._lanes: defaultdict[int, LaneRows] = defaultdict(LaneRows)
        self._rows: dict[tuple[int, str], Tracked] = {}  # by RowId
        self._events: list[ev.Event] = []
        self._commands: list[Command] = []
        self._waiting = Waiting(AHEAD)
        self._uploads = Uploads(
            settings.uploads, self._waiting, shared=shares_uploads, outage_s=settings.outage_s
        )
        self._gate = Gate(settings, now)
        self._budget = Reservations(settings.caps, settings.caps_per_day, settings.caps_per_night)
        self._sweep = Sweep(settings, now)
        self._outstanding = Outstanding(settings, self._sweep)
        self.look_ups = self._outstanding.look_ups
        self.room = Room(self._rows)
        self.hours = OrderingHours(settings.outstanding, self._outstanding.schedule.plausible_s)
        self._later = Later()
        self.trials = Trials(self._waiting)
        self._retries = Retries()
        self._submissions = Submissions(
            self._rows,
            self._waiting,
            self._uploads,
            self._gate,
            budget=self._budget,
            outstanding=self._outstanding,
            room=self.room,
            hours=self.hours,
            under_way=lambda: self._under_way,
            upload_age_s=upload_age_s,
        )
        self._patience_s = settings.outage_s
        self._videos = Videos(settings.downloads, self._sweep, self._outstanding, settings.outage_s)

    # Before the start.

    def enqueue(
        self,
        lane: int,
        keys: Iterable[str],
        new: NewAttempt,
        *,
        asks_first: Callable[[str], bool] = lambda _: False,
        wants_proof: Callable[[str], bool] = lambda _: False,
        model_of: Callable[[str], str] = lambda _: "",
        weight: float = 1,
        priority: int = 0,
    ) -> None:
        """Have these rows submitted, in their order.

        Args:
            lane: The number of their lane.
            keys: The rows.
            new: Makes the attempt of a row. It is called once for each row, when its turn is near:
                made at the start, the attempts of a hundred thousand rows would take 50 MB.
            asks_first: Says whether a row may have been sent by a run of which nothing is known.
                Such a row is looked up by its reference first, which is free, and sent only if the
                provider does not know it. Otherwise the task that is found is its own.
            wants_proof: Says of such a row whether "no such task" is believed only once a task of
                the account was found by its reference. Until then it is left alone.
            model_of: Says which model a row has, before its attempt is made.
            weight: The lane's share in the free slots, compared with the weights of the others.
            priority: Lanes of a higher one get all free slots as long as they have rows.

        Raises:
            ValueError: The lane still has rows of an earlier call whose attempts were not made, or
                the weight is not above 0.

        """
        if self._waiting.new_in(lane):
            raise ValueError("the attempts of an earlier call are not all made yet")
        if not weight > 0:
            raise ValueError(f"the weight of lane {lane} is {weight}")
        rows = self._lanes[lane]
        rows.new, rows.asks_first, rows.wants_proof = new, asks_first, wants_proof
        rows.model_of = model_of
        rows.states[State.WAITING] += self._waiting.add(lane, keys, weight, priority)

    def take_up(self, lane: int, entry: Entry, now: float, *, doubt_age_s: float = 0) -> None:
        """Continue with a row that is, or may be, paid for; it is never submitted.

        Args:
            lane: The number of its lane.
            entry: What the journal knows of it; a `done` row is taken up because its file is gone.
            now: The time, in seconds.
            doubt_age_s: How many seconds ago a row in doubt was submitted. It is looked up until
                `lookup_s` after that, and at least once.

        """
        row = Tracked(RowId(lane, entry.key), entry.attempt, entry.state, now)
        row.task_id = entry.task_id
        self._rows[row.id] = row
        self._lanes[lane].states[row.state] += 1
        self.room.follow(row, State.WAITING)
        if row.state is State.SUBMITTING:
            self._happen(row.event(ev.Interrupted))
        elif row.state is State.DONE:
            self._happen(row.event(ev.FileGone))
        self._outstanding.take_up(row, now, doubt_age_s)

    # While it runs.

    def tell(self, replies: Iterable[Reply], now: float) -> Decision:
        """Take in the replies that came by `now`, and decide what follows."""
        for reply in replies:
            if not self._answered:
                self._heed_address(reply)
            self._heed_wait(reply)
            match reply:
                case UploadReply():
                    self._apply(self._submissions.take_upload_reply(reply, now))
                case SubmitReply():
                    self._apply(self._submissions.take_submit_reply(reply, now))
                case QueryReply():
                    self._take_query_reply(reply, now)
                case _:
                    row = self._rows[reply.row]
                    self._apply(self._videos.take_download_reply(row, reply.content, now))
                    if row.state is State.DONE:
                        self.hours.note_home(row, now)
        return self._decide(now)

    def _heed_address(self, reply: Reply) -> None:
        self._answered = was_answered(reply)
        wrong = stop_at_address(reply)
        if wrong is not None and self._reach < Reach.EVERYTHING:
            self.stop(wrong)

    def _heed_wait(self, reply: Reply) -> None:
        stop = stop_for_long_wait(reply, self._patience_s)
        if stop is not None and isinstance(reply, QueryReply):
            self._sweep.give_up()
        self._apply(Reaction(stop=stop))

    def _decide(self, now: float) -> Decision:
        if now >= self.hours.closes_at and not self.finished:
            self._apply(Reaction(stop=self.hours.end()))
        if self._reach < Reach.EVERYTHING:
            if self._reach < Reach.SUBMITTING:
                self._try_models()
                self._submit(now)
                while (upload := self._uploads.start(now)) is not None:
                    self._commands.append(upload)
            self._query(now)
            self._download()
            self._ask_once_more(now)
        self._outstanding.nothing_waits = not self._waiting.total
        if self._grace_s is not None:
            self._ends_at, self._grace_s = min(self._ends_at, now + self._grace_s), None
        decision = Decision(
            tuple(self._events),
            tuple(self._commands),
            self._wake_at(now),
            give_up=now >= self._ends_at and not self.finished,
        )
        self._events.clear()
        self._commands.clear()
        return decision

    def _wake_at(self, now: float) -> float | None:
        if self._reach >= Reach.EVERYTHING:
            return self._ends_at if now < self._ends_at < inf else None
        wake_at = min(self._sweep.wake_at(now), self._outstanding.doubts.wake_at())
        if self._reach < Reach.SUBMITTING:
            wake_at = min(wake_at, self._submissions.wake_at(now))
            if not self._waiting.total:
                wake_at = min(wake_at, self._later.next_due)
        wake_at = min(wake_at, self.hours.closes_at)
        return wake_at if wake_at < inf else None

    def _apply(self, reaction: Reaction) -> None:
        for event in reaction.events:
            self._happen(event)
        self._commands += reaction.commands
        if reaction.stop is not None and self._reach < reaction.stop.reach:
            self.stop(reaction.stop)

    def _happen(self, event: ev.Event) -> None:
        if not isinstance(event, ev.Requeued):  # that closes the attempt before
            row = self._rows[event.lane, event.key]
            state = next_state(row.state, event)
            states = self._lanes[event.lane].states
            states[row.state] -= 1
            states[state] += 1
            before, row.state = row.state, state
            self.room.follow(row, before, event)
            if state in SETTLED:
                del self._rows[row.id]
                self.trials.note_end(row.id, state)
        self._events.append(event)

    # The way of a row, while it is decided about: pictures, the paid call, queries, the video.

    def _submit(self, now: float) -> None:
        self._prepare(now)
        while (reaction := self._submissions.start(now)) is not None:
            self._apply(reaction)
            if self._reach >= Reach.SUBMITTING:
                return
            self._prepare(now)

    def _try_models(self) -> None:
        if not (self._waiting.total or self._under_way or self._uploads.in_flight):
            self.trials.pass_on(self._rows)
        self.stops += self.trials.take_stops()

    def _prepare(self, now: float) -> None:
        """Make new rows and have their pictures uploaded, a little ahead of the free slots."""
        if self._later and not self._waiting.total:
            self._release_later(now)
        while (new := self._waiting.next_new()) is not None:
            lane = self._lanes[new.lane]
            if self.trials.keep_back(new, lane.model_of):
                continue
            again = self._later.take_again(new)
            attempt, supersedes = again or lane.new(new.key)
            row = self._rows[new] = Tracked(new, attempt, State.WAITING, now)
            row.supersedes = supersedes
            if lane.asks_first(new.key):
                row.wants_proof = lane.wants_proof(new.key)
                self._submissions.ask_first(row, now)
            else:
                self._apply(self._submissions.prepare(row, now))

    def _ask_once_more(self, now: float) -> None:
        """Have doubts looked up that nothing was found of, before the run would end."""
        if self.finished:
            for row in self._outstanding.doubts.take_last(now):
                self._sweep.schedule(row, now)

    def _query(self, now: float) -> None:
        for doubt in self._outstanding.doubts.take_due(now):
            self._sweep.schedule(doubt, now)
        while (row := self._sweep.start(now)) is not None:
            reference = self._outstanding.references.name_of(self._rows[row], now)
            self._commands.append(Query(row, reference))

    def _take_query_reply(self, reply: QueryReply, now: float) -> None:
        row, content = self._rows[reply.row], reply.content
        in_doubt, unsent = row.state is State.IN_DOUBT, row.state is State.WAITING
        self._apply(self._outstanding.take_query_reply(row, content, now))
        if unsent:
            self._apply(self._submissions.heed_first_look(row, content, now))
        self._submissions.heed_proof()
        if in_doubt and not isinstance(content, Unauthorized):
            found = row.state is not State.IN_DOUBT
            self._apply(self._submissions.heed_look_up(row, now, found=found))
        if row.state is State.FAILED and isinstance(content, TaskView):
            self._try_again_later(row, content, now)
        if row.state is State.READY and isinstance(content, TaskView):
            row.unwatch()
            self._apply(self._videos.link(row, content, now))

    def _download(self) -> None:
        while (link := self._videos.start()) is not None:
            row, url = link
            self._commands.append(Download(row, self._rows[row].attempt, url))
