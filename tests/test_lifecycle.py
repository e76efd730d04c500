"""The life of a row: the table is complete, and replay follows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docs.generate.life import diagram
from pipeline import events as ev
from pipeline.lifecycle import (
    FORMER_MOVES,
    MOVES,
    PAID,
    SETTLED,
    STAYS,
    ImpossibleMove,
    apply,
    next_state,
)
from pipeline.model import Attempt, Entry, Request, State, Video

REQUEST = Request("a film", (), 6, "16:9", "720P", "gemini_omni_flash", "hash-1")
EDITED = replace(REQUEST, prompt="another film", request_hash="hash-2")
VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
NEWER = replace(VIDEO, name="a-2.mp4")

DESIGN = {
    State.WAITING: {State.SUBMITTING, State.REFUSED, State.DONE},
    State.SUBMITTING: {State.RUNNING, State.WAITING, State.REFUSED, State.IN_DOUBT},
    State.IN_DOUBT: {State.RUNNING, State.WAITING},
    State.RUNNING: {State.READY, State.FAILED, State.MISSING},
    State.READY: {State.DONE, State.EXPIRED},
    State.DONE: {State.READY, State.WAITING},
    State.REFUSED: {State.WAITING},
    State.FAILED: {State.WAITING},
    State.MISSING: {State.RUNNING, State.WAITING},
    State.EXPIRED: {State.WAITING},
    State.INVALID: set(),
}
"""The table of the design, by hand."""


def attempt(number: int = 1, request: Request = REQUEST) -> Attempt:
    return Attempt("a", number, f"rs-a-{number}", request, f"a-{number}.mp4", 0.6)


def happened(*events: ev.Event, before: Entry | None = None) -> Entry:
    """Fold events that happened at the seconds 1, 2, 3..."""
    entry = before
    for at, event in enumerate(events, start=1):
        entry = apply(entry, event, float(at))
    assert entry is not None
    return entry


def intended(number: int = 1, request: Request = REQUEST) -> ev.Intended:
    return ev.Intended("a", number, attempt(number, request))


def done(number: int = 1, video: Video = VIDEO) -> list[ev.Event]:
    return [
        ev.Accepted("a", number, f"t{number}"),
        ev.Completed("a", number, 30.0),
        ev.Downloaded("a", number, video),
    ]


SAMPLES: dict[type[ev.Event], ev.Event] = {
    type(one): one
    for one in (
        intended(),
        *done(),
        ev.Requeued("a", 1),
        ev.PictureRefused("a", 1, attempt(), "bad", "no picture"),
        ev.Reused("a", 1, attempt(), "t0", VIDEO, 0.5),
        ev.NotAccepted("a", 1),
        ev.Declined("a", 1, "bad", "no"),
        ev.AnswerLost("a", 1, "timeout"),
        ev.Interrupted("a", 1),
        ev.Found("a", 1, "t1"),
        ev.ClosedUnsent("a", 1),
        ev.NotFound("a", 1),
        ev.TaskFailed("a", 1, "bad", "no"),
        ev.TaskLost("a", 1, "gone"),
        ev.TaskBack("a", 1),
        ev.LinkLost("a", 1, "link_dead", "403"),
        ev.FileGone("a", 1),
        ev.Renamed("a", 1, "b"),
    )
}


def test_the_table_is_the_designs() -> None:
    """Exactly the moves of the design, state by state."""
    moves: dict[State, set[State]] = {state: set() for state in State}
    for move in MOVES.values():
        for source in move.sources:
            moves[source].add(move.target)
    assert moves == DESIGN


def test_every_event_has_its_move() -> None:
    """No kind of event is without a place in the table."""
    assert {*MOVES, *FORMER_MOVES, *STAYS} == set(ev.KINDS.values()) == set(SAMPLES)
    assert len(MOVES) + len(FORMER_MOVES) + len(STAYS) == len(SAMPLES)


def test_every_state_can_be_reached() -> None:
    """From waiting, every state but `invalid`, which is the sheet's own."""
    reached = {State.WAITING}
    while True:
        more = {move.target for move in MOVES.values() if move.sources & reached} - reached
        if not more:
            break
        reached |= more
    assert reached == set(State) - {State.INVALID}


def test_every_state_has_one_nature() -> None:
    """A row waits, is paid for, or has ended."""
    assert {State.WAITING} | PAID | SETTLED == set(State)
    assert not PAID & SETTLED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("kind", list(MOVES), ids=lambda kind: kind.__name__)
def test_what_is_not_in_the_table_cannot_happen(state: State, kind: type[ev.Event]) -> None:
    """Each event leads where the table says, or raises."""
    event, move = SAMPLES[kind], MOVES[kind]
    if state in move.sources:
        assert next_state(state, event) is move.target
        entry = Entry("a", state, attempt())
        assert apply(entry, event, 1.0).state is move.target
    else:
        with pytest.raises(ImpossibleMove, match=kind.__name__):
            next_state(state, event)


@pytest.mark.parametrize("state", State)
def test_a_row_is_renamed_in_any_state_and_moves_nowhere(state: State) -> None:
    """Only its key is another one; an invalid row has no entry that could be renamed."""
    entry = Entry("a", state, attempt(), task_id="t1", take=VIDEO, earlier=("hash-2",))
    if state is State.INVALID:
        with pytest.raises(ImpossibleMove, match="Renamed"):
            apply(entry, ev.Renamed("a", 1, "b"), 1.0)
        return
    renamed = apply(entry, ev.Renamed("a", 1, "b"), 1.0)
    assert (renamed.key, renamed.attempt.key, renamed.identity) == ("b", "b", "a")
    assert renamed == replace(entry, key="b", attempt=replace(attempt(), key="b", identity="a"))
    assert renamed.with_key("a") == entry
    with pytest.raises(ImpossibleMove, match="about attempt 2"):
        apply(entry, ev.Renamed("a", 2, "b"), 1.0)


def test_what_earlier_versions_wrote_is_replayed_and_cannot_happen_any_more() -> None:
    """A doubt that `in_doubt: resend` closed: its number is used up and its spend counts."""
    entry = happened(intended(), ev.AnswerLost("a", 1, "timeout"), ev.NotFound("a", 1))
    assert (entry.state, entry.closed, entry.submitted_at) == (State.WAITING, True, 1.0)
    assert entry.next_number == 2
    assert entry.submissions_of("hash-1") == 1
    with pytest.raises(ImpossibleMove, match="NotFound"):
        next_state(State.IN_DOUBT, ev.NotFound("a", 1))
    with pytest.raises(ImpossibleMove, match="NotFound"):
        apply(Entry("a", State.RUNNING, attempt()), ev.NotFound("a", 1), 1.0)


def test_the_diagram_is_the_table() -> None:
    """One edge per move, named after its event."""
    text = diagram()
    edges = [line for line in text.splitlines() if "-->" in line]
    assert text.startswith("```mermaid\nstateDiagram-v2\n")
    assert "    running --> ready: Completed" in edges
    assert "    missing --> running: Found" in edges
    assert len(edges) == 3 + sum(len(move.sources) for move in MOVES.values())


def test_a_row_from_the_first_intent_to_its_video() -> None:
    """The entry holds what each event said, and when."""
    entry = happened(intended(), *done())
    assert entry.state is State.DONE
    assert (entry.task_id, entry.submitted_at, entry.finished_at) == ("t1", 1.0, 4.0)
    assert entry.video == VIDEO
    assert entry.take is None
    assert entry.next_number == 2
    assert entry.submissions_of("hash-1") == 1
    assert entry.submissions_of("hash-2") == 0


def test_a_submission_that_was_not_accepted_never_was() -> None:
    """It has no time of submission, spends no attempt, and goes out under the same number."""
    entry = happened(intended(), ev.NotAccepted("a", 1))
    assert (entry.state, entry.submitted_at) == (State.WAITING, None)
    assert entry.next_number == 1
    assert entry.submissions_of("hash-1") == 0
    again = happened(intended(), before=entry)
    assert again.submissions_of("hash-1") == 1
    assert again.earlier == ()


@pytest.mark.parametrize(
    ("event", "code", "message"),
    [
        (ev.Declined("a", 1, "400", "no"), "400", "no"),
        (ev.AnswerLost("a", 1, "timeout"), None, "timeout"),
        (ev.Interrupted("a", 1), None, "the run ended before the answer came"),
    ],
)
def test_why_a_submission_ended_badly_is_kept(
    event: ev.Event, code: str | None, message: str
) -> None:
    """Code and sentence stand in the entry."""
    entry = happened(intended(), event)
    assert (entry.error_code, entry.error_message) == (code, message)


def test_a_doubt_that_is_found_leaves_no_trace_of_an_error() -> None:
    """Found by look-up or by a person: the row runs like any other."""
    entry = happened(intended(), ev.AnswerLost("a", 1, "timeout"), ev.Found("a", 1, "t9"))
    assert (entry.state, entry.task_id, entry.error_message) == (State.RUNNING, "t9", None)
    assert entry.submitted_at == 1.0


def test_a_doubt_closed_as_not_sent_gets_a_new_number() -> None:
    """The closed attempt counts as no submission; its number is not used again."""
    entry = happened(intended(), ev.AnswerLost("a", 1, "timeout"), ev.ClosedUnsent("a", 1))
    assert (entry.state, entry.closed, entry.submitted_at) == (State.WAITING, True, None)
    assert entry.next_number == 2
    assert entry.submissions_of("hash-1") == 0
    again = happened(intended(2), before=entry)
    assert again.earlier == ()
    assert not again.closed


def test_a_missing_task_that_comes_back_has_no_error() -> None:
    """What was said while it was missing is forgotten."""
    entry = happened(intended(), ev.Accepted("a", 1, "t1"), ev.TaskLost("a", 1, "gone"))
    assert (entry.state, entry.error_message) == (State.MISSING, "gone")
    entry = happened(ev.TaskBack("a", 1), before=entry)
    assert (entry.state, entry.error_message) == (State.RUNNING, None)


def test_the_older_take_stands_until_the_newer_is_done() -> None:
    """A redo keeps the old video as the take, through refusals, until the new one is done."""
    first = happened(intended(), *done())
    asked = happened(ev.Requeued("a", 1), before=first)
    assert (asked.state, asked.closed, asked.next_number) == (State.WAITING, True, 2)
    sent = happened(intended(2, EDITED), before=asked)
    assert (sent.video, sent.take, sent.earlier) == (None, VIDEO, ("hash-1",))
    back = happened(ev.NotAccepted("a", 2), intended(2, EDITED), before=sent)
    assert (back.take, back.earlier) == (VIDEO, ("hash-1",))
    failed = happened(ev.Declined("a", 2, "400", "no"), ev.Requeued("a", 2), before=back)
    third = happened(intended(3, EDITED), before=failed)
    assert (third.take, third.earlier) == (VIDEO, ("hash-1", "hash-2"))
    assert third.submissions_of("hash-2") == 2
    end = happened(*done(3, NEWER), before=third)
    assert (end.video, end.take) == (NEWER, VIDEO)


def test_a_video_whose_file_is_gone_stays_known() -> None:
    """`ready` again, and when the link is dead `expired`, still knowing that it was delivered."""
    entry = happened(intended(), *done(), ev.FileGone("a", 1))
    assert (entry.state, entry.video) == (State.READY, VIDEO)
    entry = happened(ev.LinkLost("a", 1, "link_dead", "410"), before=entry)
    assert (entry.state, entry.error_code, entry.video) == (State.EXPIRED, "link_dead", VIDEO)


def test_a_refused_picture_was_no_submission() -> None:
    """The attempt ends before anything went out."""
    refused = ev.PictureRefused("a", 1, attempt(), "bad_image", "not a picture")
    entry = happened(refused)
    assert (entry.state, entry.submitted_at, entry.finished_at) == (State.REFUSED, None, 1.0)
    assert (entry.error_code, entry.error_message) == ("bad_image", "not a picture")
    assert entry.submissions_of("hash-1") == 0
    assert entry.next_number == 2


@pytest.mark.parametrize("event", [one for one in SAMPLES.values() if one.number == 1])
def test_nothing_but_an_attempt_begins_a_row(event: ev.Event) -> None:
    """Any other first event is impossible."""
    if isinstance(event, ev.Opening):
        assert apply(None, event, 1.0).attempt.number == 1
    else:
        with pytest.raises(ImpossibleMove):
            apply(None, event, 1.0)


def test_an_event_about_another_attempt_is_impossible() -> None:
    """An answer to attempt 1 never changes attempt 2."""
    entry = Entry("a", State.SUBMITTING, attempt(2))
    with pytest.raises(ImpossibleMove, match="attempt 1"):
        apply(entry, ev.Accepted("a", 1, "t1"), 1.0)


def reused(number: int = 1, request: Request = REQUEST) -> ev.Reused:
    return ev.Reused("a", number, attempt(number, request), "t0", VIDEO, 0.5)


def test_a_take_that_was_bought_before_is_no_submission() -> None:
    """The row is done with the task and the time of the original, and no attempt was spent."""
    entry = happened(reused())
    assert (entry.state, entry.task_id, entry.video) == (State.DONE, "t0", VIDEO)
    assert (entry.submitted_at, entry.finished_at) == (None, 0.5)
    assert entry.reused
    assert entry.submissions == entry.submissions_of("hash-1") == 0


def test_after_a_reused_take_a_new_one_has_a_number_of_its_own() -> None:
    """So its reference was never used, and the reused take stands until it is done."""
    entry = happened(reused(), ev.Requeued("a", 1))
    assert entry.next_number == 2
    entry = happened(intended(2), before=entry)
    assert (entry.take, entry.submissions, entry.earlier) == (VIDEO, 1, ())
    entry = happened(*done(2, NEWER), before=entry)
    assert not entry.reused
    assert entry.video == NEWER


def test_a_take_that_comes_back_keeps_count_of_what_was_submitted() -> None:
    """Edited away and back again: two submissions, and the third number is none."""
    entry = happened(intended(), *done(), ev.Requeued("a", 1), intended(2, EDITED))
    entry = happened(*done(2, NEWER), ev.Requeued("a", 2), reused(3), before=entry)
    assert (entry.state, entry.video, entry.attempt.number) == (State.DONE, VIDEO, 3)
    assert entry.submissions == 2
    assert entry.reused


def test_a_doubt_that_a_person_closed_is_no_reused_take() -> None:
    """Its task was given up, and it has no video."""
    entry = happened(intended(), ev.Accepted("a", 1, "t1"), ev.TaskLost("a", 1, "gone"))
    entry = happened(ev.ClosedUnsent("a", 1), before=entry)
    assert not entry.reused
