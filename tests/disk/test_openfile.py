"""Files of ours are opened at their very place; links, pipes and folders in it are refused."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from pipeline.disk.openfile import (
    OpenFile,
    open_private,
    open_regular,
    open_unlinked,
    read_regular,
    refuse_link,
    refuse_pipe,
    refuse_ring,
)
from pipeline.errors import StoreError, UsageError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """A link that leads to a file with something in it."""
    (tmp_path / "elsewhere").write_bytes(b"precious")
    (tmp_path / "ours").symlink_to(tmp_path / "elsewhere")
    return tmp_path / "ours"


def test_a_link_is_refused_in_words(link: Path) -> None:
    """Where nothing has been opened yet it is said what is there and what to do."""
    with pytest.raises(StoreError, match="ours is a link to another place") as caught:
        refuse_link(link)
    assert caught.value.action is not None
    refuse_link(link.with_name("elsewhere"))
    refuse_link(link.with_name("nothing"))


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_CREAT])
def test_a_link_is_not_opened(link: Path, flags: int) -> None:
    """What it leads to stays as it is."""
    with pytest.raises(OSError, match=r"symbolic links|link to another place") as caught:
        open_unlinked(link, flags)
    assert caught.value.errno == errno.ELOOP
    assert link.with_name("elsewhere").read_bytes() == b"precious"


def test_a_new_file_takes_no_link(link: Path) -> None:
    """Exclusive creation counts a link as a file, also one that leads nowhere."""
    link.with_name("elsewhere").unlink()
    with pytest.raises(FileExistsError):
        open_unlinked(link, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    assert not link.with_name("elsewhere").exists()


def test_only_an_ordinary_file_is_read(link: Path) -> None:
    """A pipe would be waited for, a folder and a link are no files."""
    pipe = link.with_name("pipe")
    os.mkfifo(pipe)
    for path in (link, pipe, link.parent):
        with pytest.raises(OSError, match="not a file"), open_regular(path):
            pass
    with open_regular(link.with_name("elsewhere")) as descriptor:
        assert os.read(descriptor, 100) == b"precious"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(descriptor, 1)


def test_a_private_file_is_made_for_its_owner(tmp_path: Path) -> None:
    """Whatever the umask is; a file that others could read is closed to them."""
    before = os.umask(0)
    try:
        path = tmp_path / "ours"
        os.close(open_private(path, os.O_RDWR))
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
        os.close(open_private(path, os.O_RDWR))
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A pipe without a writer does not hang; folders and devices are named; reads are bounded."""
    os.mkfifo(tmp_path / "pipe")
    for path, word in (
        (tmp_path / "pipe", "pipe"),
        (tmp_path, "folder"),
        (Path(os.devnull), "dev"),
    ):
        with pytest.raises(OSError, match=word):
            read_regular(path, 10)
    file = tmp_path / "a"
    file.write_bytes(bytes(20))
    assert len(read_regular(file, 10)) == 11
    named = tmp_path / "named"
    for path, word in ((tmp_path / "pipe", "a pipe"), (Path(os.devnull), "a device")):
        with pytest.raises(UsageError, match=word):
            refuse_pipe(path)
    named.symlink_to(named)
    refuse_pipe(named)  # a ring is told by its own name
    with pytest.raises(UsageError, match="leads back to itself"):
        refuse_ring(named)
    refuse_ring(tmp_path / "gone")


def test_a_file_is_lost_where_another_or_none_has_its_name(tmp_path: Path) -> None:
    """Not where it is only written to."""
    path, other = tmp_path / "a", tmp_path / "b"
    assert OpenFile.at(path) is None
    path.write_text("a")
    file = OpenFile.at(path)
    assert file is not None
    path.write_text("more")
    assert not file.is_lost()
    other.write_text("another")
    path.rename(tmp_path / "moved")
    assert file.is_lost()
    other.rename(path)
    assert file.is_lost()
