"""How the sheets of a new workbook look: fonts, fills, heights of rows, and how they are printed.

Tested in tests/authoring/test_starter.py.
"""

from __future__ import annotations

import re
from functools import partial

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.manifest.examples import NEEDED_STYLE

LONGEST_CELL = 32_767
"""The most characters of a cell (Excel specifications and limits)."""
LONGEST_TITLE = 31
"""The most characters of the name of a sheet; a title beside a cell may have 32."""
_INK, _NEEDED_INK, _LINE = "FF22313A", "FF0B6E4F", "FF9AA5AD"
_FONT = "Calibri"
_MARGIN_INCHES = 0.4
# Excel reads _x0041_ as the character A; the escaped form keeps the text.
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def add_styles(book: Workbook) -> None:
    """Add the cell styles that `put_text` names."""
    for style in _styles():
        book.add_named_style(style)


def _styles() -> tuple[NamedStyle, ...]:
    # The format is text: otherwise a spreadsheet program turns 16:9 into a time and 007 into 7.
    top, wrapped = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
    centred, head = Alignment(horizontal="center", vertical="top"), Alignment(vertical="center")
    line = Border(bottom=Side("hair", color=_LINE))
    body = partial(NamedStyle, number_format="@", border=line)
    return (
        body("cell", font=plain_font(), alignment=top),
        body("long", font=plain_font(), alignment=wrapped),
        body("choice", font=plain_font(), alignment=centred),
        body("seconds", font=plain_font(), alignment=centred, number_format="General"),
        body("strong", font=plain_font(bold=True), alignment=wrapped),
        NamedStyle("guide title", font=plain_font(size=18, bold=True), alignment=head),
        NamedStyle(
            "head",
            font=plain_font(bold=True, color="FFFFFFFF"),
            fill=PatternFill("solid", fgColor=_INK),
            alignment=head,
        ),
        NamedStyle(
            NEEDED_STYLE,
            font=plain_font(bold=True, color="FFFFFFFF"),
            fill=PatternFill("solid", fgColor=_NEEDED_INK),
            alignment=head,
        ),
    )


def plain_font(*, bold: bool = False, size: int = 11, color: str = "FF000000") -> Font:
    """Return the font of the sheets; one without a name is another one in every program."""
    return Font(name=_FONT, family=2, size=size, bold=bold, color=color)


def put_text(cell: Cell | MergedCell, text: str, style: str) -> None:
    """Write text as text, even if it begins with `=`.

    Args:
        cell: where to.
        text: what is written; of the empty text the style alone.
        style: the name of its cell style.

    """
    if text:
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", text[:LONGEST_CELL])
        cell.data_type = "s"
    cell.style = style


def fit_to_page(sheet: Worksheet, *, pages_high: int = 0) -> None:
    """Have a sheet printed across, one page wide, with its first row on each page.

    `pages_high` is how many pages high it is at most; 0 for any number.
    """
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, pages_high
    sheet.print_title_rows = "1:1"
    margin = _MARGIN_INCHES
    sheet.page_margins = PageMargins(margin, margin, margin, 1.5 * margin, margin / 2, margin / 2)
    if sheet.oddFooter is not None and sheet.oddFooter.center is not None:
        sheet.oddFooter.center.text = "&A, &P / &N"
