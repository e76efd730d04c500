"""Delimited text: every cell as it stands, every fault with its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ManifestError
from pipeline.model import Manifest, TextDialect
from pipeline.reader.reading import read
from pipeline.reader.text.delimited import read_text


def parse(data: bytes | str, name: str = "a.csv", encoding: str | None = None) -> Manifest:
    raw = data.encode() if isinstance(data, str) else data
    return read_text(Path(name), raw, encoding=encoding)


def cells(data: bytes | str, name: str = "a.csv") -> list[tuple[int, tuple[str, ...]]]:
    return [(row.number, row.cells) for row in parse(data, name).rows]


def fault(data: bytes | str, encoding: str | None = None) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        parse(data, encoding=encoding)
    return caught.value


def test_every_cell_stays_the_text_it_is() -> None:
    """Leading zeros, long ids, NA, NULL and 1e5 are not interpreted."""
    row = ("007", "12345678901234567890", "NA", "NULL", "1e5", " x ", "1.0", "")
    assert cells("a,b,c,d,e,f,g,h\n" + ",".join(row) + "\n") == [(2, row)]


def test_rows_are_numbered_by_the_line_they_begin_on() -> None:
    """Quoted line breaks and blank lines count; blank rows are dropped."""
    text = 'id,prompt\n1,"a\n\nb"\n\n,\n2,c\n   \n3,d'
    assert cells(text) == [(2, ("1", "a\n\nb")), (7, ("2", "c")), (9, ("3", "d"))]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    """Comma, semicolon, tab and bar are told apart by the header, whatever the texts hold."""
    text = f"id{delimiter}prompt\n1{delimiter}a mug: red; blue\n".replace("; ", "! ")
    manifest = parse(text)
    assert manifest.headers == ("id", "prompt")
    assert manifest.dialect == TextDialect(delimiter, "utf-8", bom=False, newline="\n")


def test_a_sep_line_counts_as_a_line() -> None:
    """Excel's own first line names the delimiter, and the header is line 2."""
    manifest = parse("sep=;\r\nid;prompt\r\n1;a,b\r\n")
    assert (manifest.header_row, manifest.rows[0].number) == (2, 3)
    assert manifest.rows[0].cells == ("1", "a,b")


def test_any_sign_may_be_stated() -> None:
    """A `sep=` line may name a sign that takes more than one byte."""
    assert parse("sep=§\nid§prompt\n1§a,b\n").rows[0].cells == ("1", "a,b")


def test_blank_lines_before_the_header_count() -> None:
    """The first line that is not blank is the header."""
    manifest = parse("\n,\nid,prompt\n1,x\n")
    assert (manifest.header_row, manifest.rows[0].number) == (3, 4)


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
    ],
)
def test_unicode_is_recognised(encoding: str, mark: bytes, named: str) -> None:
    """UTF-8 and UTF-16 are read with and without a byte order mark, and remembered."""
    manifest = parse(mark + "id;prompt\r\n1;Tasse grün\r\n".encode(encoding))
    assert manifest.rows[0].cells == ("1", "Tasse grün")
    assert manifest.dialect == TextDialect(";", named, bom=bool(mark), newline="\r\n")


@pytest.mark.parametrize("text", ["\ufeff\ufeffid,prompt\n1,x\n", "sep=,\n\ufeffid,prompt\n1,x\n"])
def test_a_second_byte_order_mark_is_no_text(text: str) -> None:
    """A mark written twice, or behind a `sep=` line, does not become part of the first header."""
    assert parse(text).headers == ("id", "prompt")


def test_undecodable_text_names_line_byte_and_setting() -> None:
    """There is no silent latin-1."""
    error = fault(b"id,prompt\n1,ok\n2,caf\xe9\n")
    assert "line 3" in error.message
    assert "0xE9" in error.message
    assert "byte 21" in error.message
    assert "manifest.encoding: cp1252" in str(error.action)


def test_the_configured_encoding_is_used_where_utf8_fails() -> None:
    """UTF-8 wins, then comes the one that was named; an unknown name is said."""
    assert parse(b"id,p\n1,caf\xe9\n", encoding="cp1252").rows[0].cells[1] == "café"
    assert parse("id,p\n1,café\n", encoding="cp1252").rows[0].cells[1] == "café"
    assert "'nonsense'" in fault(b"id,p\n1,caf\xe9\n", encoding="nonsense").message


@pytest.mark.parametrize(("line", "count"), [("1,a, b", 3), ("1", 1)])
def test_a_record_that_does_not_fit_is_named(line: str, count: int) -> None:
    """Cells are never shifted: the line and its count are said."""
    error = fault(f"id,prompt\n0,x\n{line}\n2,y\n")
    assert f"line 3 has {count}" in error.message


def test_several_wrong_records_are_listed() -> None:
    """All of their lines are named at once, a few of them by number."""
    assert "lines 2, 4, 5, 6, 7 and 1 more" in fault("a,b\n1\n1,2\n1\n1\n1\n1\n1\n").message


def test_an_unclosed_quote_is_named_where_it_opens() -> None:
    """Not at the end of the file, and not at the record's first line."""
    assert "line 4 is never closed" in fault('a,b,c\n1,2,3\n"x\ny","open,5\n6,7,8\n').message


def test_a_quote_closed_inside_of_a_cell_is_named() -> None:
    """An unclosed quote that swallows the lines up to the next quote is found."""
    message = fault('a,b\n1,"2\n3,4\n5,"6"\n').message
    assert "opens in line 2" in message
    assert "line 4" in message


def test_nul_bytes_are_refused() -> None:
    """A NUL is damage, with its line."""
    assert "line 3" in fault(b"a,b\n1,2\n3,x\0y\n").message


def test_doubled_headers_are_refused() -> None:
    """Spaces and capitals do not make another header; both columns are named."""
    error = fault("prompt,id, Prompt \nx,1,y\n")
    assert "column 3" in error.message
    assert "column 1" in error.message


def test_headers_are_kept_as_written() -> None:
    """Padding is not removed from what the results show."""
    assert parse(" prompt ,ID\nx,1\n").headers == (" prompt ", "ID")


def test_empty_headers_pass_over_empty_columns_only() -> None:
    """Trailing ones are dropped, inner ones kept; a filled column without a header is named."""
    assert parse("a,,b,,\n1,,2,,\n").headers == ("a", "", "b")
    error = fault("a,,b\n1,,2\n3,x,4\n")
    assert "column 2" in error.message
    assert "line 3" in error.message


def test_a_header_alone_is_a_manifest_without_rows() -> None:
    """Nothing to do is no fault."""
    assert parse("id,prompt\n").rows == ()


def test_text_without_a_header_is_said_to_be_empty() -> None:
    """An empty file has its own sentence."""
    for text in ("\n \n", ",,\n,\n", '""\n', "sep=;\n", "\ufeff\ufeff"):
        assert "is empty" in fault(text).message


def test_only_our_results_lose_their_guards() -> None:
    """A leading apostrophe is ours where `result_state` is a column, and the user's elsewhere."""
    guarded = "p,{}\n'=1,x\n''tis,x\n'tis,x\n"
    ours = [row.cells[0] for row in parse(guarded.format("result_state")).rows]
    theirs = [row.cells[0] for row in parse(guarded.format("other")).rows]
    assert ours == ["=1", "'tis", "'tis"]
    assert theirs == ["'=1", "''tis", "'tis"]


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    """The public function reads a CSV by its path."""
    path = tmp_path / "a.tsv"
    path.write_bytes(b"id\tprompt\n1\ta, b\n")
    manifest = read(path)
    assert (manifest.path, manifest.sheet) == (path, None)
    assert manifest.rows[0].cells == ("1", "a, b")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(st.text(alphabet='ab ,;"\n\r\té', max_size=6), min_size=3, max_size=3), max_size=6
    ),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_was_written_is_read(rows: list[list[str]], delimiter: str) -> None:
    """Any cells survive, whatever signs and line breaks are in them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([["key", "prompt", "note"], *rows])
    read_back = [row.cells for row in parse(out.getvalue()).rows]
    assert read_back == [tuple(row) for row in rows if any(cell.strip() for cell in row)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Template=x\tUse\t\nSKU\tName\tURL\nitem_sku\titem_name\tmain_url\nA\tMug\thttps://a.b/c\n",
         "Line 3 looks like the headers (item_sku, item_name"),
        ("Group,,Pictures\nsku,prompt,image_1\nA,x,\n", "Line 2 looks like the headers (sku"),
    ],
)  # fmt: skip
def test_templates_with_several_lines_of_headers(text: str, says: str) -> None:
    """The line that looks like the headers is named, and what to delete above it."""
    error = fault(text.encode())
    assert "has no header in line 1" in error.message
    assert says in str(error.action)
    assert "delete line" in str(error.action)
    known = read_text(Path("m.csv"), b"Nr,Was\nitem_sku,item_name\nA,b\n")
    assert known.hints == ("Line 2 looks like the headers (item_sku, item_name): delete line 1.",)
