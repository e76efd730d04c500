"""Nights with `in_doubt: resend`: sent again only where "not found" has been seen to mean it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline import events as ev
from pipeline.engine.commands import Query, Submit
from pipeline.engine.engine import Engine
from pipeline.errors import NoSuchTask, ProviderError, Unclear, Unreachable
from pipeline.model import Attempt, Entry, Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, attempts, enqueue

RESEND = replace(SETTINGS, resend=True)
LOST = Unclear("the connection was closed without an answer")
GONE = NoSuchTask("task_not_exist", status=404)
Hook = Callable[[Submit, int, float], ProviderError | None]


def up_to(most: int) -> Callable[[Attempt], Attempt | None]:
    """What `limits.attempts` allows."""

    def renew(one: Attempt) -> Attempt | None:
        if one.number >= most:
            return None
        return attempt(one.key, number=one.number + 1, images=one.request.images)

    return renew


def night(rows: int, provider: Provider, most: int = 3) -> Night:
    """A night over so many new rows in which doubts may go again."""
    engine = Engine(RESEND, 0.0, renew=up_to(most))
    enqueue(engine, *attempts(rows))
    return Night(engine, provider, attempts(rows), RESEND, keeps_sent=True)


def loses(keys: set[str], times: int = 1) -> Hook:
    """Lose the first submissions of these rows before they are accepted."""
    return lambda said, turn, _: LOST if said.attempt.key in keys and turn <= times else None


def test_what_was_never_accepted_goes_again() -> None:
    """Not found for all of lookup_s while look-ups work: a second attempt under its own number."""
    lost = {"row000003", "row000007"}
    done = night(60, Provider(on_submit=loses(lost), loses_unclear=True)).run()
    assert done.states() == {State.DONE: 60}
    entries = done.entries()
    for key in lost:
        assert done.provider.submits[key] == 2
        assert done.provider.accepted[key] == 1
        assert entries[key].attempt.number == 2
        assert entries[key].attempt.client_business_id == f"rs-{key}-2"
        assert entries[key].submissions_of(f"hash-{key}") == 2
    assert set(done.provider.references.values()) == {1}
    closed = [at for event, at in done.journal if isinstance(event, ev.NotFound)]
    assert len(closed) == 2
    assert min(closed) >= RESEND.lookup_s


def test_the_spend_of_the_doubt_stays_reserved() -> None:
    """Both attempts count: nobody has proved that the first was free."""
    run = night(10, Provider(on_submit=loses({"row000002"}), loses_unclear=True)).run()
    assert run.engine.spend.videos == 11


def test_attempts_bound_it() -> None:
    """A row whose every answer is lost ends in doubt after its last attempt."""
    lost = {"row000004"}
    run = night(30, Provider(on_submit=loses(lost, 99), loses_unclear=True), most=3).run()
    assert run.states() == {State.DONE: 29, State.IN_DOUBT: 1}
    assert run.provider.submits["row000004"] == 3
    assert run.entries()["row000004"].attempt.number == 3


def test_without_the_setting_nothing_is_sent_again() -> None:
    """The default holds, also where an attempt might follow."""
    engine = Engine(SETTINGS, 0.0, renew=up_to(3))
    enqueue(engine, *attempts(20))
    provider = Provider(on_submit=loses({"row000002"}), loses_unclear=True)
    run = Night(engine, provider, attempts(20), keeps_sent=True).run()
    assert run.states() == {State.DONE: 19, State.IN_DOUBT: 1}
    assert set(provider.submits.values()) == {1}
    references = {q.reference for q, _ in run.sent if isinstance(q, Query)}
    assert {one for one in references if one.startswith("rs-")} == {"rs-row000002-1"}


def unsupported(said: Query, *_: object) -> TaskView | ProviderError | None:
    """An API that does not know our references."""
    return GONE if said.reference.startswith("rs-") else None


def test_where_look_ups_find_nothing_at_all_nothing_goes_again() -> None:
    """Accepted, but look-up is not supported: all of them stay in doubt, each sent once."""
    lost = {"row000003", "row000020"}
    hook = Provider(on_submit=loses(lost), on_query=unsupported)
    run = night(60, hook).run()
    assert run.states() == {State.DONE: 58, State.IN_DOUBT: 2}
    assert set(hook.submits.values()) == {1}
    tries = [q for q, _ in run.sent if isinstance(q, Query) and q.reference.startswith("rs-")]
    assert 0 < len([one for one in tries if one.key not in lost]) <= 30


@pytest.mark.parametrize(
    "stranger", [TaskView("video_other", Phase.QUEUED), TaskView(None, Phase.QUEUED)]
)
def test_another_task_is_no_proof(stranger: TaskView) -> None:
    """An API that answers any reference with some task is not believed, and harms no row."""

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        answer = GONE if said.key == "row000003" else stranger
        return answer if said.reference.startswith("rs-") else None

    provider = Provider(on_submit=loses({"row000003"}), on_query=hook)
    run = night(30, provider).run()
    assert run.states() == {State.DONE: 29, State.IN_DOUBT: 1}
    assert set(provider.submits.values()) == {1}


def test_a_proof_that_gets_no_answer_is_no_try() -> None:
    """However long the provider cannot be reached: look-ups are tried out when it can be again."""
    unanswered = 40

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        nonlocal unanswered
        if not said.reference.startswith("rs-") or said.key == "row000003":
            return None
        unanswered -= 1
        return Unreachable("no answer") if unanswered >= 0 else None

    provider = Provider(on_submit=loses({"row000003"}), on_query=hook, loses_unclear=True)
    provider.task_s = lambda _: 1500.0
    run = night(5, provider).run()
    assert unanswered < 0, "more often than a look-up that finds nothing is tried"
    assert run.states() == {State.DONE: 5}
    assert provider.submits["row000003"] == 2


def test_a_proof_that_comes_late_asks_once_more() -> None:
    """References that are known only after a while: the row is looked for again before it goes."""

    def late(said: Query, _: int, now: float) -> TaskView | ProviderError | None:
        return GONE if said.reference.startswith("rs-") and now < 140 else None

    accepted_first = Provider(on_submit=loses({"row000003"}), on_query=late)
    accepted_first.task_s = lambda _: 300.0
    run = night(20, accepted_first).run()
    assert run.states() == {State.DONE: 20}
    assert set(accepted_first.submits.values()) == {1}, "it was there: found, not sent again"

    never_there = Provider(on_submit=loses({"row000003"}), on_query=late, loses_unclear=True)
    never_there.task_s = lambda _: 300.0
    run = night(20, never_there).run()
    assert run.states() == {State.DONE: 20}
    assert never_there.submits["row000003"] == 2


def test_a_doubt_that_is_found_is_the_proof() -> None:
    """One lost answer found by its reference shows that look-ups work."""
    lost = {"row000000", "row000001"}

    def hook(said: Submit, turn: int, _: float) -> ProviderError | None:
        return LOST if said.attempt.key in lost and turn == 1 else None

    provider = Provider(on_submit=hook)
    provider.by_reference["rs-row000001-1"] = ""
    run = night(2, provider)

    def vanish(said: Query, *_: object) -> TaskView | ProviderError | None:
        return GONE if said.reference == "rs-row000001-1" else None

    provider.on_query = vanish
    run.run()
    assert run.states() == {State.DONE: 2}
    assert provider.submits == {"row000000": 1, "row000001": 2}


def test_look_ups_without_an_answer_prove_nothing() -> None:
    """A provider that cannot be reached has not said that the task is not there."""
    quiet = {"rs-row000003-1"}

    def hook(said: Query, *_: object) -> TaskView | ProviderError | None:
        return Unreachable("no answer") if said.reference in quiet else None

    provider = Provider(on_submit=loses({"row000003"}), on_query=hook)
    run = night(30, provider).run()
    assert run.states() == {State.DONE: 29, State.IN_DOUBT: 1}
    assert provider.submits["row000003"] == 1


def test_doubts_of_an_earlier_run_are_looked_for_all_of_the_time() -> None:
    """However old a doubt is, it goes again only after lookup_s in this very run."""
    engine = Engine(RESEND, 0.0, renew=up_to(3))
    old = attempt("row000100")
    engine.take_up(Entry(old.key, State.IN_DOUBT, old, submitted_at=0.0), 0.0, doubt_age_s=1e6)
    enqueue(engine, *attempts(10))
    before: list[tuple[ev.Event, float]] = [
        (ev.Intended(old.key, 1, old), -1e6),
        (ev.AnswerLost(old.key, 1, "lost"), -1e6),
    ]
    provider = Provider()
    run = Night(engine, provider, [*attempts(10), old], RESEND, journal=before).run()
    assert run.states() == {State.DONE: 11}
    assert provider.submits[old.key] == 1
    [at] = [at for event, at in run.journal if isinstance(event, ev.NotFound)]
    assert at >= RESEND.lookup_s


def test_a_run_that_submits_no_more_closes_no_doubt() -> None:
    """After a stop a doubt stays one: the row would wait, and nobody would know why."""
    settings = replace(RESEND, caps=replace(RESEND.caps, videos=5))
    engine = Engine(settings, 0.0, renew=up_to(3))
    enqueue(engine, *attempts(8))
    provider = Provider(on_submit=loses({"row000001"}), loses_unclear=True)
    run = Night(engine, provider, attempts(8), settings).run()
    assert run.states() == {State.DONE: 4, State.IN_DOUBT: 1, State.WAITING: 3}
    assert provider.submits.total() == 5
