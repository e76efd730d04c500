"""Kills at any moment, faults of every kind, reruns: nothing paid twice, nothing lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.commands import Command, Download, Query, Submit, Upload
from pipeline.engine.rows import Stop
from pipeline.errors import (
    BadVideo,
    DownloadError,
    ExitCode,
    LinkDead,
    NoSuchTask,
    NotSent,
    ProviderError,
    Refused,
    Throttled,
    TransferBroken,
    Unclear,
    Unreachable,
)
from pipeline.model import Entry, Phase, State, TaskView, Video
from tests.conftest import share_of_examples
from tests.engine.night import SETTINGS, VIDEO, Death, Night, Provider, attempt, night, resume

ROWS = 40
WEIGHTS = st.lists(st.sampled_from([1.0, 2.5, 0.25]), min_size=1, max_size=4)
"""Those of one to four lanes."""
SMALL = replace(
    SETTINGS, outstanding=12, submits_in_flight=5, uploads=2, downloads=3, missing_grace_s=120
)


class Weather:
    """Faults by chance, each with its own likelihood; `calm` ends them."""

    def __init__(self, seed: int, share: float) -> None:
        self.dice = random.Random(seed)
        self.share = share

    def calm(self) -> None:
        self.share = 0.0

    def _fault(self, *kinds: Callable[[], object]) -> object:
        return self.dice.choice(kinds)() if self.dice.random() < self.share else None

    def on_submit(self, *_: object) -> ProviderError | None:
        return self._fault(  # type: ignore[return-value]
            lambda: Unclear("502", status=502),
            lambda: Unclear("timeout"),
            lambda: Throttled("429"),
            lambda: Throttled("429", retry_after_s=7),
            lambda: NotSent("refused"),
            lambda: Refused("bad prompt", status=400),
        )

    def on_query(self, *_: object) -> TaskView | ProviderError | None:
        return self._fault(  # type: ignore[return-value]
            lambda: Unreachable("500"),
            lambda: NoSuchTask("task_not_exist"),
            lambda: TaskView(None, Phase.UNKNOWN),
            lambda: Throttled("429", retry_after_s=3),
        )

    def on_download(self, *_: object) -> Video | DownloadError:
        return (
            self._fault(  # type: ignore[return-value]
                lambda: LinkDead("403"), lambda: TransferBroken("reset"), lambda: BadVideo("bad")
            )
            or VIDEO
        )

    def on_upload(self, said: Upload, *_: object) -> str | ProviderError:
        return (
            self._fault(lambda: Unreachable("500"), lambda: Throttled("429"))  # type: ignore[return-value]
            or f"https://files.example/{said.sha256}.jpg"
        )

    def provider(self, seed: int) -> Provider:
        return Provider(
            seed,
            on_submit=self.on_submit,
            on_query=self.on_query,
            on_download=self.on_download,
            on_upload=self.on_upload,
        )


def hold_invariants(one: Night) -> dict[str, Entry]:
    """The invariants of the design, against the provider's own records."""
    entries, provider = one.entries(), one.provider
    assert set(provider.references.values()) <= {1}, "one acceptance per attempt"
    known = {entry.task_id for entry in entries.values()}
    for reference, task_id in provider.by_reference.items():
        entry = entries[reference.removeprefix("rs-").rsplit("-", 1)[0]]
        open_states = {State.IN_DOUBT, State.SUBMITTING}
        assert task_id in known or entry.state in open_states, "no task id is lost"
    for entry in entries.values():
        if entry.state is State.DONE:
            assert entry.video is not None
            assert provider.accepted[entry.identity] == 1
        if entry.state in {State.WAITING, State.REFUSED}:
            assert provider.accepted[entry.identity] == 0, "what was accepted is not sent again"
    assert one.peak_outstanding <= one.settings.outstanding
    assert one.peaks[Submit] <= one.settings.submits_in_flight
    return entries


def mixed(seed: int, share: float, weights: Sequence[float] = (1,)) -> tuple[Night, Weather]:
    """A night of rows with and without pictures, dealt out to lanes with these weights."""
    weather, lanes = Weather(seed, share), len(weights)
    rows = [
        attempt(
            f"row{n // lanes:06}",
            lane=n % lanes,
            images=(f"sha256:p{n % 7}",) if n % 3 else (),
        )
        for n in range(ROWS)
    ]
    return night(rows, weather.provider(seed), SMALL, weights), weather


def commands_of(one: Night) -> list[type[Command]]:
    return [type(said) for said, _ in one.sent]


@settings(max_examples=share_of_examples(0.6))
@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.0, 0.05, 0.3, 0.7]),
    lives=st.lists(
        st.tuples(
            st.builds(Death, st.integers(1, 400), st.integers(-1, 6), st.integers(0, 3)),
            st.sampled_from([0.0, 5.0, 4000.0]),
        ),
        max_size=4,
    ),
    weights=WEIGHTS,
)
def test_kills_and_faults_in_any_order(
    seed: int, share: float, lives: list[tuple[Death, float]], weights: list[float]
) -> None:
    """Whatever is killed when, and whatever goes wrong: run again, and every row is through."""
    one, weather = mixed(seed, share, weights)
    for death, pause_s in lives:
        one.run(death=death)
        hold_invariants(one)
        one = resume(one, after_s=pause_s)
    one.run()
    hold_invariants(one)
    weather.calm()
    for _ in range(3):
        one = resume(one, after_s=10.0).run()
    entries = hold_invariants(one)
    assert len(entries) == ROWS
    unsettled = {State.IN_DOUBT, State.MISSING}
    ended = {State.DONE, State.REFUSED, State.EXPIRED} | unsettled
    assert {entry.state for entry in entries.values()} <= ended
    for entry in entries.values():
        # In doubt for ever is only what the provider really never took.
        assert entry.state not in unsettled or one.provider.accepted[entry.identity] == 0


@settings(max_examples=share_of_examples(0.4))
@given(
    seed=st.integers(0, 10_000),
    at_s=st.floats(0, 300),
    share=st.sampled_from([0.0, 0.3]),
    weights=WEIGHTS,
)
def test_a_graceful_stop_leaves_no_doubt_of_its_own(
    seed: int, at_s: float, share: float, weights: list[float]
) -> None:
    """Stopped at any time: nothing new goes out, no row is left submitting."""
    one, _ = mixed(seed, share, weights)
    one.keeps_sent = True
    one.run(until=at_s)
    sent = len(one.sent)
    one.engine.stop(Stop(ExitCode.INTERRUPTED, "interrupted"))
    one.run()
    assert commands_of(one)[sent:] == []
    entries = hold_invariants(one)
    assert State.SUBMITTING not in {entry.state for entry in entries.values()}


@pytest.mark.parametrize("weights", [(1,), (1, 3)], ids=["one lane", "two lanes"])
def test_every_boundary_of_a_short_night(weights: Sequence[float]) -> None:
    """Killed after each single decision: around its commits, and after its first command."""
    length = mixed(1, 0.2, weights)[0].run().decisions
    for decision in range(1, min(length, 100), 2):
        for carried_out, lanes in ((-1, 0), (-1, 1), (0, 0), (1, 0))[2 - len(weights) :]:
            one, weather = mixed(1, 0.2, weights)
            one.run(death=Death(decision, carried_out, lanes))
            hold_invariants(one)
            weather.calm()
            again = resume(one, after_s=1.0).run()
            hold_invariants(again)
            assert len(again.entries()) == ROWS


def test_every_kind_of_command_is_interrupted_somewhere() -> None:
    """The kills above do hit uploads, submissions, queries and downloads under way."""
    one, _ = mixed(3, 0.0)
    one.keeps_sent = True
    assert set(commands_of(one.run())) == {Upload, Submit, Query, Download}
