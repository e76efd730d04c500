"""Renamed rows: whatever people do to keys and order, an entry stays with its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.plan import Action, Mode, Selection, decide
from pipeline.planner.renaming import match_renamed, rename

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


def test_a_key_that_stands_keeps_its_entry() -> None:
    """Swapped contents are two edited rows, and a copy of a row is a row of its own."""
    entries = known(entry("a", "mug"), entry("b", "bag"))
    assert matched([("a", "bag"), ("b", "mug")], entries) == {}
    assert matched([("a", "edited"), ("b", "bag"), ("x", "mug")], entries) == {}
    assert matched([("a", None), ("x", "mug")], entries) == {}


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
def test_nothing_that_a_lost_key_was_paid_for_is_bought_as_new(sheets: Sheets, mode: Mode) -> None:
    """For any two sheets: no entry is lost, shared or taken from its row, and none is bought."""
    entries, keys = dict(sheets.entries), [key for key, _ in sheets.rows]
    renamed = matched(sheets.rows, entries)
    texts = dict(sheets.rows)
    assert len(set(renamed.values())) == len(renamed), "each entry has one row"
    for key, earlier in renamed.items():
        assert key not in entries
        assert earlier not in keys
        assert entries[earlier].attempt.request == request(texts[key] or "")

    rename(entries, renamed)
    assert sorted(one.identity for one in entries.values()) == sorted(sheets.entries)
    assert all(one.key == one.attempt.key == key for key, one in entries.items())
    for key in set(sheets.entries) & set(keys):
        assert entries[key] is sheets.entries[key], "a key that stands keeps its entry"

    rows = [(key, None if text is None else request(text)) for key, text in sheets.rows]
    plan = decide(rows, entries, Selection(mode), renamed=renamed)
    gone = {one.attempt.request for key, one in entries.items() if key not in keys}
    for step, (_, wanted) in zip(plan.steps, rows, strict=True):
        assert step.group != "new" or wanted not in gone
        assert (step.group == "renamed") == (step.key in renamed)
        if step.key in renamed:
            assert step.action is not Action.SUBMIT or entries[step.key].state is State.WAITING
    assert plan.groups["renamed"] == len(renamed)


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
        "renamed from C012; 1 attempts made, limits.attempts is 1",
    )


def test_a_renamed_row_whose_video_is_lost_stays_expired() -> None:
    """That matters more than its name."""
    one = entry("C012", "mug")
    rows, entries = [("x", one.attempt.request)], known(one)
    rename(entries, {"x": "C012"})
    plan = decide(rows, entries, Selection(), files_gone={"x"}, renamed={"x": "C012"})
    assert plan.steps[0].group == "expired"
    assert plan.steps[0].reason.startswith("renamed from C012; the video file is missing")
