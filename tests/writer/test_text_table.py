"""Text manifests: written as they were, safe to open, and read back to the last character."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.plaintext import unguard
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import State, TextDialect
from pipeline.writer.layout import Result
from pipeline.writer.results import write_results
from pipeline.writer.summary import SUMMARY_KEYS, write_summary
from pipeline.writer.text_table import write_text
from tests.writer.tables import manifest, results, summary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UTF8 = TextDialect(",", "utf-8", bom=False)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def written(headers: Sequence[str], rows: list[list[str]], dialect: TextDialect = UTF8) -> bytes:
    file = io.BytesIO()
    write_text(file, dialect, headers, rows)
    return file.getvalue()


@given(
    st.lists(st.lists(texts, min_size=3, max_size=3), max_size=5),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-16-le", "utf-32-be", "utf-8-sig"]),
)
def test_every_text_survives(
    rows: list[list[str]], delimiter: str, newline: str, encoding: str
) -> None:
    """Write, read with the csv module, take the guard off: every cell is what it was."""
    dialect = TextDialect(delimiter, encoding, bom=False, newline=newline)
    text = written(["a", "b", "c"], rows, dialect).decode(encoding)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    assert [[unguard(cell) for cell in line] for line in table] == [["a", "b", "c"], *rows]


def test_no_nul_is_written() -> None:
    """Readers of text tables stop at one; the cells keep their limits all the same."""
    data = written(["a\0", "b", "c"], [["\0=1", "x\0,y", 'say "\0"'], ["=\0", "+5\0", ""]])
    table = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert table == [["a?", "b", "c"], ["?=1", "x?,y", 'say "?"'], ["'=?", "'+5?", ""]]


@given(st.lists(texts, min_size=1, max_size=4))
def test_no_cell_starts_a_formula(cells: list[str]) -> None:
    """Whatever is in a cell, a spreadsheet program takes it for text."""
    data = written(["x"] * len(cells), [cells]).decode()
    line = list(csv.reader(io.StringIO(data, newline="")))[1]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)


@pytest.mark.parametrize(
    ("dialect", "start"),
    [
        (TextDialect(";", "utf-8", bom=True, newline="\r\n"), b"\xef\xbb\xbfsku;"),
        (TextDialect("\t", "utf-16-le", bom=True), "\ufeffsku\t".encode("utf-16-le")),
        (TextDialect(",", "cp1252", bom=False), b"sku,"),
    ],
)
def test_the_file_is_written_like_the_manifest(
    tmp_path: Path, dialect: TextDialect, start: bytes
) -> None:
    """Suffix, delimiter, encoding, line ends, and a BOM only where there was one."""
    rows = {2: ("1", "größe"), 5: ("2", "é")}
    table = manifest(tmp_path / "p.txt", ("sku", "prompt"), rows, dialect=dialect)
    found = write_results(table, results(table), tmp_path)
    assert found.path == tmp_path / "results.txt"
    assert found.notes == ()
    data = found.path.read_bytes()
    assert data.startswith(start)
    lines = data.decode(dialect.encoding).removeprefix("\ufeff").split(dialect.newline)
    assert len(lines) == 4  # the blank lines of the manifest are left out
    assert lines[0].split(dialect.delimiter) == ["sku", "prompt", *RESULT_COLUMNS]
    assert lines[2].split(dialect.delimiter)[:4] == ["2", "é", "done", "videos/5.mp4"]


def test_result_columns_are_refreshed_in_place(tmp_path: Path) -> None:
    """A results file as manifest: its columns are written over, missing ones added on the right."""
    headers = ("result_video", "sku", " Result_State")
    table = manifest(tmp_path / "p.csv", headers, {2: ("old", "1", "failed")}, dialect=UTF8)
    frame = pd.read_csv(write_results(table, results(table), tmp_path).path, dtype=str)
    rest = [name for name in RESULT_COLUMNS if name not in {"result_video", "result_state"}]
    assert list(frame.columns) == [*headers, *rest]
    assert frame.iloc[0, :3].tolist() == ["videos/2.mp4", "1", "done"]


def test_what_the_encoding_lacks_is_said(tmp_path: Path) -> None:
    """A message in Chinese in a cp1252 file: readable marks, and a note how to keep the text."""
    dialect = TextDialect(",", "cp1252", bom=False)
    table = manifest(tmp_path / "p.csv", ("sku",), {2: ("é",)}, dialect=dialect)
    row = Result(2, State.FAILED, error="失败")
    found = write_results(table, [row], tmp_path)
    assert found.path.read_bytes().decode("cp1252").splitlines()[1].startswith("é,failed,,??,")
    assert "2 characters that cp1252 does not have became `?`" in found.notes[0]


def test_half_a_character_does_not_stop_the_writing(tmp_path: Path) -> None:
    """A lone surrogate and a NUL become question marks."""
    table = manifest(tmp_path / "p.csv", ("sku",), {2: ("a\ud800b\0c",)}, dialect=UTF8)
    found = write_results(table, results(table), tmp_path)
    assert found.path.read_bytes().splitlines()[1].startswith(b"a?b?c,done")
    assert "broken" in found.notes[0]


def test_summary_has_its_keys_in_order(tmp_path: Path) -> None:
    """summary.json is the document that the design promises to machines."""
    found = write_summary(summary(stopped_by="budget.videos", manifest="p\udcff.csv"), tmp_path)
    record = json.loads(found.read_text("utf-8"))
    assert tuple(record) == SUMMARY_KEYS
    assert record["schema"] == 1
    assert record["states"] == {"done": 2, "failed": 1}
    assert record["stopped_by"] == "budget.videos"
