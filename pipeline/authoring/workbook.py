"""The workbook of a new manifest: a sheet to fill in, where to start, and the rules in plain words.

What it offers comes from `rules` and the sheets of models, so that it cannot drift. Heights of rows
are written down: not every program makes them of wrapped texts.
Tested in tests/authoring/test_starter.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.authoring.modelcolumns import FIRST, Choice, Models
from pipeline.authoring.rulespage import abouts_of, put_explanations
from pipeline.authoring.sheetstyle import (
    LONGEST_TITLE,
    add_styles,
    fit_to_page,
    plain_font,
    put_text,
)
from pipeline.checker import rules
from pipeline.manifest.examples import NEEDED_STYLE
from pipeline.manifest.videolooks import LOOK_COLUMN, Library, built_in
from pipeline.manifest.wording import height_of, letters_of
from pipeline.models.records import show

_SHORT = frozenset({"aspect_ratio", "resolution"})
_LAST_ROW = 1_048_576
_MOST_IN_LIST = 255
"""The most characters of a list that stands in the rule of a column itself."""
_GAP = "FFFFE3C2"
_WIDTHS = {
    "key": 20, "prompt": 64, "image_1": 28, "image_2": 28, "image_3": 28, "duration": 10,
    "video_look": 15, "aspect_ratio": 13, "resolution": 12, "title": 28, "description": 60,
    "notes": 36, "url": 40, "tags": 24,
}  # fmt: skip
_WIDTH = 18
_WRAPPED = frozenset({"prompt", "title", "notes", "description"})


def make_workbook(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    looks: Library | None = None,
    guide: Callable[[Workbook], None] = lambda _: None,
    models: Models = FIRST,
) -> bytes:
    """Return a workbook with these rows on its first sheet; none of its cells is a formula.

    Args:
        headers: the columns.
        rows: the cells of each row.
        looks: what the column of looks offers; None for those that come with the product.
        guide: adds a sheet behind the first one.
        models: those that its rows may have.

    """
    looks = built_in() if looks is None else looks
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Products"
    add_styles(book)
    guide(book)
    place = put_explanations(book, looks, models)
    _put_rows(sheet, headers, rows, models.needed)
    _dress(sheet, headers, _offer(looks, place), models)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _style_of(header: str) -> str:
    if header == "duration":
        return "seconds"
    if header in _SHORT:
        return "choice"
    return "long" if header in _WRAPPED else "cell"


def _put_rows(
    sheet: Worksheet,
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    needed: Container[str],
) -> None:
    for column, header in enumerate(headers, start=1):
        put_text(sheet.cell(1, column), header, NEEDED_STYLE if header in needed else "head")
    styles = [_style_of(header) for header in headers]
    widths = [_WIDTHS.get(header, _WIDTH) for header in headers]
    for number, row in enumerate(rows, start=2):
        for column, (text, style) in enumerate(zip(row, styles, strict=True), start=1):
            cell = sheet.cell(number, column)
            if style == "seconds" and text.isdecimal():
                cell.value = int(text)
                cell.style = style
            else:
                put_text(cell, text, style)
        cells = zip(row, widths, styles, strict=True)
        long = [(text, width) for text, width, style in cells if style == "long"]
        sheet.row_dimensions[number].height = height_of(long, least_lines=2)


def _dress(sheet: Worksheet, headers: Sequence[str], looks: str, models: Models) -> None:
    abouts, choices = abouts_of(models), _choices(models)
    sheet.row_dimensions[1].height = 24
    for number, header in enumerate(headers, start=1):
        letter = letters_of(number)
        dimension = sheet.column_dimensions[letter]
        dimension.width = _WIDTHS.get(header, _WIDTH)
        # Rows that a person adds below look the same.
        dimension.number_format = "General" if header == "duration" else "@"
        dimension.font = plain_font()
        dimension.alignment = Alignment(
            horizontal="center" if header in {*_SHORT, "duration"} else None,
            vertical="top",
            wrap_text=header in _WRAPPED,
        )
        if header in abouts:
            needed = "Must be filled in. " if header in models.needed else ""
            sheet.cell(1, number).comment = _comment(needed + abouts[header])
        if header == LOOK_COLUMN:
            say = "Choose a look, or leave the cell empty"
            sheet.add_data_validation(_choice(header, looks, say, letter))
        elif header in choices:
            if (choice := _validation(header, choices[header], letter)) is not None:
                sheet.add_data_validation(choice)
        elif header in models.needed:
            _mark_gaps(sheet, header, headers)
    frozen = headers.index("prompt") if "prompt" in headers else 0
    sheet.freeze_panes = f"{letters_of(frozen + 1)}2"
    sheet.auto_filter.ref = sheet.dimensions
    fit_to_page(sheet)


def _mark_gaps(sheet: Worksheet, header: str, headers: Sequence[str]) -> None:
    """Colour a cell that must be filled in, in a row where anything else is.

    A row with a title and a look needs no prompt.
    """
    at = {name: letters_of(number) for number, name in enumerate(headers, start=1)}
    letter, last = at[header], letters_of(len(headers))
    gap = f"COUNTA($A2:${last}2)>0,LEN(TRIM(${letter}2))=0"
    if header == "prompt" and {"title", LOOK_COLUMN} <= at.keys():
        gap += f",OR(LEN(TRIM(${at['title']}2))=0,LEN(TRIM(${at[LOOK_COLUMN]}2))=0)"
    gap = f"AND({gap})"
    fill = DifferentialStyle(fill=PatternFill("solid", bgColor=_GAP))
    rule = Rule("expression", formula=[gap], dxf=fill)
    sheet.conditional_formatting.add(f"{letter}2:{letter}{_LAST_ROW}", rule)


def _comment(text: str) -> Comment:
    comment = Comment(text, "Reelsheet")
    comment.width, comment.height = 320, 30 + 18 * (len(text) // 44 + 1)
    return comment


def _inline(allowed: Iterable[object]) -> str:
    return f'"{",".join(map(str, allowed))}"'


def _offer(looks: Library, place: str) -> str:
    """Return the list of looks; where a formula cannot hold it, the cells at `place`."""
    listed = _inline(looks.names)
    parted = any(set(name) & set(',"') for name in looks.names)
    return f"Rules!{place}" if parted or len(listed) > _MOST_IN_LIST else listed


def _choices(models: Models) -> Mapping[str, Choice]:
    if not models.is_first_alone:
        return models.choices
    return {
        name: Choice(
            f"Write {rule.sentence}, or leave the cell empty for the default", rule.allowed
        )
        for name in models.fields
        if (rule := rules.BY_FIELD[name]).allowed
    }


def _validation(header: str, choice: Choice, letter: str) -> DataValidation | None:
    """Return what is offered; None for a list that is too long for the rule of a column."""
    if choice.whole is not None:
        return _choice(header, str(choice.whole[0]), choice.say, letter, str(choice.whole[1]))
    listed = _inline(choice.listed)
    fits = len(listed) <= _MOST_IN_LIST and not any(
        set(show(one)) & set(',"') for one in choice.listed
    )
    return _choice(header, listed, choice.say, letter) if fits else None


def _choice(
    header: str, listed: str, say: str, letter: str, most: str | None = None
) -> DataValidation:
    """Offer the allowed values; Excel asks before it takes another spelling, which may be valid.

    With `most` they are the whole numbers from the one to the other.
    """
    choice = DataValidation(
        "list" if most is None else "whole",
        formula1=listed,
        formula2=most,
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=header[:LONGEST_TITLE],
        error=f"{say}.",
        showInputMessage=True,
        promptTitle=header[:LONGEST_TITLE],
        prompt=f"{say}.",
    )
    choice.add(f"{letter}2:{letter}{_LAST_ROW}")
    return choice
