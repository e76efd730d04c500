"""Which sheet of a workbook is read: the one that is named, or the first one that is shown."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import ManifestError


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet of a workbook: its name, whether it is shown, and where it is in the file.

    `part` is the name of a part of a package, `at` a place in a stream or among the tables.
    """

    name: str
    visible: bool
    part: str = ""
    at: int = 0


def chosen(name: str, sheets: list[SheetPart], wanted: str | int | None) -> SheetPart:
    """The sheet of that name or number (from 1); by default the first one that is shown.

    Raises ManifestError that lists the sheets.
    """
    if wanted is None:
        shown = [sheet for sheet in sheets if sheet.visible] or sheets
        if shown:
            return shown[0]
        raise ManifestError(f"{name} has no worksheet.", action="Save it with one.")
    for same in (str.__eq__, lambda one, other: one.strip().casefold() == other.strip().casefold()):
        for sheet in sheets:
            if isinstance(wanted, str) and same(sheet.name, wanted):
                return sheet
    number = int(wanted) if isinstance(wanted, int) or wanted.strip().isdecimal() else 0
    if 1 <= number <= len(sheets):
        return sheets[number - 1]
    listing = ", ".join(f"{at} {sheet.name!r}" for at, sheet in enumerate(sheets, 1))
    raise ManifestError(
        f"{name} has no sheet {wanted!r}.",
        action=f"Set `manifest.sheet` to one of these names or numbers: {listing}.",
    )
