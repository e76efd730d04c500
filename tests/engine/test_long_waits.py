"""Waits that the API asks for: kept up to the patience of the run, beyond it the run ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.engine.rows import say_wait
from pipeline.errors import (
    ExitCode,
    HostDown,
    ProviderError,
    Refused,
    Throttled,
    TransferBroken,
    Unreachable,
    VideoTooLarge,
)
from pipeline.model import State
from tests.engine.night import SETTINGS, VIDEO, Provider, attempt, night, resume

DAY_S = 86_400.0
PATIENT = replace(SETTINGS, outage_s=300)


def test_a_submission_that_is_to_wait_a_day_ends_the_run() -> None:
    """What is under way is brought home, nothing is sent any more, and a later run goes on."""
    provider = Provider()
    provider.on_submit = lambda _, __, ___: (
        Throttled("later", status=429, retry_after_s=DAY_S) if len(provider.tasks) == 20 else None
    )
    ended = night(60, provider, PATIENT).run()
    assert ended.states() == {State.DONE: 20, State.WAITING: 40}
    assert ended.now < DAY_S / 10
    (stop,) = ended.engine.stops
    assert stop.exit_code is ExitCode.UNFINISHED
    assert "asks to wait 24 h before the next submission" in stop.reason
    assert "outage.patience_s is 300 s" in stop.reason
    provider.on_submit = lambda *_: None
    assert resume(ended, after_s=DAY_S).run().states() == {State.DONE: 60}
    assert set(provider.accepted.values()) == {1}


@pytest.mark.parametrize("error", [Throttled, Unreachable])
def test_a_query_that_is_to_wait_a_day_ends_the_run(error: type[ProviderError]) -> None:
    """Nothing more is asked for, links at hand are used, and the rows are taken up later."""
    provider = Provider(
        on_query=lambda _, __, now: error("later", retry_after_s=DAY_S) if now > 100 else None
    )
    ended = night(60, provider, PATIENT).run()
    assert ended.now < 600
    assert set(ended.states()) <= {State.DONE, State.RUNNING, State.WAITING}
    assert ended.states()[State.RUNNING]
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.UNFINISHED]
    assert "before the next query" in ended.engine.stops[0].reason
    provider.on_query = lambda *_: None
    assert resume(ended, after_s=DAY_S).run().states() == {State.DONE: 60}
    assert set(provider.accepted.values()) == {1}


@pytest.mark.parametrize("error", [Throttled, Unreachable, Refused])
def test_an_upload_that_is_to_wait_a_day_ends_the_run(error: type[ProviderError]) -> None:
    """So does a picture that is refused with a wait: it would have been tried again after it."""
    provider = Provider(on_upload=lambda *_: error("later", retry_after_s=DAY_S))
    ended = night([attempt("A", images=("sha256:aa",))], provider, PATIENT).run()
    assert ended.states() == {State.WAITING: 1}
    assert ended.now < 60
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.UNFINISHED]
    assert "before the next upload" in ended.engine.stops[0].reason


def test_a_wait_within_the_patience_is_kept() -> None:
    """To the very second of it."""
    provider = Provider(
        on_submit=lambda _, __, now: Throttled("later", retry_after_s=300) if now < 300 else None
    )
    done = night(5, provider, PATIENT).run()
    assert done.states() == {State.DONE: 5}
    assert not done.engine.stops
    assert not [at for at in provider.submit_times if 0.1 < at < 300]


@pytest.mark.parametrize("error", [TransferBroken, HostDown])
def test_a_download_host_that_asks_for_a_day_keeps_its_video_until_the_next_run(
    error: type[TransferBroken | HostDown],
) -> None:
    """The row stays finished, says why, and is not asked for again in this run."""
    provider = Provider(on_download=lambda *_: error("503", retry_after_s=DAY_S))
    ended = night(3, provider, PATIENT).run()
    assert ended.states() == {State.READY: 3}
    assert ended.now < 600
    assert set(provider.downloads.values()) == {1}
    assert {left.message for left in ended.engine.undelivered(0).values()} == {"503"}
    provider.on_download = lambda *_: VIDEO
    assert resume(ended).run().states() == {State.DONE: 3}


def test_a_video_that_is_too_large_is_tried_once() -> None:
    """It would be as large again: the row stays finished and says what to do."""
    provider = Provider(on_download=lambda *_: VideoTooLarge("too large", action="raise it"))
    ended = night(3, provider).run()
    assert ended.states() == {State.READY: 3}
    assert set(provider.downloads.values()) == {1}
    assert {error.action for error in ended.engine.undelivered(0).values()} == {"raise it"}


@pytest.mark.parametrize(
    ("seconds", "words"), [(90, "90 s"), (0.5, "0.5 s"), (600, "10 min"), (DAY_S, "24 h")]
)
def test_waits_in_words(seconds: float, words: str) -> None:
    """As a person says them."""
    assert say_wait(seconds) == words
