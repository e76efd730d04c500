"""``python -m pipeline.emulator``: the emulator as a program of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NoReturn

from pipeline.emulator.catalogue import list_faults
from pipeline.emulator.faults import parse_rule
from pipeline.emulator.private import write_private
from pipeline.emulator.server import Emulator
from pipeline.emulator.settings import DAY_S, EmulatorSettings

_SUBMIT_PER_MINUTE = 300.0
_QUERY_PER_MINUTE = 3000.0
_PROGRAM = "python -m pipeline.emulator"
_USAGE_EXIT = 2
_READ_BYTES = 4096


def main(
    argv: Sequence[str] | None = None,
    *,
    program: str = _PROGRAM,
    forget: Callable[[], None] = lambda: None,
) -> int:
    """Run the emulator until it is told to stop; return the exit code.

    Args:
        argv: the arguments; None for those of the process.
        program: what the usage calls it.
        forget: takes out of the environment what the processes that render must not have.
    """
    parser = build_parser(program)
    chosen = parser.parse_args(argv)
    if chosen.list_faults:
        for name, summary in list_faults():
            sys.stdout.write(f"{name:32} {summary}\n")
        return 0
    try:
        settings = settings_from(chosen)
    except ValueError as wrong:
        parser.error(str(wrong))
    forget()
    # Those processes may not look for modules in the working folder either.
    os.environ["PYTHONSAFEPATH"] = "1"
    return _run(settings, chosen.announce, chosen.until_stdin_closes)


def serve() -> None:
    """Run the emulator in a process that was started for it."""
    sys.exit(main())


def _run(settings: EmulatorSettings, announce: Path | None, until_stdin_closes: bool) -> int:
    try:
        asyncio.run(_serve(settings, announce, until_stdin_closes))
    except OSError as wrong:
        if wrong.filename is not None:
            said = f"cannot use {wrong.filename}: {wrong.strerror}."
        else:
            ports = f"{settings.port or 'any'} and {settings.files_port or 'any'}"
            said = (
                f"cannot start on {settings.host}, ports {ports}: {wrong.strerror or wrong}. "
                "Choose others with --port and --files-port, 0 takes any free one."
            )
        sys.stderr.write(f"emulator: {_on_one_line(said)}\n")
        return _USAGE_EXIT
    except KeyboardInterrupt:
        pass
    return 0


class _Parser(argparse.ArgumentParser):
    """Repeats what it does not understand as text that a terminal shows and does not obey."""

    def error(self, message: str) -> NoReturn:
        super().error(_on_one_line(message))


def _on_one_line(text: str) -> str:
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def build_parser(program: str = _PROGRAM) -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    parser = _Parser(
        prog=program,
        description="A local ToAPIs on 127.0.0.1; prints one line of JSON once it listens, with "
        "addresses that nobody else can guess.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="Port of the API; 0 picks a free one (default: 0)")
    add(
        "--files-port",
        type=int,
        default=0,
        help="Port of uploads and videos; 0 picks a free one (default: 0)",
    )
    add(
        "--state",
        dest="state_dir",
        type=Path,
        metavar="DIR",
        help="Keep all tasks and files in this folder, and go on from what it holds",
    )
    add("--quick", action="store_true", help="Make tiny plain clips instead of rendered videos")
    add("--median-s", type=float, default=4.0, help="Median time of a task in seconds (default: 4)")
    add(
        "--p95-s",
        type=float,
        help="95th percentile of the time of a task (default: twice the median)",
    )
    add(
        "--fail-share",
        type=float,
        default=0.0,
        help="Share of tasks that fail, 0 to 1 (default: 0)",
    )
    add(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="NAME[=SHARE][*COUNT][@VALUE][~SHAPE]",
        help="Inject this fault; may be given several times (see --list-faults)",
    )
    add("--list-faults", action="store_true", help="Print all faults and exit")
    add(
        "--own-model",
        dest="own_models",
        action="append",
        default=[],
        metavar="NAME",
        help="Accept this model as well, whatever it is asked for; may be given several times",
    )
    add(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="Show small copies of web pictures from this folder, as a rehearsal keeps them",
    )
    add("--key", help="The only API key to accept (default: any)")
    add(
        "--submit-per-minute",
        type=float,
        default=_SUBMIT_PER_MINUTE,
        help="Submissions allowed per minute; 0 for no limit (default: 300)",
    )
    add("--submit-burst", type=int, help="Submissions allowed in a burst (default: 10 s worth)")
    add(
        "--query-per-minute",
        type=float,
        default=_QUERY_PER_MINUTE,
        help="Queries allowed per minute; 0 for no limit (default: 3000)",
    )
    add("--query-burst", type=int, help="Queries allowed in a burst (default: 10 s worth)")
    add("--outstanding-cap", type=int, help="Most unfinished tasks at a time (default: no cap)")
    add(
        "--url-lifetime-s",
        type=float,
        default=DAY_S,
        help="Lifetime of a video's URL in seconds (default: a day)",
    )
    add(
        "--padding-bytes",
        type=int,
        default=0,
        help="Enlarge every clip by so many bytes (default: 0)",
    )
    add("--fractional-times", action="store_true", help="Write times with fractions of a second")
    add("--render-workers", type=int, default=2, help="Processes that render videos (default: 2)")
    add("--seed", type=int, default=0, help="Seed for all random draws (default: 0)")
    add(
        "--announce",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="Also write the line of JSON to this file, for its owner alone",
    )
    add("--until-stdin-closes", action="store_true", help="Stop at the end of standard input")
    return parser


def settings_from(chosen: argparse.Namespace) -> EmulatorSettings:
    """Return the settings that a command line asks for, or raise ValueError."""
    for text in chosen.faults:
        parse_rule(text)
    # The options are called as the settings are.
    given = {
        each.name: vars(chosen).get(each.name, each.default) for each in fields(EmulatorSettings)
    }
    if chosen.p95_s is None:
        given["p95_s"] = 2 * chosen.median_s
    for rate in ("submit_per_minute", "query_per_minute"):
        given[rate] = given[rate] or None
    for listed in ("faults", "own_models"):
        given[listed] = tuple(given[listed])
    return EmulatorSettings(**given)


async def _serve(
    settings: EmulatorSettings, announce: Path | None, until_stdin_closes: bool
) -> None:
    stop = asyncio.Event()
    _listen_for_signals(stop)
    async with Emulator(settings) as emulator:
        _announce(emulator, announce)
        if until_stdin_closes:
            # So it never outlives the program that started it.
            loop = asyncio.get_running_loop()
            threading.Thread(target=_watch_stdin, args=(loop, stop), daemon=True).start()
        await stop.wait()


def _listen_for_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:
            # Windows' event loops know no signal handlers of their own.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


def _announce(emulator: Emulator, file: Path | None) -> None:
    addresses = {"base_url": emulator.base_url, "files_url": emulator.files_url}
    document = {**addresses, "pid": os.getpid()}
    line = json.dumps(document) + "\n"
    if file is not None:
        write_private(file, line.encode())
    sys.stdout.write(line)
    sys.stdout.flush()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, because a thread inside sys.stdin would hold its lock at the exit.
    with contextlib.suppress(OSError):
        while os.read(0, _READ_BYTES):
            pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stop.set)
