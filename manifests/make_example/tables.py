"""The example's rows as a CSV file and as a workbook such as a content team keeps."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from .rows import COLUMNS, NOTES, ROWS

SAVED_AT = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*<")
MADE_ON = dt.datetime(2026, 11, 20, 9, 0)  # noqa: DTZ001 - workbooks hold local times

WIDTHS = {
    "shop": 20,
    "sku": 11,
    "title": 26,
    "prompt": 78,
    "image_1": 34,
    "image_2": 34,
    "image_3": 34,
    "duration": 10,
    "aspect_ratio": 13,
    "resolution": 12,
    "notes": 36,
}
CHOICES = {"duration": "4,6,10", "aspect_ratio": "16:9,9:16", "resolution": "720P,1080p"}

INK, PAPER, RULE = "FF22313A", "FFF4F1EA", "FFD8D2C4"


def write_csv(path: Path) -> None:
    """Write the rows as UTF-8 CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(ROWS)


def _fill_products(sheet: Worksheet) -> None:
    sheet.append(COLUMNS)
    for row in ROWS:
        sheet.append([row.get(column) for column in COLUMNS])
    line = Side(style="thin", color=RULE)
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFFFF")
        cell.fill = PatternFill("solid", fgColor=INK)
        cell.alignment = Alignment(vertical="center")
    for number, cells in enumerate(sheet.iter_rows(min_row=2), start=2):
        for column, cell in zip(COLUMNS, cells, strict=True):
            cell.alignment = Alignment(vertical="top", wrap_text=column in {"prompt", "notes"})
            cell.border = Border(bottom=line)
            if column in {"aspect_ratio", "sku"}:
                cell.number_format = "@"  # as text, or a spreadsheet reads 16:9 as a time of day
            if number % 2:
                cell.fill = PatternFill("solid", fgColor=PAPER)
        sheet.row_dimensions[number].height = 78
    sheet.row_dimensions[1].height = 24


def _dress_products(sheet: Worksheet) -> None:
    for number, (column, width) in enumerate(WIDTHS.items(), start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = width
        if column in CHOICES:
            choice = DataValidation("list", formula1=f'"{CHOICES[column]}"', allow_blank=True)
            choice.error = f"Choose one of {CHOICES[column].replace(',', ', ')}, or leave it empty."
            choice.errorTitle = column
            choice.add(f"{letter}2:{letter}500")
            sheet.add_data_validation(choice)
    sheet.freeze_panes = "D2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _fill_notes(sheet: Worksheet) -> None:
    for row in NOTES:
        sheet.append(row)
    sheet["A1"].font = Font(bold=True, size=14, color=INK)
    for left, right in sheet.iter_rows(min_row=2):
        left.font = Font(bold=True)
        left.alignment = right.alignment = Alignment(vertical="top", wrap_text=True)
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 84


def _settle(package: bytes) -> bytes:
    """Give the package one date throughout, so that equal rows give equal bytes."""
    settled = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            member = zipfile.ZipInfo(name, MADE_ON.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, SAVED_AT.sub(rb"\g<1>2026-11-20T09:00:00Z<", old.read(name)))
    return settled.getvalue()


def write_workbook(path: Path) -> None:
    """Write the rows as a workbook such as a content team keeps."""
    book = Workbook()
    products = book.worksheets[0]
    products.title = "Products"
    _fill_products(products)
    _dress_products(products)
    _fill_notes(book.create_sheet("Notes"))
    book.properties.creator = "Content team"
    book.properties.title = "Example manifest"
    book.properties.created = MADE_ON
    raw = io.BytesIO()
    book.save(raw)
    path.write_bytes(_settle(raw.getvalue()))
