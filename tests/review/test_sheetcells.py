"""What is typed into the columns of decisions: what counts, and what is told of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model import Decision, Video
from pipeline.review.sheetcells import ReadCells, TypedRow, read_cells, shown, verdict_of
from pipeline.review.takes import TakeFile

TAKE = TakeFile(1, Video("MUG.mp4", 4, "aa", 6.0, 1280, 720), 100.0, "A mug.")
PLACES = {name: f"cell {name}" for name in ("review", "review_note", "new_prompt")}
PAGE = Decision(
    "MUG", 1, "aa", "reject", "dull", "grey", "A red mug.", "h", "Ada", "page", 50.0, seq=7
)


def row(review: str = "", note: str = "", prompt: str = "", **more: object) -> TypedRow:
    cells = {"review": review, "review_note": note, "new_prompt": prompt}
    made = TypedRow("MUG", "MUG", TAKE, cells, PLACES, "sheet")
    return replace(made, **more)  # type: ignore[arg-type]


def said(typed: TypedRow, *existing: Decision, seen: int = 0) -> ReadCells:
    return read_cells([typed], existing, seen, 200.0)


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("approve ok yes y ja oui si 1 ✓", "approve"),
        ("reject no n nein non 0 ✗", "reject"),
        ("maybe x 2 approve? -", None),
    ],
)
def test_words(words: str, verdict: str | None) -> None:
    """In any case; anything else is no verdict."""
    for word in words.split():
        assert verdict_of(f" {word.upper()} ") == verdict


def test_a_typed_row_becomes_a_decision() -> None:
    """With the text of the manifest that a new prompt replaces; what says nothing is none."""
    (one,) = said(row("Nein", "too dark", "A red mug.")).decisions
    assert one == Decision(
        "MUG", 1, "aa", "reject", "", "too dark", "A red mug.", "sheet", "", "sheet", 200.0
    )
    assert said(row()) == ReadCells()


def test_what_was_written_last_is_not_typed() -> None:
    """Nor is it after the page changed it; and a cell that a person empties takes back."""
    written = shown(PAGE)
    cells = (written["review"], written["review_note"], written["new_prompt"])
    assert cells == ("reject", "dull: grey", "A red mug.")
    assert said(row(*cells), PAGE, seen=7) == ReadCells()
    later = replace(PAGE, verdict="approve", reason="", note="", prompt="", seq=9)
    assert said(row(*cells), PAGE, later, seen=7) == ReadCells()
    (one,) = said(row(), PAGE, seen=7).decisions
    assert (one.verdict, one.reason, one.note, one.prompt) == ("", "", "", "")


def test_the_other_cells_keep_what_stands() -> None:
    """A changed verdict keeps note and prompt; a longer note keeps the reason."""
    (one,) = said(row("ok", "dull: grey", "A red mug."), PAGE, seen=7).decisions
    assert (one.verdict, one.reason, one.note, one.prompt) == ("approve", "", "grey", "A red mug.")
    (one,) = said(row("reject", "dull: grey and small", "A red mug."), PAGE, seen=7).decisions
    assert (one.reason, one.note) == ("dull", "grey and small")


def test_the_page_stands_against_a_cell() -> None:
    """Where both changed, the cell is told of; what both say, or was said before that, is not."""
    found = said(row("approve"), PAGE)
    assert (found.decisions, found.lossy) == ((), True)
    (line,) = found.lines
    assert line.startswith('cell review: "approve" was typed here, and "reject" was decided')
    assert said(row("no", "dull: grey", "A red mug."), PAGE) == ReadCells()
    later = replace(PAGE, verdict="approve", seq=8)
    assert said(row("reject", "dull: grey", "A red mug."), PAGE, later) == ReadCells()


def test_what_is_not_understood_stays_and_is_told_once() -> None:
    """Until it is emptied; the other cells of the row count."""
    found = said(row("maybe", "ask Ana"))
    assert [one.note for one in found.decisions] == ["ask Ana"]
    assert found.unread == {"MUG": {"review": "maybe"}}
    assert found.lines == ('cell review: "maybe" does not count: it is neither approve nor reject',)
    left = {"review": "maybe"}
    again = said(row("maybe", before=left, unread=left))
    assert (again.lines, again.unread) == ((), {"MUG": left})
    assert said(row("", before=left, unread=left)) == ReadCells()


def test_a_row_without_a_video() -> None:
    """Its texts stay; a verdict would look as if it were about the video to come."""
    found = said(row("approve", "lovely", take=None))
    assert (found.decisions, found.lossy) == ((), True)
    assert found.unread == {"MUG": {"review_note": "lovely"}}
    assert len(found.lines) == 2


def test_a_text_that_is_too_long_stays() -> None:
    """It is told of, and not cut."""
    found = said(row("no", "x" * 5_000))
    assert not found.decisions
    assert found.unread["MUG"]["review_note"] == "x" * 5_000
