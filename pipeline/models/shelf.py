"""The sheets that there are, by the names of their models: the program's, and those of a team.

The program's are known to be sound (a test reads each of them strictly), so a start of a command
only makes records of them, and of no more than it needs: that of the default lies under its own
name. Those of a team are read strictly and put up before anything asks (`config.ownsheets`).

Tested in tests/models/test_shelf.py.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.models.records import Sheet, make_sheet

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DEFAULT_MODEL = "gemini_omni_flash"
"""The user's own document, which the newer page calls by another name."""

_own: ContextVar[Mapping[str, Sheet]] = ContextVar("_own", default=MappingProxyType({}))
"""The sheets of the configuration of the call under way: two calls of one process keep apart."""


def put_up(own: Mapping[str, Sheet]) -> None:
    """Have these sheets of a team found before those of the program, and no others of a team.

    They are found by the call under way, and by tasks and threads that it hands its context to.
    """
    _own.set(MappingProxyType(dict(own)))


def own_sheets() -> Mapping[str, Sheet]:
    """Return the sheets of the team, each under every name that is sent."""
    return _own.get()


def own_fields() -> tuple[str, ...]:
    """Return the names of the fields that those sheets have."""
    return tuple(dict.fromkeys(name for sheet in own_sheets().values() for name in sheet.fields))


def shipped_files() -> dict[str, Traversable]:
    """Return the files of the program's sheets, by name without ending."""
    folder = resources.files("pipeline.models") / "shipped"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {one.name.removesuffix(".toml"): one for one in files if one.name.endswith(".toml")}


def shipped_sheets() -> dict[str, Sheet]:
    """Return the sheets of the program, each under every name that is sent."""
    sheets = map(_shipped, shipped_files())
    return {name: sheet for sheet in sheets for name in sheet.head.models}


def known_sheets() -> dict[str, Sheet]:
    """Return all sheets; one of the team takes the place of the program's of that name."""
    return {**shipped_sheets(), **_own.get()}


@lru_cache
def _shipped(file: str) -> Sheet:
    return make_sheet(tomllib.loads(shipped_files()[file].read_text("utf-8")))


@lru_cache
def _shipped_for(model: str) -> Sheet:
    if model in shipped_files() and model in (sheet := _shipped(model)).head.models:
        return sheet
    return shipped_sheets().get(model) or _shipped(DEFAULT_MODEL)


def sheet_of(model: str) -> Sheet:
    """Return the sheet of a model; that of the default for a name that has none."""
    return _own.get().get(model) or _shipped_for(model)


def plain_name(name: str) -> str:
    """Return what all spellings of a model's name have in common."""
    return name.casefold().replace("-", "_")
