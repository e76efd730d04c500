"""The scheduler of workers of this machine is for nobody else, and changes nothing in the run."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.fleet.dasksettings import hand_on, load, passing_security, security_from
from pipeline.fleet.opening import _scheduler


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
