"""Nights in which the account's book withholds submissions: repeats, and caps used by others."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from pipeline import events as ev
from pipeline.engine.commands import Submit
from pipeline.engine.limits import Caps
from pipeline.engine.rows import Reach
from pipeline.errors import ExitCode, Refused, Throttled, Withheld
from pipeline.model import State
from tests.engine.night import SETTINGS, Provider, attempts, night, resume

REPEAT = Withheld("this very request was bought for the row 'A' of there.", repeat=True)
CAP = Withheld("a cap is reached: budget.per_day.videos is 9.", action="Run again tomorrow.")


def is_third(command: Submit) -> bool:
    return int(command.attempt.key.removeprefix("row")) % 3 == 0


@pytest.mark.parametrize("storm", [False, True])
def test_repeats_are_held_and_the_others_go_on(storm: bool) -> None:
    """A held row is tried once, costs nothing, holds no slot, and stops nobody."""

    def hook(command: Submit, times: int, _: float) -> Withheld | Throttled | None:
        if is_third(command):
            return REPEAT
        return Throttled("429", status=429) if storm and times == 1 else None

    held = night(90, Provider(on_submit=hook)).run()
    assert held.states() == {State.DONE: 60, State.WAITING: 30}
    assert held.engine.stops == []
    assert held.engine.outstanding == 0
    assert held.engine.spend.videos == 60
    third = {one.key for one in attempts(90) if is_third(Submit((0, one.key), one, ()))}  # type: ignore[arg-type]
    assert held.engine.held(0) == dict.fromkeys(third, REPEAT.message)
    assert {held.provider.submits[key] for key in third} == {1}


def test_a_held_row_keeps_its_number_and_may_go_in_a_later_run() -> None:
    """Its reference was never sent, so the next run sends it under the same one."""
    held = night(3, Provider(on_submit=lambda *_: REPEAT)).run()
    assert held.states() == {State.WAITING: 3}
    assert {entry.next_number for entry in held.entries().values()} == {1}
    held.provider.on_submit = lambda *_: None
    later = resume(held).run()
    assert later.states() == {State.DONE: 3}
    assert set(later.provider.references.values()) == {1}


def test_held_rows_give_their_share_of_the_budget_back() -> None:
    caps = replace(SETTINGS, caps=Caps(videos=20))
    hook = lambda command, *_: REPEAT if is_third(command) else None  # noqa: E731
    held = night(30, Provider(on_submit=hook), caps).run()
    assert held.states() == {State.DONE: 20, State.WAITING: 10}
    assert held.engine.stops == []


def test_a_cap_that_others_used_up_stops_submitting() -> None:
    """What was accepted comes home; the rest waits, under the same numbers; exit 4."""
    hook = lambda command, *_: CAP if command.attempt.key >= "row000009" else None  # noqa: E731
    stopped = night(40, Provider(on_submit=hook)).run()
    assert stopped.states() == {State.DONE: 9, State.WAITING: 31}
    (stop,) = stopped.engine.stops
    assert (stop.exit_code, stop.reach) == (ExitCode.STOPPED, Reach.SUBMITTING)
    assert (stop.reason, stop.action) == (CAP.message, CAP.action)
    assert stopped.engine.held(0) == {}
    assert stopped.engine.spend.videos == 9
    withdrawn = [event for event, _ in stopped.journal if isinstance(event, ev.NotAccepted)]
    assert len(withdrawn) <= SETTINGS.submits_in_flight


@dataclass
class Account:
    """A book with so many places for a day; some come back with the API's no to their rows."""

    places: int
    refusal: Throttled | Refused
    taken: int = 0
    most: int = 0
    coming_back: list[float] = field(default_factory=list)

    def __call__(
        self, command: Submit, times: int, now: float
    ) -> Withheld | Throttled | Refused | None:
        held = sum(at > now for at in self.coming_back)
        if self.taken + held >= self.places:
            return CAP
        self.most = max(self.most, self.taken + held + 1)
        if times == 1 and is_third(command):
            self.coming_back.append(now + Provider.round_trip_s)
            return self.refusal
        self.taken += 1
        return None


@pytest.mark.parametrize("places", [1, 4, 9, 16, 17, 25])
@pytest.mark.parametrize(
    "refusal", [Throttled("429", status=429), Refused("no", status=400)], ids=["429", "400"]
)
def test_a_place_of_the_day_that_is_given_back_is_used(
    places: int, refusal: Throttled | Refused
) -> None:
    """By this very run, which waits for the answers to what it sent before it stops."""
    account = Account(places, refusal)
    stopped = night(40, Provider(on_submit=account)).run()
    assert stopped.provider.accepted.total() == places == account.most
    assert stopped.states()[State.DONE] == places
    (stop,) = stopped.engine.stops
    assert (stop.exit_code, stop.reason) == (ExitCode.STOPPED, CAP.message)
    withdrawn = [event for event, _ in stopped.journal if isinstance(event, ev.NotAccepted)]
    assert len(withdrawn) <= 4 * SETTINGS.submits_in_flight


def test_lanes_are_held_apart() -> None:
    """Rows of one lane that are repeats are not taken for those of another."""
    hook = lambda command, *_: REPEAT if command.row.lane == 1 else None  # noqa: E731
    rows = [*attempts(5), *attempts(5, lane=1)]
    held = night(rows, Provider(on_submit=hook), weights=(1, 1)).run()
    assert held.states() == {State.DONE: 5, State.WAITING: 5}
    assert held.engine.held(0) == {}
    assert len(held.engine.held(1)) == 5
