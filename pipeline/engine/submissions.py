"""Rows on their way to the provider: their pictures, then the paid call, and what it answers.

A submission leaves when its pictures have URLs, the gate is open and no cap of the budget would be
passed by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline import events as ev
from pipeline.engine.budget import Budget
from pipeline.engine.commands import Submit, SubmitReply, UploadReply
from pipeline.engine.gate import Gate
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.rows import Stop, Tracked, out_of_credit, unauthorized, uploads_fail
from pipeline.engine.uploads import Uploads
from pipeline.errors import NotSent, OutOfCredit, ProviderError, Refused, Throttled, Unauthorized
from pipeline.lifecycle import SETTLED


class Submissions:
    """Decides which row is submitted next, and what the answer to it means."""

    def __init__(
        self,
        rows: Mapping[str, Tracked],
        uploads: Uploads,
        gate: Gate,
        budget: Budget,
        outstanding: Outstanding,
        *,
        upload_age_s: float,
        begin: Callable[[str, float], Tracked],
        happen: Callable[[Tracked, ev.Event], None],
        note: Callable[[ev.Event], None],
        heed: Callable[[Stop | None], None],
    ) -> None:
        """`begin` makes a new row whose turn is near, `happen` moves a row.

        `note` is told of an attempt that ended before, `heed` of stops.
        """
        self._rows = rows
        self._uploads = uploads
        self._gate = gate
        self._budget = budget
        self._outstanding = outstanding
        self._upload_age_s = upload_age_s
        self._begin = begin
        self._happen = happen
        self._note = note
        self._heed = heed
        self._budget_waits = False

    def wake_at(self, now: float) -> float:
        """Return when the next upload or submission may leave."""
        wake_at = self._uploads.wake_at()
        if self._uploads.prepared and not self._budget_waits:
            wake_at = min(wake_at, self._gate.opens_at(now, self._outstanding.slots))
        return wake_at

    # Pictures.

    def uploaded(self, reply: UploadReply, now: float) -> None:
        """Take in how an upload ended."""
        match reply.content:
            case str(url):
                self._uploads.uploaded(reply.sha256, url, now + self._upload_age_s)
            case Refused() as error:
                for key in self._uploads.refused(reply.sha256, error, now):
                    self._picture_refused(self._rows[key], error)
            case error:
                if not self._uploads.put_off(reply.sha256, error, now):
                    self._heed(uploads_fail(error.message))
                if isinstance(error, Unauthorized):
                    self._heed(unauthorized(error))

    def _prepare(self, now: float) -> None:
        while (key := self._uploads.next_new()) is not None:
            self._want_pictures(self._begin(key, now), now)
        while (key := self._uploads.next_row()) is not None:
            self._want_pictures(self._rows[key], now)

    def _want_pictures(self, row: Tracked, now: float) -> None:
        refusal = self._uploads.prepare(row.key, row.attempt.request.images, now)
        if refusal is not None:
            self._picture_refused(row, refusal)

    def _picture_refused(self, row: Tracked, error: ProviderError) -> None:
        self._supersede(row)
        refusal = ev.PictureRefused(
            row.key, row.attempt.number, row.attempt, error.code, error.message
        )
        self._happen(row, refusal)

    # The paid call.

    def start(self, now: float) -> Submit | None:
        """Return the next submission, if one may leave now; its row is moved and its money kept."""
        self._budget_waits = False
        self._prepare(now)
        while self._uploads.prepared and self._gate.is_open(now, self._outstanding.slots):
            row = self._rows[self._uploads.prepared[0]]
            urls = self._uploads.urls(row.attempt.request.images, now)
            if urls is None:
                self._uploads.prepared.popleft()
                self._want_pictures(row, now)
                self._prepare(now)
            elif (refusal := self._budget.refusal(row.attempt)) is None:
                self._uploads.prepared.popleft()
                self._gate.enter(now)
                return self._intended(row, urls)
            else:
                # What is in flight may give its share of the budget back.
                self._budget_waits = self._gate.in_flight > 0
                if not self._budget_waits:
                    self._heed(refusal)
                return None
        return None

    def _intended(self, row: Tracked, urls: tuple[str, ...]) -> Submit:
        self._supersede(row)
        row.reserved_on = self._budget.reserve(row.attempt)
        self._outstanding.hold(row)
        self._happen(row, ev.Intended(row.key, row.attempt.number, row.attempt))
        return Submit(row.attempt, urls)

    def _supersede(self, row: Tracked) -> None:
        earlier, row.supersedes = row.supersedes, None
        if earlier is not None and earlier.state in SETTLED:
            # Closed only now, together with the new attempt: a stop before it leaves the row as
            # it was.
            self._note(ev.Requeued(row.key, earlier.attempt.number))

    def answered(self, reply: SubmitReply, now: float) -> None:
        """Take in how a submission ended."""
        row, number = self._rows[reply.key], self._rows[reply.key].attempt.number
        self._gate.in_flight -= 1
        match reply.content:
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
                stop = self._gate.put_off(error, now, self._outstanding.slots)
                self._not_accepted(row)
                self._heed(stop)
            case Unauthorized() as error:
                self._not_accepted(row)
                self._heed(unauthorized(error))
            case OutOfCredit() as error:
                self._not_accepted(row)
                self._heed(out_of_credit(error))
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
