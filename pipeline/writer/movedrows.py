"""Rows of a sheet are moved to other numbers, with all that hangs on them.

So a results workbook that a person has worked in comes into the order of the manifest again, and
keeps its sheets, formats and formulas. With a row move its cells, its height, its filter, its
comments, links, pictures and merged cells; a formula that names a cell of a moved row, or cells of
that row alone, names them where they are now. Longer ranges stay as they are.

What is not understood is not moved: `NotAWorkbook`, and the workbook is made anew.

Tested in tests/writer/test_movedrows.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from pipeline.manifest.plaintext import unescape
from pipeline.reader.workbook.package import NotAWorkbook, Relationship, rels_of
from pipeline.writer.parts import PackageCopy

_MOST_HELD_BYTES = 128 * 1024**2
_NAME = rb"(?:[A-Za-z_][\w.-]*:)?"
_DATA = re.compile(rb"<%ssheetData\b[^>]*>(.*)</%ssheetData>" % (_NAME, _NAME), re.DOTALL)
_ROW = re.compile(rb"<(%srow)\b([^>]*?)(?:/>|>(.*?)</\1>)" % _NAME, re.DOTALL)
_ROW_NUMBER = re.compile(rb"""(\sr=)(["'])(\d{1,7})\2""")
_CELL = re.compile(rb"<%sc(?=[\s/>])" % _NAME)
_CELL_PLACE = re.compile(rb"""(<%sc\b[^>]*?\sr=["'][A-Z]{1,3})(?:\d{1,7})(?=["'])""" % _NAME)
_CELL_NUMBER = re.compile(rb"""<%sc\b[^>]*?\sr=["'][A-Z]{1,3}(\d{1,7})["']""" % _NAME)
_CALCULATED = re.compile(
    rb"""(<%sc\b[^>]*?\sr=["']([A-Z]{1,3})\d[^>]*>)(<(%sf)\b([^>]*?)(?:/>|>([^<]*)</\4>))"""
    % (_NAME, _NAME)
)
_ATTRIBUTE = re.compile(rb"""\s(\w+)=(["'])(.*?)\2""")
_BOUND = re.compile(rb"<(%s(?:mergeCell|hyperlink))\b[^>]*?(?:/>|>.*?</\1>)" % _NAME, re.DOTALL)
_EMPTIED = re.compile(rb"<(%s(?:mergeCells|hyperlinks))\b[^>]*>\s*</\1>" % _NAME)
_COUNT = re.compile(rb"""(<%smergeCells)\b[^>]*>""" % _NAME)
_REF = re.compile(rb"""(\sref=)(["'])([A-Z]{1,3})(\d{1,7})(?::([A-Z]{1,3})(\d{1,7}))?\2""")
_COMMENT = re.compile(
    rb"<(%s(?:comment|threadedComment))\b[^>]*?(?:/>|>.*?</\1>)" % _NAME, re.DOTALL
)
_SHAPE = re.compile(rb"<(%sshape)\b[^>]*>.*?</\1>" % _NAME, re.DOTALL)
_SHAPE_ROW = re.compile(rb"(<%sRow>\s*)(\d+)(\s*</)" % _NAME)
_SHAPE_ANCHOR = re.compile(rb"(<%sAnchor>)([^<]*)(</)" % _NAME)
_ANCHOR = re.compile(rb"<(%s(?:oneCellAnchor|twoCellAnchor))\b[^>]*>.*?</\1>" % _NAME, re.DOTALL)
_ANCHOR_ROW = re.compile(rb"(<%srow>\s*)(\d+)(\s*</)" % _NAME)
_IN_FORMULA = re.compile(r"(\$?[A-Za-z]{1,3}\$?)(\d{1,7})(?::(\$?[A-Za-z]{1,3}\$?)(\d{1,7}))?")
_UNREAD = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""What openpyxl raises, beside its own errors, for a formula that is none."""
_WORTH_READING = re.compile(r"[A-Za-z]\$?\d")


@dataclass(frozen=True, slots=True)
class Moves:
    """Where rows go, by their numbers; which are left out. Others stay, where there is room."""

    to: Mapping[int, int]
    gone: Collection[int] = frozenset()

    def of(self, row: int) -> int | None:
        """Return where a row is now; None if it is left out."""
        return None if row in self.gone else self.to.get(row, row)


def move_rows(package: PackageCopy, sheet: Relationship, moves: Moves) -> None:
    """Move rows of a sheet of a workbook that is about to be copied.

    Args:
        package: the workbook.
        sheet: the relationship of the sheet.
        moves: where its rows go.

    Raises:
        NotAWorkbook: something in the sheet cannot be moved safely.

    """
    data = package.read(sheet.target)
    if len(data) > _MOST_HELD_BYTES:
        raise NotAWorkbook("a sheet is too large to be put into another order")
    found = _DATA.search(data)
    if found is None or b"<!" in found[1]:
        raise NotAWorkbook("the rows of a sheet cannot be told apart")
    rows = _Rows(moves).move(found[1])
    tail = _BOUND.sub(lambda one: _with_ref(one[0], moves), data[found.end(1) :])
    tail = _COUNT.sub(rb"\1>", _EMPTIED.sub(b"", tail))
    package.change(sheet.target, data[: found.start(1)] + rows + tail)
    known = rels_of(sheet.target) in package
    for one in package.relationships(sheet.target) if known else ():
        change = _HANGING.get(one.kind)
        if change is not None and one.target in package:
            package.change(one.target, change(package.read(one.target), moves))


@dataclass
class _Rows:
    """Moves the rows of one sheet; `shared` are formulas by their numbers, and their cells."""

    moves: Moves
    shared: dict[bytes, tuple[str, str]] = field(default_factory=dict)

    def move(self, data: bytes) -> bytes:
        """Return the rows in the order of their new numbers."""
        moved: dict[int, bytes] = {}
        staying: dict[int, bytes] = {}
        for row in _ROW.finditer(data):
            number = _ROW_NUMBER.search(row[2])
            if number is None:
                raise NotAWorkbook("a row has no number")
            old = int(number[3])
            new = self.moves.of(old)
            xml = self._moved(row[0], old, old if new is None else new)
            if new is not None:
                (moved if old in self.moves.to else staying)[new] = xml
        both = {**staying, **moved}
        return b"".join(both[number] for number in sorted(both))

    def _moved(self, row: bytes, old: int, new: int) -> bytes:
        """Return a row under another number; raises NotAWorkbook."""
        numbers = _CELL_NUMBER.findall(row)
        if len(numbers) != len(_CELL.findall(row)) or {*map(int, numbers)} - {old}:
            raise NotAWorkbook("a cell has no place")
        if b"<f" in row or b":f" in row:
            row = _CALCULATED.sub(lambda one: one[1] + self._formula(one, old), row)
        number = b"%d" % new
        row = _CELL_PLACE.sub(lambda one: one[1] + number, row)
        return _ROW_NUMBER.sub(lambda one: one[1] + one[2] + number + one[2], row, count=1)

    def _formula(self, found: re.Match[bytes], row: int) -> bytes:
        """Return a formula as it is where its row has gone; a shared one becomes its own."""
        _, letters, whole, name, tag, text = found.groups()
        cell = f"{letters.decode()}{row}"
        attributes = {one[1]: one[3] for one in _ATTRIBUTE.finditer(tag)}
        kind = attributes.get(b"t", b"normal")
        formula = "" if text is None else unescape(text.decode())
        if kind == b"shared":
            formula = self._of_shared(attributes.get(b"si", b""), formula, cell)
            tag = b""
        elif kind != b"normal":
            if attributes.get(b"ref", b"").decode() not in {cell, f"{cell}:{cell}"}:
                raise NotAWorkbook("a formula fills several cells")
            tag = _REF.sub(lambda one: _ref(one, self.moves) or one[0], tag)
        elif text is None:
            return bytes(whole)
        data = escape(_followed(formula, self.moves)).encode("ascii", "xmlcharrefreplace")
        return b"<%s%s>%s</%s>" % (name, tag, data, name)

    def _of_shared(self, number: bytes, formula: str, cell: str) -> str:
        """Return what a shared formula says in a cell."""
        # It loads slowly, and few workbooks come into another order.
        from openpyxl.formula.translate import Translator, TranslatorError  # noqa: PLC0415

        if formula:
            self.shared[number] = formula, cell
            return formula
        if number not in self.shared:
            raise NotAWorkbook("a shared formula is missing")
        first, origin = self.shared[number]
        try:
            return str(Translator(f"={first}", origin=origin).translate_formula(cell))[1:]
        except (TranslatorError, *_UNREAD) as error:
            raise NotAWorkbook("a shared formula cannot be read") from error


def _followed(formula: str, moves: Moves) -> str:
    """Return a formula whose references follow the rows of its own sheet."""
    if not _WORTH_READING.search(formula):
        return formula
    from openpyxl.formula.tokenizer import Tokenizer, TokenizerError  # noqa: PLC0415 - likewise

    try:
        read = Tokenizer(f"={formula}")
    except (TokenizerError, *_UNREAD) as error:
        raise NotAWorkbook("a formula cannot be read") from error
    for token in read.items:
        reference = _IN_FORMULA.fullmatch(token.value) if token.subtype == "RANGE" else None
        if reference is None:
            continue
        column, row, last_column, last_row = reference.groups()
        new = moves.of(int(row))
        if last_column is None:
            token.value = "#REF!" if new is None else f"{column}{new}"
        elif row == last_row:
            token.value = "#REF!" if new is None else f"{column}{new}:{last_column}{new}"
    return str(read.render())[1:]  # type: ignore[no-untyped-call]


def _with_ref(element: bytes, moves: Moves) -> bytes:
    """Return an element that belongs to a row; nothing if the row is left out."""
    found = _REF.search(element)
    if found is None:
        return element
    new = _ref(found, moves)
    return b"" if new is None else element[: found.start()] + new + element[found.end() :]


def _ref(found: re.Match[bytes], moves: Moves) -> bytes | None:
    """Return the attribute with the place of cells of one row; None if that is left out."""
    head, quote, column, row, last_column, last_row = found.groups()
    first, last = int(row), int(last_row or row)
    if first != last:
        span = range(first, last + 1)
        if any(moves.of(one) != one for one in span):
            raise NotAWorkbook("cells of several rows belong together")
        return found[0]
    new = moves.of(first)
    if new is None:
        return None
    end = b"" if last_column is None else b":%s%d" % (last_column, new)
    return b"%s%s%s%d%s%s" % (head, quote, column, new, end, quote)


def _move_comments(data: bytes, moves: Moves) -> bytes:
    return _COMMENT.sub(lambda one: _with_ref(one[0], moves), data)


def _move_shapes(data: bytes, moves: Moves) -> bytes:
    """Move the boxes of comments, whose rows are counted from 0."""

    def move(shape: re.Match[bytes]) -> bytes:
        row = _SHAPE_ROW.search(shape[0])
        if row is None:
            return shape[0]
        by = _by(int(row[2]), moves)
        if by is None:
            return b""
        xml = _SHAPE_ROW.sub(lambda one: _shifted(one, by), shape[0])
        return _SHAPE_ANCHOR.sub(lambda one: one[1] + _shift_anchor(one[2], by) + one[3], xml)

    return _SHAPE.sub(move, data)


def _shift_anchor(text: bytes, by: int) -> bytes:
    """Shift the rows of a box, the third and seventh of eight numbers."""
    parts = text.split(b",")
    for at in (2, 6):
        if at < len(parts) and parts[at].strip().isdigit():
            parts[at] = b" %d" % max(0, int(parts[at]) + by)
    return b",".join(parts)


def _move_pictures(data: bytes, moves: Moves) -> bytes:
    """Move pictures with the rows in which they begin; charts stay."""

    def move(anchor: re.Match[bytes]) -> bytes:
        row = _ANCHOR_ROW.search(anchor[0])
        if row is None or b"pic>" not in anchor[0]:
            return anchor[0]
        by = _by(int(row[2]), moves)
        return b"" if by is None else _ANCHOR_ROW.sub(lambda one: _shifted(one, by), anchor[0])

    return _ANCHOR.sub(move, data)


def _by(row: int, moves: Moves) -> int | None:
    """Return by how many rows a row moves that is counted from 0; None if it is left out."""
    new = moves.of(row + 1)
    return None if new is None else new - row - 1


def _shifted(found: re.Match[bytes], by: int) -> bytes:
    return b"%s%d%s" % (found[1], max(0, int(found[2]) + by), found[3])


_HANGING: Mapping[str, Callable[[bytes, Moves], bytes]] = {
    "comments": _move_comments,
    "threadedComment": _move_comments,
    "vmlDrawing": _move_shapes,
    "drawing": _move_pictures,
}
"""What hangs on the rows of a sheet, by the kind of its part."""
