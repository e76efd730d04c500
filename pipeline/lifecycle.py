"""The life of a row as a table: which event leads from which states to which state.

Moves happen only along this table. The diagram in the documentation and the journal's guards derive
from it. A run recovers from the latest attempts in the journal; to replay all events serves tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.events import (
    Accepted,
    AnswerLost,
    ClosedUnsent,
    Completed,
    Declined,
    Downloaded,
    Event,
    FileGone,
    Found,
    Intended,
    Interrupted,
    LinkLost,
    NotAccepted,
    NotFound,
    Opening,
    PictureRefused,
    Renamed,
    Requeued,
    Reused,
    TaskBack,
    TaskFailed,
    TaskLost,
)
from pipeline.model import Entry, State, shown_key


@dataclass(frozen=True, slots=True)
class Move:
    """An edge of the diagram: from any of `sources` to `target`."""

    sources: frozenset[State]
    target: State


def _move(*sources: State, to: State) -> Move:
    return Move(frozenset(sources), to)


MOVES: dict[type[Event], Move] = {
    Intended: _move(State.WAITING, to=State.SUBMITTING),
    PictureRefused: _move(State.WAITING, to=State.REFUSED),
    Reused: _move(State.WAITING, to=State.DONE),
    Accepted: _move(State.SUBMITTING, to=State.RUNNING),
    NotAccepted: _move(State.SUBMITTING, to=State.WAITING),
    Declined: _move(State.SUBMITTING, to=State.REFUSED),
    AnswerLost: _move(State.SUBMITTING, to=State.IN_DOUBT),
    Interrupted: _move(State.SUBMITTING, to=State.IN_DOUBT),
    Found: _move(State.IN_DOUBT, State.MISSING, to=State.RUNNING),
    ClosedUnsent: _move(State.IN_DOUBT, State.MISSING, to=State.WAITING),
    Completed: _move(State.RUNNING, to=State.READY),
    TaskFailed: _move(State.RUNNING, to=State.FAILED),
    TaskLost: _move(State.RUNNING, to=State.MISSING),
    TaskBack: _move(State.MISSING, to=State.RUNNING),
    Downloaded: _move(State.READY, to=State.DONE),
    LinkLost: _move(State.READY, to=State.EXPIRED),
    FileGone: _move(State.DONE, to=State.READY),
    Requeued: _move(State.DONE, State.REFUSED, State.FAILED, State.EXPIRED, to=State.WAITING),
}
"""Every event that moves a row: the states it can happen in, and the one it leads to."""

FORMER_MOVES: dict[type[Event], Move] = {NotFound: _move(State.IN_DOUBT, to=State.WAITING)}
"""Moves that no longer happen and stand in the journals of earlier versions."""

STAYS: dict[type[Event], frozenset[State]] = {Renamed: frozenset(State) - {State.INVALID}}
"""Events that move a row nowhere, and the states in which they can happen."""

_MOVES_IN_JOURNALS = MOVES | FORMER_MOVES

SETTLED = frozenset({State.DONE, State.REFUSED, State.FAILED, State.EXPIRED, State.INVALID})
"""States in which nothing more happens by itself."""

PAID = frozenset({State.IN_DOUBT, State.RUNNING, State.READY, State.MISSING, State.SUBMITTING})
"""States in which money is, or may be, spent and the video is still to come."""

MOST_ATTEMPTS = 20
"""The highest limit on the submissions of a row with the same request."""


class ImpossibleMove(Exception):
    """An event came for a row in a state that the table does not lead from: an internal error."""


def next_state(state: State, event: Event, moves: Mapping[type[Event], Move] = MOVES) -> State:
    """Return the state that an event leads to.

    Args:
        state: The state of the row before the event.
        event: What happened to the row.
        moves: The moves that count; those of journals include moves that no longer happen.

    Raises:
        ImpossibleMove: The event cannot happen in this state.

    """
    if state in STAYS.get(type(event), ()):
        return state
    move = moves.get(type(event))
    if move is None or state not in move.sources:
        what, key = type(event).__name__, shown_key(event.key)
        raise ImpossibleMove(f"{what} cannot happen to {key!r} in {state}")
    return move.target


def apply(entry: Entry | None, event: Event, at: float) -> Entry:
    """Add an event, which happened at Unix second `at`, to what is known of its row.

    All events of a row, applied in order, give its entry.

    Args:
        entry: What is known of the row; None before its first event.
        event: The event.
        at: When it happened, in Unix seconds.

    Raises:
        ImpossibleMove: The event cannot happen to a row in this state, or is about another attempt.

    """
    state = next_state(entry.state if entry else State.WAITING, event, _MOVES_IN_JOURNALS)
    if isinstance(event, Opening):
        return _open_attempt(entry, event, state, at)
    if entry is None or event.number != entry.attempt.number:
        raise ImpossibleMove(f"{type(event).__name__} is about attempt {event.number}: {entry}")
    if isinstance(event, Renamed):
        return entry.with_key(event.new_key)
    return _change(entry, state, event, at)


def _open_attempt(entry: Entry | None, event: Opening, state: State, at: float) -> Entry:
    attempt = event.attempt
    take, earlier = (entry.take, entry.earlier) if entry else (None, ())
    if entry and entry.attempt.number != attempt.number:
        take = entry.video or take
        if entry.submitted_at is not None:
            earlier = (*earlier, entry.attempt.request.request_hash)
    opened = Entry(event.key, state, attempt, take=take, earlier=earlier)
    match event:
        case PictureRefused(code=code, message=message):
            return replace(opened, error_code=code, error_message=message, finished_at=at)
        case Reused(task_id=task_id, video=video, made_at=made_at):
            return replace(opened, task_id=task_id, video=video, finished_at=made_at)
        case _:
            return replace(opened, submitted_at=at)


def _change(entry: Entry, state: State, event: Event, at: float) -> Entry:
    # A single copy for each event: it takes two microseconds, most of what an event costs here.
    match event:
        case Accepted(task_id=task_id) | Found(task_id=task_id):
            return replace(entry, state=state, task_id=task_id, error_code=None, error_message=None)
        case NotAccepted():
            return replace(entry, state=state, submitted_at=None)
        case Interrupted():
            return replace(entry, state=state, error_message="the run ended before the answer came")
        case TaskBack():
            return replace(entry, state=state, error_code=None, error_message=None)
        case Requeued() | NotFound():
            return replace(entry, state=state, closed=True)
        case ClosedUnsent():
            return replace(entry, state=state, closed=True, submitted_at=None)
        case (
            Declined(code=code, message=message)
            | TaskFailed(code=code, message=message)
            | LinkLost(code=code, message=message)
        ):
            return replace(
                entry, state=state, error_code=code, error_message=message, finished_at=at
            )
        case AnswerLost(message=message) | TaskLost(message=message):
            return replace(entry, state=state, error_message=message)
        case Downloaded(video=video):
            return replace(
                entry, state=state, video=video, finished_at=at, error_code=None, error_message=None
            )
        case _:
            return replace(entry, state=state)
