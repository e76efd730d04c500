"""What the shared strings of a workbook expand to: each cell that names one gets a copy of it.

A string of three megabytes that two thousand cells name is seven gigabytes. Most workbooks are
known to be harmless by their longest string alone; only for others the cells are counted.

Tested in tests/reader/test_linear.py.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from typing import TYPE_CHECKING

from pipeline.reader.workbook.blocks import Blocks
from pipeline.reader.workbook.cellforms import Strings, has_odd_string
from pipeline.reader.workbook.package import chunks
from pipeline.reader.workbook.rows import Walk, is_plain
from pipeline.reader.workbook.sheets import MOST_CHARACTERS, too_many_characters

if TYPE_CHECKING:
    from pipeline.reader.workbook.packing import Book
    from pipeline.reader.workbook.sheets import SheetPart

_END = re.compile(rb"</(?:\w+:)?si>|<(?:\w+:)?si/>")
_LONGEST_END = 64
"""Bytes at the end of a chunk that may hold the beginning of such an end."""
_NAMED = re.compile(rb'\st="s"[^<>]*><v>(\d{1,9})</v>')
# Bytes of markup are counted with the characters: some four for each is far from harmful.
_MOST_BYTES = 4 * MOST_CHARACTERS


def refuse_expanding(name: str, book: Book, sheet: SheetPart, cells: int) -> None:
    """Raise ManifestError if the cells of a sheet name more characters than any table has.

    Args:
        name: the file, for the message.
        book: the workbook.
        sheet: the sheet that is read.
        cells: how many of its cells are filled.

    """
    if book.strings is None:
        return
    if book.package.info(book.strings).file_size * cells <= _MOST_BYTES:
        return
    lengths = _lengths(book, book.strings)
    if max(lengths, default=0) * cells <= _MOST_BYTES:
        return
    with book.package.open(sheet.part) as stream:
        named = _named(Blocks(stream))
    total = sum(times * lengths[number] for number, times in named.items() if number < len(lengths))
    if total > _MOST_BYTES:
        raise too_many_characters(name)


def _lengths(book: Book, part: str) -> array[int]:
    """Return the bytes of each shared string, its markup among them."""
    lengths, length, rest = array("Q"), 0, b""
    with book.package.open(part) as stream:
        for chunk in chunks(stream):
            rest += chunk
            at = 0
            for end in _END.finditer(rest):
                lengths.append(length + end.end() - at)
                length, at = 0, end.end()
            cut = max(at, len(rest) - _LONGEST_END)
            length += cut - at
            rest = rest[cut:]
    return lengths


def _named(blocks: Blocks) -> Counter[int]:
    """Count how many cells name each string."""
    named: Counter[bytes | str] = Counter()
    for block in blocks:
        if not blocks.prefix and is_plain(block) and not has_odd_string(block):
            named.update(_NAMED.findall(block))
        else:
            cells = Walk(block, blocks.prefix).cells
            numbers = (Strings().number_in(cell.text) for cell in cells if cell.kind == "s")
            named.update(number for number in numbers if number is not None)
    counts: Counter[int] = Counter()
    for number, times in named.items():
        counts[int(number)] += times
    return counts
