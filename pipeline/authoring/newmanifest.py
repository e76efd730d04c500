"""A new manifest on its way to the disk: written whole, and never over a file that is there."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.authoring.workbook import LONGEST_CELL, workbook
from pipeline.checker import rules
from pipeline.disk.failures import store_error
from pipeline.disk.place import place_new
from pipeline.errors import UsageError
from pipeline.manifest.templates import FILTERS, TemplateFault, compile_template

SUFFIXES = (".xlsx", ".csv", ".tsv")
# The columns that a request is made of, in the order in which a person fills them in.
FIELDS_BEHIND_PROMPT = (
    "image_1", "image_2", "image_3", "duration", "aspect_ratio", "resolution",
)  # fmt: skip
_ACTION = "Check the folder and the space on the disk, or choose another place."
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
    if os.path.lexists(path):
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
        place_new(path, data)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError as error:
        raise store_error(path, error, action=_ACTION) from error


def _taken(path: Path) -> UsageError:
    return UsageError(
        f"{path} already exists; existing files are never overwritten.",
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


class PromptTemplate:
    """A template, checked on making: `names` are the values that it may use.

    `columns` are the headers that it may use as `row["Header"]`; their cells are values as well.
    Raises UsageError when the text is no template, or uses a value or filter that is not there.
    """

    def __init__(
        self, text: str, *, names: tuple[str, ...], longest: int, columns: Sequence[str] = ()
    ) -> None:
        self._longest = longest
        self._names = names
        self._columns = columns
        try:
            self._template = compile_template(text)
        except TemplateFault as fault:
            raise self._bad(str(fault)) from fault
        unknown = set(self._template.names) - {*names, *columns}
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise self._bad(f"it uses {listed}, which is no value of a product")

    def prompt(self, values: Mapping[str, object], *, about: str) -> tuple[str, bool]:
        """Fill in the template: the prompt on one line, and whether it had to be cut.

        `about` names the product in messages. Raises UsageError when it cannot be filled in.
        """
        try:
            raw = self._template.fill(values)
        except TemplateFault as fault:
            raise self._bad(f"for {about}: {fault}") from fault
        text = " ".join(raw.split())
        return (text, False) if len(text) <= self._longest else (_cut(text, self._longest), True)

    def _bad(self, what: str) -> UsageError:
        columns = ', and each column as row["Its Header"]' if self._columns else ""
        return UsageError(
            f"The prompt template cannot be used: {what}.",
            action=f"Values: {', '.join(self._names)}{columns}. Filters: {', '.join(FILTERS)}. "
            'For example: "Product video of {{ title }}. {{ description | truncate(200) }}"',
        )


def _cut(text: str, longest: int) -> str:
    """Cut between two words, with a mark that says so."""
    start = text[: longest - 1]
    return f"{start.rsplit(' ', 1)[0].rstrip()}\u2026"


@dataclass(frozen=True, slots=True)
class Choice:
    """The pictures taken and those left, both in the product's own order."""

    taken: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def note(self) -> str:
        """Why only one of two was taken; empty where nothing needs a person's eye."""
        if len(self.taken) > 1 or not self.left:
            return ""
        found = len(self.taken) + len(self.left)
        return (
            f"{found} pictures found; a video takes {rules.BY_FIELD['image_urls'].sentence}, so "
            "only the first is used. Add a third to use all."
        )


def choose(pictures: Sequence[str]) -> Choice:
    """Take as many of the first pictures as a request may have; the same one only once."""
    distinct = tuple(dict.fromkeys(pictures))
    count = max(n for n in _possible() if n <= len(distinct))
    return Choice(distinct[:count], distinct[count:])


def _possible() -> tuple[int, ...]:
    return tuple(int(n) for n in rules.BY_FIELD["image_urls"].allowed)
