"""The workbook of a new manifest: a sheet to fill in, and beside it the rules in plain words.

Everything it says about a field comes from `rules` and `columns`, so that it cannot drift.
Tested in tests/authoring/test_starter.py.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, NamedStyle, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.checker import rules
from pipeline.manifest import columns
from pipeline.manifest.videolooks import LOOK_COLUMN, built_in
from pipeline.manifest.wording import letters_of

LONGEST_CELL = 32_767
"""The most characters of a cell (Excel specifications and limits)."""

_LAST_ROW = 1_048_576
_INK = "FF22313A"
_WIDTHS = {
    "key": 24, "prompt": 72, "image_1": 34, "image_2": 34, "image_3": 34, "duration": 10,
    "video_look": 16,
    "aspect_ratio": 13, "resolution": 12, "title": 30, "description": 60, "notes": 44, "url": 40,
    "tags": 24,
}  # fmt: skip
_WIDTH = 18
_WRAPPED = frozenset({"prompt", "notes", "description"})
_ROW_HEIGHT = 62
# Excel reads _x0041_ as the character A; the escaped form keeps the text.
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

_DEFAULTS = rules.Form()
_HEADINGS = {
    "column": 16,
    "what to write": 64,
    "allowed": 24,
    "if the cell is empty": 28,
    "other accepted headers": 46,
}


def _capital(text: str) -> str:
    """Begin the text with a capital; the rest keeps its case, as in 720P."""
    return text[:1].upper() + text[1:]


_PICTURE = (
    f"A picture that the video starts from: a path relative to this file's folder "
    f"(pictures/mug.jpg) or an https:// address. "
    f"{_capital(rules.BY_FIELD['image_urls'].sentence)} per row."
)
_ABOUT = {
    "key": (
        "A name that the row keeps for good, such as an article number: its video is named after "
        "it, and later runs recognise the row by it. Use each only once."
    ),
    "prompt": (
        f"{_capital(rules.BY_FIELD['prompt'].sentence)}. Describe what is seen, what moves, how "
        "the camera moves, and the light."
    ),
    LOOK_COLUMN: (
        "How it is filmed: choose from the list, and the words of that look are put behind the "
        "prompt, or into it where {{ look }} stands in a template. Your own looks go into a file "
        "in the folder looks beside config.yaml."
    ),
    "image_1": _PICTURE,
    "image_2": _PICTURE,
    "image_3": _PICTURE,
    "duration": f"The length of the video: {rules.BY_FIELD['duration'].sentence}.",
    "aspect_ratio": (
        f"The shape of the video: {rules.BY_FIELD['aspect_ratio'].sentence} (9:16 is upright, for "
        "phones)."
    ),
    "resolution": (
        f"{_capital(rules.BY_FIELD['resolution'].sentence)}. 1080p exists only with "
        f"{rules.FORM_RULES[0].needed}."
    ),
}
NOTES = (
    "Every other column is yours: it is kept unchanged in the results.",
    (
        "Pictures: JPEG, PNG, WebP or GIF files of at most 10 MB each. A row with two pictures is "
        "refused."
    ),
    (
        "Instead of the three picture columns you can use one column called images, with the "
        "pictures separated by | or ; or a line break, web addresses also by commas."
    ),
    "Empty cells take the values under `defaults` in config.yaml.",
    "This file is never changed: the results are a copy of it with added columns result_….",
)
"""What applies to the whole manifest, below the rules of its fields."""


def make_workbook(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a workbook with these rows on its first sheet; none of its cells is a formula."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Products"
    for style in _styles():
        book.add_named_style(style)
    _put_rows(sheet, headers, rows)
    _dress(sheet, headers)
    _put_rules(book.create_sheet("Rules"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _styles() -> tuple[NamedStyle, ...]:
    # The format is text: otherwise a spreadsheet program turns 16:9 into a time and 007 into 7.
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
    """Write text as text, even if it begins with `=`."""
    if text:
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", text[:LONGEST_CELL])
        cell.data_type = "s"
    cell.style = style


def _dress(sheet: Worksheet, headers: Sequence[str]) -> None:
    sheet.row_dimensions[1].height = 24
    for number, header in enumerate(headers, start=1):
        letter = letters_of(number)
        dimension = sheet.column_dimensions[letter]
        dimension.width = _WIDTHS.get(header, _WIDTH)
        # Rows that a person adds below get the same format.
        dimension.number_format = "General" if header == "duration" else "@"
        if header in _ABOUT:
            sheet.cell(1, number).comment = _comment(_ABOUT[header])
        if header == LOOK_COLUMN:
            say = "Choose a look, or leave the cell empty"
            sheet.add_data_validation(_choice(header, built_in().names, say, letter))
        elif header in rules.BY_FIELD and rules.BY_FIELD[header].allowed:
            rule = rules.BY_FIELD[header]
            say = f"Write {rule.sentence}, or leave the cell empty for the default"
            sheet.add_data_validation(_choice(header, rule.allowed, say, letter))
    frozen = headers.index("prompt") if "prompt" in headers else 0
    sheet.freeze_panes = f"{letters_of(frozen + 1)}2"
    sheet.auto_filter.ref = sheet.dimensions


def _comment(text: str) -> Comment:
    comment = Comment(text, "Reelsheet")
    comment.width, comment.height = 320, 30 + 18 * (len(text) // 44 + 1)
    return comment


def _choice(header: str, allowed: Iterable[object], say: str, letter: str) -> DataValidation:
    """Offer the allowed values; Excel asks before it takes another spelling, which may be valid."""
    choice = DataValidation(
        "list",
        formula1=f'"{",".join(map(str, allowed))}"',
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=header,
        error=f"{say}.",
    )
    choice.add(f"{letter}2:{letter}{_LAST_ROW}")
    return choice


def _put_rules(sheet: Worksheet) -> None:
    for column, (heading, width) in enumerate(_HEADINGS.items(), start=1):
        _put(sheet.cell(1, column), heading, "head")
        sheet.column_dimensions[letters_of(column)].width = width
    row = 1
    for row, texts in enumerate(describe_fields(), start=2):
        for column, text in enumerate(texts, start=1):
            _put(sheet.cell(row, column), text, "long")
    for number, text in enumerate(NOTES, start=row + 2):
        _put(sheet.cell(number, 1), text, "long")
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=5)
        sheet.row_dimensions[number].height = 34
    sheet.freeze_panes = "A2"


def describe_fields() -> list[tuple[str, ...]]:
    """Return a line per field: header, what to write, what is allowed, if empty, other headers."""
    return [
        (field, about, _say_allowed(field), _empty(field), _others(field))
        for field, about in _ABOUT.items()
    ]


def _say_allowed(field: str) -> str:
    if field in rules.IMAGE_FIELDS:
        return f"{rules.BY_FIELD['image_urls'].sentence} per row"
    if field == LOOK_COLUMN:
        return ", ".join(built_in().names)
    rule = rules.BY_FIELD.get(field)
    if rule is None or not rule.allowed:
        return "any text"
    return ", ".join(map(str, rule.allowed))


def _empty(field: str) -> str:
    if field == "prompt":
        return "a problem: every row needs one"
    if field == "key":
        return "a problem; if there is no such column, rows are told apart by their contents"
    if field in rules.IMAGE_FIELDS:
        return "no picture"
    if field == LOOK_COLUMN:
        return "nothing is added; a template takes one that suits the product's type"
    return str(getattr(_DEFAULTS, field))


def _others(field: str) -> str:
    return ", ".join(name for name in columns.ALIASES.get(field, ()) if name != field)
