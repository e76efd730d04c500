"""Where the journal lies on a network file system, it does without SQLite's WAL mode."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.network import (
    find_drive_kind,
    find_mount_list_kind,
    find_mountinfo_kind,
    network_kind,
)
from pipeline.journal.database import connect
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, replay
from tests.journal.lives import intended

MOUNTINFO = r"""
22 29 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
29 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
40 29 0:35 / /var rw shared:9 - tmpfs tmpfs rw
51 29 0:44 / /mnt/nas rw,relatime shared:88 master:2 - nfs4 nas:/export rw,vers=4.2
52 51 8:9 / /mnt/nas/local rw - ext4 /dev/sdb1 rw
53 29 0:45 / /mnt/shop\040files rw - cifs //server/shop rw,vers=3.1.1
54 29 0:46 / /mnt/c rw - 9p C:\134 rw,dirsync
55 29 0:47 / /home/ann/far rw - fuse.sshfs ann@far:/ rw
56 29 0:48 / /srv rw - nfs nas:/srv rw
57 29 8:10 / /srv rw - xfs /dev/sdc1 rw
nonsense
60 29 0:49
"""

MOUNT_LIST = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
//ann@server/Shop%20files on /Volumes/Shop files (smbfs, nodev, nosuid, mounted by ann)
nas:/export on /Volumes/nas (nfs, nodev)
/dev/disk5s1 on /Volumes/Stick (one) (exfat, local, nodev)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", None),
        ("/home/ann/outputs", None),
        ("/var/x", None),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nas/outputs/shop", "nfs4"),
        ("/mnt/nasty", None),
        ("/mnt/nas/local/outputs", None),
        ("/mnt/shop files/outputs", "cifs"),
        ("/mnt/c/Users/ann", "9p"),
        ("/home/ann/far/outputs", "fuse.sshfs"),
        ("/srv/outputs", None),
    ],
)
def test_linux_says_where_a_path_lies(path: str, kind: str | None) -> None:
    """The deepest mount above it counts, of two in one place the later; names are unescaped."""
    assert find_mountinfo_kind(MOUNTINFO, path) == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/Users/ann", None),
        ("/Volumes/Shop files/outputs", "smbfs"),
        ("/Volumes/nas/a", "nfs"),
        ("/Volumes/Stick (one)/a", None),
    ],
)
def test_macos_says_where_a_path_lies(path: str, kind: str | None) -> None:
    """By what `mount` prints there."""
    assert find_mount_list_kind(MOUNT_LIST, path) == kind


@pytest.mark.parametrize(
    ("drive", "kind"),
    [
        ("C:", None),
        ("Z:", "network drive"),
        ("\\\\nas\\shop", "network share"),
        ("\\\\?\\C:", None),
    ],
)
def test_windows_says_where_a_drive_lies(drive: str, kind: str | None) -> None:
    """A share by its name; a letter by what the system says of it (4: remote)."""
    assert find_drive_kind(drive, lambda root: 4 if root == "Z:\\" else 3) == kind


@pytest.mark.process
@pytest.mark.parametrize("system", ["Windows", "Darwin", "Linux", "FreeBSD", None])
def test_a_look_that_fails_finds_no_network(tmp_path: Path, system: str | None) -> None:
    """Asked in the way of another system, this one cannot answer, and nothing breaks."""
    assert network_kind(tmp_path, system) is None


def test_nothing_known_is_no_network() -> None:
    """An empty list, and this machine's own folder for tests."""
    assert find_mountinfo_kind("", "/x") is None
    assert find_mount_list_kind("", "/x") is None


def test_a_local_folder_is_local(tmp_path: Path) -> None:
    """Also one that is not there yet: what lies above it counts."""
    assert network_kind(tmp_path) is None
    assert network_kind(tmp_path / "later") is None


def mode(path: Path) -> str:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_the_rollback_mode_is_as_durable(tmp_path: Path) -> None:
    """No shared memory beside the file, every commit brought to the disk, others may read."""
    path = tmp_path / "journal.db"
    with contextlib.closing(connect(path, networked=True)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        connection.execute("INSERT INTO meta VALUES ('a', 'b')")
        assert [one.name for one in tmp_path.iterdir()] == ["journal.db"]
        assert read_entries(path) == {}
    assert mode(path) == "delete"


def test_a_journal_moves_to_a_network_and_back(tmp_path: Path) -> None:
    """What a killed run left in WAL mode is taken along; at home again it is in WAL mode."""
    home, far = tmp_path / "home", tmp_path / "far"
    home.mkdir()
    with contextlib.closing(Journal(home / "journal.db")) as journal:
        journal.append([intended("a"), ev.Accepted("a", 1, "t")], 1.0).result(10)
        shutil.copytree(home, far)  # with the log of the WAL mode, as a kill would leave it
        assert mode(home / "journal.db") == "wal"
    assert (far / "journal.db-wal").stat().st_size > 0
    connect(far / "journal.db", networked=True).close()
    assert mode(far / "journal.db") == "delete"
    assert read_entries(far / "journal.db")["a"].task_id == "t"
    with contextlib.closing(Journal(far / "journal.db")) as journal:
        journal.append([ev.Completed("a", 1, None)], 2.0).result(10)
        assert mode(far / "journal.db") == "wal"
    assert mode(far / "journal.db") == "delete", "closed, it needs nothing beside it"
    assert replay(far / "journal.db") == read_entries(far / "journal.db")
