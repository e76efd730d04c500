"""A manifest that is saved, replaced or removed while it is read, or while the run goes on.

A run works with the bytes that it read at its start, and says at its end what became of the file.

Tested in tests/runner/test_unchanged.py and tests/system/test_changed_manifests.py.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file
from pipeline.errors import UsageError
from pipeline.model import Manifest

_TRIES = 3


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
