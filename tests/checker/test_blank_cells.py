"""A text of invisible characters is blank as a prompt, key, header, spelling and path."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.loading import load
from pipeline.errors import ManifestError

BLANKS = {
    "direction mark": "\u200e",
    "isolate": "\u2066",
    "variation selector": "\ufe0f",
    "Hangul filler": "\u3164",
    "halfwidth filler": "\uffa0",
    "Braille without dots": "\u2800",
    "grapheme joiner": "\u034f",
    "Mongolian separator": "\u180e",
    "soft hyphen": "\u00ad",
    "no-break space": "\u00a0",
    "zero width": "\u200b",
    "byte order mark": "\ufeff",
    "tag": "\U000e0020",
    "unassigned": "\U000e0fff",
    "several": " \u200e\u2800\u3164\u200d\ufe0f ",
}
anyhow = pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS.keys())
SUFFIXES = pytest.mark.parametrize("suffix", [".csv", ".xlsx"])


def _check(folder: Path, rows: list[list[str]], suffix: str, *settings: str) -> CheckedManifest:
    path = folder / f"shop{suffix}"
    if suffix == ".csv":
        path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    else:
        book = Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(path)
    return check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)


def _codes(checked: CheckedManifest) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.code) for problem in checked.problems]


@SUFFIXES
@anyhow
def test_a_blank_prompt_is_a_problem(blank: str, suffix: str, tmp_path: Path) -> None:
    """It is never sent."""
    checked = _check(tmp_path, [["sku", "prompt"], ["1", blank], ["2", "a mug"]], suffix)
    assert _codes(checked) == [(2, "prompt_empty")]
    assert [draft.prompt for draft in checked.drafts.values()] == ["a mug"]


@anyhow
def test_a_blank_prompt_is_made_by_the_template(blank: str, tmp_path: Path) -> None:
    """As an empty one is; and a template whose text is blank makes none."""
    rows = [["sku", "prompt", "title"], ["1", blank, "Red mug"], ["2", "", blank]]
    template = "manifest.prompt_template={{ title | default('" + blank + "') }}"
    checked = _check(tmp_path, rows, ".csv", template)
    assert _codes(checked) == [(3, "prompt_empty")]
    assert checked.drafts[2].prompt == "Red mug"


@SUFFIXES
@anyhow
def test_a_blank_key_is_a_problem(blank: str, suffix: str, tmp_path: Path) -> None:
    """Two of them are not one key twice."""
    rows = [["sku", "prompt"], [blank, "a mug"], [blank, "a lamp"], ["3", "a bag"]]
    assert _codes(_check(tmp_path, rows, suffix)) == [(2, "key_empty"), (3, "key_empty")]


@anyhow
@pytest.mark.parametrize(
    "column",
    ["duration", "aspect_ratio", "resolution", "image_1", "image_2", "image_3", "images"],
)
def test_a_blank_optional_cell_is_an_empty_one(blank: str, column: str, tmp_path: Path) -> None:
    """The default counts, and no picture is named."""
    checked = _check(tmp_path, [["sku", "prompt", column], ["1", "a mug", blank]], ".csv")
    empty = _check(tmp_path, [["sku", "prompt", column], ["1", "a mug", ""]], ".csv")
    assert not checked.problems
    assert checked.requests == empty.requests


@anyhow
def test_a_blank_path_names_no_picture(blank: str, tmp_path: Path) -> None:
    """Between the signs of a list and inside of quotes, too."""
    (tmp_path / "a.txt").touch()
    for cell in (f"{blank}|{blank}", f"|{blank}|"):
        checked = _check(tmp_path, [["sku", "prompt", "images"], ["1", "a mug", cell]], ".csv")
        assert not checked.problems
    checked = _check(tmp_path, [["sku", "prompt", "image"], ["1", "a mug", f"'{blank}'"]], ".csv")
    assert _codes(checked) == [(2, "picture_empty")]


@SUFFIXES
@anyhow
def test_a_blank_header_is_an_empty_one(blank: str, suffix: str, tmp_path: Path) -> None:
    """Without cells under it the column is as if it were not there; with some it is refused."""
    rows = [["sku", "prompt", blank], ["1", "a mug", ""]]
    checked = _check(tmp_path, rows, suffix)
    assert not checked.problems
    assert checked.manifest.headers == ("sku", "prompt")
    rows[1][2] = "5"
    with pytest.raises(ManifestError, match="has no header"):
        _check(tmp_path, rows, suffix)


@SUFFIXES
@anyhow
def test_a_row_of_blanks_is_no_row(blank: str, suffix: str, tmp_path: Path) -> None:
    """Above the headers, between the rows and at their end."""
    rows = [[blank, ""], ["sku", "prompt"], [blank, blank], ["1", "a mug"], ["", blank]]
    checked = _check(tmp_path, rows, suffix)
    assert not checked.problems
    assert [row.number for row in checked.manifest.rows] == [4]


@anyhow
def test_nothing_is_taken_out_of_other_texts(blank: str, tmp_path: Path) -> None:
    """Beside something that can be seen, invisible characters are sent as they are."""
    checked = _check(tmp_path, [["sku", "prompt"], ["1", f"a{blank}b"]], ".csv")
    assert checked.drafts[2].prompt == f"a{blank}b"
