"""One run in figures: `summary.json` for programs, and the sheet `Summary` of the results.

Tested in tests/writer/test_workbook_copy.py and tests/writer/test_text_table.py.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place
from pipeline.errors import ReelsheetError
from pipeline.model import State
from pipeline.reader.workbook.package import Relationship
from pipeline.writer.cells import BAND, STATE_LOOKS, TEXT, Cell, Cut, cell_xml, xml_text
from pipeline.writer.outcome import iso
from pipeline.writer.ownsheets import OwnSheet, namespace_of, put_sheet
from pipeline.writer.parts import PackageCopy

_FILE_NAME = "summary.json"
SUMMARY_SHEET = "Summary"
_MARK = "Reelsheet run"  # in A1: marks the sheet of an earlier results file
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
    with what is confirmed or in doubt, and its currency; None without a price. `links_from` is the
    folder that the links in a workbook lead from: who gets it by mail finds the videos there.
    `unchecked_models` are those whose rules come from a sheet of the user's alone, if any do.
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
    links_from: str | None = None
    unchecked_models: tuple[str, ...] = ()
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


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the summary of the last run in a folder; empty if there is none that can be read."""
    with (
        contextlib.suppress(OSError, ValueError, RecursionError),
        open_to_read_bytes(folder / _FILE_NAME) as file,
    ):
        told = json.load(file)
        return told if isinstance(told, dict) else {}
    return {}


def tell_refused(folder: OutputFolder, manifest: Path, error: ReelsheetError, at: float) -> None:
    """Have the summary of the run before say why no run could begin; raises nothing.

    Whoever looks at the file alone would take it for well otherwise. The rows stand there as they
    stood, and the id stays that of the last run that began. Where no run has been nothing is made,
    and where one goes on it says itself how it ends.

    Args:
        folder: The output folder of the manifest.
        manifest: The manifest.
        error: Why it is not worked on.
        at: When that was, in Unix seconds.

    """
    before = read_summary(folder.root)
    if not before:
        return
    told = {**dict.fromkeys(SUMMARY_KEYS), **before}
    told |= {"submitted": 0, "downloaded": 0, "bytes": 0, "elapsed_s": 0.0}
    told |= {"started_at": iso(at), "finished_at": iso(at)}
    told |= {"exit_code": int(error.exit_code), "stopped_by": error.message}
    told |= {"balance_before": None, "balance_after": None}
    with contextlib.suppress(ReelsheetError), run_lock(folder.lock, manifest):
        _place(told, folder.root, folder.summary)


def _write(record: dict[str, object], summary: Summary, folder: Path) -> Path:
    record["states"] = dict(summary.states)
    if summary.unchecked_models:
        record["unchecked_models"] = list(summary.unchecked_models)
    return _place(record, folder, Path(summary.manifest))


def _place(record: Mapping[str, object], folder: Path, copy_of: Path) -> Path:
    # In ASCII, so that a path with bytes that are not UTF-8 is still valid JSON.
    data = json.dumps(record, indent=2).encode("ascii") + b"\n"
    path, _ = place(folder / _FILE_NAME, lambda file: file.write(data), copy_of=copy_of)
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
    sheet = _sheet(summary, looks, namespace_of(like), cut).encode("utf-8")
    put_sheet(package, OwnSheet(SUMMARY_SHEET, _MARK, sheet, columns="AB"), like)


def put_in(summary: Summary, folder: Path) -> Summary:
    """Return the figures as a workbook in a folder tells them: its links lead from there."""
    return replace(summary, links_from=str(folder.absolute()))


def texts_of_summary(summary: Summary, folder: Path) -> list[str | float | None]:
    """Return what the cells of the sheet say in a workbook in a folder."""
    return [cell.value for pair in _lines(put_in(summary, folder)) for cell in pair]


def _sheet(summary: Summary, looks: Mapping[str, int], namespace: str, cut: Cut) -> str:
    rows = "".join(
        f'<row r="{number}">{_cells(number, pair, looks, cut)}</row>'
        for number, pair in enumerate(_lines(summary), start=1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{xml_text(namespace)}">'
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><cols>'
        '<col min="1" max="1" width="32" customWidth="1"/>'
        '<col min="2" max="2" width="48" customWidth="1"/>'
        f"</cols><sheetData>{rows}</sheetData>"
        '<pageSetup paperSize="9" fitToHeight="0"/></worksheet>'
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
        ("links lead from", summary.links_from),
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
        ("models not checked independently", ", ".join(summary.unchecked_models) or None),
        ("rows", summary.rows),
    ]
    pairs = [(Cell(name, TEXT), Cell(value, TEXT)) for name, value in lines if value is not None]
    pairs[0] = (pairs[0][0]._replace(look=BAND), pairs[0][1]._replace(look=BAND))
    pairs.append((Cell("state", BAND), Cell("rows in it", BAND)))
    counts = dict(summary.states)
    return pairs + [
        (Cell(state.value, STATE_LOOKS[state]), Cell(counts[state]))
        for state in State
        if counts.get(state)
    ]
