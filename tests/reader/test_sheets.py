"""Workbooks whose first sheet is not the table: which sheet is read, and how it is said."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.errors import ManifestError
from pipeline.manifest.earlier import FoundOut, found_out
from pipeline.model import Manifest
from pipeline.reader.reading import read
from pipeline.reader.workbook.choosing import Wanted, read_workbook

GUIDE = [["How to fill in this workbook"], ["Write a prompt into each row."]]
SUMMARY = [["Document exported from Numbers.", ""], ["Sheet Name", "Table"], ["Videos", "Table 1"]]
VIDEOS = [["sku", "prompt"], ["MUG-1", "A mug turns"]]
OTHERS = [["sku", "Videotext"], ["MUG-1", "A mug turns"]]


def book(sheets: Mapping[str, Sequence[Sequence[str]]], hidden: Sequence[str] = ()) -> bytes:
    """Make a workbook of these sheets."""
    made = Workbook()
    made.remove(made.worksheets[0])
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


def opened(data: bytes, *, prompts: Sequence[str] = (), new: bool = True) -> Manifest:
    """Read a workbook as `check` does."""
    return read_workbook(Path("m.xlsx"), data, Wanted(prompts=prompts, new=new))


@pytest.mark.parametrize("first", [GUIDE, SUMMARY, [], [["a", ""], ["b", "no header"]]])
def test_the_only_sheet_with_prompts_is_read_and_said(first: list[list[str]]) -> None:
    """Whatever comes first: a guide, a summary, nothing, or what could not be read."""
    manifest = opened(book({"Start here": first, "Videos": VIDEOS, "Prices": [["sku", "price"]]}))
    assert manifest.sheet == "Videos"
    assert [row.cells for row in manifest.rows] == [("MUG-1", "A mug turns")]
    assert found_out(manifest) == FoundOut(sheet="Videos")
    (note,) = manifest.notes
    assert "'Start here' has no prompt column" in note
    assert "'Videos' is read" in note


def test_a_header_of_ones_own_counts() -> None:
    """What the settings call the prompt is looked for in every sheet."""
    assert opened(book({"A": GUIDE, "B": OTHERS}), prompts=["Videotext"]).sheet == "B"


def test_the_first_sheet_with_prompts_stays_the_one() -> None:
    """Other sheets are not even looked at."""
    manifest = opened(book({"Videos": VIDEOS, "Old": VIDEOS}))
    assert (manifest.sheet, manifest.notes, manifest.other_sheets) == ("Videos", (), ("Old",))


@pytest.mark.parametrize(
    ("sheets", "hidden", "new", "offered"),
    [
        ({"A": SUMMARY[1:], "B 1": VIDEOS, "C": VIDEOS}, (), True, ["B 1", "C"]),
        ({"A": SUMMARY[1:], "2026": VIDEOS}, (), False, ["2026"]),
        ({"A": SUMMARY[1:], "B": VIDEOS}, ("B",), True, ["B"]),
    ],
    ids=["several", "run before", "hidden"],
)
def test_otherwise_it_is_offered(
    sheets: Mapping[str, Sequence[Sequence[str]]],
    hidden: Sequence[str],
    new: bool,
    offered: list[str],
) -> None:
    """Several, a manifest that was run before, a hidden sheet: the option can be pasted."""
    manifest = opened(book(sheets, hidden), new=new)
    assert manifest.sheet == "A"
    assert [
        f'manifest.sheet="{name}"' in way for name, way in zip(offered, manifest.hints, strict=True)
    ]
    assert all(("hidden" in way) == bool(hidden) for way in manifest.hints)


def test_offers_stand_in_the_refusal_of_the_first_sheet() -> None:
    """It is not even a table: what would be read instead is said all the same."""
    with pytest.raises(ManifestError) as refused:
        opened(book({"A": [], "B": VIDEOS, "C": VIDEOS}))
    assert "sheet 'A' is empty" in refused.value.message
    assert "--set 'manifest.sheet=\"B\"'" in str(refused.value.action)


def test_messages_about_headers_name_the_sheet(tmp_path: Path) -> None:
    """Where there are several: in refusals of the table and in problems of its columns."""
    path = tmp_path / "m.xlsx"
    path.write_bytes(book({"Videos": [["sku", ""], ["A", "x"]], "Old": GUIDE}))
    with pytest.raises(ManifestError, match="sheet 'Videos': column B has no header"):
        read(path)
    path.write_bytes(book({"Videos": [["sku", "text"], ["A", "x"]], "Old": GUIDE}))
    (problem, *_) = check_manifest(path, Config(), cache_dir=None).file_errors
    assert problem.message.startswith("In sheet 'Videos': The manifest has no prompt column.")


def test_a_sheet_that_was_found_is_kept(tmp_path: Path) -> None:
    """Also when the first one could be read by now; and if it is gone, nothing else is read."""
    path = tmp_path / "m.xlsx"
    path.write_bytes(book({"New": VIDEOS, "Videos": VIDEOS}))
    manifest = read(path, prompts=(), kept=FoundOut(sheet="Videos"))
    assert (manifest.sheet, found_out(manifest)) == ("Videos", FoundOut(sheet="Videos"))
    assert "as in its earlier runs" in manifest.notes[0]
    path.write_bytes(book({"New": VIDEOS}))
    with pytest.raises(ManifestError, match="no sheet 'Videos'"):
        read(path, prompts=(), kept=FoundOut(sheet="Videos"))
