"""Which manifests a command means: files by name, all of a folder, or those that a pattern matches.

Tested in tests/runner/test_manifests.py.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError

SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm", ".ods")
"""The files of a folder that are manifests."""

_OTHERS = ("results", "failed", "problems")
"""So begin the names of the files that commands write, which are left out of a folder."""


@dataclass(frozen=True, slots=True)
class Named:
    """The manifests that a command works on, each once, in the order in which they were named.

    `several` says that more than one was named, or a folder or a pattern, whatever number of files
    that means today: a program that reads the output knows its form beforehand.
    """

    manifests: tuple[Path, ...]
    several: bool


def find_manifests(named: Sequence[Path]) -> Named:
    """Return the manifests that are named; raises UsageError if a folder or a pattern has none.

    A file that is not there is returned as it is: whoever opens it says so.
    """
    several = len(named) > 1
    found: dict[Path, Path] = {}
    for path in named:
        files = [path]
        if path.is_dir():
            several, files = True, _in_folder(path)
        elif glob.has_magic(str(path)) and not path.exists():
            several, files = True, _matching(path)
        for file in files:
            found.setdefault(file.resolve(), file)
    return Named(tuple(found.values()), several)


def _in_folder(folder: Path) -> list[Path]:
    files = (one for one in folder.iterdir() if not one.name.casefold().startswith(_OTHERS))
    return _some(files, f"the folder {folder} has no manifest in it")


def _matching(pattern: Path) -> list[Path]:
    return _some(map(Path, glob.glob(str(pattern))), f"no manifest matches {pattern}")  # noqa: PTH207


def _some(files: Iterable[Path], otherwise: str) -> list[Path]:
    found = sorted(_manifests(files))
    if not found:
        raise UsageError(
            f"{otherwise}.",
            action=f"Manifests are files that end in {', '.join(SUFFIXES)}; not those whose names "
            f"begin with a dot or ~$ or, in a folder, with {', '.join(_OTHERS)}.",
        )
    return found


def _manifests(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        hidden = file.name.startswith((".", "~$"))
        if file.suffix.casefold() in SUFFIXES and not hidden and file.is_file():
            yield file
