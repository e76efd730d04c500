"""What a run waits for while calls fail: said once, from the first failure on, with its end.

Tested in tests/runner/test_patience.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from pipeline.engine.engine import Engine
from pipeline.engine.rows import Wait
from pipeline.writer.outcome import iso


class _Log(Protocol):
    """Takes a line: a title and its details."""

    def __call__(self, title: str, /, **details: object) -> None:
        """Add a line."""


class Patience:
    """Tells a person and the logs when waiting begins, and when it is over.

    `say` shows a line; `log` writes one to the log of each manifest.
    """

    def __init__(self, say: Callable[[str], None], log: _Log) -> None:
        self._say = say
        self._log = log
        self._told: dict[str, float] = {}
        self._looks_up = False

    def tell(self, engine: Engine, now: float, wall: float) -> str | None:
        """Tell all that an engine waits for; return it in a few words, None if it is nothing.

        Args:
            engine: The engine.
            now: The time of its clock, in seconds.
            wall: The same moment as a Unix time.

        """
        look_ups = self._tell_look_ups(engine.look_ups.describe(now))
        outage = self.tell_waits(engine.waits(now), now, wall, ending=bool(engine.stops))
        return "; ".join(filter(None, (look_ups, outage))) or None

    def _tell_look_ups(self, waits_for: str | None) -> str | None:
        """Say on screen and in the logs when the run begins to wait for look-ups."""
        if waits_for and not self._looks_up:
            self._say(waits_for)
            self._log("waiting", message=waits_for)
        self._looks_up = waits_for is not None
        return waits_for

    def tell_waits(
        self, waits: Sequence[Wait], now: float, wall: float, *, ending: bool
    ) -> str | None:
        """Take in what is waited for now; return it in a few words, with the longest end.

        Args:
            waits: What the engine waits for.
            now: The time of the engine's clock, in seconds.
            wall: The same moment as a Unix time.
            ending: Whether the run stops: then nothing that was waited for has come.

        """
        going_on = {wait.what for wait in waits}
        for what in [one for one in self._told if one not in going_on]:
            del self._told[what]
            if not ending:
                self._say(f"Over: the run waited for {what}.")
                self._log("waiting_over", waits_for=what)
        for wait in waits:
            if wait.what not in self._told:
                until = wall + wait.until - now
                self._told[wait.what] = until
                self._say(f"Waiting for {wait.what}, until {_clock(until, wall)}: {wait.why}")
                self._log("waiting", waits_for=wait.what, why=wait.why, until=iso(until))
        if not waits:
            return None
        last = max(waits, key=lambda wait: wait.until)
        return f"waiting for {last.what}, until {_clock(wall + last.until - now, wall)}"


def _clock(unix_s: float, wall: float) -> str:
    """Return a time as a clock on the wall of this machine shows it, with the date if need be."""
    then, today = time.localtime(unix_s), time.localtime(wall)
    same_day = then[:3] == today[:3]
    return time.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S", then)
