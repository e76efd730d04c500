"""A new manifest on its way to the disk: written whole, and never over a file that is there."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.authoring.workbook import LONGEST_CELL, workbook
from pipeline.errors import StoreError, UsageError

SUFFIXES = (".xlsx", ".csv", ".tsv")
# The columns that a request is made of, in the order in which a person fills them in.
FIELDS_BEHIND_PROMPT = (
    "image_1", "image_2", "image_3", "duration", "aspect_ratio", "resolution",
)  # fmt: skip
_FORMULA = re.compile(r"[=+\-@\t]")
# Control characters and lone surrogates, which neither XML 1.0 nor UTF-8 has a place for.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class NewManifest:
    """The headers and the rows of texts of a manifest to be written."""

    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def demand_free(path: Path) -> None:
    """Raise UsageError unless `path` names a manifest that could be written and is not there."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{path} is no name for a manifest: it ends in {path.suffix or 'no suffix'}.",
            action=f"End it in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}.",
        )
    if path.exists() or path.is_symlink():
        raise _taken(path)


def write(manifest: NewManifest, path: Path) -> list[str]:
    """Write a manifest in the format of its suffix; returns what a person should know about it.

    Missing folders are made. Raises UsageError if the file is there, StoreError for the disk.
    """
    demand_free(path)
    rows = [tuple(map(_clean, row)) for row in manifest.rows]
    if path.suffix.lower() == ".xlsx":
        data, notes = _as_workbook(manifest.headers, rows)
    else:
        data, notes = _as_text(
            manifest.headers, rows, "\t" if path.suffix.lower() == ".tsv" else ","
        )
    put(path, data)
    return notes


def put(path: Path, data: bytes) -> None:
    """Write a new file; raises UsageError if it is there, StoreError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            try:
                file.write(data)
                file.flush()
            except OSError:
                path.unlink(missing_ok=True)  # half a file would pass for a whole one
                raise
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.",
            action="Check the folder and the space on the disk, or choose another place.",
        ) from error


def _taken(path: Path) -> UsageError:
    return UsageError(
        f"{path} is there already, and nothing is written over.",
        action="Choose another name, or move the file away first.",
    )


def _as_workbook(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> tuple[bytes, list[str]]:
    cut = sum(len(cell) > LONGEST_CELL for row in rows for cell in row)
    notes = [f"{cut} cells were longer than Excel's {LONGEST_CELL:,} characters and are cut."]
    return workbook(headers, rows), notes if cut else []


def _as_text(
    headers: tuple[str, ...], rows: list[tuple[str, ...]], delimiter: str
) -> tuple[bytes, list[str]]:
    """Write UTF-8 with a mark at its start, by which Excel knows the encoding."""
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(headers)
    table.writerows(rows)
    risky = sum(bool(_FORMULA.match(cell)) for row in rows for cell in row)
    note = (
        f"{risky} cells begin with =, +, - or @: a spreadsheet program may take them for formulas. "
        "Choose .xlsx as the suffix if the manifest is edited in one."
    )
    return text.getvalue().encode("utf-8-sig"), [note] if risky else []


def _clean(text: str) -> str:
    """One kind of line break, and no character that a file cannot hold."""
    return text if text.isprintable() else _UNWRITABLE.sub("", _BREAKS.sub("\n", text))
