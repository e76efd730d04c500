"""What a person has put into the results file is read back, before anything else is done with it.

The file is read only if it is not as it was written, or read, last: its hash says so. What was
typed into the columns of decisions becomes decisions; a person's own columns are kept for the next
file; a row that belongs to none of the manifest, or a cell of the manifest's that was changed, is
told of, and the file is saved before it is written over.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import IMAGE_FIELDS
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file
from pipeline.errors import ManifestError
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_all
from pipeline.manifest.resultcolumns import DECISION_COLUMNS, names_beside
from pipeline.manifest.wording import address_of, agree, count
from pipeline.model import Decision, Manifest, Row
from pipeline.planner.planner import known_rows
from pipeline.process.collector import pause_collector
from pipeline.reader.reading import read
from pipeline.review.cards import hash_of
from pipeline.review.codepages import encoding_of
from pipeline.review.joining import Joined, join, means_the_same, strays
from pipeline.review.recording import take_back_decisions
from pipeline.review.sheetcells import Cells, ReadCells, TypedRow, read_cells, shown
from pipeline.review.takes import JudgedRow, TakeFile, judged_rows
from pipeline.review.typedover import say_doubled, say_typed, say_typed_in_summary
from pipeline.review.verdicts import latest_of
from pipeline.review.writtenfiles import Texts, WrittenFile, written_files
from pipeline.writer.results import results_file
from pipeline.writer.summary import SUMMARY_SHEET

_MOST_LINES = 10
_TAKE = "result_take"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """The results file that is there, as it was read.

    `joined` is None where it was not read, because it is as it was left, or cannot be. `written` is
    what the journal notes of it by now; None if it notes nothing. `unread` are cells that were not
    understood, by the numbers of their rows in the manifest.
    """

    path: Path
    sha256: str
    written: WrittenFile | None = None
    joined: Joined | None = None
    unreadable: bool = False
    unread: Mapping[int, Cells] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What was read back: the main file, if there is one, and what a person should be told."""

    main: FoundFile | None = None
    lines: tuple[str, ...] = ()


def stem_of(checked: CheckedManifest, folder: OutputFolder) -> str:
    """Return the name of the results of a manifest without its suffix."""
    path = checked.manifest.path
    return f"{path.stem}-results" if folder.wrote(path) else "results"


@pause_collector()
def read_back(
    checked: CheckedManifest,
    folder: OutputFolder,
    *,
    whole: bool = False,
    always: bool = False,
) -> ReadBack:
    """Read back what a person has put into the results of a manifest; record what they decided.

    Args:
        checked: the manifest.
        folder: its output folder.
        whole: whether the main file is read also if it is as it was left, but holds something of a
            person's own, since it is to be written over.
        always: whether the main file is read however it is.

    Raises:
        StoreError: the journal cannot be read or written.
        UsageError: it was written by a newer version.

    """
    target = results_file(checked.manifest, folder.root, stem_of(checked, folder))
    known: dict[str, WrittenFile] | None = None
    reader = None
    notes: Mapping[str, str] = {}
    main, lines = None, take_back_decisions(checked, folder)
    for path in _files(target):
        with contextlib.suppress(OSError):
            sha256 = hash_of_file(path)
            if known is None:
                notes = read_notes(folder.journal)
                known = written_files(notes)
            written = known.get(path.name)
            found = FoundFile(path, sha256, written)
            as_left = written is not None and written.sha256 == sha256
            held = path == target and (always or bool(whole and written and written.touched))
            if not as_left or held:
                reader = reader or _Reader(checked, folder, notes)
                found, told = reader.read(found, as_left=as_left)
                lines += told
            main = found if path == target else main
    return ReadBack(main, tuple(lines))


def _files(target: Path) -> Iterator[Path]:
    """Yield the results file, and those that were written beside it while it was open."""
    number = 1
    path = target
    while path.is_file():
        yield path
        number += 1
        path = target.with_name(f"{target.stem}-{number}{target.suffix}")


@dataclass
class _Reader:
    """Reads the results files of a manifest, with all that is known of its rows."""

    checked: CheckedManifest
    folder: OutputFolder
    notes: Mapping[str, str]
    _rows: Sequence[JudgedRow] = ()
    _tasks: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the journal."""
        _, attempts = read_all(self.folder.journal)
        entries, _ = known_rows(self.checked, self.folder, {one.key: one for one in attempts})
        self._rows = judged_rows(self.checked, entries, attempts)
        keys = {one.identity: key for key, one in entries.items()}
        self._tasks = {
            one.task_id: keys[one.identity]
            for one in attempts
            if one.task_id is not None and one.identity in keys
        }

    def read(self, found: FoundFile, *, as_left: bool) -> tuple[FoundFile, list[str]]:
        """Read a file, and record what a person decided in it; return lines about it."""
        name, written = found.path.name, found.written
        try:
            table = self._table(found.path)
        except ManifestError as error:
            lines = [f"{name} was changed, and cannot be read: {error.message} {error.action}"]
            return replace(found, unreadable=True), lines
        joined = join(self.checked, table, self._tasks)
        if as_left:
            left = self._by_row({} if written is None else written.unread)
            return replace(found, joined=joined, unread=left), []
        if written is None and not any(one in joined.ours for one in self._decided_columns):
            return replace(found, joined=joined), []
        rows = list(self._typed_rows(joined, written))
        said, seen = self._record(rows, 0 if written is None else written.seen)
        told, changed = self._compare(joined, written)
        typed = [*say_typed(joined, self.notes, partial(_place, table)), *self._in_summary(table)]
        lines = [*_capped([*said.lines, *told, *typed, *say_doubled(joined)])]
        fresh = WrittenFile(
            found.sha256,
            seen,
            table.headers if written is None else written.headers,
            touched=True,
            lossy=said.lossy or changed or bool(typed) or bool(written and written.lossy),
            cells=self._differing(rows),
            unread=said.unread,
            rows=written.rows if written else "",
        )
        with DecisionTable(self.folder.journal) as journal:
            journal.note(fresh.note(name))
        unread = self._by_row(said.unread)
        return replace(found, written=fresh, joined=joined, unread=unread), lines

    def _by_row(self, cells: Texts) -> dict[int, Cells]:
        names = {row.entry or row.key: row.row for row in self._rows}
        return {names[name]: said for name, said in cells.items() if name in names}

    @property
    def _decided_columns(self) -> tuple[str, ...]:
        return names_beside(self.checked.manifest.headers)[-len(DECISION_COLUMNS) :]

    def _table(self, path: Path) -> Manifest:
        manifest = self.checked.manifest
        if manifest.dialect is not None:
            return read(path, encoding=encoding_of(path, manifest))
        table = partial(read, path, hidden_rows="include")
        try:
            return table(sheet=manifest.sheet)
        except ManifestError:  # it may be called otherwise by now
            return table()

    def _in_summary(self, table: Manifest) -> list[str]:
        if table.sheet is None:
            return []
        with contextlib.suppress(ManifestError):  # there is none
            sheet = read(table.path, sheet=SUMMARY_SHEET, hidden_rows="include")
            return [*say_typed_in_summary(sheet, self.notes)]
        return []

    def _typed_rows(self, joined: Joined, written: WrittenFile | None) -> Iterator[TypedRow]:
        rows = {row.row: row for row in self._rows}
        columns = [
            (short, joined.ours[name])
            for short, name in zip(DECISION_COLUMNS, self._decided_columns, strict=True)
            if name in joined.ours
        ]
        cells: Texts = {} if written is None else written.cells
        unread: Texts = {} if written is None else written.unread
        take_at = joined.ours.get(_TAKE)
        for number, row in joined.rows.items():
            known = rows[number]
            name = known.entry or known.key
            take = _take_in(known, row, take_at)
            yield TypedRow(
                name,
                known.entry,
                take,
                {short: row.cells[at].strip() for short, at in columns},
                _Places(joined.table, row, dict(columns)),
                self._prompt_hash(number),
                cells.get(name, {}),
                unread.get(name, {}),
            )

    def _prompt_hash(self, number: int) -> str:
        return hash_of(self.checked.sheet_prompt(number))

    def _record(self, rows: Sequence[TypedRow], seen: int) -> tuple[ReadCells, int]:
        """Record what was decided, and return it with the place of the last decision."""
        before = read_decisions(self.folder.journal)
        said = read_cells(rows, before, seen, time.time())
        if said.decisions:

            def choose(existing: Sequence[Decision]) -> Sequence[Decision]:
                nonlocal said
                if len(existing) != len(before):  # somebody decided something meanwhile
                    said = read_cells(rows, existing, seen, time.time())
                return said.decisions

            with DecisionTable(self.folder.journal) as table:
                table.add(None, choose)
        decisions = read_decisions(self.folder.journal)
        self._latest = latest_of(decisions)
        return said, max((one.seq for one in decisions), default=0)

    def _differing(self, rows: Sequence[TypedRow]) -> dict[str, Cells]:
        """Return the cells that do not say what the journal does."""
        found: dict[str, Cells] = {}
        for row in rows:
            number = row.take.number if row.take else 0
            said = shown(self._latest.get((row.entry, number)))
            other = {name: text for name, text in row.cells.items() if text != said[name]}
            if other:
                found[row.name] = other
        return found

    def _compare(self, joined: Joined, written: WrittenFile | None) -> tuple[list[str], bool]:
        """Tell of cells that are not as in the manifest, and of rows that are not in it."""
        manifest = self.checked.manifest
        names = {at: name for name, at in self.checked.fields.items()}
        lines, others = [], 0
        for row in manifest.rows:
            there = joined.rows.get(row.number)
            if there is None:
                continue
            # A row that a person left as it was differs because the manifest was edited since.
            if written and written.said([there.cells[place] for place in joined.own.values()]):
                continue
            for at, place in joined.own.items():
                if row.cells[at] == there.cells[place]:
                    continue
                if means_the_same(row.cells[at], there.cells[place]):
                    continue
                if names.get(at) in {"prompt", *IMAGE_FIELDS}:
                    where = _place(joined.table, there, place)
                    lines.append(f"{where}: {manifest.headers[at]!r} is not as in {manifest.path}")
                else:
                    others += 1
        if lines or others:
            also = f" and {count(others, 'other cell')}" if others and lines else ""
            only = f"{count(others, 'cell')}" if others and not lines else ""
            what = f"{count(len(lines), 'cell')}{also}" if lines else only
            lines.append(
                f"{joined.table.path.name}: {what} {agree(len(lines) + others, 'is', 'are')} not "
                f"as in {manifest.path}, which counts: change it there"
            )
        if lost := strays(joined):
            rows = ", ".join(str(row.number) for row in lost[:_MOST_LINES])
            lines.append(
                f"{joined.table.path.name}: {count(len(lost), 'row')} ({rows}) "
                f"{agree(len(lost), 'belongs', 'belong')} to no row of {manifest.path}, or to "
                "one that stands above, and will not be written again"
            )
        return lines, bool(lines)


def _take_in(known: JudgedRow, row: Row, at: int | None) -> TakeFile | None:
    """Return the take that a row of the file is about: the one it names, or the newest."""
    text = "" if at is None else row.cells[at].strip().removesuffix(".0")
    named = next((one for one in known.takes if str(one.number) == text), None)
    return named or (known.takes[-1] if known.takes else None)


@dataclass(frozen=True, slots=True)
class _Places(Mapping[str, str]):
    """Where the cells of a row are, put into words only where that is asked."""

    table: Manifest
    row: Row
    columns: Mapping[str, int]

    def __getitem__(self, name: str) -> str:
        return _place(self.table, self.row, self.columns[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def _place(table: Manifest, row: Row, at: int) -> str:
    cell = address_of(table, at, row.number)
    if cell is not None:
        return f"{table.path.name}, cell {cell}"
    return f"{table.path.name}, line {row.number}, column {table.headers[at].strip()}"


def _capped(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"… and {more:,} more such cells"]
