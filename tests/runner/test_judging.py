"""Pilots and decisions as a program makes them: the guards of the command line hold for it, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.runner.api import Reelsheet
from pipeline.runner.reports import PilotWaits, RowsWait
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

GATE = {"pilot.gate": "true", "pilot.rows": "2", "pilot.approve": "1"}


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    return sheets.write(tmp_path / "shop.csv", sheets.rows(5))


def sheet(manifest: Path, api: Api, **settings: str) -> Reelsheet:
    return Reelsheet(manifest, settings={**FAST, "api.base_url": api.base_url or "", **settings})


def test_a_program_makes_a_pilot_judges_it_and_goes_through_its_gate(
    manifest: Path, api: Api
) -> None:
    """It is told what waits, and for what; a run with nothing else to do raises with its report."""
    gated = sheet(manifest, api, **GATE)
    planned = gated.plan(pilot=3)
    assert planned.pilot is not None
    assert (planned.submits, planned.pilot.rest, planned.pilot.rest_seconds) == (3, 2, 12)
    first = gated.run()
    assert (int(first.exit_code), first.states) == (1, {"done": 2, "waiting": 3})
    assert first.waits.unjudged == 2
    assert first.pilot is not None
    assert first.pilot.missing == ("2 rows to be judged", "0 of 1 approved")
    with pytest.raises(PilotWaits) as waits:
        gated.run()
    assert isinstance(waits.value, RowsWait)
    assert waits.value.report.pilot == first.pilot
    made = [take.key for take in gated.takes()]
    gated.decide(reject=made)
    closed = gated.plan().pilot
    assert closed is not None
    assert "missing: 0 of 1 approved. 1 more row is to be approved: to make" in closed.sentences[-1]
    assert "--redo rejected" in closed.sentences[-1]
    assert gated.decide(approve=made[0], reject=made[1:], reason="dull", reviewer="ana") == ()
    said = {take.key: (take.verdict, take.reason, take.reviewer) for take in gated.takes()}
    assert said == {made[0]: ("approve", "", "ana"), made[1]: ("reject", "dull", "ana")}
    rest = gated.run()
    assert (rest.states, rest.waits.unjudged) == ({"done": 5}, 3)
    assert sheet(manifest, api).run(pilot=True).submitted == 0


def test_decisions_that_make_no_sense_are_refused(manifest: Path, api: Api) -> None:
    """Nothing is recorded; a row that has no video is named."""
    gated = sheet(manifest, api)
    for choice in ({"approve": "A", "reject": "A"}, {"reason": "dull"}, {"approve": "NOBODY"}):
        with pytest.raises(UsageError):
            gated.decide(**choice)
    assert gated.decide(approve="P0001") == ("P0001",)
    assert gated.takes() == ()
    for pilot in (0, -1, 2.5):
        with pytest.raises(UsageError, match="whole number of rows from 1"):
            gated.plan(pilot=pilot)  # type: ignore[arg-type]  # what a program may get wrong
