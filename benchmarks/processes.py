"""Child processes and what they cost: every figure is of a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Spent:
    """What a process and its children cost, and what it said."""

    code: int
    elapsed_s: float
    cpu_s: float
    peak_bytes: int
    out: str
    err: str

    def ok(self, *codes: int) -> Spent:
        """Return itself if it ended well; a benchmark of a failure is none."""
        if self.code not in (codes or (0,)):
            raise RuntimeError(f"ended with {self.code}:\n{self.out[-2000:]}\n{self.err[-4000:]}")
        return self

    @property
    def json(self) -> Any:  # noqa: ANN401 - a document is whatever it is
        """Standard output as a JSON document."""
        return json.loads(self.out)


def spend(
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> Spent:
    """Run a command to its end and return what it cost.

    The peak is that of the largest process among it and its children; this process stays small,
    because a child's peak counts from what its parent had at the fork.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        _, status, usage = os.wait4(process.pid, 0)
        elapsed_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return Spent(
            process.returncode,
            elapsed_s,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss * _MAXRSS_UNIT,
            out.read().decode(errors="replace"),
            err.read().decode(errors="replace"),
        )


def python(*arguments: str | Path) -> list[str | Path]:
    """Return the command line of a Python like this one."""
    return [sys.executable, *arguments]


def environment() -> dict[str, str]:
    """Return this process's environment without anything that the product would heed.

    The account's book lies in the working folder of each measurement.
    """
    ours = ("REELSHEET_", "TOAPIS_", "NO_COLOR", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    ours_now = {"TOAPIS_API_KEY": "sk-benchmark", "REELSHEET_ACCOUNT__BOOK": "book.db"}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **ours_now}


@dataclass
class Api:
    """A running lean API; what it saw is there after its end."""

    base_url: str
    files_url: str
    seen: Any = None


@contextlib.contextmanager
def api(*arguments: str | float) -> Iterator[Api]:
    """Run `benchmarks.api` as a process; see there for the options."""
    with tempfile.TemporaryDirectory(prefix="reelsheet-bench-") as folder:
        report = Path(folder, "report.json")
        process = subprocess.Popen(
            [*map(str, python("-m", "benchmarks.api", "--report", report)), *map(str, arguments)],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            running = Api(said["base_url"], said["files_url"])
            yield running
        finally:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()
        running.seen = json.loads(report.read_text(encoding="utf-8"))


@contextlib.contextmanager
def workplace(*, in_memory: bool = False) -> Iterator[Path]:
    """A temporary folder for one measurement, gone with all its videos afterwards.

    `in_memory` puts it where no disk is, if there is such a place: what a file costs there is the
    program's own cost, not that of the file system at hand.
    """
    place = str(MEMORY) if in_memory and MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="reelsheet-bench-", dir=place) as folder:
        yield Path(folder)
