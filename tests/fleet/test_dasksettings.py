"""Dask is set as measured, and no command loads it that does not use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.fleet.dasksettings import SETTINGS

LOADED = """
import sys
import pipeline.cli.app, pipeline.runner.lanes, pipeline.runner.session, pipeline.cli.worker
import pipeline.fleet.choice, pipeline.runner.manning
print([one for one in ("dask", "distributed", "tornado", "cryptography") if one in sys.modules])
"""


def test_the_settings_are_known_to_dask() -> None:
    """A name that Dask does not know would change nothing."""
    import dask.config  # noqa: PLC0415
    import distributed  # noqa: F401, PLC0415 - it makes the defaults

    for name in SETTINGS:
        dask.config.get(name)


@pytest.mark.process
def test_whoever_has_no_workers_loads_nothing_of_dask() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.strip() == "[]"
