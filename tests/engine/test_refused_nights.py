"""Nights in which submissions are turned away: storms, caps, refusals, no credit, no connection."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipeline.engine.commands import Submit
from pipeline.engine.gate import LearnedCap
from pipeline.engine.limits import Caps
from pipeline.errors import (
    ExitCode,
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
)
from pipeline.model import State
from tests.engine.night import SETTINGS, Night, Provider, attempt, attempts, night, resume

SubmitHook = Callable[[Submit, int, float], ProviderError | None]


def storm(asked_s: float | None, ends: float) -> SubmitHook:
    """Nine of ten submissions are answered with 429."""
    dice = random.Random(7)

    def hook(_: Submit, __: int, now: float) -> ProviderError | None:
        if now < ends and dice.random() < 0.9:
            return Throttled("slow down", status=429, retry_after_s=asked_s)
        return None

    return hook


def assert_no_harm(stormy: Night, rows: int) -> None:
    assert stormy.states() == {State.DONE: rows}
    assert set(stormy.provider.references.values()) == {1}
    assert {entry.attempt.number for entry in stormy.entries().values()} == {1}


@pytest.mark.parametrize("asked_s", [None, 0.0, 1.0, 20.0])
def test_a_storm_of_429_costs_no_row_and_no_attempt(asked_s: float | None) -> None:
    """No row fails, no attempt number is spent, and the limit is not passed by a tenth."""
    stormy = night(1000, Provider(on_submit=storm(asked_s, 2000))).run()
    assert_no_harm(stormy, 1000)
    times = stormy.provider.submit_times
    assert len([at for at in times if at < 600]) <= 1.1 * 300 * 10
    for at in range(0, 2000, 60):
        assert sum(at <= one < at + 60 for one in times) <= 1.1 * 300


@pytest.mark.parametrize("asked_s", [None, 5.0])
def test_full_speed_comes_back_soon_after_a_storm(asked_s: float | None) -> None:
    """Half a minute after the storm all slots are taken again."""
    settings = replace(SETTINGS, outstanding=40)
    stormy = night(1000, Provider(on_submit=storm(asked_s, 600)), settings)
    stormy.run(until=600 + 30)
    assert stormy.engine.outstanding >= 0.9 * 40
    assert_no_harm(stormy.run(), 1000)


def test_the_wait_that_the_api_asks_for_is_kept() -> None:
    """After a 429 with Retry-After nothing is submitted before it has passed."""
    hook: SubmitHook = lambda _, __, now: (  # noqa: E731
        Throttled("slow down", retry_after_s=40) if now == 0 else None
    )
    times = night(20, Provider(on_submit=hook)).run().provider.submit_times
    assert not [at for at in times if 0.1 < at < 40]


def test_the_learned_cap_shrinks_and_grows_back() -> None:
    """A refusal takes three tenths off; to ask for a time to come does not change today's size."""
    cap = LearnedCap(50)
    assert cap.size(0.0) == 50
    cap.note_refusal(0.0, 40)
    assert (cap.size(0.1), cap.size(60.0), cap.size(0.1)) == (28, 50, 28)
    sizes = [cap.size(0.1 * tenth) for tenth in range(400)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 50
    for _ in range(100):
        cap.note_refusal(100.0, 1)
    assert cap.size(100.0) == 1


@pytest.mark.parametrize(("cap", "refusals_per_row"), [(1, 12), (5, 3), (20, 0.5)])
def test_a_cap_of_the_providers_own_is_found(cap: int, refusals_per_row: float) -> None:
    """It is learned: its slots stay full, and few calls are refused."""
    provider = Provider()

    def hook(_: Submit, __: int, now: float) -> ProviderError | None:
        full = provider.unfinished(now) >= cap
        return Throttled("too many tasks", status=429) if full else None

    provider.on_submit = hook
    rows = 30 * cap
    done = night(rows, provider).run()
    assert_no_harm(done, rows)
    refused = provider.submits.total() - rows
    assert refused <= rows * refusals_per_row
    busy_s = sum(ended - began for began, ended in provider.tasks.values())
    assert busy_s >= 0.9 * cap * max(provider.accept_times)


@pytest.mark.parametrize(
    ("error", "reaches"),
    [
        (Unauthorized("who are you", status=401), "everything"),
        (OutOfCredit("no credit", status=402), "submitting"),
    ],
)
def test_no_key_or_no_credit_in_the_middle(error: ProviderError, reaches: str) -> None:
    """401 stops everything, 402 only submitting; unsent rows wait, and the code is 4."""
    hook: SubmitHook = lambda *said: error if said[2] > 100 else None  # noqa: E731
    stopped = night(600, Provider(on_submit=hook)).run()
    states = stopped.states()
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.STOPPED]
    assert states[State.WAITING] > 400
    assert states[State.IN_DOUBT] == 0
    if reaches == "submitting":
        assert set(states) == {State.WAITING, State.DONE}
    else:
        assert states[State.RUNNING] > 30
    again = replace_hook(resume(stopped)).run()
    assert_no_harm(again, 600)


def replace_hook(again: Night) -> Night:
    again.provider.on_submit = lambda *_: None
    return again


def test_401_on_a_query_stops_the_run() -> None:
    """A key that is taken back in mid-run stops queries, too, and no row is harmed."""
    provider = Provider(on_query=lambda _, __, now: Unauthorized("no") if now > 100 else None)
    stopped = night(300, provider).run()
    assert stopped.now < 200
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.STOPPED]
    assert State.FAILED not in stopped.states()


@pytest.mark.parametrize(
    ("status", "code"), [(503, "model_not_found"), (403, "access_denied"), (403, None)]
)
def test_equal_refusals_from_the_start_stop_submitting(status: int, code: str | None) -> None:
    """Five equal refusals of model or key with no acceptance mean a setting, not the rows."""
    provider = Provider(on_submit=lambda *_: Refused("no", status=status, code=code))
    settings = replace(SETTINGS, submits_in_flight=1)
    stopped = night(500, provider, settings).run()
    assert stopped.states() == {State.REFUSED: 5, State.WAITING: 495}
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.STOPPED]
    assert "api.model" in (stopped.engine.stops[0].action or "")


def test_refusals_after_an_acceptance_are_the_rows_own() -> None:
    """Once anything was accepted, refused rows are refused one by one, to the last."""
    hook: SubmitHook = lambda command, *_: (  # noqa: E731
        None if command.attempt.key == "row000000" else Refused("bad prompt", status=400)
    )
    settings = replace(SETTINGS, submits_in_flight=1)
    done = night(100, Provider(on_submit=hook), settings).run()
    assert done.states() == {State.DONE: 1, State.REFUSED: 99}
    assert done.engine.stops == []


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_refusals_of_content_never_end_a_night(status: int) -> None:
    """A hundred equal ones at the top of the sheet are the rows' own: all others are made."""
    hook: SubmitHook = lambda command, *_: (  # noqa: E731
        Refused("no", status=status, code="invalid_request")
        if command.attempt.key < "row000100"
        else None
    )
    done = night(150, Provider(on_submit=hook)).run()
    assert done.states() == {State.REFUSED: 100, State.DONE: 50}
    assert done.engine.stops == []


def test_content_that_is_not_allowed_is_no_matter_of_rights() -> None:
    """A 403 whose code speaks of content is the row's own, as any other refusal of content."""
    error = Refused("no", status=403, code="content_policy_violation")
    done = night(30, Provider(on_submit=lambda *_: error)).run()
    assert done.states() == {State.REFUSED: 30}
    assert done.engine.stops == []


def test_a_refusal_of_content_interrupts_a_row_of_others() -> None:
    """Five in a row are five with nothing in between."""

    def hook(command: Submit, _: int, __: float) -> ProviderError:
        own = int(command.attempt.key[3:]) % 4 == 3
        return Refused("no", status=422 if own else 403)

    settings = replace(SETTINGS, submits_in_flight=1)
    done = night(40, Provider(on_submit=hook), settings).run()
    assert done.states() == {State.REFUSED: 40}
    assert done.engine.stops == []


def test_different_refusals_do_not_stop_the_run() -> None:
    """Refusals with changing codes are about the rows."""
    hook: SubmitHook = lambda command, *_: Refused(  # noqa: E731
        "no", status=400, code=command.attempt.key[-1]
    )
    done = night(50, Provider(on_submit=hook)).run()
    assert done.states() == {State.REFUSED: 50}
    assert done.engine.stops == []


def test_no_connection_for_a_while_costs_nothing() -> None:
    """Refused connections are plain repeats; when they end, the night goes on."""
    hook: SubmitHook = lambda _, __, now: NotSent("refused") if 60 < now < 240 else None  # noqa: E731
    done = night(500, Provider(on_submit=hook)).run()
    assert_no_harm(done, 500)
    assert done.engine.stops == []


def test_no_connection_for_ever_ends_the_run() -> None:
    """A provider that is gone is given up after the patience: unfinished, run again."""
    stopped = night(500, Provider(on_submit=lambda *_: NotSent("refused"))).run()
    assert stopped.states() == {State.WAITING: 500}
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.UNFINISHED]
    assert 1500 <= stopped.now < 1600
    assert stopped.provider.submits.total() <= 130


@pytest.mark.parametrize(
    ("caps", "videos"),
    [
        (Caps(videos=37), 37),
        (Caps(video_seconds=100), 16),
        (Caps(money=6.0), 10),
        (Caps(videos=20, money=6.0), 10),
        (Caps(videos=0), 0),
    ],
)
@pytest.mark.parametrize("refuse", [0.0, 0.3, 0.9])
def test_a_budget_is_used_up_and_never_passed(caps: Caps, videos: int, refuse: float) -> None:
    """The cap holds exactly, also when provable refusals give shares of it back."""
    dice = random.Random(3)
    hook: SubmitHook = lambda *_: Throttled("429") if dice.random() < refuse else None  # noqa: E731
    stopped = night(200, Provider(on_submit=hook), replace(SETTINGS, caps=caps)).run()
    assert stopped.states() == +Counter({State.DONE: videos, State.WAITING: 200 - videos})
    assert stopped.provider.accepted.total() == videos
    assert [stop.exit_code for stop in stopped.engine.stops] == [ExitCode.STOPPED]
    assert "cap" in stopped.engine.stops[0].reason


def test_a_budget_that_suffices_stops_nothing() -> None:
    """The last video that fits is made, and the run ends well."""
    caps = Caps(videos=30, video_seconds=180, money=18.0)
    done = night(30, settings=replace(SETTINGS, caps=caps)).run()
    assert done.states() == {State.DONE: 30}
    assert done.engine.stops == []


def test_a_refused_row_gives_its_share_back() -> None:
    """A definite refusal is a provable no: its share of the budget goes to another row."""
    hook: SubmitHook = lambda command, *_: (  # noqa: E731
        Refused("no", status=400) if command.attempt.key < "row000010" else None
    )
    rows = [*reversed(attempts(40))]
    settings = replace(SETTINGS, caps=Caps(videos=35))
    stopped = night(rows, Provider(on_submit=hook), settings).run()
    assert stopped.states()[State.DONE] == 30
    assert stopped.states()[State.REFUSED] == 10


def test_long_videos_count_by_their_seconds() -> None:
    """Seconds of video are counted per row, as asked."""
    rows = [attempt(f"row{i}", duration=10 if i % 2 else 4) for i in range(20)]
    settings = replace(SETTINGS, caps=Caps(video_seconds=30))
    stopped = night(rows, settings=settings).run()
    assert stopped.states() == {State.DONE: 4, State.WAITING: 16}
