"""A folder of videos on the disk of a worker's scratch folder: a file gets its name by a link.

Nothing is copied, and nothing is overwritten: a link fails where something has the name.

Tested in tests/fleet/test_linkedfolder.py.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import hash_of_file, open_regular
from pipeline.disk.place import sync_folder
from pipeline.storage.folder import FolderPlace
from pipeline.storage.places import Put


@dataclass(frozen=True)
class LinkedFolder(FolderPlace):
    """A folder that takes files by a link, and by a copy where the disk has no links."""

    def _put(self, name: str, file: Path, sha256: str) -> Put:
        target = self.path / name
        with raise_store_errors(target), open_regular(file) as opened:
            if os.name == "posix":
                os.fchmod(opened, self.mode & os.fstat(opened).st_mode)
            os.fsync(opened)
            try:
                target.hardlink_to(file)
            except FileExistsError:
                return self._compare(target, sha256)
            except OSError:
                return super()._put(name, file, sha256)
            sync_folder(target.parent)
        return Put.CREATED

    def _compare(self, target: Path, sha256: str) -> Put:
        try:
            return Put.SAME if hash_of_file(target) == sha256 else Put.TAKEN
        except OSError:  # a link, a folder, or a file that nobody here may read: it is another's
            return Put.TAKEN
