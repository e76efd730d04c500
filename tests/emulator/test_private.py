"""The state of an emulator is for its owner alone, and follows no link."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.emulator.server import Emulator, EmulatorSettings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")


async def test_the_state_is_for_its_owner_alone(start: Any, tmp_path: Path, png: bytes) -> None:
    """Pictures, videos, tasks, also where an earlier state was open to all."""
    before = os.umask(0)
    try:
        state = tmp_path / "state"
        state.mkdir(0o755)
        (state / "state.db").touch(0o644)
        api = await start(state_dir=state, quick=False)
        await api.upload(png)
        await api.video_url(duration=4)
        wide = [p for p in state.rglob("*") if stat.S_IMODE(p.stat().st_mode) & 0o077]
    finally:
        os.umask(before)
    assert wide == []
    assert stat.S_IMODE(state.stat().st_mode) == 0o755, "as its owner set it"


@pytest.mark.parametrize("name", ["state.db", "state.db-wal", "state.db-journal"])
async def test_no_emulator_begins_on_a_link(tmp_path: Path, name: str) -> None:
    """Nothing is made where it leads."""
    state = tmp_path / "state"
    state.mkdir()
    (state / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"link|symbolic"):
        await Emulator(EmulatorSettings(state_dir=state)).start()
    assert not (tmp_path / "elsewhere").exists()


async def test_no_picture_goes_through_a_link(start: Any, tmp_path: Path, png: bytes) -> None:
    """Neither is written to a folder elsewhere, nor is a file read from elsewhere."""
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    elsewhere.mkdir()
    state.mkdir()
    (state / "uploads").symlink_to(elsewhere)
    api = await start(state_dir=state)
    assert (await api.upload(png))[0] == 500
    assert list(elsewhere.iterdir()) == []
    (state / "uploads").unlink()
    url = (await api.upload(png))[1]["data"]["url"]
    (file,) = (path for path in (state / "uploads").rglob("*") if path.is_file())
    file.unlink()
    (elsewhere / "secret").write_text("secret")
    file.symlink_to(elsewhere / "secret")
    status, body, _ = await api.get(url)
    assert (status, b"secret" in body) == (500, False)
