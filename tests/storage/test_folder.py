"""A folder takes a file once, whoever else writes to it."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.storage.folder import FolderPlace
from pipeline.storage.places import Put, put_numbered


def file(folder: Path, content: bytes = b"a video") -> tuple[Path, str]:
    path = folder / ".x.mp4.part"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


async def test_a_file_is_put_once(tmp_path: Path) -> None:
    """The same bytes again are the same; others get the next name, and nothing is overwritten."""
    there = FolderPlace(tmp_path / "Größe & co", mode=0o640)
    await there.prepare()
    await there.prepare()
    path, sha256 = file(tmp_path)
    assert await there.put("a.mp4", path, sha256) is Put.CREATED
    assert await there.put("a.mp4", path, sha256) is Put.SAME
    path, other = file(tmp_path, b"another")
    assert await there.put("a.mp4", path, other) is Put.TAKEN
    assert await put_numbered(there, "a.mp4", path, other) == "a-2.mp4"
    assert there.list() == {"a.mp4": 7, "a-2.mp4": 7}
    assert (there.size_of("a.mp4"), there.size_of("b.mp4")) == (7, None)
    with there.open("a.mp4") as pieces:
        assert b"".join(pieces) == b"a video"
    assert there.link("a.mp4", 60) is None
    if os.name == "posix":
        assert stat.S_IMODE((there.path / "a.mp4").stat().st_mode) & ~0o640 == 0


async def test_a_share_that_is_not_mounted_is_noticed(tmp_path: Path) -> None:
    """Else the videos would fill the disk below its folder."""
    with pytest.raises(StoreError, match="there is no folder"):
        await FolderPlace(tmp_path / "nas" / "shop").prepare()
    assert not (tmp_path / "nas").exists()


async def test_nothing_is_put_where_a_link_leads(tmp_path: Path) -> None:
    """Neither through the folder nor through a name in it."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "shop").symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a link"):
        await FolderPlace(tmp_path / "shop").prepare()
    there = FolderPlace(tmp_path / "own")
    await there.prepare()
    (there.path / "a.mp4").symlink_to(elsewhere / "a.mp4")
    path, sha256 = file(tmp_path)
    assert await there.put("a.mp4", path, sha256) is Put.TAKEN
    assert not list(elsewhere.iterdir())


async def test_a_changed_file_is_not_put(tmp_path: Path) -> None:
    """What is put is what was verified; nothing stays beside it."""
    there = FolderPlace(tmp_path / "own")
    await there.prepare()
    path, _ = file(tmp_path)
    with pytest.raises(StoreError, match="changed while it was copied"):
        await there.put("a.mp4", path, "0" * 64)
    assert not list(there.path.iterdir())


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """As before the first video."""
    assert FolderPlace(tmp_path / "none").list() == {}
