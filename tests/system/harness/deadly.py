"""Reelsheet as a process that kills itself at a named point of its own code, with SIGKILL.

    python -m tests.system.harness.deadly MOMENTS run shop.csv …

Nothing in the product knows of it, and nothing of it is replaced: the interpreter reports every
call and return of a function, and the process dies at the one that is waited for. So nobody has to
hit the microsecond between an answer and its commit from outside.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import astuple, dataclass
from types import FrameType


@dataclass
class Moment:
    """The `turn`-th time that a function below `pipeline` is called, or returns.

    `kind` is the name of an event that has to be among its argument `events`, if not empty.
    """

    module: str
    function: str
    what: str = "call"
    kind: str = ""
    turn: int = 1

    def is_now(self, frame: FrameType, what: str) -> bool:
        """Whether this is it; every match counts as a turn."""
        code = frame.f_code
        if code.co_qualname != self.function or what != self.what:
            return False
        if frame.f_globals.get("__name__") != f"pipeline.{self.module}":
            return False
        local = frame.f_locals
        events = [
            *local.get("events", ()),
            *(e for one in local.get("happened", ()) for e in one.events),
        ]
        if self.kind and self.kind not in {type(one).__name__ for one in events}:
            return False
        self.turn -= 1
        return self.turn == 0


def arguments(moments: tuple[Moment, ...], *rest: str) -> tuple[str, ...]:
    """Return what to start Python with, to die at the last of these moments, met in order."""
    return "-m", __name__, json.dumps([astuple(one) for one in moments]), *rest


def main() -> None:
    """Do as the command line says until the last moment has come."""
    moments = [Moment(*one) for one in json.loads(sys.argv.pop(1))]
    import pipeline.runner.lanes  # noqa: PLC0415 - heavy; not to be watched
    import pipeline.runner.session  # noqa: F401, PLC0415 - likewise
    from pipeline.cli.app import main as reelsheet  # noqa: PLC0415

    def look(frame: FrameType, what: str, _: object) -> None:
        if moments and moments[0].is_now(frame, what):
            del moments[0]
            if not moments:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(look)
    sys.setprofile(look)
    reelsheet()


if __name__ == "__main__":
    main()
