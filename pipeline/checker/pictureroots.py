"""Remember for each manifest made from a folder of pictures where that folder is.

A manifest's pictures lie below its own folder, or where the settings say: else a sheet from
someone else could send any file of this machine. Whoever has a manifest made of a folder elsewhere
has named that folder; it is noted among this user's own files, never beside the manifest, and
nothing that a sheet holds can make such a note.

Tested in tests/checker/test_pictureroots.py.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.account.place import state_folders
from pipeline.disk.openfile import read_regular
from pipeline.disk.place import place_in_cache
from pipeline.manifest.locations import locate

_FOLDER = "pictures"
_MOST_BYTES = 100_000


def remember_root(manifest: Path, root: Path) -> bool:
    """Note where the pictures of a manifest are; tell whether it could be noted."""
    note = {"manifest": str(manifest.resolve()), "pictures": str(root.resolve())}
    for path in _notes(manifest):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place_in_cache(path, json.dumps(note).encode())
        except OSError:
            continue
        return True
    return False


def remembered_root(manifest: Path) -> Path | None:
    """Return the folder that was noted for a manifest, if it is still there."""
    for path in _notes(manifest):
        try:
            note = json.loads(read_regular(path, _MOST_BYTES))
            root = Path(note["pictures"])
            if note["manifest"] == str(manifest.resolve()) and root.is_dir():
                return root
        except (OSError, ValueError, TypeError, KeyError):
            continue
    return None


def better_root(manifest: Path, texts: Iterable[str], home: Path) -> Path:
    """Return where pictures start: the noted folder if more of them are there, else `home`.

    Args:
        manifest: whose pictures they are.
        texts: what its cells name.
        home: where they start if nothing is noted.

    """
    noted = remembered_root(manifest)
    if noted is None:
        return home
    known = list(texts)
    return noted if _count(known, noted) > _count(known, home) else home


def _count(texts: Iterable[str], root: Path) -> int:
    places = (locate(text, root) for text in texts)
    return sum(isinstance(place, Path) and place.is_file() for place in places)


def _notes(manifest: Path) -> Iterator[Path]:
    name = hashlib.sha256(os.fsencode(manifest.resolve())).hexdigest()[:32]
    for folder in state_folders(os.environ):
        yield folder / _FOLDER / f"{name}.json"
