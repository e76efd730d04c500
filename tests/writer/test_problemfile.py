"""`problems.xlsx`: there where it helps, up to date, and never over what a person changed."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.writer.problemfile import ProblemFile, update_problem_file
from tests.writer.tables import opened

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX rights")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A manifest whose 30 prompts are empty."""
    return write(tmp_path / "Müller & Co" / "shop.csv", 30)


def write(path: Path, broken: int, good: int = 1) -> Path:
    path.parent.mkdir(exist_ok=True)
    rows = [f"B{n},\n" for n in range(broken)] + [f"G{n},A mug.\n" for n in range(good)]
    path.write_text("sku,prompt\n" + "".join(rows), encoding="utf-8")
    return path


def update(manifest: Path, out: Path | None = None) -> ProblemFile:
    """Check, and bring the file up to date as a check does."""
    folder = OutputFolder(out or manifest.parent / "out")
    checked = check_manifest(manifest, load(None, environ={}), cache_dir=None)
    return update_problem_file(checked, folder)


def test_it_is_written_for_many_problems_alone(shop: Path) -> None:
    """A few are read in lines and leave no file; once there it is kept up to date."""
    write(shop, 20)
    assert update(shop) == ProblemFile(None)
    assert not (shop.parent / "out").exists()
    write(shop, 21)
    found = update(shop)
    assert found == ProblemFile(shop.parent / "out" / "problems.xlsx")
    write(shop, 2)
    assert update(shop) == found
    assert found.path is not None
    sheet = opened(found.path).active
    assert sheet is not None
    assert [sheet.cell(row, 2).comment is None for row in (2, 3, 4)] == [False, False, True]


def test_it_goes_with_the_last_problem(shop: Path) -> None:
    """And the user is told so; a second check says nothing."""
    update(shop)
    write(shop, 0)
    gone = update(shop)
    assert gone.path is None
    assert gone.notes[0].endswith("problems.xlsx was removed: no problem is left.")
    assert not (shop.parent / "out" / "problems.xlsx").exists()
    assert update(shop) == ProblemFile(None)


def test_what_a_person_changed_is_kept(shop: Path) -> None:
    """Under another name, with a sentence that says so and where corrections count."""
    path = update(shop).path
    assert path is not None
    book = opened(path)
    assert book.active is not None
    book.active["B2"] = "A mug turns."
    book.save(path)
    typed = path.read_bytes()
    found = update(shop)
    (kept,) = path.parent.glob("problems.before-*.xlsx")
    assert kept.read_bytes() == typed
    assert found.path == path
    assert f"it is kept as {kept.name}" in found.notes[0]
    assert update(shop).notes == ()


def test_one_that_a_person_changed_is_called_out_of_date(shop: Path) -> None:
    """It is not deleted with the last problem."""
    path = update(shop).path
    assert path is not None
    path.write_bytes(b"changed")
    write(shop, 0)
    found = update(shop)
    assert "is out of date" in found.notes[0]
    assert path.read_bytes() == b"changed"


def test_that_it_is_open_is_said(shop: Path) -> None:
    """LibreOffice and Excel put a mark beside a file that they have open."""
    path = update(shop).path
    assert path is not None
    path.with_name(".~lock.problems.xlsx#").write_text("Ana")
    assert "is open in a spreadsheet program" in update(shop).notes[0]


@posix_only
def test_nobody_sees_it_who_may_not_see_the_manifest(shop: Path) -> None:
    """It has the rights of the manifest, and so has its folder."""
    shop.chmod(0o600)
    path = update(shop).path
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_takes_no_file_is_no_error(shop: Path) -> None:
    """The check goes on, and says why the workbook is missing."""
    (shop.parent / "out").write_text("a file")
    found = update(shop)
    assert found.path is None
    assert found.notes[0].startswith("the problems are marked in no workbook: ")


def test_the_rows_of_a_run_keep_theirs_apart(shop: Path) -> None:
    """failed.csv, checked in its folder, writes over nothing of the manifest's."""
    out = shop.parent / "out"
    update(shop)
    failed = write(out / "failed.csv", 30)
    assert update(failed, out).path == out / "problems-failed.xlsx"
