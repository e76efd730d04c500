"""What a run does with each row: the design's sentences, one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.lifecycle import PAID
from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.plan import ENDED_BADLY, FILE_LOST, GROUPS, Action, Plan, Step, decide
from pipeline.planner.selection import Mode, Selection, unknown_keys

VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
EVERY_MODE = list(Mode)
RETRY = Selection(Mode.RETRY, retry=frozenset({State.FAILED, State.EXPIRED}))
FETCH = Selection(Mode.FETCH)


def request(text: str = "film") -> Request:
    return Request(text, (), 6, "16:9", "720P", "gemini_omni_flash", f"hash-{text}")


def entry(state: State, *, key: str = "a", number: int = 1, video: Video | None = None) -> Entry:
    attempt = Attempt(key, number, f"rs-{key}-{number}", request(), f"{key}.mp4")
    if state is State.DONE:
        video = VIDEO
    return Entry(key, state, attempt, submitted_at=1.0, video=video)


def plan_of(
    row: Request | None,
    known: Entry | None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    *,
    gone: Iterable[str] = (),
    live: Iterable[str] = (),
) -> Step:
    entries = {known.key: known} if known else {}
    made = decide([("a", row)], entries, selection, files_gone=set(gone), links_live=set(live))
    assert len(made.steps) == 1
    assert made.gone == ()
    return made.steps[0]


def told(step: Step) -> tuple[Action, str, bool]:
    return step.action, step.group, step.counts


# What `run` does with a row already known.


def test_a_new_row_is_submitted() -> None:
    """Never seen, and breaks no rule."""
    assert told(plan_of(request(), None)) == (Action.SUBMIT, "new", True)


def test_a_row_that_breaks_a_rule_is_not_sent() -> None:
    """Invalid, and the exit code says so."""
    assert told(plan_of(None, None)) == (Action.LEAVE, "invalid", True)


def test_a_waiting_row_is_submitted() -> None:
    """Whether a run ended before it went out, or a person closed its attempt."""
    assert told(plan_of(request(), entry(State.WAITING))) == (Action.SUBMIT, "waiting", True)
    closed = replace(entry(State.WAITING), closed=True)
    assert plan_of(request("edited"), closed).action is Action.SUBMIT


def test_a_waiting_row_that_breaks_a_rule_now_is_invalid() -> None:
    """Nothing is paid for, so it is as if it were new."""
    assert told(plan_of(None, entry(State.WAITING))) == (Action.LEAVE, "invalid", True)


@pytest.mark.parametrize("mode", EVERY_MODE)
@pytest.mark.parametrize("row", [request(), request("edited"), None], ids=["same", "edited", "bad"])
@pytest.mark.parametrize("state", sorted(PAID))
def test_what_is_paid_for_is_taken_up_and_never_sent(
    state: State, row: Request | None, mode: Mode
) -> None:
    """Running, ready, in doubt, missing: edited or not, in every mode; a crash is a doubt."""
    group = State.IN_DOUBT if state is State.SUBMITTING else state
    step = plan_of(row, entry(state), Selection(mode))
    assert told(step) == (Action.TAKE_UP, group.value, True)
    assert step.edited == (row != request())


@pytest.mark.parametrize("mode", EVERY_MODE)
def test_a_done_row_is_left_alone(mode: Mode) -> None:
    """Unchanged and in its place: nothing to do."""
    assert told(plan_of(request(), entry(State.DONE), Selection(mode))) == (
        Action.LEAVE,
        "done",
        True,
    )


def test_an_edited_done_row_is_reported_and_left_alone() -> None:
    """It is named as changed, and does not count towards the exit code."""
    step = plan_of(request("edited"), entry(State.DONE))
    assert told(step) == (Action.LEAVE, "changed", False)
    assert "--redo" in step.reason
    assert step.edited


def test_a_done_row_that_breaks_a_rule_now_stays_done() -> None:
    """The paid video keeps its state."""
    step = plan_of(None, entry(State.DONE))
    assert (step.action, step.group, step.edited) == (Action.LEAVE, "done", True)


def test_redo_changed_takes_edited_done_rows_only() -> None:
    """The unchanged ones are left alone."""
    redo = Selection(redo_changed=True)
    assert told(plan_of(request("edited"), entry(State.DONE), redo)) == (
        Action.SUBMIT,
        "changed",
        True,
    )
    assert plan_of(request(), entry(State.DONE), redo).action is Action.LEAVE


def test_redo_by_key_takes_that_row() -> None:
    """Edited or not, done or ended badly."""
    for state in (State.DONE, *ENDED_BADLY):
        assert plan_of(request(), entry(state), Selection(redo=frozenset("a"))).action is (
            Action.SUBMIT
        )
        assert plan_of(request(), entry(state), Selection(redo=frozenset("b"))).action is (
            Action.LEAVE
        )


def test_a_redo_of_a_row_that_breaks_a_rule_is_not_sent() -> None:
    """There is nothing that could be sent."""
    step = plan_of(None, entry(State.DONE), Selection(redo=frozenset("a"), redo_changed=True))
    assert step.action is Action.LEAVE


@pytest.mark.parametrize("state", sorted(ENDED_BADLY))
def test_what_ended_badly_is_left_alone_unless_it_is_asked_for(state: State) -> None:
    """Unchanged: only with --retry of its state; edited: a new attempt."""
    assert told(plan_of(request(), entry(state))) == (Action.LEAVE, state.value, True)
    retry = Selection(retry=frozenset({state}))
    assert told(plan_of(request(), entry(state), retry)) == (Action.SUBMIT, state.value, True)
    others = Selection(retry=ENDED_BADLY - {state})
    assert plan_of(request(), entry(state), others).action is Action.LEAVE
    assert told(plan_of(request("edited"), entry(state))) == (Action.SUBMIT, "changed", True)


@pytest.mark.parametrize("state", sorted(ENDED_BADLY))
def test_what_ended_badly_and_breaks_a_rule_now_is_left_alone(state: State) -> None:
    """It keeps the state of its attempt."""
    retry = Selection(retry=ENDED_BADLY)
    assert told(plan_of(None, entry(state), retry)) == (Action.LEAVE, state.value, True)


# Files that are gone.


def test_a_video_that_is_gone_is_fetched_again_while_its_link_lives() -> None:
    """Taken up without a submission, whatever the mode, edited or not."""
    for mode in EVERY_MODE:
        for row in (request(), request("edited"), None):
            step = plan_of(row, entry(State.DONE), Selection(mode), gone="a", live="a")
            assert (step.action, step.counts) == (Action.TAKE_UP, True)


def test_a_row_whose_video_is_gone_with_its_link_stays_done() -> None:
    """It is said, and not paid for again by itself, not even by --retry."""
    retry = Selection(retry=ENDED_BADLY)
    step = plan_of(request(), entry(State.DONE), retry, gone="a")
    assert told(step) == (Action.LEAVE, "done", True)
    assert (step.lost, step.reason) == (True, FILE_LOST)
    assert plan_of(request(), entry(State.DONE), RETRY, gone="a").action is Action.LEAVE


def test_a_delivered_and_deleted_video_is_paid_for_again_only_by_name() -> None:
    """Expired after it was delivered once: --retry is not enough, --redo KEY is."""
    delivered = entry(State.EXPIRED, video=VIDEO)
    assert plan_of(request(), delivered, Selection(retry=ENDED_BADLY)).action is Action.LEAVE
    assert plan_of(request(), delivered, RETRY).action is Action.LEAVE
    assert plan_of(request(), delivered, Selection(redo=frozenset("a"))).action is Action.SUBMIT


def test_a_redo_needs_no_file() -> None:
    """A row that is made anew is not fetched first."""
    redo = Selection(redo=frozenset("a"))
    assert plan_of(request(), entry(State.DONE), redo, gone="a", live="a").action is Action.SUBMIT


def test_a_missing_file_outside_the_selection_is_not_fetched() -> None:
    """--only names other rows: this one is left, and does not count."""
    only = Selection(only=frozenset("b"))
    for live in ("", "a"):
        step = plan_of(request(), entry(State.DONE), only, gone="a", live=live)
        assert told(step) == (Action.LEAVE, "done", False)


# Modes.


@pytest.mark.parametrize("selection", [RETRY, FETCH], ids=["retry", "fetch"])
@pytest.mark.parametrize("known", [None, entry(State.WAITING)], ids=["new", "waiting"])
def test_retry_and_fetch_submit_no_new_row(selection: Selection, known: Entry | None) -> None:
    """They leave it, and it does not count."""
    step = plan_of(request(), known, selection)
    assert (step.action, step.counts) == (Action.LEAVE, False)


def test_retry_takes_the_states_that_it_is_given() -> None:
    """Failed and expired by default; edited ones with what they say now."""
    for state in (State.FAILED, State.EXPIRED):
        assert plan_of(request(), entry(state), RETRY).action is Action.SUBMIT
        assert plan_of(request("edited"), entry(state), RETRY).action is Action.SUBMIT
    assert told(plan_of(request(), entry(State.REFUSED), RETRY)) == (
        Action.LEAVE,
        "refused",
        False,
    )
    assert plan_of(request("edited"), entry(State.REFUSED), RETRY).action is Action.LEAVE


@pytest.mark.parametrize("state", [None, *sorted(set(State) - {State.INVALID})])
@pytest.mark.parametrize("row", [request(), request("edited"), None], ids=["same", "edited", "bad"])
def test_fetch_submits_nothing(state: State | None, row: Request | None) -> None:
    """Whatever is in the journal or in the selection."""
    greedy = Selection(
        Mode.FETCH, retry=ENDED_BADLY, redo_changed=True, redo=frozenset("a"), attempts=99
    )
    step = plan_of(row, entry(state) if state else None, greedy)
    assert step.action is not Action.SUBMIT


def test_invalid_rows_count_only_where_rows_are_submitted() -> None:
    """`retry` and `fetch` are not about them."""
    assert not plan_of(None, None, RETRY).counts
    assert not plan_of(None, None, FETCH).counts
    for state, expected in (
        (State.FAILED, [True, True, False]),
        (State.REFUSED, [True, False, False]),
    ):
        steps = [plan_of(None, entry(state), one) for one in (Selection(), RETRY, FETCH)]
        assert [step.counts for step in steps] == expected


# The selection.


def test_the_attempts_of_one_request_are_limited() -> None:
    """Over all runs; an edited request counts from nothing."""
    spent = replace(entry(State.FAILED, number=3), earlier=("hash-film", "hash-film"))
    retry = Selection(retry=ENDED_BADLY, attempts=3)
    step = plan_of(request(), spent, retry)
    assert told(step) == (Action.LEAVE, "failed", True)
    assert "limits.attempts is 3" in step.reason
    assert plan_of(request(), spent, replace(retry, attempts=4)).action is Action.SUBMIT
    assert plan_of(request("edited"), spent, retry).action is Action.SUBMIT
    assert plan_of(request(), spent, Selection(redo=frozenset("a"))).action is Action.LEAVE


HOPELESS = replace(entry(State.FAILED), error_code="content_policy_violation")


@pytest.mark.parametrize("mode", [Mode.RETRY, Mode.RUN])
@pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.EXPIRED])
def test_a_retry_leaves_out_what_no_retry_can_help(state: State, mode: Mode) -> None:
    """It counts as before, and the step says why, with the provider's code."""
    step = plan_of(request(), replace(HOPELESS, state=state), Selection(mode, retry=ENDED_BADLY))
    assert told(step) == (Action.LEAVE, state.value, True)
    assert step.past_help == "content_policy_violation"
    assert "a retry cannot help (content_policy_violation)" in step.reason


@pytest.mark.parametrize(
    ("code", "message", "sent"),
    [
        (None, "content_policy_violation", False),
        (None, "blocked by the policy of the house", True),
        ("internal_error", "content policy", True),
        ("query_timeout", None, True),
        (None, None, True),
    ],
)
def test_only_codes_are_read(code: str | None, message: str | None, *, sent: bool) -> None:
    """Sentences come in four languages; a message of a single word is a code."""
    failed = replace(HOPELESS, error_code=code, error_message=message)
    assert (plan_of(request(), failed, RETRY).action is Action.SUBMIT) == sent


def test_a_changed_or_named_row_is_tried_again() -> None:
    """Another request may be allowed; and whoever names the row has decided."""
    assert plan_of(request("edited"), HOPELESS, RETRY).action is Action.SUBMIT
    named = replace(RETRY, only=frozenset("a"))
    assert plan_of(request(), HOPELESS, named).action is Action.SUBMIT
    redone = Selection(redo=frozenset("a"))
    assert plan_of(request(), HOPELESS, redone).action is Action.SUBMIT
    assert plan_of(request(), HOPELESS, Selection()).past_help is None, "no retry was asked for"


def test_attempts_that_never_went_out_do_not_count() -> None:
    """A row closed as not sent has spent nothing."""
    unsent = replace(entry(State.REFUSED), submitted_at=None)
    retry = Selection(retry=ENDED_BADLY, attempts=1)
    assert plan_of(request(), unsent, retry).action is Action.SUBMIT


def many(selection: Selection, entries: dict[str, Entry] | None = None) -> Plan:
    return decide([(key, request()) for key in "abcde"], entries or {}, selection)


def test_limit_counts_submissions_only() -> None:
    """The first rows that are to be sent; the others wait and do not count."""
    made = many(Selection(limit=2), {"a": entry(State.RUNNING), "b": entry(State.DONE, key="b")})
    actions = [(step.key, step.action, step.counts) for step in made.steps]
    assert actions == [
        ("a", Action.TAKE_UP, True),
        ("b", Action.LEAVE, True),
        ("c", Action.SUBMIT, True),
        ("d", Action.SUBMIT, True),
        ("e", Action.LEAVE, False),
    ]
    assert made.steps[-1].reason == "beyond --limit"
    assert [step.action for step in many(Selection(limit=0)).steps] == [Action.LEAVE] * 5


def test_only_selects_rows_by_key() -> None:
    """Others are left with their state, and do not count, not even what is paid for."""
    known = {"a": entry(State.RUNNING), "b": entry(State.FAILED, key="b")}
    made = many(Selection(only=frozenset("cd")), known)
    assert [step.key for step in made.of(Action.SUBMIT)] == ["c", "d"]
    assert [(step.group, step.counts) for step in made.steps] == [
        ("running", False),
        ("failed", False),
        ("new", True),
        ("new", True),
        ("new", False),
    ]
    invalid = decide([("x", None)], {}, Selection(only=frozenset("c"))).steps[0]
    assert told(invalid) == (Action.LEAVE, "invalid", False)


@pytest.mark.parametrize("mode", EVERY_MODE)
@pytest.mark.parametrize("state", sorted(set(State) - {State.INVALID}))
def test_rows_that_left_the_manifest_are_fetched_if_they_are_paid_for(
    state: State, mode: Mode
) -> None:
    """Nothing else is done about them, and they are not counted in the groups."""
    left = entry(state, key="x")
    made = decide([("a", request())], {"x": left}, Selection(mode))
    if state in PAID:
        assert [(step.key, step.action, step.counts) for step in made.gone] == [
            ("x", Action.TAKE_UP, True)
        ]
    else:
        assert made.gone == ()
    assert sum(made.groups.values()) == 1
    assert decide([], {"x": left}, Selection(mode, only=frozenset("a"))).gone == ()


def test_the_groups_name_every_state_once() -> None:
    """Every group is there, with zero if need be; `submitting` is shown as in doubt."""
    groups = many(Selection(), {"a": entry(State.SUBMITTING)}).groups
    assert groups["in_doubt"] == 1
    assert groups["new"] == 4
    assert set(groups) == set(GROUPS) - {"submitting"}
    assert sum(groups.values()) == 5


def test_steps_keep_the_order_of_the_sheet() -> None:
    """One step per row, in its place; those that left come last."""
    made = many(Selection(), {"x": entry(State.READY, key="x")})
    assert [step.key for step in made.steps] == list("abcde")
    assert [step.key for step in made.of(Action.TAKE_UP)] == ["x"]
    assert made.of(Action.LEAVE) == []


def test_keys_that_no_row_has_are_named() -> None:
    """Those of --only and of --redo, sorted; a selection without keys names none."""
    selection = Selection(only=frozenset("az"), redo=frozenset("by"))
    assert unknown_keys(selection, ("a", "b")) == ["y", "z"]
    assert unknown_keys(Selection(), ()) == []


# What is asked for by key.


@pytest.mark.parametrize(
    ("state", "named", "unmet"),
    [
        (State.DONE, {"redo": "a"}, "a gets no new take: 1 attempt made, limits.attempts is 1"),
        (State.FAILED, {"redo": "a"}, "a gets no new take: 1 attempt made, limits.attempts is 1"),
        (
            State.DONE,
            {"pay_again": "a"},
            "a is done and was bought for itself; --redo a makes another take",
        ),
        (
            State.FAILED,
            {"pay_again": "a"},
            "a gets no new take: failed: needs --retry for a new attempt",
        ),
        (State.RUNNING, {"redo": "a"}, "a gets no new take: the provider is working on it"),
        (State.DONE, {"redo": "b"}, None),
    ],
)
def test_a_take_that_is_asked_for_by_key_and_not_made_is_said(
    state: State, named: dict[str, str], unmet: str | None
) -> None:
    """It is left alone as before, and the step says so."""
    keys = {name: frozenset(key) for name, key in named.items()}
    step = plan_of(request(), entry(state), Selection(attempts=1, **keys))  # type: ignore[arg-type]
    assert step.action is not Action.SUBMIT
    assert step.unmet == unmet


def test_a_row_that_is_not_edited_is_not_called_so() -> None:
    """A failed row that is asked for by its key has that for its reason."""
    step = plan_of(request(), entry(State.FAILED), Selection(redo=frozenset("a")))
    assert (step.action, step.reason) == (Action.SUBMIT, "another take was asked for")


def vidu(**changes: object) -> Request:
    made = Request(
        "film", (), 5, "", "720p", "viduq3-pro", "now", (("audio", True),), '{"prompt":"film"}'
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_changed_sheet_buys_nothing() -> None:
    """A default or a constant of it differs, not what the row says: shown, and left alone."""
    sent = vidu(request_hash="then", resolution="1080p", body='{"prompt":"film","old":1}')
    for state in (State.DONE, State.FAILED, State.REFUSED):
        known = entry(state)
        known = replace(known, attempt=replace(known.attempt, request=sent))
        step = plan_of(vidu(), known)
        assert step.action is Action.LEAVE
        assert "the sheet of its model was changed since it was sent" in step.reason
        assert plan_of(vidu(), known, Selection(redo=frozenset({"a"}))).action is Action.SUBMIT
    edited = plan_of(vidu(duration=9, said=("duration",)), known)
    assert (edited.action, edited.reason) == (Action.SUBMIT, "edited since it ended")
    retried = plan_of(vidu(), known, Selection(Mode.RETRY, retry=frozenset({State.REFUSED})))
    assert retried.action is Action.SUBMIT
    done = replace(known, state=State.DONE, video=VIDEO)
    assert plan_of(vidu(), done, Selection(redo_changed=True)).action is Action.SUBMIT
    unasked = Selection(redo_changed=True, redo_sheets=False)
    assert plan_of(vidu(), done, unasked).action is Action.LEAVE
    really = plan_of(vidu(duration=9, said=("duration",)), done, unasked)
    assert really.action is Action.SUBMIT


def test_an_edited_row_that_breaks_a_rule_gets_no_take() -> None:
    """Who asks for one by its key is told why not."""
    step = plan_of(None, entry(State.DONE), Selection(redo=frozenset("a")))
    assert step.unmet == "a gets no new take: has ended; the edited row breaks a rule"
