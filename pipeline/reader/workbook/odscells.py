"""What a cell of an OpenDocument table says, by its attributes and its paragraphs.

ODF 1.2 part 1, 19.385: the kind of a value and the value are attributes, what is shown is text.

Tested in tests/reader/test_opendocument.py.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from pipeline.manifest.picturetexts import makes_picture
from pipeline.reader.workbook.cellforms import BY_FORMULA, code_of_empty

# What LibreOffice and Excel show in place of a value.
_ERROR = re.compile(
    r"#(?:N/A|NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|GETTING_DATA)|(?:Err|#ERR):\d{3}"
)
_SPAN = re.compile(r"(-?)P(?:(\d+)D)?T(\d+)H(\d+)M(\d+(?:[.,]\d+)?)S")
_NUMBERS = {"float", "percentage", "currency"}


@dataclass(slots=True)
class OdsCell:
    """A cell with something to say: its attributes, the texts of its paragraphs, its place."""

    attributes: dict[str, str]
    column: int
    count: int
    paragraphs: list[list[str]] = field(default_factory=list)
    characters: int = 0

    @property
    def text(self) -> str:
        """What it shows, or says that it shows."""
        shown = "\n".join(map("".join, self.paragraphs))
        return shown or self.attributes.get("office:string-value", "")


def speaks(cell: OdsCell) -> bool:
    """Tell whether the cell has a value, a formula or a text."""
    attributes = cell.attributes
    if "office:value-type" in attributes or "table:formula" in attributes:
        return True
    return any(part.strip() for paragraph in cell.paragraphs for part in paragraph)


def problem_of(cell: OdsCell) -> str:
    """Return the code of the problem that the cell has; empty if none."""
    attributes = cell.attributes
    kind = attributes.get("office:value-type")
    if kind == "error" or attributes.get("calcext:value-type") == "error":
        return "error_value"
    formula = attributes.get("table:formula")
    if formula is None:
        return ""
    if makes_picture(formula) and (not cell.text or _ERROR.fullmatch(cell.text)):
        return BY_FORMULA
    if kind is None and not cell.paragraphs:
        return "formula_not_calculated"
    if kind == "string" and not cell.text:
        return code_of_empty(formula.partition("=")[2])
    return "error_value" if _ERROR.fullmatch(cell.text) else ""


def value_of(cell: OdsCell) -> object:
    """Return the value of a cell that has no problem."""
    attributes = cell.attributes
    kind = attributes.get("office:value-type", "")
    shown = cell.text
    if kind in _NUMBERS:
        # LibreOffice keeps a truth value that came from Excel as a number.
        return shown if shown in {"TRUE", "FALSE"} else float(attributes["office:value"])
    if kind == "boolean":
        return attributes.get("office:boolean-value") == "true"
    if kind == "date":
        return _moment(attributes.get("office:date-value", "")) or shown
    if kind == "time":
        return _span(attributes.get("office:time-value", "")) or shown
    return shown


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None  # a year outside of 1 to 9999: what is shown is all there is


def _span(text: str) -> dt.timedelta | None:
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    sign, days, hours, minutes, seconds = found.groups()
    span = dt.timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes),
        seconds=float(seconds.replace(",", ".")),
    )  # fmt: skip
    return -span if sign else span
