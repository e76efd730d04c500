"""Results are written without losing what a person has put into the file that is there.

It is read back just before, and only then another file takes its place. If it is saved meanwhile,
the new file is made once more. What cannot be joined to the rows is saved first, as
`results.before-<time>` beside it.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file, open_to_read_bytes
from pipeline.disk.place import is_open, place, place_new
from pipeline.errors import ReelsheetError, StoreError, UsageError
from pipeline.journal.decisions import DecisionTable, read_decided
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_id
from pipeline.manifest.invocation import Invocation
from pipeline.review.chosen import ChosenTakes, chosen_takes, with_chosen, with_unread
from pipeline.review.exchange import write_csv
from pipeline.review.keeping import keep
from pipeline.review.readback import FoundFile, ReadBack, read_back, stem_of
from pipeline.review.typedover import note_results, note_summary
from pipeline.review.verdicts import latest_of
from pipeline.review.writtenfiles import DECISIONS, WrittenFile, marks_of, written_files
from pipeline.runner.order import Order
from pipeline.writer.kept import BookUnfit
from pipeline.writer.layout import Result, lay_out, own_columns
from pipeline.writer.publish import Published, publish
from pipeline.writer.results import results_file
from pipeline.writer.summary import Summary, texts_of_summary

_MOST_TRIES = 5
Note = Callable[[Mapping[str, str]], None]
"""Keeps texts in the journal by their names."""


class _SavedMeanwhile(Exception):
    """Somebody saved the file that was about to be written over."""


def publish_results(
    checked: CheckedManifest,
    results: Sequence[Result],
    folder: OutputFolder,
    summary: Summary | None,
    source: Path | None = None,
    *,
    typed: Invocation | None = None,
    note: Note | None = None,
) -> Published:
    """Write the results with the chosen takes, as `publish` does, and all that is kept.

    Args:
        checked: the manifest and its problems.
        results: one for each of its rows, in order.
        folder: where to write.
        summary: the run in figures; None to write none.
        source: a copy of the manifest as it was when it was read; None for the manifest itself.
        typed: what the user named, for the commands in notes; None for the manifest alone.
        note: keeps what was written in the journal, if that is open; else it is opened for it.

    Raises:
        StoreError: the folder does not take the files, or the journal cannot be read.

    """
    said: list[str] = []
    into_book = True
    saved: set[str] = set()
    for left in reversed(range(_MOST_TRIES)):
        try:
            writing = _Writing(
                checked, folder, summary is None, saved, into_book=into_book, last=not left
            )
            said += writing.lines
            complete = writing.complete(results)

            def begin(written: Path, one: _Writing = writing, of: list[Result] = complete) -> None:
                one.begin(written)
                _note_contents(folder, note, one.target.name, of, summary)

            published = publish(
                checked,
                complete,
                folder,
                summary,
                source,
                typed=typed,
                kept=writing.kept,
                begin=begin,
            )
        except _SavedMeanwhile:
            continue
        except BookUnfit:
            into_book = False
            continue
        _note(folder, note, writing.written.note(published.results.name))
        said += _write_decisions(checked, folder, partial(_note, folder, note))
        return replace(published, notes=(*dict.fromkeys(said), *published.notes))
    raise AssertionError  # pragma: no cover - the last try takes whatever is there


def publish_order(
    order: Order, results: Sequence[Result], summary: Summary, note: Note
) -> Published:
    """Write the results of a run, as `publish_results` does; raises StoreError.

    Args:
        order: what the run was asked to do.
        results: what came of each row, in order.
        summary: the run in figures.
        note: keeps what was written in the journal.

    """
    checked, folder, source = order.checked, order.folder, order.source
    return publish_results(
        checked, results, folder, summary, source, typed=order.invocation, note=note
    )


class _Writing:
    """One try to write the results over those that are there."""

    def __init__(
        self,
        checked: CheckedManifest,
        folder: OutputFolder,
        always: bool,
        saved: set[str],
        *,
        into_book: bool,
        last: bool,
    ) -> None:
        self._checked, self._folder, self._last = checked, folder, last
        self.target = results_file(checked.manifest, folder.root, stem_of(checked, folder))
        back = self._read_back(always=always and self.target.suffix == ".xlsx")
        self.lines = [*back.lines]
        self._main = back.main
        self._chosen = _chosen(folder)
        self.kept, lossy = keep(checked, back.main, into_book=into_book and not last)
        self._sha256 = ""
        fresh = back.main is not None and back.main.sha256 not in saved
        if lossy and back.main is not None and fresh and not is_open(self.target):
            saved.add(back.main.sha256)
            self.lines.append(_save(self.target, "holds what cannot be written again"))

    def _read_back(self, *, always: bool) -> ReadBack:
        try:
            return read_back(self._checked, self._folder, whole=True, always=always)
        except (StoreError, UsageError) as error:
            # Without the journal nothing can be recorded: the file is kept as it is.
            with contextlib.suppress(OSError):
                found = FoundFile(self.target, hash_of_file(self.target), unreadable=True)
                return ReadBack(found, (f"{self.target.name} was not read back: {error.message}",))
            return ReadBack()

    def complete(self, results: Sequence[Result]) -> list[Result]:
        """Return the results with the chosen takes and what stays of a person's."""
        unread = self._main.unread if self._main else {}
        return with_unread(with_chosen(results, self._checked.keys, self._chosen), unread)

    def begin(self, written: Path) -> None:
        """Look at the file that is about to be written over, and note what takes its place."""
        self._sha256 = hash_of_file(written)
        try:
            there = hash_of_file(self.target)
        except OSError:
            return
        if there == (self._main.sha256 if self._main else ""):
            return
        if not self._last:
            raise _SavedMeanwhile
        _save(self.target, "was saved while it was read")

    @property
    def written(self) -> WrittenFile:
        """What is to be noted of the file that was written."""
        unread = self._main.written.unread if self._main and self._main.written else {}
        manifest = self._checked.manifest
        own = own_columns(manifest.headers)
        return WrittenFile(
            self._sha256,
            self._chosen.seen,
            lay_out(manifest.headers).headers,
            touched=bool(self.kept.columns or self.kept.book or unread),
            cells=unread,
            unread=unread,
            rows=marks_of(([row.cells[at] for at in own]) for row in manifest.rows),
        )


def _note(folder: OutputFolder, note: Note | None, values: Mapping[str, str]) -> None:
    """Note in the journal what was written, so that it is known what a person changes."""
    # What cannot be noted is read once more at the next time, and says nothing new.
    with contextlib.suppress(ReelsheetError):
        if note is not None:
            note(values)
            return
        with DecisionTable(folder.journal) as table:
            table.note(values)


def _note_contents(
    folder: OutputFolder,
    note: Note | None,
    name: str,
    results: Sequence[Result],
    summary: Summary | None,
) -> None:
    """Note what is in a file that is about to be placed, so that it is known what is typed over it.

    Args:
        folder: the output folder.
        note: as for `publish_results`.
        name: that of the file.
        results: what is written into it.
        summary: what its sheet Summary says; None if that stays as it is.

    """
    with contextlib.suppress(ReelsheetError):
        before = read_notes(folder.journal)
        told = (
            {}
            if summary is None
            else note_summary(name, texts_of_summary(summary, folder.root), before)
        )
        _note(folder, note, {**note_results(name, results, before), **told})


def _write_decisions(
    checked: CheckedManifest, folder: OutputFolder, note: Callable[[Mapping[str, str]], None]
) -> list[str]:
    """Write `decisions.csv` beside the results, if there are decisions; return what to tell."""
    with contextlib.suppress(ReelsheetError):
        decided = read_decided(folder.journal)
        journal = read_id(folder.journal)
        if not decided.decisions or journal is None:
            return []
        latest = sorted(latest_of(decided.decisions).values(), key=lambda one: one.seq)
        named = [(decided.keys.get(one.entry, one.entry), one) for one in latest]
        data = write_csv(journal, named).encode("utf-8", "replace")
        target = folder.root / DECISIONS
        fresh = WrittenFile(hashlib.sha256(data).hexdigest(), latest[-1].seq)
        lines = []
        with contextlib.suppress(OSError):
            there = hash_of_file(target)
            if there == fresh.sha256:
                return []
            last = written_files(read_notes(folder.journal)).get(DECISIONS)
            if last is None or there != last.sha256:
                why = "was changed" if last else "says what the journal does not know"
                lines.append(_save(target, why))
        place(target, lambda file: file.write(data), copy_of=checked.manifest.path)
        note(fresh.note(DECISIONS))
        return lines
    return []


def _chosen(folder: OutputFolder) -> ChosenTakes:
    try:
        return chosen_takes(folder.journal)
    except (StoreError, UsageError):
        return ChosenTakes()


def _save(target: Path, why: str) -> str:
    """Copy a file beside itself; return the line that says so. Raises StoreError."""
    with raise_store_errors(target), open_to_read_bytes(target) as file:
        data = file.read()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1, 100):
        end = f"-{number}" if number > 1 else ""
        saved = target.with_name(f"{target.stem}.before-{stamp}{end}{target.suffix}")
        with raise_store_errors(saved):
            try:
                place_new(saved, data, copy_of=target)
            except FileExistsError:
                continue
            return f"{target.name} {why}, and was saved as {saved.name}"
    raise StoreError(f"{target} could not be saved under another name.")
