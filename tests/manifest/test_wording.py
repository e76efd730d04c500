"""How sheets and sentences call rows, columns and cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.wording import (
    address_of,
    agree,
    count,
    letters_of,
    list_numbers,
    name_headers,
    number_of,
    plural,
)
from pipeline.model import Manifest


@pytest.mark.parametrize(
    ("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (16384, "XFD")]
)
def test_letters_of_columns(number: int, letters: str) -> None:
    """The last one is the last column of Excel."""
    assert letters_of(number) == letters
    assert number_of(letters.lower()) == number


@given(st.integers(1, 20_000))
def test_letters_lead_back_to_their_column(number: int) -> None:
    """No two columns have the same letters."""
    assert number_of(letters_of(number)) == number


def test_a_cell_of_a_workbook_has_an_address() -> None:
    """It begins at the sheet's first column; a text file has none."""
    book = Manifest(Path("a.xlsx"), ("id", "prompt"), (), sheet="S", first_column=2)
    assert address_of(book, 1, 7) == "D7"
    assert address_of(Manifest(Path("a.csv"), ("id",), ()), 0, 7) is None


def test_numbers_in_sentences() -> None:
    """Thousands are parted, and a list of numbers ends after five."""
    assert [count(n, "row") for n in (0, 1, 2, 2000)] == ["0 rows", "1 row", "2 rows", "2,000 rows"]
    assert plural(1, "row") + plural(2, "row") == "rowrows"
    assert [list_numbers(range(n)) for n in (1, 3, 7)] == [
        "0",
        "0, 1 and 2",
        "0, 1, 2, 3, 4 and 2 more",
    ]


def test_headers_in_a_sentence() -> None:
    """At most thirty are shown."""
    assert name_headers([]) == "Row 1 holds no headers."
    assert name_headers(["a", "b"]) == 'Its headers are "a", "b".'
    assert name_headers(["a"] * 31).endswith('"a" and 1 more.')


def test_words_agree_with_their_number() -> None:
    """None of a thing are many of it."""
    assert [agree(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]
