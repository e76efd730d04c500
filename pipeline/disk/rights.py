"""Who may see what is made: nobody who may not see the manifest that it was made from.

A file that repeats a manifest has its rights, and the folder that a run makes lets those in who may
read the manifest; the umask takes away from both as always. Videos show what is in pictures: they
are for those who may see the manifest and each of its pictures. Whoever cannot enter a folder
cannot see the files in it. What is already there keeps the rights
that its owner gave it, and the working files below `cache/` are for their owner alone. There no
link is followed, neither at a file nor at a folder: an output folder may come from somebody else.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import demand_regular, refuse_link, refuse_no_folder

OWN_FILE, OWN_FOLDER = 0o600, 0o700
_ANY_FILE = 0o666
_GROUP, _OTHERS = 0o060, 0o006


def mode_of_copy(source: Path | None, folder: Path) -> int:
    """Return the rights of a file that repeats what is in another one, before the umask.

    Args:
        source: the file that is repeated; where it is None or gone, the copy is its owner's alone.
        folder: where the copy goes. Files there may belong to another group than the source does:
            then that group gets what everybody has.

    """
    if os.name != "posix":
        return _ANY_FILE  # rights are lists there, and those of the folder are taken over
    if source is None:
        return OWN_FILE
    gid = _group_in(folder)
    try:
        open_to = _open_to(source.stat(), gid)
        for closed in _folders_on_the_way(source, folder):
            way = _open_to(closed.stat(), gid) & 0o011  # who may enter
            open_to &= way << 2 | way << 1
    except OSError:
        return OWN_FILE
    return OWN_FILE | open_to & (_GROUP | _OTHERS) & ~stat.S_IWOTH


def mode_of_joint_copy(sources: Iterable[Path], folder: Path) -> int:
    """Return the rights of a file that shows what is in several others: those that they share.

    Args:
        sources: the files.
        folder: where the file that shows them goes.

    """
    mode = _ANY_FILE
    for source in sources:
        mode &= mode_of_copy(source, folder)
    return mode


def _open_to(found: os.stat_result, gid: int) -> int:
    """Return what a group and everybody may do; what is another group's is anybody's to it."""
    others = found.st_mode & 0o007
    return others | (found.st_mode & 0o070 if found.st_gid == gid else others << 3)


def _folders_on_the_way(source: Path, folder: Path) -> tuple[Path, ...]:
    """Return the folders above a file that do not lie above its copy as well."""
    real = Path(os.path.realpath(source)) if source.is_symlink() else source.absolute()
    return _folders_apart(real.parent, folder.absolute())


@lru_cache(maxsize=1000)
def _folders_apart(there: Path, here: Path) -> tuple[Path, ...]:
    here, there = Path(os.path.realpath(here)), Path(os.path.realpath(there))
    shared = {here, *here.parents}
    return tuple(one for one in (there, *there.parents) if one not in shared)


def make_output_folder(folder: Path, source: Path | None) -> None:
    """Make the output folder of a manifest unless it is there, for those who may read the manifest.

    Args:
        folder: the folder; those above it that are missing are made as any program makes them, but
            not for all to write in: whoever may can move the output folder away.
        source: the manifest; with None the folder is its owner's alone.

    Raises:
        StoreError: it cannot be made.

    """
    with raise_store_errors(f"the output folder {folder}", cannot="be written"):
        if not folder.is_dir():
            refuse_no_folder(folder)
            for above in reversed([one for one in folder.parents if not one.exists()]):
                above.mkdir(0o775, exist_ok=True)
            folder.mkdir(_mode_of_folder(source, folder.parent), exist_ok=True)


def make_folder_for(folder: Path, source: Path) -> None:
    """Make a folder inside an output folder, for those who may read the manifest `source`.

    Raises StoreError where a link lies there, or where it cannot be made.
    """
    make_output_folder(folder.parent, source)
    refuse_link(folder)
    make_output_folder(folder, source)


def make_cache(cache: Path, source: Path | None = None) -> None:
    """Make the folder of working files, for its owner alone, unless it is there.

    Args:
        cache: the folder, right below the output folder, which is made as well.
        source: the manifest; with None the output folder is its owner's alone.

    Raises:
        StoreError: a link or a pipe lies in its place or in it, or it cannot be made.

    """
    make_output_folder(cache.parent, source)
    refuse_links_in(cache)
    with raise_store_errors(f"the folder {cache}", cannot="be made"):
        cache.mkdir(OWN_FOLDER, exist_ok=True)


def refuse_links_in(cache: Path) -> None:
    """Raise StoreError where a link lies in the place of the cache or of anything in it.

    So it does where a pipe or a device lies there, which whoever opens it could wait for.

    The state of the emulator is looked at, too, since it could only say that it does not start.
    """
    folders = (cache, cache / "emulator")
    for folder in folders:
        refuse_link(folder)
        refuse_no_folder(folder)
    for folder in folders:
        try:
            inside = list(os.scandir(folder))
        except OSError:
            continue  # it is not there, or it is closed: whoever opens it says so
        for one in inside:
            if one.is_symlink():
                refuse_link(Path(one.path))
            elif not (one.is_dir() or one.is_file()):
                with raise_store_errors(one.path, cannot="be used"):
                    demand_regular(Path(one.path), one.stat().st_mode)


def _mode_of_folder(source: Path | None, parent: Path) -> int:
    """Whoever may read the manifest may enter, and whoever may write it may put files there."""
    if os.name != "posix":
        return 0o777
    mode = mode_of_copy(source, parent)
    group = 0o050 | mode & stat.S_IWGRP if mode & stat.S_IRGRP else 0
    return OWN_FOLDER | group | (0o005 if mode & stat.S_IROTH else 0)


def _group_in(folder: Path) -> int:
    """Return the group that a new file in a folder belongs to."""
    try:
        found = folder.stat()
    except OSError:
        return os.getegid()  # it will be made
    inherited = sys.platform == "darwin" or found.st_mode & stat.S_ISGID
    return found.st_gid if inherited else os.getegid()
