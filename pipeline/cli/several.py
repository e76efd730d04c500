"""One manifest or several: which ones a command means, and how it prints its work on each.

They are files by name, all of a folder, or those that a pattern matches.

Of a single manifest, everything is printed as if no other could be named, and what is wrong with it
is raised.

Files that commands wrote themselves are no new tables. Decisions that were exported and results
that somebody copied are known by their headers; a copy with new prompts looks as its table does, so
that `review` notes it beside the results, and it counts as ours until somebody saves it.

Tested in tests/cli/test_several.py, test_manifests.py and test_ownfiles.py.
"""

from __future__ import annotations

import contextlib
import csv
import glob
import json
import os
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import typer

from pipeline.cli.options import resolve_options, with_named
from pipeline.cli.problemlist import list_problems
from pipeline.cli.screen import print_json, print_line, say, say_error
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.errors import ExitCode, ReelsheetError, UsageError
from pipeline.reader.nontables import is_no_table

if TYPE_CHECKING:
    from pipeline.runner.target import Refused, Target

_Item = TypeVar("_Item")

_SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm", ".ods")
"""The files of a folder that are manifests."""

_OTHERS = ("results", "failed", "problems", "decisions")
"""So begin the names of the files that commands write, which are left out of a folder."""
DECISIONS, RESULTS, COPY = "decisions", "results", "copies with new prompts"
"""What commands write."""
_COPIES = "copies.json"
_MOST_COPIES = 200
_MOST_BYTES = 1 << 20
_MOST_PARTS = 20
_PARTS = ("xl/worksheets/", "xl/sharedstrings")
_OF_RESULTS = ("result_state", "result_action")
_OF_DECISIONS = frozenset({"key", "entry", "number", "sha256", "verdict", "prompt_of"})
_DAMAGED = (OSError, ValueError, TypeError, RecursionError)

Mark = tuple[str, int, int]
"""A file as it was left: its real path, its size, and when it was saved, in nanoseconds."""


@dataclass(frozen=True)
class Targets:
    """What a command works on. `several` says that its output is of that form."""

    all: Sequence[Target | Refused]
    several: bool

    @property
    def first(self) -> Target:
        """One of them, for what is the same for all: the configuration; raises ReelsheetError."""
        from pipeline.runner.target import Target

        refused = None
        for one in self.all:
            if isinstance(one, Target):
                return one
            refused = refused or one.error
        assert refused is not None  # noqa: S101 - there is at least one
        raise refused


@dataclass(frozen=True, slots=True)
class _Named:
    """The manifests that a command works on, each once, in the order in which they were named.

    `several` says that more than one was named, or a folder or a pattern, whatever number of files
    that means today: a program that reads the output knows its form beforehand.
    """

    manifests: tuple[Path, ...]
    several: bool


def find_manifests(named: Sequence[Path]) -> _Named:
    """Return the manifests that are named; raises UsageError if a folder or a pattern has none.

    A file that is not there is returned as it is: whoever opens it says so.
    """
    several = len(named) > 1
    found: dict[Path, Path] = {}
    for path in named:
        files = [path]
        if is_no_table(path):
            pass  # whoever opens it says what to do
        elif path.is_dir():
            several, files = True, _in_folder(path)
        elif glob.has_magic(str(path)) and not path.exists():
            several, files = True, _matching(path)
        for file in files:
            found.setdefault(Path(os.path.realpath(file)), file)
    return _Named(tuple(found.values()), several)


def is_manifest_name(name: str) -> bool:
    """Tell whether a file of a folder is a manifest, by its name."""
    return _is_table(name) and not name.casefold().startswith(_OTHERS)


def _is_table(name: str) -> bool:
    hidden = name.startswith((".", "~$"))
    return not hidden and os.path.splitext(name)[1].casefold() in _SUFFIXES  # noqa: PTH122


def _in_folder(folder: Path) -> list[Path]:
    files = (one for one in folder.iterdir() if is_manifest_name(one.name))
    return _some(files, f"the folder {folder} has no manifest in it")


def _matching(pattern: Path) -> list[Path]:
    return _some(map(Path, glob.glob(str(pattern))), f"no manifest matches {pattern}")  # noqa: PTH207


def _some(files: Iterable[Path], otherwise: str) -> list[Path]:
    found = sorted(_manifests(files))
    if not found:
        raise UsageError(
            f"{otherwise}.",
            action=f"Manifests are files that end in {', '.join(_SUFFIXES)}; not those whose names "
            f"begin with a dot or ~$ or, in a folder, with {', '.join(_OTHERS)}.",
        )
    return found


def _manifests(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        if _is_table(file.name) and file.is_file():
            yield file


def resolve_several(
    manifests: Sequence[Path],
    config: Path | None,
    out: Path | None,
    sets: list[str] | None,
    *,
    adopt: bool = False,
    series: str | None = None,
    columns: list[str] | None = None,
) -> Targets:
    """Resolve the shared options for the manifests that are named, be it a single one."""
    from pipeline.runner.target import resolve_targets

    named = find_manifests(manifests)
    if not named.several:
        target = resolve_options(
            named.manifests[0], config, out, sets, adopt=adopt, series=series, columns=columns
        )
        return Targets([target], False)
    sets = with_named(sets, series, columns, config)
    targets = resolve_targets(named.manifests, config, out, sets, adopt=adopt)
    say_notes(targets)
    return Targets(targets, True)


def say_notes(targets: Sequence[Target | Refused]) -> None:
    """Say what the user may not expect of several manifests."""
    from pipeline.runner.target import Target

    notes = (note for one in targets if isinstance(one, Target) for note in one.notes)
    for note in dict.fromkeys(notes):  # those of the configuration are the same for all
        say(f"note: {note}")


def print_documents(
    targets: Targets,
    items: Sequence[_Item | Refused],
    document: Callable[[_Item], dict[str, object]],
) -> None:
    """Print the JSON document of the manifest; of several, one with theirs under "manifests".

    Args:
        targets: What the command works on.
        items: What came of each manifest, in their order.
        document: Makes the document of one.

    """
    from pipeline.runner.target import Refused

    documents: list[dict[str, object]] = []
    for item in items:
        if not isinstance(item, Refused):
            documents.append(document(item))
            continue
        error = item.error
        if not targets.several:
            raise error
        said = {"error": error.message, "action": error.action, "exit_code": int(error.exit_code)}
        documents.append({"manifest": str(item.manifest), **said})
    print_json({"manifests": documents} if targets.several else documents[0])


def show_each(
    targets: Targets,
    items: Sequence[_Item | Refused],
    show: Callable[[_Item], None],
    *,
    headings: bool = True,
) -> None:
    """Print what came of each manifest; of several, each under its name.

    Args:
        targets: What the command works on.
        items: What came of each manifest, in their order.
        show: Prints one.
        headings: Whether to print the names.

    """
    from pipeline.runner.target import Refused

    for target, item in zip(targets.all, items, strict=True):
        if isinstance(item, Refused):
            if not targets.several:
                raise item.error
            say_refused(item)
            continue
        if targets.several and headings:
            print_line(f"{target.manifest}:")
        show(item)


def end_reading(items: Sequence[object]) -> None:
    """End a command that only reads with the code of the manifests that it could not read."""
    from pipeline.runner.target import Refused
    from pipeline.writer.outcome import code_of_several

    refused = [item.error.exit_code for item in items if isinstance(item, Refused)]
    code = code_of_several([ExitCode.DONE] * (len(items) - len(refused)), refused)
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def say_refused(refused: Refused) -> None:
    """Say why one of several manifests is not worked on; the others are."""
    from pipeline.runner.order import RowsInvalid

    manifest, error = refused.manifest, refused.error
    if isinstance(error, RowsInvalid):
        for line in list_problems(manifest, error.problems):
            say(line)
    say_error_of(manifest, error)


def say_error_of(manifest: Path, error: ReelsheetError) -> None:
    """Say what went wrong with one of several manifests, and name it."""
    named = str(manifest) in error.message
    say_error(error, "error: " if named else f"error: {manifest}: ")


def what_wrote(path: Path, start: bytes, copies: Collection[Mark]) -> str | None:
    """Return what a command wrote this file as; None for a table of the user's.

    Args:
        path: the file.
        start: how it begins.
        copies: the copies with new prompts that `read_copies` found.

    """
    if copies and _mark_of(path) in copies:
        return COPY
    if start.startswith(b"PK"):
        return RESULTS if _holds_results(path) else None
    headers = {*map(str.strip, _first_line(start))}
    if headers >= _OF_DECISIONS:
        return DECISIONS
    return RESULTS if headers.issuperset(_OF_RESULTS) else None


def _first_line(start: bytes) -> list[str]:
    encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    first = start.decode(encoding, "replace").partition("\n")[0].rstrip("\r")
    with contextlib.suppress(csv.Error):  # a word that is longer than any header
        return next(csv.reader([first], delimiter=max(",;\t", key=first.count)), [])
    return []


def _holds_results(path: Path) -> bool:
    """Tell whether a workbook has the headers of results: in a sheet, or in its shared texts."""
    wanted = {name.encode() for name in _OF_RESULTS}
    # What cannot be read is a table, whose check says why.
    with (
        contextlib.suppress(Exception),
        open_to_read_bytes(path) as file,
        zipfile.ZipFile(file) as package,
    ):
        named = [one for one in package.namelist() if one.casefold().startswith(_PARTS)]
        for name in named[:_MOST_PARTS]:
            with package.open(name) as part:
                text = part.read(_MOST_BYTES)
            if all(one in text for one in wanted):
                return True
    return False


def note_copy(folder: Path, target: Path) -> None:
    """Note in an output folder that a copy with new prompts was written; raises nothing."""
    from pipeline.disk.place import place

    mark = _mark_of(target)
    if mark is None or not folder.is_dir():
        return
    marks = [*read_copies(folder), mark][-_MOST_COPIES:]
    with contextlib.suppress(Exception):
        place(folder / _COPIES, partial(_write, json.dumps(marks).encode()))


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def read_copies(folder: Path) -> Iterator[Mark]:
    """Yield the copies that were noted in an output folder; none where it cannot be read."""
    with contextlib.suppress(*_DAMAGED), open_to_read_bytes(folder / _COPIES) as file:
        for path, size, saved_at in json.loads(file.read(_MOST_BYTES)):
            yield str(path), int(size), int(saved_at)


def _mark_of(path: Path) -> Mark | None:
    with contextlib.suppress(OSError, ValueError):
        told = path.stat()
        return os.path.realpath(path), told.st_size, told.st_mtime_ns
    return None
