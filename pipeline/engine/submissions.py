"""Rows on their way to the provider: their pictures, then the paid call, and the reply to it.

A submission leaves when its pictures have URLs, the gate is open and no cap of the budget would be
passed by it.

Tested in tests/engine/test_waiting_rows.py and tests/engine/test_refused_nights.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pipeline import events as ev
from pipeline.engine.commands import RowId, Submit, SubmitReply, UploadReply
from pipeline.engine.gate import Gate
from pipeline.engine.hours import OrderingHours
from pipeline.engine.limits import Reservations
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.room import Room
from pipeline.engine.rows import (
    NOTHING,
    Reaction,
    Stop,
    Tracked,
    close_earlier,
    stop_for_account,
    stop_for_credit,
    stop_for_key,
    stop_for_uploads,
)
from pipeline.engine.uploads import Uploads
from pipeline.engine.waiting import Waiting
from pipeline.errors import (
    NoSuchTask,
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
    Withheld,
)
from pipeline.model import State, TaskView


class Submissions:
    """Decides which row is submitted next, and what the reply to it means.

    `rows` are the engine's, and only read; `upload_age_s` is how long the URL of an uploaded
    picture is used. `held` says of rows that the account has bought elsewhere why they are left
    alone. `unproved` are the rows that may have been sent before and were not found, as long as no
    look-up by reference was seen to find any task.
    """

    def __init__(
        self,
        rows: Mapping[tuple[int, str], Tracked],
        waiting: Waiting,
        uploads: Uploads,
        gate: Gate,
        *,
        budget: Reservations,
        outstanding: Outstanding,
        room: Room,
        hours: OrderingHours,
        under_way: Callable[[], bool],
        upload_age_s: float,
    ) -> None:
        self._rows = rows
        self._waiting = waiting
        self._uploads = uploads
        self._gate = gate
        self._budget = budget
        self._outstanding = outstanding
        self._room = room
        self._hours = hours
        self._under_way = under_way
        self._upload_age_s = upload_age_s
        self._budget_waits = False
        self._refused_place: Stop | None = None
        self._given_back = 0
        self.held: dict[RowId, str] = {}
        self.unproved: list[RowId] = []

    def wake_at(self, now: float) -> float:
        """Return when the next upload or submission may leave."""
        wake_at = self._uploads.wake_at()
        if self._waiting.ready and not self._budget_waits and self._refused_place is None:
            opens_at = self._gate.opens_at(now, self._outstanding.slots)
            wake_at = min(wake_at, max(opens_at, self._hours.opens_at))
        return wake_at

    # A look before the paid call.

    def ask_first(self, row: Tracked, now: float) -> None:
        """Have a row looked up before its pictures are uploaded and it is sent."""
        self._outstanding.ask_first(row, now)

    def heed_first_look(
        self, row: Tracked, content: TaskView | ProviderError, now: float
    ) -> Reaction:
        """Prepare a row whose reference the provider does not know; one that was found is sent.

        Where that proves nothing yet, it is set aside and takes no room.
        """
        if row.state is not State.WAITING:
            self._waiting.drop(row.id)
        elif isinstance(content, NoSuchTask):
            if not row.wants_proof or self._outstanding.references.found:
                return self.prepare(row, now)
            self._waiting.drop(row.id)
            self.unproved.append(row.id)
        return NOTHING

    def heed_proof(self) -> None:
        """Have the rows set aside looked up anew once look-ups were seen to work."""
        if self.unproved and self._outstanding.references.found:
            self._waiting.take_back(self.unproved)
            self.unproved.clear()

    # Pictures.

    def prepare(self, row: Tracked, now: float) -> Reaction:
        """Have the pictures of a row uploaded; without any to upload it is prepared at once."""
        refusal = self._uploads.prepare(row.id, row.attempt.request.images, now)
        return NOTHING if refusal is None else Reaction(_refuse_picture(row, refusal))

    def take_upload_reply(self, reply: UploadReply, now: float) -> Reaction:
        """Take in how an upload ended."""
        content = self._uploads.content(reply.lane, reply.sha256)
        match reply.content:
            case str(url):
                self._uploads.note_upload(content, url, now + self._upload_age_s)
                return NOTHING
            case Refused() as error:
                refused = self._uploads.note_refusal(content, error, now)
                refusals = (_refuse_picture(self._rows[row], error) for row in refused)
                return Reaction(tuple(event for events in refusals for event in events))
            case error:
                goes_on = self._uploads.put_off(content, error, now)
                if isinstance(error, Unauthorized):
                    return Reaction(stop=stop_for_key(error))
                return NOTHING if goes_on else Reaction(stop=stop_for_uploads(error.message))

    # The paid call.

    def start(self, now: float) -> Reaction | None:
        """Return what the next prepared row's turn comes to; None if no submission may leave now.

        Mostly its submission, with its money reserved and its slot taken; else its pictures are
        uploaded anew because a URL has become too old, or a cap of the budget stops submitting.
        """
        self._budget_waits = False
        if self._refused_place is not None:
            # What is in flight may give its place of the account's day back.
            return None if self._gate.in_flight else Reaction(stop=self._refused_place)
        if not self._waiting.ready or not self._gate.is_open(now, self._outstanding.slots):
            return None
        if self._hours.waits(now, self._under_way):
            self._budget_waits = now >= self._hours.opens_at
            return None
        self._waiting.rejoin()
        short: dict[int, Stop] = {}
        while (first := self._waiting.first()) is not None:
            row = self._rows[first]
            if (stop := self._hours.refusal(row, now)) is not None:
                return Reaction(stop=stop)
            urls = self._uploads.urls(row.lane, row.attempt.request.images, now)
            if urls is None:
                self._waiting.withdraw(first)
                return self.prepare(row, now)
            if (stop := self._budget.refusal(row.attempt)) is not None:
                # What is in flight may give its share of the budget back.
                self._budget_waits = self._gate.in_flight > 0
                return None if self._budget_waits else Reaction(stop=stop)
            if (stop := self._room.shortage(row)) is None:
                return self._send(row, urls, now)
            # A full disk keeps back what would go there, not the lanes that write elsewhere.
            self._waiting.stand_aside()
            short[row.lane] = stop
        # What comes home first may be smaller than expected.
        self._budget_waits = self._under_way() or self._waiting.others_come
        if self._budget_waits or not short:
            return None
        return Reaction(stop=replace(next(iter(short.values())), own=tuple(short.items())))

    def _send(self, row: Tracked, urls: tuple[str, ...], now: float) -> Reaction:
        self._waiting.sent(row.id)
        self._hours.note_sent()
        self._gate.enter(now)
        row.given_back = self._given_back
        row.reserved_on = self._budget.reserve(row.attempt, row.lane)
        self._outstanding.hold(row)
        intended = row.event(ev.Intended, row.attempt)
        return Reaction((*close_earlier(row), intended), (Submit(row.id, row.attempt, urls),))

    def take_submit_reply(self, reply: SubmitReply, now: float) -> Reaction:
        """Take in how a submission ended."""
        row = self._rows[reply.row]
        self._gate.in_flight -= 1
        match reply.content:
            case str(task_id):
                self._gate.note_acceptance()
                self._outstanding.follow(row, task_id, now)
                return Reaction((row.event(ev.Accepted, task_id),))
            case Refused() as error:
                self._give_back(row)
                declined = row.event(ev.Declined, error.code, error.message)
                return Reaction((declined,), stop=self._gate.note_refusal(error))
            case Throttled() | NotSent() as error:
                stop = self._gate.put_off(error, now, self._outstanding.slots)
                return self._take_back(row, stop)
            case Withheld(repeat=True) as error:
                # Not put back: it waits for a person, not for this run.
                self._release(row)
                self.held[row.id] = error.message
                return Reaction((row.event(ev.NotAccepted),))
            case Withheld() as error:
                self._release(row)
                if row.given_back == self._given_back:  # else there was a place by now
                    self._refused_place = stop_for_account(error)
                return self._put_back(row, None)
            case Unauthorized() as error:
                return self._take_back(row, stop_for_key(error))
            case OutOfCredit() as error:
                return self._take_back(row, stop_for_credit(error))
            case error:
                lost = row.event(ev.AnswerLost, error.message)
                return Reaction((lost,), stop=self._doubt(row, error.message, now))

    def _take_back(self, row: Tracked, stop: Stop | None) -> Reaction:
        self._give_back(row)
        return self._put_back(row, stop)

    def _put_back(self, row: Tracked, stop: Stop | None) -> Reaction:
        self._waiting.put_back(row.id)
        return Reaction((row.event(ev.NotAccepted),), stop=stop)

    def _give_back(self, row: Tracked) -> None:
        """Give back all that an attempt held, its place of the account's day among it."""
        self._given_back += 1
        self._refused_place = None
        self._release(row)

    def _release(self, row: Tracked) -> None:
        self._budget.release(row.attempt, row.lane, row.reserved_on)
        self._outstanding.release(row)

    # In doubt.

    def _doubt(self, row: Tracked, message: str, now: float) -> Stop | None:
        row.doubted_now = True
        if self._outstanding.look_up_doubt(row, now, 0):
            self._gate.note_loss()
            return None
        return self._gate.note_doubt(message, now)

    def heed_look_up(self, row: Tracked, now: float, *, found: bool) -> Reaction:
        """Take in what the look-up of a submission in doubt says about the provider.

        Doubts of earlier runs say nothing about how the provider answers now.
        """
        if not row.doubted_now:
            return NOTHING
        first = row.lookups == 1
        if first:
            self._gate.note_look_up()
        if found:
            self._gate.note_acceptance()
        elif first:
            stop = self._gate.note_doubt("no clear answer, and no task was found", now)
            return Reaction(stop=stop)
        return NOTHING


def _refuse_picture(row: Tracked, error: ProviderError) -> tuple[ev.Event, ...]:
    refused = row.event(ev.PictureRefused, row.attempt, error.code, error.message)
    return (*close_earlier(row), refused)
