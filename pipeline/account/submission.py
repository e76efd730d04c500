"""One live submission as the account's book remembers it, whichever journal it belongs to.

Tested in tests/account/test_book.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import events as ev
from pipeline.lifecycle import PAID
from pipeline.model import Entry, Request, State, Video

COUNTING = PAID | {State.DONE, State.EXPIRED}
"""The states in which a submission counts as bought, so that its request is not bought again.

Not those that were refused, never sent, or that failed at the provider: these cost nothing.
"""

SPENT = COUNTING | {State.FAILED}
"""The states in which a submission counts for the caps of its day: those that were accepted."""

MONEY: frozenset[type[ev.Event]] = frozenset({
    ev.Intended, ev.Accepted, ev.NotAccepted, ev.Declined, ev.AnswerLost, ev.Interrupted, ev.Found,
    ev.ClosedUnsent, ev.TaskFailed, ev.TaskLost, ev.TaskBack, ev.Downloaded, ev.LinkLost,
    ev.FileGone, ev.Renamed,
})  # fmt: skip
"""The events that the book is told of. Not `Completed`: for the account that is still under way."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt that was sent from this account. Times are Unix seconds.

    `reference` is the attempt's client_business_id. `folder` is the output folder of its journal,
    `manifest` the file it was run for, both absolute; `key` is what the row is called now,
    `identity` its entry's for good. `money` is in the budget's currency; None without a price. A
    reused take, of a purchase that the book does not know, has no `submitted_at`.
    """

    reference: str
    journal_id: str
    folder: str
    manifest: str
    identity: str
    key: str
    number: int
    request: Request
    state: State
    video_name: str
    task_id: str | None = None
    money: float | None = None
    submitted_at: float | None = None
    finished_at: float | None = None
    video: Video | None = None

    @property
    def reused(self) -> bool:
        """Whether it is a copy of a take that was bought for another row."""
        return self.submitted_at is None and self.task_id is not None and self.video is not None


@dataclass(frozen=True, slots=True)
class KnownJournal:
    """A journal as the book knows it: whose it is, and how far the book has followed it.

    `seq` is the number of its last batch with money in it, `last_event` the place of the last event
    that the book was told of.
    """

    journal_id: str
    account: str
    folder: str
    manifest: str
    seq: int
    last_event: int


def submission_of(entry: Entry, journal_id: str, folder: str, manifest: str) -> Submission:
    """Return an attempt that was sent as the book keeps it.

    Args:
        entry: the attempt, as the entry that it is or was.
        journal_id: that of its journal.
        folder: the output folder of that journal.
        manifest: its manifest.

    """
    attempt = entry.attempt
    return Submission(
        reference=attempt.client_business_id,
        journal_id=journal_id,
        folder=folder,
        manifest=manifest,
        identity=entry.identity,
        key=entry.key,
        number=attempt.number,
        request=attempt.request,
        state=entry.state,
        video_name=attempt.video_name,
        task_id=entry.task_id,
        money=attempt.cost,
        submitted_at=entry.submitted_at,
        finished_at=entry.finished_at,
        video=entry.video,
    )
