"""What a person typed where nothing reads it: where Reelsheet writes, or a column is there twice.

What is typed over sentences of ours is written over, so the file is kept beside.

The sentences that are written are noted as short marks, those of the time before with them: a run
that is killed may have placed a file, or not. A sentence whose mark is unknown was typed. Only its
ASCII letters and digits count: programs that save a table again may spell all others otherwise.

Tested in tests/review/test_edited_results.py.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping

from pipeline.manifest.resultcolumns import DECISION_COLUMNS, RESULT_COLUMNS
from pipeline.model import Row
from pipeline.review.joining import Joined
from pipeline.writer.layout import ACTION, ERROR, STATE, WARNINGS, Result

_NOTE = "results_texts/"
_PLACES = (STATE, ERROR, ACTION, WARNINGS)
_NAMES = tuple(RESULT_COLUMNS[place] for place in _PLACES)
_ELSE = re.compile(r"[^0-9A-Za-z]+")
_LONGEST = 500
_MARK_BYTES = 4


def note_texts(name: str, results: Iterable[Result], notes: Mapping[str, str]) -> dict[str, str]:
    """Return what a journal is to note of the sentences in a results file, before it is placed.

    Args:
        name: that of the file.
        results: what is written into it.
        notes: what the journal notes by now.

    """
    texts = {cells[place] for one in results for cells in (one.cells,) for place in _PLACES}
    marks = sorted({_mark_of(str(text)) for text in texts if text})
    packed = b"".join(mark.to_bytes(_MARK_BYTES, "big") for mark in marks)
    now = base64.b64encode(packed).decode("ascii")
    before = json.loads(notes.get(_NOTE + name, "[]"))
    return {_NOTE + name: json.dumps([now, *before[:1]])}


def find_typed(
    joined: Joined, name: str, notes: Mapping[str, str]
) -> Iterator[tuple[Row, int, str]]:
    """Yield the cells that say what was never written there: row, place and name of the column.

    None where nothing is noted of the file, as by an earlier version.

    Args:
        joined: the file as it was read.
        name: its name.
        notes: what the journal notes.

    """
    noted = notes.get(_NOTE + name)
    if noted is None:
        return
    known = {mark for packed in json.loads(noted) for mark in _unpack(packed)}
    columns = [(joined.ours[one], one) for one in _NAMES if one in joined.ours]
    for row in joined.rows.values():
        for at, column in columns:
            text = row.cells[at]
            if text.strip() and _mark_of(text) not in known:
                yield row, at, column


def say_doubled(joined: Joined) -> Iterator[str]:
    """Yield which of two columns for the same decision counts."""
    headers, name = joined.table.headers, joined.table.path.name
    for at in joined.added:
        counts = joined.ours.get(headers[at].strip())
        if counts is not None and headers[at].strip() in DECISION_COLUMNS:
            yield (
                f"{name}: what is typed into {headers[counts].strip()} counts, and nothing in the "
                f"column {headers[at].strip()} beside it: delete that one"
            )


def _mark_of(text: str) -> int:
    return zlib.crc32(_ELSE.sub("", text)[:_LONGEST].encode("ascii"))


def _unpack(packed: str) -> Iterator[int]:
    data = base64.b64decode(packed)
    for at in range(0, len(data), _MARK_BYTES):
        yield int.from_bytes(data[at : at + _MARK_BYTES], "big")
