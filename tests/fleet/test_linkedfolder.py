"""A file gets its name by a link: at once, once, and never over another."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from pipeline.fleet.linkedfolder import LinkedFolder
from pipeline.storage.places import Put


async def test_a_file_is_put_once(tmp_path: Path) -> None:
    videos, file = tmp_path / "videos", tmp_path / "part"
    videos.mkdir()
    file.write_bytes(b"video")
    sha256 = hashlib.sha256(b"video").hexdigest()
    place = LinkedFolder(videos, 0o640)
    assert await place.put("a.mp4", file, sha256) is Put.CREATED
    assert (videos / "a.mp4").samefile(file)
    assert stat.S_IMODE((videos / "a.mp4").stat().st_mode) & ~0o640 == 0
    file.unlink()
    file.write_bytes(b"video")
    assert await place.put("a.mp4", file, sha256) is Put.SAME
    (videos / "b.mp4").write_bytes(b"other")
    (videos / "c.mp4").symlink_to(videos / "a.mp4")
    for name in ("b.mp4", "c.mp4"):
        assert await place.put(name, file, sha256) is Put.TAKEN
    assert (videos / "b.mp4").read_bytes() == b"other"
