"""The manifest as it was when it was read, for as long as a run lasts.

Results are written into a copy of the user's workbook, row by row number. A workbook that is edited
while the run works must not shift them, so the copy is made of what was read.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.disk.failures import store_error

_WORKBOOKS = frozenset({".xlsx", ".xlsm"})


@contextlib.contextmanager
def snapshot(manifest: Path, cache: Path) -> Iterator[Path]:
    """Yield a copy of a workbook, which lives as long as the context; text files as they are.

    A manifest that is not there is yielded as it is: reading it says so. Raises StoreError when the
    folder does not take the copy.
    """
    if manifest.suffix.lower() not in _WORKBOOKS or not manifest.is_file():
        yield manifest
        return
    copy = cache / f".manifest-{os.getpid()}{manifest.suffix.lower()}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        shutil.copyfile(manifest, copy)
    except OSError as error:
        copy.unlink(missing_ok=True)
        raise store_error("the manifest", error, cannot=f"be copied to {cache}") from error
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)
