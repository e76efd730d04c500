"""Disks as small as a test wants them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system in memory of this size; the test is skipped where none can be mounted."""
    folder.mkdir(parents=True)
    if sys.platform != "linux" or os.geteuid() != 0 or not _mount(folder, f"size={size}"):
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def resize(folder: Path, size: str) -> None:
    """Give a small disk another size."""
    assert _mount(folder, f"remount,size={size}")


def fill(folder: Path) -> Path:
    """Take all room that is left, to the last page; return the file that holds it."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


def _mount(folder: Path, options: str) -> bool:
    line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(line, check=False, capture_output=True).returncode == 0
