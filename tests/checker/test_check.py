"""The check of whole manifests: real files, real pictures, every problem at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from pipeline.checker.check import CheckedManifest, check_manifest, file_problem
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.errors import ConfigError, ManifestError
from pipeline.model import Severity


def _csv(folder: Path, text: str) -> Path:
    path = folder / "shop.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _xlsx(folder: Path, *rows: tuple[str | int | None, ...]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    path = folder / "shop.xlsx"
    book.save(path)
    book.close()
    return path


def _picture(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 520), colour).save(path)
    return path


def _check(path: Path, *overrides: str) -> CheckedManifest:
    return check_manifest(
        path, load(None, environ={}, overrides=overrides), cache_dir=path.parent / "cache"
    )


def test_a_good_text_manifest(tmp_path: Path) -> None:
    """Every row becomes a request; keys, defaults and spellings are applied."""
    checked = _check(
        _csv(tmp_path, "sku,prompt,seconds,ratio\nA,A shoe,4s,9x16\nB,A bag,,\n"),
        "defaults.duration=10",
    )
    assert not checked.problems
    assert checked.keys == ("A", "B")
    assert checked.valid == 2
    assert (checked.requests[2].duration, checked.requests[2].aspect_ratio) == (4, "9:16")
    assert (checked.requests[3].duration, checked.requests[3].resolution) == (10, "720P")


def test_all_problems_at_once_and_good_rows_stay(tmp_path: Path) -> None:
    """Bad keys, values and pictures of all rows come together, by row and column."""
    _picture(tmp_path / "a.jpg")
    text = (
        "sku,prompt,duration,image_1\n"
        "A,A shoe,5,gone.jpg\n"
        "B,A bag,6,a.jpg\n"
        ",A hat,,\n"
        "C,,,\n"
        "B,A belt,,a.jpg\n"
        "D,A scarf,,../secret.jpg\n"
    )
    checked = _check(_csv(tmp_path, text))
    assert [(one.row, one.column, one.code) for one in checked.problems] == [
        (2, "duration", "duration_not_allowed"),
        (2, "image_1", "picture_missing"),
        (3, "sku", "key_twice"),
        (4, "sku", "key_empty"),
        (5, "prompt", "prompt_empty"),
        (6, "sku", "key_twice"),
        (7, "image_1", "picture_outside"),
    ]
    assert not checked.requests
    assert len(set(checked.keys)) == 6
    assert checked.errors == checked.problems
    assert [one.code for one in checked.problems_of(2)] == [
        "duration_not_allowed",
        "picture_missing",
    ]
    assert checked.problems_of(99) == ()
    assert checked.file_errors == ()


def test_pictures_become_content_hashes(tmp_path: Path) -> None:
    """Equal pictures under two names are one; the order in the row is kept; URLs stay URLs."""
    _picture(tmp_path / "a.jpg")
    _picture(tmp_path / "deep" / "same.jpg")
    _picture(tmp_path / "b.png", "blue")
    text = (
        "key,prompt,images\n"
        "1,x,a.jpg\n"
        "2,x,deep/same.jpg\n"
        "3,x,b.png|https://example.com/c.jpg|a.jpg\n"
        "4,x,https://example.com/c.jpg\n"
        "5,x,\n"
    )
    seen: list[tuple[int, int]] = []
    checked = check_manifest(
        _csv(tmp_path, text),
        Config(),
        cache_dir=None,
        progress=lambda done, total, _line="": seen.append((done, total)),
    )
    assert not checked.errors
    requests = checked.requests
    assert list(requests) == [2, 3, 4, 5, 6]
    assert requests[2].request_hash == requests[3].request_hash
    assert requests[2].images[0].removeprefix("sha256:") in checked.pictures
    assert len(checked.pictures) == 2
    assert requests[4].images[1:] == ("https://example.com/c.jpg", requests[2].images[0])
    assert requests[5].images == ("https://example.com/c.jpg",)
    assert requests[6].images == ()
    assert seen[-1] == (3, 3)


def test_an_edited_picture_is_the_same_row_and_another_request(tmp_path: Path) -> None:
    """Neither a new picture under the old name nor a changed default makes another row."""
    path = _csv(tmp_path, "prompt,image\nx,a.jpg\n")
    _picture(tmp_path / "a.jpg")
    before = _check(path)
    _picture(tmp_path / "a.jpg", "green")
    after = _check(path, "defaults.duration=4")
    assert before.keys == after.keys
    assert before.requests[2].images != after.requests[2].images


def test_a_workbook_names_its_cells(tmp_path: Path) -> None:
    """Problems in a workbook carry the address of the cell."""
    path = _xlsx(
        tmp_path,
        ("sku", "prompt", "duration"),
        ("A", "a mug", 6),
        ("B", "a bag", 7),
        (3, "a tin", 10),
    )
    checked = _check(path)
    assert [(one.cell, one.key) for one in checked.problems] == [("C3", "B")]
    assert checked.keys == ("A", "B", "3")
    assert list(checked.requests) == [2, 4]


def test_unreadable_cells_count_only_where_they_are_used(tmp_path: Path) -> None:
    """A formula never calculated in the prompt breaks its row, in a note it does not matter."""
    path = _xlsx(
        tmp_path,
        ("sku", "prompt", "duration", "note"),
        ("A", "=B9", None, None),
        ("B", "y", "=1/0", None),
        ("C", "z", None, "=B9"),
    )
    checked = _check(path)
    assert [(one.row, one.column, one.key) for one in checked.errors] == [
        (2, "prompt", "A"), (3, "duration", "B"),
    ]  # fmt: skip
    assert list(checked.requests) == [4]


def test_no_prompt_column_is_one_problem_of_the_file(tmp_path: Path) -> None:
    """A thousand rows without a prompt column are one finding, and none is sent."""
    checked = _check(_csv(tmp_path, "sku,description\n" + "A,b\n" * 3))
    assert [(one.row, one.code) for one in checked.problems] == [(None, "no_prompt_column")]
    assert checked.file_errors == checked.problems
    assert not checked.requests
    assert len(checked.keys) == 3


def test_mapped_columns_and_key(tmp_path: Path) -> None:
    """manifest.columns and manifest.key reach the check."""
    path = _csv(tmp_path, "Nr;Video text;sku\n1;A shoe;A\n")
    checked = _check(path, "manifest.columns={Video text: prompt}", "manifest.key=nr")
    assert not checked.problems
    assert checked.keys == ("1",)


def test_the_image_root(tmp_path: Path) -> None:
    """Relative pictures start at manifest.image_root when it is set; it has to exist."""
    _picture(tmp_path / "photos" / "a.jpg")
    path = _csv(tmp_path, "prompt,image\nx,a.jpg\n")
    assert _check(path).errors
    assert not _check(path, f"manifest.image_root={tmp_path / 'photos'}").errors
    with pytest.raises(ConfigError, match=r"manifest\.image_root"):
        _check(path, f"manifest.image_root={tmp_path / 'none'}")


def test_pictures_from_outside_are_an_option(tmp_path: Path) -> None:
    """A path out of the picture folder, or a link out of it, is taken only when that is set."""
    _picture(tmp_path / "elsewhere" / "a.jpg")
    (tmp_path / "shop").mkdir()
    path = _csv(tmp_path / "shop", "prompt,image\na mug,../elsewhere/a.jpg\n")
    (refused,) = _check(path).problems
    assert (refused.code, "manifest.images_outside" in refused.message) == ("picture_outside", True)
    assert not _check(path, "manifest.images_outside=true").problems


def test_what_was_done_to_a_picture_is_a_warning_of_its_cell(tmp_path: Path) -> None:
    """The row is sent with the copy; the warning stands at the row, the column and the cell."""
    Image.new("CMYK", (640, 520), "red").save(tmp_path / "a.tif")
    _picture(tmp_path / "b.jpg")
    rows = (("sku", "image_1", "prompt"), ("A", "b.jpg", "a mug"), ("B", "a.tif", "a bag"))
    path = _xlsx(tmp_path, *rows, ("C", "a.tif", "a tin"))
    checked = _check(path)
    assert [(one.row, one.cell, one.column, one.key) for one in checked.problems] == [
        (3, "B3", "image_1", "B"), (4, "B4", "image_1", "C"),
    ]  # fmt: skip
    assert {one.severity for one in checked.problems} == {Severity.WARNING}
    assert "a.tif is sent as a JPEG copy: it is a TIFF picture" in checked.problems[0].message
    assert list(checked.requests) == [2, 3, 4]
    picture = checked.pictures[checked.requests[3].images[0].removeprefix("sha256:")]
    assert picture.path.parent == tmp_path / "cache" / "pictures"
    assert checked.requests == _check(path).requests
    picture.path.unlink()
    assert checked.requests == _check(path).requests
    assert picture.path.is_file()


def test_pictures_are_not_made_fit_when_that_is_off(tmp_path: Path) -> None:
    """Then they are problems, with the setting named; `off` needs no quotes."""
    Image.new("RGB", (640, 520)).save(tmp_path / "a.bmp")
    (problem,) = _check(_csv(tmp_path, "prompt,image\nx,a.bmp\n"), "images.prepare=off").errors
    assert (problem.code, problem.row, problem.column) == ("picture_wrong_format", 2, "image")
    assert "images.prepare" in problem.message
    assert not (tmp_path / "cache" / "pictures").exists()


def test_a_picture_far_from_the_frame_is_a_warning_of_its_row(tmp_path: Path) -> None:
    """The same picture suits one row and not the next; the original's name is in it."""
    Image.new("RGB", (600, 1200)).save(tmp_path / "tall.bmp")
    text = "prompt,image,ratio\nx,tall.bmp,16:9\ny,tall.bmp,9:16\nz,tall.bmp,1:1\n"
    checked = _check(_csv(tmp_path, text))
    found = [(one.row, one.column) for one in checked.problems if one.code == "picture_shape"]
    assert found == [(2, "image")]
    (message,) = [one.message for one in checked.problems if one.code == "picture_shape"]
    assert message.startswith("tall.bmp (600 x 1200) is far from the shape of a 16:9 video")
    assert list(checked.requests) == [2, 3]


def test_a_name_template_is_checked_before_anything_is_sent(tmp_path: Path) -> None:
    """A template that names no column stops the check."""
    path = _csv(tmp_path, "prompt\nx\n")
    with pytest.raises(ConfigError, match="colour"):
        _check(path, 'output.name="{colour}"')


def test_a_results_file_is_a_manifest(tmp_path: Path) -> None:
    """Its result columns change neither keys nor requests."""
    plain = _check(_csv(tmp_path, "prompt\nx\n"))
    again = _check(_csv(tmp_path, "prompt,result_state,result_video\nx,done,videos/x.mp4\n"))
    assert plain.keys == again.keys
    assert plain.requests == again.requests


def test_warnings_do_not_break_a_row(tmp_path: Path) -> None:
    """A row with a warning is sent."""
    checked = _check(_csv(tmp_path, f"prompt\n{'a mug ' * 900}\n"))
    assert [one.severity for one in checked.problems] == [Severity.WARNING]
    assert checked.valid == 1
    assert not checked.errors


def test_a_file_that_is_no_table_becomes_a_problem(tmp_path: Path) -> None:
    """What cannot be read at all is a problem of the whole file, for the JSON output."""
    path = tmp_path / "shop.xlsx"
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ManifestError) as caught:
        _check(path)
    problem = file_problem(caught.value)
    assert problem.row is None
    assert caught.value.message in problem.message


@pytest.mark.process
def test_a_text_is_checked_without_the_libraries_of_workbooks_and_pictures(tmp_path: Path) -> None:
    """They are half of a command's start, and a CSV file without local pictures needs none.

    Nor is a sheet of a model read strictly that comes with the program.
    """
    path = _csv(tmp_path, "id,prompt,image_1\n1,a mug,https://shop.example/mug.jpg\n")
    code = (
        "import sys; from pathlib import Path; from pipeline.checker.check import check_manifest\n"
        "from pipeline.config.settings import Config\n"
        "assert check_manifest(Path(sys.argv[1]), Config(), cache_dir=None).valid == 1\n"
        "print([one for one in ('numpy', 'pandas', 'python_calamine', 'openpyxl', 'PIL',"
        " 'pipeline.models.sections')"
        " if one in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_rows_that_are_equal_are_said_in_one_warning(tmp_path: Path) -> None:
    """Each is made, so whoever copied a line by mistake should know before it is paid for."""
    path = tmp_path / "shop.csv"
    path.write_text(
        "key,prompt,duration\na,A mug,6\nb,A bag,6\nc,A mug,\nd,A mug,4\n", encoding="utf-8"
    )
    checked = check_manifest(path, Config(), cache_dir=None)
    (warning,) = checked.problems
    assert (warning.code, warning.severity, warning.row) == ("rows_equal", Severity.WARNING, None)
    assert "1 row of the same prompt" in warning.message
    assert "row 4 and row 2" in warning.message
    assert checked.valid == 4
