"""Workbooks are read in a process of their own, within limits.

A workbook is a package of parts that unfold, and several libraries in C and Rust work on them. A
crafted one of a few kilobytes can keep them busy for hours, take all memory or crash them. So
whatever opens one is a child with limits on memory, time and characters; this process gets texts.

Each kind of failure is the file's: one sentence that names it, and what to do.

Tested in tests/reader/test_apart.py.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import ManifestError, Unfinished
from pipeline.process.children import Child, Died, NotStarted, TookTooLong
from pipeline.reader.workbook.wire import MOST_BYTES, Hearing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.manifest.earlier import FoundOut
    from pipeline.model import Manifest

_PROGRAM = "pipeline.reader.workbook.worker"
LIMIT_S = 25
"""The longest time that a workbook is read, whatever it is: a command ends within 30 seconds."""
STARVED_S = 120
"""The longest time where the machine is so busy that the reading process gets little of it."""
MEMORY_GB = 1
"""The memory that a workbook may take."""
_COPY_CELLS = "Copy the cells of the table into a new workbook and save that"
_KEPT_REFUSALS = 100

_refused: dict[tuple[bytes, object], tuple[str, str]] = {}
"""What was said of files that were given up, by their content: no command waits for one twice."""


def read_apart(
    path: Path,
    data: bytes,
    *,
    sheet: str | int | None = None,
    hidden_rows: str | None = None,
    fill_merged: bool = False,
    prompts: Sequence[str] | None = None,
    kept: FoundOut | None = None,
) -> Manifest:
    """Read one sheet of the workbook `data` of the file at `path` in a process of its own.

    The arguments are those of `reading.read`. Raises ManifestError naming the file and the row, and
    Unfinished if no process starts.
    """
    again = sheet is None and kept is not None and kept.sheet is not None
    asked = {
        "sheet": kept.sheet if again and kept is not None else sheet,
        "hidden_rows": hidden_rows,
        "fill_merged": fill_merged,
        "prompts": None if prompts is None else list(prompts),
        "new": kept is None,
    }
    manifest = _read(path, data, asked)
    if not again or kept is None:
        return manifest
    note = f"{path.name}: sheet {manifest.sheet!r} is read, as in its earlier runs."
    return replace(manifest, sheet_found=True, notes=(note,))


def _read(path: Path, data: bytes, asked: Mapping[str, object]) -> Manifest:
    known = hashlib.sha256(data).digest(), json.dumps(asked)
    if known in _refused:
        message, action = _refused[known]
        raise ManifestError(f"{path.name} {message}", action=action)
    order = json.dumps({"path": str(path), "size_bytes": len(data), **asked})
    try:
        with Child(_PROGRAM, limit_s=LIMIT_S, starved_s=STARVED_S) as child:
            child.give(order.encode() + b"\n", data)
            return _hear(child, path)
    except NotStarted as error:
        raise _broken(str(error)) from error
    except TookTooLong:
        message = f"takes longer than {LIMIT_S} s to read"
        action = f"{_COPY_CELLS}; if this machine is very busy, try again."
    except _TooMuchMemory:
        message = f"takes more than {MEMORY_GB} GB of memory to read"
        action = f"{_COPY_CELLS}, or split it."
    except Died as error:
        message = f"makes the library fail that reads workbooks, or takes too much memory ({error})"
        action = f"{_COPY_CELLS}."
    if len(_refused) < _KEPT_REFUSALS:
        _refused[known] = message + ".", action
    raise ManifestError(f"{path.name} {message}.", action=action)


class _TooMuchMemory(Exception):
    """The child has no more memory."""


def _hear(child: Child, path: Path) -> Manifest:
    """Take in what the child says of the file."""
    hearing = Hearing(path)
    for line in child.lines(MOST_BYTES):
        try:
            kind, said = json.loads(line)
            if kind == "end":
                return hearing.manifest()
            if kind in {"head", "problems", "rows"}:
                hearing.take(kind, said)
                continue
            refusal = _refusal(path, kind, said)
        except (ValueError, TypeError, RecursionError) as error:
            raise Died("it makes no sense") from error
        raise refusal
    raise Died("it says too little")


def _refusal(path: Path, kind: str, said: Any) -> Exception:  # noqa: ANN401 - what JSON can say
    if kind == "error":
        message, action = said
        return ManifestError(message, action=action)
    if kind == "memory":
        return _TooMuchMemory()
    if kind == "broken":
        return _broken(said)
    return ManifestError(
        f"{path.name} is damaged, or made in a way that no spreadsheet program uses ({said}).",
        action="Copy or download it again, or open it in Excel and save it under a new name.",
    )


def _broken(why: str) -> Unfinished:
    return Unfinished(
        f"The process that reads workbooks does not start: {why}.",
        action="Install reelsheet again, and run again.",
    )
