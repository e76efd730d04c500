"""SIGKILL at random moments: nothing is paid twice, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.harness import kills
from tests.system.harness.api import KEY, emulator
from tests.system.harness.product import Product


@pytest.mark.parametrize(
    ("command", "times", "rows", "lanes"),
    [
        pytest.param("run", 30, 200, 1, marks=pytest.mark.long),
        pytest.param("run", 12, 90, 3, marks=pytest.mark.long),
        ("night", 12, 90, 3),
    ],
)
def test_thirty_kills_over_two_hundred_rows(
    tmp_path: Path, command: str, times: int, rows: int, lanes: int
) -> None:
    """Every row is accounted for after the kills: none submitted twice, none lost, journals whole.

    Of one manifest, and of three that are run together, or in a night.
    """
    with emulator(tmp_path / "api", median_s=0.4) as api:
        api.faults(*kills.FAULTS)
        work = tmp_path / "work"
        product = Product(work, api.base_url, KEY)
        manifests = kills.manifests(work, rows, lanes)
        tally = kills.kill_and_rerun(
            product, api, manifests, kills=times, seed=20261122, command=command
        )
    assert tally.killed == times, tally
    assert tally.whole, tally
    assert tally.exit_code == (3 if tally.states["in_doubt"] else 0), tally
