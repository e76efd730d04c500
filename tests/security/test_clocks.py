"""Clocks that jump: waits follow the monotonic one, and times of people do no harm."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.downloader.connection import judge
from pipeline.engine.commands import Query, QueryReply, RowId, Submit, SubmitReply
from pipeline.engine.engine import Engine
from pipeline.engine.limits import Pace, RunLimits
from pipeline.errors import NoSuchTask, TransferBroken, Unreachable
from pipeline.journal.reading import read_entries
from pipeline.lifecycle import apply
from pipeline.model import Entry, Phase, State, TaskView
from pipeline.planner.plan import Action
from pipeline.planner.planner import plan_manifest
from pipeline.writer.outcome import iso
from tests.engine.night import enqueue
from tests.journal.lives import attempt, intended
from tests.security.shop import Shop
from tests.system.harness import sheets

DAY_S = 86_400.0


class Jumping:
    """A monotonic clock as it should be, and a wall clock that somebody keeps setting."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time() + self._dice.choice((-DAY_S, 0.0, DAY_S))


class Set:
    """A wall clock that is off by so many seconds."""

    def __init__(self, off_s: float) -> None:
        self.off_s = off_s

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time() + self.off_s


def test_a_run_under_a_clock_that_jumps_by_days(shop: Shop) -> None:
    """Each look at the clock is a day off, this way or that: all rows done, nothing paid twice."""
    line = sheets.row("P", image_1=sheets.picture(shop.folder / "p.png", hue=3).name)
    sheets.write(shop.folder / "shop.csv", [line, sheets.row("Q"), sheets.row("R")])
    mark = shop.api.mark()
    outcome = shop.run(clock=Jumping(7))
    assert outcome.exit_code == 0
    assert set(shop.states().values()) == {"done"}
    assert 0 <= outcome.summary.elapsed_s < 60
    assert len(shop.api.calls("submit", since=mark)) == 3
    mark = shop.api.mark()
    assert shop.run(clock=Jumping(8)).exit_code == 0
    assert shop.api.calls(since=mark) == []


@pytest.mark.parametrize(
    ("later_s", "uploads"),
    [
        (3600.0, 1),
        pytest.param(21 * 3600.0, 2, marks=pytest.mark.long),
        (-DAY_S, 2),
    ],
)
def test_an_upload_is_used_again_only_while_it_is_known_to_be_young(
    shop: Shop, later_s: float, uploads: int
) -> None:
    """One that seems to be made tomorrow is of unknown age: it is made again, which is free."""
    picture = sheets.picture(shop.folder / "p.png", hue=3).name
    mark = shop.api.mark()
    sheets.write(shop.folder / "shop.csv", [sheets.row("P", image_1=picture)])
    assert shop.run(clock=Set(0)).exit_code == 0
    lines = [sheets.row("P", image_1=picture), sheets.row("Q", image_1=picture)]
    sheets.write(shop.folder / "shop.csv", lines)
    assert shop.run(clock=Set(later_s)).exit_code == 0
    assert len(shop.api.calls("upload", since=mark)) == uploads


@pytest.mark.parametrize("off_s", [-DAY_S, DAY_S])
def test_rows_under_way_are_taken_up_whatever_the_clock_says(shop: Shop, off_s: float) -> None:
    """A doubt seems a day old, or not yet made: it is looked up either way, and never resent."""
    shop.sets = {"api.lookup_s": "1"}
    shop.api.faults("submit_answer_lost", "query_lookup_unsupported")
    mark = shop.api.mark()
    assert shop.run(clock=Set(0)).exit_code == 3
    shop.api.faults()
    assert shop.run(clock=Set(off_s)).exit_code == 0
    assert len(shop.api.calls("submit", since=mark)) == 3


@pytest.mark.parametrize("off_s", [-DAY_S, DAY_S])
def test_a_video_that_is_gone_is_planned_without_a_fault(shop: Shop, off_s: float) -> None:
    """A link that seems to be of tomorrow, or dead for long: a plan, whichever, no negative age."""
    assert shop.run(clock=Set(off_s)).exit_code == 0
    (shop.out.videos / "A.mp4").unlink()
    mark = shop.api.mark()
    assert shop.run(clock=Set(0)).exit_code in {0, 1}
    assert shop.api.calls("submit", since=mark) == []


@given(st.lists(st.floats(0, 4e9), min_size=5, max_size=5))
def test_events_at_any_time_lead_to_the_same_states(times: list[float]) -> None:
    """The order of events is that of their numbers; their times are for people."""
    entry: Entry | None = None
    life = (
        intended("a"),
        ev.Accepted("a", 1, "t"),
        ev.Completed("a", 1, None),
        ev.LinkLost("a", 1, "link_dead", "403"),
        ev.Requeued("a", 1),
    )
    for at, event in zip(times, life, strict=True):
        entry = apply(entry, event, at)
    assert entry is not None
    assert (entry.state, entry.submitted_at, entry.finished_at) == (
        State.WAITING, times[0], times[3],
    )  # fmt: skip
    assert iso(entry.submitted_at)


@given(age_s=st.floats(-4e9, 4e9), lookup_s=st.floats(0, 600))
def test_a_doubt_of_any_age_is_looked_up_at_least_once(age_s: float, lookup_s: float) -> None:
    """However the clock was set since: one query by our reference, and never a submission."""
    engine = Engine(RunLimits(pace=Pace(1, 1, 0), lookup_s=lookup_s), 1000.0)
    row = Entry("a", State.IN_DOUBT, attempt("a", 1))
    engine.take_up(0, row, 1000.0, doubt_age_s=max(0.0, age_s))
    decision = engine.tell([], 1000.0)
    if not decision.commands:
        assert decision.wake_at is not None
        assert decision.wake_at < 1002
        decision = engine.tell([], decision.wake_at)
    assert [type(command) for command in decision.commands] == [Query]


@given(asleep_s=st.floats(0, 30 * DAY_S), references=st.booleans())
def test_after_a_sleep_of_any_length_a_task_is_asked_for_before_it_is_given_up(
    asleep_s: float, *, references: bool
) -> None:
    """A machine that slept past the deadline: a video that got ready meanwhile is fetched.

    So it is where the first query tried our reference, and the provider knows no references.
    """
    now = 1000.0
    settings = RunLimits(pace=Pace(1, 1, 0), deadline_s=60, client_reference=references)
    engine = Engine(settings, now)
    enqueue(engine, attempt("a", 1, "even"))
    (submit,) = engine.tell([], now).commands
    assert isinstance(submit, Submit)
    decision = engine.tell([SubmitReply(RowId(0, "a"), "t")], now)
    assert decision.wake_at is not None
    now = max(now + asleep_s, decision.wake_at)
    (query,) = engine.tell([], now).commands
    if references:
        assert query == Query(RowId(0, "a"), attempt("a", 1, "even").client_business_id)
        decision = engine.tell([QueryReply(RowId(0, "a"), NoSuchTask("no such task"))], now)
        assert decision.wake_at is not None
        now = decision.wake_at
        (query,) = engine.tell([], now).commands
    assert query == Query(RowId(0, "a"), "t")
    view = TaskView("t", Phase.COMPLETED, 100, "https://files.example/a.mp4")
    engine.tell([QueryReply(RowId(0, "a"), view)], now)
    assert engine.states[State.READY] == 1
    assert not engine.finished


def test_no_answer_after_a_sleep_costs_no_row() -> None:
    """The network comes back later than the machine: the row stays `running` for the next run."""
    engine = Engine(RunLimits(pace=Pace(1, 1, 0), deadline_s=60), 0.0)
    enqueue(engine, attempt("a", 1, "even"))
    engine.tell([], 0.0)
    engine.tell([SubmitReply(RowId(0, "a"), "t")], 0.0)
    engine.tell([], DAY_S)
    decision = engine.tell([QueryReply(RowId(0, "a"), Unreachable("no network"))], DAY_S)
    assert decision.events == ()
    assert engine.states[State.RUNNING] == 1


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(), timedelta(days=1)])
def test_a_wait_until_a_date_is_counted_by_the_hosts_own_clock(off: timedelta) -> None:
    """A download host, or we, a day off: seven seconds are seven seconds."""
    theirs = datetime.now(UTC) + off
    headers = {
        "Date": theirs.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        "Retry-After": (theirs + timedelta(seconds=7)).strftime("%a, %d %b %Y %H:%M:%S GMT"),
    }
    with pytest.raises(TransferBroken) as caught:
        judge(503, headers, 0, None)
    assert caught.value.retry_after_s == 7


@pytest.mark.parametrize(("later_s", "taken_up"), [(3600.0, 1), (25 * 3600.0, 0), (-DAY_S, 1)])
def test_whether_a_link_lives_is_told_by_the_runs_own_clock(
    shop: Shop, later_s: float, taken_up: int
) -> None:
    """A video that is gone is fetched while its link lives; one of tomorrow is asked for, too."""
    assert shop.run().exit_code == 0
    (shop.out.videos / "A.mp4").unlink()
    order, entries = shop.order(), read_entries(shop.out.journal)
    plan = plan_manifest(
        order.checked, entries, shop.out, order.selection, wall=time.time() + later_s
    )
    assert len(plan.of(Action.TAKE_UP)) == taken_up
