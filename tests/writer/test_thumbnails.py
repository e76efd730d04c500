"""The sheet of stills: other programs open it, and it is made anew with each writing."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.drawing.image import Image as SheetImage
from PIL import Image

from pipeline.model import State
from pipeline.writer.cells import Cell
from pipeline.writer.parts import PackageCopy
from pipeline.writer.sheet import Insert
from pipeline.writer.thumbnails import MOST_THUMBNAILS, Thumbnail
from pipeline.writer.workbook_copy import fill


def still(colour: str, size: tuple[int, int] = (320, 180)) -> bytes:
    """A JPEG of one colour."""
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, "JPEG")
    return data.getvalue()


def copy(source: Path, target: Path, thumbnails: list[Thumbnail]) -> Path:
    """Copy a workbook with a result column and these stills."""
    insert = Insert(
        1, {3: "result"}, frozenset({3}), [2], lambda _: [(3, Cell("x"))], {}, {3: 12.0}
    )
    with PackageCopy.of(source).zip, target.open("w+b") as file:
        fill(PackageCopy.of(source), None, lambda *_: insert, file, thumbnails=thumbnails)
    return target


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A workbook of the user's with a picture and a sheet Videos of their own."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["sku", "prompt"])
    sheet.append(["MUG", "A mug."])
    own = book.create_sheet("Videos")
    own.append(["my", "notes"])
    own.add_image(SheetImage(io.BytesIO(still("blue"))), "C3")
    book.save(tmp_path / "shop.xlsx")
    return tmp_path / "shop.xlsx"


MUG = Thumbnail("MUG", State.DONE, "videos/MUG.mp4", still("red"))
TALL = Thumbnail('=A1 & "<b>"', State.DONE, "videos/b.mp4", still("green", (180, 320)))
NONE = Thumbnail("BAG", State.READY, "videos/BAG.mp4", None)
DAMAGED = Thumbnail("TEA", State.DONE, "videos/TEA.mp4", b"no picture")


def test_each_video_has_its_still(book: Path, tmp_path: Path) -> None:
    """With key, state and link; what cannot be drawn has a line without one."""
    target = copy(book, tmp_path / "results.xlsx", [MUG, TALL, NONE, DAMAGED])
    loaded: Any = load_workbook(target)
    assert loaded.sheetnames == ["Sheet", "Videos", "Videos 2"]
    sheet = loaded["Videos 2"]
    lines = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert lines[0] == ["Video still", "key", "state", "video"]
    assert lines[1] == [None, "MUG", "done", '=HYPERLINK("videos/MUG.mp4","videos/MUG.mp4")']
    assert [line[1] for line in lines[2:]] == ['=A1 & "<b>"', "BAG", "TEA"]
    assert sheet["B3"].data_type in {"s", "inlineStr"}
    sizes = [(one.width, one.height) for one in sheet._images]
    places = [(one.anchor._from.row, one.anchor.ext.width // 9525) for one in sheet._images]
    assert places == [(1, 160), (2, 51)]
    assert sizes == [(320, 180), (180, 320)]
    assert [sheet._images[0]._data()[:2], len(loaded["Videos"]._images)] == [b"\xff\xd8", 1]


def test_an_earlier_sheet_is_written_over(book: Path, tmp_path: Path) -> None:
    """Its stills are not carried along, also if a spreadsheet program saved the file meanwhile."""
    first = copy(book, tmp_path / "one.xlsx", [MUG, TALL])
    load_workbook(first).save(tmp_path / "saved.xlsx")
    for source in (first, tmp_path / "saved.xlsx"):
        second = copy(source, tmp_path / "two.xlsx", [TALL])
        loaded: Any = load_workbook(second)
        assert loaded.sheetnames == ["Sheet", "Videos", "Videos 2"]
        assert len(loaded["Videos 2"]._images) == 1
        assert len(loaded["Videos"]._images) == 1
        assert loaded["Videos 2"].max_row == 2
        with zipfile.ZipFile(second) as package:
            names = package.namelist()
            assert len(names) == len(set(names))
            assert sum("/media/" in name for name in names) == 2
            assert (
                sum(name.startswith("xl/drawings/") and name.endswith("xml") for name in names) == 2
            )


def test_no_sheet_without_videos(book: Path, tmp_path: Path) -> None:
    """And none that is cut short unseen: the most that are shown are a documented number."""
    target = copy(book, tmp_path / "results.xlsx", [])
    assert load_workbook(target).sheetnames == ["Sheet", "Videos"]
    bare = [Thumbnail(f"P{n}", State.DONE, f"videos/P{n}.mp4", None) for n in range(5_001)]
    target = copy(book, tmp_path / "many.xlsx", bare)
    loaded = load_workbook(target, read_only=True)
    assert sum(1 for _ in loaded["Videos 2"].iter_rows()) == MOST_THUMBNAILS + 1
    loaded.close()
