"""A new manifest: the prompt and the pictures of its rows, and the file that it is written to.

What a prompt template may contain is described in `pipeline.manifest.templates`. Here an empty
value writes nothing: a gap in an export is not a fault of the template.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.authoring.modelcolumns import FIRST, Models, count_to_take, say_pictures_of
from pipeline.authoring.sheetstyle import LONGEST_CELL
from pipeline.authoring.workbook import make_workbook
from pipeline.checker.rowlooks import own_looks
from pipeline.disk.failures import store_error
from pipeline.disk.place import place_new
from pipeline.errors import ConfigError, UsageError
from pipeline.manifest.templates import FILTERS, TemplateFault, compile_template
from pipeline.manifest.videolooks import LOOK_VALUE, Library, built_in
from pipeline.manifest.wording import agree, count

_ORDINALS = {2: "a second", 3: "a third"}
_SUFFIXES = (".xlsx", ".csv", ".tsv")
_FORMULA = re.compile(r"[=+\-@\t]")
# Control characters and lone surrogates: neither XML 1.0 nor UTF-8 can hold them.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class NewManifest:
    """The headers and the rows, all of them text, of a manifest to write."""

    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class ProductPrompts:
    """A template for prompts, validated when it is created.

    Args:
        text: The template.
        names: The values that it may use.
        longest: The most characters of a prompt; longer ones are cut.
        columns: The headers that it may also use, as `row["Header"]`.

    Raises:
        UsageError: The text is not a template, or uses a value or filter that does not exist.

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
            raise self._unusable(str(fault)) from fault
        unknown = set(self._template.names) - {*names, *columns}
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise self._unusable(f"it uses {listed}, which is not a value of a product")

    @property
    def uses_look(self) -> bool:
        """Whether the template places the words of a look."""
        return LOOK_VALUE in self._template.names

    def prompt(self, values: Mapping[str, object], *, about: str) -> tuple[str, bool]:
        """Fill in the template: return the prompt on one line, and whether it had to be cut.

        `about` names the product in messages. Raises UsageError when it cannot be filled in.
        """
        try:
            raw = self._template.fill(values)
        except TemplateFault as fault:
            raise self._unusable(f"for {about}: {fault}") from fault
        text = " ".join(raw.split())
        return (text, False) if len(text) <= self._longest else (_cut(text, self._longest), True)

    def _unusable(self, why: str) -> UsageError:
        columns = ', and each column as row["Its Header"]' if self._columns else ""
        return UsageError(
            f"The prompt template cannot be used: {why}.",
            action=f"Values: {', '.join(self._names)}{columns}. Filters: {', '.join(FILTERS)}. "
            'For example: "Product video of {{ title }}. {{ description | truncate(200) }}"',
        )


def _cut(text: str, longest: int) -> str:
    """Cut between two words and end with an ellipsis."""
    start = text[: longest - 1]
    return f"{start.rsplit(' ', 1)[0].rstrip()}\u2026"


@dataclass(frozen=True, slots=True)
class ChosenPictures:
    """The pictures that a row takes and those that it leaves, in the product's own order.

    `takes` says how many a video may have, and `more` what brings in those that are left.
    """

    taken: tuple[str, ...]
    left: tuple[str, ...]
    takes: str = ""
    more: str = ""

    @property
    def note(self) -> str:
        """Why only the first was taken, or none; empty in every other case."""
        if len(self.taken) > 1 or not self.left:
            return ""
        used = "only the first is used" if self.taken else "none is used"
        said = f"{count(len(self.taken) + len(self.left), 'picture')} found; a video takes "
        return f"{said}{self.takes}, so {used}.{self.more}"


def choose(pictures: Sequence[str], models: Models = FIRST) -> ChosenPictures:
    """Take as many of the first pictures as a request may have, each of them only once."""
    distinct, model = tuple(dict.fromkeys(pictures)), models.rules[models.default]
    most, there = count_to_take(model, len(distinct)), len(distinct)
    usable = count_to_take(model, there + 1) == there + 1
    more = f" Add {_ORDINALS.get(there + 1, 'another')} to use all of them." if usable else ""
    return ChosenPictures(distinct[:most], distinct[most:], say_pictures_of(model), more)


def demand_free(path: Path) -> None:
    """Raise UsageError unless `path` can be the name of a manifest and does not exist yet."""
    if path.suffix.lower() not in _SUFFIXES:
        ends = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise UsageError(
            f"{path} cannot be the name of a manifest: it {ends}.",
            action=f"Choose a name that ends in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}.",
        )
    if os.path.lexists(path):
        raise _exists(path)


def looks_in(folder: str | Path | None) -> Library:
    """Return the looks that the manifest may name: a team's own in that folder among them.

    What cannot be read of them is left out here; every later command says so.
    """
    with contextlib.suppress(ConfigError):
        if folder is not None and Path(folder).is_dir():
            return built_in().joined(own_looks(Path(folder)))
    return built_in()


def write(
    manifest: NewManifest,
    path: Path,
    *,
    made_of: Path | None = None,
    looks: str | Path | None = None,
    models: Models = FIRST,
) -> list[str]:
    """Write a manifest in the format of its suffix; return notes that the user should read.

    Creates missing folders.

    Args:
        manifest: What to write.
        path: Where to.
        made_of: The file or folder that it repeats, and whose rights it gets.
        looks: The folder of a team's own looks, which a workbook offers.
        models: Those that its rows may have.

    Raises:
        UsageError: The file exists.
        StoreError: The disk fails.

    """
    demand_free(path)
    rows = [tuple(map(_clean, row)) for row in manifest.rows]
    if path.suffix.lower() == ".xlsx":
        data, notes = _as_workbook(manifest.headers, rows, looks_in(looks), models)
    else:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        data, notes = _as_text(manifest.headers, rows, delimiter)
    put(path, data, made_of)
    return notes


def put(path: Path, data: bytes, made_of: Path | None = None) -> None:
    """Write a new file as `write` does; raise UsageError if it exists, StoreError otherwise."""
    try:
        place_new(path, data, copy_of=made_of)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise store_error(
            path,
            error,
            action="Check the folder and the space on the disk, or choose another place.",
        ) from error


def _exists(path: Path) -> UsageError:
    return UsageError(
        f"{path} already exists; existing files are never overwritten.",
        action="Choose another name, or move the existing file away.",
    )


def _as_workbook(
    headers: tuple[str, ...], rows: list[tuple[str, ...]], looks: Library, models: Models
) -> tuple[bytes, list[str]]:
    cut = sum(len(cell) > LONGEST_CELL for row in rows for cell in row)
    note = f"{count(cut, 'cell')} had more than the {LONGEST_CELL:,} characters that Excel allows; "
    made = make_workbook(headers, rows, looks, models=models)
    return made, [note + "the rest was cut off."] if cut else []


def _as_text(
    headers: tuple[str, ...], rows: list[tuple[str, ...]], delimiter: str
) -> tuple[bytes, list[str]]:
    """Write UTF-8 with a byte order mark, from which Excel knows the encoding."""
    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(headers)
    table.writerows(rows)
    risky = sum(bool(_FORMULA.match(cell)) for row in rows for cell in row)
    note = (
        f"{count(risky, 'cell')} {agree(risky, 'begins', 'begin')} with =, +, - or @, which a "
        "spreadsheet program may take for a formula. Choose .xlsx as the suffix if you edit the "
        "manifest in one."
    )
    return text.getvalue().encode("utf-8-sig"), [note] if risky else []


def _clean(text: str) -> str:
    """Leave one kind of line break, and no character that a file cannot hold."""
    return text if text.isprintable() else _UNWRITABLE.sub("", _BREAKS.sub("\n", text))
