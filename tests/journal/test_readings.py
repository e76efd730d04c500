"""What is kept of how a manifest was read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.journal.readings import kept_reading
from pipeline.manifest import earlier
from pipeline.manifest.earlier import NOTE, FoundOut
from pipeline.manifest.languages import EARLIEST, LATEST
from pipeline.runner.knownreading import known_reading
from tests.journal.lives import intended

RUSSIAN = "key,prompt\nK1,Красная кружка медленно вращается\n"


def read(path: Path) -> earlier.Reading:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RUSSIAN, encoding="cp1251")
    return check_manifest(path, load(None, environ={}), cache_dir=None).reading


def test_what_was_found_out_is_kept_once_anything_was_sent(tmp_path: Path) -> None:
    """Before that, a better reading is welcome; without a journal there is nothing to keep."""
    folder = OutputFolder(tmp_path)
    assert kept_reading(folder.journal, known_reading(folder)) is None
    found = read(tmp_path / "m.csv")
    assert found.encoding == "cp1251"
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.note({NOTE: found.note()})
        assert kept_reading(folder.journal, known_reading(folder)) is None
        journal.append([intended("K1")], 1.0).result(10)
    assert known_reading(folder) == found
    assert kept_reading(folder.journal, known_reading(folder)) == FoundOut("cp1251", None)


def test_what_an_earlier_version_noted_is_kept(tmp_path: Path) -> None:
    """Encoding and sheet had notes of their own, beside that of the columns or without it."""
    folder = OutputFolder(tmp_path)
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.note({"reading_encoding": "cp1251", "reading_sheet": "Videos"})
        journal.append([intended("K1")], 1.0).result(10)
    plain = earlier.Reading(EARLIEST, encoding="cp1251", sheet="Videos")
    assert known_reading(folder) == plain
    assert kept_reading(folder.journal, plain) == FoundOut("cp1251", "Videos")
    columns = earlier.Reading(LATEST, {"Bild": "image_1"})
    with contextlib.closing(Journal(folder.journal)) as journal:
        journal.note({NOTE: columns.note()})
    known = known_reading(folder)
    assert known is not None
    assert (known.read, known.encoding, known.sheet) == (columns.read, "cp1251", "Videos")


def test_what_was_found_out_stays_known(tmp_path: Path) -> None:
    """A manifest that was saved as UTF-8 in between is read as before when it is saved back."""
    known = read(tmp_path / "m.csv")
    (tmp_path / "m.csv").write_text(RUSSIAN, encoding="utf-8")
    again = check_manifest(
        tmp_path / "m.csv", load(None, environ={}), cache_dir=None, known=known
    ).reading
    assert again == known


def test_from_a_journal_that_cannot_be_read_nothing_is_found_out_anew(tmp_path: Path) -> None:
    """Rows of it may be paid for: no reading but what run.log knows, or the plain one."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"no journal at all" * 100)
    assert kept_reading(path, None) == FoundOut()
    logged = earlier.Reading(encoding="cp1251")
    assert kept_reading(path, logged) == FoundOut("cp1251")
    path.unlink()
    assert kept_reading(path, logged) == FoundOut("cp1251"), "the journal may be lost"
