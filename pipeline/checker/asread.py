"""A manifest as the settings have it read, and what sheet and locale add to what is wrong.

Tested in tests/checker/test_check.py and tests/reader/test_sheets.py.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.checker.naming import safe_name
from pipeline.manifest.locations import SET_LOCALE, can_be_named
from pipeline.manifest.templates import TemplateFault
from pipeline.model import Problem
from pipeline.reader.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.checker.rowtexts import RowTemplate
    from pipeline.config.settings import Config
    from pipeline.manifest.earlier import FoundOut
    from pipeline.model import Manifest, Row


def read_as_set(path: Path, config: Config, origin: Path | None, kept: FoundOut | None) -> Manifest:
    """Read a manifest into rows of texts; nothing is interpreted yet.

    Args:
        path: the manifest.
        config: the settings; those of `manifest` count.
        origin: the manifest whose run wrote this one; None if none did.
        kept: how it was read in earlier runs; None if it is new.

    Raises:
        ManifestError: the file is no table.

    """
    settings = config.manifest
    # The file of the failed rows has a single sheet, which is not called as the manifest's is.
    prompts = [header for header, field in settings.columns.items() if field == "prompt"]
    failed = origin is not None and path.stem.casefold().startswith("failed")
    return read(
        path,
        sheet=None if failed else settings.sheet,
        encoding=settings.encoding,
        hidden_rows=settings.hidden_rows,
        fill_merged=settings.fill_merged,
        prompts=None if settings.prompt_template is not None else prompts,
        kept=kept,
    )


def name_sheet(manifest: Manifest, problems: Iterable[Problem]) -> list[Problem]:
    """Name the sheet in what is wrong with headers where the workbook has several sheets.

    Where the prompt column is missing, it is said where it may be.
    """
    sheet = f"In sheet {manifest.sheet!r}: " if manifest.other_sheets else ""
    named = []
    for problem in problems:
        hints = manifest.hints if problem.code == "no_prompt_column" else ()
        message = " ".join((f"{sheet}{problem.message}", *hints))
        named.append(replace(problem, message=message))
    return named


def refuse_names(
    manifest: Manifest, keys: Sequence[str], template: RowTemplate | None
) -> list[Problem]:
    """Return the problems of rows whose videos cannot be called as they would in this locale.

    Args:
        manifest: the rows.
        keys: their keys, in order.
        template: that of `output.name`; None for the key alone.

    """
    if sys.getfilesystemencoding().lower() == "utf-8":
        return []
    return [
        Problem(
            "name_not_writable",
            f"The video would be called {name}, and this locale "
            f"({sys.getfilesystemencoding()}) has not all of these letters. {SET_LOCALE}",
            row=row.number,
            key=key,
        )
        for key, row in zip(keys, manifest.rows, strict=True)
        if not can_be_named(name := _name_of(key, row, template))
    ]


def _name_of(key: str, row: Row, template: RowTemplate | None) -> str:
    try:
        return safe_name(key if template is None else template.text(row, key=key))
    except TemplateFault:  # the check makes it a problem of the row
        return ""
