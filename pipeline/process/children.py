"""Children: Python processes of ours that read what strangers made, away from this process.

A crafted file can hang a library, crash it or take all memory. So what opens it is a child, which
keeps itself within limits (see `confinement`) and is ended from here when it takes too long. It is
a fresh interpreter, never a fork: it starts alike from the main thread, from any other one, and in
a process with many of them.

A child gets no secret. Of the environment it gets what an interpreter needs and nothing else, so no
key of an API. And it imports our package from its place and libraries from where they are
installed: never what happens to have their names in the working folder.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE_HOME = Path(__file__).resolve().parents[2]
_LOADER = """\
import json
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
home, program, further, *sys.argv[1:] = sys.argv[1:]
sys.path += [place for place in json.loads(further) if place not in sys.path]
spec = PathFinder.find_spec("pipeline", [home])
sys.modules["pipeline"] = package = module_from_spec(spec)
spec.loader.exec_module(package)
found = PathFinder.find_spec("pipeline")
if found is None or found.origin != spec.origin:
    sys.path.insert(0, home)
import_module(program).serve()
"""
"""Loads the package from its place, whatever else the import path has under its name.

A child's own children (those that draw videos) get its import path: there our package comes first.
"""
_START_LIMIT_S = 60
READY = b"ready\n"
"""The first line of a child that `Child` starts: from now on its time counts."""

_KEPT = frozenset({
    "HOME", "LANG", "LANGUAGE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "SYSTEMROOT",
    "TEMP", "TMP", "TMPDIR", "TZ", "WINDIR",
})  # fmt: skip
_KEPT_PREFIXES = ("LC_", "COV_CORE_", "COVERAGE_")
# Libraries that start a thread for each processor reserve memory for each of them.
_SINGLE = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MALLOC_ARENA_MAX"), "1"
)

# What ends a child that has used up its time, of the processor or by the clock.
_OUT_OF_TIME = {getattr(signal, name) for name in ("SIGXCPU", "SIGALRM") if hasattr(signal, name)}


def child_command(program: str | Path, *arguments: str) -> list[str]:
    """Return the command that starts a child.

    `program` is the name of a module of ours, whose function `serve` is called, or a file; it finds
    the arguments in `sys.argv`.
    """
    isolated = [sys.executable, "-I"]
    if isinstance(program, Path):
        return [*isolated, str(program), *arguments]
    places = json.dumps(_further_places())
    return [*isolated, "-c", _LOADER, str(_PACKAGE_HOME), program, places, *arguments]


def _further_places() -> list[str]:
    """List where this process finds libraries, behind the places that a child knows by itself.

    A program may have added some of its own; the working folder is none.
    """
    working = os.path.realpath(os.curdir)
    return [
        place
        for place in sys.path
        if os.path.isabs(place) and os.path.realpath(place) != working  # noqa: PTH117
    ]


def child_environment() -> dict[str, str]:
    """Return the environment of a child: what an interpreter needs, and no secret."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if name.upper() in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    return kept | _SINGLE


def forget_secrets() -> None:
    """Take out of this process's environment what no child gets, where children inherit it."""
    for name in os.environ.keys() - child_environment().keys():
        del os.environ[name]


class NotStarted(Exception):
    """No child starts here; the text says why."""


class TookTooLong(Exception):
    """The child did not come to its end in time."""


class Died(Exception):
    """The child ended in the middle of its work; the text says how."""


class Child:
    """A child that gets one order and answers in lines, as a context manager.

    It ends with the context, whatever happens in it: an exception, Ctrl-C, SIGTERM. When this
    process is killed, the child's input ends, and it with it.

    Args:
        program: The name of its module, whose `serve` first says READY.
        limit_s: The longest time that it may take over its order, in seconds.

    Raises:
        NotStarted: It does not start.

    """

    def __init__(self, program: str | Path, *, limit_s: float) -> None:
        self._limit_s = limit_s
        self._late = False
        try:
            self._process = Popen(  # noqa: S603 - an interpreter and a program of ours
                child_command(program),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=child_environment(),
            )
        except OSError as error:
            raise NotStarted(error.strerror or str(error)) from error
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        try:
            self._end_after(_START_LIMIT_S)
            self._greet()
            self._end_after(self._limit_s)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        process = self._process
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what it was not told any more
                    pipe.close()
        process.wait()

    def _greet(self) -> None:
        if self._stdout.readline(len(READY)) != READY:
            raise NotStarted("it ends at once")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def give(self, *order: bytes) -> None:
        """Give it its order. Its input stays open: the child ends when that does."""
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - asked for with PIPE
        with suppress(BrokenPipeError):  # it has ended, which `lines` tells
            for piece in order:
                stdin.write(piece)
            stdin.flush()

    def lines(self, most_bytes: int) -> Iterator[bytes]:
        """Yield its lines; whoever has heard the last one stops asking.

        Raises:
            TookTooLong: It was ended, by itself or from here, because it took too long.
            Died: It ended for another reason, or said more than `most_bytes`.

        """
        left = most_bytes
        while (line := self._stdout.readline(left + 1)).endswith(b"\n") and len(line) <= left:
            left -= len(line)
            yield line
        if len(line) > left:
            raise Died("it says too much")
        code = self._process.wait()
        if self._late or -code in _OUT_OF_TIME:
            raise TookTooLong
        raise Died(_how(code))

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None  # noqa: S101 - asked for with PIPE
        return self._process.stdout

    def _end_after(self, limit_s: float) -> None:
        """End the child at the end of that time, in place of what was set before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(limit_s, self._end)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError as error:  # no thread can be started here
            raise NotStarted(str(error)) from error

    def _end(self) -> None:
        self._late = True
        self._process.kill()


def _how(code: int) -> str:
    """Say how a process ended: by a signal, or with a code of its own."""
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"
