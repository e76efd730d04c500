"""What a run needs before it is known that there is anything to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"aiohttp", "av", "obstore", "openpyxl"}


@pytest.mark.process
def test_a_run_with_nothing_left_to_do_starts_without_what_talks_to_a_provider() -> None:
    """A sheet that is all done is said to be so within seconds, and no socket is near."""
    program = (
        "import sys, pipeline.runner.lanes, pipeline.cli.progress; "
        f"print(*({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert (said.returncode, said.stdout.strip()) == (0, ""), said.stderr
