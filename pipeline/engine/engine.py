"""The engine: answers in, events and commands out.

It owns the caps, the rates, the poll schedule, the back-off and the budget, and it decides every
move of a row. It is told the time and never reads it; it has no socket, no disk and no dice, so a
whole night runs as an ordinary function in virtual time, and a resumed night is the journal's
entries taken up by a fresh engine, followed by ordinary answers.

The way of one row: `enqueue` -> pictures (`uploads`) -> the paid call (`gate`) -> queries (`sweep`)
-> the video (`videos`) -> settled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from math import inf

from pipeline import events as ev
from pipeline.commands import (
    Answer,
    Command,
    Decision,
    Download,
    DownloadAnswer,
    Query,
    QueryAnswer,
    Submit,
    SubmitAnswer,
    Upload,
    UploadAnswer,
)
from pipeline.engine import stops
from pipeline.engine.budget import Budget, Spend
from pipeline.engine.gate import Gate
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.proof import Proof
from pipeline.engine.rows import Reach, Stop, Tracked
from pipeline.engine.settings import Settings
from pipeline.engine.sweep import Sweep
from pipeline.engine.uploads import Uploads
from pipeline.engine.videos import Videos
from pipeline.errors import (
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
)
from pipeline.lifecycle import SETTLED, after
from pipeline.model import Attempt, Entry, State

AHEAD = 32
"""Pictures are uploaded for so many rows ahead of the free slots."""


class Engine:
    """Decides for all rows of one run; see the module for the way of one row."""

    def __init__(
        self,
        settings: Settings,
        now: float,
        *,
        upload_age_s: float = 72_000,
        renew: Callable[[Attempt], Attempt | None] = lambda _: None,
    ) -> None:
        """Begin at `now`; `renew` gives the attempt after one in doubt, None if none may follow."""
        self.stops: list[Stop] = []
        self._reach = 0
        self.states: Counter[State] = Counter()
        self._settings = settings
        self._upload_age_s = upload_age_s
        self._rows: dict[str, Tracked] = {}
        self._uploads = Uploads(settings.uploads, AHEAD)
        self._gate = Gate(settings, now)
        self._sweep = Sweep(settings, now)
        self._budget = Budget(settings.caps, settings.caps_per_day)
        self._budget_waits = False
        self._proof = Proof(wanted=settings.resend)
        self._renew = renew
        self._outstanding = Outstanding(settings, self._sweep, self._happen)
        self._videos = Videos(settings.downloads, self._sweep, self._outstanding, self._happen)
        self._events: list[ev.Event] = []
        self._commands: list[Command] = []

    # Before the start.

    def begin_day(self, day: int, spent: Spend | None = None) -> None:
        """Have the caps per day count anew if `day`, by its number, is later than any before.

        `spent` is what was reserved on that day before this run.
        """
        self._budget.begin_day(day, spent)

    def know_upload(self, sha256: str, url: str, valid_until: float) -> None:
        """Use a picture's upload of an earlier run until the time `valid_until`."""
        self._uploads.know(sha256, url, valid_until)

    def enqueue(self, attempt: Attempt, now: float, *, supersedes: Entry | None = None) -> None:
        """Have an attempt submitted; `supersedes` is the ended attempt that it follows."""
        row = Tracked(attempt, State.WAITING, now)
        row.supersedes = supersedes
        self._rows[row.key] = row
        self.states[State.WAITING] += 1
        self._uploads.add(row.key, attempt.request.images)

    def take_up(self, entry: Entry, now: float, *, doubt_age_s: float = 0) -> None:
        """Go on with a row that is, or may be, paid for; never submits it.

        A `done` one is taken up because its file is gone.
        `doubt_age_s` says how long ago a row in doubt was submitted: it is looked for until
        `lookup_s` after that, and at least once.
        """
        row = Tracked(entry.attempt, entry.state, now)
        row.task_id = entry.task_id
        self._rows[row.key] = row
        self.states[row.state] += 1
        if row.state is State.SUBMITTING:
            self._happen(row, ev.Interrupted(row.key, row.attempt.number))
        elif row.state is State.DONE:
            self._happen(row, ev.FileGone(row.key, row.attempt.number))
        self._outstanding.take_up(row, now, doubt_age_s)

    # While it runs.

    @property
    def finished(self) -> bool:
        """Whether nothing is under way and nothing more will happen by itself."""
        if self._in_flight:
            return False
        if self._reach >= Reach.EVERYTHING:
            return True
        waiting = 0 if self._reach >= Reach.SUBMITTING else self._uploads.waiting
        return not (waiting or self._sweep.scheduled or self._videos.waiting)

    @property
    def _in_flight(self) -> int:
        return (
            self._uploads.in_flight
            + self._gate.in_flight
            + self._sweep.in_flight
            + self._videos.in_flight
        )

    @property
    def spend(self) -> Spend:
        """What this run has reserved so far, with what is confirmed or in doubt."""
        return self._budget.run

    @property
    def outstanding(self) -> int:
        """How many slots are taken."""
        return self._outstanding.slots

    def stop(self, stop: Stop) -> None:
        """Stop the run from outside, or further than before."""
        self.stops.append(stop)
        self._reach = max(self._reach, stop.reach)

    def halt(self) -> None:
        """Decide nothing new any more, without a word why; answers are still taken in."""
        self._reach = Reach.EVERYTHING

    def tell(self, answers: Iterable[Answer], now: float) -> Decision:
        """Take in what happened by `now` and decide what follows."""
        for answer in answers:
            match answer:
                case QueryAnswer():
                    self._on_query(answer, now)
                case SubmitAnswer():
                    self._on_submit(answer, now)
                case DownloadAnswer():
                    self._on_download(answer, now)
                case _:
                    self._on_upload(answer, now)
        return self._decide(now)

    def _decide(self, now: float) -> Decision:
        if self._reach < Reach.EVERYTHING:
            if self._reach < Reach.SUBMITTING:
                self._submit(now)
                self._upload(now)
            self._query(now)
            self._download()
        self._outstanding.nothing_waits = not self._uploads.waiting
        decision = Decision(tuple(self._events), tuple(self._commands), self._wake_at(now))
        self._events.clear()
        self._commands.clear()
        return decision

    def _wake_at(self, now: float) -> float | None:
        if self._reach >= Reach.EVERYTHING:
            return None
        wake_at = self._sweep.wake_at(now)
        if self._reach < Reach.SUBMITTING:
            wake_at = min(wake_at, self._uploads.wake_at())
            if self._uploads.prepared and not self._budget_waits:
                wake_at = min(wake_at, self._gate.opens_at(now, self._outstanding.slots))
        return wake_at if wake_at < inf else None

    def _happen(self, row: Tracked, event: ev.Event) -> None:
        state = after(row.state, event)
        self.states[row.state] -= 1
        self.states[state] += 1
        row.state = state
        self._events.append(event)
        if state in SETTLED:
            del self._rows[row.key]

    # Pictures and the paid call.

    def _upload(self, now: float) -> None:
        while (sha256 := self._uploads.start(now)) is not None:
            self._commands.append(Upload(sha256))

    def _on_upload(self, answer: UploadAnswer, now: float) -> None:
        match answer.outcome:
            case str(url):
                self._uploads.uploaded(answer.sha256, url, now + self._upload_age_s)
            case Refused() as error:
                for key in self._uploads.refused(answer.sha256, error, now):
                    self._picture_refused(self._rows[key], error)
            case error:
                if not self._uploads.put_off(answer.sha256, error, now):
                    self._heed(stops.uploads_fail(error.message))
                if isinstance(error, Unauthorized):
                    self._heed(stops.unauthorized(error))

    def _picture_refused(self, row: Tracked, error: ProviderError) -> None:
        self._supersede(row)
        refusal = ev.PictureRefused(
            row.key, row.attempt.number, row.attempt, error.code, error.message
        )
        self._happen(row, refusal)

    def _supersede(self, row: Tracked) -> None:
        earlier, row.supersedes = row.supersedes, None
        if earlier is not None and earlier.state in SETTLED:
            # Closed only now, together with the new attempt: a stop before it leaves the row as
            # it was.
            self._events.append(ev.Requeued(row.key, earlier.attempt.number))

    def _submit(self, now: float) -> None:
        self._budget_waits = False
        self._prepare(now)
        while self._uploads.prepared and self._gate.is_open(now, self._outstanding.slots):
            row = self._rows[self._uploads.prepared[0]]
            urls = self._uploads.urls(row.attempt.request.images, now)
            if urls is None:
                self._uploads.prepared.popleft()
                self._want_pictures(row.key, row.attempt.request.images, now)
            elif (refusal := self._budget.refusal(row.attempt)) is None:
                self._uploads.prepared.popleft()
                self._gate.enter(now)
                self._intend(row, urls)
            else:
                # What is in flight may give its share of the budget back.
                self._budget_waits = self._gate.in_flight > 0
                if not self._budget_waits:
                    self.stop(refusal)
                return
            self._prepare(now)

    def _prepare(self, now: float) -> None:
        while (waiting := self._uploads.next_row()) is not None:
            self._want_pictures(*waiting, now)

    def _want_pictures(self, key: str, images: tuple[str, ...], now: float) -> None:
        refusal = self._uploads.prepare(key, images, now)
        if refusal is not None:
            self._picture_refused(self._rows[key], refusal)

    def _intend(self, row: Tracked, urls: tuple[str, ...]) -> None:
        self._supersede(row)
        row.reserved_on = self._budget.reserve(row.attempt)
        self._outstanding.hold(row)
        self._happen(row, ev.Intended(row.key, row.attempt.number, row.attempt))
        self._commands.append(Submit(row.attempt, urls))

    def _on_submit(self, answer: SubmitAnswer, now: float) -> None:
        row, number = self._rows[answer.key], self._rows[answer.key].attempt.number
        self._gate.in_flight -= 1
        match answer.outcome:
            case str(task_id):
                self._gate.accepted()
                self._happen(row, ev.Accepted(row.key, number, task_id))
                self._outstanding.accepted(row, task_id, now)
            case Refused() as error:
                self._budget.release(row.attempt, row.reserved_on)
                self._outstanding.release(row)
                self._happen(row, ev.Declined(row.key, number, error.code, error.message))
                self._heed(self._gate.refused(error))
            case Throttled() | NotSent() as error:
                stop = self._gate.put_off(error, now, self.outstanding)
                self._not_accepted(row)
                self._heed(stop)
            case Unauthorized() as error:
                self._not_accepted(row)
                self._heed(stops.unauthorized(error))
            case OutOfCredit() as error:
                self._not_accepted(row)
                self._heed(stops.out_of_credit(error))
            case error:
                self._happen(row, ev.AnswerLost(row.key, number, error.message))
                self._doubt(row, error.message, now)

    def _not_accepted(self, row: Tracked) -> None:
        self._budget.release(row.attempt, row.reserved_on)
        self._outstanding.release(row)
        self._happen(row, ev.NotAccepted(row.key, row.attempt.number))
        self._uploads.put_back(row.key)

    def _doubt(self, row: Tracked, message: str, now: float) -> None:
        row.doubted_now = True
        if self._outstanding.doubt(row, now, 0):
            self._gate.lost()
        else:
            self._heed(self._gate.doubted(message, now))

    # Queries.

    def _query(self, now: float) -> None:
        while (key := self._sweep.start(now)) is not None:
            reference = self._proof.reference(self._rows[key], now)
            self._commands.append(Query(key, reference))

    def _on_query(self, answer: QueryAnswer, now: float) -> None:
        row, outcome = self._rows[answer.key], answer.outcome
        if isinstance(outcome, Unauthorized):
            self._sweep.answered()
            self._outstanding.again(row, now)
            self._heed(stops.unauthorized(outcome))
            return
        if row.state is State.IN_DOUBT:
            found = self._outstanding.looked_up(row, outcome, now)
            # Doubts of earlier runs say nothing about how the provider answers now.
            if row.doubted_now:
                self._heed_look_up(row, found, now)
            if self._proof.looked_up(row, outcome, now):
                self._resend(row)
        elif self._proof.answered(row, outcome, now):
            self._outstanding.queried(row, outcome, now)
        else:
            self._sweep.answered()
            self._outstanding.again(row, now)
        for doubtful in self._proof.look_again():
            self._sweep.schedule(doubtful.key, now)
        if row.state is State.READY and not isinstance(outcome, ProviderError):
            self._videos.link(row, outcome, now)

    def _heed_look_up(self, row: Tracked, found: bool, now: float) -> None:
        first = row.lookups == 1
        if first:
            self._gate.looked_up()
        if found:
            self._gate.accepted()
        elif first:
            self._heed(self._gate.doubted("no clear answer, and no task was found", now))

    def _resend(self, row: Tracked) -> None:
        """Close an attempt that was looked for in vain, and queue the next; its spend stays."""
        renewed = None if self._reach >= Reach.SUBMITTING else self._renew(row.attempt)
        if renewed is not None:
            self._happen(row, ev.NotFound(row.key, row.attempt.number))
            self._rows[row.key] = Tracked(renewed, row.state, row.since)
            self._uploads.add(row.key, renewed.request.images)

    # Videos.

    def _download(self) -> None:
        while (link := self._videos.start()) is not None:
            key, url = link
            self._commands.append(Download(self._rows[key].attempt, url))

    def _on_download(self, answer: DownloadAnswer, now: float) -> None:
        self._heed(self._videos.answered(self._rows[answer.key], answer.outcome, now))

    # Stops.

    def _heed(self, stop: Stop | None) -> None:
        if stop is not None and self._reach < stop.reach:
            self.stop(stop)
