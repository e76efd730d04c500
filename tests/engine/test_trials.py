"""Models of which no video was made yet: one row of each goes first, the others of it wait."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.engine.commands import Query, Submit
from pipeline.engine.engine import Engine
from pipeline.errors import ExitCode, NoSuchTask, ProviderError, Refused, Unclear, Withheld
from pipeline.model import Attempt, Phase, State, TaskView
from tests.engine.night import SETTINGS, Night, Provider, attempt, enqueue

NEW = "clip-2"


def rows(number: int, model: str = NEW, *, lane: int = 0) -> list[Attempt]:
    return [attempt(f"{model}{one:04}", model=model, lane=lane) for one in range(number)]


def trial(
    provider: Provider, *attempts: Attempt, models: tuple[str, ...] = (NEW,), lanes: int = 1
) -> Night:
    engine = Engine(SETTINGS, 0.0)
    engine.trials.begin(models)
    weights = (1,) * lanes
    enqueue(engine, *attempts, weights=weights)
    return Night(engine, provider, list(attempts), weights=weights, keeps_sent=True).run()


def submits(ended: Night) -> list[tuple[str, float]]:
    return [(one.row.key, at) for one, at in ended.sent if isinstance(one, Submit)]


def home_at(ended: Night, key: str) -> float:
    return next(
        at
        for event, at in ended.journal
        if event.key == key and type(event).__name__ == "Downloaded"
    )


def test_one_row_goes_first_and_all_others_when_its_video_is_home() -> None:
    """Each is submitted once; rows of a model that was made before wait for nothing."""
    known = rows(100, "gemini_omni_flash")
    ended = trial(Provider(), *rows(200), *known)
    assert ended.states() == {State.DONE: 300}
    assert ended.engine.stops == []
    assert set(ended.provider.submits.values()) == {1}
    sent = submits(ended)
    new = [(key, at) for key, at in sent if key.startswith(NEW)]
    assert len(new) == 200
    assert new[0][0] == "clip-20000"
    home = home_at(ended, "clip-20000")
    assert all(at >= home for _, at in new[1:])
    assert [key for key, _ in new] == sorted(key for key, _ in new)
    assert sum(at < home for _, at in sent) > 30


def test_a_model_may_have_a_single_row() -> None:
    """There is nothing to keep back, and a run without such a model has no trial at all."""
    assert trial(Provider(), *rows(1)).states() == {State.DONE: 1}
    assert trial(Provider(), *rows(50, "gemini_omni_flash")).states() == {State.DONE: 50}


def test_three_rows_are_tried_at_most() -> None:
    """Then the model is left alone, the others go on, and the exit code is 4."""
    refused = Refused("no such field", status=400, code="invalid_parameter")

    def on_submit(command: Submit, *_: object) -> ProviderError | None:
        return refused if command.attempt.request.model == NEW else None

    known = rows(40, "gemini_omni_flash")
    ended = trial(Provider(on_submit=on_submit), *rows(1000), *known)
    assert ended.states() == {State.REFUSED: 3, State.WAITING: 997, State.DONE: 40}
    (stop,) = ended.engine.stops
    assert stop.exit_code is ExitCode.STOPPED
    assert "3 rows of the model clip-2" in stop.reason
    assert "reelsheet models show clip-2" in (stop.action or "")


def test_the_second_or_third_may_come_home() -> None:
    """Their turns come one after the other; then the rest goes."""

    def on_query(command: Query, *_: object) -> TaskView | None:
        if command.row.key in ("clip-20000", "clip-20001"):
            return TaskView("x", Phase.FAILED, error_code="generation_failed")
        return None

    ended = trial(Provider(on_query=on_query), *rows(30))
    assert ended.states() == {State.FAILED: 2, State.DONE: 28}
    assert ended.engine.stops == []
    first = [at for _, at in submits(ended)[:4]]
    assert first == sorted(first)
    assert home_at(ended, "clip-20002") <= first[3]


def test_a_row_in_doubt_is_no_video() -> None:
    """It is looked up in vain, and the next row is tried when nothing else moves."""

    def on_submit(command: Submit, *_: object) -> ProviderError | None:
        return Unclear("HTTP 502", status=502) if command.row.key == "clip-20000" else None

    provider = Provider(on_submit=on_submit, loses_unclear=True)
    ended = trial(provider, *rows(20), *rows(5, "gemini_omni_flash"))
    assert ended.states() == {State.IN_DOUBT: 1, State.DONE: 24}
    assert ended.provider.submits["clip-20000"] == 1


@pytest.mark.parametrize("lost", ["doubt", "missing"])
def test_three_that_never_end_are_enough(lost: str) -> None:
    """Whatever becomes of them: no fourth one is paid for."""

    def on_submit(*_: object) -> ProviderError | None:
        return Unclear("HTTP 502", status=502) if lost == "doubt" else None

    def on_query(*_: object) -> ProviderError | None:
        return NoSuchTask("task_not_exist", status=404)

    provider = Provider(on_submit=on_submit, on_query=on_query, loses_unclear=lost == "doubt")
    ended = trial(provider, *rows(20))
    assert ended.provider.submits.total() == 3
    assert ended.states()[State.WAITING] == 17
    assert [stop.exit_code for stop in ended.engine.stops] == [ExitCode.STOPPED]


def test_a_row_that_was_bought_before_proves_nothing() -> None:
    """It was not sent, so it is none of the three."""

    def on_submit(command: Submit, *_: object) -> Withheld | None:
        return Withheld("bought before", repeat=True) if command.row.key < "clip-20005" else None

    ended = trial(Provider(on_submit=on_submit), *rows(20))
    assert ended.states() == {State.DONE: 15, State.WAITING: 5}
    assert ended.engine.stops == []


@pytest.mark.parametrize("lost", ["refused", "doubt"])
def test_a_single_row_that_comes_to_nothing_gives_nothing_up(lost: str) -> None:
    """There is no other row of the model that could be sent or kept back."""
    refused = Refused("no such field", status=400, code="invalid_parameter")
    answer = refused if lost == "refused" else Unclear("HTTP 502", status=502)

    def on_submit(command: Submit, *_: object) -> ProviderError | None:
        return answer if command.row.key == "clip-20000" else None

    provider = Provider(on_submit=on_submit, loses_unclear=True)
    ended = trial(provider, *rows(1), *rows(3, "gemini_omni_flash"))
    assert ended.states()[State.DONE] == 3
    assert ended.provider.submits["clip-20000"] == 1
    assert [stop for stop in ended.engine.stops if "never run" in stop.reason] == []


def test_models_are_tried_apart_and_lanes_together() -> None:
    """Two models have a row each at the same time; one model has one row over all manifests."""
    other = "clip-3"
    attempts = [*rows(10), *rows(10, other), *rows(10, lane=1)]
    ended = trial(Provider(), *attempts, models=(NEW, other), lanes=2)
    assert ended.states() == {State.DONE: 30}
    home = {model: min(home_at(ended, key) for key in (f"{model}0000",)) for model in (NEW, other)}
    early = Counter(key[: len(NEW)] for key, at in submits(ended) if at < min(home.values()))
    assert early == {NEW: 1, other: 1}
