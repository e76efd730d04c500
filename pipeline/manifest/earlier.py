"""How a manifest was read by the runs before, as its journal notes it.

A manifest that was run keeps its reading: a header that is understood only by now would give its
rows other requests, and they would look edited, or be paid for again. So would another encoding or
another sheet, where the reader had to find them out.
Tested in tests/manifest/test_meanings.py, tests/reader/test_encodings.py and
tests/system/test_readings.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pipeline.manifest.languages import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.model import Manifest

IGNORE = "ignore"
"""Stands in place of a field for a column that is not to be read."""
NOTE = "reading"
"""The name under which a journal notes it."""
FOUND = ("encoding", "sheet")
"""What the reader may have to find out. A journal of an earlier version notes each by itself, with
NOTE and "_" before its name."""
_UNICODE = ("utf-", "utf_")


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


@dataclass(frozen=True, slots=True)
class FoundOut:
    """What the reader had to find out of a file, and is kept: a better finding would edit rows.

    `encoding` is that of a text that is not Unicode, `sheet` the one that was chosen of several.
    """

    encoding: str | None = None
    sheet: str | None = None


def found_out(manifest: Manifest) -> FoundOut:
    """Return what is to be kept of how a manifest was read."""
    dialect = manifest.dialect
    regional = dialect is not None and not dialect.encoding.lower().startswith(_UNICODE)
    return FoundOut(
        dialect.encoding if dialect is not None and regional else None,
        manifest.sheet if manifest.sheet_found else None,
    )
