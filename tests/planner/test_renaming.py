"""Renamed rows: whatever people do to keys and order, an entry stays with its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.lifecycle import apply
from pipeline.model import Attempt, Entry, Request, State, Video, aside_key
from pipeline.planner.plan import Action, decide
from pipeline.planner.renaming import match_renamed, rename, renaming_events
from pipeline.planner.selection import Mode, Selection

VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
STATES = sorted(set(State) - {State.INVALID})


def request(text: str) -> Request:
    return Request(text, (), 6, "16:9", "720P", "gemini_omni_flash", f"hash-{text}")


def entry(key: str, text: str, state: State = State.DONE) -> Entry:
    attempt = Attempt(key, 1, f"rs-{key}", request(text), f"{key}.mp4")
    video = VIDEO if state is State.DONE else None
    return Entry(key, state, attempt, submitted_at=1.0, video=video)


def known(*entries: Entry) -> dict[str, Entry]:
    return {one.key: one for one in entries}


def matched(rows: list[tuple[str, str | None]], entries: Mapping[str, Entry]) -> dict[str, str]:
    """Match rows of key and text; the journal heard of the entries in their order."""
    order = {one.identity: at for at, one in enumerate(entries.values())}
    given_rows = [(key, None if text is None else request(text)) for key, text in rows]
    return match_renamed(given_rows, entries, lambda: order)


def test_a_row_under_another_key_is_the_same_row() -> None:
    """The key is gone, the content is there: renamed, in whatever order the rows are now."""
    entries = known(entry("a", "mug"), entry("b", "bag"), entry("c", "cap"))
    assert matched([("z", "cap"), ("x", "mug"), ("b", "bag")], entries) == {"z": "c", "x": "a"}


@pytest.mark.parametrize("state", STATES)
def test_an_entry_moves_in_whatever_state_it_is(state: State) -> None:
    """Above all in doubt, under way and ready: else the row would be bought once more."""
    assert matched([("x", "mug")], known(entry("a", "mug", state))) == {"x": "a"}


def test_a_row_with_its_own_content_keeps_its_entry() -> None:
    """A copy of a row is a row of its own, and a row edited in place is still that row."""
    entries = known(entry("a", "mug"), entry("b", "bag"))
    assert matched([("x", "mug"), ("a", "mug"), ("b", "bag")], entries) == {}
    assert matched([("a", "edited"), ("b", "bag"), ("x", "new")], entries) == {}
    assert matched([("a", "bag"), ("b", "bag")], entries) == {}
    assert matched([("a", None), ("b", "bag")], entries) == {}


def test_an_entry_follows_its_content_away_from_a_key_that_stands() -> None:
    """The row with that key is new then, or breaks a rule."""
    entries = known(entry("a", "mug"), entry("b", "bag"))
    assert matched([("a", "edited"), ("b", "bag"), ("x", "mug")], entries) == {"x": "a"}
    assert matched([("a", None), ("x", "mug")], entries) == {"x": "a"}


def test_keys_that_were_swapped_or_numbered_anew() -> None:
    """In circles and in chains: each row has its own entry."""
    entries = known(entry("1", "mug"), entry("2", "bag"), entry("3", "cap"))
    assert matched([("1", "bag"), ("2", "mug"), ("3", "cap")], entries) == {"1": "2", "2": "1"}
    turned = matched([("1", "cap"), ("2", "mug"), ("3", "bag")], entries)
    assert turned == {"1": "3", "2": "1", "3": "2"}
    inserted = matched([("1", "new"), ("2", "mug"), ("3", "bag"), ("4", "cap")], entries)
    assert inserted == {"2": "1", "3": "2", "4": "3"}


def test_an_entry_whose_key_is_taken_and_that_finds_no_row_steps_aside() -> None:
    """The row left the manifest. An entry that finds a row does not step aside."""
    entries = known(entry("1", "mug"), entry("2", "bag"), entry("3", "cap"))
    renamed = matched([("1", "bag"), ("2", "cap")], entries)
    assert renamed == {"1": "2", "2": "3", aside_key("1"): "1"}
    assert [(one.key, one.new_key) for one in renaming_events(renamed, entries)] == [
        ("1", aside_key("1")),
        ("2", "1"),
        ("3", "2"),
    ]
    rename(entries, renamed)
    assert {key: one.identity for key, one in entries.items()} == {
        "1": "2",
        "2": "3",
        aside_key("1"): "1",
    }
    back = matched([("1", "mug"), ("2", "bag"), ("3", "cap")], entries)
    assert back == {"1": aside_key("1"), "2": "1", "3": "2"}


def test_what_breaks_a_rule_or_was_edited_is_not_matched() -> None:
    """There is no request, or another one."""
    assert matched([("x", None), ("y", "mug, edited")], known(entry("a", "mug"))) == {}


def test_equal_rows_are_matched_in_order() -> None:
    """The journal's order and the sheet's; names say nothing, and what is over is new or gone."""
    entries = known(*(entry(f"r-{number}", "mug") for number in (1, 10, 2)))
    rows: list[tuple[str, str | None]] = [("z", "mug"), ("y", "mug"), ("x", "mug"), ("w", "mug")]
    assert matched(rows, entries) == {"z": "r-1", "y": "r-10", "x": "r-2"}
    assert matched(rows[:2], entries) == {"z": "r-1", "y": "r-10"}


def test_of_more_entries_than_rows_those_with_money_in_them_are_kept() -> None:
    """An attempt that failed is left over before a video that is paid for."""
    entries = known(
        entry("a", "mug", State.FAILED), entry("b", "mug"), entry("c", "mug", State.IN_DOUBT)
    )
    assert matched([("x", "mug"), ("y", "mug")], entries) == {"x": "b", "y": "c"}
    assert matched([("x", "mug"), ("y", "mug"), ("z", "mug")], entries) == {
        "x": "a",
        "y": "b",
        "z": "c",
    }


def test_the_journal_is_asked_for_its_order_only_where_it_matters() -> None:
    """It reads every event for that."""

    def never() -> dict[str, int]:
        raise AssertionError

    rows = [("x", request("mug")), ("y", request("mug")), ("b", request("bag"))]
    entries = known(entry("a", "mug"), entry("b", "bag"), entry("c", "bag"))
    assert match_renamed(rows, entries, never) == {"x": "a"}


@dataclass(frozen=True)
class Sheets:
    """What the journal knows, and the manifest as it is now."""

    entries: dict[str, Entry]
    rows: list[tuple[str, str | None]]


_KEYS = [f"k{number}" for number in range(8)]
_TEXTS = ["mug", "bag", "cap"]


@st.composite
def edited(draw: st.DrawFn) -> Sheets:
    """Any journal and any sheet: keys kept, changed, swapped or lost, contents equal or edited."""
    before = draw(st.lists(st.sampled_from(_KEYS), unique=True))
    texts, states = st.sampled_from(_TEXTS), st.sampled_from(STATES)
    entries = known(*(entry(key, draw(texts), draw(states)) for key in before))
    keys = draw(st.lists(st.sampled_from(_KEYS), unique=True))
    rows = [(key, draw(st.none() | texts | st.just("edited"))) for key in keys]
    return Sheets(entries, rows)


@given(edited(), st.sampled_from(Mode))
def test_nothing_that_an_entry_asked_for_is_bought_as_new(sheets: Sheets, mode: Mode) -> None:
    """For any two sheets: no entry is lost or shared, and none is bought while it has no row."""
    entries, texts = dict(sheets.entries), dict(sheets.rows)
    renamed = matched(sheets.rows, entries)
    to_rows = {key: earlier for key, earlier in renamed.items() if key in texts}
    assert len(set(renamed.values())) == len(renamed), "each entry has one row"
    for key, earlier in renamed.items():
        if key in texts:
            assert entries[earlier].attempt.request == request(texts[key] or "")
        else:
            assert key == aside_key(entries[earlier].identity)
            assert earlier in to_rows, "only an entry whose key is taken steps aside"

    rename(entries, renamed)
    assert sorted(one.identity for one in entries.values()) == sorted(sheets.entries)
    assert all(one.key == one.attempt.key == key for key, one in entries.items())
    for key, before in sheets.entries.items():
        if key in texts and before.attempt.request.prompt == texts[key]:
            assert entries[key] is before, "a row that is what it was keeps its entry"
        elif key not in renamed.values():
            assert entries[key] is before, "nothing else moves"

    rows = [(key, None if text is None else request(text)) for key, text in sheets.rows]
    plan = decide(rows, entries, Selection(mode), renamed=renamed)
    served = {key for key, wanted in rows if _has(entries.get(key), wanted)}
    spare = {one.attempt.request for key, one in entries.items() if key not in served}
    for step, (_, wanted) in zip(plan.steps, rows, strict=True):
        if step.key not in served:
            assert wanted not in spare, "an entry without a row of its own serves it"
        assert (step.group == "renamed") == (step.key in to_rows)
        if step.key in to_rows:
            assert step.action is not Action.SUBMIT or entries[step.key].state is State.WAITING
    assert plan.groups["renamed"] == len(to_rows)


def _has(one: Entry | None, wanted: Request | None) -> bool:
    return one is not None and one.attempt.request == wanted


@given(edited())
def test_the_events_give_no_key_to_two_entries(sheets: Sheets) -> None:
    """One after the other they come to what `rename` does at once; a second look finds nothing."""
    renamed = matched(sheets.rows, sheets.entries)
    after, step_by_step = dict(sheets.entries), dict(sheets.entries)
    rename(after, renamed)
    for at, event in enumerate(renaming_events(renamed, sheets.entries)):
        assert event.new_key not in step_by_step
        moved = apply(step_by_step.pop(event.key), event, float(at))
        step_by_step[event.new_key] = moved
    assert step_by_step == after
    assert matched(sheets.rows, after) == {}


@given(
    st.lists(st.sampled_from(STATES), min_size=1, max_size=12),
    st.integers(0, 3),
    st.randoms(use_true_random=False),
)
def test_when_rows_are_numbered_anew_each_keeps_its_own(
    states: list[State], inserted: int, random: Random
) -> None:
    """Sorted, inserted and deleted in any way, and numbered from 1 again: nothing known is new."""
    entries = known(*(entry(f"{at}", f"text {at}", state) for at, state in enumerate(states, 1)))
    left = random.sample(range(1, len(states) + 1), random.randint(0, len(states)))
    contents = [f"text {at}" for at in left] + [f"new {at}" for at in range(inserted)]
    random.shuffle(contents)
    rows: list[tuple[str, str | None]] = [(f"{at}", text) for at, text in enumerate(contents, 1)]
    rename(entries, matched(rows, entries))
    for key, text in rows:
        one = entries.get(key)
        if text is not None and text.startswith("text"):
            assert one is not None
            assert one.attempt.request.prompt == text
        else:
            assert one is None or one.identity not in {f"{at}" for at in left}
    assert sorted(one.identity for one in entries.values()) == sorted(
        f"{at}" for at in range(1, len(states) + 1)
    )


@given(
    st.lists(st.tuples(st.sampled_from(_TEXTS), st.sampled_from(STATES)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_when_all_keys_change_every_row_is_found(
    contents: list[tuple[str, State]], random: Random
) -> None:
    """The key column dropped, added or called otherwise, and the rows sorted anew: no new row."""
    entries = known(*(entry(f"k{at}", *one) for at, one in enumerate(contents)))
    shuffled = list(contents)
    random.shuffle(shuffled)
    rows: list[tuple[str, str | None]] = [(f"n{at}", text) for at, (text, _) in enumerate(shuffled)]
    renamed = matched(rows, entries)
    assert renamed.keys() == {key for key, _ in rows}
    for text in _TEXTS:
        earlier = [renamed[key] for key, row in rows if row == text]
        assert earlier == [f"k{at}" for at, (one, _) in enumerate(contents) if one == text]


# What the plan says of a renamed row.


def planned(known_as: Entry, selection: Selection = Selection()) -> tuple[Action, str, str]:  # noqa: B008
    rows = [("x", known_as.attempt.request)]
    entries = known(known_as)
    renamed = match_renamed(rows, entries, dict)
    rename(entries, renamed)
    (step,) = decide(rows, entries, selection, renamed=renamed).steps
    assert step.renamed_from == known_as.key
    return step.action, step.group, step.reason


def test_the_plan_says_from_which_key() -> None:
    """In a group of its own; what is done with the row is what would be done without renaming."""
    assert planned(entry("C012", "mug")) == (Action.LEAVE, "renamed", "renamed from C012; done")
    doubt = planned(entry("C012", "mug", State.IN_DOUBT))
    assert doubt[:2] == (Action.TAKE_UP, "renamed")
    assert planned(entry("C012", "mug", State.EXPIRED))[:2] == (Action.LEAVE, "renamed")
    failed = entry("C012", "mug", State.FAILED)
    assert planned(failed)[:2] == (Action.LEAVE, "renamed")
    again = Selection(retry=frozenset({State.FAILED}))
    assert planned(failed, again)[:2] == (Action.SUBMIT, "renamed")
    least = Selection(retry=frozenset({State.FAILED}), attempts=1)
    assert planned(failed, least) == (
        Action.LEAVE,
        "renamed",
        "renamed from C012; 1 attempt made, limits.attempts is 1",
    )


def test_a_renamed_row_says_that_its_video_is_lost() -> None:
    """With its earlier name."""
    one = entry("C012", "mug")
    rows, entries = [("x", one.attempt.request)], known(one)
    rename(entries, {"x": "C012"})
    plan = decide(rows, entries, Selection(), files_gone={"x"}, renamed={"x": "C012"})
    assert (plan.steps[0].group, plan.steps[0].lost) == ("renamed", True)
    assert plan.steps[0].reason.startswith("renamed from C012; the video file is missing")
