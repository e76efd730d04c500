"""The cycle collector is away while rows are made, and back afterwards."""

from __future__ import annotations

import gc

import pytest

from pipeline.process import collector
from pipeline.process.collector import pause_collector, relax_collector


def test_it_is_away_and_comes_back() -> None:
    """Pauses inside of a pause end with the outer one."""
    assert gc.isenabled()
    with pause_collector():
        with pause_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_comes_back_after_an_error() -> None:
    """A manifest that cannot be read does not leave it away."""
    with pytest.raises(ValueError, match="bad row"), pause_collector():
        raise ValueError("bad row")
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    """Who switched the collector off does not get it back from here."""
    gc.disable()
    try:
        with pause_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_process_of_our_own_has_it_look_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the start of the process made is walked through no more."""
    monkeypatch.setattr(collector, "_ours", False)
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    try:
        relax_collector()
        assert gc.isenabled()
        assert gc.get_threshold()[0] > usual[0]
        assert gc.get_freeze_count() > frozen
        at_start = gc.get_freeze_count()
        later: list[list[int]] = [[] for _ in range(100)]
        with pause_collector():
            pass
        assert gc.get_freeze_count() >= at_start + len(later)
    finally:
        monkeypatch.undo()
        gc.set_threshold(*usual)
        gc.unfreeze()


def test_the_collector_of_another_program_is_left_alone() -> None:
    """What a program made is collected after a call of ours, too; what it froze stays frozen."""
    frozen = gc.get_freeze_count()
    with pause_collector():
        pass
    assert gc.get_freeze_count() == frozen
