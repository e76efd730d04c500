"""A log is begun anew before it gets too large, and no line of it is lost."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from pipeline.disk.logfile import KEPT, LogFile, earlier_files, files_of, lines_of
from pipeline.errors import StoreError


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_begun_anew_and_read_as_one(tmp_path: Path) -> None:
    """The greater number is the later one; a line is never parted."""
    path = tmp_path / "run.log"
    with LogFile(path, most_bytes=12) as log:
        for number in range(7):
            log.append(b"line %d\n" % number)
        log.append(b"one that is longer than a whole file may get\n")
    names = [f"run.log.{number}" for number in range(1, 8)]
    assert [one.name for one in files_of(path)] == [*names, "run.log"]
    assert [*lines_of(path)][:7] == [b"line %d\n" % number for number in range(7)]
    with LogFile(path, most_bytes=12) as log:
        log.append(b"and on\n")
    assert [one.name for one in earlier_files(path)][-1] == "run.log.8"
    assert [*lines_of(path)][-1] == b"and on\n"


def test_the_latest_are_kept(tmp_path: Path) -> None:
    """What is called likewise and is none of ours stays where it is."""
    path = tmp_path / "run.log"
    for name in ("run.log.old", "run.log.07", "run.log.0", "xrun.log.1"):
        (tmp_path / name).write_bytes(b"mine\n")
    with LogFile(path, most_bytes=4) as log:
        for number in range(100):
            log.append(b"%d\n" % number)
    assert len(earlier_files(path)) == KEPT == 9
    lines = [int(line) for line in lines_of(path)]
    assert lines == list(range(lines[0], 100))
    assert (tmp_path / "run.log.07").exists()


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    """A kill may leave one: the next one begins on a line of its own."""
    path = tmp_path / "run.log"
    path.write_bytes(b"whole\nhal")
    with LogFile(path) as log:
        log.append(b"next\n")
        log.append(b"last\n")
    assert [*lines_of(path)] == [b"whole\n", b"hal\n", b"next\n", b"last\n"]


def test_a_full_disk_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    """What found room whole stays, and the next line follows it."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "run.log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with LogFile(path) as log:
        log.append(b"first\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, before[1]))
        try:
            with pytest.raises(StoreError):
                log.append(b"second\nthird, cut\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert path.read_bytes() == b"first\nsecond\n"
        log.append(b"fourth\n")
    assert path.read_bytes() == b"first\nsecond\nfourth\n"


def test_a_kill_between_two_files_loses_nothing(tmp_path: Path) -> None:
    """The old name is gone and the new file is not there yet; and numbers may be missing."""
    path = tmp_path / "run.log"
    (tmp_path / "run.log.3").write_bytes(b"3\n")
    (tmp_path / "run.log.12").write_bytes(b"12\n")
    assert [*lines_of(path)] == [b"3\n", b"12\n"]
    with LogFile(path, most_bytes=1) as log:
        log.append(b"13\n")
        log.append(b"14\n")
    assert [*lines_of(path)] == [b"3\n", b"12\n", b"13\n", b"14\n"]
    assert (tmp_path / "run.log.13").read_bytes() == b"13\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")
def test_its_rights_are_those_that_are_asked_for(tmp_path: Path) -> None:
    """Whatever the umask; earlier files get them as well, and are closed again."""
    path = tmp_path / "run.log"
    before = os.umask(0o077)
    try:
        with LogFile(path, mode=0o640, most_bytes=4) as log:
            log.append(b"1\n")
            log.append(b"222\n")
    finally:
        os.umask(before)
    assert [mode_of(one) for one in files_of(path)] == [0o640, 0o640]
    with LogFile(path):
        assert [mode_of(one) for one in files_of(path)] == [0o600, 0o600]


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
def test_no_link_is_followed(tmp_path: Path) -> None:
    """Neither at its place nor at those of earlier files."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious\n")
    path = tmp_path / "out" / "run.log"
    path.parent.mkdir()
    (tmp_path / "out" / "run.log.1").symlink_to(elsewhere)
    with LogFile(path, most_bytes=1) as log:
        for number in range(KEPT + 2):
            log.append(b"%d\n" % number)
        assert b"precious\n" not in lines_of(path)
    assert elsewhere.read_bytes() == b"precious\n"
    path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(StoreError):
        LogFile(path)
