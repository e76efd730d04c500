"""The rows of a large table: in little memory the same as one row for each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.packedrows import PackedRows, numbers_of, texts_of, without_rows
from pipeline.model import Row

Cells = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
Tables = st.lists(st.tuples(Cells, st.sampled_from(["", "720P", "16:9"])), max_size=40)


def _pack(rows: list[Row], block: int) -> PackedRows:
    packed = PackedRows()
    for start in range(0, len(rows), block):
        some = rows[start : start + block]
        packed.add([row.number for row in some], [row.cells for row in some])
    return packed


@given(Tables, st.integers(1, 9), st.sets(st.integers(0, 39)))
def test_packed_rows_are_the_rows(
    cells: list[tuple[str, str]], block: int, places: set[int]
) -> None:
    """Walked through, by place, by number, by column, and with some of them left out."""
    rows = [Row(2 + 2 * at, one) for at, one in enumerate(cells)]
    packed = _pack(rows, block)
    assert [*packed] == rows
    assert [packed[at] for at in range(-len(rows), len(rows))] == rows + rows
    assert packed[1:7:2] == tuple(rows[1:7:2])
    assert [*texts_of(packed, 0)] == [row.cells[0] for row in rows]
    assert [*numbers_of(packed)] == [row.number for row in rows]
    assert [packed.place_of(row.number) for row in rows] == [*range(len(rows))]
    assert not any(packed.place_of(number) for number in (0, 1, 3, 2 * len(rows) + 5))
    left = [row for at, row in enumerate(rows) if at not in places]
    assert [*without_rows(packed, places)] == left == [*without_rows(rows, places)]
    assert [*packed.narrowed(1)] == [Row(row.number, row.cells[:1]) for row in rows]


def test_blank_rows_are_known_by_their_places() -> None:
    """Whoever reads a table leaves them out; a row with anything to be seen is none."""
    packed = _pack([Row(2, ("", " ")), Row(3, ("", "x")), Row(4, ("\u00a0", "\u200b"))], 2)
    assert packed.blank == {0, 2}
    assert [row.number for row in packed.without(packed.blank)] == [3]


def test_a_place_that_is_not_there_is_an_error() -> None:
    """As of any sequence, so that whoever walks by place comes to an end."""
    with pytest.raises(IndexError):
        _pack([Row(2, ("a",))], 1)[1]


def test_equal_cells_take_a_byte_each() -> None:
    """A column that says the same over and over is kept as numbers of its texts."""
    packed = _pack([Row(at, ("720P",)) for at in range(1000)], 1000)
    unpacked = [row.cells[0] for row in packed]
    assert len({id(text) for text in unpacked}) == 1
