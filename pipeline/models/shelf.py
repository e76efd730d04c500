"""The sheets that come with the program, by the names of their models.

They are known to be sound (a test reads each of them strictly), so a start of a command only makes
records of them, and of no more than it needs: that of the default lies under its own name.

Tested in tests/models/test_shelf.py.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from pipeline.models.records import Sheet, make_sheet

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT_MODEL = "gemini_omni_flash"
"""The user's own document, which the newer page calls by another name."""


def shipped_files() -> dict[str, Traversable]:
    """Return the files of the program's sheets, by name without ending."""
    folder = resources.files("pipeline.models") / "shipped"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {one.name.removesuffix(".toml"): one for one in files if one.name.endswith(".toml")}


def shipped_sheets() -> dict[str, Sheet]:
    """Return the sheets of the program, each under every name that is sent."""
    sheets = map(_shipped, shipped_files())
    return {name: sheet for sheet in sheets for name in sheet.head.models}


@lru_cache
def _shipped(file: str) -> Sheet:
    return make_sheet(tomllib.loads(shipped_files()[file].read_text("utf-8")))


@lru_cache
def sheet_of(model: str) -> Sheet:
    """Return the sheet of a model; that of the default for a name that has none."""
    if model in shipped_files() and model in (sheet := _shipped(model)).head.models:
        return sheet
    return shipped_sheets().get(model) or _shipped(DEFAULT_MODEL)


def plain_name(name: str) -> str:
    """Return what all spellings of a model's name have in common."""
    return name.casefold().replace("-", "_")


def is_known(name: str) -> bool:
    """Tell whether a sheet is for a model of this name, however it is spelt."""
    return plain_name(name) in map(plain_name, shipped_sheets())
