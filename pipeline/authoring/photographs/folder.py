"""The files of a folder of pictures: those that can be used, and why the others cannot."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.manifest.locations import locate

ACCEPTED = frozenset(
    {
        *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif"),
        # Made fit when they are checked.
        *(".heic", ".heif", ".tif", ".tiff", ".bmp", ".avif"),
    }
)
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})
_HIDDEN = "hidden, or kept by the system for itself"
_OTHER = "no picture"
_CONVERT = "no format that the provider takes: save as JPEG or PNG"
_KINDS = {
    **dict.fromkeys((".svg", ".psd", ".ai", ".eps", ".jp2", ".jxl"), _CONVERT),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"),
        "a camera's raw picture: save as JPEG",
    ),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a video"),
}


@dataclass(slots=True)
class Found:
    """The usable pictures by their path inside the folder (`/` between folders), and the others.

    `left_out` has the paths under the reason why they are left out.
    """

    pictures: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, path: str, why: str) -> None:
        """Note a file that is left out."""
        self.left_out.setdefault(why, []).append(path)


def look_into(folder: Path) -> Found:
    """List the pictures in a folder and its sub-folders; no file is opened.

    Raises UsageError when the folder is not there, is no folder, or cannot be read.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "is not there"
        raise UsageError(f"{folder} {what}.", action="Name the folder that holds the pictures.")
    found = Found()
    for path, entry in _files(folder, folder, found):
        why = _objection(entry)
        if why is None and locate(path, folder) != folder / path:
            why = "its name cannot stand in a cell, or it leads elsewhere: rename or copy it"
        if why is None:
            found.pictures.append(path)
        else:
            found.leave_out(path, why)
    return found


def _files(folder: Path, root: Path, found: Found) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file below a folder with its path from the root; hidden folders are not entered."""
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
    """Why a file is not used; None if it is a picture by all that its name says."""
    name = entry.name
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ".jpg" alone has no suffix either
    if name.startswith((".", "~$")) or name.casefold() in _SYSTEM:
        return _HIDDEN
    if suffix not in ACCEPTED:
        return _KINDS.get(suffix, _OTHER)
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "its name is not readable text: rename it"
    try:
        status = entry.stat()
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    if not stat.S_ISREG(status.st_mode):
        return "no file, or a link to a folder"
    return None if status.st_size else "empty (0 bytes)"
