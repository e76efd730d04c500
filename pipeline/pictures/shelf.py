"""The pictures of a whole manifest: each file looked at once, in a few threads.

A name in another Unicode form than the file's is taken. For a missing file it suggests the file
that was probably meant: other case, other suffix, a typo.
"""

from __future__ import annotations

import difflib
import errno
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from pipeline.disk.openfile import name_kind
from pipeline.manifest.locations import PathFault, is_inside
from pipeline.model import Picture, PictureFault
from pipeline.pictures.accepted import (
    LARGEST_BYTES,
    LARGEST_SOURCE_BYTES,
    PICTURE_SUFFIXES,
    picture_too_large,
    unreadable,
)
from pipeline.pictures.decode import decode_picture
from pipeline.pictures.memory import CopyFolder, PictureMemory, Stamp
from pipeline.pictures.recipe import RECIPE
from pipeline.pictures.search import UnicodeForms, fold_name
from pipeline.pictures.strictly import find_faults
from pipeline.process.cores import usable_cores

Inspected: TypeAlias = Picture | PictureFault
_Slip: TypeAlias = Literal["case", "suffix", "spelling"]

_STRICT_RECIPE = 1000
"""Is added to the recipe of pictures that a strict decoder has read, too."""
_GROUP = 200
"""Pictures remembered in one transaction; a kill can lose no more."""
_SLOW_S, _SLOW_NAMED = 3.0, 20
"""From so many seconds of work on a picture is named, and so many of them: 48 megapixels take 2."""
_LIKENESS = 0.75
"""How similar two names must be (difflib's ratio) to be taken for one name with a typo."""
_COMPARISONS = 100_000
"""The most names that are compared. Each costs some microseconds, and a sheet whose folder has been
moved misses every file."""


class _Unread(NamedTuple):
    """A file that has to be read, under the name that it has on the disk."""

    path: Path
    stamp: Stamp


class PictureShelf(AbstractContextManager["PictureShelf"]):
    """Finds, checks, hashes and, if need be, copies local pictures; use it as a context."""

    def __init__(
        self,
        cache_dir: Path | None,
        *,
        prepare: bool = True,
        strict: bool = False,
        workers: int | None = None,
        root: Path | None = None,
    ) -> None:
        """Open the memory of earlier findings.

        Args:
            cache_dir: The folder where findings and copies are kept between runs; None: nowhere.
            prepare: Make copies there of pictures that are not fit to be sent; else those are
                faults.
            strict: Have a strict decoder read JPEGs, too, for a warning.
            workers: The number of threads; None: as many as there are processors, as Pillow decodes
                without holding Python's lock.
            root: The folder in which a file must lie whose name is in another Unicode form than
                asked for; None for any.

        """
        recipe = (RECIPE if prepare else 0) + (_STRICT_RECIPE if strict else 0)
        self._memory = PictureMemory(cache_dir, recipe=recipe)
        self._copies = None if cache_dir is None else CopyFolder(cache_dir)
        self._prepare = prepare
        self._strict = strict
        self._workers = max(1, usable_cores() if workers is None else workers)
        self._root = root
        self._forms = UnicodeForms()

    def __exit__(self, *_: object) -> None:
        """Close the file in `cache_dir`."""
        self._memory.close()

    def inspect(
        self, paths: Iterable[Path], *, progress: Callable[[int, str], None] | None = None
    ) -> dict[Path, Inspected]:
        """Return for each distinct path the picture there, or what is wrong with it.

        A picture that is known and has not changed since is not read again. `progress` is told, in
        this thread, how many paths are done, and which of the files takes its time.
        """
        distinct = list(dict.fromkeys(paths))
        found: dict[Path, Inspected] = {}
        unread: dict[Path, _Unread] = {}
        nearby = _Neighbourhood()
        tell = progress or (lambda _done, _line: None)
        for path in distinct:
            known = self._look_up(path, nearby)
            if isinstance(known, _Unread):
                unread[path] = known
            else:
                found[path] = known
                tell(len(found), "")
        named = 0
        for path, (result, took_s) in self._decode_all(unread):
            found[path] = result
            slow = took_s > _SLOW_S and named < _SLOW_NAMED
            named += slow
            tell(len(found), f"{path.name} took {took_s:.0f} s to be opened" if slow else "")
        return {path: found[path] for path in distinct}

    def _look_up(self, path: Path, nearby: _Neighbourhood) -> Inspected | _Unread:
        """Return what is known of a file without reading it, or the file if it has to be read."""
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            same = self._forms.find(path)
            if same is None or same == path or not self._may_take(same):
                return _explain_missing(path, error, nearby)
            return self._look_up(same, nearby)
        kind = name_kind(status.st_mode)
        if kind is not None:
            return PictureFault(
                "not_a_file", f"{path} is {kind}, not a file. Write the name of the picture file."
            )
        if status.st_size > (LARGEST_SOURCE_BYTES if self._prepare else LARGEST_BYTES):
            return picture_too_large(path, status.st_size, prepare=self._prepare)
        stamp = Stamp.of(status)
        return self._memory.recall(path, stamp) or _Unread(path, stamp)

    def _may_take(self, path: Path) -> bool:
        return self._root is None or is_inside(path, self._root)

    def _decode_all(
        self, unread: dict[Path, _Unread]
    ) -> Iterator[tuple[Path, tuple[Inspected, float]]]:
        """Decode in threads and yield as they finish, with the seconds that each took.

        The good ones are remembered in groups.
        """
        fresh: list[tuple[Path, Stamp, Picture]] = []
        faults = find_faults([*unread], self._workers) if self._strict else {}
        executor = ThreadPoolExecutor(self._workers, thread_name_prefix="picture")
        try:
            futures: dict[Future[tuple[Inspected, float]], Path] = {
                executor.submit(self._decode, one.path): path for path, one in unread.items()
            }
            for future in as_completed(futures):
                path, (result, took_s) = futures[future], future.result()
                if isinstance(result, Picture):
                    if path in faults:
                        result = replace(result, warnings=(*result.warnings, faults[path]))
                    fresh.append((unread[path].path, unread[path].stamp, result))
                if len(fresh) >= _GROUP:
                    self._memory.remember(fresh)
                    fresh.clear()
                yield path, (result, took_s)
        finally:
            # On Ctrl-C the pictures that wait are dropped; those being decoded take a moment.
            executor.shutdown(wait=True, cancel_futures=True)
            self._memory.remember(fresh)

    def _decode(self, path: Path) -> tuple[Inspected, float]:
        """Decode a picture; with it the seconds that this thread has worked on it."""
        begun_s = time.thread_time()
        result = decode_picture(path, self._copies, prepare=self._prepare)
        return result, time.thread_time() - begun_s


def _explain_missing(
    path: Path, error: OSError | ValueError, nearby: _Neighbourhood
) -> PictureFault:
    """Say why a path does not lead to a file."""
    if isinstance(error, ValueError):
        return PictureFault(
            "bad_path", f"{str(path)!r} cannot be the name of a file. Correct the cell."
        )
    if error.errno not in (errno.ENOENT, errno.ENOTDIR, None):
        return unreadable(path, error)
    if path.is_symlink():
        return PictureFault(
            "missing", f"{path} is a link to a file that no longer exists. Put the picture back."
        )
    folder = nearby.missing_folder(path)
    within = path.parent.absolute() if path.parent.name in {"", ".."} else path.parent
    lost = f"there is no folder {folder}" if folder else f"there is no {path.name} in {within}"
    lost = f"{path} is missing: {lost}."
    near, slip = nearby.suggest(path, folder)
    remedy = f"Did you mean {near}?" if near else "Put the picture there or correct the cell."
    return PathFault("missing", f"{lost} {remedy}", lost, near, slip)


class _Neighbourhood:
    """The folders around missing files, each listed once for all the files of a check."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder | None] = {}
        self._comparisons_left = _COMPARISONS

    def suggest(self, path: Path, missing: Path | None) -> tuple[Path | None, _Slip | None]:
        """Return the existing file that `path` was probably meant to name, and the slip in it.

        `missing` is the uppermost folder on its way that does not exist.
        """
        if missing is None:
            return self._near(path)
        near, slip = self._near(missing)
        if near is None:
            return None, None
        file = near / path.relative_to(missing)
        if file.is_file():
            return file, slip
        # Further down there may be another slip.
        further, _ = self._near(file) if self._folder(file.parent) is not None else (None, None)
        return further, "spelling" if further else None

    def _near(self, path: Path) -> tuple[Path | None, _Slip | None]:
        folder = self._folder(path.parent)
        if folder is None:
            return None, None
        if name := folder.find_same(path.name):
            return path.parent / name, "case"
        if name := folder.other_suffix(path.name):
            return path.parent / name, "suffix"
        if self._comparisons_left > 0:
            self._comparisons_left -= len(folder.names)
            if name := folder.nearest(path.name):
                return path.parent / name, "spelling"
        return None, None

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
        self.names = {fold_name(name): name for name in sorted(names)}
        self._stems: dict[str, list[str]] = defaultdict(list)
        for folded, name in self.names.items():
            stem, suffix = os.path.splitext(folded)  # noqa: PTH122 - of text, not of a path
            if suffix in PICTURE_SUFFIXES:
                self._stems[stem].append(name)

    def find_same(self, name: str) -> str | None:
        """Return the name that differs in case or in the way its accents are stored."""
        return self.names.get(fold_name(name))

    def other_suffix(self, name: str) -> str | None:
        """Return the picture of the same name with another suffix, or given without one."""
        folded = fold_name(name)
        stem, _ = os.path.splitext(folded)  # noqa: PTH122
        return next(iter(self._stems.get(stem, []) + self._stems.get(folded, [])), None)

    def nearest(self, name: str) -> str | None:
        """Return the most similar name, if any is similar enough."""
        near = difflib.get_close_matches(fold_name(name), self.names, n=1, cutoff=_LIKENESS)
        return self.names[near[0]] if near else None
