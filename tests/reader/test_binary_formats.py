"""Workbooks of Excel 97 to 2003: read as another engine reads them, and more is seen."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from pipeline.errors import ManifestError
from pipeline.model import Manifest
from pipeline.reader.workbook.formats import text_of
from pipeline.reader.workbook.opening import read_workbook
from tests.corpus import biffbooks
from tests.corpus.sheet import Formula, Number, Sheet, Value
from tests.corpus.workbooks import compound

VALUES = st.one_of(
    st.text(
        st.characters(codec="utf-16", exclude_characters="\0\ufeff\ufffe"), min_size=1, max_size=40
    ),
    st.booleans(),
    st.integers(-(10**14), 10**14).map(float),
    st.floats(-1e14, 1e14, allow_nan=False).map(lambda number: round(number, 6)),
    st.sampled_from(["ÄÖÜ", "红色的鞋子", "😀 shoe", "x" * 9000, "line\nbreak"]),
)
EMPTY_TABLE = biffbooks.text_records(0xFC, struct.pack("<II", 0, 0), [])
# Each with numbers that it shows as a moment or as a span.
TIMES = [
    Number(value, code)
    for code in ("yyyy-mm-dd", "d/m/yyyy h:mm", "[h]:mm:ss", '"am" d. mmmm', "[$-407]d. mmm yy")
    for value in (0.25, 0.672916666666667, 1.5, 59.5, 61.25, 45_000.75)
]


def parse(data: bytes, name: str, hidden: str | None = None) -> Manifest:
    return read_workbook(Path(name), data, hidden_rows=hidden)


def other_engine(data: bytes) -> list[list[str]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[text_of(value) for value in row] for row in rows]


def texts(data: bytes, name: str) -> list[list[str]]:
    manifest = parse(data, name)
    return [list(manifest.headers), *(list(row.cells) for row in manifest.rows)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=8))
def test_values_are_those_of_another_engine(rows: list[list[Value]]) -> None:
    """Texts, numbers and truth values are what calamine finds in the same bytes."""
    table: list[list[Value]] = [["sku", "prompt", "note"]]
    table += [[f"k{at}", *row[1:]] for at, row in enumerate(rows)]
    data = biffbooks.xls(Sheet(table))
    found = texts(data, "a.xls")
    expected = other_engine(data)
    blank = [["" if not cell.strip() else cell for cell in row] for row in expected]
    assert found == blank


@pytest.mark.parametrize("since_1904", [False, True])
def test_times_are_those_of_another_engine(since_1904: bool) -> None:
    """Days since 1900, or 1904, are the dates and times that their formats show."""
    table: list[list[Value]] = [["h"]]
    table += [[time] for time in TIMES]
    data = biffbooks.xls(Sheet(table), since_1904=since_1904)
    assert texts(data, "a.xls") == other_engine(data)


def test_whole_days_are_dates() -> None:
    """Whole numbers are packed in another way, and dates all the same."""
    days = {1.0: "1900-01-01", 59.0: "1900-02-28", 61.0: "1900-03-01", 45_000.0: "2023-03-15"}
    table: list[list[Value]] = [["h"]]
    table += [[Number(day, "d/m/yy")] for day in days]
    assert [cell for (cell,) in texts(biffbooks.xls(Sheet(table)), "a.xls")][1:] == [*days.values()]


def test_a_lone_cell_far_away_costs_nothing() -> None:
    """Rows keep their physical numbers; blank texts and rows are not there."""
    manifest = parse(far_xls(), "a.xls")
    assert (manifest.header_row, manifest.first_column) == (3, 1)
    assert [(row.number, row.cells) for row in manifest.rows] == [(59_998, ("A", "x"))]


def far_xls() -> bytes:
    place = struct.pack("<HHH", 59_999, 255, 15) + biffbooks.words(" ", "<H")
    body = b"".join(
        biffbooks.record(0x204, struct.pack("<HHH", row, column, 15) + biffbooks.words(text, "<H"))
        for row, column, text in [
            (59_997, 2, "x"),
            (2, 1, "sku"),
            (2, 2, "prompt"),
            (59_997, 1, "A"),
        ]
    )
    return compound(with_body(body + biffbooks.record(0x204, place)), "Workbook")


def with_body(body: bytes, version: int = 0x600, table: bytes = EMPTY_TABLE) -> bytes:
    """A stream whose only sheet has these records, with another table of shared texts."""
    made = biffbooks.stream([Sheet([])])
    at = made.rindex(biffbooks.bof(0x10))
    made, at = made[:at].replace(EMPTY_TABLE, table), at + len(table) - len(EMPTY_TABLE)
    place = made.index(struct.pack("<HH", 0x85, 20)) + 4
    made = made[:place] + struct.pack("<I", at) + made[place + 4 :]
    begin = struct.pack("<HHHHHHII", 0x809, 16, version, 0x10, 0, 0, 0, 0)
    return made[:at] + begin + body + biffbooks.record(0x0A)


def test_rarer_records_of_cells() -> None:
    """Several packed numbers in one record, texts with fonts, hundredths, large negative ones."""
    many = struct.pack("<HHHIHIH", 1, 0, 15, 450 << 2 | 3, 15, (-7 << 2 & 0xFFFFFFFF) | 2, 1)
    head = (struct.pack("<3H", 0, at, 15) + biffbooks.words(text, "<H") + b"\0\0"
            for at, text in enumerate(("sku", "prompt")))  # fmt: skip
    body = b"".join(biffbooks.record(0xD6, cell) for cell in head) + biffbooks.record(0xBD, many)
    body += biffbooks.record(0x205, struct.pack("<HHHBB", 2, 0, 15, 42, 1))
    manifest = parse(compound(with_body(body), "Workbook"), "a.xls")
    assert manifest.rows[0].cells == ("4.5", "-7")
    assert [(one.cell, one.code) for one in manifest.cell_problems] == [("A3", "error_value")]


def test_merged_ranges_without_end_are_refused() -> None:
    """Ranges over everything, again and again, cost no minutes."""
    far = (1, 0, 60_000, 255)
    sheet = Sheet([["sku", "prompt"]] * 400, merges=(far,) * 1000)
    with pytest.raises(ManifestError, match=r"merged cells than|cells into"):
        parse(biffbooks.xls(sheet), "a.xls")


def test_a_chart_within_a_sheet_is_skipped() -> None:
    """Its records lie between those of the sheet, and are not the sheet's."""
    chart = biffbooks.bof(0x20) + biffbooks.record(0x203, struct.pack("<3Hd", 0, 0, 0, 5))
    body = biffbooks.record(0x204, struct.pack("<3H", 0, 0, 15) + biffbooks.words("sku", "<H"))
    data = compound(with_body(chart + biffbooks.record(0x0A) + body), "Workbook")
    assert texts(data, "a.xls") == [["sku"]]


def test_a_text_of_a_formula_may_go_on_in_the_next_record() -> None:
    """A cached text of 20,000 characters takes several records."""
    rows: list[list[Value]] = [["sku", "prompt"], ["A", Formula("ü" * 20_000)]]
    data = biffbooks.xls(Sheet(rows))
    assert texts(data, "a.xls")[1] == ["A", "ü" * 20_000]


def test_each_piece_of_a_text_has_its_own_width() -> None:
    """A text may be wide in one record, narrow in the next."""
    formula = struct.pack("<3HBxB3xHHI", 1, 0, 15, 0, 0, 0xFFFF, 0, 0)
    pieces = [struct.pack("<H", 9) + b"\0abc", b"\1" + "дыж".encode("utf-16-le"), b"\0xyz"]
    body = biffbooks.record(0x204, struct.pack("<3H", 0, 0, 15) + biffbooks.words("sku", "<H"))
    body += biffbooks.record(6, formula) + biffbooks.record(0x207, pieces[0])
    body += b"".join(biffbooks.record(0x3C, piece) for piece in pieces[1:])
    assert texts(compound(with_body(body), "Workbook"), "a.xls") == [["sku"], ["abcдыжxyz"]]


def test_fonts_and_phonetics_are_no_text() -> None:
    """Shared strings carry both behind their letters, over the ends of records too."""
    plain = struct.pack("<HB", 3, 0) + b"one"
    rich = struct.pack("<HBH", 3, 8, 2) + b"two" + b"r" * 8
    spoken = struct.pack("<HBHI", 5, 13, 1, 6) + "three".encode("utf-16-le") + b"r" * 4 + b"p" * 6
    head = struct.pack("<II", 4, 4) + plain + rich + spoken[:-3]
    table = biffbooks.record(0xFC, head) + biffbooks.record(0x3C, spoken[-3:] + plain)
    cells = b"".join(
        biffbooks.record(0xFD, struct.pack("<3HI", row, 0, 15, row)) for row in range(4)
    )
    data = compound(with_body(cells, table=table), "Workbook")
    assert texts(data, "a.xls") == [["one"], ["two"], ["three"], ["one"]]


def test_excel_95_is_read_in_its_code_page() -> None:
    """Texts of older workbooks are bytes."""
    name, cell = "Größe".encode("cp1252"), "für Mädchen".encode("cp1252")
    bof = struct.pack("<HHHHHH", 0x809, 8, 0x500, 5, 0, 0)
    head = bof + biffbooks.record(0x42, struct.pack("<H", 1252))
    sheet = struct.pack("<HHHHHH", 0x809, 8, 0x500, 16, 0, 0)
    for row, text in enumerate((b"prompt", cell)):
        body = struct.pack("<HHHH", row, 0, 0, len(text)) + text
        sheet += biffbooks.record(0x204, body)
    at = len(head) + 4 + 7 + len(name) + 4
    head += biffbooks.record(0x85, struct.pack("<IBBB", at, 0, 0, len(name)) + name)
    manifest = parse(
        compound(head + biffbooks.record(10) + sheet + biffbooks.record(10), "Book"), "a.xls"
    )
    assert (manifest.sheet, manifest.rows[0].cells) == ("Größe", ("für Mädchen",))


def test_a_wide_and_mostly_empty_sheet_is_refused() -> None:
    """A rectangle of millions of cells is not made of a few thousand."""
    cells = (struct.pack("<HHHI", row, 255, 15, 6) for row in range(9000))
    body = b"".join(biffbooks.record(0x27E, cell) for cell in cells)
    data = large(with_body(body))
    with pytest.raises(ManifestError, match="256 columns"):
        parse(data, "a.xls")


def large(stream: bytes) -> bytes:
    """A compound file for streams past the first table sector."""
    sectors = -(-len(stream) // 512)
    tables = -(-(sectors + 80) // 128)
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE]
    chain += [*range(tables + 2, tables + 1 + sectors), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (tables * 128 - len(chain))
    small = compound(b"x", "Workbook")
    head = bytearray(small[:512])
    struct.pack_into("<II", head, 44, tables, tables)
    struct.pack_into(f"<{tables}I", head, 76, *range(tables))
    folder = bytearray(small[1024:1536])
    struct.pack_into("<II", folder, 128 + 116, tables + 1, len(stream))
    table = struct.pack(f"<{len(chain)}I", *chain)
    return bytes(head) + table + bytes(folder) + stream.ljust(sectors * 512, b"\0")


def test_circles_and_short_streams_of_a_container() -> None:
    """Sectors that follow one another in a circle are damage; short streams are read."""
    data = bytearray(biffbooks.xls(Sheet([["sku"], ["A"]])))
    struct.pack_into("<I", data, 512 + 4 * 3, 2)
    with pytest.raises(ManifestError, match="in a circle"):
        parse(bytes(data), "a.xls")
    assert texts(short_stream(), "a.xls") == [["sku"], ["A"]]


def short_stream() -> bytes:
    """A workbook of less than 4,096 bytes, in the small sectors that such streams lie in."""
    stream = biffbooks.stream([Sheet([["sku"], ["A"]])])
    data = bytearray(biffbooks.xls(Sheet([["sku"], ["A"]])))
    store = -(-len(stream) // 64)
    folder = 1024
    struct.pack_into("<II", data, folder + 116, 2, store * 64)  # the root holds the small sectors
    struct.pack_into("<II", data, folder + 128 + 116, 0, len(stream))
    chain = [*range(1, store), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (128 - len(chain))
    table = len(data) // 512 - 1
    struct.pack_into("<II", data, 60, table, 1)
    struct.pack_into("<I", data, 512 + 4 * table, 0xFFFFFFFE)
    return bytes(data) + struct.pack("<128I", *chain)
