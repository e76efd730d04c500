"""Whether the night is well, by night.json and the lock of the night."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.disk.lock import run_lock
from pipeline.errors import ExitCode, StoreError
from pipeline.model import State
from pipeline.night.health import look_at_night
from pipeline.night.record import NightRecord, lock_of
from pipeline.writer.layout import Result
from tests.night.ended import AT_A_CAP, report

NOW = datetime(2027, 1, 12, 3, tzinfo=UTC).timestamp()


def record(outputs: Path, wall: float = NOW) -> NightRecord:
    outputs.mkdir(exist_ok=True)
    return NightRecord(outputs / "night.json", wall=lambda: wall)


def test_a_night_that_goes_on_is_heard_of(tmp_path: Path) -> None:
    """For ten minutes it may be silent, or for as long as is given."""
    with run_lock(lock_of(tmp_path)), record(tmp_path):
        assert look_at_night(tmp_path, None, NOW + 590) == (True, "the night goes on: no rows yet")
        well, said = look_at_night(tmp_path, None, NOW + 660)
        assert not well
        assert "last heard of 11 min ago, and at most 10 min is well" in said
        assert look_at_night(tmp_path, 1000.0, NOW + 660)[0]


def test_a_night_that_was_killed_is_not_well(tmp_path: Path) -> None:
    """Its record still says that it goes on, but nobody holds its lock."""
    with record(tmp_path):
        well, said = look_at_night(tmp_path, None, NOW)
    assert not well
    assert said == "the night that began at 2027-01-12T03:00:00Z was killed"


def test_one_whose_lock_cannot_be_tried_is_judged_by_its_age(tmp_path: Path) -> None:
    """Another user may read night.json, but not take the lock: that says nothing of a kill."""
    lock = lock_of(tmp_path)
    with run_lock(lock), record(tmp_path):
        lock.unlink()
        lock.mkdir()  # opening it fails, for root too
        assert look_at_night(tmp_path, None, NOW + 590)[0]
        assert "last heard of" in look_at_night(tmp_path, None, NOW + 660)[1]
        lock.rmdir()


@pytest.mark.parametrize("code", [int(code) for code in ExitCode])
def test_an_ended_night_is_well_if_it_needs_nobody_at_once(tmp_path: Path, code: int) -> None:
    """Whenever that was, unless an age is given."""
    with record(tmp_path) as one:
        one.end(ExitCode(code), [])
    well, said = look_at_night(tmp_path, None, NOW + 1e6)
    assert well is (code in {0, 1, 5})
    assert f"ended at 2027-01-12T03:00:00Z with {code}" in said
    assert not look_at_night(tmp_path, 100.0, NOW + 101)[0]


def test_what_came_of_the_rows_is_told_and_why_it_ended(tmp_path: Path) -> None:
    """In the one line that a supervisor shows."""
    ended = report(tmp_path, Result(2, State.DONE), Result(3, State.FAILED), stops=(AT_A_CAP,))
    with record(tmp_path) as one:
        one.end(ExitCode.STOPPED, [(Path("a.csv"), ended)])
    _, said = look_at_night(tmp_path, None, NOW)
    assert said.endswith("with 4: 1 done, 1 failed; a cap is reached")


def test_why_a_night_is_not_well_is_told_where_nothing_stopped_it(tmp_path: Path) -> None:
    """A disk kept one manifest from its work, and the others went through."""
    full = StoreError("b.csv cannot be copied: the disk is full.", action="Free some space.")
    through = report(tmp_path, Result(2, State.DONE))
    with record(tmp_path) as one:
        one.refuse(Path("b.csv"), full)
        one.end(ExitCode.UNFINISHED, [(Path("a.csv"), through)])
    well, said = look_at_night(tmp_path, None, NOW)
    assert not well
    assert said.endswith("with 5: 1 done; b.csv cannot be copied: the disk is full.")


def test_a_time_that_is_none_was_never(tmp_path: Path) -> None:
    """A record that something else wrote is not heard of."""
    (tmp_path / "night.json").write_text('{"state": "ended", "updated_at": "soon"}')
    well, said = look_at_night(tmp_path, 60.0, NOW)
    assert not well
    assert "last heard of never" in said


def test_where_there_was_no_night_nothing_is_well(tmp_path: Path) -> None:
    assert look_at_night(tmp_path, None, NOW)[0] is False
