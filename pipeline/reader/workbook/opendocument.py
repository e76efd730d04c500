"""OpenDocument spreadsheets: one table with all that there is to see.

ODF 1.2 part 1, chapter 9: rows and cells are elements of `content.xml`, each with a count of how
often it repeats; a cell has its value in attributes and what it shows as paragraphs.

Tested in tests/reader/test_opendocument.py.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from typing import IO, TYPE_CHECKING

from pipeline.reader.workbook.cellforms import BY_FORMULA
from pipeline.reader.workbook.damage import Damage, explain_damage, explain_password
from pipeline.reader.workbook.odscells import OdsCell, problem_of, speaks, value_of
from pipeline.reader.workbook.odsstyles import OdsStyles
from pipeline.reader.workbook.package import Package, chunks, iter_elements, make_parser
from pipeline.reader.workbook.sheets import PADDED, Gathered, SheetPart, choose_sheet

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.reader.workbook.sheets import Grid

_CONTENT, _STYLES, _MANIFEST = "content.xml", "styles.xml", "META-INF/manifest.xml"
# No tag holds another `<`, so no search goes further than the next one.
_TABLE = re.compile(rb"""<table:table(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*/?>""")
_MOST_TAG_BYTES = 1024**2
_CELLS = {"table:table-cell", "table:covered-table-cell"}
# Elements within a cell whose texts are not what the cell says.
_ASIDE = {"office:annotation", "draw:frame", "draw:custom-shape", "draw:control", "draw:g",
          "text:ruby-text", "table:shapes", "office:forms"}  # fmt: skip
_SPANS = frozenset({"table:number-rows-spanned", "table:number-columns-spanned"})
# Attributes of cells that say nothing.
_DUMB = {"table:style-name", "table:number-columns-repeated"}
_HIDING = {"collapse", "filter"}
_BLANKS, _ODD_BLANKS = re.compile(r"[ \t\r\n]+"), re.compile(r"[\t\r\n]|  ")
_MOST_REPEATED = 2**20
# Far more than the 32,767 that Excel takes and the provider's 20,000.
_MOST_CHARACTERS = 2**20
# What LibreOffice keeps of other files that formulas point to.
_LINKED = re.compile(r"'.*'#")


def read_ods(path: Path, size_bytes: int, package: Package, wanted: str | int | None) -> Grid:
    """Read the table `wanted` of the .ods file at `path`. Raises ManifestError."""
    with explain_damage(path.name):
        if _is_encrypted(package):
            raise explain_password(path.name)
        styles = OdsStyles()
        package.inflate(but={_CONTENT})
        if _STYLES in package:
            styles.parser().Parse(package.read(_STYLES), True)
        sheets = _sheets(package, styles)
        sheet = choose_sheet(path.name, sheets, wanted)
        gathered = Gathered(path, size_bytes)
        with package.open(_CONTENT) as stream:
            _OdsTable(sheet.at, styles, gathered).read(stream)
        return gathered.grid(sheet.name, sheets)


def _is_encrypted(package: Package) -> bool:
    """Tell whether a part is encrypted: the manifest has its key's data (ODF 1.2, 3: 3.4.1)."""
    if _CONTENT not in package:
        return True
    return _MANIFEST in package and b"encryption-data" in package.read(_MANIFEST)


def _sheets(package: Package, styles: OdsStyles) -> list[SheetPart]:
    """Return the tables with their places among all; `styles` is told of what comes before."""
    parser = styles.parser()
    found: list[SheetPart] = []
    count = 0
    rest = b""
    with package.open(_CONTENT) as stream:
        for chunk in chunks(stream):
            rest += chunk
            tags = [*_TABLE.finditer(rest)]
            cut = max(tags[-1].end() if tags else 0, rest.rfind(b"<"))
            if cut < 0 or len(rest) - cut > _MOST_TAG_BYTES:
                cut = len(rest)  # no tag of a table is left in it
            if not count:
                parser.Parse(rest[: tags[0].start() if tags else cut], False)
            for tag in tags:
                attributes = next(iter_elements(tag[0])).attributes
                name = attributes.get("table:name", "")
                if not _LINKED.match(name):
                    visible = attributes.get("table:style-name", "") not in styles.hidden_tables
                    found.append(SheetPart(name, visible, at=count))
                count += 1
            rest = rest[cut:]
    if not count:
        parser.Parse(rest, True)
    return found


class _OdsTable:
    """The table with the number `at` among all of them; its cells go to `gathered`.

    The part is one long document, so expat tells of its elements one by one and nothing else of it
    is kept. Until the table begins, only the tables before it are counted. Within it, a cell is
    open from its tag to its end and takes the texts of its paragraphs; what lies aside (notes,
    pictures) is skipped, however deep it goes. A row and a cell may each stand for many equal ones:
    they are put down when the row ends, since only then is it known whether the row says anything.
    """

    def __init__(self, at: int, styles: OdsStyles, gathered: Gathered) -> None:
        self._ended = False
        self._styles = styles
        self._gathered = gathered
        self._before = at
        self._depth = 0
        self._aside = 0
        self._groups: list[bool] = []
        self._hiding = 0  # how many of the groups hide their rows
        # The styles of columns, and the number of the first column behind each.
        self._defaults: list[str] = []
        self._behind: list[int] = []
        self._row = 0
        self._attributes: dict[str, str] = {}
        self._column = 0
        self._cells: list[OdsCell] = []
        self._cell: OdsCell | None = None
        self._pictures: list[int] = []  # the columns of the row over which pictures lie
        self._pictured = False  # a picture that comes next lies over the cell
        self._reads = False
        self._parser = make_parser(self._skip)

    def read(self, stream: IO[bytes]) -> None:
        """Take the part. Raises expat.ExpatError, ValueError, Damage, ManifestError."""
        for chunk in chunks(stream):
            self._parser.Parse(chunk, False)
            if self._ended:
                return
        raise Damage("a table does not end")

    def _skip(self, tag: str, _: dict[str, str]) -> None:
        """Look for the beginning of the table."""
        if tag == "table:table":
            if not self._before:
                self._parser.StartElementHandler = self._start
                self._parser.EndElementHandler = self._end
                self._parser.CharacterDataHandler = self._characters
                self._depth = 1
            self._before -= 1

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._aside or self._ended:
            self._aside += 1
            self._start_aside(tag)
        elif tag in _CELLS:
            self._open_cell(attributes)
        elif self._cell is not None:
            self._start_inside(self._cell, tag, attributes)
        elif tag == "table:table-row":
            self._attributes = attributes
            self._column = 0
            self._cells = []
            self._pictures = []
        elif tag in _ASIDE:
            self._aside = 1
        elif tag == "table:table-row-group":
            self._groups.append(attributes.get("table:display") == "false")
            self._hiding += self._groups[-1]
        elif tag == "table:table-column":
            count = _repeats_of(attributes, "table:number-columns-repeated")
            self._behind.append((self._behind[-1] if self._behind else 0) + count)
            self._defaults.append(attributes.get("table:default-cell-style-name", ""))
        elif tag == "table:table":
            self._depth += 1

    def _open_cell(self, attributes: dict[str, str]) -> None:
        count = _repeats_of(attributes, "table:number-columns-repeated")
        self._cell = OdsCell(attributes, self._column, count)
        self._column += count

    def _start_inside(self, cell: OdsCell, tag: str, attributes: dict[str, str]) -> None:
        if tag == "text:p":
            cell.paragraphs.append([])
            self._reads = True
        elif tag in _ASIDE:
            self._aside = 1
            self._pictured = tag != "office:annotation"
        elif tag == "text:s":
            blanks = _repeats_of(attributes, "text:c")
            self._gathered.count_characters(blanks)
            self._say(" " * blanks)
        elif tag == "text:tab":
            self._say("\t")
        elif tag == "text:line-break":
            self._say("\n")

    def _start_aside(self, tag: str) -> None:
        """Note a picture over a cell; a chart has a picture as well, behind what it is."""
        if tag == "draw:object":
            self._pictured = False
        elif tag == "draw:image" and self._pictured and self._cell is not None:
            self._pictures.append(self._cell.column)
            self._pictured = False

    def _characters(self, text: str) -> None:
        # ODF 1.2 part 1, 6.1.2: what is to be more than one blank has an element of its own.
        self._say(_BLANKS.sub(" ", text) if _ODD_BLANKS.search(text) else text)

    def _say(self, text: str) -> None:
        if self._reads and not self._aside and self._cell is not None:
            self._cell.characters += len(text)
            if self._cell.characters > _MOST_CHARACTERS:
                raise Damage("a cell holds a text without end")
            self._cell.paragraphs[-1].append(text)

    def _end(self, tag: str) -> None:
        if self._aside:
            self._aside -= 1
        elif tag == "text:p":
            self._reads = False
        elif tag in _CELLS:
            cell, self._cell = self._cell, None
            self._reads = False
            if cell is not None and (cell.paragraphs or not cell.attributes.keys() <= _DUMB):
                self._cells.append(cell)
        elif tag == "table:table-row":
            self._end_row()
        elif tag == "table:table-row-group":
            self._hiding -= self._groups.pop()
        elif tag == "table:table":
            self._depth -= 1
            self._ended = not self._depth

    def _end_row(self) -> None:
        count = _repeats_of(self._attributes, "table:number-rows-repeated")
        hides = self._attributes.get("table:visibility") in _HIDING or self._hiding > 0
        for cell in self._cells:
            if not _SPANS.isdisjoint(cell.attributes):
                self._merge(cell)
        self._gathered.look.pictures += [(self._row + 1, column) for column in self._pictures]
        speaking = [cell for cell in self._cells if speaks(cell)]
        if speaking:
            for row in range(self._row + 1, self._row + 1 + count):
                if hides:
                    self._gathered.look.hidden.add(row)
                for cell in speaking:
                    self._put(row, cell)
        self._row += count

    def _merge(self, cell: OdsCell) -> None:
        rows = _repeats_of(cell.attributes, "table:number-rows-spanned")
        columns = _repeats_of(cell.attributes, "table:number-columns-spanned")
        if rows * columns > 1:
            top, left = self._row + 1, cell.column
            merge = (top, left, top + rows - 1, left + columns - 1)
            self._gathered.look.merges.append(merge)

    def _put(self, row: int, cell: OdsCell) -> None:
        problem = problem_of(cell)
        value = None if problem else value_of(cell)
        number = isinstance(value, float | dt.timedelta)
        for column in range(cell.column, cell.column + cell.count):
            if problem:
                said = cell.attributes["table:formula"] if problem == BY_FORMULA else cell.text
                self._gathered.mark(row, column, problem, said)
                continue
            self._gathered.put(row, column, value)
            mask = self._styles.mask_of(self._style(cell, column)) if number else ""
            if mask:
                self._gathered.mark(row, column, PADDED, mask)

    def _style(self, cell: OdsCell, column: int) -> str:
        """Return the style of a cell: its own, its row's, or its column's (19.629)."""
        own = cell.attributes.get("table:style-name") or self._attributes.get(
            "table:default-cell-style-name", ""
        )
        if own:
            return own
        place = bisect_right(self._behind, column)
        return self._defaults[place] if place < len(self._defaults) else ""


def _repeats_of(attributes: dict[str, str], name: str) -> int:
    if name not in attributes:  # nearly always
        return 1
    return max(1, min(int(attributes[name]), _MOST_REPEATED))
