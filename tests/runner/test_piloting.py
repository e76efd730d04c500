"""What a journal remembers of a pilot, and what the decisions about its rows say."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipeline.model import Attempt, Decision, Entry, Request, State, Video
from pipeline.planner.pilot import Pilot, PilotTerms, Standing
from pipeline.review.verdicts import APPROVE, REJECT, TAKEN_BACK
from pipeline.runner.piloting import _read_note, note_of, verdicts_of

TERMS = PilotTerms(rows=3, gate=True, approve=2)
REQUEST = Request("film", (), 6, "16:9", "720P", "m", "hash")
TAKE, NEWER = (Video(f"a-{n}.mp4", 10, f"sha-{n}", 6.0, 1280, 720) for n in (1, 2))


def entry(key: str, state: State = State.DONE, number: int = 1, identity: str = "") -> Entry:
    attempt = Attempt(key, number, f"rs-{key}", REQUEST, f"{key}.mp4", identity=identity)
    return Entry(key, state, attempt, video=TAKE if state is State.DONE else None)


def decided(verdict: str, number: int = 1, seq: int = 1) -> Decision:
    return Decision("a", number, f"sha-{number}", verdict, seq=seq)


def noted(*keys: str, entries: dict[str, Entry] | None = None) -> str:
    return note_of(Pilot(TERMS, dict.fromkeys(keys, Standing.UNMADE)), entries or {})["pilot"]


def test_the_rows_are_remembered_by_their_entries() -> None:
    """A row that is renamed stays in the pilot; one that never went out is known by its key."""
    text = noted("a", "b", entries={"a": entry("a")})
    assert _read_note(text, {"A-1": entry("A-1", identity="a")}) == ["A-1", "b"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"rows": ["a"]}',
        noted("a", "b").replace('"a"', '"c"'),
        noted("a", "b").replace('"a", ', ""),
        noted("a", "b")[:-3],
        json.dumps({**json.loads(noted("a")), "rows": "a"}),
        "[" * 100_000,
    ],
)
def test_a_note_that_was_damaged_is_none(text: str) -> None:
    """Not one that names fewer rows: those that are left might all be decided."""
    assert _read_note(text, {}) is None


def test_without_a_pilot_or_rows_of_it_nothing_is_noted() -> None:
    assert note_of(None, {}) == note_of(Pilot(TERMS, {}), {}) == {}


@pytest.mark.parametrize(
    ("decisions", "standing"),
    [
        ([], None),
        ([decided(APPROVE)], Standing.APPROVED),
        ([decided(REJECT)], None),
        ([decided(REJECT, 2)], Standing.REJECTED),
        ([decided(APPROVE), decided(REJECT, 2, seq=2)], Standing.APPROVED),
        ([decided(REJECT, 2), decided(TAKEN_BACK, 2, seq=2)], None),
        ([decided(APPROVE, 2), decided(TAKEN_BACK, 2, seq=2)], None),
    ],
)
def test_the_newest_take_or_an_approved_one_decides(
    decisions: list[Decision], standing: Standing | None
) -> None:
    """A new take is open although the earlier one was rejected; an approved one stays approved."""
    found = verdicts_of([entry("a", number=2)], decisions)
    assert found.get("a") is standing


def test_the_take_that_stands_while_another_is_made_is_known_by_its_video() -> None:
    again = replace(entry("a", State.FAILED, 3), take=NEWER)
    assert verdicts_of([again], [decided(REJECT, 2)]) == {"a": Standing.REJECTED}
    assert verdicts_of([again], [decided(REJECT, 1)]) == {}
