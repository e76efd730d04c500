"""A manifest that is saved, replaced or removed while it is read, or while the run goes on.

A run works with the bytes that it read at its start, and says at its end what became of the file.

Tested in tests/runner/test_unchanged.py and tests/system/test_changed_manifests.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.failures import store_error
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file, open_private
from pipeline.disk.rights import make_cache
from pipeline.errors import UsageError
from pipeline.model import Manifest

_TRIES = 3
_COPIED_SUFFIXES = frozenset({".xlsx", ".xlsm"})
"""The manifests whose results are written into a copy of the file itself."""


def check_copied(
    manifest: Path,
    copy: Callable[[], AbstractContextManager[Path]],
    check: Callable[[], CheckedManifest],
    stack: ExitStack,
) -> tuple[Path, CheckedManifest]:
    """Return the file that results are written into, and a check that read the very same.

    Args:
        manifest: The manifest.
        copy: Makes the copy of it, or returns the manifest itself where none is needed.
        check: Reads and checks it.
        stack: Ends the copy's life.

    Raises:
        UsageError: It is saved again and again.

    """
    for _ in range(_TRIES):
        source = stack.enter_context(copy())
        checked = check()
        if source == manifest or hash_of_file(source) == checked.manifest.sha256:
            return source, checked
    raise UsageError(
        f"{manifest} was saved while it was read; nothing was sent.",
        action="Run again when nobody writes it.",
    )


def say_changed(manifest: Manifest, folder: OutputFolder) -> str | None:
    """Return what has become of a manifest since it was read; None if it is the same.

    Args:
        manifest: The manifest as it was read.
        folder: The output folder: what the run itself has written there is not looked at.

    """
    if not manifest.sha256 or folder.wrote(manifest.path):
        return None
    used = "the run used it as it was at its start"
    try:
        if hash_of_file(manifest.path) == manifest.sha256:
            return None
    except (FileNotFoundError, NotADirectoryError):
        return f"the manifest is no longer in its place: {used}. Put it back, then run again."
    except PermissionError:  # another program has it open: whether it will change is not known
        return None
    except OSError:
        pass  # something else lies in its place
    return f"the manifest was changed meanwhile: {used}. Run again to take up the changes."


@contextlib.contextmanager
def snapshot(manifest: Path, cache: Path | None) -> Iterator[Path]:
    """Yield a copy of an .xlsx or .xlsm manifest, deleted with the context; others as they are.

    Without a `cache` none is copied: no results will be written.

    Results are written row by row number into a copy made before the check reads the manifest, so
    that an edit meanwhile does not shift them. The check reads the manifest itself: its messages
    name that file. Raises StoreError when the folder does not take the copy.
    """
    is_copied = manifest.suffix.lower() in _COPIED_SUFFIXES and manifest.is_file()
    if cache is None or not is_copied:
        yield manifest
        return
    # Two threads of one process may ask for the same folder: only one of them gets its lock, later.
    copy = cache / f".manifest-{os.getpid()}-{threading.get_native_id()}{manifest.suffix.lower()}"
    try:
        make_cache(cache, manifest)
        try:
            copy.unlink(missing_ok=True)
            own = open_private(copy, os.O_WRONLY | os.O_EXCL)
            with os.fdopen(own, "wb") as file, manifest.open("rb") as source:
                shutil.copyfileobj(source, file)
        except OSError as error:
            raise store_error("the manifest", error, cannot=f"be copied to {cache}") from error
        yield copy
    finally:
        copy.unlink(missing_ok=True)
