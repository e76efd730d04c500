"""Files that commands wrote are told from tables by how they begin, or by a note of theirs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from pipeline.cli.firstscreen import first_screen
from pipeline.cli.several import COPY, DECISIONS, RESULTS, note_copy, read_copies, what_wrote
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.manifest.wording import quote_name
from pipeline.review.exchange import write_csv

NOW = 1_800_000_000.0


def kind_of(path: Path, copies: object = ()) -> str | None:
    return what_wrote(path, path.read_bytes(), {*copies})  # type: ignore[misc]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_results_are_known_by_their_headers(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """In any separator and encoding in which they are written."""
    path = tmp_path / "möbel fertig.csv"
    path.write_text(delimiter.join(("sku", *RESULT_COLUMNS)) + "\r\nA\r\n", encoding=encoding)
    assert kind_of(path) == RESULTS


def test_decisions_are_known_by_their_headers(tmp_path: Path) -> None:
    """As review --export writes them."""
    path = tmp_path / "judged.csv"
    path.write_text(write_csv("of a journal", ()), encoding="utf-8")
    assert kind_of(path) == DECISIONS


@pytest.mark.parametrize("headers", [("sku", *RESULT_COLUMNS), ("sku", "prompt", "review")])
def test_workbooks_of_results_are_told_from_tables(
    tmp_path: Path, headers: tuple[str, ...]
) -> None:
    """A workbook that was saved by a spreadsheet program has its texts in a part of their own."""
    path = tmp_path / "shop.xlsx"
    workbook = Workbook()
    sheet = workbook.create_sheet("Products", 0)
    sheet.append(headers)
    workbook.save(path)
    assert kind_of(path) == (RESULTS if "result_state" in headers else None)


def test_a_copy_counts_as_ours_until_somebody_saves_it(tmp_path: Path) -> None:
    """From then on it is a table of its own."""
    copy, folder = tmp_path / "cöpy.csv", tmp_path / "outputs"
    copy.write_text("sku,prompt\nA,A mug.\n", encoding="utf-8")
    folder.mkdir()
    note_copy(folder, copy)
    assert kind_of(copy, read_copies(folder)) == COPY
    copy.write_text("sku,prompt\nA,A mug on a table.\n", encoding="utf-8")
    assert kind_of(copy, read_copies(folder)) is None
    note_copy(tmp_path / "gone", copy)
    assert not [*read_copies(tmp_path / "gone")]


@pytest.mark.parametrize("text", ["", "[", "{}", '[["a"]]', "7", '[["a", null, 1]]', "[" * 9000])
def test_notes_that_cannot_be_read_are_none(tmp_path: Path, text: str) -> None:
    """The first screen is shown whatever lies there."""
    (tmp_path / "copies.json").write_text(text, encoding="utf-8")
    assert not [*read_copies(tmp_path)]


@given(st.binary(max_size=60))
def test_any_beginning_can_be_looked_at(start: bytes) -> None:
    """Nothing that a file begins with ends the first screen."""
    what_wrote(Path("nowhere"), start, ())
    what_wrote(Path("nowhere"), b"PK" + start, ())


def test_the_first_screen_counts_them_and_names_the_new_tables_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reelsheet check .` would mean those files too."""
    monkeypatch.chdir(tmp_path)
    for name in ("a b.csv", "c.csv", "copy.csv"):
        Path(name).write_text("sku,prompt\nA,A mug.\n", encoding="utf-8")
    Path("judged.csv").write_text(write_csv("journal", ()), encoding="utf-8")
    out = Path("outputs/shop")
    out.mkdir(parents=True)
    (out / "summary.json").write_text(
        json.dumps(
            {"manifest": "shop.csv", "provider": "toapis", "rows": 0, "states": {}},
        ),
        encoding="utf-8",
    )
    note_copy(out, Path("copy.csv"))
    lines = [*first_screen(os.environ, NOW)]
    assert (
        "  (not listed: 2 files that commands wrote: copies with new prompts, decisions)" in lines
    )
    shown = "\n".join(lines)
    assert f"reelsheet check {quote_name('a b.csv')}" in shown
    assert "reelsheet check c.csv" in shown
    assert "reelsheet check ." not in shown
