"""Which network file system a folder lies on, by the system's own list of mounts or drives.

Tested in tests/security/test_network_disk.py.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.process.children import child_environment

_NETWORKED = re.compile(
    r"(fuse\.)?(nfs[0-9]*|cifs|smb[0-9]*|smbfs|9p|v9fs|afs|afpfs|ceph|cephfs|coda|davfs2?|webdav"
    r"|glusterfs|gpfs|lustre|beegfs|pvfs2|orangefs|ocfs2|gfs2?|ncpfs|sshfs|curlftpfs|rclone|s3fs"
    r"|gcsfuse|goofys|juicefs|mountpoint-s3|grpcfuse|osxfs|vboxsf|vmhgfs|vmhgfs-fuse|prl_fs"
    r"|virtiofs|drvfs|macfuse|osxfuse)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"\\([0-7]{3})")
"""A blank or backslash of a path in the system's list of mounts."""
_DRIVE_REMOTE = 4
"""What GetDriveTypeW of Windows returns for a network drive."""
_PATIENCE_S = 5
"""How long the system's own command that lists mounts may take."""


def network_kind(folder: Path, system: str | None = None) -> str | None:
    """Return which network file system a folder lies on; None if on none that is known.

    `system` is that of this machine unless given. If it cannot be found out, the folder counts as
    local: then SQLite itself reports whether its mode works.
    """
    real = Path(os.path.realpath(folder))
    try:
        match system or platform.system():
            case "Windows":
                return find_drive_kind(real.drive, _drive_type)
            case "Darwin":
                return find_mount_list_kind(_mount_list(), str(real))
            case _:
                listed = Path("/proc/self/mountinfo").read_text("utf-8", "replace")
                return find_mountinfo_kind(listed, str(real))
    except (OSError, AttributeError, subprocess.SubprocessError):
        return None


def find_mountinfo_kind(mountinfo: str, path: str) -> str | None:
    """Return the network kind of an absolute path by the text of Linux's /proc/self/mountinfo."""
    mounts = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if len(fields) > 4 and kinds:  # noqa: PLR2004 - proc(5): the fifth is the mount point
            place = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
            mounts.append((place, kinds[0]))
    return _network_kind(mounts, path)


def find_mount_list_kind(listed: str, path: str) -> str | None:
    """Return the network kind of an absolute path by what `mount` prints on macOS."""
    lines = (re.fullmatch(r".+? on (/.*) \(([^,)]+).*\)", line) for line in listed.splitlines())
    return _network_kind([(found[1], found[2]) for found in lines if found], path)


def _network_kind(mounts: list[tuple[str, str]], path: str) -> str | None:
    """Judge by the deepest mount above a path; of several at one point by the last."""
    depth, kind = -1, ""
    for place, here in mounts:
        inside = path == place or path.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= depth:
            depth, kind = len(place), here
    return kind if _NETWORKED.fullmatch(kind) else None


def find_drive_kind(drive: str, drive_type: Callable[[str], int]) -> str | None:
    """Return the network kind of a Windows drive, given by its letter or as a share."""
    if drive.startswith("\\\\") and not drive.startswith(("\\\\?\\", "\\\\.\\")):
        return "network share"
    return "network drive" if drive_type(f"{drive}\\") == _DRIVE_REMOTE else None


def _drive_type(root: str) -> int:
    windows: Any = ctypes
    return int(windows.windll.kernel32.GetDriveTypeW(root))


def _mount_list() -> str:
    return subprocess.run(
        ["/sbin/mount"],
        env=child_environment(),
        capture_output=True,
        check=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE_S,
    ).stdout
