"""A new manifest on the disk: read back as it was meant, never over a file."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from pipeline.authoring.newmanifest import NewManifest, choose, write
from pipeline.errors import StoreError, UsageError
from pipeline.reader.reading import read

HOSTILE = (
    '=HYPERLINK("http://127.0.0.1","x")',
    "+1",
    "-a mug",
    "@SUM(A1)",
    "#N/A",
    "16:9",
    "007",
    "1e5",
    "_x0041_",
    "line one\nline two",
    "Grün & <rot> \u65e5\u672c \U0001f44d",
    "'quoted",
    '"doubled"',
    "TRUE",
)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".tsv"])
def test_every_text_comes_back(tmp_path: Path, suffix: str) -> None:
    """Whatever is written, also what looks like a formula, a date or an escape, is read back."""
    path = tmp_path / f"new{suffix}"
    rows = [(str(number), text) for number, text in enumerate(HOSTILE)]
    write(NewManifest(("key", "prompt"), rows), path)
    assert [row.cells for row in read(path).rows] == rows


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """In the workbook every cell is a string."""
    path = tmp_path / "new.xlsx"
    write(NewManifest(("prompt",), [(text,) for text in HOSTILE]), path)
    cells = [cell for (cell,) in openpyxl.load_workbook(path)["Products"].iter_rows(min_row=2)]
    assert [cell.data_type for cell in cells] == ["s"] * len(HOSTILE)


def test_csv_says_that_a_cell_could_be_a_formula(tmp_path: Path) -> None:
    """The text stays raw, and the person is told."""
    notes = write(NewManifest(("prompt",), [("=1+1",)]), tmp_path / "new.csv")
    assert "1 cell begins with" in notes[0]
    assert b"\r\n=1+1\r\n" in (tmp_path / "new.csv").read_bytes()


def test_characters_without_a_place(tmp_path: Path) -> None:
    """Control characters and halves of pairs are dropped, and the file is one."""
    for suffix in (".xlsx", ".csv"):
        path = tmp_path / f"new{suffix}"
        write(NewManifest(("prompt",), [("a\x00b\x1f\ud800c\r\nd",)]), path)
        assert [row.cells for row in read(path).rows] == [("abc\nd",)]


def test_a_cell_longer_than_excel_takes(tmp_path: Path) -> None:
    """It is cut in the workbook, and that is said."""
    notes = write(NewManifest(("prompt",), [("x" * 40_000,)]), tmp_path / "new.xlsx")
    assert "1 cell had more" in notes[0]
    assert len(read(tmp_path / "new.xlsx").rows[0].cells[0]) == 32_767


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A file that is there stays, and the message says what to do."""
    path = tmp_path / "mine.csv"
    path.write_text("prompt\nmine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="exists; existing files are never overwritten") as raised:
        write(NewManifest(("prompt",), [("x",)]), path)
    assert "another name" in str(raised.value.action)
    assert path.read_text(encoding="utf-8") == "prompt\nmine\n"


def test_an_unknown_suffix(tmp_path: Path) -> None:
    """The suffixes that there are get named."""
    with pytest.raises(UsageError, match="cannot be the name of a manifest") as raised:
        write(NewManifest(("prompt",), [("x",)]), tmp_path / "new.pdf")
    assert ".xlsx, .csv or .tsv" in str(raised.value.action)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file in the way of the folder is a sentence, not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises((StoreError, UsageError)):
        write(NewManifest(("prompt",), [("x",)]), tmp_path / "file" / "new.csv")


@pytest.mark.parametrize(("found", "taken"), [(0, 0), (1, 1), (2, 1), (3, 3), (7, 3)])
def test_as_many_pictures_as_a_video_takes(found: int, taken: int) -> None:
    """Never two; with two the first is used and a note says so."""
    choice = choose([f"{number}.jpg" for number in range(found)])
    assert choice.taken == tuple(f"{number}.jpg" for number in range(taken))
    assert len(choice.taken) + len(choice.left) == found
    assert bool(choice.note) == (found == 2)


def test_the_same_picture_twice_is_one() -> None:
    """Equal links count once."""
    assert choose(["a", "b", "a"]).taken == ("a",)
