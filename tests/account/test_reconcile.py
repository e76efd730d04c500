"""What a journal and the book take from each other: every way in which one of them is lost."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.account.reconcile import Reconciliation, Standing, reconcile, standing_of
from pipeline.account.submission import Submission, submission_of
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from pipeline.lifecycle import PAID, apply
from pipeline.model import Entry, State
from tests.conftest import share_of_examples
from tests.journal.lives import VIDEO, attempt, intended, lives

TOGETHER, JOURNAL_OLDER = Standing.TOGETHER, Standing.JOURNAL_OLDER
LOST = [Standing.BOOK_OLDER, Standing.OTHER_BOOK, Standing.NO_BOOK]
NEW = Standing.OTHER_BOOK
"""How a journal that was only just made stands to every book."""
SENT = [intended("a"), ev.Accepted("a", 1, "video_1")]


class Past:
    """What events add up to: each entry, and each attempt as it was, closed ones as they ended."""

    def __init__(self, events: Iterable[ev.Event] = ()) -> None:
        self.entries: dict[str, Entry] = {}
        self.attempts: dict[tuple[str, int], Entry] = {}
        self.sent: set[str] = set()
        for at, event in enumerate(events, 1):
            self.happen(event, float(at))

    def happen(self, event: ev.Event, at: float) -> None:
        entry = apply(self.entries.pop(event.key, None), event, at)
        assert entry.key not in self.entries
        self.entries[entry.key] = entry
        place = entry.identity, entry.attempt.number
        if isinstance(event, ev.Requeued | ev.NotFound):
            self.attempts[place] = replace(self.attempts[place], closed=True)
        else:
            self.attempts[place] = entry
        if isinstance(event, ev.Intended):
            self.sent.add(entry.attempt.client_business_id)

    @property
    def book(self) -> list[Submission]:
        """What the book would know: every attempt that was intended, under the keys of now."""
        key_of = {entry.identity: entry.key for entry in self.entries.values()}
        return [
            submission_of(
                replace(one, key=key_of[one.identity]), "5a", "/outputs/shop", "/shop.csv"
            )
            for one in self.attempts.values()
            if one.attempt.client_business_id in self.sent
        ]

    def follow(self, found: Reconciliation) -> None:
        for event, at in found.events:
            self.happen(event, at)


def together(
    journal: Past, book: Sequence[Submission], standing: Standing, *, cut_off: bool = False
) -> Reconciliation:
    found = reconcile(journal.attempts.values(), book, standing, cut_off=cut_off, now=1000.0)
    journal.follow(found)
    return found


@pytest.mark.parametrize(
    ("book", "noted", "numbers", "standing"),
    [
        ("b", "b", (4, 3, 4), TOGETHER),
        ("b", "b", (4, 3, 3), TOGETHER),
        ("b", "b", (2, 1, 4), JOURNAL_OLDER),
        ("b", "b", (4, 3, 2), Standing.BOOK_OLDER),
        ("b", "another", (4, 3, 9), Standing.OTHER_BOOK),
        ("b", "", (0, 0, 0), Standing.OTHER_BOOK),
        (None, "b", (4, 3, 0), Standing.NO_BOOK),
    ],
)
def test_how_they_stand(
    book: str | None, noted: str, numbers: tuple[int, int, int], standing: Standing
) -> None:
    """By their numbers: one batch may have reached the journal alone."""
    seq, confirmed, book_seq = numbers
    found = standing_of(book=book, noted=noted, seq=seq, confirmed=confirmed, book_seq=book_seq)
    assert found is standing


def test_nothing_is_to_be_done_where_both_know_the_same() -> None:
    """The usual start of a run."""
    past = Past([*SENT, ev.Completed("a", 1, None)])
    assert together(past, past.book, TOGETHER) == Reconciliation()


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], State.IN_DOUBT),
        ([ev.AnswerLost("a", 1, "reset")], State.IN_DOUBT),
        ([ev.Accepted("a", 1, "t")], State.RUNNING),
        ([ev.Declined("a", 1, "x", "no")], State.REFUSED),
        ([ev.Accepted("a", 1, "t"), ev.TaskFailed("a", 1, "x", "no")], State.FAILED),
        ([ev.Accepted("a", 1, "t"), ev.TaskLost("a", 1, "gone")], State.MISSING),
        (
            [
                ev.Accepted("a", 1, "t"),
                ev.Completed("a", 1, 3.0),
                ev.Downloaded("a", 1, VIDEO),
            ],
            State.DONE,
        ),
        (
            [
                ev.Accepted("a", 1, "t"),
                ev.Completed("a", 1, 3.0),
                ev.LinkLost("a", 1, "link_dead", "403"),
            ],
            State.EXPIRED,
        ),
    ],
)
def test_a_deleted_journal_comes_back(events: list[ev.Event], state: State) -> None:
    """Every state, with the times, the task, the video and the reference that the book knows."""
    past = Past([intended("a"), *events])
    fresh = Past()
    found = together(fresh, past.book, NEW)
    entry, was = fresh.entries["a"], past.entries["a"]
    assert entry.state is state
    assert (entry.attempt, entry.task_id, entry.video) == (was.attempt, was.task_id, was.video)
    assert (entry.submitted_at, entry.finished_at) == (was.submitted_at, was.finished_at)
    assert [one.key for one in found.adopted] == ["a"]
    assert not found.ask_all


def test_a_deleted_journal_goes_on_counting() -> None:
    """Three attempts, the last one given up by a person: the next reference is the fourth's."""
    past = Past(
        [
            *SENT,
            ev.TaskFailed("a", 1, None, "no"),
            ev.Requeued("a", 1),
            intended("a", 2),
            ev.Declined("a", 2, None, "no"),
            ev.Requeued("a", 2),
            intended("a", 3),
            ev.AnswerLost("a", 3, "reset"),
            ev.ClosedUnsent("a", 3),
        ]
    )
    fresh = Past()
    together(fresh, past.book, NEW)
    assert fresh.entries["a"].next_number == 4
    assert fresh.entries["a"].submissions_of("hash-a film") == 2, "the third one was never sent"


def test_an_older_copy_catches_up() -> None:
    """The copy has the row running; it failed, was sent again and is done."""
    events = [
        *SENT,
        ev.TaskFailed("a", 1, None, "no"),
        ev.Requeued("a", 1),
        intended("a", 2),
        ev.Accepted("a", 2, "video_2"),
        ev.Completed("a", 2, None),
        ev.Downloaded("a", 2, VIDEO),
    ]
    whole, copy = Past(events), Past(events[:2])
    found = together(copy, whole.book, JOURNAL_OLDER)
    assert copy.entries["a"].attempt.number == 2
    assert copy.entries["a"].state is State.DONE
    assert [at for _, at in found.events] == [3.0, 5.0, 5.0, 5.0, 5.0, 8.0]


def test_a_copy_that_knows_a_first_try_takes_up_the_second() -> None:
    """A submission that was provably not accepted went out again under the same number."""
    events = [intended("a"), ev.NotAccepted("a", 1), *SENT]
    whole, copy = Past(events), Past(events[:2])
    together(copy, whole.book, JOURNAL_OLDER)
    assert copy.entries["a"].state is State.RUNNING


def test_what_a_copy_does_not_know_the_end_of_is_not_moved_back() -> None:
    """The book never says `ready`; what it says of such a row is no news."""
    past = Past([*SENT, ev.Completed("a", 1, None)])
    book = [replace(one, state=State.RUNNING) for one in past.book]
    assert not together(past, book, JOURNAL_OLDER).events
    assert past.entries["a"].state is State.READY


def test_an_intent_that_only_the_journal_has_was_never_sent() -> None:
    """The kill came between the two commits: the row waits, and is looked up before it goes."""
    past = Past([*SENT, intended("b")])
    book = [one for one in past.book if one.key == "a"]
    found = together(past, book, TOGETHER)
    assert [event for event, _ in found.events] == [ev.NotAccepted("b", 1)]
    assert found.ask_first == {"b"}
    assert past.entries["b"].next_number == 1


@pytest.mark.parametrize("standing", LOST)
def test_where_the_book_has_lost_something_an_intent_is_in_doubt(standing: Standing) -> None:
    """It may have gone out: the run looks it up, and nobody sends it again."""
    past = Past([intended("b")])
    assert together(past, [], standing) == Reconciliation(standing)


def test_of_another_book_the_journal_takes_what_it_lacks() -> None:
    """Each of the two knows a row that the other does not."""
    journal = Past(SENT)
    other = Past([intended("b"), ev.Accepted("b", 1, "video_2")])
    found = together(journal, other.book, NEW)
    assert journal.entries["b"].state is State.RUNNING
    assert [one.key for one in found.adopted] == ["b"]


def test_of_one_attempt_the_one_that_says_more_is_heard() -> None:
    """Neither knows when the other last looked: what ended has ended."""
    done = [*SENT, ev.Completed("a", 1, None), ev.Downloaded("a", 1, VIDEO)]
    journal = Past(SENT)
    assert together(journal, Past(done).book, NEW).events
    assert journal.entries["a"].state is State.DONE
    assert not together(Past(done), Past(SENT).book, NEW).events


@pytest.mark.parametrize("standing", LOST)
def test_a_run_that_was_cut_off_may_have_sent_more(standing: Standing) -> None:
    """No store can be trusted with its end, so every row is looked up before it is sent."""
    assert together(Past(SENT), [], standing, cut_off=True).ask_all
    assert not together(Past(SENT), [], standing).ask_all


@pytest.mark.parametrize("standing", [TOGETHER, JOURNAL_OLDER])
def test_a_book_that_is_not_older_knows_the_end_of_every_run(standing: Standing) -> None:
    """So nobody has to be asked."""
    past = Past(SENT)
    assert not together(past, past.book, standing, cut_off=True).ask_all


def test_a_row_is_looked_up_if_it_may_have_been_sent_unknown_to_both() -> None:
    """All rows while nobody was asked; then those whose attempts are older than the question."""
    past = Past([*SENT, intended("b"), intended("c")])
    old, asked, later = (past.entries[key] for key in "abc")  # sent at 1, 3 and 4
    every = Reconciliation(ask_all=True)
    assert every.asks_first(None)
    assert every.asks_first(later)
    some = Reconciliation(ask_first=frozenset({"c"}), asked_until=3.0)
    assert not some.asks_first(None)
    assert [some.asks_first(one) for one in (old, asked, later)] == [True, False, True]
    assert not Reconciliation().asks_first(old)


def test_a_row_that_was_renamed_comes_back_under_its_new_key() -> None:
    """With the references of the entry, which its first key is part of."""
    past = Past([*SENT, ev.Renamed("a", 1, "b")])
    fresh = Past()
    together(fresh, past.book, NEW)
    assert fresh.entries["b"].attempt == past.entries["b"].attempt
    assert list(fresh.entries) == ["b"]


def test_keys_that_were_swapped_come_back() -> None:
    """Over three steps, as people do it."""
    swaps = [ev.Renamed("a", 1, "c"), ev.Renamed("b", 1, "a"), ev.Renamed("c", 1, "b")]
    past = Past([intended("a"), intended("b"), *swaps])
    fresh, copy = Past(), Past([intended("a"), intended("b")])
    together(fresh, past.book, NEW)
    together(copy, past.book, JOURNAL_OLDER)
    for journal in (fresh, copy):
        keys = {entry.identity: entry.key for entry in journal.entries.values()}
        assert keys == {"a": "b", "b": "a"}


def test_a_key_that_a_row_of_the_journal_alone_has_stays_with_it() -> None:
    """A reused take is no purchase, so that the book does not know where its row went."""
    reused = ev.Reused("b", 1, attempt("b", 1), "t", VIDEO, 1.0)
    whole = Past([*SENT, reused, ev.Renamed("b", 1, "c"), ev.Renamed("a", 1, "b")])
    copy = Past([*SENT, reused])
    together(copy, [one for one in whole.book if one.identity == "a"], JOURNAL_OLDER)
    assert {entry.identity: entry.key for entry in copy.entries.values()} == {"a": "a", "b": "b"}


def test_a_task_without_its_id_is_in_doubt() -> None:
    """A book imported from somewhere may lack it; then the reference is looked up."""
    book = [replace(one, task_id=None) for one in Past(SENT).book]
    fresh = Past()
    together(fresh, book, NEW)
    assert fresh.entries["a"].state is State.IN_DOUBT


def test_a_done_row_without_its_video_is_fetched() -> None:
    """What the file must be is not known, so it cannot be done."""
    past = Past([*SENT, ev.Completed("a", 1, None), ev.Downloaded("a", 1, VIDEO)])
    fresh = Past()
    together(fresh, [replace(one, video=None) for one in past.book], NEW)
    assert fresh.entries["a"].state is State.READY


def _seen(entry: Entry) -> tuple[object, ...]:
    state = State.IN_DOUBT if entry.state is State.SUBMITTING else entry.state
    return entry.key, entry.attempt.number, state, entry.task_id, entry.video


@settings(max_examples=share_of_examples(0.5))
@given(lives(), st.data())
def test_a_copy_of_any_moment_catches_up(
    batches: list[list[ev.Event]], data: st.DataObject
) -> None:
    """With the book it knows every purchase and every used number again, under the right keys."""
    kept = data.draw(st.integers(0, len(batches)), label="kept")
    whole = Past(event for batch in batches for event in batch)
    copy = Past(event for batch in batches[:kept] for event in batch)
    together(copy, whole.book, JOURNAL_OLDER)
    book: dict[str, Submission] = {one.identity: one for one in whole.book}
    for identity, last in book.items():
        was = next(one for one in whole.entries.values() if one.identity == identity)
        now = next(one for one in copy.entries.values() if one.identity == identity)
        assert now.key == was.key
        if last.state is State.WAITING and not was.closed and now.attempt.number == last.number:
            assert now.next_number >= last.number
        else:
            assert now.next_number > last.number or now.state in PAID
        if was.state in PAID and was.attempt.number == last.number:
            assert _seen(now) == _seen(was)
    again = together(copy, whole.book, JOURNAL_OLDER).adopted
    assert {one.state for one in again} <= {State.WAITING}, "a second look finds nothing new"


@settings(max_examples=share_of_examples(0.2))
@given(lives())
def test_the_journal_takes_what_is_decided(batches: list[list[ev.Event]]) -> None:
    """The events can be appended to a real journal, whose replay then agrees with its tables."""
    whole = Past(event for batch in batches for event in batch)
    found = reconcile([], whole.book, NEW, cut_off=False, now=1000.0)
    expected = Past()
    expected.follow(found)
    with _journal() as journal:
        for event, at in found.events:
            journal.append([event], at)
        journal.note({"adopted": "yes"})
        path = journal.path
        assert read_entries(path) == expected.entries
        assert replay(path) == expected.entries


@contextlib.contextmanager
def _journal() -> Iterator[Journal]:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(Journal(Path(folder) / "journal.db")) as journal,
    ):
        yield journal
