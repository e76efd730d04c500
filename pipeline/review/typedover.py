"""What a person typed where nothing reads it: where Reelsheet writes, or a column is there twice.

What is typed over ours is written over, so the file is kept beside.

What is written is noted as short marks: of each row, of the texts that people are most likely to
type over, and of the sheet Summary; those of the time before with them, since a run that is killed
may have placed a file, or not. What has an unknown mark was typed. Only ASCII letters and digits
count: programs that save a table again may spell all others otherwise.

Tested in tests/review/test_edited_results.py.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pipeline.manifest.resultcolumns import DECISION_COLUMNS, RESULT_COLUMNS
from pipeline.model import Manifest, Row
from pipeline.review.joining import Joined
from pipeline.writer.layout import ACTION, ERROR, STATE, VIDEO, WARNINGS, Result

_ROWS, _TEXTS, _SUMMARY = "results_rows/", "results_texts/", "results_summary/"
_TOLD = (STATE, VIDEO, ERROR, ACTION, WARNINGS)
"""The columns of which single cells are marked, so that one can be named."""
# The text of a video is that of a link, and may be missing where another program has saved it.
_OURS = tuple(
    place
    for place, name in enumerate(RESULT_COLUMNS)
    if place != VIDEO and name not in DECISION_COLUMNS
)
_WHOLE = re.compile(r"[.,]0+$")
_ELSE = re.compile(r"[^0-9A-Za-z]+")
_LONGEST = 500
_MARK_BYTES = 4
_ANEW = "is written anew, and what is typed there is kept in a copy of the file alone"


def note_results(name: str, results: Iterable[Result], notes: Mapping[str, str]) -> dict[str, str]:
    """Return what a journal is to note of a results file, before it is placed.

    Args:
        name: that of the file.
        results: what is written into it.
        notes: what the journal notes by now.

    """
    rows, texts = set[int](), set[int]()
    for one in results:
        cells = ["" if cell is None else str(cell) for cell in one.cells]
        rows.add(_mark_of(cells[place] for place in _OURS))
        texts.update(_mark_of([cells[place]]) for place in _TOLD if cells[place])
    return {**_noted(_ROWS + name, rows, notes), **_noted(_TEXTS + name, texts, notes)}


def note_summary(
    name: str, cells: Iterable[str | float | None], notes: Mapping[str, str]
) -> dict[str, str]:
    """Return what a journal is to note of the sheet Summary, before it is written.

    Args:
        name: that of the results file.
        cells: what is written into the sheet.
        notes: what the journal notes by now.

    """
    return _noted(_SUMMARY + name, {_mark_of([str(cell)]) for cell in cells}, notes)


def say_typed(
    joined: Joined, notes: Mapping[str, str], where: Callable[[Row, int], str]
) -> Iterator[str]:
    """Yield a line for each cell of ours, or row of them, that says what was never written there.

    None where nothing is noted of the file, as by an earlier version.

    Args:
        joined: the file as it was read.
        notes: what the journal notes.
        where: puts the place of a cell into words.

    """
    name = joined.table.path.name
    rows, texts = _known(_ROWS + name, notes), _known(_TEXTS + name, notes)
    if rows is None or texts is None:
        return
    ours = {place: joined.ours.get(RESULT_COLUMNS[place]) for place in {*_OURS, VIDEO}}
    places = [at for place in _OURS if (at := ours[place]) is not None]
    told = [at for place in _TOLD if (at := ours[place]) is not None]
    for row in joined.rows.values():
        typed = [
            at for at in told if row.cells[at].strip() and _mark_of([row.cells[at]]) not in texts
        ]
        for at in typed:
            yield f"{where(row, at)}: {joined.table.headers[at].strip()} {_ANEW}"
        whole = not typed and len(places) == len(_OURS)
        if whole and _mark_of(row.cells[at] for at in places) not in rows:
            yield f"{name}, row {row.number}: what a run writes, such as result_state, {_ANEW}"


def say_typed_in_summary(sheet: Manifest, notes: Mapping[str, str]) -> Iterator[str]:
    """Yield a line if the two columns of the sheet Summary say what was never written there.

    None where nothing is noted of it.

    Args:
        sheet: the sheet as it was read.
        notes: what the journal notes.

    """
    known = _known(_SUMMARY + sheet.path.name, notes)
    lines = (sheet.headers, *(row.cells for row in sheet.rows))
    texts = (text for cells in lines for text in cells[:2] if text.strip())
    if known is not None and any(_mark_of([text]) not in known for text in texts):
        yield f"{sheet.path.name}: in the sheet Summary, columns A and B, a text {_ANEW}"


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


def _mark_of(cells: Iterable[str]) -> int:
    plain = (_ELSE.sub("", _WHOLE.sub("", cell.strip()))[:_LONGEST] for cell in cells)
    return zlib.crc32("\0".join(plain).encode("ascii"))


def _noted(name: str, marks: set[int], notes: Mapping[str, str]) -> dict[str, str]:
    packed = b"".join(mark.to_bytes(_MARK_BYTES, "big") for mark in sorted(marks))
    before: Sequence[str] = json.loads(notes.get(name, "[]"))
    return {name: json.dumps([base64.b64encode(packed).decode("ascii"), *before[:1]])}


def _known(name: str, notes: Mapping[str, str]) -> set[int] | None:
    if name not in notes:
        return None
    return {mark for packed in json.loads(notes[name]) for mark in _unpack(packed)}


def _unpack(packed: str) -> Iterator[int]:
    data = base64.b64decode(packed)
    for at in range(0, len(data), _MARK_BYTES):
        yield int.from_bytes(data[at : at + _MARK_BYTES], "big")
