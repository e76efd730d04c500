"""A results file is a manifest again: the reader finds in it what the manifest had."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import State, TextDialect
from pipeline.reader.reading import read
from pipeline.writer.failed import write_failed
from pipeline.writer.results import write_results
from tests.writer.tables import HEADERS, manifest, parts, repack, results, rich_workbook, summary

TYPES = "[Content_Types].xml"
STATES = (State.DONE, State.FAILED, State.INVALID)
letters = st.characters(codec="utf-8", exclude_characters="\0")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(letters), st.text(letters)), min_size=1, max_size=4))
def test_text_cells_come_back_as_they_were(cells: list[tuple[str, str]]) -> None:
    """Whatever the user's cells hold, a results file read as manifest holds the same."""
    dialect = TextDialect(",", "utf-8", bom=False)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "p.csv"
        rows = {n: ("k", *pair) for n, pair in enumerate(cells, start=2)}
        table = manifest(path, ("sku", "=a", "b"), rows, dialect=dialect)
        again = read(write_results(table, results(table, *STATES), Path(folder)).path)
    assert again.headers == ("sku", "=a", "b", *RESULT_COLUMNS)
    assert [row.cells[:3] for row in again.rows] == list(rows.values())


def _numbers() -> st.SearchStrategy[str]:
    """What looks like a number, as people and programs write it."""
    return st.one_of(
        st.integers().map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(str),
        st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
        st.from_regex(r"-?[0-9]{0,12}\.?[0-9]{0,12}", fullmatch=True),
        st.sampled_from(["", "007", "+1", "-0", "1e5", "4.50", ".5", "16:9", "1,5", "TRUE", "n/a"]),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_numbers(), _numbers()), min_size=1, max_size=4))
def test_numbers_of_a_new_workbook_come_back_as_they_were(cells: list[tuple[str, str]]) -> None:
    """A number in the results of an .ods, and in failed.xlsx, is read as the text it was."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "p.ods"
        path.write_bytes(b"no zip at all")
        rows = {n: ("k", *pair) for n, pair in enumerate(cells, start=2)}
        table = manifest(path, ("sku", "a", "b"), rows)
        failed = write_failed(table, results(table, State.FAILED), Path(folder))
        assert failed is not None
        for found in (write_results(table, results(table), Path(folder)).path, failed):
            assert [row.cells[:3] for row in read(found).rows] == list(rows.values())


def test_a_workbook_comes_back_with_its_results(tmp_path: Path) -> None:
    """Read, write, read, write: rows keep their numbers and cells, results are renewed."""
    rich_workbook(tmp_path / "p.xlsx")
    _calculated(tmp_path / "p.xlsx", "xl/worksheets/sheet1.xml")
    first = read(tmp_path / "p.xlsx")
    assert first.headers[:4] == HEADERS
    path = write_results(first, results(first), tmp_path / "1", summary=summary()).path
    second = read(path)
    assert [row.number for row in second.rows] == [row.number for row in first.rows]
    assert [row.cells[:4] for row in second.rows] == [row.cells[:4] for row in first.rows]
    assert second.rows[0].cells[4:6] == ("done", "videos/2.mp4")
    path = write_results(second, results(second, *STATES), tmp_path / "2").path
    third = read(path)
    assert third.headers == second.headers
    assert [row.cells[4] for row in third.rows] == [state.value for state in STATES]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_the_failed_rows_can_be_run(tmp_path: Path, suffix: str) -> None:
    """The failed file is read as a manifest with the user's texts unchanged."""
    dialect = TextDialect(",", "utf-8", bom=False) if suffix == ".csv" else None
    rows = {n: (f"-{n}", "'quoted") for n in (2, 3, 4)}
    table = manifest(tmp_path / f"p{suffix}", ("sku", "prompt"), rows, dialect=dialect)
    found = write_failed(table, results(table, *STATES), tmp_path)
    assert found is not None
    assert [row.cells[:2] for row in read(found).rows] == [rows[3], rows[4]]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_file_with_a_sep_line_keeps_it(tmp_path: Path, delimiter: str) -> None:
    """Excel's own first line, which names the delimiter, is in the results too."""
    path = tmp_path / "p.csv"
    text = f"\ufeffsep={delimiter}\r\nsku{delimiter}prompt\r\nA{delimiter}x\r\n"
    path.write_bytes(text.encode())
    first = read(path)
    written = write_results(first, results(first), tmp_path / "out").path
    assert written.read_bytes().startswith(text.encode()[:-7])
    second = read(written)
    assert second.dialect == first.dialect
    assert [row.number for row in second.rows] == [3]


def test_failed_rows_bring_the_keys_that_their_manifest_lacks(tmp_path: Path) -> None:
    """Without a key column the keys come first, so that a corrected row is known again."""
    dialect = TextDialect(",", "utf-8", bom=False)
    rows = {n: (f"p{n}",) for n in (2, 3, 4)}
    table = manifest(tmp_path / "p.csv", ("prompt",), rows, dialect=dialect)
    found = write_failed(table, results(table, *STATES), tmp_path, keys=("k2", "k3", "k4"))
    assert found is not None
    again = read(found)
    assert again.headers[:2] == ("key", "prompt")
    assert [row.cells[:2] for row in again.rows] == [("k3", "p3"), ("k4", "p4")]


def _calculated(path: Path, sheet: str) -> None:
    """Give every formula of the workbook a cached value, as Excel does."""
    data = parts(path)[sheet]
    repack(path, {sheet: data.replace(b"<v />", b"<v>6</v>").replace(b"<v></v>", b"<v>6</v>")})


@pytest.mark.parametrize(
    "spelled",
    [str.upper, lambda name: name.replace("/", "\\"), lambda name: f"/{name}"],
    ids=["capitals", "backslashes", "from the root"],
)
def test_parts_under_other_names_are_found(tmp_path: Path, spelled: Callable[[str], str]) -> None:
    """As other programs write them: the results are a copy, with each part in it once."""
    path = tmp_path / "products.xlsx"
    rich_workbook(path)
    usual = parts(path)
    # As a template, so that its list of types has to be changed as well.
    usual[TYPES] = usual[TYPES].replace(b"sheet.main+xml", b"template.main+xml")
    other = {spelled(name): data for name, data in usual.items()}
    repack(path, other, without=usual.keys() - other.keys())
    for _ in range(2):
        table = read(path, sheet="Products")
        written = write_results(table, results(table), tmp_path, summary=summary())
        assert written.notes == ()
        path = written.path
        types = {name.lower(): data for name, data in parts(path).items()}[TYPES.lower()]
        assert b"sheet.main+xml" in types
        assert b"template.main+xml" not in types
        with zipfile.ZipFile(path) as package:
            names = [name.lower() for name in package.namelist()]
        assert len(names) == len(set(names))
        assert not [name for name in names if "\\" in name or name.startswith("/")]
        assert sorted(names) == sorted([*map(str.lower, usual), "xl/worksheets/sheet3.xml"])
        found = read(path, sheet="Products")
        assert found.headers == (*HEADERS, *RESULT_COLUMNS)
        assert [row.cells[:2] for row in found.rows] == [row.cells[:2] for row in table.rows]
