"""What a journal takes back from the account's book before anything is sent: a pure decision.

A journal may be gone, an older copy, or that of another folder; so may the book. Each of the two
notes the other's last batch with money in it, and the journal is written first, then the book, then
the calls go out. So what only one of them knows says which of them has lost something:

- A submission that the book knows and the journal does not was sent. Its row takes it up by the
  events that lead to the state that the book remembers, with the times that are known. The row is
  then in doubt, running or done as it was, and its number and reference are used up.
- An intent that the journal knows and the book does not was never sent, unless the book is older:
  the row waits. It is looked up all the same before it goes out.
- Where nobody can be trusted to know the end of the last run, because that was cut off and the book
  is missing, another or older, every row is looked up before it is sent.

What else only the journal knows is brought to the book by `importing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline import events as ev
from pipeline.account.submission import Submission
from pipeline.lifecycle import MOVES, SETTLED, apply
from pipeline.model import Attempt, Entry, State, aside_key, made_for

_ONWARD = {
    kind: move
    for kind, move in MOVES.items()
    if State.WAITING not in move.sources
    and kind not in {ev.NotAccepted, ev.AnswerLost, ev.Requeued}
}
"""The moves by which a submission that was sent comes to where the book remembers it."""

_UNKNOWN = "the account's book remembers this and not the reason"

_RANK = {
    State.WAITING: 0,
    State.SUBMITTING: 1,
    State.IN_DOUBT: 2,
    State.MISSING: 3,
    State.RUNNING: 4,
    State.READY: 5,
} | dict.fromkeys(SETTLED, 6)
"""How much a state says, where journal and book never noted each other."""


class Standing(StrEnum):
    """How a journal and the account's book stand to each other."""

    TOGETHER = "together"
    NO_BOOK = "no book"
    OTHER_BOOK = "other book"
    BOOK_OLDER = "book older"
    JOURNAL_OLDER = "journal older"


def standing_of(
    *, book: str | None, noted: str, seq: int = 0, confirmed: int = 0, book_seq: int = 0
) -> Standing:
    """Return which of journal and book has lost something, as far as their numbers tell.

    Args:
        book: The id of the book; None if there is none.
        noted: The id of the book that the journal was last written with; empty: with none.
        seq: The number of the journal's last batch with money in it.
        confirmed: The last of these that the journal knows the book to have.
        book_seq: The last of these that the book has.

    """
    if book is None:
        return Standing.NO_BOOK
    if noted != book:
        return Standing.OTHER_BOOK
    if book_seq > seq:
        return Standing.JOURNAL_OLDER
    return Standing.BOOK_OLDER if book_seq < confirmed else Standing.TOGETHER


_LOST = frozenset({Standing.NO_BOOK, Standing.OTHER_BOOK, Standing.BOOK_OLDER})
"""Where the book need not know what the journal has forgotten, or has only just intended."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What is to be done before anything is sent.

    `standing` says which of journal and book has lost something. `events`, each with its time in
    Unix seconds, are for the journal, in this order. `ask_first` holds the identities of the rows
    to look up before they are sent; with `ask_all` it is every row. So are those that were last
    sent before the Unix second `asked_until`, by when an earlier run had asked for every row.
    `adopted` are the submissions that the journal did not know, or not to where they have come.
    """

    standing: Standing = Standing.TOGETHER
    events: tuple[tuple[ev.Event, float], ...] = ()
    ask_first: frozenset[str] = frozenset()
    ask_all: bool = False
    asked_until: float = 0.0
    adopted: tuple[Submission, ...] = ()

    def asks_first(self, entry: Entry | None) -> bool:
        """Whether a row is looked up before it is sent; None: a row that was never known."""
        if entry is None:
            return self.ask_all
        earlier = (entry.submitted_at or 0.0) < self.asked_until
        return self.ask_all or earlier or entry.identity in self.ask_first


def reconcile(
    attempts: Iterable[Entry],
    remembered: Iterable[Submission],
    standing: Standing,
    *,
    cut_off: bool,
    now: float,
) -> Reconciliation:
    """Decide what a journal takes back from the book, and what is looked up before it is sent.

    Args:
        attempts: Every attempt that the journal knows, each as the entry that it was.
        remembered: The submissions that the book knows of this journal.
        standing: Which of the two has lost something.
        cut_off: Whether the journal's last run did not end cleanly.
        now: The time, in Unix seconds, for what has no other.

    """
    mine = list(attempts)
    theirs = {one.reference: one for one in remembered}
    unsent = [
        one
        for one in mine
        if one.state is State.SUBMITTING
        and one.attempt.client_business_id not in theirs
        and standing not in _LOST
    ]
    journal = _Adoption(mine, journal_older=standing is Standing.JOURNAL_OLDER, now=now)
    for one in unsent:
        journal.happen(ev.NotAccepted(one.key, one.attempt.number), one.identity, now)
    for identity, submissions in _by_identity(theirs.values()).items():
        journal.adopt(identity, submissions)
    journal.settle_keys()
    return Reconciliation(
        standing=standing,
        events=tuple(journal.events),
        ask_first=frozenset(one.identity for one in unsent),
        ask_all=cut_off and standing in _LOST,
        adopted=tuple(theirs[reference] for reference in journal.adopted),
    )


def after(attempts: Iterable[Entry], found: Reconciliation) -> dict[str, Entry]:
    """Return the latest entries of a journal once it has taken up what was found, by key.

    `attempts` are those that it knows, in the order of their numbers.
    """
    entries = {entry.identity: entry for entry in attempts}
    identity_of = {entry.key: entry.identity for entry in entries.values()}
    for event, at in found.events:
        if isinstance(event, (ev.Intended, ev.Reused)):
            identity = event.attempt.identity
        else:
            identity = identity_of.pop(event.key)
        entry = entries[identity] = apply(entries.get(identity), event, at)
        identity_of[entry.key] = identity
    return {entry.key: entry for entry in entries.values()}


def _by_identity(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    """Group submissions by entry, the entry first sent first, and each by its numbers."""
    found: dict[str, list[Submission]] = defaultdict(list)
    for one in sorted(submissions, key=lambda one: (one.submitted_at or 0, one.number)):
        found[one.identity].append(one)
    return {name: sorted(group, key=lambda one: one.number) for name, group in found.items()}


class _Adoption:
    """The events by which a journal takes up what the book knows and it does not."""

    def __init__(self, known: Iterable[Entry], *, journal_older: bool, now: float) -> None:
        """Begin with what the journal says."""
        self.events: list[tuple[ev.Event, float]] = []
        self.adopted: dict[str, None] = {}  # references, in order
        self._journal_older = journal_older
        self._now = now
        self._latest: dict[str, Entry] = {}
        for entry in sorted(known, key=lambda one: one.attempt.number):
            as_it_is = replace(entry, state=State.WAITING) if entry.closed else entry
            self._latest[entry.identity] = as_it_is
        self._identity_of = {entry.key: entry.identity for entry in self._latest.values()}
        self._keys: dict[str, str] = {}  # those that entries are to have in the end

    def adopt(self, identity: str, submissions: Sequence[Submission]) -> None:
        """Bring one entry to where the book remembers it, attempt by attempt."""
        known = identity in self._latest
        for one in submissions:
            self._bring(identity, one)
        if identity in self._latest and (self._journal_older or not known):
            self._keys[identity] = submissions[-1].key

    def _bring(self, identity: str, one: Submission) -> None:
        latest = self._latest.get(identity)
        if latest is None:
            self._follow(_way(State.WAITING, one), self._place(identity), one)
        elif one.reference == latest.attempt.client_business_id and self._says_more(one, latest):
            self._follow(_way(latest.state, one), latest.key, one)
        elif one.number > latest.attempt.number and latest.state in SETTLED | {State.WAITING}:
            if latest.state in SETTLED:
                again = ev.Requeued(latest.key, latest.attempt.number)
                self.happen(again, identity, self._begun(one))
            self._follow(_way(State.WAITING, one), latest.key, one)

    def _says_more(self, one: Submission, latest: Entry) -> bool:
        """Whether the book knows more than the journal of an attempt that both know."""
        if latest.closed:
            return False
        if self._journal_older:
            return _target(one) is not latest.state or latest.state is State.WAITING
        return _RANK[_target(one)] > _RANK[latest.state]

    def _follow(self, way: Sequence[type[ev.Event]], key: str, one: Submission) -> None:
        for kind in way:
            ended_at = one.finished_at if MOVES[kind].target in SETTLED else None
            at = ended_at or self._begun(one)
            event = _reused(key, one) if kind is ev.Reused else _event(kind, key, one)
            self.happen(event, one.identity, at)
            self.adopted[one.reference] = None

    def _begun(self, one: Submission) -> float:
        return one.submitted_at or one.finished_at or self._now

    def happen(self, event: ev.Event, identity: str, at: float) -> None:
        """Add an event of an entry, and keep what it comes to."""
        self.events.append((event, at))
        entry = self._latest[identity] = apply(self._latest.get(identity), event, at)
        if isinstance(event, ev.Renamed):
            del self._identity_of[event.key]
        self._identity_of[entry.key] = identity

    # Keys. An entry begins under the key that its identity was made for. Another entry may have
    # that key now: it steps aside, and all get their keys when all are there.

    def _place(self, identity: str) -> str:
        key = made_for(identity)
        if key in self._identity_of:
            self._step_aside(self._identity_of[key])
        return key

    def _step_aside(self, identity: str) -> None:
        self._keys.setdefault(identity, self._latest[identity].key)
        self._rename(identity, aside_key(identity))

    def _rename(self, identity: str, key: str) -> None:
        entry = self._latest[identity]
        self.happen(ev.Renamed(entry.key, entry.attempt.number, key), identity, self._now)

    def settle_keys(self) -> None:
        """Give every entry the key that its row has now, if no other entry keeps it."""
        moving = {
            identity: key
            for identity, key in self._keys.items()
            if self._latest[identity].key != key
        }
        for key in moving.values():
            sitting = self._identity_of.get(key)
            if sitting in moving:
                self._step_aside(sitting)
        for identity, key in moving.items():
            if key not in self._identity_of:
                self._rename(identity, key)


def _target(one: Submission) -> State:
    """Return the state that an entry comes to when it takes up a submission of the book."""
    match one.state:
        case State.WAITING | State.REFUSED:
            return one.state
        case _ if one.task_id is None:
            return State.IN_DOUBT
        case State.DONE if one.video is None:
            return State.READY
    return one.state


def _way(state: State, one: Submission) -> list[type[ev.Event]]:
    """Return the kinds of events that lead to where the book has it; empty if none do."""
    if state is State.WAITING and one.reused:
        return [ev.Reused]
    if state is State.WAITING:
        return [ev.Intended, *_way(State.SUBMITTING, one)]
    target = _target(one)
    if one.video is not None and target in {State.READY, State.EXPIRED}:
        # It was delivered once, and the row remembers that for good.
        delivered = _shortest(state, State.DONE)
        return [*delivered, *_shortest(State.DONE, target)] if delivered else []
    return _shortest(state, target)


def _shortest(state: State, target: State) -> list[type[ev.Event]]:
    ways: dict[State, list[type[ev.Event]]] = {state: []}
    queue: list[State] = [state]
    for here in queue:
        for kind, move in _ONWARD.items():
            if here in move.sources and move.target not in ways:
                ways[move.target] = [*ways[here], kind]
                queue.append(move.target)
    return ways.get(target, [])


def _event(kind: type[ev.Event], key: str, one: Submission) -> ev.Event:
    """Return an event of this kind as the book knows it; `_target` saw to what it needs."""
    number = one.number
    match kind:
        case ev.Intended:
            return ev.Intended(key, number, _attempt(key, one))
        case ev.Accepted:
            return ev.Accepted(key, number, one.task_id or one.reference)
        case ev.Found:
            return ev.Found(key, number, one.task_id or one.reference)
        case ev.Completed:
            return ev.Completed(key, number, None)
        case ev.Downloaded if one.video is not None:
            return ev.Downloaded(key, number, one.video)
        case ev.Declined:
            return ev.Declined(key, number, None, _UNKNOWN)
        case ev.TaskFailed:
            return ev.TaskFailed(key, number, None, _UNKNOWN)
        case ev.LinkLost:
            return ev.LinkLost(key, number, "link_dead", _UNKNOWN)
        case ev.TaskLost:
            return ev.TaskLost(key, number, _UNKNOWN)
    return kind(key, number)


def _reused(key: str, one: Submission) -> ev.Reused:
    assert one.task_id is not None and one.video is not None  # noqa: S101, PT018 - see `_way`
    attempt = _attempt(key, one)
    return ev.Reused(key, one.number, attempt, one.task_id, one.video, one.finished_at)


def _attempt(key: str, one: Submission) -> Attempt:
    reference, name = one.reference, one.video_name
    return Attempt(key, one.number, reference, one.request, name, one.money, one.identity)
