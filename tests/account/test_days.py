"""The days of a budget: in UTC, in a zone with summer time, on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.account.guard import Days
from pipeline.config.loading import load
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_days_of_utc() -> None:
    days = Days("UTC")
    assert days.start_of(at("2026-11-26T23:59:59")) == at("2026-11-26T00:00")
    assert days.number_of(at("2026-11-27T00:00")) - days.number_of(at("2026-11-26T23:59")) == 1


@pytest.mark.parametrize(
    ("zone_name", "moment", "start"),
    [
        ("Europe/Berlin", "2026-11-26T22:59:59", "2026-11-25T23:00"),
        ("Europe/Berlin", "2026-11-26T23:00:00", "2026-11-26T23:00"),
        ("Europe/Berlin", "2026-07-01T12:00:00", "2026-06-30T22:00"),
        ("Europe/Berlin", "2026-03-29T12:00:00", "2026-03-28T23:00"),
        ("Asia/Shanghai", "2026-11-26T16:00:00", "2026-11-26T16:00"),
        # In Cairo clocks are put forward at midnight: the day begins as its first moment comes.
        ("Africa/Cairo", "2026-04-24T12:00:00", "2026-04-23T22:00"),
    ],
)
def test_days_of_a_zone(zone_name: str, moment: str, start: str) -> None:
    assert Days(zone_name).start_of(at(moment)) == at(start)


def test_days_of_this_machine(zone: pytest.MonkeyPatch) -> None:
    zone.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    assert Days().start_of(at("2026-11-26T16:00")) == at("2026-11-26T15:00")
    assert Days("local").number_of(at("2026-11-26T15:00")) == datetime(2026, 11, 27).toordinal()  # noqa: DTZ001


def test_numbers_never_fall_and_starts_belong_to_their_day() -> None:
    for name in ("UTC", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia", "Asia/Kathmandu"):
        days, moment = Days(name), at("2010-01-01T00:00")
        last = days.number_of(moment)
        while moment < at("2014-01-01T00:00"):
            moment += 7 * 3600
            number, start = days.number_of(moment), days.start_of(moment)
            assert number >= last
            assert start <= moment < start + 26 * 3600
            assert days.number_of(start) == number
            assert days.number_of(start - 1) < number
            last = number


def test_a_zone_that_is_none() -> None:
    for name in ("Mars/Olympus", "../../etc/passwd", "Europe"):
        with pytest.raises(ConfigError, match="is not a time zone"):
            load(None, environ={}, overrides=[f"budget.timezone={name}"])
    assert load(None, environ={}, overrides=["budget.timezone=Europe/Berlin"]).budget.timezone


WITHOUT_ZONES = """
import sys
sys.modules["tzdata"] = None
from pipeline.config.loading import load
from pipeline.errors import ConfigError
print(load(None, environ={}).budget.timezone)
try:
    load(None, environ={}, overrides=["budget.timezone=Europe/Berlin"])
except ConfigError as error:
    print(error.message)
"""


@pytest.mark.process
def test_a_system_without_time_zones() -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_ZONES],
        cwd=ROOT,
        env={**os.environ, "PYTHONTZPATH": "/nowhere"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.startswith("local\n")
    assert "pip install tzdata" in told
