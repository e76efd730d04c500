"""The scheduler of workers of this machine is for nobody else, and changes nothing in the run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipeline.fleet.crew import Crew, Hands
from pipeline.fleet.dasksettings import hand_on, load, passing_security, security_from
from pipeline.fleet.opening import _scheduler, way_within


async def test_a_scheduler_inside_the_run(tmp_path: Path) -> None:
    """It answers on this machine alone, and nothing is imported from where it works."""
    load()
    before, security = list(sys.path), passing_security()
    async with _scheduler(security, tmp_path / "scratch") as scheduler:
        assert scheduler.address.startswith("tls://127.0.0.1:")
        assert sys.path == before
        assert (tmp_path / "scratch").is_dir()
        handed = security_from(hand_on(security))
        assert handed.require_encryption
        assert hand_on(handed) == hand_on(security)
    assert sys.path == before


@pytest.mark.process  # Dask asks uname which processor it is
async def test_the_run_reaches_it_without_a_socket(tmp_path: Path) -> None:
    """What it says to its own scheduler is neither packed nor encrypted; workers are told tls."""
    load()
    security = passing_security()
    async with _scheduler(security, tmp_path / "scratch") as scheduler:
        way = way_within(scheduler)
        hands = Hands(lambda _: None, lambda _: None)
        crew = Crew(scheduler.address, hands, {}, security=security, way=way)
        try:
            await crew._connect()
            assert crew.connected
            assert await crew._present() == {}
            (client,) = set(scheduler.clients) - {"fire-and-forget"}
            assert scheduler.client_comms[client].comm.peer_address.startswith("inproc://")
            assert scheduler.address in crew.say_none()
        finally:
            await crew._disconnect()
