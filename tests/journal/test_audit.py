"""Findings about a journal: its file, its events and its videos; nothing is changed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from pipeline import events as ev
from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError, UsageError
from pipeline.journal.audit import Finding, audit
from pipeline.journal.database import VERSION
from pipeline.journal.handovers import Handover, note_handovers
from pipeline.journal.journal import Journal
from pipeline.manifest.invocation import Invocation
from pipeline.model import IDENTITY_MARK, Video
from tests.journal.lives import VIDEO, intended

CONTENT = b"a film"


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    """An output folder with a done row and one that is on its way."""
    folder = OutputFolder(tmp_path / "shop")
    folder.videos.mkdir(parents=True)
    (folder.videos / "a.mp4").write_bytes(CONTENT)
    video = dataclasses.replace(
        VIDEO, size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
    )
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.begin_run("r0", "run", 0.5)
        done = [ev.Accepted("a", 1, "t"), ev.Completed("a", 1, None), ev.Downloaded("a", 1, video)]
        journal.append([intended("a"), *done, intended("b")], 1.0).result(10)
    return folder


def findings(folder: OutputFolder) -> list[Finding]:
    before = folder.journal.read_bytes()
    found = list(audit(folder, Invocation(Path("shop.csv")), lambda _: ()))
    assert folder.journal.read_bytes() == before
    return found


def change(folder: OutputFolder, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder.journal)) as journal, journal:
        journal.execute(statement)


def test_all_is_in_order(folder: OutputFolder) -> None:
    """Also while a run has it open."""
    assert findings(folder) == []
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.append([intended("c")], 2.0).result(10)
        assert list(audit(folder, Invocation(Path("shop.csv")), lambda _: ())) == []


@pytest.mark.parametrize(
    ("gone", "handed", "found"), [((), (), 0), ({"c"}, (), 1), ({"c"}, {VIDEO.sha256}, 0)]
)
def test_a_video_in_a_bucket(
    folder: OutputFolder, gone: Collection[str], handed: Collection[str], found: int
) -> None:
    """All of a bucket are asked for at once. Where whoever was to have it has it, it may go."""
    asked: list[tuple[str, str]] = []
    with contextlib.closing(Journal(folder.journal)) as journal:
        video = dataclasses.replace(VIDEO, name="c.mp4", size_bytes=6, place="s3://films/shop")
        done = [ev.Accepted("c", 1, "t"), ev.Completed("c", 1, None), ev.Downloaded("c", 1, video)]
        journal.append([intended("c"), *done], 2.0).result(10)
    note_handovers(folder.journal, [Handover(2.0, "c", 1, one, "c") for one in handed])

    def gone_of(away: Sequence[tuple[str, Video]]) -> Collection[str]:
        asked.extend((key, video.file) for key, video in away)
        return gone

    told = list(audit(folder, Invocation(Path("shop.csv")), gone_of))
    assert ["s3://films/shop/c.mp4" in one.what for one in told] == [True] * found
    assert asked == [("c", "s3://films/shop/c.mp4")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is gone"),
        (b"longer than it was", "(18 bytes, not 6)"),
        (b"A FILM", "is not the file that was verified."),
    ],
)
def test_a_video_that_is_not_there(folder: OutputFolder, content: bytes | None, said: str) -> None:
    """Gone, of another size, or of the same with another content."""
    (folder.videos / "a.mp4").unlink()
    if content is not None:
        (folder.videos / "a.mp4").write_bytes(content)
    (one,) = findings(folder)
    assert one.what.startswith("row a: ")
    assert said in one.what
    assert "reelsheet fetch shop.csv --only a" in one.action


def test_a_video_that_was_handed_over_may_go(folder: OutputFolder) -> None:
    """Whoever got it has it; one that is still here is looked at as any other."""
    video = folder.videos / "a.mp4"
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    note_handovers(folder.journal, [Handover(2.0, "a", 1, sha256, "a")])
    video.write_bytes(b"A FILM")
    (one,) = findings(folder)
    assert "is not the file that was verified" in one.what
    video.unlink()
    assert findings(folder) == []
    note_handovers(folder.journal, [Handover(3.0, "a", 0, "", "a")])
    (one,) = findings(folder)
    assert "is gone" in one.what


def test_a_video_that_cannot_be_read(folder: OutputFolder) -> None:
    """A folder in its place, say."""
    (folder.videos / "a.mp4").unlink()
    (folder.videos / "a.mp4").mkdir()
    (one,) = findings(folder)
    assert "cannot be read" in one.what


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE attempts SET state = 'failed' WHERE key = 'b'", "row b: the journal has it as"),
        ("DELETE FROM attempts WHERE key = 'b'", "row b: the journal has it as not known"),
        ("DELETE FROM events WHERE key = 'b'", "its events come to not known"),
        ("DELETE FROM events WHERE kind = 'Accepted'", "journal.db"),
        ("UPDATE attempts SET state = 'sold'", "is damaged"),
        ("DROP TABLE uploads", "journal.db"),
    ],
)
def test_tables_and_events_disagree(folder: OutputFolder, statement: str, said: str) -> None:
    """Each row by itself, or the journal as a whole; one command restores it."""
    change(folder, statement)
    found = findings(folder)
    if statement.startswith("DROP"):
        assert found == [], "no row depends on it"
        return
    (one,) = found
    assert said in one.what
    assert "reelsheet journal rebuild" in one.action


def test_a_damaged_file_is_the_only_finding(folder: OutputFolder) -> None:
    """What it says of the rows is not looked at; what keeps it from being read is no damage."""
    folder.journal.write_bytes(folder.journal.read_bytes()[:8192])
    (one,) = findings(folder)
    assert "damaged" in one.what
    folder.journal.unlink()
    folder.journal.mkdir()
    with pytest.raises(StoreError, match="cannot be used"):
        list(audit(folder, Invocation(Path("shop.csv")), lambda _: ()))
    folder.journal.rmdir()
    (gone,) = audit(folder, Invocation(Path("shop.csv")), lambda _: ())
    assert "there is no journal" in gone.what


def test_a_video_without_a_hash_is_judged_by_its_size(folder: OutputFolder) -> None:
    """As the journals of the first version have them."""
    video = dataclasses.replace(VIDEO, name="b.mp4", size_bytes=len(CONTENT), sha256="")
    (folder.videos / "b.mp4").write_bytes(CONTENT)
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.begin_run("r", "run", 1.0)
        done = [ev.Accepted("b", 1, "t2"), ev.Completed("b", 1, None)]
        journal.append([*done, ev.Downloaded("b", 1, video)], 1.0).result(10)
    assert findings(folder) == []


def test_a_newer_version_is_no_damage(folder: OutputFolder) -> None:
    """It is told as everywhere."""
    change(folder, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(UsageError, match="newer version"):
        findings(folder)


def test_the_video_of_a_row_that_left_cannot_be_fetched_by_its_key(folder: OutputFolder) -> None:
    """Its entry has stepped aside for another row of its key."""
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.append([ev.Renamed("a", 1, f"a{IDENTITY_MARK}2")], 2.0).result(10)
    (folder.videos / "a.mp4").unlink()
    (found,) = findings(folder)
    assert "its row has left the manifest" in found.action
