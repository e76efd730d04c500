"""What counts of what people said, and whose word stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model import Decision
from pipeline.review.verdicts import (
    Conflict,
    Import,
    Save,
    UnfitDecision,
    clean,
    latest_of,
    number_in_results,
    number_to_hand_over,
    standing_of,
    weigh_import,
    weigh_saves,
)

FIRST = Decision("MUG", 1, "aa", "approve", reviewer="Ada", at=100.0, seq=1)
VIDEOS = {("MUG", 1): "aa", ("MUG", 2): "bb", ("BAG", 1): "cc"}


def said(verdict: str, *, by: str = "Ben", at: float = 200.0, **more: str) -> Decision:
    return replace(FIRST, verdict=verdict, reviewer=by, at=at, seq=0, **more)  # type: ignore[arg-type]


def test_the_latest_of_a_take_counts() -> None:
    """Whoever made it, in the journal's order and not by the clock; other takes are others."""
    later = replace(FIRST, verdict="reject", reviewer="Ben", at=50.0, seq=3)
    other = replace(FIRST, number=2, seq=2)
    assert latest_of([later, other, FIRST]) == {("MUG", 1): later, ("MUG", 2): other}


@pytest.mark.parametrize(
    ("numbers", "verdicts", "chosen"),
    [
        ((1, 2, 3), {}, 3),
        ((1, 2, 3), {1: "approve"}, 1),
        ((1, 2, 3), {1: "approve", 2: "approve"}, 2),
        ((1, 2, 3), {3: "reject"}, 2),
        ((1, 2), {1: "reject", 2: "reject"}, 2),
        ((1, 2), {1: "reject", 2: ""}, 2),
        ((), {}, None),
    ],
)
def test_the_take_that_is_handed_over(
    numbers: tuple[int, ...], verdicts: dict[int, str], chosen: int | None
) -> None:
    """The newest approved one, else the newest that is not rejected, else the newest."""
    assert number_to_hand_over(numbers, verdicts) == chosen


@pytest.mark.parametrize(
    ("numbers", "verdicts", "chosen"),
    [
        ((1, 2, 3), {}, 3),
        ((1, 2, 3), {1: "approve"}, 1),
        ((1, 2, 3), {1: "approve", 2: "approve", 3: "reject"}, 2),
        ((1, 2, 3), {3: "reject"}, 3),
    ],
)
def test_the_take_that_the_results_show(
    numbers: tuple[int, ...], verdicts: dict[int, str], chosen: int
) -> None:
    """The newest approved one, else the newest: also a rejected one, with what was said of it."""
    assert number_in_results(numbers, verdicts) == chosen


@pytest.mark.parametrize(
    ("numbers", "verdicts", "standing"),
    [
        ((), {}, None),
        ((1,), {}, ""),
        ((1,), {1: "approve"}, "approve"),
        ((1, 2), {1: "reject"}, ""),
        ((1, 2), {1: "approve"}, ""),
        ((1, 2), {1: "approve", 2: "reject"}, "approve"),
        ((1, 2), {1: "reject", 2: "reject"}, "reject"),
    ],
)
def test_where_a_row_stands(
    numbers: tuple[int, ...], verdicts: dict[int, str], standing: str | None
) -> None:
    """By its newest take, unless that is rejected and an earlier one is approved."""
    assert standing_of(numbers, verdicts) == standing


def test_what_is_typed_is_made_printable() -> None:
    """Control characters go, line breaks stay where lines are meant, emoji and all scripts stay."""
    typed = said(
        "reject",
        reason="wrong\x00 col\nour\x7f",
        note=" zu\r\ngrün\x1b[31m \U0001f468\u200d\U0001f373 名前 ",
        prompt="a\ud800 mug",
    )
    cleaned = clean(typed)
    assert cleaned.reason == "wrong col our"
    assert cleaned.note == "zu\ngrün[31m \U0001f468\u200d\U0001f373 名前"
    assert cleaned.prompt == "a mug"
    assert clean(said("approve", prompt_of="ab")).prompt_of == ""


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"verdict": "maybe"}, "verdict 'maybe'"),
        ({"number": 0}, "no number of a take"),
        ({"number": 10**9}, "no number of a take"),
        ({"note": "x" * 4001}, "4,001 characters, more than 4,000"),
        ({"prompt": "x" * 20_001}, "prompt has 20,001"),
        ({"reason": "x" * 201}, "reason has"),
        ({"entry": "x" * 1001}, "entry has"),
        ({"sha256": "x" * 200}, "hash is too long"),
    ],
)
def test_what_breaks_a_rule_is_refused(wrong: dict[str, object], sentence: str) -> None:
    """It is never cut short in silence."""
    with pytest.raises(UnfitDecision, match=sentence):
        clean(replace(FIRST, **wrong))  # type: ignore[arg-type]


def test_another_persons_newer_verdict_is_not_overruled_unseen() -> None:
    """Who has not seen it is told of it; who has, decides."""
    unseen = Save(said("reject"), seen=0)
    assert weigh_saves([FIRST], [unseen]) == ([], [Conflict(unseen.decision, FIRST)])
    seen = replace(unseen, seen=1)
    assert weigh_saves([FIRST], [seen]) == ([seen.decision], [])
    own = Save(said("reject", by="Ada"))
    assert weigh_saves([FIRST], [own]) == ([own.decision], [])
    agreed = Save(said("approve", note="fine"))
    assert weigh_saves([FIRST], [agreed]) == ([agreed.decision], [])


def test_what_changes_nothing_is_not_saved_again() -> None:
    """A page that sends the same twice leaves one line."""
    assert weigh_saves([FIRST], [Save(replace(FIRST, at=300.0), 1)]) == ([], [])
    twice = [Save(said("approve", by="Ada"))] * 2
    assert len(weigh_saves([], twice)[0]) == 1
    assert weigh_saves([], [Save(said(""))]) == ([], [])


def test_a_verdict_is_taken_back() -> None:
    """What was said stays in the journal; the take is open again."""
    back = said("", by="Ada")
    added, _ = weigh_saves([FIRST], [Save(back, 1)])
    assert added == [back]
    assert latest_of([FIRST, replace(back, seq=2)])["MUG", 1].verdict == ""


def imported(existing: list[Decision], *incoming: Decision, prefer: bool = False) -> Import:
    return weigh_import(existing, incoming, VIDEOS, prefer=prefer)


def stored(existing: list[Decision], found: Import) -> list[Decision]:
    last = max((one.seq for one in existing), default=0)
    return existing + [replace(one, seq=last + n) for n, one in enumerate(found.added, start=1)]


@pytest.mark.parametrize(
    "incoming",
    [
        said("reject"),
        said("reject", by="Ada", reason="dull or still"),
        said("approve", note="fine"),
        said("", note="look at the handle"),
        said("approve", by="Ada", at=50.0),
        replace(said("reject"), entry="BAG", sha256="cc"),
    ],
)
@pytest.mark.parametrize("prefer", [True, False])
def test_importing_twice_changes_nothing(incoming: Decision, prefer: bool) -> None:
    """Whatever came of it the first time."""
    existing = stored([FIRST], imported([FIRST], incoming, prefer=prefer))
    assert imported(existing, incoming, prefer=prefer).added == ()


def test_of_two_verdicts_the_earlier_stands() -> None:
    """The other is listed, and counts only where it is preferred."""
    other = said("reject")
    assert imported([FIRST], other) == Import(conflicts=(Conflict(other, FIRST),))
    assert imported([FIRST], other, prefer=True).added == (other,)


def test_the_same_person_may_change_her_mind() -> None:
    """By the time of the decision; a file from before does not bring back what she said then."""
    assert imported([FIRST], said("reject", by="Ada")).added
    assert not imported([FIRST], said("reject", by="Ada", at=50.0)).added


def test_what_two_people_say_is_put_together() -> None:
    """A comment is not lost because the verdict is the same; two different ones are a conflict."""
    noted = replace(FIRST, note="the handle is odd")
    (both,) = imported([noted], said("approve", reason="other")).added
    assert (both.note, both.reason) == ("the handle is odd", "other")
    assert imported([noted], said("approve", note="the lid is odd")).conflicts


def test_decisions_about_other_files_are_left_out() -> None:
    """A take made anew, or one that is not here: said, and nothing else is kept from its place."""
    other = replace(said("approve"), sha256="zz")
    gone = replace(said("approve"), entry="TEA")
    good = replace(said("approve"), entry="BAG", sha256="cc")
    found = imported([], other, gone, good)
    assert found.added == (good,)
    assert found.skipped == (
        (other, "it was made about another file"),
        (gone, "there is no such take here"),
    )


def test_a_new_take_is_open_again() -> None:
    """What was said of the take before is about that one."""
    assert ("MUG", 2) not in latest_of([FIRST])
