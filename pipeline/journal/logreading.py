"""The logs that earlier runs left, as they are read back: for the day when a journal is lost.

A line may be of any version of this program, cut off, or of somebody else. Those of before the
fields had their names are told in the names of today.

Tested in tests/runner/test_remains.py and tests/runner/test_runlog.py.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.disk.logfile import files_of, lines_of
from pipeline.disk.openfile import open_to_read_bytes

_NAMES = {"at": "time", "run": "run_id", "what": "event", "number": "attempt"}
"""The fields as earlier versions called them."""

_MARKS = {
    event: tuple(f'"{name}": "{event}"'.encode() for name in ("event", "what"))
    for event in ("begin", "Intended")
}
_TAIL_BYTES = 1 << 16
"""Where the last whole line of a log is; a line is some hundred bytes."""


def logged(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that can be read; the last one may have been cut off."""
    yield from _documents(lines_of(path))


def intents(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that tell of an intent to send."""
    yield from _documents(_about("Intended", path))


def tells_of_intents(path: Path) -> bool:
    """Return whether any line of a log tells of an intent to send."""
    return any(True for _ in _about("Intended", path))


def last_begin(path: Path) -> dict[str, Any]:
    """Return what a log says of the run that began last; nothing if it says nothing."""
    begun: dict[str, Any] = {}
    for begun in _documents(_about("begin", path)):  # noqa: B007 - the last one is wanted
        pass
    return begun


def last_line(path: Path) -> dict[str, Any]:
    """Return the last line of a log that can be read, without reading the others; or nothing."""
    tails = map(_tail, reversed(files_of(path)))
    return next(chain.from_iterable(tails), {})


def _tail(path: Path) -> list[dict[str, Any]]:
    with contextlib.suppress(OSError), open_to_read_bytes(path) as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return list(_documents(log))[-1:]
    return []


def _about(event: str, path: Path) -> Iterator[bytes]:
    marks = _MARKS[event]
    return (line for line in lines_of(path) if any(mark in line for mark in marks))


def _documents(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            told = json.loads(line)
            if isinstance(told, dict):
                yield _in_names_of_today(told) if "what" in told else told


def _in_names_of_today(told: dict[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(name, name): value for name, value in told.items()}
