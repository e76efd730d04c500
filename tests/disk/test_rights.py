"""What is made from a manifest is seen by nobody who may not see the manifest."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.disk.place import place
from pipeline.disk.rights import (
    make_cache,
    make_output_folder,
    mode_of_copy,
    mode_of_joint_copy,
    refuse_links_in,
)
from pipeline.disk.sqlitefile import close_logs, open_to_write
from pipeline.errors import StoreError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o002)
    yield
    os.umask(before)


def manifest_of(folder: Path, mode: int) -> Path:
    path = folder / "shop.csv"
    path.write_text("key\nA\n", encoding="utf-8")
    path.chmod(mode)
    return path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("manifest", "folder", "copy"),
    [
        (0o600, 0o700, 0o600),
        (0o400, 0o700, 0o600),
        (0o640, 0o750, 0o640),
        (0o660, 0o770, 0o660),
        (0o644, 0o755, 0o644),
        (0o666, 0o775, 0o664),
    ],
)
def test_a_folder_and_a_copy_reach_as_far_as_the_manifest(
    tmp_path: Path, manifest: int, folder: int, copy: int
) -> None:
    """Written a second time in place of a file that was open to all, it is the same."""
    source, out = manifest_of(tmp_path, manifest), tmp_path / "outputs" / "shop"
    make_output_folder(out, source)
    assert mode_of(out) == folder
    (out / "results.csv").write_text("")
    (out / "results.csv").chmod(0o666)
    for _ in range(2):
        place(out / "results.csv", lambda file: file.write(b"A"), copy_of=source)
        assert mode_of(out / "results.csv") == copy


def test_a_video_reaches_as_far_as_everything_that_it_shows(tmp_path: Path) -> None:
    """One picture for its owner alone, or in a folder that others cannot enter, is enough."""
    manifest, videos = manifest_of(tmp_path, 0o644), tmp_path / "outputs" / "shop" / "videos"
    picture = tmp_path / "photos" / "mug.png"
    picture.parent.mkdir(mode=0o755)
    picture.write_bytes(b"")
    picture.chmod(0o644)
    assert mode_of_joint_copy([manifest, picture], videos) == 0o644
    for closed, mode in ((picture, 0o600), (picture.parent, 0o700)):
        before = mode_of(closed)
        closed.chmod(mode)
        assert mode_of_joint_copy([manifest, picture], videos) == 0o600
        link = tmp_path / f"link-{closed.name}"
        link.symlink_to(picture)
        assert mode_of_joint_copy([link], videos) == 0o600
        # What lies in the same closed folder is not closed once more.
        assert mode_of_copy(picture, picture.parent / "out") == mode_of(picture) & 0o666
        closed.chmod(before)
    assert mode_of_joint_copy([manifest, tmp_path / "gone.png"], videos) == 0o600


def test_the_umask_takes_away_from_both(tmp_path: Path) -> None:
    """Never more than any program gives here."""
    os.umask(0o077)
    source, out = manifest_of(tmp_path, 0o666), tmp_path / "shop"
    make_output_folder(out, source)
    place(out / "results.csv", lambda file: file.write(b"A"), copy_of=source)
    assert (mode_of(out), mode_of(out / "results.csv")) == (0o700, 0o600)


def test_nobody_else_may_move_the_folder_away(tmp_path: Path) -> None:
    """Not even where the umask lets everybody write: who may write above it may put another."""
    os.umask(0)
    out = tmp_path / "a" / "b" / "shop"
    make_output_folder(out, manifest_of(tmp_path, 0o666))
    assert [mode_of(one) & 0o022 for one in out.parents][:2] == [0o020, 0o020]


def test_a_folder_that_is_there_stays_as_its_owner_set_it(tmp_path: Path) -> None:
    """Wider or closer than the manifest; the cache in it is its owner's alone all the same."""
    source = manifest_of(tmp_path, 0o600)
    for number, mode in enumerate((0o777, 0o750, 0o700)):
        out = tmp_path / str(number)
        out.mkdir()
        out.chmod(mode)
        make_output_folder(out, source)
        make_cache(out / "cache", source)
        assert (mode_of(out), mode_of(out / "cache")) == (mode, 0o700)


def test_without_a_manifest_it_is_the_owners_alone(tmp_path: Path) -> None:
    """As where it is gone."""
    make_output_folder(tmp_path / "a", None)
    make_output_folder(tmp_path / "b", tmp_path / "gone.csv")
    assert (mode_of(tmp_path / "a"), mode_of(tmp_path / "b")) == (0o700, 0o700)


@pytest.mark.parametrize(
    "name", ["", "run.lock", "pictures", "pictures.db", "emulator", "emulator/state.db",
    "emulator/uploads", "emulator/videos"],
)  # fmt: skip
def test_a_link_below_the_cache_is_refused(tmp_path: Path, name: str) -> None:
    """Wherever it leads, and whether anything is there."""
    elsewhere, place_of = tmp_path / "elsewhere", tmp_path / "cache" / name
    place_of.parent.mkdir(parents=True, exist_ok=True)
    place_of.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a link to another place"):
        refuse_links_in(tmp_path / "cache")
    with pytest.raises(StoreError, match="is a link to another place"):
        make_cache(tmp_path / "cache")
    assert not elsewhere.exists()


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_a_link_beside_a_database_is_not_followed(tmp_path: Path, end: str) -> None:
    """SQLite would open it, and write to where it leads."""
    (tmp_path / f"journal.db{end}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="is a link to another place"):
        open_to_write(tmp_path / "journal.db")
    assert not (tmp_path / "elsewhere").exists()


def test_a_log_that_was_open_to_others_is_closed(tmp_path: Path) -> None:
    """As an earlier process, or a copy, may have left it."""
    left = tmp_path / "journal.db-wal"
    left.touch(0o644)
    close_logs(tmp_path / "journal.db")
    assert mode_of(left) == 0o600
