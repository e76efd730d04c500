"""The committed example: what the README shows and `make demo` runs."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

MANIFESTS = Path(__file__).resolve().parents[1] / "manifests"
PICTURES = sorted(
    path
    for path in (MANIFESTS / "pictures").iterdir()
    if path.suffix in {".jpg", ".jpeg", ".png", ".webp"}
)


def csv_rows() -> list[dict[str, str]]:
    with (MANIFESTS / "example.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pictures_of(row: dict[str, str]) -> list[str]:
    return [row[column] for column in ("image_1", "image_2", "image_3") if row[column]]


def test_both_manifests_hold_the_same_rows() -> None:
    """Who opens the workbook and who opens the CSV file see the same ten products."""
    book = openpyxl.load_workbook(MANIFESTS / "example.xlsx")
    sheet = book.worksheets[0]
    headers, *rows = (
        ["" if cell is None else str(cell) for cell in cells]
        for cells in sheet.iter_rows(values_only=True)
    )
    assert [dict(zip(headers, row, strict=True)) for row in rows] == csv_rows()
    assert len(rows) == 10


def test_the_workbook_is_one_that_a_content_team_would_make() -> None:
    """Styled header, frozen panes, filter, lists to choose from, a second sheet."""
    book = openpyxl.load_workbook(MANIFESTS / "example.xlsx")
    sheet = book.worksheets[0]
    assert book.sheetnames == ["Products", "Notes"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("D2", "A1:K11")
    assert sheet["A1"].font.bold
    assert len(sheet.data_validations.dataValidation) == 3
    ratios = [cell for cell in sheet["I"][1:] if cell.value]
    assert all(isinstance(cell.value, str) and cell.number_format == "@" for cell in ratios)


def test_every_kind_of_request_is_shown() -> None:
    """Text only, one picture, three; both frames, both resolutions, all lengths; some defaults."""
    rows = csv_rows()
    assert {len(pictures_of(row)) for row in rows} == {0, 1, 3}
    assert {row["aspect_ratio"] for row in rows} == {"", "16:9", "9:16"}
    assert {row["resolution"] for row in rows} == {"", "720P", "1080p"}
    assert {row["duration"] for row in rows} == {"", "4", "6", "10"}
    assert len({row["shop"] for row in rows}) == 3
    assert len({row["sku"] for row in rows}) == len(rows)


def test_every_row_can_be_sent() -> None:
    """1080p only in landscape, and every row has a prompt."""
    for row in csv_rows():
        assert row["prompt"]
        assert (row["aspect_ratio"], row["resolution"]) != ("9:16", "1080p")


def test_pictures_and_rows_match() -> None:
    """Every picture that a row names is there, and every picture is used."""
    named = {MANIFESTS / name for row in csv_rows() for name in pictures_of(row)}
    assert named == set(PICTURES)


def test_pictures_are_small_together() -> None:
    """A clone stays light: under 1 MB for all pictures."""
    assert sum(path.stat().st_size for path in PICTURES) < 1_000_000


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_opens(path: Path) -> None:
    """Each is what its suffix says, whole, and of a useful size."""
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[path.suffix]
        assert min(picture.size) >= 720
