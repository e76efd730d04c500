"""Any night: faults, kills, stops, reruns and a person who settles doubts, in any order.

A stateful property test over the virtual night: after every single step the promises are held
against the provider's own records, and at the end every row has to come through. What is found is
shown as a short program. `HYPOTHESIS_PROFILE=longer python -m pytest tests/engine` looks for new
nights, ten times as many.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pipeline import events as ev
from pipeline.engine.rows import Stop
from pipeline.errors import ExitCode
from pipeline.model import Entry, State
from tests.conftest import share_of_examples
from tests.engine.night import Death, Night, lane_of, resume
from tests.engine.test_kills import WEIGHTS, Weather, hold_invariants, mixed

SHARES = st.sampled_from([0.0, 0.05, 0.3, 0.7, 1.0])
PAUSES = st.sampled_from([0.0, 5.0, 4000.0])
UNSETTLED = frozenset({State.IN_DOUBT, State.MISSING})


class AnyNight(RuleBasedStateMachine):
    """The journals of one to four lanes, and one provider, through the lives of many processes."""

    night: Night
    weather: Weather
    alive = False

    @initialize(seed=st.integers(0, 10_000), share=SHARES, weights=WEIGHTS)
    def begin(self, seed: int, share: float, weights: list[float]) -> None:
        """Begin with new rows, two thirds of them with pictures."""
        self.night, self.weather = mixed(seed, share, weights)
        self.alive = True

    @rule(share=SHARES)
    def weather_changes(self, share: float) -> None:
        """From now on so many calls go wrong."""
        self.weather.share = share

    @precondition(lambda self: self.alive)
    @rule(for_s=st.floats(0, 600))
    def goes_on(self, for_s: float) -> None:
        """Some time passes; the run may end meanwhile."""
        self.night.run(until=self.night.now + for_s)

    @precondition(lambda self: self.alive)
    @rule(after=st.integers(1, 200), carried_out=st.integers(-1, 6), lanes=st.integers(0, 3))
    def is_killed(self, after: int, carried_out: int, lanes: int) -> None:
        """Killed some decisions later, before all is committed or with a part of it carried out."""
        self.night.run(death=Death(self.night.decisions + after, carried_out, lanes))
        self.alive = False

    @precondition(lambda self: self.alive)
    @rule()
    def is_stopped(self) -> None:
        """Ctrl-C: nothing new, all answers awaited; no row is left submitting."""
        before = self.night.provider.submits.total()
        self.night.engine.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
        self.night.run()
        assert self.night.provider.submits.total() == before
        assert State.SUBMITTING not in self.night.states()
        self.alive = False

    @rule(pause_s=PAUSES)
    def is_run_again(self, pause_s: float) -> None:
        """A new process takes up what the journal says; the earlier one is killed, if need be."""
        self.night = resume(self.night, after_s=pause_s)
        self.alive = True

    @precondition(lambda self: not self.alive)
    @rule(data=st.data())
    def a_doubt_is_settled(self, data: st.DataObject) -> None:
        """A person looks at the provider's site: there is the task, or it was not sent."""
        entries = self.night.entries().values()
        unsettled = (one for one in entries if one.state in UNSETTLED)
        doubtful = sorted(unsettled, key=lambda one: one.identity)
        if doubtful:
            self._settle(data.draw(st.sampled_from(doubtful)))

    def _settle(self, entry: Entry) -> None:
        provider, number = self.night.provider, entry.attempt.number
        lane = lane_of(entry.attempt)
        task_id = provider.by_reference.get(entry.attempt.client_business_id)
        event: ev.Event = (
            ev.Found(entry.key, number, task_id, lane=lane)
            if task_id is not None
            else ev.ClosedUnsent(entry.key, number, lane=lane)
        )
        self.night.journal.append((event, self.night.now))

    @invariant()
    def promises_hold(self) -> None:
        """Nothing is paid twice, nothing is lost, no cap is passed."""
        if hasattr(self, "night"):
            hold_invariants(self.night)

    def teardown(self) -> None:
        """In calm weather every row comes through, and what stays in doubt was never accepted."""
        if not hasattr(self, "night"):
            return
        self.weather.calm()
        for _ in range(4):
            self.night = resume(self.night, after_s=10.0).run()
        entries = hold_invariants(self.night)
        assert len(entries) == len(self.night.rows)
        ended = {State.DONE, State.REFUSED, State.EXPIRED} | UNSETTLED
        for entry in entries.values():
            assert entry.state in ended
            accepted = self.night.provider.accepted[entry.identity]
            assert entry.state not in UNSETTLED or accepted == 0


def test_any_night() -> None:
    """Whatever happens, in whatever order: no promise is broken, every row comes through."""
    nights = settings(max_examples=share_of_examples(1), stateful_step_count=25)
    run_state_machine_as_test(AnyNight, settings=nights)
