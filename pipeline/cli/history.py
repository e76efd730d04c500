"""`reelsheet history`: the nights and runs so far, with what came of each.

Tested in tests/cli/test_history.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import ConfigPath, Json, OutputsOut, Set
from pipeline.cli.screen import print_json, print_line, print_table
from pipeline.manifest.wording import shorten

if TYPE_CHECKING:
    from pipeline.night.history import Past

_HEADS = ("began (UTC)", "ended", "command", "exit", "ordered", "home", "failed", "doubtful",
          "money", "manifests", "stopped by")  # fmt: skip
_MOST_NAMES = 2
_LONGEST = 80

_Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FOLDER…]", help="Folders of outputs (default: that of the configuration)."
    ),
]
_Most = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, help="Show only the latest N of them.")
]
_Nights = Annotated[bool, typer.Option("--nights", help="Leave out what is no night.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history", short_help="List the nights and runs so far.")(_history)


def _history(
    folders: _Folders = None,
    config: ConfigPath = None,
    out: OutputsOut = None,
    sets: Set = None,
    limit: _Most = 20,
    nights: _Nights = False,
    as_json: Json = False,
) -> None:
    """List the nights and runs so far of a folder of outputs: what they ordered, how they ended.

    What was killed has no end. Of a night, failed and doubtful rows are counted as they stood at
    its end; of runs, and of nights that were killed, what failed in their time, and those of their
    orders that are in doubt now.
    """
    from pipeline.runner.target import load_settings

    if not folders:
        folders = [out or Path(load_settings(config, sets)[0].output.dir)]
    found = _gather(folders, limit, nights=nights)
    if as_json:
        told = [{"outputs": str(outputs), **asdict(one)} for outputs, one in found]
        print_json({"schema": 1, "history": told})
    elif found:
        print_table([_row(one) for _, one in found], _HEADS)
    else:
        print_line(f"no night and no run has been in {', '.join(map(str, folders))} yet")


def _gather(folders: Sequence[Path], limit: int, *, nights: bool) -> list[tuple[Path, Past]]:
    """Return the latest nights and runs of several folders with their folders, in their order."""
    from pipeline.night.history import read_past, settled
    from pipeline.night.record import lock_of

    found = []
    for outputs in folders:
        told = settled(read_past(outputs), outputs, lock_of(outputs), limit, nights=nights)
        found += [(outputs, one) for one in told]
    return sorted(found, key=lambda each: each[1].started_at)[-limit:]


def _row(one: Past) -> tuple[object, ...]:
    names = [Path(manifest).name for manifest in one.manifests]
    more = len(names) - _MOST_NAMES
    shown = ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
    why = one.stopped_by or ""
    return (
        _minute(one.started_at),
        one.state if one.ended_at is None else _minute(one.ended_at),
        f"{one.command} (rehearsal)" if one.rehearsal else one.command,
        "" if one.exit_code is None else str(one.exit_code),
        one.submitted,
        one.downloaded,
        one.failed,
        one.doubtful,
        "" if one.money is None else f"{one.money:,.2f} {one.currency}",
        shown,
        shorten(why, _LONGEST),
    )


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
