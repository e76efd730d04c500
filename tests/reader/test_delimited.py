"""Records of a text: their cells by column, the line of each, and what does not fit."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ManifestError
from pipeline.reader.table import Table
from pipeline.reader.text import delimited

PATH = Path("night.csv")
ENDS = ("\n", "\r\n", "\r")
PIECES = ("a", "é", "日", " ", ",", '"', "\u2028", "\x0b", *ENDS)
# More than become columns at once.
MANY = 2500


def _table(text: str, first_line: int = 1) -> Table:
    return delimited._table_of(PATH, text.encode(), ",", first_line, many=False)


def _cells() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


@given(st.lists(st.tuples(_cells(), _cells()), max_size=12), st.sampled_from(ENDS))
def test_each_record_has_its_cells_and_its_line(rows: list[tuple[str, str]], end: str) -> None:
    r"""Only `\n`, `\r\n` and a lone `\r` are line breaks, within cells as between records."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerow(("key", "prompt"))
    starts = []
    for row in rows:
        starts.append(1 + len(re.findall(r"\r\n|\n|\r", out.getvalue())))
        writer.writerow(row)
    found = _table(out.getvalue())
    assert (found.header_row, found.header, found.numbers) == (1, ["key", "prompt"], starts)
    assert list(zip(*found.columns, strict=True)) == rows


@pytest.mark.parametrize("end", ENDS)
def test_blank_lines_count_whatever_ends_them(end: str) -> None:
    """They stand before the header and between records, and no record is lost with them."""
    text = end.join(["", "a,b", "", '"1",2', "", "", "3,4"])
    found = _table(text)
    assert (found.header_row, found.numbers, found.columns) == (2, [4, 7], [["1", "3"], ["2", "4"]])


def test_many_records_are_all_there() -> None:
    """Records keep their order and their lines, blank ones among them."""
    text = "a,b\n" + "".join(f'{n},"x\n{n}"\n\n' for n in range(MANY))
    found = _table(text)
    assert found.columns == [[str(n) for n in range(MANY)], [f"x\n{n}" for n in range(MANY)]]
    assert found.numbers == [2 + 3 * n for n in range(MANY)]


def test_equal_cells_are_one_string() -> None:
    """A column that says the same over and over takes the memory of a list."""
    found = _table("a,b\n" + "same,text\n" * 500)
    assert len(set(map(id, found.columns[0]))) == 1


@pytest.mark.parametrize("first_line", [1, 2])
def test_lines_that_do_not_fit_are_named(first_line: int) -> None:
    """They have the numbers that they have in the file, however far apart."""
    text = 'a,b\n"1\n2",3\n4\n' + "5,6\n" * MANY + "7,8,9\n"
    with pytest.raises(ManifestError) as caught:
        _table(text, first_line)
    line = first_line + 3
    assert f"line {line} has 1 (lines {line} and {line + MANY + 1} do" in caught.value.message


def test_a_broken_quote_is_named_before_lines_that_do_not_fit() -> None:
    """It may be why they do not fit; it is found far down, too."""
    with pytest.raises(ManifestError, match=f"opens in line {MANY + 3} is never closed"):
        _table("a,b\n1\n" + "5,6\n" * MANY + '"7,8\n')


def test_a_cell_that_is_too_long_is_named() -> None:
    """The csv module's limit is a sentence, not a failure; a cell just below it is read."""
    longest = "x" * csv.field_size_limit()
    assert _table(f"a,b\n1,{longest}\n").columns[1] == [longest]
    with pytest.raises(ManifestError, match="line 3 is longer than 131,072 characters"):
        _table(f"a,b\n1,2\n3,{longest}x\n")


def test_a_row_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one long line nor a row of many lines: all of it would be one call of a library."""
    monkeypatch.setattr(delimited, "_LONGEST_RECORD", 1000)
    for row in ("," * 1001, '"\n",' * 334, "a," * 501):
        with pytest.raises(ManifestError, match=r"a row of more than 1,000 characters"):
            _table(f"a,b\n1,2\n{row}\n")
    many = "1,2\n" * 1000
    assert len(_table(f"a,b\n{many}").numbers) == 1000


@pytest.mark.parametrize("line", ["1,2\n", "\n", ",\n", " \r", "1,2,3\n"])
def test_lines_of_any_kind_are_counted(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank ones and those that do not fit as well: a hundred million of them took minutes."""
    monkeypatch.setattr(delimited, "_MOST_ROWS", 3000)
    with pytest.raises(ManifestError, match="more than 3,000 rows"):
        _table(f"a,b\n{line * 3001}")


def test_blank_lines_before_the_header_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text of them alone was read to its end before it was said to be empty."""
    monkeypatch.setattr(delimited, "_MOST_ROWS", 3000)
    with pytest.raises(ManifestError, match="more than 3,000 rows"):
        _table("\n" * 3003)
    assert _table("\n" * 2999 + "a\n").header == ["a"]
