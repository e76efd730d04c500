"""Results in CSV, opened by a spreadsheet program with whatever separator its owner set."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.plaintext import guard, guard_within, unguard_within
from pipeline.model import TextDialect
from pipeline.reader.reading import read
from pipeline.writer.text_table import write_text

SEPARATORS = ",;\t|"
STARTERS = "=+-@\uff1d\uff0b\uff0d\uff20"
HEADERS = ("key", "title", "result_state", "result_error", "result_action", "result_warnings")
ATTACKS = (
    "x;=1+1;y", "x\t=1+1\ty", "x\n=1+1\ny", "x\r\n=1+1", "x\r=1+1", "x,=1+1,y", "x|=1+1|y",
    'x;"=1+1";y', 'x;""=1+1', 'x"; =1+1', 'x;"@SUM(1)', "x; =1+1", "x;\u00a0=1+1", "x;+1+1;",
    "x;-1+1", "x;-1", ";=1", "\n=1", "=1;=2", 'a";=1;"b', 'a"\n=1,"b', "x;'=1", "x;''y", "x;'y",
    "x;\t=1", "x;\uff1d1", '";=1";=2', "'=1;'=2", "'", ";'", ";", "x;",
)  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(ATTACKS), st.text(alphabet="x1;,|\t\r\n\"' =+-@\uff1d\u00a0", max_size=14)
)


def split(text: str, separator: str, *, quotes: bool) -> Iterator[str]:
    """Split a file into cells as spreadsheet programs do, written without a look at ours.

    A quote opens at the beginning of a cell only; inside, two are one, and separators are text.
    Whatever follows the closing quote belongs to the cell. Without `quotes`, as where another sign
    is set for texts, quotes are letters like others.
    """
    at, cell, open_ = 0, "", False
    begun = False
    while at < len(text):
        letter = text[at]
        if open_:
            if letter == '"' and text[at + 1 : at + 2] == '"':
                cell += '"'
                at += 1
            elif letter == '"':
                open_ = False
            else:
                cell += letter
        elif letter == '"' and quotes and not begun:
            open_ = begun = True
        elif letter == separator or letter in "\r\n":
            yield cell
            cell, begun = "", False
        else:
            cell, begun = cell + letter, True
        at += 1
    yield cell


def formulas(text: str) -> list[str]:
    """The cells that some program would work out, with whichever separator and quotes."""
    return [
        cell
        for separator in (*SEPARATORS, "")
        for quotes in (True, False)
        for cell in split(text, separator, quotes=quotes)
        if cell.strip(" \u00a0")[:1] in tuple(STARTERS)
        and not re.fullmatch(r"[+-][0-9][0-9., ]*", cell)  # a number runs nothing
    ]


def written(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """A file of these rows, as a run writes it."""
    file = io.BytesIO()
    write_text(file, TextDialect(delimiter, "utf-8", bom=False, newline="\r\n"), HEADERS, rows)
    return file.getvalue().decode()


def test_the_splitter_finds_formulas() -> None:
    """What is not guarded is found, so that what follows proves something."""
    assert formulas("a,x;=1+1;y") == ["=1+1", "=1+1"]
    assert list(split('a,"x;""=1"";y",b', ";", quotes=True)) == ['a,"x', '=1""', 'y",b']
    assert list(split('"x;=1",b;c', ";", quotes=True)) == ["x;=1,b", "c"]
    assert formulas('a,"x;""=1+1"";y"')
    assert not formulas("a,x;'=1+1;y")


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("delimiter", list(SEPARATORS))
def test_no_result_is_a_formula_behind_any_separator(attack: str, delimiter: str) -> None:
    """What the API says, what a run writes: with comma, semicolon, tab, bar, at line breaks."""
    rows = [("A", "mug", "failed", attack, f"do {attack}", attack), ("B", "tea", "", "", "", "")]
    assert formulas(written(rows, delimiter)) == []


@given(
    st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=3),
    st.sampled_from(SEPARATORS),
)
def test_nothing_that_a_run_writes_becomes_a_formula(
    told: list[tuple[str, str, str]], delimiter: str
) -> None:
    """Three result columns side by side, of whatever texts."""
    rows = [(f"K{n}", "mug", "failed", *texts) for n, texts in enumerate(told)]
    assert formulas(written(rows, delimiter)) == []


@given(TEXTS | st.text())
def test_what_was_guarded_is_unguarded(text: str) -> None:
    """Every text comes back exactly, also one that looks guarded."""
    assert unguard_within(guard_within(text)) == text


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=3))
def test_results_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, str, str]]
) -> None:
    """Our own reader takes off what was put on, in all columns."""
    rows = [(f"K{n}", title, "failed", one, two, "") for n, (title, one, two) in enumerate(told)]
    path = tmp_path_factory.mktemp("back") / "results.csv"
    path.write_bytes(written(rows).encode())
    table = read(path)
    assert [tuple(row.cells) for row in table.rows] == rows


def test_cells_of_the_user_stay(tmp_path: Path) -> None:
    """A list in a description is written as it stands; only a beginning is guarded, as before."""
    own = "Features:\n- cotton\n- soft; -20 %"
    text = written([("A", own, "done", "", "", "")])
    assert own in text
    assert guard(own) == own
    path = tmp_path / "results.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read(path).rows[0].cells[1] == own
