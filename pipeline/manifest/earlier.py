"""How a manifest was read by the runs before, as its journal notes it.

A manifest that was run keeps its reading: a header that is understood only by now would give its
rows other requests, and they would look edited, or be paid for again. So would another encoding or
another sheet, where the reader had to find them out.
Tested in tests/manifest/test_meanings.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pipeline.manifest.languages import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

IGNORE = "ignore"
"""Stands in place of a field for a column that is not to be read."""
NOTE = "reading"
"""The name under which a journal notes it."""
FOUND = ("encoding", "sheet")
"""What the reader may have to find out. A journal of an earlier version notes each by itself, with
NOTE and "_" before its name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a manifest was read by earlier runs.

    `read` has the field of each header that was read, and IGNORE for those that the user did not
    want to be; `left` are all other headers. `names` tells which names counted. `encoding` and
    `sheet` are those that were found out; None where nothing had to be.
    """

    names: int = LATEST
    read: Mapping[str, str] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    encoding: str | None = None
    sheet: str | None = None

    @classmethod
    def of(
        cls, headers: Sequence[str], fields: Mapping[str, int], ignored: Iterable[str], names: int
    ) -> Self:
        """Return the reading of a manifest's columns as a run is about to use it.

        Args:
            headers: those of the manifest.
            fields: the index of each field's column.
            ignored: the headers of columns that are not to be read.
            names: which names counted.

        """
        read = dict.fromkeys((header.strip() for header in ignored), IGNORE)
        read |= {headers[index].strip(): name for name, index in fields.items()}
        return cls(names, read, frozenset(header.strip() for header in headers) - set(read))

    @classmethod
    def noted(cls, text: str | None) -> Self:
        """Read the note in a journal; one without a note was read by the earliest names.

        So does one whose note is of no use: no other reading can turn a bought row into a new one.
        """
        try:
            note: Any = json.loads(text or "")
            read = {str(header): str(name) for header, name in note["read"].items()}
            found = (str(note[name]) if note.get(name) else None for name in FOUND)
            return cls(int(note["names"]), read, frozenset(map(str, note["left"])), *found)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls(EARLIEST)

    def note(self) -> str:
        """Return the text that a journal notes."""
        noted = {"names": self.names, "read": dict(self.read), "left": sorted(self.left)}
        found = {name: getattr(self, name) for name in FOUND}
        noted |= {name: value for name, value in found.items() if value is not None}
        return json.dumps(noted, ensure_ascii=False)


NEW = Reading()
"""The reading of a manifest that was never run."""
