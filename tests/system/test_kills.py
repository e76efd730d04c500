"""SIGKILL at random moments: nothing is paid twice, nothing is lost."""

from __future__ import annotations

from pathlib import Path

from tests.system.harness import kills
from tests.system.harness.api import KEY, emulator
from tests.system.harness.product import Product

KILLS, ROWS = 30, 200


def test_thirty_kills_over_two_hundred_rows(tmp_path: Path) -> None:
    """Every row is accounted for after 30 kills: none submitted twice, none lost, journal whole."""
    with emulator(tmp_path / "api", median_s=0.4) as api:
        api.faults(*kills.FAULTS)
        work = tmp_path / "work"
        product = Product(work, api.base_url, KEY)
        manifest = kills.manifest(work, ROWS)
        tally = kills.kill_and_rerun(product, api, manifest, kills=KILLS, seed=20261122)
    assert tally.killed == KILLS, tally
    assert tally.whole, tally
    assert tally.exit_code == (3 if tally.states["in_doubt"] else 0), tally
