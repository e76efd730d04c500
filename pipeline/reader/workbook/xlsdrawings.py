"""The pictures that lie over the cells of a sheet in an .xls file.

The records of a sheet hold its drawings in pieces ([MS-XLS] 2.4.173), which together are a tree of
further records ([MS-ODRAW] 2.2): a picture is a shape of one kind, and its anchor, or that of the
group which it is in, names the cell where it begins.

Tested in tests/reader/test_excel97.py.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pipeline.reader.workbook.damage import Damage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DRAWING, _CONTINUED = 0xEC, 0x3C
_SHAPE, _KIND, _ANCHOR, _IN_GROUP = 0xF004, 0xF00A, 0xF010, 0xF00F
_CONTAINER, _PICTURE = 0xF, 75
_HEAD_BYTES = 8
_MOST_PICTURES = 200_000


def find_pictures(stream: bytes, records: Iterable[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Return the cells at which pictures are anchored on a sheet, in their order.

    Rows count from 1, columns from 0. A drawing that makes no sense keeps nobody from reading the
    table: what is understood of it counts.

    Args:
        stream: all records of the workbook.
        records: kind, place and length of those of the sheet.

    """
    pieces, kind_before = [], 0
    try:
        for kind, at, size in records:
            if kind == _DRAWING or (kind == _CONTINUED and kind_before == _DRAWING):
                pieces.append(stream[at : at + size])
                kind_before = _DRAWING
            else:
                kind_before = kind
        return sorted(dict.fromkeys(_anchors(b"".join(pieces))))[:_MOST_PICTURES]
    except (Damage, struct.error):
        return []


def _anchors(drawing: bytes) -> Iterator[tuple[int, int]]:
    at, picture = 0, False
    anchor: tuple[int, int] | None = None
    while at + _HEAD_BYTES <= len(drawing):
        form, kind, size = struct.unpack_from("<HHI", drawing, at)
        at += _HEAD_BYTES
        if kind == _SHAPE:
            picture = False
        elif kind == _KIND:
            picture = form >> 4 == _PICTURE
        elif kind == _ANCHOR and at + _HEAD_BYTES <= len(drawing):
            column, _, row = struct.unpack_from("<3H", drawing, at + 2)
            anchor = row + 1, column
        if picture and anchor is not None and kind in {_ANCHOR, _IN_GROUP}:
            yield anchor
        if form & _CONTAINER != _CONTAINER:
            at += size
