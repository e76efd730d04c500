"""What the runs keep is for its owner alone, also where an earlier copy was open to others."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.disk.openfile import open_private
from pipeline.runner.watching import RunProgress
from tests.security.shop import Quiet, Shop
from tests.system.harness import sheets

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")

OURS = (
    "journal.db", "journal.db-wal", "journal.db-shm", "run.log", "cache/run.lock",
    "cache/run.owner.json", "cache/reserve", "cache/pictures.db",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _open_umask() -> Iterator[None]:
    """Have the system take no right away by itself."""
    before = os.umask(0)
    yield
    os.umask(before)


class Looking(Quiet):
    """Looks at the files while the run is at work."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.modes: dict[str, str] = {}

    def show(self, progress: RunProgress) -> None:
        assert sum(progress.states.values())
        for name in OURS:
            path = self.root / name
            if path.exists():
                self.modes[name] = oct(stat.S_IMODE(path.stat().st_mode))


def test_all_that_a_run_keeps_is_closed_to_others(shop: Shop) -> None:
    """Journal, log, lock, owner, reserve and memory of pictures, while it works: 0600."""
    line = sheets.row("A", image_1=sheets.picture(shop.folder / "p.png", hue=3).name)
    sheets.write(shop.folder / "shop.csv", [line])
    looking = Looking(shop.out.root)
    assert shop.run(screen=looking).exit_code == 0
    assert looking.modes == dict.fromkeys(OURS, "0o600")


def test_files_that_were_open_are_closed(shop: Shop) -> None:
    """A folder that was copied about may have lost its rights."""
    assert shop.run().exit_code == 0
    for name in OURS:
        if (shop.out.root / name).exists():
            (shop.out.root / name).chmod(0o666)
    sheets.write(shop.folder / "shop.csv", [sheets.row(key, duration="4") for key in "ABCD"])
    looking = Looking(shop.out.root)
    assert shop.run(screen=looking).exit_code == 0
    assert {name: mode for name, mode in looking.modes.items() if mode != "0o600"} == {}


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "dangling link"])
def test_only_an_ordinary_file_is_opened(tmp_path: Path, kind: str) -> None:
    """Nothing is waited for, nothing is followed, nothing is made elsewhere."""
    path, elsewhere = tmp_path / "ours", tmp_path / "elsewhere"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere)
        if kind == "link":
            elsewhere.write_bytes(b"")
    with pytest.raises(OSError, match=r"a pipe|link|directory|device"):
        os.close(open_private(path, os.O_RDWR))
    assert elsewhere.exists() == (kind == "link")
