"""What is written while a night goes on: the results of each manifest, every few minutes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline.runner.lanes import run
from pipeline.runner.order import place_order, select
from pipeline.runner.target import resolve_target
from pipeline.runner.watching import RunProgress
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

ROWS = 60


class _Hasty:
    """A clock on which five minutes are a second."""

    def now(self) -> float:
        return time.monotonic() * 300

    def wall(self) -> float:
        return time.time()


@dataclass
class _Reader:
    """Opens the results again and again while the night goes on."""

    results: Path
    interval_s: float = 0.0
    seen: list[tuple[int, int]] = field(default_factory=list)

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def show(self, progress: RunProgress) -> None:
        _ = progress
        if self.results.exists():
            states = [line["result_state"] for line in sheets.results(self.results.parent)]
            self.seen.append((len(states), states.count("done")))


@pytest.mark.parametrize("is_night", [True, False])
def test_results_are_written_every_few_minutes_of_a_night(
    tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch, *, is_night: bool
) -> None:
    """Whole at every moment, each with more done; a run that somebody watches writes at its end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    manifest = sheets.write(tmp_path / "a.csv", sheets.rows(ROWS))
    given = {**FAST, "api.base_url": api.base_url, "limits.outstanding": "3"}
    target = resolve_target(manifest, settings=[f"{k}={v}" for k, v in given.items()])
    reader = _Reader(tmp_path / "outputs" / "a" / "results.csv")
    with place_order(target, select(target)) as order:
        terms = replace(order.terms, is_night=is_night)
        report = run(replace(order, terms=terms), reader, clock=_Hasty())
    assert report.states == {"done": ROWS}
    assert {rows for rows, _ in reader.seen} <= {ROWS}
    done = [count for _, count in reader.seen]
    assert done == sorted(done)
    assert any(0 < count < ROWS for count in done) == is_night
