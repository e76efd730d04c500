"""Cells of a text file that no person wrote: what is in them is capped before it is worked on."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.drafts import LONGEST_TEXT, split_images
from pipeline.config.loading import load
from pipeline.errors import ManifestError
from pipeline.manifest.locations import locate
from pipeline.model import PictureFault
from pipeline.reader.text import delimited
from pipeline.reader.text.delimited import read_text

MOST_IN_CELL = 131_000
"""What the csv module takes."""


def checked(tmp_path: Path, text: str, *settings: str) -> CheckedManifest:
    path = tmp_path / "table.csv"
    path.write_text(text)
    return check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)


def test_pictures_of_a_cell_are_counted_no_further_than_needed(tmp_path: Path) -> None:
    """Sixty thousand names in each of two thousand cells: each is one problem."""
    cell = "a|" * (MOST_IN_CELL // 2)
    assert split_images(cell) == ("a",) * 51
    assert split_images("a | ;b\n\n c|") == ("a", "b", "c")
    rows = "".join(f"{at},A shoe,{cell}\n" for at in range(200))
    found = checked(tmp_path, f"sku,prompt,images\n{rows}")
    assert len(found.problems) == 200 + 200 * 51  # a picture that is not there is said, too
    assert "names more than 50 pictures" in found.problems[0].message


def test_a_long_key_is_not_worked_on(tmp_path: Path) -> None:
    """It is a problem of its row, and other rows go on."""
    found = checked(tmp_path, f"sku,prompt\n{'ä' * MOST_IN_CELL},A shoe\nB,A shoe\n")
    (problem,) = found.problems
    assert (problem.code, problem.row) == ("key_too_long", 2)
    assert "over 1,000 characters" in problem.message
    assert found.valid == 1


@pytest.mark.parametrize("template", [None, "{{ text | striphtml }}"])
def test_a_long_text_is_not_worked_on(tmp_path: Path, template: str | None) -> None:
    """Neither a prompt nor what a prompt is made of is longer than any cell."""
    longest, beyond = "x" * LONGEST_TEXT, "<" * (LONGEST_TEXT + 1)
    header = "prompt" if template is None else "text"
    settings = [] if template is None else [f"manifest.prompt_template={template}"]
    found = checked(tmp_path, f"sku,{header}\nA,{longest}\nB,{beyond}\n", *settings)
    said = [one.message for one in found.errors]
    assert len(said) == 1
    assert "32,768 characters" in said[0]
    assert "Shorten it" in said[0]
    assert found.valid == 1


def test_a_long_name_of_a_picture_is_not_looked_for(tmp_path: Path) -> None:
    """Sixty thousand folders in one another are not asked for one by one."""
    found = locate("a/" * 60_000, tmp_path)
    assert isinstance(found, PictureFault)
    assert found.code == "too_long"
    picture = locate("data:image/png;base64," + "A" * 100_000, tmp_path)
    assert isinstance(picture, PictureFault)
    assert picture.code == "base64"


def test_a_table_has_no_more_rows_and_columns_than_a_spreadsheet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lines of nothing but signs are refused before anything is made of them."""
    path = Path("table.csv")
    with pytest.raises(ManifestError, match=r"20,001 cells; a table has at most 16,384 columns"):
        read_text(path, b"a," * 20_000 + b"b\n")
    with pytest.raises(ManifestError, match="column 2 in line 1 has 1,001 characters"):
        read_text(path, b"sku," + b"x" * 1001 + b"\n")
    with pytest.raises(ManifestError, match="more than 1,048,576 rows"):
        read_text(path, b"a,b\n" + b"1,\n" * 1_050_000)
    monkeypatch.setattr(delimited, "_MOST_BYTES", 10)
    with pytest.raises(ManifestError, match="at most 10"):
        read_text(path, b"sku,prompt\n")


def test_headers_are_compared_with_few_names(tmp_path: Path) -> None:
    """Sixteen thousand headers that are nearly right would take minutes to compare."""
    headers = ",".join(f"durashun{at}" for at in range(16_000))
    found = checked(tmp_path, f"sku,prompt,{headers}\nA,A shoe{',' * 16_000}\n")
    assert found.valid == 1
