"""Try a recipe for an orchestrator with every exit code, in the orchestrator's own environment.

    python mapping.py docs/nights/airflow_night.py

Prints one JSON document: what becomes of a task, by exit code. The run is not a real one: a
stand-in of the same shape ends with each code in turn; real runs are in test_orchestrators.py.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import reelsheet
from reelsheet import ExitCode, ReelsheetError

REPORTED = (ExitCode.DONE, ExitCode.NEEDS_USER, ExitCode.IN_DOUBT, ExitCode.STOPPED)


class Ends:
    """Stands in for a manifest whose run ends with a code."""

    code = ExitCode.DONE

    def __init__(self, manifest: str) -> None:
        self.manifest = manifest

    def run(self, **options: object) -> Any:
        """Report it, or raise it."""
        assert options == {"retry": "failed"}
        if self.code in {*REPORTED, ExitCode.UNFINISHED}:
            return SimpleNamespace(exit_code=self.code, states={"done": 1}, stops=())
        error = ReelsheetError("It did not begin.", action="Do something.")
        error.exit_code = self.code
        raise error


def main() -> None:
    """Load the recipe and call its task with every code."""
    path = Path(sys.argv[1])
    reelsheet.Reelsheet = Ends  # type: ignore[assignment, misc]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    task = module.make_videos
    call, quiet = getattr(task, "function", None), contextlib.nullcontext
    if call is None:
        from prefect.logging import disable_run_logger  # noqa: PLC0415 - only where it is used

        call, quiet = task.fn, disable_run_logger
    came: dict[str, str] = {}
    for code in ExitCode:
        Ends.code = code
        try:
            with quiet():
                call("a.csv")
        except Exception as error:  # noqa: BLE001 - its kind is the answer
            came[str(int(code))] = type(error).__name__
        else:
            came[str(int(code))] = "success"
    print(json.dumps(came))  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
