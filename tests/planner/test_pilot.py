"""The pilot of a plan: which rows it has, what the gate waits for, and what it lets through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest

from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.heldback import Hold
from pipeline.planner.pilot import Pilot, PilotTerms, Standing, find_pilot
from pipeline.planner.plan import Action, Plan, decide
from pipeline.planner.selection import Mode, Selection
from pipeline.planner.spread import Candidate

KEYS = [f"r{number:02d}" for number in range(40)]
GATE = PilotTerms(rows=5, gate=True, approve=3)
ALONE = PilotTerms(rows=5, gate=False, approve=3, alone=True)
VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720)
APPROVED, REJECTED = Standing.APPROVED, Standing.REJECTED


def request(key: str) -> Request:
    return Request(key, (), 6, "16:9", "720P", "m", f"hash-{key}")


def entry(key: str, state: State, *, take: bool = False) -> Entry:
    attempt = Attempt(key, 1, f"rs-{key}-1", request(key), f"{key}.mp4")
    video = VIDEO if state is State.DONE else None
    earlier = VIDEO if take else None
    return Entry(key, state, attempt, submitted_at=1.0, video=video, take=earlier)


def entries(states: Mapping[str, State]) -> dict[str, Entry]:
    return {key: entry(key, state) for key, state in states.items()}


def done(*keys: str) -> dict[str, Entry]:
    return entries(dict.fromkeys(keys, State.DONE))


def pilot_of(
    known: Mapping[str, Entry] | None = None,
    terms: PilotTerms = GATE,
    *,
    noted: Sequence[str] | None = None,
    verdicts: Mapping[str, Standing] | None = None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    keys: Iterable[str] = KEYS,
    part: bool = False,
    lost: bool = False,
) -> tuple[Pilot, Plan]:
    """The pilot of a sheet of forty rows, and the plan that it leaves."""
    keys = list(keys)
    plan = decide([(key, request(key)) for key in keys], known or {}, selection)
    found = find_pilot(
        plan,
        lambda: [Candidate(key, place) for place, key in enumerate(keys)],
        known or {},
        terms,
        valid=keys,
        noted=noted,
        verdicts=verdicts or {},
        part=part,
        lost=lost,
    )
    return found, found.narrow(plan)


def submits(plan: Plan) -> list[str]:
    return [step.key for step in plan.of(Action.SUBMIT)]


# The rows.


def test_a_first_pilot_is_spread_over_the_sheet_and_the_rest_waits() -> None:
    """A run with a gate makes the pilot; nothing else is sent, and each row says why."""
    pilot, plan = pilot_of()
    assert submits(plan) == ["r03", "r11", "r19", "r27", "r35"]
    assert pilot.holds
    assert len(pilot.rest) == 35
    waiting = [step for step in plan.steps if step.hold is Hold.PILOT]
    assert {step.key for step in waiting} == set(pilot.rest)
    assert {step.reason for step in waiting} == {"waits for the pilot"}
    assert pilot.missing == ("5 rows not made yet", "0 of 3 approved")
    assert all(step.held and not step.needs_user and not step.counts for step in waiting)


def test_a_pilot_alone_leaves_the_rest_out_of_the_order() -> None:
    """As --limit does: it is not counted, and waits for nothing."""
    pilot, plan = pilot_of(terms=ALONE)
    assert len(submits(plan)) == 5
    left = [step for step in plan.steps if step.action is Action.LEAVE]
    assert {(step.reason, step.counts, step.held) for step in left} == {
        ("beyond --pilot", False, False)
    }
    assert not pilot.holds


def test_the_same_pilot_again_adds_nothing() -> None:
    """Remembered, whether its rows are done or one of them never went out."""
    first = list(pilot_of(terms=ALONE)[0].standings)
    again, plan = pilot_of(done(*first), ALONE, noted=first)
    assert (list(again.standings), submits(plan), again.chosen) == (first, [], False)
    some = done(*first[:3])
    assert submits(pilot_of(some, ALONE, noted=first)[1]) == sorted(first[3:])


def test_rows_that_are_made_already_or_under_way_count() -> None:
    """Two were made by hand, one is with the provider: two more are bought."""
    known = done("r00", "r01") | entries({"r02": State.RUNNING})
    pilot, plan = pilot_of(known, ALONE)
    assert {"r00", "r01", "r02"} <= pilot.standings.keys()
    assert len(submits(plan)) == 2


def test_of_more_rows_that_are_made_the_pilot_takes_no_more_than_it_needs() -> None:
    """A manifest that was half made before buys nothing for its pilot."""
    pilot, plan = pilot_of(done(*KEYS[:20]))
    assert len(pilot.standings) == 5
    assert submits(plan) == []
    assert len(pilot.rest) == 20


@pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.EXPIRED])
def test_a_row_that_came_to_nothing_is_replaced(state: State) -> None:
    """It could never be judged, and would close the gate for good."""
    noted = KEYS[:5]
    known = done(*noted[:4]) | entries({noted[4]: state})
    pilot, plan = pilot_of(known, noted=noted)
    assert noted[4] not in pilot.standings
    assert (len(pilot.standings), len(submits(plan))) == (5, 1)


def test_a_retry_of_a_row_of_the_pilot_passes_its_gate() -> None:
    """It is among its rows, and none is added for it."""
    noted = KEYS[:5]
    known = done(*noted[:4]) | entries({noted[4]: State.FAILED, "r20": State.FAILED})
    retry = Selection(Mode.RETRY, retry=frozenset({State.FAILED}))
    pilot, plan = pilot_of(known, noted=noted, selection=retry)
    assert submits(plan) == [noted[4]]
    assert pilot.rest == ("r20",)
    assert pilot.holds


def test_a_larger_pilot_keeps_its_rows_and_adds_some() -> None:
    """`--pilot 8` after five of them."""
    noted = KEYS[:5]
    terms = PilotTerms(rows=8, gate=False, approve=3, alone=True)
    pilot, plan = pilot_of(done(*noted), terms, noted=noted)
    assert set(noted) < pilot.standings.keys()
    assert len(submits(plan)) == 3


def test_a_smaller_pilot_keeps_what_was_made() -> None:
    """`--pilot 2` when three of five are made submits nothing, and forgets none of the three."""
    noted = KEYS[:5]
    terms = PilotTerms(rows=2, gate=False, approve=3, alone=True)
    pilot, plan = pilot_of(done(*noted[:3]), terms, noted=noted)
    assert (list(pilot.standings), submits(plan)) == (noted[:3], [])


def test_a_selection_of_other_rows_changes_no_pilot() -> None:
    """`--only` does not put its rows into the place of those that are not made yet."""
    noted = KEYS[:5]
    pilot, plan = pilot_of(noted=noted, selection=Selection(only=frozenset(KEYS[10:30])))
    assert list(pilot.standings) == noted
    assert submits(plan) == []


# The gate.


def judged(*, approved: int, rejected: int) -> dict[str, Standing]:
    keys = iter(KEYS)
    return {
        **{next(keys): APPROVED for _ in range(approved)},
        **{next(keys): REJECTED for _ in range(rejected)},
    }


@pytest.mark.parametrize(
    ("approved", "rejected", "missing"),
    [
        (5, 0, ()),
        (3, 2, ()),
        (3, 1, ("1 row to be judged",)),
        (2, 3, ("2 of 3 approved",)),
        (0, 0, ("5 rows to be judged", "0 of 3 approved")),
    ],
)
def test_the_gate_opens_when_all_are_decided_and_enough_approved(
    approved: int, rejected: int, missing: tuple[str, ...]
) -> None:
    """Every row decided, and at least three of them approved."""
    noted = KEYS[:5]
    verdicts = judged(approved=approved, rejected=rejected)
    pilot, plan = pilot_of(done(*noted), noted=noted, verdicts=verdicts)
    assert pilot.missing == missing
    assert len(submits(plan)) == (0 if missing else 35)
    assert pilot.holds is bool(missing)


def test_a_rejected_row_is_made_again_through_the_gate_and_another_is_not() -> None:
    """Its new take is open, so the gate waits for it."""
    noted = KEYS[:5]
    redo = Selection(redo=frozenset({noted[0], "r10"}))
    known, verdicts = done(*noted, "r10"), {noted[0]: REJECTED, noted[1]: APPROVED}
    pilot, plan = pilot_of(known, noted=noted, verdicts=verdicts, selection=redo)
    assert submits(plan) == [noted[0]]
    assert pilot.standings[noted[0]] is Standing.UNMADE
    (held,) = (step for step in plan.steps if step.key == "r10")
    assert held.hold is Hold.PILOT


def test_a_rejected_row_whose_next_take_failed_is_still_decided() -> None:
    noted = KEYS[:5]
    known = done(*noted[1:]) | {noted[0]: entry(noted[0], State.FAILED, take=True)}
    verdicts = dict.fromkeys(noted[1:], APPROVED) | {noted[0]: REJECTED}
    assert pilot_of(known, noted=noted, verdicts=verdicts)[0].missing == ()


def test_a_row_under_way_is_not_decided_by_its_earlier_take() -> None:
    noted = KEYS[:5]
    known = done(*noted[1:]) | {noted[0]: entry(noted[0], State.RUNNING, take=True)}
    verdicts = dict.fromkeys(noted[1:], APPROVED) | {noted[0]: REJECTED}
    assert pilot_of(known, noted=noted, verdicts=verdicts)[0].missing == ("1 row not made yet",)


def test_a_row_beside_the_pilot_that_fails_under_way_is_not_ordered_again() -> None:
    """More were under way than the pilot has rows: the gate is closed for the others."""
    known = entries(dict.fromkeys(KEYS, State.RUNNING))
    pilot, _ = pilot_of(known)
    assert (len(pilot.standings), pilot.holds) == (5, False), "nothing of the plan waits"
    assert [key for key in KEYS if pilot.lets_through(key)] == sorted(pilot.standings)
    noted = KEYS[:5]
    decided, _ = pilot_of(done(*noted), noted=noted, verdicts=dict.fromkeys(noted, APPROVED))
    assert all(map(decided.lets_through, KEYS))
    free, _ = pilot_of(known, PilotTerms(rows=5, gate=False, approve=3))
    assert all(map(free.lets_through, KEYS))


def test_no_run_both_chooses_the_pilot_and_goes_through_its_gate() -> None:
    """Also where all was decided before: nobody has seen which rows they are."""
    verdicts = dict.fromkeys(KEYS[:20], APPROVED)
    pilot, plan = pilot_of(done(*KEYS[:20]), verdicts=verdicts)
    assert submits(plan) == []
    assert pilot.missing == ("one more run, since its rows were chosen only now",)
    noted = list(pilot.standings)
    assert len(submits(pilot_of(done(*KEYS[:20]), noted=noted, verdicts=verdicts)[1])) == 20


def test_rows_that_left_the_manifest_count_if_they_were_decided() -> None:
    """The pilot of yesterday's edition is not made anew for an article that is sold out."""
    noted = KEYS[:5]
    verdicts = dict.fromkeys(noted, APPROVED)
    assert pilot_of(done(*noted), noted=noted, verdicts=verdicts, keys=KEYS[1:])[0].missing == ()
    del verdicts[noted[0]]
    pilot, _ = pilot_of(done(*noted), noted=noted, verdicts=verdicts, keys=KEYS[1:])
    assert noted[0] not in pilot.standings
    assert pilot.missing == ("1 row not made yet",)


def test_of_a_small_manifest_all_rows_are_the_pilot() -> None:
    """Nothing is left to hold, and no approval is asked for that there is no row for."""
    pilot, plan = pilot_of(keys=KEYS[:2])
    assert (len(submits(plan)), pilot.rest, pilot.needed) == (2, (), 2)
    assert not pilot.holds


def test_a_file_with_some_rows_of_the_manifest_chooses_none() -> None:
    """failed.csv would make its own rows the pilot, again and again."""
    pilot, plan = pilot_of(part=True)
    assert (submits(plan), dict(pilot.standings)) == ([], {})
    assert pilot.missing == ("a run over the whole manifest, which chooses its rows",)
    noted = KEYS[:5]
    verdicts = dict.fromkeys(noted, APPROVED)
    rest = KEYS[10:20]
    assert submits(pilot_of(done(*noted), noted=noted, verdicts=verdicts, keys=rest, part=True)[1])
    del verdicts[noted[0]]
    held, plan = pilot_of(done(*noted), noted=noted, verdicts=verdicts, keys=rest, part=True)
    assert (submits(plan), held.missing) == ([], ("1 row to be judged",))


def test_without_a_gate_or_a_pilot_of_its_own_a_plan_is_left_as_it_is() -> None:
    plan = decide([("a", request("a"))], {}, Selection())
    open_terms = PilotTerms(rows=5, gate=False, approve=3)
    assert Pilot(open_terms, {"b": Standing.UNMADE}, rest=("a",)).narrow(plan) == plan


def test_at_the_end_of_a_run_its_rows_stand_as_they_came_out() -> None:
    pilot, _ = pilot_of()
    ended = pilot.at_end(done("r03", "r11"), {"r03": APPROVED})
    assert [ended.standings[key] for key in ("r03", "r11", "r19")] == [
        APPROVED,
        Standing.UNDECIDED,
        Standing.UNMADE,
    ]
