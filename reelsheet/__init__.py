"""Reelsheet for programs: `from reelsheet import Reelsheet` (see docs/python.md).

The program itself is the package `pipeline` beside this one. The name is a common one, so it is
loaded from there and from nowhere else, whatever lies in the working folder or earlier on the
import path.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_NAME = "pipeline"
_HOME = Path(__file__).absolute().parent.parent


def _load_pipeline() -> None:
    """Import our `pipeline`; raises ImportError if the process has imported another one."""
    loaded = sys.modules.get(_NAME)
    if loaded is None:
        spec = PathFinder.find_spec(_NAME, [str(_HOME)])
        if spec is None or spec.loader is None:
            raise ImportError(f"reelsheet is not installed whole: {_HOME / _NAME} is missing")
        sys.modules[_NAME] = module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[_NAME]
            raise
        return
    places = [Path(place) for place in getattr(loaded, "__path__", ())]
    if not any(place.resolve() == (_HOME / _NAME).resolve() for place in places):
        file = getattr(loaded, "__file__", None) or ", ".join(map(str, places)) or "memory"
        raise ImportError(
            f"this process has imported another package named {_NAME}, from {file}, and reelsheet "
            f"needs its own, {_HOME / _NAME}. Call it in a process of its own: "
            'subprocess.run(["reelsheet", "run", MANIFEST]).'
        )


_load_pipeline()

from pipeline.engine.rows import Stop  # noqa: E402 - loaded only now
from pipeline.errors import ExitCode, ReelsheetError  # noqa: E402
from pipeline.model import Problem, Severity, State  # noqa: E402
from pipeline.night.outside import Reelsheet  # noqa: E402
from pipeline.planner.plan import Action, Step  # noqa: E402
from pipeline.runner.api import RowChoice, RunOptions  # noqa: E402
from pipeline.runner.checking import CheckReport  # noqa: E402
from pipeline.runner.inthread import OnProgress  # noqa: E402
from pipeline.runner.judging import JudgedTake  # noqa: E402
from pipeline.runner.piloting import PilotReport  # noqa: E402
from pipeline.runner.reports import (  # noqa: E402
    PilotWaits,
    PlanReport,
    RepeatsWait,
    RowsWait,
    RunReport,
    RunSpend,
    StatusReport,
)
from pipeline.runner.rowresults import RowResult  # noqa: E402
from pipeline.runner.watching import RunProgress  # noqa: E402
from pipeline.writer.summary import Summary  # noqa: E402

__all__ = [
    "Action",
    "CheckReport",
    "ExitCode",
    "JudgedTake",
    "OnProgress",
    "PilotReport",
    "PilotWaits",
    "PlanReport",
    "Problem",
    "Reelsheet",
    "ReelsheetError",
    "RepeatsWait",
    "RowChoice",
    "RowResult",
    "RowsWait",
    "RunOptions",
    "RunProgress",
    "RunReport",
    "RunSpend",
    "Severity",
    "State",
    "StatusReport",
    "Step",
    "Stop",
    "Summary",
]
