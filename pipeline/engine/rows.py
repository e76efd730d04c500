"""What the parts of the engine share: a row, what happens to it, and why a run stops early.

Tested in tests/engine/test_refused_nights.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from pipeline.engine.commands import Command
from pipeline.engine.learned import Sighting
from pipeline.errors import ExitCode, OutOfCredit, Unauthorized, Unfinished
from pipeline.events import Event
from pipeline.model import Attempt, Entry, State

Kind = tuple[int, str, int]
"""What decides how long a task takes: seconds of video, resolution, number of pictures."""


@dataclass(slots=True)
class Watch:
    """What is known of a task: its kind, and what the answers to its queries showed.

    Unless `timed`, its age is not known, because an earlier run submitted it or a look-up found it:
    it is polled at fixed times, and nothing is learned from it.
    """

    key: str
    kind: Kind
    timed: bool = True
    queries: int = 0
    seen_age_s: float = 0.0
    sightings: list[Sighting] = field(default_factory=list)


class Tracked:
    """One row in the engine's hands; everything about it that changes."""

    __slots__ = (
        "_watch",
        "attempt",
        "bad_videos",
        "broken_transfers",
        "dead_links",
        "doubted_now",
        "holds_slot",
        "key",
        "lookup_until",
        "lookups",
        "proves",
        "reserved_on",
        "since",
        "state",
        "supersedes",
        "task_id",
        "unanswered_since",
        "unknown_since",
        "urlless",
    )

    def __init__(self, attempt: Attempt, state: State, since: float) -> None:
        self.key = attempt.key
        self.attempt = attempt
        self.state = state
        self.since = since
        self.supersedes: Entry | None = None
        self.task_id: str | None = None
        self.holds_slot = False
        self.doubted_now = False
        self.lookups = 0
        self.lookup_until = since
        self.proves = False
        self.reserved_on = 0.0
        self.unanswered_since: float | None = None
        self.unknown_since: float | None = None
        self._watch: Watch | None = None
        self.urlless = 0
        self.dead_links = 0
        self.bad_videos = 0
        self.broken_transfers = 0

    @property
    def watch(self) -> Watch:
        """What the poll schedule knows of its task; nothing before it is sent or after it ended."""
        if self._watch is None:
            self._watch = Watch(self.key, _kind(self.attempt))
        return self._watch

    def unwatch(self) -> None:
        """Forget what the answers to its queries showed, once its task has ended.

        That is a third of the memory that a row takes, and many may wait to be downloaded. Of a
        task whose age is not known only this is known, and it is kept.
        """
        if self._watch is not None and self._watch.timed:
            self._watch = None


def _kind(attempt: Attempt) -> Kind:
    request = attempt.request
    return (request.duration, request.resolution, len(request.images))


class Reach(IntEnum):
    """How far a stop reaches."""

    SUBMITTING = 1
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stops before its rows are through: the exit code, one sentence, what to do."""

    exit_code: ExitCode
    reason: str
    reach: Reach = Reach.EVERYTHING
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a part of the engine makes of a reply or of its turn, for the engine to apply.

    `events` happen to their rows in this order; one about an earlier attempt is only recorded.
    `commands` go out once the events are durable. `stop` ends the run, or submitting.
    """

    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()
    stop: Stop | None = None


NOTHING = Reaction()
"""Most replies to queries: the task is still running."""


def outage(message: str) -> Stop:
    """Stop submitting: the provider has not accepted anything for too long."""
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider does not answer submissions: {message}",
        Reach.SUBMITTING,
        "Run again when it is back; nothing is lost.",
    )


def uploads_fail(message: str) -> Stop:
    """Stop submitting: no picture can be uploaded any more."""
    return Stop(
        ExitCode.UNFINISHED,
        f"pictures cannot be uploaded: {message}",
        Reach.SUBMITTING,
        "Run again when the provider is back; nothing is lost.",
    )


def alike(refusals: int, message: str) -> Stop:
    """Stop submitting: all refusals are equal, so a setting is wrong and not the rows."""
    return Stop(
        ExitCode.STOPPED,
        f"{refusals} submissions in a row were refused for the same reason: {message}",
        Reach.SUBMITTING,
        "Check api.model, api.client_reference and what the key may do.",
    )


def over_budget(refusal: str, *, daily: bool = False) -> Stop:
    """Stop submitting: the next video would pass a cap."""
    when = "tomorrow (days end at midnight UTC)" if daily else "for the next part"
    return Stop(
        ExitCode.STOPPED,
        f"a cap is reached: {refusal}",
        Reach.SUBMITTING,
        f"Raise the cap under budget, or run again {when}.",
    )


def out_of_credit(error: OutOfCredit) -> Stop:
    """Stop submitting: the account is empty; what is paid for is still downloaded."""
    return Stop(
        ExitCode.STOPPED,
        f"the account has no credit left: {error.message}",
        Reach.SUBMITTING,
        "Top up the account, then run again: unsent rows go out then.",
    )


def unauthorized(error: Unauthorized) -> Stop:
    """Stop everything: the key is refused, so every call would fail."""
    return Stop(
        ExitCode.STOPPED,
        f"the provider does not accept the key: {error.message}",
        action="Check the variable named by api.key_env, then run again.",
    )


def unstorable(error: Unfinished) -> Stop:
    """Stop everything: the output folder takes no more videos."""
    return Stop(ExitCode.UNFINISHED, error.message, action=error.action)
