"""The results file: the manifest in its own format, with the result of each row beside it.

Tested in tests/writer/test_workbook_copy.py, test_plain_workbook.py and
test_text_table.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.disk.failures import explain_os_error
from pipeline.disk.place import place
from pipeline.manifest.resultcolumns import names_beside
from pipeline.manifest.wording import count
from pipeline.model import Manifest, TextDialect
from pipeline.writer.behindrows import Table, put_dropdown
from pipeline.writer.cells import LINK, STATE_LOOKS, TEXT, TOP, Cell, Cut
from pipeline.writer.kept import NOTHING_KEPT, Book, BookUnfit, Kept
from pipeline.writer.layout import (
    REVIEW,
    STATE,
    TASK,
    TECHNICAL,
    TYPED,
    VIDEO,
    WORDY,
    Result,
    heights_of,
    lay_out,
    link_of,
    number_columns,
    own_columns,
    own_values,
    own_widths,
    pair,
)
from pipeline.writer.movedrows import move_rows
from pipeline.writer.parts import PackageCopy
from pipeline.writer.sheet import Insert
from pipeline.writer.summary import Summary, put_in
from pipeline.writer.text_table import write_text
from pipeline.writer.thumbnails import Thumbnail, thumbnails_of
from pipeline.writer.workbook_copy import DAMAGED, Unreadable, fill, find_sheet, write_plain

_OTHER_FORMATS = (".xls", ".ods")
_MACROS = (".xlsm", ".xltm")
_WIDTHS = (12.0, 36.0, 36.0, 36.0, 30.0, 17.0, 21.0, 21.0, 16.0, 36.0, 13.0, 12.0, 30.0, 48.0)
_OWN_WIDTH = 18.0


@dataclass(frozen=True, slots=True)
class Written:
    """Where the results file is, and notes about it for the user."""

    path: Path
    notes: tuple[str, ...] = ()


def write_results(
    manifest: Manifest,
    results: Sequence[Result],
    folder: Path,
    *,
    summary: Summary | None = None,
    stem: str = "results",
    source: Path | None = None,
    kept: Kept = NOTHING_KEPT,
    begin: Callable[[Path], None] = lambda _: None,
) -> Written:
    """Write `<stem>.<suffix>` into `folder`: one result for each row of the manifest, in order.

    A text manifest becomes a text file of its kind; every workbook becomes an `.xlsx`, a copy of it
    with the result columns on the right. Result columns that the manifest has are overwritten in
    place. Blank lines of a text manifest are left out; in a workbook every row stays where it is.

    Args:
        manifest: the table.
        results: one for each of its rows, in order.
        folder: where to write.
        summary: the run in figures, which becomes a sheet of a workbook.
        stem: the name of the file without its suffix.
        source: a copy of the workbook as it was when it was read; None for the manifest itself.
        kept: what a person has put into the file that is there, and what stays of it.
        begin: called with the new file when it is on the disk, just before it takes the place of
            that one.

    Raises:
        BookUnfit: the workbook of `kept` cannot be written into; it stays as it is.
        StoreError: the folder does not take the file.
        ValueError: results and rows do not match one to one.

    """
    pair(manifest, results)
    target = results_file(manifest, folder, stem)
    stills = thumbnails_of(results, folder) if manifest.dialect is None else ()
    summary = summary and put_in(summary, folder)
    sheet = _Sheet(manifest, results, summary, source or manifest.path, kept, stills)
    if manifest.dialect is not None:
        return _write_text(sheet, manifest.dialect, target, begin)
    return _write_workbook(sheet, target, begin)


def results_file(manifest: Manifest, folder: Path, stem: str = "results") -> Path:
    """Return the file that the results of a manifest are written to.

    Args:
        manifest: the table.
        folder: the output folder.
        stem: the name of the file without its suffix.

    """
    suffix = ".xlsx" if manifest.dialect is None else manifest.path.suffix.lower() or ".csv"
    return folder / f"{stem}{suffix}"


def _write_text(
    sheet: _Sheet, dialect: TextDialect, target: Path, begin: Callable[[Path], None]
) -> Written:
    manifest, kept = sheet.manifest, sheet.kept
    layout = lay_out(manifest.headers)
    lines = (
        [*layout.cells(row.cells, result.cells), *kept.of(row.number)]
        for row, result in zip(manifest.rows, sheet.results, strict=True)
    )
    headers = (*layout.headers, *kept.columns)
    path, replaced = place(
        target,
        lambda file: write_text(file, dialect, headers, lines),
        copy_of=manifest.path,
        begin=begin,
    )
    return Written(path, (*_note_of_other_name(target, path), *_unfit(replaced, dialect)))


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What a file of results is written of; `source` is the workbook that it is a copy of."""

    manifest: Manifest
    results: Sequence[Result]
    summary: Summary | None
    source: Path
    kept: Kept = NOTHING_KEPT
    thumbnails: Sequence[Thumbnail] = ()

    def into(self, book: Book) -> _Sheet:
        """Return the same for the results file that is there."""
        table, results = book.table, book.results(self.results)
        return _Sheet(table, results, self.summary, table.path, book.more, self.thumbnails)


def _write_workbook(sheet: _Sheet, target: Path, begin: Callable[[Path], None]) -> Written:
    suffix, name = sheet.manifest.path.suffix.lower(), sheet.manifest.path.name
    book = sheet.kept.book
    torn: list[str] = []

    def write(file: BinaryIO) -> Cut:
        if book is not None:
            try:
                return _copy(sheet.into(book), file, book)
            except DAMAGED as error:
                raise BookUnfit(str(error)) from error
        try:
            # Only opening it tells a file that is no package of XML, such as an .xls.
            return _copy(sheet, file)
        except DAMAGED as error:
            torn.append(str(error))
            file.seek(0)
            file.truncate()
            return _plain(sheet, file)

    path, cut = place(target, write, copy_of=sheet.manifest.path, begin=begin)
    notes = [*_note_of_other_name(target, path)]
    if torn:
        known = suffix in _OTHER_FORMATS
        notes.append(
            _note_of_loss(name, path) if known else _note_of_failed_copy(name, path, torn[0])
        )
    if suffix in _MACROS:
        notes.append(f"The macros of {name} are not in {path.name}: .xlsx files cannot hold any.")
    return Written(path, (*notes, *_note_of_cuts(cut)))


def _copy(sheet: _Sheet, file: BinaryIO, book: Book | None = None) -> Cut:
    manifest, kept = sheet.manifest, sheet.kept
    names = names_beside(manifest.headers) if book is None else book.names
    layout = lay_out(manifest.headers, names)
    first = manifest.first_column + 1
    by_row = {one.row: one for one in sheet.results}
    own = kept.values(manifest.rows) if kept.columns else {}
    again = {} if book is None else book.again
    heights = heights_of(manifest, sheet.results, _WIDTHS, copied=True)

    def make(looks: Mapping[str, int], first_free: int) -> Insert:
        shift = max(first + layout.own, first_free) - layout.own
        columns = {
            position + (first if position < layout.own else shift): index
            for position, index in layout.fields
        }
        behind = max(max(columns) + 1, first_free)
        extra = {behind + at: header for at, header in enumerate(kept.columns)}
        rewritten = {first + at: manifest.headers[at] for at in (book.columns if book else ())}
        known = {column for column in columns if column < first + layout.own}

        def cells(row: int) -> Iterator[tuple[int, Cell]]:
            yield from ((first + at, Cell(value)) for at, value in again.get(row, {}).items())
            yield from _result_cells(by_row[row], columns.items())
            yield from zip(extra, map(Cell, own.get(row, ())), strict=False)

        review = next(column for column, index in columns.items() if index == REVIEW)
        return Insert(
            header_row=manifest.header_row,
            headers={column: names[index] for column, index in columns.items()} | rewritten | extra,
            known=frozenset(known | rewritten.keys()),
            rows=[row.number for row in manifest.rows],
            cells=cells,
            looks=looks,
            widths={column: _WIDTHS[index] for column, index in columns.items()}
            | dict.fromkeys(extra, _OWN_WIDTH),
            tail=put_dropdown(review, manifest.header_row),
            heights=heights,
            outlined=[column for column, index in columns.items() if index in TECHNICAL],
            wrapped=[column for column, index in columns.items() if index in TYPED],
        )

    def over(insert: Insert) -> Table:
        last_row = max((row.number for row in manifest.rows), default=manifest.header_row)
        last, from_ = max(insert.headers), min(insert.headers)
        return Table(manifest.header_row, last_row, first, last, from_, again=book is not None)

    try:
        package = PackageCopy.of(sheet.source)
    except OSError as error:
        raise Unreadable(explain_os_error(error)) from error
    with package.zip:
        if book is not None and book.moves is not None:
            workbook = package.find_workbook()
            relationships = package.relationships(workbook)
            target = find_sheet(package, workbook, relationships, manifest.sheet)
            move_rows(package, target, book.moves)
        return fill(
            package,
            manifest.sheet,
            make,
            file,
            sheet.summary,
            thumbnails=sheet.thumbnails,
            over=over,
        )


def _plain(sheet: _Sheet, file: BinaryIO) -> Cut:
    manifest, kept = sheet.manifest, sheet.kept
    own = own_columns(manifest.headers)
    numbers = number_columns(manifest.headers, manifest.rows, own)
    rows = {row.number: row for row in manifest.rows}
    by_row = {one.row: one for one in sheet.results}
    values = kept.values(manifest.rows)
    names = names_beside(manifest.headers)
    behind = manifest.first_column + 1 + len(own)

    def cells(number: int) -> Iterator[Cell]:
        yield from (Cell(value, TEXT) for value in own_values(rows[number], own, numbers))
        for _, cell in _result_cells(by_row[number], enumerate(range(len(names)))):
            yield cell
        yield from map(Cell, values[number])

    return write_plain(
        file,
        manifest.sheet,
        first_column=manifest.first_column + 1,
        header_row=manifest.header_row,
        headers=(*(manifest.headers[i] for i in own), *names, *kept.columns),
        rows=list(rows),
        cells=cells,
        summary=sheet.summary,
        thumbnails=sheet.thumbnails,
        tail=put_dropdown(behind + REVIEW, manifest.header_row),
        widths=dict(enumerate((*own_widths(manifest, own), *_WIDTHS), manifest.first_column + 1)),
        wrapped=[behind + index for index in TYPED],
        heights=heights_of(manifest, sheet.results, _WIDTHS, copied=False),
    )


def _result_cells(result: Result, columns: Iterable[tuple[int, int]]) -> Iterator[tuple[int, Cell]]:
    values = result.cells
    for column, index in columns:
        if index == STATE:
            yield column, Cell(values[index], STATE_LOOKS[result.state])
        elif index in {VIDEO, TASK}:
            link = link_of(result.video) if index == VIDEO else result.task_link
            yield column, Cell(values[index], LINK if link else TOP, link)
        else:
            yield column, Cell(values[index], TEXT if index in WORDY else TOP)


def _note_of_other_name(target: Path, path: Path) -> tuple[str, ...]:
    """Return a note if the file had to be written to another name."""
    if path == target:
        return ()
    why, way = f"{target.name} is open in another program or locked", f"Close {target.name}"
    if target.is_dir():
        why, way = f"{target} is a folder", "Rename that folder"
    report = "run `reelsheet report MANIFEST` to bring it up to date"
    return (f"{why}, so {path.name} was written instead. {way} and {report}.",)


def _unfit(replaced: int, dialect: TextDialect) -> tuple[str, ...]:
    """Return a note if the encoding of the file lacks some characters."""
    if not replaced:
        return ()
    if dialect.encoding.lower().startswith("utf"):
        return (f"{count(replaced, 'broken character')} (half of a surrogate pair) became `?`.",)
    note = (
        f"{count(replaced, 'character')} that {dialect.encoding} does not have became `?`. "
        "Save the manifest as UTF-8 to keep them."
    )
    return (note,)


def _note_of_cuts(cut: Cut) -> tuple[str, ...]:
    """Return a note if texts were longer than a cell."""
    if not cut.texts:
        return ()
    return (
        f"{count(cut.texts, 'text')} longer than a cell holds (32,767 characters) now end in `…`.",
    )


def _note_of_loss(name: str, path: Path) -> str:
    return (
        f"The formats, formulas, pictures, macros and other sheets of {name} are not in "
        f"{path.name}: that format cannot be written, so {path.name} is a new workbook with the "
        f"values alone, dates and times as texts. They are all still in {name}, which is never "
        "changed. Save a manifest as .xlsx before its first run to keep them in its results."
    )


def _note_of_failed_copy(name: str, path: Path, why: str) -> str:
    return (
        f"{name} could not be copied ({why}), so {path.name} is a new workbook with its values "
        "alone: formats, formulas and other sheets are not in it. Open and save the manifest in "
        "Excel, then run `reelsheet report MANIFEST`."
    )
