"""The one question that a run may ask."""

from __future__ import annotations

import signal
import sys
from types import FrameType

import typer

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class _Interrupted(Exception):
    """A signal came instead of an answer."""


def go_on(*, yes: bool) -> bool:
    """Ask whether to go on; without a terminal, or with `yes`, say that it goes on."""
    if yes:
        typer.echo("Going on, as --yes says.", err=True)
        return True
    if not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
        typer.echo("Going on: there is no terminal to ask at.", err=True)
        return True
    return _asked("Go on and submit? [y/N] ")


def _is_terminal(stream: object) -> bool:
    # A stream that was closed is None.
    return bool(stream) and bool(getattr(stream, "isatty", bool)())


def _asked(question: str) -> bool:
    received: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise _Interrupted

    # While the question stands a signal ends the waiting; afterwards it means what it always does.
    before = {
        one: signal.signal(one, interrupt)
        for name in _SIGNALS
        if (one := getattr(signal, name, None)) is not None
        and signal.getsignal(one) is not signal.SIG_IGN
    }
    answer = ""
    try:
        typer.echo(question, err=True, nl=False)
        answer = sys.stdin.readline()
    except _Interrupted:
        typer.echo("", err=True)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in received:
        signal.raise_signal(number)
    return not received and answer.strip().casefold() in {"y", "yes"}
