"""The poll schedule: simulated slots over several shapes of duration and several kinds of bar."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import pytest

from pipeline.engine.experience import Experience, Known
from pipeline.engine.learned import Density, Durations
from pipeline.engine.limits import Pace
from pipeline.engine.polling import Schedule
from pipeline.engine.rows import Watch

KIND = ("a model", 6, "720P", 0)
PACE = Pace(5, 10, 2)

SHAPES: dict[str, Callable[[random.Random], float]] = {
    "narrow": lambda dice: 60 * dice.lognormvariate(0, 0.08),
    "usual": lambda dice: 60 * dice.lognormvariate(0, 0.25),
    "wide": lambda dice: 60 * dice.lognormvariate(0, 0.668),
    "bimodal": lambda dice: (40 if dice.random() < 0.7 else 150) * dice.lognormvariate(0, 0.1),
    "queue": lambda dice: dice.expovariate(1 / 40) + 50 * dice.lognormvariate(0, 0.2),
    "short": lambda dice: 20 * dice.lognormvariate(0, 0.3),
}

# Of the share of its time that a task has had, the dice, and the task's own curve.
BARS: dict[str, Callable[[float, random.Random, float], float | None]] = {
    "none": lambda *_: None,
    "honest": lambda share, *_: float(int(share * 100)),
    "bent": lambda share, _, curve: float(int(share**curve * 100)),
    "stuck": lambda share, *_: 50.0 if share > 0.1 else 0.0,
    "jumping": lambda _, dice, __: float(dice.randrange(100)),
    "hasty": lambda share, *_: float(int(min(0.99, share**0.2) * 100)),
}


@dataclass
class Figures:
    """What a night came to: makespan over the list-scheduling bound, polls a task, mean delay."""

    ratio: float
    polls: float
    delay_s: float


class ByRote(Schedule):
    """The documented schedule for ever: nothing is learned."""

    def learn(self, watch: Watch, age_s: float, duration_s: float | None) -> None:
        """Forget it."""


def next_wait_s(
    schedule: Schedule,
    watch: Watch,
    age_s: float,
    progress: float | None,
    outstanding: int,
    *,
    last: bool = False,
) -> float:
    """The wait after a query that has shown a task unfinished."""
    schedule.note_unfinished(watch, age_s, progress)
    return schedule.next_wait_s(watch, age_s, outstanding, last=last)


def night(
    schedule: Schedule, shape: str, bar: str, *, rows: int = 600, slots: int = 100, seed: int = 1
) -> Figures:
    """Run so many tasks through the slots, each detected by polls alone."""
    dice, bend = random.Random(seed), random.Random(seed)
    durations = [SHAPES[shape](dice) for _ in range(rows)]
    curves = [bend.lognormvariate(0, 0.25) for _ in range(rows)]
    coming: list[tuple[float, int, Watch, float]] = []
    polls, delays, ended, started = 0, 0.0, 0.0, 0

    def start(now: float) -> None:
        nonlocal started
        watch = Watch(str(started), KIND)
        wait = schedule.first_wait_s(watch, len(coming) + 1)
        heappush(coming, (PACE.together_at(now + wait), started, watch, now))
        started += 1

    for _ in range(slots):
        start(0.0)
    while coming:
        now, number, watch, began = heappop(coming)
        polls += 1
        age = now - began
        if age >= durations[number]:
            delays += age - durations[number]
            ended = now
            schedule.learn(watch, age, durations[number])
            if started < rows:
                start(now)
        else:
            progress = BARS[bar](age / durations[number], dice, curves[number])
            left = len(coming) + 1
            wait = next_wait_s(schedule, watch, age, progress, left, last=started >= rows)
            heappush(coming, (PACE.together_at(now + wait), number, watch, began))
    return Figures(ended / _bound(durations, slots), polls / rows, delays / rows)


def _bound(durations: list[float], slots: int) -> float:
    free = [0.0] * slots
    heapify(free)
    for duration in durations:
        heappush(free, heappop(free) + duration)
    return max(free)


def mean(make: Callable[[], Schedule], shape: str, bar: str) -> Figures:
    """The mean of three nights."""
    nights = [night(make(), shape, bar, seed=seed) for seed in range(3)]
    return Figures(
        sum(one.ratio for one in nights) / 3,
        sum(one.polls for one in nights) / 3,
        sum(one.delay_s for one in nights) / 3,
    )


def learner(floor_s: float = 2) -> Schedule:
    return Schedule(Pace(5, 10, floor_s))


def rote() -> Schedule:
    return ByRote(Pace(5, 10, 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_an_honest_bar_finds_the_end_quickly_with_few_polls(shape: str) -> None:
    """With an honest progress bar a task's end is seen within 1.9 s, with at most 5 polls."""
    figures = mean(learner, shape, "honest")
    assert figures.delay_s <= 1.9, figures
    assert figures.polls <= 5, figures


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bar_that_runs_ahead_or_behind_is_worth_its_speed(shape: str) -> None:
    """Bent in its own way for each task, a bar still finds the end soon and with few polls."""
    figures = mean(learner, shape, "bent")
    assert figures.delay_s <= 3, figures
    assert figures.polls <= 6, figures


def test_the_last_tasks_are_watched_closely() -> None:
    """The fewer tasks are left while no row waits, the sooner each of them is asked for again."""
    schedule = learner()
    for number in range(100):
        done = Watch(str(number), KIND)
        schedule.learn(done, 30 + number, 30 + number)
    waits = [
        next_wait_s(schedule, Watch("a", KIND), 100, None, left, last=True) for left in (100, 5, 1)
    ]
    assert waits == sorted(waits, reverse=True)
    assert waits[1:] == [5, 2]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bar", ["none", "stuck", "jumping", "hasty"])
def test_a_bar_that_says_nothing_or_lies_costs_nothing(shape: str, bar: str) -> None:
    """Without a true bar neither polls nor delays are together worse than 5 s, then 10 s."""
    figures, documented = mean(learner, shape, bar), mean(rote, shape, bar)
    cost = figures.delay_s * figures.polls
    assert cost <= 1.03 * documented.delay_s * documented.polls, (figures, documented)
    assert figures.ratio <= documented.ratio + 0.015, (figures, documented)


@pytest.mark.parametrize("shape", ["narrow", "usual", "bimodal"])
def test_durations_alone_halve_the_delay(shape: str) -> None:
    """Where durations say something, learning them beats the documented schedule clearly."""
    figures, documented = mean(learner, shape, "none"), mean(rote, shape, "none")
    assert figures.delay_s <= 0.75 * documented.delay_s, (figures, documented)


def test_no_wait_is_shorter_than_the_floor() -> None:
    """Two queries of one task are never closer than the floor, whatever was learned."""
    schedule = learner(floor_s=5)
    for number in range(40):
        schedule.learn(Watch(str(number), KIND, sightings=[(1.0, 50.0)]), 2.0, 2.0)
    watch = Watch("x", KIND)
    assert schedule.first_wait_s(watch, 1) >= 5
    assert all(next_wait_s(schedule, watch, age, 99.0, 1) >= 5 for age in (1.0, 1.9, 50.0))


def test_a_short_budget_of_polls_is_kept() -> None:
    """With 1,000 tasks sharing 5 queries a second, a task gets no more than its share."""
    schedule = Schedule(Pace(5, 10, 2), polls_per_s=5)
    dice = random.Random(1)
    for number in range(300):
        schedule.learn(Watch(str(number), KIND), 200.0, SHAPES["usual"](dice))
    polls = night(schedule, "usual", "none", slots=1000, rows=1000).polls
    # 60 s tasks, 1,000 of them at a time, 5 queries a second: 0.3 each, and one that sees the end.
    assert polls <= 1.6


def test_before_enough_ends_are_seen_the_documented_schedule_holds() -> None:
    """The first query comes after about first_s, the next ones about interval_s apart."""
    schedule = learner()
    for number in range(29):
        schedule.learn(Watch(str(number), KIND), 60.0, 60.0)
    watch = Watch("x", KIND)
    assert 4.5 <= schedule.first_wait_s(watch, 1) <= 5.5
    assert 9 <= next_wait_s(schedule, watch, 5.0, 10.0, 1) <= 11


def test_what_the_provider_says_is_held_between_our_own_sights() -> None:
    """A provider's clock that is off by a day teaches nothing impossible."""
    schedule = learner()
    for number in range(40):
        watch = Watch(str(number), KIND)
        next_wait_s(schedule, watch, 50.0, None, 1)
        schedule.learn(watch, 60.0, 86400.0)
    assert schedule.first_wait_s(Watch("x", KIND), 1) <= 60


def test_tasks_of_unknown_age_are_polled_by_rote_and_teach_nothing() -> None:
    """A task of an earlier run has no known age: it neither uses nor spoils what is learned."""
    schedule = learner()
    for number in range(40):
        schedule.learn(Watch(str(number), KIND, timed=False), 1.0, None)
    assert 4.5 <= schedule.first_wait_s(Watch("x", KIND), 1) <= 5.5
    for number in range(40):
        schedule.learn(Watch(str(number), KIND), 60.0, 60.0)
    assert 9 <= next_wait_s(schedule, Watch("y", KIND, timed=False), 1.0, 99.0, 1) <= 11


def test_the_oldest_durations_are_forgotten() -> None:
    """A provider that became slower overnight is learned anew."""
    durations = Durations()
    for _ in range(2500):
        durations.learn(10.0)
    for _ in range(2000):
        durations.learn(100.0)
    assert len(durations) == 2000
    assert durations.median_s == 100.0
    assert durations.mean_s == pytest.approx(100.0)


def test_polls_are_as_many_as_asked_for() -> None:
    """A density taken at n steps a task polls a task about n times before its end."""
    dice = random.Random(3)
    ended = sorted(SHAPES["wide"](dice) for _ in range(2000))
    density = Density.of(ended)
    polls = 0
    for duration in ended:
        age: float | None = density.next_age_s(0.0, dice.random(), 5)
        while age is not None and age < duration:
            polls += 1
            age = density.next_age_s(age, 1.0, 5)
    assert 4.2 <= polls / len(ended) <= 5.5


def test_tasks_that_still_run_count_by_the_age_they_have_reached() -> None:
    """When only the short ones have ended, polls are as dense as if all durations were known."""
    dice = random.Random(3)
    all_s = sorted(SHAPES["wide"](dice) for _ in range(2000))
    ended_s = [one for one in all_s if one < 50]
    known, early = Density.of(all_s), Density.of(ended_s, [50.0] * (2000 - len(ended_s)))
    misled = Density.of(ended_s)
    assert 0.3 < len(ended_s) / 2000 < 0.5

    def density(of: Density, age_s: float) -> float:
        (step,) = [
            (of.phases[at + 1] - of.phases[at]) / (later_s - sooner_s)
            for at, (sooner_s, later_s) in enumerate(itertools.pairwise(of.ages_s))
            if sooner_s <= age_s < later_s
        ]
        return step

    for age_s in (25, 35, 45):
        assert density(early, age_s) == pytest.approx(density(known, age_s), rel=0.25)
    assert density(misled, 45) > 1.5 * density(known, 45)


def test_a_task_is_no_longer_running_once_it_has_ended_or_is_given_up() -> None:
    """It counts among the running ones from its first query on."""
    experience = Experience()
    ended, given_up = Watch("a", KIND), Watch("b", KIND)
    for watch in (ended, given_up):
        watch.seen_age_s = 10.0
        experience.note_running(watch)
    for number in range(30):
        experience.learn(Watch(str(number), KIND), 20.0, heeded=False)
    (durations, _) = experience.find(KIND) or pytest.fail("nothing was learned")
    assert len(durations.running) == 2
    experience.learn(ended, 15.0, heeded=False)
    assert list(durations.running) == [given_up]
    del watch, given_up
    assert not durations.running


def nights(shape: str, *bars: str, rows: int = 600) -> list[Figures]:
    """Nights one after the other, each with what those before have handed on."""
    known: list[Known] = []
    figures = []
    for number, bar in enumerate(bars):
        schedule = learner()
        schedule.know(known)
        figures.append(night(schedule, shape, bar, rows=rows, seed=number % 2))
        (news,) = schedule.take_news()
        known = [(known[0] if known else Known(news.kind)).with_news(news)]
    return figures


@pytest.mark.parametrize("shape", ["usual", "wide"])
@pytest.mark.parametrize("bar", ["none", "honest", "bent"])
def test_a_second_night_begins_as_the_first_one_ended(shape: str, bar: str) -> None:
    """Ends are noticed sooner and with fewer polls, and the night is no longer."""
    first, _, second = nights(shape, bar, bar, bar)
    assert second.delay_s * second.polls < first.delay_s * first.polls, (first, second)
    assert second.ratio <= first.ratio, (first, second)
    if bar != "none":
        assert second.delay_s < first.delay_s, (first, second)
        assert second.polls < first.polls, (first, second)


def test_with_an_honest_bar_known_before_an_end_is_seen_within_a_second_and_a_half() -> None:
    """With three queries a task."""
    *_, second = nights("usual", "honest", "honest")
    assert second.delay_s <= 1.5, second
    assert second.polls <= 3, second


@pytest.mark.parametrize("bar", ["none", "stuck", "jumping", "hasty"])
def test_a_bar_that_begins_to_lie_costs_one_fill_of_the_slots(bar: str) -> None:
    """After an honest night: ends are still seen as if nothing had been known."""
    *_, lying = nights("wide", "honest", bar)
    documented = mean(rote, "wide", bar)
    assert lying.delay_s <= 1.3 * documented.delay_s, (lying, documented)
    assert lying.polls <= 1.1 * documented.polls, (lying, documented)


@pytest.mark.parametrize("bar", ["stuck", "jumping"])
def test_a_bar_that_lied_last_night_is_not_trusted_tonight(bar: str) -> None:
    """It is watched again, and believed only once it has proved true for a while."""
    liar, honest = nights("usual", bar, "honest")
    without, beside = nights("usual", "none", "none")
    assert abs(liar.delay_s - without.delay_s) < 0.5
    assert honest.delay_s < beside.delay_s


@pytest.mark.parametrize("factor", [0.33, 3.0])
def test_a_provider_that_has_changed_is_learned_anew(factor: float) -> None:
    """Three times as fast or as slow as last night: after one fill of the slots it is known."""
    schedule = learner()
    taught = learner()
    night(taught, "usual", "none")
    (news,) = taught.take_news()
    schedule.know([Known(KIND).with_news(news)])
    dice = random.Random(5)
    for number in range(220):
        duration = SHAPES["usual"](dice) * factor
        schedule.learn(Watch(str(number), KIND), duration, duration)
    first_s = schedule.first_wait_s(Watch("x", KIND), 1)
    assert 0.5 * 60 * factor <= first_s + 10 <= 60 * factor + 12


def test_a_broken_promise_is_not_believed_for_ever() -> None:
    """A task whose bar stands at its end again and again is asked for by durations then."""
    schedule = learner()
    for number in range(60):
        watch = Watch(str(number), KIND, sightings=[(58.0, 96.0)])
        schedule.learn(watch, 60.0, 60.0)
    watch, age, waits = Watch("x", KIND), 58.0, []
    for _ in range(6):
        waits.append(next_wait_s(schedule, watch, age, 96.0, 100))
        age += waits[-1]
    assert waits[0] < 4
    assert waits[-1] > 8


def test_a_query_that_failed_says_nothing_of_the_bar() -> None:
    """Nor of the task: an outage of a minute spoils nothing of what was learned."""
    schedule = learner()
    for number in range(60):
        watch = Watch(str(number), KIND, sightings=[(30.0, 50.0)])
        schedule.learn(watch, 60.0, 60.0)
    for number in range(60):
        watch = Watch(f"x{number}", KIND)
        assert 29 <= next_wait_s(schedule, watch, 30.0, 50.0, 100) <= 32
        for again in range(5):
            schedule.next_wait_s(watch, 61.0 + again, 100)
        assert (watch.seen_age_s, watch.broken) == (30.0, 0)


def test_an_end_without_times_lies_between_our_own_sights() -> None:
    """Where the provider does not say when a task ended, half the time between them is taken."""
    schedule = learner()
    for number in range(60):
        watch = Watch(str(number), KIND)
        next_wait_s(schedule, watch, 50.0, None, 1)
        schedule.learn(watch, 70.0, None)
    (news,) = schedule.take_news()
    assert set(news.durations_s) == {60.0}
