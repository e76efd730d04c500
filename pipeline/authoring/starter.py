"""Make a starter folder for a new user: a template workbook, the configuration, the folders.

The workbook has a sheet that says how to begin, from the table to videos. It shows what the cells
of pictures may hold: an example in the table itself would need a picture.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.authoring.modelcolumns import FIRST, Models, counts_of
from pipeline.authoring.newmanifest import looks_in, put
from pipeline.authoring.sheetstyle import fit_to_page, put_text
from pipeline.authoring.workbook import make_workbook
from pipeline.checker import rules
from pipeline.config.catalogue import sample
from pipeline.config.loading import load, load_in_part
from pipeline.config.ownsheets import FOLDER, OwnSheet, put_up_own_sheets
from pipeline.disk.failures import store_error
from pipeline.errors import UsageError
from pipeline.manifest.examples import EXAMPLES, GUIDE_SHEET, GUIDE_TITLE, NEEDED_STYLE
from pipeline.manifest.videolooks import LOOK_COLUMN
from pipeline.manifest.wording import height_of, letters_of, name_all, quote_name
from pipeline.models.records import Value, show
from pipeline.models.shelf import DEFAULT_MODEL

STARTER_MANIFEST = Path("manifests", "products.xlsx")
"""Where the template workbook of a starter folder is."""
STARTER_CONFIG = Path("config.yaml")
"""Where the configuration of a starter folder is."""
PICTURES_FOLDER = Path("manifests", "pictures")
"""Where a starter folder keeps its pictures."""
OUTPUTS_FOLDER = Path("outputs")
"""Where a starter folder keeps what runs write."""

_WIDTHS = (5, 32, 32, 32, 32)
_TAB = "0B6E4F"
_STEPS = (
    (
        (
            "Fill in the sheet Products: a line for each video. Replace the three examples, or "
            "delete their lines."
        ),
        (
            "The headers say what belongs below them: point at one to read it. What each column "
            "may hold is on the sheet Rules."
        ),
    ),
    (
        "Put pictures of the products into the folder pictures beside this file.",
        "{none} See the examples below.",
    ),
    (
        "Save this file, and have it checked:\nreelsheet check manifests/products.xlsx",
        "Everything that is missing or wrong is listed with its cell. Nothing is sent.",
    ),
    (
        "See what it would cost:\nreelsheet plan manifests/products.xlsx",
        "How many videos, how many seconds, how long it takes. Nothing is sent.",
    ),
    (
        "Make the videos:\nreelsheet run manifests/products.xlsx",
        (
            "Until provider: toapis stands in config.yaml this is a rehearsal: previews on your "
            "own machine, free of charge."
        ),
    ),
    (
        "Look at them, approve them or send them back:\nreelsheet review manifests/products.xlsx",
        (
            "The results are this table once more, in the folder outputs, with the state and the "
            "video of each line. This file is never changed."
        ),
    ),
)
_COLUMNS_OF_PICTURES = 3
_EXAMPLE_NOTE = "Example. Replace it with one of your products."
_WEB_PICTURE = "https://shop.example.com/mug-{}.jpg"
_COLOURS = (
    (NEEDED_STYLE, "{needed}", "must be filled in: {what}"),
    ("head", "all others", "may stay empty; columns of your own are kept as they are"),
)
_PICTURES = (
    ("no picture", "", "", ""),
    ("one picture", "pictures/mug.jpg", "", ""),
    ("two pictures", "pictures/mug-front.jpg", "pictures/mug-back.jpg", ""),
    ("three views", "pictures/mug-front.jpg", "pictures/mug-side.jpg", "pictures/mug-top.jpg"),
    ("from the web", "https://shop.example.com/mug.jpg", "", ""),
)


def read_model(config: Path, settings: Sequence[str]) -> tuple[str, str]:
    """Return the model of a folder that is being made, and the one that its configuration says.

    The sheets of models beside the configuration are put up. A configuration that is there already
    is read as far as it can be. Raises ConfigError.

    Args:
        config: The configuration file, which may not be there.
        settings: Settings of highest precedence.

    """
    load(None, environ={}, overrides=settings)
    put_up_own_sheets(config.parent)
    path, wanted = (config if config.is_file() else None), ("api.model",)
    model, kept = (
        load_in_part(path, environ=os.environ, overrides=given, wanted=wanted).api.model
        for given in (settings, ())
    )
    return model, kept


def make_starter(
    folder: Path, models: Models = FIRST, sheets: Sequence[OwnSheet] = ()
) -> list[str]:
    """Make the starter folder; return what was made and, in the last three lines, what to do next.

    Existing files and folders are left alone.

    Args:
        folder: The folder to make.
        models: Those that rows may have; the first is that of the configuration.
        sheets: Those of a team that its configuration needs and has not yet.

    Raises:
        UsageError: A file is in the way of a folder.
        StoreError: The disk fails.

    """
    other = {} if models.default == DEFAULT_MODEL else {"api.model": models.default}
    lines = [_make_folder(folder / PICTURES_FOLDER), _make_folder(folder / OUTPUTS_FOLDER)]
    lines += _bring_sheets(folder / FOLDER, sheets)
    lines += [
        _make_file(folder / STARTER_MANIFEST, _template_workbook(folder / "looks", models)),
        _make_file(folder / STARTER_CONFIG, sample(other).encode()),
    ]
    return [*lines, "", *_next_steps(folder)]


def _bring_sheets(folder: Path, sheets: Sequence[OwnSheet]) -> list[str]:
    """Copy sheets to where the new configuration finds them; none is written over."""
    lines = [_make_folder(folder)] if sheets else []
    for one in sheets:
        put(folder / one.path.name, one.content)
        lines.append(f"created   {folder / one.path.name} (a copy of {one.path})")
    return lines


def starter_headers(models: Models = FIRST) -> tuple[str, ...]:
    """Return the columns of the template workbook."""
    return ("key", "title", "prompt", LOOK_COLUMN, *models.headers, "notes")


def _template_workbook(looks: Path, models: Models) -> bytes:
    """Return the workbook with three example rows, which use text only where the model allows it.

    Args:
        looks: the folder of a team's own looks, if there are any.
        models: those that rows may have.

    """
    headers = starter_headers(models)
    examples = [_suited(example, models) for example in EXAMPLES]
    rows = [tuple(example.get(header, "") for header in headers) for example in examples]
    return make_workbook(headers, rows, looks_in(looks), partial(_add_guide, models=models), models)


def _suited(example: Mapping[str, str], models: Models) -> Mapping[str, str]:
    """Return an example as the model takes it: what it does not take is left out."""
    model = models.rules[models.default]
    if model.model == DEFAULT_MODEL:
        return example
    fewest = min(counts_of(model))
    told = {name: text for name, text in example.items() if name not in rules.FORM_FIELDS}
    said: dict[str, Value] = {}
    for name in model.fields:
        value = model.understand(name, example.get(name, ""))
        if value is not None and model.form({**said, name: value}, fewest):
            said[name] = value
            told[name] = show(value)
    pictures = [_WEB_PICTURE.format(number) for number in range(1, fewest + 1)]
    return {**told, **models.cells_of(pictures), "notes": _EXAMPLE_NOTE}


def _make_folder(path: Path) -> str:
    if path.is_dir():
        return f"exists    {path}/"
    try:
        path.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(
            f"The folder {path} cannot be created: a file of that name is in the way.",
            action="Choose another folder: reelsheet init DIR",
        ) from error
    except OSError as error:
        raise store_error(
            f"The folder {path}",
            error,
            cannot="be created",
            action="Check the permissions of its parent folder, or choose another place.",
        ) from error
    return f"created   {path}/"


def _make_file(path: Path, data: bytes) -> str:
    if path.exists():
        return f"exists    {path} (left alone)"
    put(path, data)
    return f"created   {path}"


def _next_steps(folder: Path) -> list[str]:
    elsewhere = folder.resolve() != Path.cwd().resolve()
    here = f"cd {quote_name(str(folder))}, then " if elsewhere else ""
    manifest, pictures = STARTER_MANIFEST, PICTURES_FOLDER
    return [
        f"1. {here}fill in {manifest} (its sheet Start here shows how); pictures go to {pictures}/",
        f"2. reelsheet check {manifest} shows what is still wrong",
        f"3. reelsheet run {manifest} rehearses, free of charge, until you edit {STARTER_CONFIG}",
    ]


def _add_guide(book: Workbook, *, models: Models) -> None:
    """Add the sheet behind the others that a workbook has; its tab is coloured."""
    sheet = book.create_sheet(GUIDE_SHEET)
    sheet.sheet_properties.tabColor = _TAB
    sheet.sheet_view.showGridLines = False
    for number, width in enumerate(_WIDTHS, start=1):
        sheet.column_dimensions[letters_of(number)].width = width
    put_text(sheet.cell(1, 1), GUIDE_TITLE, "guide title")
    sheet.row_dimensions[1].height = 40
    row = _put_steps(sheet, 3, models)
    row = _put_colours(sheet, row + 1, models)
    _put_pictures(sheet, row + 1, models)
    fit_to_page(sheet, pages_high=1)


def _across(sheet: Worksheet, row: int, columns: tuple[int, int], text: str, style: str) -> float:
    """Write a text across columns; return how wide they are."""
    first, last = columns
    put_text(sheet.cell(row, first), text, style)
    sheet.merge_cells(start_row=row, end_row=row, start_column=first, end_column=last)
    return sum(_WIDTHS[first - 1 : last])


def _needs_pictures(models: Models) -> bool:
    return not models.needed.isdisjoint(models.pictures)


def _put_steps(sheet: Worksheet, row: int, models: Models) -> int:
    none = "A product needs none: then its text alone counts."
    if _needs_pictures(models):
        none = "Every product needs some."
    for number, (todo, reason) in enumerate(_STEPS, start=1):
        why = reason.format(none=none)
        sheet.cell(row, 1, number).style = "strong"
        left = _across(sheet, row, (2, 3), todo, "strong")
        right = _across(sheet, row, (4, 5), why, "long")
        sheet.row_dimensions[row].height = height_of([(todo, left), (why, right)], 2) + 6
        row += 1
    return row


def _put_colours(sheet: Worksheet, row: int, models: Models) -> int:
    needed = ", ".join(
        name for name in ("key", "prompt", *models.pictures) if name in models.needed
    )
    what = ["the article number"]
    if "prompt" in models.needed:
        what.append("what is seen")
    if _needs_pictures(models):
        what.append("the pictures")
    for style, names, told in _COLOURS:
        text = told.format(what=name_all(what))
        put_text(sheet.cell(row, 2), names.format(needed=needed), style)
        _across(sheet, row, (3, 5), text, "long")
        sheet.row_dimensions[row].height = height_of([])
        row += 1
    return row


def _put_pictures(sheet: Worksheet, row: int, models: Models) -> None:
    """Write the pictures columns of a few products, and where such names come from."""
    counts = {count for model in models.rules.values() for count in counts_of(model)}
    for column, text in enumerate(
        (*rules.IMAGE_FIELDS[:_COLUMNS_OF_PICTURES], "for example"), start=2
    ):
        put_text(sheet.cell(row, column), text, "head")
    for told, *pictures in _PICTURES:
        if sum(map(bool, pictures)) not in counts:
            continue
        row += 1
        put_text(sheet.cell(row, 5), told, "strong")
        for column, text in enumerate(pictures, start=2):
            put_text(sheet.cell(row, column), text, "cell")
