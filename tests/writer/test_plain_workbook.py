"""Formats that cannot be copied, files that are damaged or gone, and the rows that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import State, TextDialect
from pipeline.reader.reading import read
from pipeline.writer.failed import write_failed
from pipeline.writer.layout import Result
from pipeline.writer.results import write_results
from tests.writer.tables import HEADERS, manifest, opened, results, summary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["p.xls", "p.ods"])
def test_other_formats_give_a_plain_workbook(tmp_path: Path, name: str) -> None:
    """All columns, all rows at their place, links and Summary; a note says what is lost."""
    path = tmp_path / name
    path.write_bytes(b"no zip at all")
    table = manifest(path, sheet="Spring/Summer: all")
    written = write_results(table, results(table), tmp_path, summary=summary())
    assert written.path.name == "results.xlsx"
    (note,) = written.notes
    assert f"formulas, pictures, macros and other sheets of {name} are not in results.xlsx" in note
    assert f"still in {name}, which is never changed" in note
    book = opened(written.path)
    assert book.sheetnames == ["Spring_Summer_ all", "Summary"]
    sheet = book["Spring_Summer_ all"]
    assert [cell.value for cell in sheet[1]] == [*HEADERS, *RESULT_COLUMNS]
    assert [sheet.cell(row, 5).value for row in (2, 3, 4, 5)] == ["done", "done", None, "done"]
    assert sheet["F2"].value == '=HYPERLINK("videos/2.mp4","videos/2.mp4")'
    assert sheet.freeze_panes == "A2"


NUMBERS = {
    "price": ("42", "-4.5", "", "n/a", "0", "99999999999", "0.333333333333333"),
    "code": ("42", "007", "1", "2", "3", "4", "5"),
    "ean": ("40063813", "4006381333931", "1", "2", "3", "4", "5"),
    "cents": ("4.50", "4.75", "1", "2", "3", "4", "5"),
    "odd": ("1", "+2", "-0", ".5", "1e3", "0.00001", "1.0000000000000001"),
    "launch": ("2026-01-01", "9:16", "TRUE", "1", "2", "3", "4"),
    "name": ("A-1", "12", "1", "2", "3", "4", "5"),
    "SKU": ("1", "2", "3", "4", "5", "6", "7"),
    "=1+1": ("=1+1", "-", "x", "", "", "", ""),
}


def test_numbers_are_numbers_where_nothing_changes(tmp_path: Path) -> None:
    """So that they add up; what would look otherwise, half a column and every key stay texts."""
    path = tmp_path / "p.ods"
    path.write_bytes(b"no zip at all")
    rows = dict(enumerate(zip(*NUMBERS.values(), strict=True), start=2))
    table = manifest(path, tuple(NUMBERS), rows)
    failed = write_failed(table, results(table, State.FAILED), tmp_path)
    assert failed is not None
    for found in (write_results(table, results(table), tmp_path).path, failed):
        sheet = opened(found)["Products"]
        columns = list(sheet.iter_cols(min_row=2, max_col=len(NUMBERS), values_only=True))
        assert columns[0] == (42, -4.5, None, "n/a", 0, 99999999999, 0.333333333333333)
        assert columns[1:] == [tuple(c or None for c in column) for column in texts_of_others()]
        assert {cell.data_type for row in sheet["B2:I8"] for cell in row if cell.value} == {"s"}
        again = read(found)
        assert [row.cells[: len(NUMBERS)] for row in again.rows] == list(rows.values())


def texts_of_others() -> list[tuple[str, ...]]:
    """The columns that hold texts."""
    return [column for name, column in NUMBERS.items() if name != "price"]


def test_the_keys_that_failed_rows_bring_are_texts(tmp_path: Path) -> None:
    """A key that looks like a number is no amount; the other columns look as all rows do."""
    rows = {2: ("6", "007"), 3: ("7", "8"), 4: ("10", "9")}
    table = manifest(tmp_path / "p.xlsx", ("duration", "code"), rows)
    states = (State.DONE, State.FAILED, State.DONE)
    found = write_failed(table, results(table, *states), tmp_path, keys=("1", "2", "3"))
    assert found is not None
    assert next(opened(found)["Products"].iter_rows(min_row=2, max_col=3, values_only=True)) == (
        "2",
        7,
        "8",
    )


def test_the_note_names_the_file_as_it_was_placed(tmp_path: Path) -> None:
    """The results of failed rows have a name of their own."""
    path = tmp_path / "failed.xls"
    path.write_bytes(b"no zip at all")
    table = manifest(path)
    (note,) = write_results(table, results(table), tmp_path, stem="failed-results").notes
    assert "not in failed-results.xlsx" in note


def test_the_summary_shows_the_money(tmp_path: Path) -> None:
    """What the run spent and what the account held stand there as numbers, where they are known."""
    table = manifest(tmp_path / "p.xlsx")
    money = summary(spend=(12.34, "EUR"), balance_before=20.5, balance_after=-1.0)
    written = write_results(table, results(table), tmp_path / "out", summary=money)
    rows = opened(written.path)["Summary"].iter_rows(values_only=True)
    said = {row[0]: row[1] for row in rows}
    assert said["spent in this run, EUR"] == 12.34
    assert (said["balance before"], said["balance after"]) == (20.5, -1)
    without = write_results(table, results(table), tmp_path / "without", summary=summary())
    names = [cell.value for cell in opened(without.path)["Summary"]["A"]]
    assert not any("balance" in str(name) or "spent" in str(name) for name in names)


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 torn", b""])
def test_a_manifest_that_is_gone_or_torn_loses_no_result(
    tmp_path: Path, content: bytes | None
) -> None:
    """The user's file was moved or damaged overnight: the results are written all the same."""
    path = tmp_path / "p.xlsx"
    if content is not None:
        path.write_bytes(content)
    table = manifest(path)
    written = write_results(table, results(table), tmp_path / "out")
    assert "could not be copied" in written.notes[0]
    assert opened(written.path)["Products"]["E5"].value == "done"


def test_results_that_do_not_fit_the_rows_are_refused(tmp_path: Path) -> None:
    """Nothing is written when a result might land on another product's row."""
    table = manifest(tmp_path / "p.xlsx")
    with pytest.raises(ValueError, match="one to one"):
        write_results(table, results(table)[::-1], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_failed_workbook_holds_only_rows_that_need_the_user(tmp_path: Path) -> None:
    """Their own columns as text, with state, error and action, ready to be corrected."""
    path = tmp_path / "p.xlsx"
    states = (State.DONE, State.FAILED, State.IN_DOUBT, State.INVALID)
    table = manifest(path, ("sku", "result_error"), {n: (f"={n}", "old") for n in range(2, 6)})
    found = write_failed(table, results(table, *states), tmp_path)
    assert found == tmp_path / "failed.xlsx"
    rows = list(opened(found)["Products"].iter_rows(values_only=True))
    assert rows == [
        ("sku", "result_state", "result_error", "result_action"),
        ("=3", "failed", "=1+1", None),
        ("=5", "invalid", None, None),
    ]
    assert opened(found, data_only=True)["Products"]["A2"].value == "=3"


def test_failed_text_is_written_like_the_manifest(tmp_path: Path) -> None:
    """Delimiter and suffix are the manifest's; cells cannot run in a spreadsheet."""
    dialect = TextDialect(";", "utf-8", bom=True, newline="\r\n")
    table = manifest(tmp_path / "p.TSV", ("sku",), {2: ("=1",)}, dialect=dialect)
    row = Result(2, State.REFUSED, error="no; never", action="shorten it")
    found = write_failed(table, [row], tmp_path)
    assert found == tmp_path / "failed.tsv"
    assert found.read_bytes().decode("utf-8-sig") == (
        'sku;result_state;result_error;result_action\r\n\'=1;refused;"no; never";shorten it\r\n'
    )


def test_a_stale_failed_file_goes_away(tmp_path: Path) -> None:
    """When nothing needs the user any more, no file says so."""
    table = manifest(tmp_path / "p.xlsx")
    assert write_failed(table, results(table, State.EXPIRED), tmp_path) is not None
    assert write_failed(table, results(table), tmp_path) is None
    assert not (tmp_path / "failed.xlsx").exists()
