"""The option --column: which column is read as which field, beside the setting manifest.columns.

Tested in tests/cli/test_column_option.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.screen import say
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.checker.columnreport import ColumnsRead

Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="HEADER=FIELD",
        help='Read a column as a field, as in --column "Photo=image_1"; can be given several '
        "times. Fields: prompt, image_1, image_2, image_3, images, duration, aspect_ratio, "
        "resolution, key, video_look, video_model, audio, seed, negative_prompt, and those of your "
        "own sheets of models; ignore leaves a column unread (setting manifest.columns).",
    ),
]


def column_settings(columns: Iterable[str] | None, own: Iterable[str] = ()) -> list[str]:
    """Return the settings that --column stands for.

    Args:
        columns: the options.
        own: the fields of a team's own sheets of models.

    Raises:
        UsageError: There is no such field, or a field or a column is named twice.

    """
    named: dict[str, str] = {}
    headers: dict[str, str] = {}
    for text in columns or ():
        header, field = _parts(text, own)
        if field != "ignore" and field in headers:
            raise UsageError(
                f'--column "{headers[field]}={field}" and --column "{text}" both name the column '
                f"of {field}.",
                action="Keep one of them.",
            )
        if header.casefold() in named:
            raise UsageError(
                f'--column names the column "{header}" twice.', action="Keep one of them."
            )
        headers[field] = header
        named[header.casefold()] = f"manifest.columns.{header}={field}"
    return list(named.values())


def _parts(text: str, own: Iterable[str]) -> tuple[str, str]:
    from pipeline.manifest.columns import ALL_FIELDS
    from pipeline.manifest.earlier import IGNORE

    header, _, field = (part.strip() for part in text.rpartition("="))
    if not header or not field:
        raise UsageError(
            f"--column {text}: write a header and a field.",
            action='For example: --column "Photo=image_1".',
        )
    name = field.casefold().replace("-", "_").replace(" ", "_")
    fields = tuple(dict.fromkeys((*ALL_FIELDS, *own)))
    known = (*fields, IGNORE)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f'--column {text}: there is no field "{field}".',
            action=f"{hint}The fields are {', '.join(fields)}; {IGNORE} leaves a column unread.",
        )
    return header, name


def say_columns(columns: ColumnsRead, manifest: Path | None) -> None:
    """Say what is read of a manifest and what is not; it is named where it is one of several."""
    where = "" if manifest is None else f"{manifest}: "
    for line in columns.lines():
        say(f"{where}{line}")
