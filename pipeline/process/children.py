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
import time
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen, SubprocessError, check_output
from typing import IO, TYPE_CHECKING, Self

from pipeline.process.confinement import READY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
_LOOKS = 10
"""In so many parts of its time a child is looked at, once that is over, for whether it works."""
_PS_LIMIT_S = 5
_CLOCK_OF_ALL_THREADS = 2

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
        starved_s: The longest time where it works but gets little of a processor, because the
            machine is busy; None for no longer than `limit_s`.

    Raises:
        NotStarted: It does not start.

    """

    def __init__(
        self, program: str | Path, *, limit_s: float, starved_s: float | None = None
    ) -> None:
        self._limit_s = limit_s
        self._starved_s = limit_s if starved_s is None else starved_s
        self._over = threading.Event()
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
            self._start_clock(_START_LIMIT_S, self._end)
            self._greet()
            look_s = self._limit_s / _LOOKS
            self._start_clock(self._limit_s - look_s, self._end_unless_starved, look_s)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._over.set()
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

    def _start_clock(self, after_s: float, act: Callable[..., None], *given: float) -> None:
        """Do that at the end of that time, in place of what was set before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(after_s, act, given)
        self._timer.daemon = True
        try:
            self._timer.start()
        except RuntimeError as error:  # no thread can be started here
            raise NotStarted(str(error)) from error

    def _end_unless_starved(self, look_s: float) -> None:
        """End the child when a look finds that it does not work, or at its very last.

        A child that works all the time is ended by its own limit of the processor's time: later
        than `limit_s` it is still there only if other processes had the processor.
        """
        until = time.monotonic() + look_s + self._starved_s - self._limit_s
        used, before = _processor_time(self.pid), None
        while not self._over.wait(min(look_s, max(0, until - time.monotonic()))):
            used, before = _processor_time(self.pid), used
            if used in {None, before} or time.monotonic() >= until:
                self._end()
                return

    def _end(self) -> None:
        self._late = True
        self._process.kill()


def _processor_time(pid: int) -> object:
    """Return what a process has used of the processor, to be compared; None if nothing tells it."""
    if sys.platform == "linux":
        with suppress(OSError):
            # How Linux numbers the clock of a process, clock_getcpuclockid(3): ps may be missing.
            return time.clock_gettime(~pid << 3 | _CLOCK_OF_ALL_THREADS)
    elif os.name == "posix":
        with suppress(OSError, SubprocessError):
            asked = ["/bin/ps", "-o", "time=", "-p", str(pid)]
            return check_output(asked, stderr=DEVNULL, timeout=_PS_LIMIT_S) or None  # noqa: S603
    return None


def _how(code: int) -> str:
    """Say how a process ended: by a signal, or with a code of its own."""
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"exit code {code}"
