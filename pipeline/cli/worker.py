"""`reelsheet worker`: a process that downloads, verifies and measures videos for runs elsewhere.

Tested in tests/cli/test_worker.py and tests/system/test_fleet.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.screen import say
from pipeline.errors import UsageError

_MOST_SLOTS = 64
_PATIENCE_S = 300.0

_Address = Annotated[
    str,
    typer.Argument(
        metavar="ADDRESS", help="The scheduler, as tls://host:8786; tcp:// on this machine only."
    ),
]
_Slots = Annotated[
    int,
    typer.Option(
        "--slots",
        metavar="N",
        min=1,
        max=_MOST_SLOTS,
        help="Videos that it has at a time (default: 8).",
        show_default=False,
    ),
]
_Scratch = Annotated[
    Path | None,
    typer.Option(
        "--scratch",
        metavar="FOLDER",
        help="The folder for videos on their way (default: in your folder for caches). What "
        "workers left there is removed.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("worker", short_help="Download videos for runs on other machines.")(_worker)


def _worker(address: _Address, slots: _Slots = 8, scratch: _Scratch = None) -> None:
    """Join a Dask scheduler, and download, verify and measure videos for the runs that use it.

    Before it joins it checks its version, its scratch folder, its decoder and the place of the
    videos. It has no key of the API; those of buckets come from the usual variables. See
    docs/scale.md.
    """
    import asyncio

    from pipeline.config.values import scheduler_address
    from pipeline.fleet.choice import refuse_lack_of_libraries
    from pipeline.fleet.lonely import scratch_folder, work_alone

    try:
        known = scheduler_address(address)
    except ValueError as fault:
        raise UsageError(f"ADDRESS: {address} {fault}.") from None
    refuse_lack_of_libraries()
    with scratch_folder(scratch) as folder:
        say(f"a worker for {known}, with {slots} slots; videos on their way are in {folder}")
        code = asyncio.run(work_alone(known, slots, folder, _PATIENCE_S, say))
    raise typer.Exit(code)
