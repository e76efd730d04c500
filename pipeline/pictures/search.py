"""Where files lie that were not found under the names that a sheet gives them.

A file may be stored with its accents in another Unicode form (macOS takes names apart, most other
systems do not): such a name is the same to people, and is taken. Below the picture folder, names
are looked for that are written with a slip, or without their folder: such a file is only suggested.

Tested in tests/checker/test_picturehints.py.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipeline.manifest.normalform import to_normal_form
from pipeline.pictures.accepted import PICTURE_SUFFIXES

_MOST_ENTRIES, _MOST_FOLDERS, _DEEPEST = 100_000, 5_000, 12
"""A larger tree is not looked through to its end, and then nothing in it is suggested."""
_MOST_PARTS = 100
_MOST_ALIKE = 20
_NO_PICTURES = frozenset({"node_modules", "site-packages", "__pycache__", "__macosx"})
"""Folders in which nobody keeps pictures, by their casefolded names."""
_JOURNAL = "journal.db"


def fold_name(name: str) -> str:
    """Return a name as it is compared: accents composed, without case and blanks around it."""
    return to_normal_form("NFC", name).casefold().strip()


class UnicodeForms:
    """Finds paths whose parts differ from those on the disk in their Unicode form alone."""

    def __init__(self) -> None:
        """Begin with no folder listed; each is listed once."""
        self._folders: dict[Path, dict[str, list[str]]] = {}

    def find(self, path: Path) -> Path | None:
        """Return the path that is meant; None if there is none, or if several names would do."""
        if os.path.lexists(path):
            return path
        if path.name in {"", ".."} or str(path).isascii() or len(path.parts) > _MOST_PARTS:
            return None
        parent = self.find(path.parent)
        if parent is None:
            return None
        same = self._names(parent).get(to_normal_form("NFC", path.name), [])
        return parent / same[0] if len(same) == 1 else None

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._folders:
            names: defaultdict[str, list[str]] = defaultdict(list)
            try:
                for name in os.listdir(folder):  # noqa: PTH208 - names are enough
                    names[to_normal_form("NFC", name)].append(name)
            except (OSError, ValueError):
                pass  # it cannot be listed: nothing is found there
            self._folders[folder] = names
        return self._folders[folder]


@dataclass(slots=True)
class FoundNames:
    """The files below a folder that have some of the names that were looked for.

    Both go by `fold_name`: `by_name` by whole names, `by_stem` by those of pictures without their
    suffix. Of one name no more than a few are kept.
    """

    by_name: dict[str, list[Path]] = field(default_factory=dict)
    by_stem: dict[str, list[Path]] = field(default_factory=dict)

    def of(self, name: str) -> list[Path]:
        """Return the files of that name; if there are none, those with another suffix."""
        folded = fold_name(name)
        stem, suffix = os.path.splitext(folded)  # noqa: PTH122 - of text, not of a path
        if folded in self.by_name or suffix not in {*PICTURE_SUFFIXES, ""}:
            return self.by_name.get(folded, [])
        return self.by_stem.get(stem, [])


def find_names(base: Path, names: Collection[str], *, but: Collection[Path] = ()) -> FoundNames:
    """Look for files below a folder, in folders that are neither hidden nor made by a run.

    No link to a folder is followed. Of a tree with too many entries, and of a whole disk, nothing
    is returned: whether a name is there only once cannot be told.

    Args:
        base: the folder.
        names: the names, in any case and with any suffix of a picture.
        but: folders that are left out.

    """
    wanted = {fold_name(name) for name in names}
    stems = {os.path.splitext(name)[0] for name in wanted}  # noqa: PTH122
    found, left = FoundNames(), _MOST_ENTRIES
    if base.resolve().parent == base.resolve():
        return found
    waiting, listed = deque([(base, 0)]), 0
    skipped = {os.path.realpath(folder) for folder in but}
    while waiting:
        folder, depth = waiting.popleft()
        listed += 1
        entries, passed = _entries(folder, left + 1)
        left -= passed
        if left < 0 or listed > _MOST_FOLDERS or depth > _DEEPEST:
            return FoundNames()
        if depth and any(entry.name == _JOURNAL for entry in entries):
            continue  # the output folder of a manifest
        for entry in entries:
            if _is_folder(entry):
                if os.path.realpath(entry.path) not in skipped:
                    waiting.append((Path(entry.path), depth + 1))
            else:
                _note(found, entry, wanted, stems)
    return found


def _entries(folder: Path, most: int) -> tuple[list[os.DirEntry[str]], int]:
    """Return what is in a folder and not hidden, in order, and how many names were passed."""
    try:
        with os.scandir(folder) as entries:
            listed = list(islice(entries, most))
    except (OSError, ValueError):
        return [], 0
    shown = (one for one in listed if not one.name.startswith((".", "~$")))
    return sorted(shown, key=lambda one: one.name), len(listed)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and entry.name.casefold() not in _NO_PICTURES
    except OSError:
        return False


def _note(
    found: FoundNames, entry: os.DirEntry[str], wanted: Collection[str], stems: Collection[str]
) -> None:
    folded = fold_name(entry.name)
    stem, suffix = os.path.splitext(folded)  # noqa: PTH122
    named, alike = folded in wanted, stem in stems and suffix in PICTURE_SUFFIXES
    if not (named or alike):
        return
    try:
        if not entry.is_file(follow_symlinks=False):
            return
    except OSError:
        return
    for name, files, due in ((folded, found.by_name, named), (stem, found.by_stem, alike)):
        if due and len(files.setdefault(name, [])) < _MOST_ALIKE:
            files[name].append(Path(entry.path))
