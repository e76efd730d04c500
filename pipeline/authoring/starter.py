"""Make a starter folder for a new user: a template workbook, the configuration, the folders."""

from __future__ import annotations

from pathlib import Path

from pipeline.authoring.guide import add_guide
from pipeline.authoring.newmanifest import FIELDS_BEHIND_PROMPT, looks_in, put
from pipeline.authoring.workbook import make_workbook
from pipeline.config.catalogue import sample
from pipeline.disk.failures import store_error
from pipeline.errors import UsageError
from pipeline.manifest.examples import EXAMPLES
from pipeline.manifest.videolooks import LOOK_COLUMN
from pipeline.manifest.wording import quote_name

STARTER_MANIFEST = Path("manifests", "products.xlsx")
"""Where the template workbook of a starter folder is."""
STARTER_CONFIG = Path("config.yaml")
"""Where the configuration of a starter folder is."""
PICTURES_FOLDER = Path("manifests", "pictures")
"""Where a starter folder keeps its pictures."""
OUTPUTS_FOLDER = Path("outputs")
"""Where a starter folder keeps what runs write."""

STARTER_HEADERS = ("key", "title", "prompt", LOOK_COLUMN, *FIELDS_BEHIND_PROMPT, "notes")
"""The columns of the template workbook."""


def make_starter(folder: Path) -> list[str]:
    """Make the starter folder; return what was made and, in the last three lines, what to do next.

    Existing files and folders are left alone. Raises UsageError if a file is in the way of a
    folder, StoreError if the disk fails.
    """
    lines = [_make_folder(folder / PICTURES_FOLDER), _make_folder(folder / OUTPUTS_FOLDER)]
    lines += [
        _make_file(folder / STARTER_MANIFEST, _template_workbook(folder / "looks")),
        _make_file(folder / STARTER_CONFIG, sample().encode()),
    ]
    return [*lines, "", *_next_steps(folder)]


def _template_workbook(looks: Path) -> bytes:
    """Return the workbook with three example rows, which use text only.

    `looks` is the folder of a team's own looks, if there are any.
    """
    rows = [tuple(example.get(header, "") for header in STARTER_HEADERS) for example in EXAMPLES]
    return make_workbook(STARTER_HEADERS, rows, looks_in(looks), add_guide)


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
