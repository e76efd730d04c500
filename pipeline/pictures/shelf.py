"""The pictures of a whole manifest: each file looked at once, in a few threads."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from pipeline.disk.openfile import kind_of
from pipeline.model import Picture, PictureFault
from pipeline.pictures.accepted import LARGEST_BYTES, LARGEST_SOURCE_BYTES, too_large, unreadable
from pipeline.pictures.decode import decode
from pipeline.pictures.memory import CopyFolder, PictureMemory, Stamp
from pipeline.pictures.nearby import Neighbourhood
from pipeline.pictures.recipe import RECIPE

Inspected: TypeAlias = Picture | PictureFault

_GROUP = 200
"""Pictures remembered in one transaction; a kill can lose no more."""
_NOT_YET = PictureFault("not_checked", "The picture was not checked. Run the check again.")


class PictureShelf:
    """Finds, checks, hashes and, if need be, copies local pictures; use it in a `with` statement.

    `cache_dir` is the folder where findings and copies are kept between runs; None: nowhere. With
    `prepare` pictures that are not fit to be sent become copies there, else they are faults.
    `workers` is a number of threads: Pillow decodes without holding Python's lock.
    """

    def __init__(self, cache_dir: Path | None, *, prepare: bool = True, workers: int = 2) -> None:
        self._memory = PictureMemory(cache_dir, recipe=RECIPE if prepare else 0)
        self._copies = None if cache_dir is None else CopyFolder(cache_dir)
        self._prepare = prepare
        self._workers = max(1, workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file in `cache_dir`."""
        self._memory.close()

    def inspect(
        self, paths: Iterable[Path], *, progress: Callable[[int], None] | None = None
    ) -> dict[Path, Inspected]:
        """Return for each distinct path the picture there, or what is wrong with it.

        A picture that is known and has not changed since is not read again. `progress` is told, in
        this thread, how many paths are done.
        """
        distinct = list(dict.fromkeys(paths))
        found: dict[Path, Inspected] = dict.fromkeys(distinct, _NOT_YET)
        unknown: dict[Path, Stamp] = {}
        nearby = Neighbourhood()
        done = 0
        for path in distinct:
            known = self._known(path, nearby)
            if isinstance(known, Stamp):
                unknown[path] = known
                continue
            found[path] = known
            done += 1
            _tell(progress, done)
        for path, result in self._decoded(unknown):
            found[path] = result
            done += 1
            _tell(progress, done)
        return found

    def _known(self, path: Path, nearby: Neighbourhood) -> Inspected | Stamp:
        """Return what is known of a file without reading it, or its stamp if it has to be read."""
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            return _missing(path, error, nearby)
        kind = kind_of(status.st_mode)
        if kind is not None:
            return PictureFault(
                "not_a_file", f"{path} is {kind}, not a file. Write the name of the picture file."
            )
        if status.st_size > (LARGEST_SOURCE_BYTES if self._prepare else LARGEST_BYTES):
            return too_large(path, status.st_size, prepare=self._prepare)
        stamp = Stamp.of(status)
        return self._memory.recall(path, stamp) or stamp

    def _decoded(self, unknown: dict[Path, Stamp]) -> Iterator[tuple[Path, Inspected]]:
        """Decode in threads and yield as they finish; remember the good ones in groups."""
        fresh: list[tuple[Path, Stamp, Picture]] = []
        executor = ThreadPoolExecutor(self._workers, thread_name_prefix="picture")
        try:
            futures: dict[Future[Inspected], Path] = {
                executor.submit(decode, path, self._copies, prepare=self._prepare): path
                for path in unknown
            }
            for future in as_completed(futures):
                path, result = futures[future], future.result()
                if isinstance(result, Picture):
                    fresh.append((path, unknown[path], result))
                if len(fresh) >= _GROUP:
                    self._memory.remember(fresh)
                    fresh.clear()
                yield path, result
        finally:
            # On Ctrl-C the pictures that wait are dropped; those being decoded take a moment.
            executor.shutdown(wait=True, cancel_futures=True)
            self._memory.remember(fresh)


def _tell(progress: Callable[[int], None] | None, done: int) -> None:
    if progress is not None:
        progress(done)


def _missing(path: Path, error: OSError | ValueError, nearby: Neighbourhood) -> PictureFault:
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
    lost = f"there is no folder {folder}" if folder else f"there is no {path.name} in {path.parent}"
    meant = nearby.suggest(folder or path)
    if meant is not None:
        return PictureFault("missing", f"{path} is missing: {lost}. Did you mean {meant}?")
    return PictureFault(
        "missing", f"{path} is missing: {lost}. Put the picture there or correct the cell."
    )
