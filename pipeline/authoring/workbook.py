"""The workbook of a new manifest: a sheet to fill in, where to start, and the rules in plain words.

Everything it says about a field comes from `rules` and `columns`, so that it cannot drift. Heights
of rows are written down: not every program makes them of wrapped texts.
Tested in tests/authoring/test_starter.py.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Alignment, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.authoring.sheetstyle import (
    add_styles,
    fit_to_page,
    plain_font,
    put_text,
)
from pipeline.checker import rules
from pipeline.manifest import columns
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.manifest.examples import NEEDED_STYLE, RULES_HEADINGS
from pipeline.manifest.videolooks import LOOK_COLUMN, Library, built_in
from pipeline.manifest.wording import height_of, letters_of
from pipeline.models.describing import say_columns, say_pictures
from pipeline.models.shelf import DEFAULT_MODEL, known_sheets
from pipeline.models.wording import say_counts, say_values

_SHORT = frozenset({"aspect_ratio", "resolution"})
_LAST_ROW = 1_048_576
_MOST_IN_LIST = 255
"""The most characters of a list that stands in the rule of a column itself."""
_NEEDED = frozenset({"key", "prompt"})
_GAP = "FFFFE3C2"
_WIDTHS = {
    "key": 20, "prompt": 64, "image_1": 28, "image_2": 28, "image_3": 28, "duration": 10,
    "video_look": 15, "aspect_ratio": 13, "resolution": 12, "title": 28, "description": 60,
    "notes": 36, "url": 40, "tags": 24,
}  # fmt: skip
_WIDTH = 18
_WRAPPED = frozenset({"prompt", "title", "notes", "description"})

_DEFAULTS = rules.Form()
_COUNTS = rules.BY_FIELD["image_urls"].allowed
_REFUSED = [count for count in range(max(map(int, _COUNTS))) if count not in _COUNTS]
_HEADINGS = dict(
    zip((*RULES_HEADINGS, "other accepted headers"), (16, 64, 24, 28, 46), strict=True)
)


def _capital(text: str) -> str:
    """Begin the text with a capital; the rest keeps its case, as in 720P."""
    return text[:1].upper() + text[1:]


def _say_between(field: str) -> str:
    """Say what the values of a field need, by the rules of the first model."""
    return "".join(
        f" {say_values(field, values)} exists only with {say_values(other, needed)}."
        for rule in rules.FORM_RULES
        for other, needed in (rule.need or {}).items()
        if isinstance(values := rule.when.get(field), list) and isinstance(needed, list)
    )


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
        "What the video shows: describe what is seen, what moves, how the camera moves, and the "
        "light. A row with a title may leave it empty and name a look."
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
        f"{_capital(rules.BY_FIELD['resolution'].sentence)}.{_say_between('resolution')}"
    ),
    MODEL_COLUMN: (
        "Which model makes the video, if not that of the settings: each has values of its own, "
        "which `reelsheet models` lists."
    ),
}
NOTES = (
    "Every other column is yours: it is kept unchanged in the results.",
    (
        "Pictures: JPEG, PNG, WebP or GIF files of at most 10 MB each."
        + (f" A row with {say_counts(_REFUSED)} pictures is refused." if _REFUSED else "")
    ),
    (
        "Instead of the three picture columns you can use one column called images, with the "
        "pictures separated by | or ; or a line break, web addresses also by commas."
    ),
    "Empty cells take the values under `defaults` in config.yaml.",
    "This file is never changed: the results are a copy of it with added columns result_….",
)
"""What applies to the whole manifest, below the rules of its fields."""


def make_workbook(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    looks: Library | None = None,
    guide: Callable[[Workbook], None] = lambda _: None,
) -> bytes:
    """Return a workbook with these rows on its first sheet; none of its cells is a formula.

    Args:
        headers: the columns.
        rows: the cells of each row.
        looks: what the column of looks offers; None for those that come with the product.
        guide: adds a sheet behind the first one.

    """
    looks = built_in() if looks is None else looks
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Products"
    add_styles(book)
    guide(book)
    place = _put_rules(book.create_sheet("Rules"), looks)
    _put_rows(sheet, headers, rows)
    _dress(sheet, headers, _offer(looks, place))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _style_of(header: str) -> str:
    if header == "duration":
        return "seconds"
    if header in _SHORT:
        return "choice"
    return "long" if header in _WRAPPED else "cell"


def _put_rows(sheet: Worksheet, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    for column, header in enumerate(headers, start=1):
        put_text(sheet.cell(1, column), header, NEEDED_STYLE if header in _NEEDED else "head")
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


def _dress(sheet: Worksheet, headers: Sequence[str], looks: str) -> None:
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
        if header in _ABOUT:
            needed = "Must be filled in. " if header in _NEEDED else ""
            sheet.cell(1, number).comment = _comment(needed + _ABOUT[header])
        if header == LOOK_COLUMN:
            say = "Choose a look, or leave the cell empty"
            sheet.add_data_validation(_choice(header, looks, say, letter))
        elif header in rules.BY_FIELD and rules.BY_FIELD[header].allowed:
            rule = rules.BY_FIELD[header]
            say = f"Write {rule.sentence}, or leave the cell empty for the default"
            sheet.add_data_validation(_choice(header, _inline(rule.allowed), say, letter))
        elif header in _NEEDED:
            _mark_gaps(sheet, letter, letters_of(len(headers)))
    frozen = headers.index("prompt") if "prompt" in headers else 0
    sheet.freeze_panes = f"{letters_of(frozen + 1)}2"
    sheet.auto_filter.ref = sheet.dimensions
    fit_to_page(sheet)


def _mark_gaps(sheet: Worksheet, letter: str, last: str) -> None:
    """Colour a cell that must be filled in, in a row where anything else is."""
    gap = f"AND(COUNTA($A2:${last}2)>0,LEN(TRIM(${letter}2))=0)"
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


def _choice(header: str, listed: str, say: str, letter: str) -> DataValidation:
    """Offer the allowed values; Excel asks before it takes another spelling, which may be valid."""
    choice = DataValidation(
        "list",
        formula1=listed,
        allow_blank=True,
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=header,
        error=f"{say}.",
        showInputMessage=True,
        promptTitle=header,
        prompt=f"{say}.",
    )
    choice.add(f"{letter}2:{letter}{_LAST_ROW}")
    return choice


def _put_rules(sheet: Worksheet, looks: Library) -> str:
    """Write the rules, the notes and the looks; return the cells that hold the names of looks."""
    widths = list(_HEADINGS.values())
    for column, (heading, width) in enumerate(_HEADINGS.items(), start=1):
        put_text(sheet.cell(1, column), heading, "head")
        sheet.column_dimensions[letters_of(column)].width = width
    sheet.row_dimensions[1].height = 24
    fields = describe_fields(looks)
    for row, texts in enumerate(fields, start=2):
        for column, text in enumerate(texts, start=1):
            put_text(sheet.cell(row, column), text, "strong" if column == 1 else "long")
        sheet.row_dimensions[row].height = height_of(zip(texts, widths, strict=True))
    noted = len(fields) + 3
    notes = (*NOTES, *_describe_others())
    for row, text in enumerate(notes, start=noted):
        put_text(sheet.cell(row, 1), text, "long")
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(widths))
        sheet.row_dimensions[row].height = height_of([(text, sum(widths))])
    head = noted + len(notes) + 1
    put_text(sheet.cell(head, 1), "look", "head")
    put_text(sheet.cell(head, 2), "how it is filmed, and for what", "head")
    for row, look in enumerate(looks.looks.values(), start=head + 1):
        told = (look.name, look.about)
        for column, text in enumerate(told, start=1):
            put_text(sheet.cell(row, column), text, "strong" if column == 1 else "long")
        sheet.row_dimensions[row].height = height_of(zip(told, widths, strict=False))
    sheet.freeze_panes = "A2"
    fit_to_page(sheet, pages_high=1)
    return f"$A${head + 1}:$A${head + len(looks.looks)}"


def _describe_others() -> list[str]:
    """Return what rows of other models than the first may say, a line for each sheet."""
    sheets = {id(sheet): sheet for sheet in known_sheets().values()}.values()
    return [
        f"{MODEL_COLUMN} {' or '.join(sheet.head.models)}: "
        + "".join(f"{name} {said}; " for name, said, *_ in say_columns(sheet))
        + "; ".join((f"pictures: {say_pictures(sheet)}", *(rule.say for rule in sheet.rules)))
        + "."
        for sheet in sheets
        if DEFAULT_MODEL not in sheet.head.models
    ]


def describe_fields(looks: Library) -> list[tuple[str, ...]]:
    """Return a line per field: header, what to write, what is allowed, if empty, other headers."""
    return [
        (field, about, _say_allowed(field, looks), _empty(field), _others(field))
        for field, about in _ABOUT.items()
    ]


def _say_allowed(field: str, looks: Library) -> str:
    if field in rules.IMAGE_FIELDS:
        return f"{rules.BY_FIELD['image_urls'].sentence} per row"
    if field == LOOK_COLUMN:
        return ", ".join(looks.names)
    if field == MODEL_COLUMN:
        return ", ".join(known_sheets())
    rule = rules.BY_FIELD.get(field)
    if rule is None or not rule.allowed:
        return "any text"
    return ", ".join(map(str, rule.allowed))


def _empty(field: str) -> str:
    if field == "prompt":
        return "made of the title and the look, if the row has both; else a problem"
    if field == "key":
        return "a problem; if there is no such column, rows are told apart by their contents"
    if field in rules.IMAGE_FIELDS:
        return "no picture"
    if field == LOOK_COLUMN:
        return "nothing is added; a template takes one that suits the product's type"
    if field == MODEL_COLUMN:
        return "the one of `api.model` in config.yaml"
    return str(getattr(_DEFAULTS, field))


def _others(field: str) -> str:
    return ", ".join(name for name in columns.ALIASES.get(field, ()) if name != field)
