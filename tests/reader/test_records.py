"""Records of a text: counted in its bytes or walked with the csv module, they are the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ManifestError
from pipeline.reader.records import Records, _counted, _walked, records_of

PATH = Path("night.csv")
PIECES = ("a", "é", "5", " ", ",", ";", '"', '""', '"a"', '"a,b"', '"a\nb"', "\n", "\r\n", "\r")


def _texts() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PIECES), min_size=1, max_size=24).map("".join)


def _same(text: str, delimiter: str) -> None:
    counted = _counted(text.encode(), delimiter, 1)
    if counted is None:
        return
    walked = _walked(PATH, text, delimiter, 1)
    assert (list(counted.lines), counted.width) == (walked.lines, walked.width)
    assert not walked.skipped


@given(_texts(), st.sampled_from(",;\t"))
def test_counted_or_walked_is_the_same(text: str, delimiter: str) -> None:
    """A text is counted only if the csv module finds the very same records, and nothing wrong."""
    _same(text, delimiter)


@given(st.lists(_texts(), min_size=1, max_size=4), st.sampled_from(("\n", "\r\n")))
def test_rows_of_odd_cells(cells: list[str], end: str) -> None:
    """The same for tables whose first column is odd and whose last one is not."""
    _same("".join(f"{cell},x{end}" for cell in ["prompt", *cells]), ",")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4", [1, 2, 3]),
        ("a,b\r\n1,2\r\n,\r\n", [1, 2, 3]),
        ('"a","b"\n"1\n2","3"\n"4 ""x""",5\n', [1, 2, 4]),
        ('a,b\n"""1""","2,3"\n"",""\n', [1, 2, 3]),
    ],
)
def test_a_text_in_order_is_counted(text: str, lines: list[int]) -> None:
    """Ordinary texts, quoted ones too, are counted, with the line in which each record begins."""
    found = _counted(text.encode(), ",", 1)
    assert found == Records(lines, 2)
    assert records_of(PATH, text, text.encode(), ",", 1) == found


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n\n",  # a blank line
        "a\n1\n",  # nothing to count
        ",\na,b\n",  # the header is not in the first line
        "a,b\n1,2\r3,4\n",  # a lone carriage return
        'a,b\n5" x,6" x\n',  # quotes that quote nothing
    ],
)
def test_any_other_is_walked(text: str) -> None:
    """What needs a closer look is not counted."""
    assert _counted(text.encode(), ",", 1) is None


def test_lines_are_named_beyond_counting() -> None:
    """A line that does not fit is named, with the number that it has in the file."""
    text = 'a,b\n"1\n2",3\n4\n'
    with pytest.raises(ManifestError, match="line 4 has 1"):
        records_of(PATH, text, text.encode(), ",", 1)
