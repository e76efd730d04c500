"""List the files of a folder of pictures: those that can be used, and why the others cannot.

Tested in tests/authoring/test_photographs.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.manifest.locations import locate
from pipeline.pictures.accepted import SUFFIXES

_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})
_HIDDEN = "hidden or a system file"
_OTHER = "not a picture"
_CONVERT = "a format that the provider does not accept: save it as JPEG or PNG"
_KINDS = {
    **dict.fromkeys((".svg", ".psd", ".ai", ".eps", ".jp2", ".jxl"), _CONVERT),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"),
        "a camera's raw picture: save it as JPEG",
    ),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a video"),
}


@dataclass(slots=True)
class Found:
    """The usable pictures by their path inside the folder (`/` between folders), and the others.

    `left_out` holds the other paths by the reason why they are left out.
    """

    pictures: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, path: str, why: str) -> None:
        """Note a file that is left out and why."""
        self.left_out.setdefault(why, []).append(path)


def look_into(folder: Path) -> Found:
    """List the pictures in a folder and its subfolders; no file is opened.

    Raises UsageError when the folder does not exist, is not a folder, or cannot be read.
    """
    if not folder.is_dir():
        fault = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {fault}.", action="Name the folder that holds the pictures.")
    found = Found()
    for path, entry in _files(folder, folder, found):
        why = _objection(entry)
        if why is None and locate(path, folder) != folder / path:
            why = "its name cannot be written in a cell, or it leads elsewhere: rename or copy it"
        if why is None:
            found.pictures.append(path)
        else:
            found.leave_out(path, why)
    return found


def _files(folder: Path, root: Path, found: Found) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every file below a folder with its path from the root; skip hidden folders."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        if folder == root:
            raise UsageError(f"{folder} cannot be read: {error.strerror or error}.") from error
        found.leave_out(_inside(folder, root) + "/", f"it cannot be read: {error.strerror}")
        return
    for entry in entries:
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield _inside(path, root), entry
        elif entry.name.startswith((".", "__MACOSX")):
            found.leave_out(_inside(path, root) + "/", _HIDDEN)
        else:
            yield from _files(path, root, found)


def _inside(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _objection(entry: os.DirEntry[str]) -> str | None:
    """Return why a file cannot be used; None if it is a picture, judging by its name."""
    name = entry.name
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ".jpg" alone has no suffix either
    if name.startswith((".", "~$")) or name.casefold() in _SYSTEM:
        return _HIDDEN
    if suffix not in SUFFIXES:
        return _KINDS.get(suffix, _OTHER)
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "its name is not valid text: rename it"
    try:
        status = entry.stat()
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    if not stat.S_ISREG(status.st_mode):
        return "not a file, or a link to a folder"
    return None if status.st_size else "empty (0 bytes)"
