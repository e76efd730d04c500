"""The file that a missing picture was probably meant to be: other case, other suffix, a typo.

Tested in tests/pictures/test_shelf.py.
"""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections import defaultdict
from pathlib import Path

from pipeline.pictures.accepted import SUFFIXES

_LIKENESS = 0.75
"""How similar two names must be (difflib's ratio) to be taken for one name with a typo."""
_COMPARISONS = 100_000
"""The most names that are compared. Each costs some microseconds, and a sheet whose folder has been
moved misses every file."""


class Neighbourhood:
    """The folders around missing files, each listed once for all the files of a check."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder | None] = {}
        self._comparisons_left = _COMPARISONS

    def suggest(self, path: Path) -> Path | None:
        """Return the existing file or folder that `path` was probably meant to name."""
        folder = self._folder(path.parent)
        if folder is None:
            return None
        name = folder.same(path.name) or folder.other_suffix(path.name)
        if name is None and self._comparisons_left > 0:
            self._comparisons_left -= len(folder.names)
            name = folder.nearest(path.name)
        return None if name is None else path.parent / name

    def missing_folder(self, path: Path) -> Path | None:
        """Return the uppermost folder on the way to `path` that does not exist."""
        missing = None
        for parent in path.parents:
            if self._folder(parent) is not None:
                break
            missing = parent
        return missing

    def _folder(self, path: Path) -> _Folder | None:
        if path not in self._folders:
            try:
                self._folders[path] = _Folder(os.listdir(path))  # noqa: PTH208 - names are enough
            except OSError:
                # It does not exist or cannot be listed: either way it suggests nothing.
                self._folders[path] = None
        return self._folders[path]


class _Folder:
    """The names in a folder, found in spite of the usual mistakes in writing them."""

    def __init__(self, names: list[str]) -> None:
        self.names = {_folded(name): name for name in sorted(names)}
        self._stems: dict[str, list[str]] = defaultdict(list)
        for folded, name in self.names.items():
            stem, suffix = os.path.splitext(folded)  # noqa: PTH122 - of text, not of a path
            if suffix in SUFFIXES:
                self._stems[stem].append(name)

    def same(self, name: str) -> str | None:
        """Return the name that differs in case or in the way its accents are stored."""
        return self.names.get(_folded(name))

    def other_suffix(self, name: str) -> str | None:
        """Return the picture of the same name with another suffix, or given without one."""
        folded = _folded(name)
        stem, _ = os.path.splitext(folded)  # noqa: PTH122
        return next(iter(self._stems.get(stem, []) + self._stems.get(folded, [])), None)

    def nearest(self, name: str) -> str | None:
        """Return the most similar name, if any is similar enough."""
        near = difflib.get_close_matches(_folded(name), self.names, n=1, cutoff=_LIKENESS)
        return self.names[near[0]] if near else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()
