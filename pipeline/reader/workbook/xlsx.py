"""Excel workbooks (.xlsx, .xlsm): the cells of one sheet by calamine, and what calamine hides.

pandas reads the cells through calamine. The sheet is looked at first (see `rows`), so that nothing
calamine hides is lost and nothing it would choke on reaches it.
"""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

import pandas as pd
from python_calamine import CalamineError, PasswordError

from pipeline.manifest.wording import letters_of
from pipeline.reader.workbook.damage import damaged, explained, protected
from pipeline.reader.workbook.formats import BUILT_IN, mask_of
from pipeline.reader.workbook.package import elements, sheets_of
from pipeline.reader.workbook.rows import Blocks, Cell, Walk, look_at, says_nothing
from pipeline.reader.workbook.sheets import (
    FREE_FILLED,
    MOST_CELLS,
    MOST_CELLS_PER_BYTE,
    MOST_FILLED_PER_BYTE,
    Grid,
    Look,
    chosen,
    too_dense,
    too_wide,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_STRINGS = "xl/sharedStrings.xml"
_ADDRESS = re.compile(rb'\sr=["\']\$?[A-Z]+\$?\d+["\']')
_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# A sheet may be emptier than this before a copy without its blank rows is made.
_SPARE_CELLS = 1_000_000
_SPARE_RATIO = 2
_PART = "xl/styles.xml"
_GROUPS = frozenset({"numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"})


@dataclass(frozen=True, slots=True)
class _Source:
    """What pandas is to read: the bytes, the sheet in them, and the number of each of its rows."""

    data: bytes
    sheet: str
    look: Look
    numbers: list[int] | None = None


def xlsx_grid(path: Path, data: bytes, package: zipfile.ZipFile, wanted: str | int | None) -> Grid:
    """Read the sheet `wanted` of the workbook `data` at `path`. Raises ManifestError."""
    source = _looked_at(path.name, data, package, wanted)
    columns = _columns(path.name, source)
    height = _height(source, columns)
    for column in columns:
        column.extend([""] * (height - len(column)))
    numbers = range(1, height + 1) if source.numbers is None else source.numbers
    return Grid(path, source.sheet, numbers, columns, source.look)


def _height(source: _Source, columns: list[list[object]]) -> int:
    """The rows of the sheet. calamine leaves out last rows that hold only what it hides."""
    if source.numbers is not None:
        return len(source.numbers)
    read = len(columns[0]) if columns else 0
    return max([read, *(mark.row for mark in source.look.marks if mark.kind != "padded")])


def _looked_at(
    name: str, data: bytes, package: zipfile.ZipFile, wanted: str | int | None
) -> _Source:
    sheet = chosen(name, sheets_of(name, package), wanted)
    with explained(name):
        padded = padded_styles(package)
        with package.open(sheet.part) as stream:
            look = look_at(stream, padded)
        if look.filled > FREE_FILLED + MOST_FILLED_PER_BYTE * len(data):
            raise too_dense(name, look.filled, len(data))
        sparse = look.area > _SPARE_CELLS + _SPARE_RATIO * look.filled
        if not (sparse or look.odd_errors):
            return _Source(data, sheet.name, look)
        copy = _packed(package, sheet.part)
    if copy.area > MOST_CELLS + MOST_CELLS_PER_BYTE * len(data):
        raise too_wide(name, look.filled, len(copy.numbers), copy.last_column + 1)
    return _Source(copy.data, sheet.name, look, numbers=copy.numbers)


def _columns(name: str, source: _Source) -> list[list[object]]:
    """The columns of the sheet from A on, as calamine's values."""
    with _calamine(name):
        frame = pd.read_excel(
            io.BytesIO(source.data),
            sheet_name=source.sheet,
            engine="calamine",
            header=None,
            dtype=object,
            na_filter=False,
            keep_default_na=False,
        )
    # Taking columns out of a frame one by one costs the square of their number.
    values = frame.to_numpy()
    del frame
    return [column.tolist() for column in values.T]


@contextmanager
def _calamine(name: str) -> Iterator[None]:
    """Turn calamine's failures, a panic of its Rust code among them, into one sentence."""
    try:
        yield
    except PasswordError as error:
        raise protected(name) from error
    except BaseException as error:
        panicked = type(error).__name__ == "PanicException"
        if not (panicked or isinstance(error, (CalamineError, ValueError, OSError, KeyError))):
            raise
        raise damaged(name, error) from error


def padded_styles(package: zipfile.ZipFile) -> dict[str, str]:
    """The cell styles (a cell's `s`) that pad with zeros or words, and the mask of each.

    A mask has a `DIGIT` for each digit that is always shown, and the words around them.

    ECMA-376 part 1, 18.8: `s` is an index into `cellXfs`, whose `numFmtId` names a format.
    """
    if _PART not in package.namelist():
        return {}
    masks = {str(number): mask for number, code in BUILT_IN.items() if (mask := mask_of(code))}
    styles: list[str] = []
    group = ""
    for tag, attributes in elements(package, _PART):
        if tag in _GROUPS:
            group = tag
        elif tag == "numFmt" and group == "numFmts":
            mask = mask_of(attributes.get("formatCode", ""))
            if mask:
                masks[attributes.get("numFmtId", "")] = mask
        elif tag == "xf" and group == "cellXfs":
            styles.append(attributes.get("numFmtId", ""))
    return {str(index): masks[number] for index, number in enumerate(styles) if number in masks}


@dataclass(frozen=True, slots=True)
class _Packed:
    """The copy, the physical number of each of its rows, and its last column from 0."""

    data: bytes
    numbers: list[int]
    last_column: int

    @property
    def area(self) -> int:
        """The cells of the rectangle that calamine makes of the copy."""
        return len(self.numbers) * (self.last_column + 1)


def _packed(package: zipfile.ZipFile, part: str) -> _Packed:
    """Copy the package with the sheet `part` cut down to its filled rows.

    Raises expat.ExpatError or zipfile.BadZipFile for a damaged part.
    """
    numbers: list[int] = []
    columns = [0]
    target = io.BytesIO()
    with package.open(part) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        copy.compresslevel = 1
        blocks = Blocks(source)
        with copy.open(part, "w") as sheet:
            for row in _rows(blocks, _blank_strings(package), columns, numbers):
                sheet.write(row)
            sheet.write(b"</%ssheetData></%sworksheet>" % (blocks.prefix, blocks.prefix))
        for info in package.infolist():
            if info.filename.endswith((".xml", ".rels")) and not _is_sheet(info.filename):
                copy.writestr(info.filename, package.read(info))
    return _Packed(target.getvalue(), numbers, max(columns))


def _blank_strings(package: zipfile.ZipFile) -> set[str]:
    """The numbers of the shared strings that hold nothing but white space."""
    if _STRINGS not in package.namelist():
        return set()
    blank: set[str] = set()
    state = {"index": -1, "filled": True}

    def start(tag: str, _: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "si":
            close()
            state.update(index=state["index"] + 1, filled=False)

    def close() -> None:
        if not state["filled"]:
            blank.add(str(state["index"]))

    def characters(text: str) -> None:
        if not text.isspace():
            state["filled"] = True

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.CharacterDataHandler = characters
    with package.open(_STRINGS) as stream:
        parser.ParseFile(stream)
    close()
    return blank


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _rows(
    blocks: Blocks, blank: set[str], columns: list[int], numbers: list[int]
) -> Iterator[bytes]:
    last = 0
    started = False
    for block in blocks:
        if not started:
            yield _head(blocks.prefix)
            started = True
        if not blocks.prefix and says_nothing(block):
            continue
        walk = Walk(block, blocks.prefix, last)
        last = walk.row
        kept: dict[int, list[Cell]] = {}
        for cell in walk.cells:
            if _speaks(cell, blank):
                kept.setdefault(cell.row, []).append(cell)
        for number, cells in kept.items():
            numbers.append(number)
            columns.append(max(cell.column for cell in cells))
            yield _row(block, blocks.prefix, cells, len(numbers))
    if not started:
        yield _head(blocks.prefix)


def _speaks(cell: Cell, blank: set[str]) -> bool:
    """Whether the cell shows something, or would if its formula were calculated."""
    if cell.kind == "s":
        return cell.text not in blank
    return bool(cell.text.strip()) or (cell.formula and cell.kind != "str")


def _head(prefix: bytes) -> bytes:
    name = b":" + prefix[:-1] if prefix else b""
    return b'<?xml version="1.0" encoding="UTF-8"?><%sworksheet xmlns%s="%s"><%ssheetData>' % (
        prefix,
        name,
        _NAMESPACE,
        prefix,
    )


def _row(block: bytes, prefix: bytes, cells: list[Cell], number: int) -> bytes:
    """The cells as they stand in the block, with the row's new number in their addresses."""
    parts = [b'<%srow r="%d">' % (prefix, number)]
    for cell in cells:
        raw = block[cell.begins : cell.ends]
        tag, sign, rest = raw.partition(b">")
        if cell.kind == "e":
            rest = b"<%sv>#N/A</%sv>" % (prefix, prefix)
        tag = _ADDRESS.sub(b"", tag) + b' r="%s%d"' % (letters_of(cell.column + 1).encode(), number)
        parts += (tag, sign, rest, b"</%sc>" % prefix)
    return b"".join([*parts, b"</%srow>" % prefix])
