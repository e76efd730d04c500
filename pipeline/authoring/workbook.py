"""The workbook of a new manifest: a sheet to fill in, and the rules in plain words beside it.

Everything that is said about a field comes from `rules` and `columns`, so that it cannot drift.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.authoring.guide import ABOUT, HEADINGS, KNOWN, table
from pipeline.checker import rules

PRODUCTS, RULES = "Products", "Rules"
LONGEST_CELL = 32_767  # characters; Excel specifications and limits
LAST_ROW = 1_048_576
_INK = "FF22313A"
_WIDTHS = {
    "key": 24, "prompt": 72, "image_1": 34, "image_2": 34, "image_3": 34, "duration": 10,
    "aspect_ratio": 13, "resolution": 12, "title": 30, "description": 60, "notes": 44, "url": 40,
    "tags": 24,
}  # fmt: skip
_WIDTH = 18
_WRAPPED = frozenset({"prompt", "notes", "description"})
_ROW_HEIGHT = 62
# Excel reads _x0041_ as the character A; the escaped form keeps the text.
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def workbook(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook with these rows on its first sheet; no cell of it is a formula."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = PRODUCTS
    for style in _styles():
        book.add_named_style(style)
    _put_rows(sheet, headers, rows)
    _dress(sheet, headers)
    _put_rules(book.create_sheet(RULES))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _styles() -> tuple[NamedStyle, ...]:
    # As text, or a spreadsheet program makes a time of 16:9 and 7 of 007.
    top = Alignment(vertical="top")
    wrapped = Alignment(vertical="top", wrap_text=True)
    return (
        NamedStyle("cell", number_format="@", alignment=top),
        NamedStyle("long", number_format="@", alignment=wrapped),
        NamedStyle("seconds", number_format="General", alignment=top),
        NamedStyle(
            "head",
            font=Font(bold=True, color="FFFFFFFF"),
            fill=PatternFill("solid", fgColor=_INK),
            alignment=Alignment(vertical="center"),
        ),
    )


def _style_of(header: str) -> str:
    if header == "duration":
        return "seconds"
    return "long" if header in _WRAPPED else "cell"


def _put_rows(sheet: Worksheet, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for column, header in enumerate(headers, start=1):
        _put(sheet.cell(1, column), header, "head")
    styles = [_style_of(header) for header in headers]
    for number, row in enumerate(rows, start=2):
        for column, (text, style) in enumerate(zip(row, styles, strict=True), start=1):
            cell = sheet.cell(number, column)
            if style == "seconds" and text.isdecimal():
                cell.value = int(text)
                cell.style = style
            else:
                _put(cell, text, style)
        sheet.row_dimensions[number].height = _ROW_HEIGHT


def _put(cell: Cell | MergedCell, text: str, style: str) -> None:
    """Write a text as a text, also one that begins with `=`."""
    if text:
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", text[:LONGEST_CELL])
        cell.data_type = "s"
    cell.style = style


def _dress(sheet: Worksheet, headers: Sequence[str]) -> None:
    sheet.row_dimensions[1].height = 24
    for number, header in enumerate(headers, start=1):
        letter = get_column_letter(number)
        dimension = sheet.column_dimensions[letter]
        dimension.width = _WIDTHS.get(header, _WIDTH)
        # The rows that a person adds below look like those that are there.
        dimension.number_format = "General" if header == "duration" else "@"
        if header in ABOUT:
            sheet.cell(1, number).comment = _comment(ABOUT[header])
        if header in rules.BY_FIELD and rules.BY_FIELD[header].allowed:
            sheet.add_data_validation(_choice(header, letter))
    frozen = headers.index("prompt") if "prompt" in headers else 0
    sheet.freeze_panes = f"{get_column_letter(frozen + 1)}2"
    sheet.auto_filter.ref = sheet.dimensions


def _comment(text: str) -> Comment:
    comment = Comment(text, "Reelsheet")
    comment.width, comment.height = 320, 30 + 18 * (len(text) // 44 + 1)
    return comment


def _choice(header: str, letter: str) -> DataValidation:
    """Offer the allowed values; other spellings that are understood only get a question."""
    rule = rules.BY_FIELD[header]
    choice = DataValidation(
        "list",
        formula1=f'"{",".join(map(str, rule.allowed))}"',
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=header,
        error=f"Write {rule.sentence}, or leave the cell empty for the default.",
    )
    choice.add(f"{letter}2:{letter}{LAST_ROW}")
    return choice


def _put_rules(sheet: Worksheet) -> None:
    for column, (heading, width) in enumerate(HEADINGS.items(), start=1):
        _put(sheet.cell(1, column), heading, "head")
        sheet.column_dimensions[get_column_letter(column)].width = width
    row = 1
    for row, texts in enumerate(table(), start=2):
        for column, text in enumerate(texts, start=1):
            _put(sheet.cell(row, column), text, "long")
    for number, text in enumerate(KNOWN, start=row + 2):
        _put(sheet.cell(number, 1), text, "long")
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=5)
        sheet.row_dimensions[number].height = 34
    sheet.freeze_panes = "A2"
