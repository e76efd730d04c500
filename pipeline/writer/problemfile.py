"""`problems.xlsx` of an output folder: written where a check finds much, kept up to date, removed.

A person may correct the cells there, and not in the manifest. So a file that is not as it was
written is never written over: it is kept under another name, and this is said.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.checker.grouping import MOST_SINGLY
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file, is_gone, open_to_read_bytes
from pipeline.disk.place import place, place_in_cache, remove
from pipeline.disk.rights import make_cache, make_output_folder
from pipeline.errors import StoreError
from pipeline.manifest.wording import count
from pipeline.writer.marked import MOST_ROWS, Marked, write_marked

_STEM, _SUFFIX = "problems", ".xlsx"


@dataclass(frozen=True, slots=True)
class ProblemFile:
    """Where the problems are marked, None where they are not, and notes for the user."""

    path: Path | None
    notes: tuple[str, ...] = ()


def problem_file(manifest: Path, folder: OutputFolder) -> Path:
    """Return the name of the workbook in which the problems of a manifest are marked."""
    part = f"-{manifest.stem}" if folder.wrote(manifest) else ""
    return folder.root / f"{_STEM}{part}{_SUFFIX}"


def update_problem_file(checked: CheckedManifest, folder: OutputFolder) -> ProblemFile:
    """Mark the problems in a workbook where there are many, or where there is such a workbook.

    Where no problem is left it is removed. A folder that does not take the file is no error: the
    notes say so.
    """
    target = problem_file(checked.manifest.path, folder)
    stamp = folder.cache / f"{target.stem}.sha256"
    there = not is_gone(target)
    if not there and len(checked.problems) <= MOST_SINGLY:
        return ProblemFile(None)
    try:
        if checked.problems:
            return _write(checked, folder, target, stamp)
        return _remove(target, stamp)
    except StoreError as error:
        return ProblemFile(None, (f"the problems are marked in no workbook: {error.message}",))


def _write(
    checked: CheckedManifest, folder: OutputFolder, target: Path, stamp: Path
) -> ProblemFile:
    manifest = checked.manifest.path
    make_output_folder(folder.root, manifest)
    make_cache(folder.cache, manifest)
    notes = [*_set_aside(target, stamp), *_say_if_open(target)]
    path, marked = place(
        target,
        lambda file: write_marked(checked.manifest, checked.problems, file),
        copy_of=manifest,
    )
    if path == target:
        with contextlib.suppress(OSError):  # without it the file counts as changed by a person
            place_in_cache(stamp, hash_of_file(target).encode())
    else:
        notes.append(f"{target.name} is open in another program, so {path.name} was written.")
    return ProblemFile(path, (*notes, *_say_limits(path, marked)))


def _set_aside(target: Path, stamp: Path) -> Iterator[str]:
    """Keep a file that is not as it was written under another name, and say so."""
    if is_gone(target) or _is_ours(target, stamp):
        return
    moment = time.strftime("%Y%m%d-%H%M%SZ", time.gmtime())
    kept = target.with_name(f"{target.stem}.before-{moment}{_SUFFIX}")
    with raise_store_errors(target, cannot="be kept under another name"):
        target.rename(kept)
    yield (
        f"{target} was changed after it was written; it is kept as {kept.name}. Corrections count "
        "in the manifest alone: repeat them there."
    )


def _remove(target: Path, stamp: Path) -> ProblemFile:
    if _is_ours(target, stamp):
        remove(target)
        with contextlib.suppress(OSError):
            stamp.unlink(missing_ok=True)
        return ProblemFile(None, (f"{target} was removed: no problem is left.",))
    note = (
        f"{target} is out of date: no problem is left in the manifest. It was changed after it was "
        "written, so it is kept; delete it if you do not need it."
    )
    return ProblemFile(None, (note,))


def _is_ours(target: Path, stamp: Path) -> bool:
    try:
        with open_to_read_bytes(stamp) as file:
            return file.read(100).decode("ascii", "replace") == hash_of_file(target)
    except OSError:
        return False


def _say_if_open(target: Path) -> Iterator[str]:
    """Say that a spreadsheet program has the file open, where its own mark lies beside it."""
    marks = (f".~lock.{target.name}#", f"~${target.name}")
    if any(not is_gone(target.with_name(mark)) for mark in marks):
        yield f"{target} is open in a spreadsheet program: close it there and open it again."


def _say_limits(path: Path, marked: Marked) -> Iterator[str]:
    if marked.left_out:
        rows = count(marked.left_out, "row")
        yield (
            f"{path.name} leaves {rows} out: of more than {MOST_ROWS:,} rows it has only those "
            f"with problems, and {MOST_ROWS:,} at most."
        )
    if marked.unnoted:
        cells = count(marked.unnoted, "cell")
        yield f"{path.name} has {cells} that are coloured and have no note: too many for one sheet."
