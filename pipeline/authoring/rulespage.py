"""The sheets of a new workbook that explain its table: what each column holds, in plain words.

Everything they say about a field comes from `rules`, the sheets of models and `columns`, so that it
cannot drift. Heights of rows are written down: not every program makes them of wrapped texts.
Tested in tests/authoring/test_starter.py and tests/authoring/test_modelcolumns.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, islice

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.authoring.modelcolumns import FIRST, Models, describe_model, notes_of
from pipeline.authoring.sheetstyle import LONGEST_TITLE, fit_to_page, put_text
from pipeline.checker import rules
from pipeline.checker.modelrules import ModelRules
from pipeline.manifest import columns
from pipeline.manifest.columns import MODEL_COLUMN
from pipeline.manifest.examples import RULES_HEADINGS
from pipeline.manifest.videolooks import LOOK_COLUMN, Library
from pipeline.manifest.wording import begin, height_of, letters_of
from pipeline.models.describing import say_columns, say_counts, say_pictures, say_values
from pipeline.models.shelf import known_sheets

_NOT_IN_TITLES = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))
_DEFAULTS = rules.Form()
_COUNTS = rules.BY_FIELD["image_urls"].allowed
_REFUSED = [count for count in range(max(map(int, _COUNTS))) if count not in _COUNTS]
_HEADINGS = dict(
    zip((*RULES_HEADINGS, "other accepted headers"), (16, 64, 27, 29, 46), strict=True)
)


def _say_what_resolutions_need() -> str:
    """Say it by the rules of the first model."""
    return "".join(
        f" {say_values('resolution', values)} exists only with {say_values(other, needed)}."
        for rule in rules.FORM_RULES
        for other, needed in (rule.need or {}).items()
        if isinstance(values := rule.when.get("resolution"), list) and isinstance(needed, list)
    )


_PICTURE = (
    f"A picture that the video starts from: a path relative to this file's folder "
    f"(pictures/mug.jpg) or an https:// address. "
    f"{begin(rules.BY_FIELD['image_urls'].sentence)} per row."
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
        f"{begin(rules.BY_FIELD['resolution'].sentence)}.{_say_what_resolutions_need()}"
    ),
    MODEL_COLUMN: (
        "Which model makes the video, if not that of the settings: each has values of its own, "
        "which `reelsheet models` lists."
    ),
}
_ON_PICTURES = "Pictures: JPEG, PNG, WebP or GIF files of at most 10 MB each."
NOTES = (
    "Every other column is yours: it is kept unchanged in the results.",
    (
        _ON_PICTURES
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


def put_explanations(book: Workbook, looks: Library, models: Models) -> str:
    """Add the sheets that explain; return the cells of the first that hold the names of looks."""
    place = _put_rules(book.create_sheet("Rules"), looks, models)
    for model in models.names if models.mixed else ():
        _put_model(book.create_sheet(_title_of(model, book.sheetnames)), models.rules[model])
    return place


def abouts_of(models: Models) -> Mapping[str, str]:
    """Return what to write below each header."""
    return _ABOUT if models.is_first_alone else _ABOUT | models.abouts


def _put_lines(sheet: Worksheet, lines: Sequence[Sequence[str]], notes: Sequence[str]) -> int:
    """Write a line for each field, and notes below them; return the number of the next row."""
    widths = list(_HEADINGS.values())
    for column, (heading, width) in enumerate(_HEADINGS.items(), start=1):
        put_text(sheet.cell(1, column), heading, "head")
        sheet.column_dimensions[letters_of(column)].width = width
    sheet.row_dimensions[1].height = 24
    for row, texts in enumerate(lines, start=2):
        for column, text in enumerate(texts, start=1):
            put_text(sheet.cell(row, column), text, "strong" if column == 1 else "long")
        sheet.row_dimensions[row].height = height_of(zip(texts, widths, strict=False))
    noted = len(lines) + 3
    for row, text in enumerate(notes, start=noted):
        put_text(sheet.cell(row, 1), text, "long")
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(widths))
        sheet.row_dimensions[row].height = height_of([(text, sum(widths))])
    sheet.freeze_panes = "A2"
    fit_to_page(sheet, pages_high=1)
    return noted + len(notes)


def _put_rules(sheet: Worksheet, looks: Library, models: Models) -> str:
    """Write the rules, the notes and the looks; return the cells that hold the names of looks."""
    head = 1 + _put_lines(sheet, describe_fields(looks, models), _notes(models))
    put_text(sheet.cell(head, 1), "look", "head")
    put_text(sheet.cell(head, 2), "how it is filmed, and for what", "head")
    widths = list(_HEADINGS.values())
    for row, look in enumerate(looks.looks.values(), start=head + 1):
        told = (look.name, look.about)
        for column, text in enumerate(told, start=1):
            put_text(sheet.cell(row, column), text, "strong" if column == 1 else "long")
        sheet.row_dimensions[row].height = height_of(zip(told, widths, strict=False))
    return f"$A${head + 1}:$A${head + len(looks.looks)}"


def _put_model(sheet: Worksheet, model: ModelRules) -> None:
    """Write the rules of one model of several."""
    lines = [(*line, _others(line[0])) for line in describe_model(model)]
    _put_lines(sheet, [(MODEL_COLUMN, model.model, "", "", ""), *lines], notes_of(model))


def _title_of(model: str, taken: Sequence[str]) -> str:
    """Return the name of the sheet of a model: some characters cannot stand there."""
    plain = f"Rules {model.translate(_NOT_IN_TITLES)}"[:LONGEST_TITLE]
    known = {one.casefold() for one in taken}
    others = (f"{plain[: LONGEST_TITLE - 3]} {number}" for number in count(2))
    return next(one for one in (plain, *islice(others, 99)) if one.casefold() not in known)


def _notes(models: Models) -> tuple[str, ...]:
    if models.is_first_alone:
        return (*NOTES, *_describe_others(models))
    own = [] if models.mixed else notes_of(models.rules[models.default])
    one_column = NOTES[2].replace("the three picture columns", "a column for each picture")
    return (NOTES[0], _ON_PICTURES, one_column, *own, *NOTES[4:], *_describe_others(models))


def _describe_others(models: Models) -> list[str]:
    """Return what rows of further models may say, a line for each sheet."""
    sheets = {id(sheet): sheet for sheet in known_sheets().values()}.values()
    return [
        f"{MODEL_COLUMN} {' or '.join(sheet.head.models)}: "
        + "".join(f"{name} {said}; " for name, said, *_ in say_columns(sheet))
        + "; ".join((f"pictures: {say_pictures(sheet)}", *(rule.say for rule in sheet.rules)))
        + "."
        for sheet in sheets
        if not set(sheet.head.models) & set(models.names)
    ]


def describe_fields(looks: Library, models: Models = FIRST) -> list[tuple[str, ...]]:
    """Return a line per field: header, what to write, what is allowed, if empty, other headers."""
    if models.is_first_alone:
        fields = list(_ABOUT)
        own: dict[str, tuple[str, ...]] = {}
    else:
        described = [] if models.mixed else describe_model(models.rules[models.default])
        own = {line[0]: line for line in described}
        general = ("key", "prompt", LOOK_COLUMN)
        fields = [*general, *own, MODEL_COLUMN]
    return [
        (*own[field], _others(field))
        if field in own
        else (
            field,
            abouts_of(models)[field],
            _say_allowed(field, looks, models),
            _empty(field, models),
            _others(field),
        )
        for field in fields
    ]


def _say_allowed(field: str, looks: Library, models: Models) -> str:
    if field in rules.IMAGE_FIELDS:
        return f"{rules.BY_FIELD['image_urls'].sentence} per row"
    if field == LOOK_COLUMN:
        return ", ".join(looks.names)
    if field == MODEL_COLUMN:
        return ", ".join(models.names if models.mixed else known_sheets())
    rule = rules.BY_FIELD.get(field)
    if rule is None or not rule.allowed:
        return "any text"
    return ", ".join(map(str, rule.allowed))


def _empty(field: str, models: Models) -> str:
    if field == "prompt":
        needed = "made of the title and the look, if the row has both; else "
        return needed + ("a problem" if field in models.needed else "none is sent")
    if field == "key":
        return "a problem; if there is no such column, rows are told apart by their contents"
    if field in rules.IMAGE_FIELDS:
        return "no picture"
    if field == LOOK_COLUMN:
        return "nothing is added; a template takes one that suits the product's type"
    if field == MODEL_COLUMN:
        return models.default if models.mixed else "the one of `api.model` in config.yaml"
    return str(getattr(_DEFAULTS, field))


def _others(field: str) -> str:
    return ", ".join(name for name in columns.ALIASES.get(field, ()) if name != field)
