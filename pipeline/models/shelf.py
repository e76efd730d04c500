"""The sheets that come with the program, by the names of their models.

Tested in tests/models/test_shelf.py.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from pipeline.models.sheet import Sheet, read_sheet

DEFAULT_MODEL = "gemini_omni_flash"
"""The user's own document, which the newer page calls by another name."""


@lru_cache(maxsize=1)
def shipped_sheets() -> dict[str, Sheet]:
    """Return the sheets of the program, each under every name that is sent."""
    folder = resources.files("pipeline.models") / "shipped"
    sheets = [
        read_sheet(file.read_text("utf-8"), file.name)
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".toml")
    ]
    return {name: sheet for sheet in sheets for name in sheet.head.models}


def sheet_of(model: str) -> Sheet:
    """Return the sheet of a model; that of the default for a name that has none."""
    sheets = shipped_sheets()
    return sheets.get(model) or sheets[DEFAULT_MODEL]


def plain_name(name: str) -> str:
    """Return what all spellings of a model's name have in common."""
    return name.casefold().replace("-", "_")


def is_known(name: str) -> bool:
    """Tell whether a sheet is for a model of this name, however it is spelt."""
    return plain_name(name) in map(plain_name, shipped_sheets())
