"""What a journal keeps of how its manifest was read."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.journal.journal import Journal
from pipeline.journal.readings import keep_reading, kept_reading
from pipeline.manifest.asbefore import Reading
from pipeline.model import Manifest
from tests.journal.lives import intended

RUSSIAN = "key,prompt\nK1,Красная кружка медленно вращается\n"


def read(path: Path) -> Manifest:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RUSSIAN, encoding="cp1251")
    return check_manifest(path, load(None, environ={}), cache_dir=None).manifest


def test_what_was_found_out_is_kept_once_anything_was_sent(tmp_path: Path) -> None:
    """Before that, a better reading is welcome; without a journal there is nothing to keep."""
    path = tmp_path / "journal.db"
    assert kept_reading(path) is None
    with contextlib.closing(Journal(path)) as journal:
        keep_reading(journal, read(tmp_path / "m.csv"))
        assert kept_reading(path) is None
        journal.append([intended("K1")], 1.0).result(10)
        noted = journal.notes()
        keep_reading(journal, read(tmp_path / "m.csv"))
        assert journal.notes() == noted
    assert kept_reading(path) == Reading("cp1251", None)


def test_a_file_that_a_run_wrote_leaves_the_note_as_it_is(tmp_path: Path) -> None:
    """What failed is read as its manifest was, whatever can be told of its few rows."""
    folder = OutputFolder(tmp_path)
    with contextlib.closing(Journal(folder.journal)) as journal:
        keep_reading(journal, read(tmp_path / "failed.csv"))
        assert not [name for name in journal.notes() if name.startswith("reading")]


def test_from_a_journal_that_cannot_be_read_nothing_is_found_out_anew(tmp_path: Path) -> None:
    """Rows of it may be paid for: no reading but the plain one."""
    path = tmp_path / "journal.db"
    path.write_bytes(b"no journal at all" * 100)
    assert kept_reading(path) == Reading()
