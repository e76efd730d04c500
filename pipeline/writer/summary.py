"""One run in figures: `summary.json` for programs, and the sheet `Summary` of the results.

Tested in tests/writer/test_workbook_copy.py and tests/writer/test_text_table.py.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from pipeline.disk.place import place
from pipeline.model import State
from pipeline.reader.workbook.package import (
    Element,
    NotAWorkbook,
    Relationship,
    iter_elements,
    make_parser,
)
from pipeline.writer.cells import STATE_LOOKS, Cell, Cut, cell_xml, xml_text
from pipeline.writer.parts import SHEET_TYPE, PackageCopy, elements, splice

_FILE_NAME = "summary.json"
_SHEET_NAME = "Summary"
_MARK = "Reelsheet run"  # in A1: marks the sheet of an earlier results file
_STRICT = "http://purl.oclc.org/ooxml/"
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_NAMESPACE = "http://purl.oclc.org/ooxml/spreadsheetml/main"
SUMMARY_KEYS = (
    "schema",
    "run_id",
    "manifest",
    "provider",
    "rows",
    "states",
    "submitted",
    "downloaded",
    "bytes",
    "video_seconds",
    "started_at",
    "finished_at",
    "elapsed_s",
    "exit_code",
    "stopped_by",
    "balance_before",
    "balance_after",
)
"""The keys of summary.json, in their order."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One run in figures, for machines: `summary.json`.

    `states` pairs each state with its number of rows. `balance_before` and `balance_after` are what
    the account held, None where it was not asked or did not say. `spend` is what the run reserved,
    with what is confirmed or in doubt, and its currency; None without a price.
    """

    run_id: str
    manifest: str
    provider: str
    rows: int
    states: tuple[tuple[str, int], ...]
    submitted: int
    downloaded: int
    bytes: int
    video_seconds: int
    started_at: str
    finished_at: str
    elapsed_s: float
    exit_code: int
    stopped_by: str | None = None
    balance_before: float | None = None
    balance_after: float | None = None
    spend: tuple[float, str] | None = None
    schema: int = field(default=1)


def write_summary(summary: Summary, folder: Path) -> Path:
    """Write `summary.json` into `folder` with its keys in their documented order.

    Raises StoreError when the folder does not take the file.
    """
    return _write({key: getattr(summary, key) for key in SUMMARY_KEYS}, summary, folder)


def write_beginning(summary: Summary, folder: Path) -> Path:
    """Write the `summary.json` of a run that goes on: it has no end and no exit code yet.

    So it says the truth after a kill, too. Raises StoreError when the folder does not take it.
    """
    record = {key: getattr(summary, key) for key in SUMMARY_KEYS}
    return _write({**record, "finished_at": None, "exit_code": None}, summary, folder)


def _write(record: dict[str, object], summary: Summary, folder: Path) -> Path:
    record["states"] = dict(summary.states)
    # In ASCII, so that a path with bytes that are not UTF-8 is still valid JSON.
    data = json.dumps(record, indent=2).encode("ascii") + b"\n"
    path, _ = place(
        folder / _FILE_NAME, lambda file: file.write(data), copy_of=Path(summary.manifest)
    )
    return path


def put_summary(
    package: PackageCopy, summary: Summary, looks: Mapping[str, int], like: Relationship, cut: Cut
) -> None:
    """Add the sheet `Summary` after the last one, or overwrite that of an earlier results file.

    Args:
        package: the workbook.
        summary: the run in figures.
        looks: the numbers of the cell formats.
        like: the relationship of a sheet of this workbook (a strict workbook has other types).
        cut: counts the texts that had to be cut.

    """
    workbook = package.find_workbook()
    data = package.read(workbook)
    found = elements(data)
    sheets = {e.attributes["name"]: e for e in found if e.local == "sheet"}
    strict = like.type.startswith(_STRICT)
    sheet = _sheet(summary, looks, _STRICT_NAMESPACE if strict else _NAMESPACE, cut).encode("utf-8")
    earlier = _earlier(package, workbook, sheets)
    if earlier is not None:
        package.change(earlier, sheet)
        return
    taken = {name.casefold() for name in sheets}
    name = next((n for n in _names(_SHEET_NAME) if n.casefold() not in taken), None)
    if name is None:
        raise NotAWorkbook(f"all names of a sheet {_SHEET_NAME} are taken")
    part = _free_part(package, posixpath.dirname(workbook))
    package.add_part(part, sheet, SHEET_TYPE)
    new = package.add_relationship(workbook, like.type, part)
    _list_sheet(package, workbook, found, name, new)


def _list_sheet(
    package: PackageCopy, workbook: str, found: list[Element], name: str, relationship: str
) -> None:
    data = package.read(workbook)
    listed = [e for e in found if e.local == "sheet"]
    number = max(int(e.attributes["sheetId"]) for e in listed) + 1
    last = listed[-1]
    attribute = next((a for a in last.attributes if a.endswith(":id")), None)
    if attribute is None:
        raise NotAWorkbook("its last sheet names no part")
    xml = f'<{last.name} name="{name}" sheetId="{number}" {attribute}="{relationship}"/>'
    package.change(workbook, splice(data, [(last.end, last.end, xml.encode())]))


def _names(stem: str) -> list[str]:
    return [stem, *(f"{stem} {number}" for number in range(2, 1000))]


def _free_part(package: PackageCopy, folder: str) -> str:
    names = (posixpath.join(folder, f"worksheets/sheet{number}.xml") for number in count(1))
    return next(name for name in names if name not in package)


def _earlier(package: PackageCopy, workbook: str, sheets: Mapping[str, Element]) -> str | None:
    """Return the part of the summary sheet that the workbook has as an earlier results file."""
    targets = {r.id: r.target for r in package.relationships(workbook)}
    pattern = re.compile(rf"{_SHEET_NAME}( \d+)?")
    for name, element in sheets.items():
        target = targets.get(element.reference() or "")
        if pattern.fullmatch(name) and target and _first_text(package, workbook, target) == _MARK:
            return target
    return None


def _first_text(package: PackageCopy, workbook: str, part: str) -> str | None:
    """Return the text of A1, which a spreadsheet program may have moved to the shared strings."""
    data = package.read(part)
    cell, inside = _first_cell(data)
    if cell is None or cell.attributes.get("r") != "A1":
        return None
    text = data[inside[0].inner : inside[0].close].decode("utf-8", "replace") if inside else None
    if text is None or cell.attributes.get("t") != "s":
        return text
    strings = [r.target for r in package.relationships(workbook) if r.kind == "sharedStrings"]
    return _shared_text(package.read(strings[0]), int(text)) if strings else None


def _first_cell(data: bytes) -> tuple[Element | None, list[Element]]:
    """Return the first cell of a sheet and the texts in it; the sheet may be a large one."""
    cell: Element | None = None
    inside: list[Element] = []
    for element in iter_elements(data):
        if cell is None:
            cell = element if element.local == "c" else None
        elif cell.end and element.start >= cell.end:
            break
        elif element.local in ("t", "v"):
            inside.append(element)
    return cell, inside


def _shared_text(data: bytes, index: int) -> str | None:
    """Return the shared string with this number from 0; the list may be a long one."""
    number, reads = -1, False
    found: list[str] = []

    def start(tag: str, _: object) -> None:
        nonlocal number, reads
        local = tag.rpartition(":")[2]
        number += local == "si"
        reads = local == "t" and number == index

    def end(_: str) -> None:
        nonlocal reads
        reads = False

    def characters(text: str) -> None:
        if reads:
            found.append(text)

    make_parser(start, end, characters).Parse(data, True)
    return "".join(found) if number >= index else None


def _sheet(summary: Summary, looks: Mapping[str, int], namespace: str, cut: Cut) -> str:
    rows = "".join(
        f'<row r="{number}">{_cells(number, pair, looks, cut)}</row>'
        for number, pair in enumerate(_lines(summary), start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{xml_text(namespace)}"><cols>'
        '<col min="1" max="1" width="24" customWidth="1"/>'
        '<col min="2" max="2" width="48" customWidth="1"/>'
        f"</cols><sheetData>{rows}</sheetData></worksheet>"
    )


def _cells(number: int, pair: tuple[Cell, Cell], looks: Mapping[str, int], cut: Cut) -> str:
    return "".join(
        cell_xml(f"{letter}{number}", cell, looks.get(cell.look or ""), cut)
        for letter, cell in zip("AB", pair, strict=True)
    )


def _lines(summary: Summary) -> list[tuple[Cell, Cell]]:
    money, currency = summary.spend or (None, "")
    lines: list[tuple[str, str | float | None]] = [
        (_MARK, summary.run_id),
        ("manifest", summary.manifest),
        ("provider", summary.provider),
        ("started (UTC)", summary.started_at),
        ("finished (UTC)", summary.finished_at),
        ("time taken, seconds", round(summary.elapsed_s)),
        ("stopped by", summary.stopped_by),
        ("submitted in this run", summary.submitted),
        ("videos downloaded", summary.downloaded),
        ("bytes downloaded", summary.bytes),
        ("seconds of video", summary.video_seconds),
        (f"spent in this run, {currency}", money),
        ("balance before", summary.balance_before),
        ("balance after", summary.balance_after),
        ("rows", summary.rows),
    ]
    pairs = [(Cell(name), Cell(value)) for name, value in lines if value is not None]
    pairs.append((Cell("state"), Cell("rows in it")))
    counts = dict(summary.states)
    return pairs + [
        (Cell(state.value, STATE_LOOKS[state]), Cell(counts[state]))
        for state in State
        if counts.get(state)
    ]
