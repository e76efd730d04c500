"""The facts about a row, as the journal keeps them.

Every event names the row's key and the number of the attempt that it is about. Which state an event
leads to, and from where it may come, is in `lifecycle`. In a run over several manifests an event
also has the number of its lane. That is not kept: a journal is of a single lane.

Tested in tests/test_lifecycle.py and tests/journal/test_journal.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.model import Attempt, Video


@dataclass(frozen=True, slots=True)
class Event:
    """A fact about one attempt of one row of one lane."""

    key: str
    number: int
    lane: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Requeued(Event):
    """A new attempt was asked for; this one is closed."""


@dataclass(frozen=True, slots=True)
class Intended(Event):
    """The attempt is about to be submitted: committed before the POST leaves."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class PictureRefused(Event):
    """The provider refused a picture of the row, so nothing was submitted."""

    attempt: Attempt
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Reused(Event):
    """The row got a take that was bought before, and nothing was submitted.

    `task_id` is the task that made it, `made_at` the Unix second at which it was done, if known.
    """

    attempt: Attempt
    task_id: str
    video: Video
    made_at: float | None


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """The provider accepted the submission and gave it a task id."""

    task_id: str


@dataclass(frozen=True, slots=True)
class NotAccepted(Event):
    """The submission was provably not accepted; it may be sent again under the same number."""


@dataclass(frozen=True, slots=True)
class Declined(Event):
    """The provider definitely refused the submission."""

    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class AnswerLost(Event):
    """The submission went out and no clear answer came."""

    message: str


@dataclass(frozen=True, slots=True)
class Interrupted(Event):
    """An earlier run ended between the intent and the answer."""


@dataclass(frozen=True, slots=True)
class Found(Event):
    """The task of a submission in doubt was found, by a look-up or by a person."""

    task_id: str


@dataclass(frozen=True, slots=True)
class ClosedUnsent(Event):
    """A person decided that the submission was never accepted."""


@dataclass(frozen=True, slots=True)
class NotFound(Event):
    """The submission was looked up in vain and closed, so that the row could go again.

    No longer happens: earlier versions did so with the setting `api.in_doubt: resend`, and their
    journals hold it. Unlike `ClosedUnsent` it proves nothing: the spend stays reserved.
    """


@dataclass(frozen=True, slots=True)
class Completed(Event):
    """The provider finished the video. `duration_s` is how long that took, if it says so."""

    duration_s: float | None


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    """The provider's task failed."""

    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class TaskLost(Event):
    """The provider has not known the task for longer than the grace time."""

    message: str


@dataclass(frozen=True, slots=True)
class TaskBack(Event):
    """The provider knows a missing task again."""


@dataclass(frozen=True, slots=True)
class Downloaded(Event):
    """The video is verified and in place."""

    video: Video


@dataclass(frozen=True, slots=True)
class LinkLost(Event):
    """The video's URL is dead, or was never given, and the provider gives no fresh one."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class FileGone(Event):
    """The video of a done row is no longer in its place."""


@dataclass(frozen=True, slots=True)
class Renamed(Event):
    """The row has another key in the manifest now; `key` is the earlier one."""

    new_key: str


Opening: TypeAlias = Intended | PictureRefused | Reused
"""The events that an attempt begins with: they hold it."""

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in Event.__subclasses__()}
"""Every kind of event, by the name that the journal stores."""
