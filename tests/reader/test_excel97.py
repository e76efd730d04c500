"""Workbooks of Excel 97 to 2003: read as another engine reads them, and more is seen."""

from __future__ import annotations

import io
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from pipeline.errors import ManifestError
from pipeline.model import Manifest, Severity
from pipeline.reader.workbook.formats import text_of
from pipeline.reader.workbook.opening import manifest_from, read_grid
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
RECALCULATED = biffbooks.record(0x1C1, struct.pack("<HHI", 0x1C1, 0, 0x18D54))
EMPTY_TABLE = biffbooks.text_records(0xFC, struct.pack("<II", 0, 0), [])
# Each with numbers that it shows as a moment or as a span.
TIMES = [
    Number(value, code)
    for code in ("yyyy-mm-dd", "d/m/yyyy h:mm", "[h]:mm:ss", '"am" d. mmmm', "[$-407]d. mmm yy")
    for value in (0.25, 0.672916666666667, 1.5, 59.5, 61.25, 45_000.75)
]


def parse(data: bytes, name: str, hidden: str | None = None) -> Manifest:
    return manifest_from(read_grid(Path(name), data, None), hidden_rows=hidden)


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


def with_body(
    body: bytes, version: int = 0x600, table: bytes = EMPTY_TABLE, *, calculated: bool = True
) -> bytes:
    """A stream whose only sheet has these records, with another table of shared texts."""
    made = biffbooks.stream([Sheet([])])
    if not calculated:
        made = made.replace(RECALCULATED, biffbooks.record(0x1C1, b"\0" * 8))
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
    data = biffbooks.large(with_body(body))
    with pytest.raises(ManifestError, match="256 columns"):
        parse(data, "a.xls")


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


def formula(row: int, column: int, value: float, kind: int = 6) -> bytes:
    """The record of a formula with a number."""
    rest = struct.pack("<HIH", 0, 0, 3) + b"\x1e\x01\x00"
    return biffbooks.record(kind, struct.pack("<3Hd", row, column, 15, value) + rest)


def label(row: int, column: int, text: str) -> bytes:
    """The record of a text."""
    return biffbooks.record(
        0x204, struct.pack("<3H", row, column, 15) + biffbooks.words(text, "<H")
    )


def hidden(row: int) -> bytes:
    """The record of a hidden row."""
    return biffbooks.record(0x208, struct.pack("<6HHH", row, 0, 2, 300, 0, 0, 0x120, 15))


HEADERS = label(0, 0, "sku") + label(0, 1, "prompt") + label(1, 0, "A")
# xlrd expects a text behind a formula that has one.
UNREADABLE = biffbooks.record(
    6, struct.pack("<3HBxB3xH", 9, 9, 15, 0, 0, 0xFFFF) + struct.pack("<HIH", 0, 0, 0)
)


def problems(manifest: Manifest) -> list[tuple[str | None, str]]:
    return [(one.cell, one.code) for one in manifest.cell_problems]


@pytest.mark.parametrize("kind", [0x06, 0x206, 0x406])
def test_a_formula_of_a_workbook_never_calculated_has_no_value(kind: int) -> None:
    """A 0 stands there for want of a value; whatever else stands there was calculated."""
    body = HEADERS + formula(1, 1, 0, kind) + label(2, 0, "B") + formula(2, 1, 7, kind)
    never = parse(compound(with_body(body, calculated=False), "Workbook"), "a.xls")
    assert ("B2", "formula_not_calculated") in problems(never)
    calculated = parse(compound(with_body(body), "Workbook"), "a.xls")
    assert [row.cells[1] for row in calculated.rows] == ["0", "7"]
    assert "formula_not_calculated" not in [code for _, code in problems(calculated)]


def test_a_formula_with_an_empty_text_is_told() -> None:
    """As a warning: whether the formula means it nobody knows. Alone it makes no row."""
    empty = struct.pack("<3HB5xH", 1, 1, 15, 3, 0xFFFF) + struct.pack("<HIH", 0, 0, 3) + b"\x1e\1\0"
    body = HEADERS + biffbooks.record(6, empty)
    found = parse(compound(with_body(body), "Workbook"), "a.xls")
    assert [row.cells for row in found.rows] == [("A", "")]
    assert [(one.cell, one.code, one.severity) for one in found.cell_problems] == [
        ("B2", "formula_empty_meant", "warning")
    ]
    assert found.cell_problems[0].column == "prompt"


def test_a_cell_that_is_read_in_two_ways_is_a_problem() -> None:
    """Calamine knows no formulas of an older kind: who is right is for a person to say."""
    data = compound(with_body(HEADERS + formula(1, 1, 7, 0x406)), "Workbook")
    manifest = parse(data, "a.xls")
    assert problems(manifest) == [("B2", "value_uncertain")]
    assert "B2 can be read in two ways: 7.0 or ''" in manifest.cell_problems[0].message


def test_what_xlrd_fails_over_is_read_by_the_other_engine() -> None:
    """A table of texts that counts wrongly; what is then unknown is a warning."""
    table = biffbooks.record(0xFC, struct.pack("<II", 2, 200) + b"\3\0\0sku\1\0\0A")
    cells = [biffbooks.record(0xFD, struct.pack("<3HI", row, 0, 15, row)) for row in range(2)]
    data = compound(with_body(b"".join(cells), table=table), "Workbook")
    manifest = parse(data, "a.xls")
    assert (manifest.headers, manifest.rows[0].cells) == (("sku",), ("A",))
    (warning,) = manifest.cell_problems
    assert (warning.severity, warning.row) == (Severity.WARNING, None)
    assert "hidden rows" in warning.message
    assert "formats" in warning.message


def test_what_xlrd_fails_over_keeps_the_guard_of_formulas() -> None:
    """Those that were never calculated are seen in the records; the rest is in the warning."""
    error = biffbooks.record(0x205, struct.pack("<HHHBB", 2, 1, 15, 42, 1))
    body = hidden(3) + HEADERS + formula(1, 1, 0) + label(2, 0, "B") + error
    body += label(3, 0, "C") + label(3, 1, "x") + UNREADABLE
    manifest = parse(compound(with_body(body, calculated=False), "Workbook"), "a.xls")
    assert [row.cells for row in manifest.rows] == [("A", ""), ("B", ""), ("C", "x")]
    assert problems(manifest) == [(None, "workbook_half_seen"), ("B2", "formula_not_calculated")]
    assert "Hidden rows are read, and error values are blank" in manifest.cell_problems[0].message


def test_names_and_notes_that_xlrd_fails_over_hide_no_hidden_row() -> None:
    """They are no business of a table: the sheet is read without them."""
    note = biffbooks.record(0x1C, struct.pack("<4H", 1, 1, 0, 1) + b"\0" * 40)
    data = compound(with_body(note + hidden(1) + HEADERS + label(1, 1, "x")), "Workbook")
    with pytest.raises(ManifestError, match="1 row is hidden"):
        parse(data, "a.xls")
    assert problems(parse(data, "a.xls", hidden="include")) == []


@pytest.mark.parametrize("name", ["WORKBOOK", "workbook", "BOOK"])
def test_names_in_a_container_have_no_case(name: str) -> None:
    """Some programs write them in capitals."""
    data = compound(biffbooks.stream([Sheet([["sku"], ["A"]])]), name)
    assert texts(data, "a.xls") == [["sku"], ["A"]]


def test_a_far_cell_of_another_sheet_costs_nothing() -> None:
    """The other engine makes rectangles of all sheets, and so is not asked here."""
    far = label(0, 0, "x") + label(65_535, 255, "x")
    sheets = [biffbooks.bof(0x10) + body + biffbooks.record(10) for body in (HEADERS, far)]
    made = biffbooks.stream([Sheet([]), Sheet([], name="Sheet2")])
    first = made.index(biffbooks.bof(0x10))
    second = first + len(sheets[0])
    for name, at in (("Sheet1", first), ("Sheet2", second)):
        place = made.index(biffbooks.words(name, "<B")) - 6
        made = made[:place] + struct.pack("<I", at) + made[place + 4 :]
    data = compound(made[:first] + b"".join(sheets), "Workbook")
    tracemalloc.start()
    try:
        assert texts(data, "a.xls") == [["sku", "prompt"], ["A", ""]]
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_size_stated_behind_the_cells_hides_none_of_them() -> None:
    """Where xlrd meets it, it counts its rows anew."""
    size = biffbooks.record(0x200, struct.pack("<IIHHH", 0, 2, 0, 2, 0))
    for body in (HEADERS + label(1, 1, "x") + size, HEADERS + size + label(1, 1, "x")):
        data = compound(with_body(body), "Workbook")
        assert texts(data, "a.xls") == [["sku", "prompt"], ["A", "x"]]


def test_sheets_that_lie_within_the_globals_are_damage() -> None:
    """Libraries disagree about whether they are there."""
    made = biffbooks.stream([Sheet([["sku"], ["A"]])])
    inner = biffbooks.bof(5) + biffbooks.record(0x0A)
    at = len(biffbooks.bof(5))
    data = compound(made[:at] + inner + made[at:], "Workbook")
    with pytest.raises(ManifestError, match="lie in one another"):
        parse(data, "a.xls")


def _shape(kind: int, column: int, row: int, *, inside: bool = False) -> bytes:
    """A shape with its kind and its anchor, or of a group that has the anchor."""
    anchor = struct.pack("<9H", 0, column, 0, row, 0, column + 1, 0, row + 1, 0)
    place = (
        struct.pack("<HHI16x", 0, 0xF00F, 16)
        if inside
        else struct.pack("<HHI", 0, 0xF010, 18) + anchor
    )
    said = struct.pack("<HHI8x", kind << 4 | 2, 0xF00A, 8) + place
    return struct.pack("<HHI", 0xF, 0xF004, len(said)) + said


def test_pictures_over_rows_are_told() -> None:
    """Pictures alone, also in a group, in whatever pieces; of half a drawing what is there."""
    sheet = Sheet([["sku", "prompt"], *[[f"K{at}", "A mug turns"] for at in range(2, 8)]])
    shapes = [_shape(75, 2, 1), _shape(1, 0, 2), _shape(0, 3, 4), _shape(75, 0, 0, inside=True)]
    drawing = b"".join([*shapes, _shape(75, 1, 6)])

    def cells(drawing: bytes, at: int) -> list[str | None]:
        records = biffbooks.record(0xEC, drawing[:at]) + biffbooks.record(0x3C, drawing[at:])
        stream = biffbooks.stream([sheet])
        manifest = parse(compound(stream[:-4] + records + stream[-4:], "Workbook"), "a.xls")
        return [one.cell for one in manifest.cell_problems if one.code == "picture_floats"]

    for at in (1, 8, 50, len(drawing) - 1):
        assert cells(drawing, at) == ["C2", "D5", "B7"]
    assert cells(drawing[:-20], 9) == ["C2", "D5"]
    assert cells(b"\xff" * 99, 9) == []
