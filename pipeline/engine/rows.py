"""What the parts of the engine share: a row, what happens to it, and why a run stops early.

Tested in tests/engine/test_refused_nights.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TypeVar, TypeVarTuple

from pipeline.engine.bars import Sighting
from pipeline.engine.commands import (
    Command,
    DownloadReply,
    QueryReply,
    Reply,
    RowId,
    SubmitReply,
    UploadReply,
)
from pipeline.errors import (
    ExitCode,
    OutOfCredit,
    ProviderError,
    ReelsheetError,
    StoreError,
    Throttled,
    Unauthorized,
    Unfinished,
    Unreachable,
    Withheld,
)
from pipeline.events import Event, Requeued
from pipeline.lifecycle import SETTLED
from pipeline.model import Attempt, Entry, State

_Own = TypeVarTuple("_Own")
_Kind = TypeVar("_Kind", bound=Event)

Kind = tuple[str, int, str, int]
"""What decides how long a task takes: model, seconds of video, resolution, number of pictures."""

_MINUTE_S, _HOUR_S = 60, 3600
_CALLS: dict[type, str] = {UploadReply: "upload", SubmitReply: "submission", QueryReply: "query"}
"""What the calls are called that the replies answer."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Watch:
    """What is known of a task: its kind, and what the answers to its queries showed.

    Unless `timed`, its age is not known, because an earlier run submitted it or a look-up found it:
    it is polled at fixed times, and nothing is learned from it. `heeds` says that its bar told when
    the next query comes, `bets` that this is when it has ended, by the bar; `broken` counts how
    often it had not.
    """

    key: str
    kind: Kind
    timed: bool = True
    queries: int = 0
    seen_age_s: float = 0.0
    heeds: bool = False
    bets: bool = False
    broken: int = 0
    sightings: list[Sighting] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Tracked:
    """One row in the engine's hands; everything about it that changes."""

    id: RowId
    attempt: Attempt
    state: State
    since: float
    key: str = field(init=False)
    lane: int = field(init=False)
    supersedes: Entry | None = None
    task_id: str | None = None
    holds_slot: bool = False
    doubted_now: bool = False
    lookups: int = 0
    lookup_until: float = 0.0
    proves: bool = False
    wants_proof: bool = False
    reserved_on: float = 0.0
    given_back: int = 0
    unanswered_since: float | None = None
    unknown_since: float | None = None
    unknown_status: str | None = None
    urlless: int = 0
    dead_links: int = 0
    bad_videos: int = 0
    broken_transfers: int = 0
    host_down_since: float | None = None
    _watch: Watch | None = None

    def __post_init__(self) -> None:
        """Keep both parts of the id at hand: they are asked for all the time."""
        self.lane, self.key = self.id

    def event(self, kind: Callable[[str, int, *_Own], _Kind], *own: *_Own) -> _Kind:
        """Return an event of this kind about its attempt; `own` are the fields of the kind."""
        make: Callable[..., _Kind] = kind
        return make(self.key, self.attempt.number, *own, lane=self.lane)

    @property
    def watch(self) -> Watch:
        """What the poll schedule knows of its task; nothing before it is sent or after it ended."""
        if self._watch is None:
            request = self.attempt.request
            kind = request.model, request.duration, request.resolution, len(request.images)
            self._watch = Watch(self.key, kind)
        return self._watch

    @property
    def was_timed(self) -> bool:
        """Whether this run saw its task begin, after it has ended."""
        return self._watch is None or self._watch.timed

    def unwatch(self) -> None:
        """Forget what the answers to its queries showed, once its task has ended.

        That is a third of the memory that a row takes, and many may wait to be downloaded. Of a
        task whose age is not known only this is known, and it is kept.
        """
        if self._watch is not None and self._watch.timed:
            self._watch = None


def close_earlier(row: Tracked) -> tuple[Event, ...]:
    """Close the attempt before, if there was one.

    Only together with the new attempt: a stop before it leaves the row as it was.
    """
    earlier, row.supersedes = row.supersedes, None
    if earlier is None or earlier.state not in SETTLED:
        return ()
    return (Requeued(row.key, earlier.attempt.number, lane=row.lane),)


class Reach(IntEnum):
    """How far a stop reaches."""

    SUBMITTING = 1
    EVERYTHING = 2


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a run stops before its rows are through: the exit code, one sentence, what to do.

    `grace_s` is how long what is under way is awaited, in seconds; None for as long as it takes.
    `by_disk` says that a file or a disk is in the way, so that running again alone helps nobody.
    `own` has what lanes are told in its place, by their numbers: their disks are others.
    """

    exit_code: ExitCode
    reason: str
    reach: Reach = Reach.EVERYTHING
    action: str | None = None
    grace_s: float | None = None
    by_disk: bool = False
    own: tuple[tuple[int, Stop], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for because calls fail: `what`, why, and until when at the latest."""

    what: str
    why: str
    until: float


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


def _inside(sentence: str) -> str:
    """Return a sentence as it stands behind a colon."""
    return sentence[:1].lower() + sentence[1:]


def stop_for_outage(message: str) -> Stop:
    """Stop submitting: the provider has not accepted anything for too long."""
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider does not answer submissions: {_inside(message)}",
        Reach.SUBMITTING,
        "Run again when it is back; nothing is lost.",
    )


def stop_for_address(message: str) -> Stop:
    """Stop everything: no call was answered yet, and a setting may be wrong."""
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider cannot be reached, and never was in this run: {message.rstrip('.')}",
        action="Check api.base_url and the network of this machine (http.proxy, http.ca_file), "
        "then run again.",
    )


def stop_at_address(reply: Reply) -> Stop | None:
    """Stop at a call that reached nobody by a name that may be wrong."""
    error = reply.content
    if isinstance(error, ProviderError) and error.misdirected:
        return stop_for_address(error.message)
    return None


def was_answered(reply: Reply) -> bool:
    """Return whether the provider has answered a call, whatever it said."""
    content = reply.content
    if isinstance(reply, DownloadReply) or isinstance(content, Withheld):
        return False
    return not isinstance(content, ProviderError) or content.status is not None


def stop_for_look_ups(message: str) -> Stop:
    """Stop submitting: what may have been sent before cannot be looked up."""
    return Stop(
        ExitCode.UNFINISHED,
        f"rows that may have been sent before cannot be looked up: {_inside(message)}",
        Reach.SUBMITTING,
        "Run again when the provider is back; these rows were not sent.",
    )


def stop_for_long_wait(reply: Reply, patience_s: float) -> Stop | None:
    """Stop submitting where the answer to a call asks for a wait beyond `outage.patience_s`."""
    error = reply.content
    # A picture that is refused for the first time is tried again as well.
    waited_for = isinstance(error, Throttled | Unreachable) or isinstance(reply, UploadReply)
    asked_s = error.retry_after_s if isinstance(error, ProviderError) and waited_for else None
    if asked_s is None or asked_s <= patience_s:
        return None
    call = _CALLS[type(reply)]
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider asks to wait {say_wait(asked_s)} before the next {call}, and "
        f"outage.patience_s is {patience_s:g} s",
        Reach.SUBMITTING,
        "Run again when that time is over, or raise outage.patience_s; nothing is lost.",
    )


def say_wait(seconds: float) -> str:
    """Return a wait in words: "90 s", "36 h"."""
    for unit_s, unit in ((_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:,.0f} {unit}"
    return f"{seconds:g} s"


def stop_for_uploads(message: str) -> Stop:
    """Stop submitting: no picture can be uploaded any more."""
    return Stop(
        ExitCode.UNFINISHED,
        f"pictures cannot be uploaded: {_inside(message)}",
        Reach.SUBMITTING,
        "Run again when the provider is back; nothing is lost.",
    )


def stop_for_equal_refusals(refusals: int, message: str) -> Stop:
    """Stop submitting: all refusals are equal, so a setting is wrong and not the rows."""
    return Stop(
        ExitCode.STOPPED,
        f"{refusals} submissions in a row were refused for the same reason: {_inside(message)}",
        Reach.SUBMITTING,
        "Check api.model and what the key may do, then: reelsheet run MANIFEST --retry refused.",
    )


def stop_for_budget(refusal: str, when: str = "for the next part") -> Stop:
    """Stop submitting: the next video would pass a cap; `when` says when to run again."""
    return Stop(
        ExitCode.STOPPED,
        f"a cap is reached: {refusal}",
        Reach.SUBMITTING,
        f"Raise the cap under budget, or run again {when}.",
    )


def stop_for_account(error: Withheld) -> Stop:
    """Stop submitting: another process has spent what was left of a cap of the account."""
    return Stop(ExitCode.STOPPED, error.message, Reach.SUBMITTING, error.action)


def stop_for_credit(error: OutOfCredit) -> Stop:
    """Stop submitting: the account is empty; what is paid for is still downloaded."""
    return Stop(
        ExitCode.STOPPED,
        _inside(error.message),
        Reach.SUBMITTING,
        "Top up your ToAPIs account, then run again: unsent rows go out then.",
    )


def stop_for_key(error: Unauthorized) -> Stop:
    """Stop everything: the key is refused, so every call would fail."""
    return Stop(ExitCode.STOPPED, _inside(error.message), action=error.action)


def stop_for_storage(error: Unfinished) -> Stop:
    """Stop everything: the output folder takes no more videos."""
    return replace(stop_by(error), exit_code=ExitCode.UNFINISHED)


def stop_by(error: ReelsheetError, reach: Reach = Reach.EVERYTHING) -> Stop:
    """Stop as an error says: one of the files is in the way, or the disk, unless it is another."""
    by_disk = isinstance(error, StoreError)
    return Stop(error.exit_code, error.message, reach, error.action, by_disk=by_disk)


NewAttempt = Callable[[str], tuple[Attempt, Entry | None]]
"""Returns the attempt of a row, by key, and the entry of the attempt that it follows, if any."""


class LaneRows:
    """What the engine keeps of a lane: how many rows stand where, and see `enqueue`."""

    def __init__(self) -> None:
        self.states: Counter[State] = Counter()
        self.new: NewAttempt
        self.asks_first: Callable[[str], bool]
        self.wants_proof: Callable[[str], bool]
        self.model_of: Callable[[str], str]
