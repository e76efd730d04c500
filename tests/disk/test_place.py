"""A file is there whole or not at all, and what stands in its way is said in plain words."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from pipeline.disk.place import (
    place,
    place_copy,
    place_in_cache,
    place_new,
    place_written,
    remove,
    sync_folder,
    temporary,
)
from pipeline.errors import StoreError
from pipeline.model import TextDialect
from pipeline.writer.results import write_results
from tests.writer.tables import manifest, results

ROOT = Path(__file__).parents[2]


def test_a_file_in_the_way_of_nothing(tmp_path: Path) -> None:
    """The folder is made, the old file replaced, and nothing else left behind."""
    target = tmp_path / "a" / "b" / "results.csv"
    assert place(target, lambda file: file.write(b"first")) == (target, 5)
    assert place(target, lambda file: file.write(b"two")) == (target, 3)
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """Half a file never takes the place of a whole one."""
    target = tmp_path / "results.csv"
    target.write_bytes(b"old")

    def broken(file: BinaryIO) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place(target, broken)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.process
def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    """A killed process cannot clean up; the next write does."""
    target = tmp_path / "results.csv"
    script = (
        "import os, pathlib, signal, sys\n"
        "from pipeline.disk.place import place\n"
        "def write(file):\n"
        "    file.write(b'x' * 100); file.flush(); os._exit(9)\n"
        "place(pathlib.Path(sys.argv[1]), write)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(target)], cwd=ROOT, check=False)
    assert done.returncode == 9
    assert temporary(target).read_bytes() == b"x" * 100
    place(target, lambda file: file.write(b"whole"))
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    assert target.read_bytes() == b"whole"


def test_a_target_that_cannot_be_replaced_gets_a_second_name(tmp_path: Path) -> None:
    """A folder is there: the results go to results-2, and a note says so, and what to rename."""
    (tmp_path / "results.csv").mkdir()
    dialect = TextDialect(",", "utf-8", bom=False)
    table = manifest(tmp_path / "p.csv", ("sku",), {2: ("1",)}, dialect=dialect)
    for _ in range(2):
        found = write_results(table, results(table), tmp_path)
        assert found.path == tmp_path / "results-2.csv"
        assert f"{tmp_path / 'results.csv'} is a folder, so results-2.csv was" in found.notes[0]
        assert "open in another program" not in found.notes[0]
        assert "reelsheet report" in found.notes[0]


def test_a_folder_that_is_a_file_is_said_plainly(tmp_path: Path) -> None:
    """No traceback: what cannot be written, why, and what to do."""
    (tmp_path / "out").write_text("")
    with pytest.raises(StoreError) as caught:
        place(tmp_path / "out" / "results.csv", lambda file: file.write(b""))
    assert "results.csv cannot be written" in caught.value.message
    assert caught.value.action is not None


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid"), reason="needs POSIX rights")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may do anything")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    """A read-only folder is named as such."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="access is denied"):
            place(tmp_path / "results.csv", lambda file: file.write(b""))
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.process
@pytest.mark.skipif(os.name == "nt", reason="limits of a process are POSIX")
def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """When the disk refuses in the middle, the old file stays and the failure is a StoreError."""
    target = tmp_path / "results.csv"
    target.write_bytes(b"old")
    script = (
        "import pathlib, resource, sys\n"
        "from pipeline.errors import StoreError\n"
        "from pipeline.disk.place import place\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    place(pathlib.Path(sys.argv[1]), lambda file: file.write(b'x' * 100_000))\n"
        "except StoreError as error:\n"
        "    print(error.message, error.action)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "takes no file that large" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]
    assert target.read_bytes() == b"old"


def test_removing_takes_leftovers_too(tmp_path: Path) -> None:
    """A stale file and its half-written successor both go."""
    target = tmp_path / "failed.csv"
    for path in (target, temporary(target)):
        path.write_bytes(b"x")
    remove(target)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system without the call")
@pytest.mark.parametrize("folder", ["/proc", "/sys"])
def test_a_file_system_that_flushes_no_folders_is_no_failure(folder: str) -> None:
    """The system really reports EINVAL there; nothing more can be had, and the file is safe."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Invalid argument"):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(Path(folder))


@pytest.mark.skipif(os.name != "posix", reason="folders are flushed on POSIX alone")
@pytest.mark.parametrize(
    ("number", "fails"),
    [
        (errno.EINVAL, False), (errno.EBADF, False), (errno.ENOTSUP, False),
        (errno.EIO, True), (errno.ENOSPC, True), (errno.EROFS, True),
    ],
)  # fmt: skip
def test_only_what_a_file_system_cannot_do_is_overlooked(
    tmp_path: Path, number: int, *, fails: bool
) -> None:
    """A disk that breaks or is full while the name is written may have lost it: that is said."""

    def flush(descriptor: int) -> None:
        assert stat.S_ISDIR(os.fstat(descriptor).st_mode)
        raise OSError(number, "what it says")

    if fails:
        with pytest.raises(OSError, match="what it says"):
            sync_folder(tmp_path, flush)
    else:
        sync_folder(tmp_path, flush)


def test_a_folder_is_flushed_after_each_file(tmp_path: Path) -> None:
    """With the system's own call, where it can."""
    sync_folder(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "gone")


def test_a_file_that_is_written_already(tmp_path: Path) -> None:
    """It takes the place of the old one, and what nobody needs any more goes."""
    temp, target, beside = tmp_path / "new", tmp_path / "a.mp4", tmp_path / "new.json"
    for path, text in ((temp, "new"), (target, "old"), (beside, "{}")):
        path.write_text(text)
    descriptor = os.open(temp, os.O_RDWR)
    assert place_written(descriptor, temp, target, outlived=beside) == target
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_text() == "new"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.skipif(os.name == "nt", reason="needs a pipe that cannot be flushed")
def test_a_written_file_that_fails_is_named(tmp_path: Path) -> None:
    """The part where the disk does not take it, the final name where the folder does not."""
    temp, target = tmp_path / "new", tmp_path / "a.mp4"
    temp.write_bytes(b"new")
    reader, writer = os.pipe()
    with pytest.raises(StoreError) as caught:
        place_written(writer, temp, target, cannot="be moved")
    assert caught.value.message.startswith(f"{temp} cannot be moved: ")
    assert os.read(reader, 1) == b"", "the writing end was closed"
    os.close(reader)
    target.mkdir()
    with pytest.raises(StoreError) as caught:
        place_written(os.open(temp, os.O_RDWR), temp, target, cannot="be moved")
    assert caught.value.message.startswith(f"{target} cannot be moved: ")
    assert temp.read_bytes() == b"new"


def test_a_new_file_is_never_put_over_another(tmp_path: Path) -> None:
    """Neither over a file nor over a link, and nothing is left beside it."""
    target = tmp_path / "a" / "products.csv"
    place_new(target, b"new")
    with pytest.raises(FileExistsError):
        place_new(target, b"newer")
    assert target.read_bytes() == b"new"
    link = target.with_name("link.csv")
    link.symlink_to(target.with_name("nowhere"))
    with pytest.raises(FileExistsError):
        place_new(link, b"newer")
    assert sorted(target.parent.iterdir()) == [link, target]
    assert not target.with_name("nowhere").exists()


def test_a_cached_file_is_whole_and_its_owners(tmp_path: Path) -> None:
    """It replaces an earlier one, and nobody else may read it."""
    target = tmp_path / "pictures" / "a.jpg"
    for data in (b"first", b"second"):
        place_in_cache(target, data)
        assert target.read_bytes() == data
    assert list(target.parent.iterdir()) == [target]
    if os.name == "posix":
        assert target.stat().st_mode & 0o777 == 0o600


SHA256 = hashlib.sha256(b"video").hexdigest()


@pytest.mark.parametrize("shares", [True, False])
def test_a_copy_is_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, shares: bool
) -> None:
    """Whatever becomes of the original, the copy stays; what has its name is replaced."""
    source, target = tmp_path / "a.mp4", tmp_path / "there" / "b.mp4"
    source.write_bytes(b"video")
    target.parent.mkdir()
    target.write_bytes(b"left by a killed run, and longer")
    if not shares:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    assert place_copy(source, target, SHA256)
    assert target.stat().st_nlink == source.stat().st_nlink == 1
    with source.open("r+b") as file:
        file.write(b"other")
    assert target.read_bytes() == b"video"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="needs rights of POSIX")
def test_a_copy_of_a_private_file_is_private(tmp_path: Path) -> None:
    """It has no right that the original has not, and none that was not asked for."""
    source, target = tmp_path / "a.mp4", tmp_path / "there" / "b.mp4"
    source.write_bytes(b"video")
    source.chmod(0o600)
    assert place_copy(source, target, SHA256)
    assert target.stat().st_mode & 0o777 == 0o600
    source.chmod(0o644)
    assert place_copy(source, target, SHA256, 0o600)
    assert target.stat().st_mode & 0o777 == 0o600


def test_what_is_not_that_file_is_not_copied(tmp_path: Path) -> None:
    """Changed, gone, a folder, a link: nothing is put in place, and nothing is left behind."""
    target = tmp_path / "there" / "b.mp4"
    changed, link = tmp_path / "changed.mp4", tmp_path / "link.mp4"
    changed.write_bytes(b"vide0")
    right = tmp_path / "right.mp4"
    right.write_bytes(b"video")
    link.symlink_to(right)
    for source in (changed, tmp_path / "gone.mp4", tmp_path, link):
        assert not place_copy(source, target, SHA256)
        assert not target.exists()
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_a_copy_that_finds_no_place(tmp_path: Path) -> None:
    """The folder is a file."""
    source = tmp_path / "a.mp4"
    source.write_bytes(b"video")
    with pytest.raises(StoreError, match=r"b\.mp4 cannot be written"):
        place_copy(source, source / "b.mp4", SHA256)
