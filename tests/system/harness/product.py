"""The product as a user starts it: a process with arguments, an exit code and two streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LIMIT_S = 120
"""No call of the tests takes as long; one that hangs must not hang the tests."""

FAST = {
    "provider": "toapis",
    "polling.first_s": "0.2",
    "polling.interval_s": "0.1",
    "limits.submits_per_minute": "10000",
    "limits.polls_per_minute": "100000",
    "output.verify": "boxes",
}


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without anything that the product would heed."""
    ours = ("REELSHEET_", "TOAPIS_", "NO_COLOR", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **more}


def book_of() -> Path:
    """Return the account's book that all processes of one test share."""
    return Path(os.environ["XDG_STATE_HOME"]) / "reelsheet" / "book.db"


@dataclass(frozen=True)
class Ended:
    """How a call ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


@dataclass
class Product:
    """Reelsheet in one working folder, tied to one API; remembers all that it ever said."""

    folder: Path
    base_url: str | None
    key: str | None
    sets: Mapping[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *arguments: str | Path, **more: Any) -> Ended:
        """Run a command to its end."""
        return self.end(self.start(*arguments, **more))

    def start(
        self,
        *arguments: str | Path,
        sets: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        before: str | None = None,
        program: Sequence[str] = ("-m", "pipeline"),
        **more: Any,
    ) -> subprocess.Popen[str]:
        """Start a command as the leader of a session; `before` is done by sh first.

        `program` is what Python is told to run.
        """
        line = [sys.executable, *program, *map(str, arguments), *self._sets(sets or {})]
        if before is not None:
            line = ["sh", "-c", f'{before}; exec "$@"', "sh", *line]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given: dict[str, Any] = {"stdin": subprocess.DEVNULL, **pipes, **more}
        process = subprocess.Popen(
            line,
            cwd=self.folder,
            env={**self._environment(), **(env or {})},
            text=True,
            errors="surrogateescape",  # names of files that are no text
            start_new_session=True,
            **given,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a failed test left running."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def end(self, process: subprocess.Popen[str]) -> Ended:
        """Wait for the end of what was started."""
        try:
            out, err = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"did not end:\n{out}\n{err}") from None
        self.said += [out or "", err or ""]
        assert "Traceback" not in (err or ""), err
        return Ended(process.returncode, out or "", err or "")

    def _environment(self) -> dict[str, str]:
        return environment(**({} if self.key is None else {"TOAPIS_API_KEY": self.key}))

    def _sets(self, more: Mapping[str, str]) -> Sequence[str]:
        fast = {} if self.base_url is None else {**FAST, "api.base_url": self.base_url}
        settings = {**fast, **self.sets, **more}
        return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


def interrupt(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> None:
    """Send a signal as a terminal does: to the whole process group."""
    os.killpg(process.pid, number)
