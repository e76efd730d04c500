"""`reelsheet stop` and `reelsheet limits`: reach a night or a run that goes on.

Tested in tests/system/test_nights.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import ConfigPath, OutputsOut, Set
from pipeline.cli.screen import print_line
from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.manifest.wording import agree, name_all

if TYPE_CHECKING:
    from pipeline.config.settings import Config

_Now = Annotated[
    bool,
    typer.Option("--now", help="Do not wait for answers and downloads that are under way."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("stop", short_help="End a night or a run that goes on.")(_stop)
    app.command("limits", short_help="Have a night or a run keep to other limits.")(_limits)


def _stop(
    config: ConfigPath = None, out: OutputsOut = None, sets: Set = None, now: _Now = False
) -> None:
    """End the nights and runs that work in the folder of outputs: nothing new is sent or asked.

    Answers and downloads under way are awaited, and the results written; the exit code of what is
    stopped is 5, and the next night continues. With --now nothing is awaited: a submission without
    an answer is looked up by the next run.
    """
    settings = _load(config, sets)
    ask_to(out or Path(settings.output.dir), {"do": "stop", "now": now})


def _limits(config: ConfigPath = None, out: OutputsOut = None, sets: Set = None) -> None:
    """Have the nights and runs in the folder of outputs keep to other limits from now on.

    As in --set limits.outstanding=10. The limits outstanding, submits_in_flight, submits_per_minute
    and polls_per_minute can change while a run goes on; the configuration stays as it is.
    """
    from pipeline.engine.control import LIMITS

    named = [one.partition("=")[0].strip() for one in sets or []]
    limits = [name.removeprefix("limits.") for name in named if name.startswith("limits.")]
    # What is set beside a limit says what the configuration is, as it was said for the run.
    others = [f"limits.{name}" for name in limits if name not in LIMITS]
    if not limits:
        others = [name for name in named if name != "output.dir"]
    if others or not limits:
        raise UsageError(
            f"{name_all(others)} cannot change while a run goes on."
            if others
            else "no limit is named that can change while a run goes on.",
            action=f"Give --set limits.outstanding=10, or another of: {', '.join(LIMITS)}.",
        )
    settings = _load(config, sets)
    values = {name: getattr(settings.limits, name) for name in limits}
    ask_to(out or Path(settings.output.dir), {"do": "limits", "limits": values})


def _load(config: Path | None, sets: list[str] | None) -> Config:
    from pipeline.runner.target import load_settings

    return load_settings(config, sets)[0]


def ask_to(outputs: Path, request: Mapping[str, object]) -> None:
    """Ask each run in a folder of outputs, and print what it says.

    Args:
        outputs: The folder.
        request: What is asked for.

    Raises:
        UsageError: There is none.
        ReelsheetError: One of them does not do it.

    """
    from pipeline.night.switch import SUPPORTED, ask_all

    if not SUPPORTED:
        raise UsageError(
            "a run cannot be reached from another process on this system.",
            action="End it where it runs, with Ctrl-C.",
        )
    answers = ask_all(outputs, request)
    if not answers:
        raise UsageError(
            f"no night or run of this user works in {outputs}.",
            action="Name the folder of outputs as for the run: by --config, --set output.dir or "
            "--out.",
        )
    for one in answers:
        print_line(f"process {one.process}: {one.told}")
    left = [one for one in answers if not one.does_it]
    if left:
        processes = ", ".join(str(one.process) for one in left)
        error = ReelsheetError(
            f"what was asked for is not done by {agree(len(left), 'process', 'processes')} "
            f"{processes}.",
            action=f"Ask again, or end the run with: kill {processes.replace(',', '')}.",
        )
        error.exit_code = ExitCode.UNFINISHED
        raise error
