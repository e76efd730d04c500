"""What the journal notes of each results file when it is written, or read back, last.

By that it is told whether a person has changed the file since, and which of its cells.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file, is_gone
from pipeline.journal.ownership import read_notes

DECISIONS = "decisions.csv"
"""The decisions that count, beside the results."""
_NOTE = "results_written/"
_MARK_BYTES = 4
_RESULTS = re.compile(r"(.+-)?results(-\d+)?\.\w+")

Texts = Mapping[str, Mapping[str, str]]
"""Cells of the columns of decisions, by the names of their rows."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A results file as it was left: its hash, and the place of the last decision in it.

    `headers` are those that it was written with. `touched` says that it holds things of a person's
    own, `lossy` that something in it will not come again. `cells` are those that do not say what
    the journal did, `unread` those of them that were not understood. `rows` marks what the
    manifest's own columns said in each row.
    """

    sha256: str
    seen: int
    headers: tuple[str, ...] = ()
    touched: bool = False
    lossy: bool = False
    cells: Texts = field(default_factory=dict)
    unread: Texts = field(default_factory=dict)
    rows: str = ""

    def note(self, name: str) -> dict[str, str]:
        """Return what the journal is to note of the file with this name."""
        text = json.dumps({one: getattr(self, one) for one in self.__slots__}, ensure_ascii=False)
        return {_NOTE + name: text}

    def said(self, cells: Sequence[str]) -> bool:
        """Return whether the manifest's own columns said this in a row when it was written."""
        return _mark_of(cells) in _marks(self.rows)


def _mark_of(cells: Sequence[str]) -> int:
    """Return a short mark of the cells of a row."""
    return zlib.crc32("\0".join(map(str.strip, cells)).encode("utf-8", "surrogatepass"))


def marks_of(rows: Iterable[Sequence[str]]) -> str:
    """Return the marks of rows, as a journal keeps them."""
    return base64.b64encode(
        b"".join(_mark_of(one).to_bytes(_MARK_BYTES, "big") for one in rows)
    ).decode("ascii")


@lru_cache(maxsize=4)
def _marks(text: str) -> frozenset[int]:
    data = base64.b64decode(text)
    parts = (data[at : at + _MARK_BYTES] for at in range(0, len(data), _MARK_BYTES))
    return frozenset(int.from_bytes(part, "big") for part in parts)


def written_files(notes: Mapping[str, str]) -> dict[str, WrittenFile]:
    """Return what a journal notes of results files, by their names."""
    found = {}
    for name, text in notes.items():
        if name.startswith(_NOTE):
            values: dict[str, Any] = json.loads(text)
            values["headers"] = tuple(values["headers"])
            found[name.removeprefix(_NOTE)] = WrittenFile(**values)
    return found


def is_noted(name: str, notes: Mapping[str, str]) -> bool:
    """Return whether a journal notes a file of this name."""
    return _NOTE + name in notes


def unread_results(folder: OutputFolder) -> list[Path]:
    """Return the results files of a folder that are not as they were written, or read, last.

    What is typed in them is not known to the journal. Raises StoreError, UsageError.
    """
    if is_gone(folder.journal):
        return []
    known = written_files(read_notes(folder.journal))
    found = []
    with raise_store_errors(f"the folder {folder.root}", cannot="be read"):
        for path in sorted(folder.root.iterdir()):
            name = _RESULTS.fullmatch(path.name)
            # A file that is only called like ours is ours by the note of it.
            if name is None or (name[1] and path.name not in known) or not path.is_file():
                continue
            written = known.get(path.name)
            if written is None or written.sha256 != hash_of_file(path):
                found.append(path)
    return found
