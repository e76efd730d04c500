"""What is remembered of the rows that were sent from an output folder, and by whom.

The one that knows more comes first: the account's book, what can be read of the journal itself,
run.log, the results.

Tested in tests/system/test_lost_journals.py.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex

from pipeline.account.place import places_of
from pipeline.account.reading import journals_in, submissions_of
from pipeline.account.recovery import asks_first
from pipeline.account.submission import KnownJournal, Submission, submission_of
from pipeline.checker import naming
from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of, text_of
from pipeline.errors import JournalDamaged, UsageError
from pipeline.journal.copies import salvage
from pipeline.journal.database import (
    clear_errors,
    connect_for_reading,
    refuse_damaged,
    refuse_lack_of_runs,
)
from pipeline.journal.identities import Identities
from pipeline.journal.logreading import logged
from pipeline.journal.reading import attempts_in, was_cut_off
from pipeline.lifecycle import PAID
from pipeline.model import IDENTITY_MARK, Entry, Request, State
from pipeline.models.pricing import cost_of
from pipeline.runner.leftvideos import find_left
from pipeline.runner.remains import (
    Trace,
    journal_id_in,
    read_results,
    traces_in_log,
    traces_in_results,
)
from pipeline.runner.target import Target


@dataclass(frozen=True, slots=True)
class OldJournal:
    """The journal that is there: its id and its attempts, `whole` if it can be gone on with.

    `doubtful` says that it may have forgotten what its last run sent, `damaged` that the file is
    empty, or cannot be read to its end.
    """

    journal_id: str | None = None
    attempts: tuple[Entry, ...] = ()
    whole: bool = False
    doubtful: bool = False
    damaged: bool = False


@dataclass
class Memory:
    """What is remembered of the submissions from one output folder, by reference.

    `told_by` counts who was the first to tell of each.
    """

    target: Target
    checked: CheckedManifest
    journal_id: str
    submissions: dict[str, Submission] = field(default_factory=dict)
    told_by: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Take the requests and the file names from the manifest as it is now."""
        checked, requests = self.checked, self.checked.with_held().requests
        keyed = list(zip(checked.keys, checked.manifest.rows, strict=True))
        self.requests = {key: requests[row.number] for key, row in keyed if row.number in requests}
        self._by_hash = {one.request_hash: one for one in self.requests.values()}
        template = self.target.config.output.name
        self._bases = naming.video_names(keyed, checked.manifest.headers, template, {})
        self._places: dict[str, str] = {}

    def know(self, requests: Iterable[Request]) -> None:
        """Take in what was asked for, also of rows that say something else by now."""
        for one in requests:
            self._by_hash.setdefault(one.request_hash, one)

    def add(self, source: str, submissions: Iterable[Submission]) -> None:
        """Take in what a source tells; it knows no better than those before it."""
        tasks = {one.task_id for one in self.submissions.values()}
        for one in submissions:
            known = self.submissions.get(one.reference)
            if known is None and (one.task_id is None or one.task_id not in tasks):
                self.submissions[one.reference] = one
                self.told_by[source] += 1
            elif known is not None and known.task_id is None and one.task_id is not None:
                self.submissions[one.reference] = one

    def entry_told(self, entry: Entry) -> Submission:
        """Return an attempt that a damaged journal still tells of."""
        folder, manifest = self.target.folder.root.resolve(), self.target.manifest.resolve()
        return submission_of(entry, self.journal_id, str(folder), str(manifest))

    def submission_of(self, trace: Trace) -> Submission:
        """Return an attempt that a file tells of; what was asked for is taken from the row."""
        reference = trace.reference or self.reference(trace.identity, trace.number)
        request = self._request(trace, reference)
        folder, budget = self.target.folder, self.target.config.budget
        self._places.setdefault(reference, trace.place)
        base = self._bases.get(trace.key, reference)
        name = trace.video_name or naming.attempt_name(base, trace.number)
        return Submission(
            reference=reference,
            journal_id=self.journal_id,
            folder=str(folder.root.resolve()),
            manifest=str(self.target.manifest.resolve()),
            identity=trace.identity,
            key=trace.key,
            number=trace.number,
            request=request,
            state=trace.state,
            video_name=name,
            task_id=trace.task_id,
            money=cost_of(request, budget.price_per_second, budget.currency),
            submitted_at=trace.submitted_at,
            finished_at=trace.finished_at,
        )

    def find_videos(self, tell: Callable[[str], None]) -> None:
        """Look for the videos of done rows that nothing describes; raises StoreError."""
        wanted = {
            one.reference: (one.video_name, self._places.get(one.reference, ""))
            for one in self.submissions.values()
            if one.state is State.DONE and one.video is None
        }
        found = find_left(wanted, self.target.config, self.target.folder, tell)
        for reference, video in found.items():
            self.submissions[reference] = replace(self.submissions[reference], video=video)

    def reference(self, identity: str, number: int) -> str:
        """Return the reference of an attempt of this journal."""
        return naming.reference(self.journal_id, identity, number)

    def _request(self, trace: Trace, reference: str) -> Request:
        row = self.requests.get(trace.key)
        if trace.request_hash in self._by_hash:
            return self._by_hash[trace.request_hash]
        if row is not None and trace.request_hash is None:
            return row
        # The row was edited or left the manifest: what was asked for is not known any more.
        unknown = trace.request_hash or f"unknown {reference}"
        if row is not None:
            return replace(row, prompt="", images=(), request_hash=unknown)
        defaults, api = self.target.config.defaults, self.target.config.api
        return Request(
            "",
            (),
            defaults.duration,
            defaults.aspect_ratio,
            defaults.resolution,
            api.model,
            unknown,
        )

    def possible(self) -> Iterator[Trace]:
        """Yield for each row the attempt that may have been made without a trace."""
        latest: dict[str, Submission] = {}
        for one in sorted(self.submissions.values(), key=lambda one: one.number):
            latest[one.identity] = one
        by_key = {one.key: one for one in latest.values()}
        for key in self.requests:
            known = by_key.get(key)
            if known is None:
                identity, turn = key, 1
                while identity in latest:
                    turn += 1
                    identity = f"{key}{IDENTITY_MARK}{turn}"
                yield Trace(key, identity, 1, State.IN_DOUBT)
            elif known.state not in PAID:
                yield Trace(key, known.identity, known.number + 1, State.IN_DOUBT)


def remember(target: Target, checked: CheckedManifest) -> tuple[OldJournal, Memory, bool]:
    """Return the journal that is there, what is remembered, and whether the id is the old one."""
    folder, book = target.folder, places_of(target.config, os.environ).found
    known_here = [] if book is None else journals_in(book, folder.root)
    here = [one for one in known_here if not _is_of_another(one, target)]
    there = _read(folder.journal, {one.journal_id for one in here}, target.manifest)
    lines = list(logged(folder.log))
    ids = (
        there.journal_id,
        *(one.journal_id for one in here if one.last_event),
        journal_id_in(lines),
        *(one.journal_id for one in here),  # nothing happened in them
    )
    known = next((one for one in ids if one is not None), None)
    memory = Memory(target, checked, known or token_hex(16))
    if book is not None and known is not None:
        memory.add("the account's book", submissions_of(book, known))
    if not there.whole:
        memory.add("what can be read of the journal", map(memory.entry_told, there.attempts))
        there = replace(there, attempts=())
    memory.add("run.log", map(memory.submission_of, traces_in_log(lines)))
    memory.add("the results", map(memory.submission_of, _traces_in_results(memory)))
    return there, memory, known is not None


def _is_of_another(journal: KnownJournal, target: Target) -> bool:
    """Return whether the book has a journal in the folder that was put there by mistake."""
    its = path_of(journal.manifest)
    if target.config.manifest.series is not None or target.folder.wrote(target.manifest):
        return False
    return its != target.manifest.resolve() and not is_gone(its)


def _read(path: Path, here: set[str], manifest: Path) -> OldJournal:
    """Return the journal that is there; nothing of one that belongs elsewhere."""
    try:
        with clear_errors(path):
            connection = connect_for_reading(path)
            if connection is None:
                return OldJournal()
            with contextlib.closing(connection):
                refuse_damaged(connection, path)
                refuse_lack_of_runs(path)
                notes = dict(connection.execute("SELECT name, value FROM meta"))
                cut_off = was_cut_off(connection)
                attempts = tuple(attempts_in(connection, identities=Identities(connection)))
    except JournalDamaged:
        found = salvage(path)
        return OldJournal(found.journal_id, found.attempts, damaged=True)
    if here and notes.get("id") not in here:
        return OldJournal()
    if not attempts:
        return OldJournal()
    ours = notes.get("manifest", text_of(manifest.resolve())) == text_of(manifest.resolve())
    if not (ours or here):
        return OldJournal()
    return OldJournal(notes.get("id"), attempts, whole=True, doubtful=cut_off or asks_first(notes))


def _traces_in_results(memory: Memory) -> Iterator[Trace]:
    """Yield what the results tell; what was asked for is in them, whatever is in the sheet now."""
    target = memory.target
    results = read_results(target.folder)
    if results is None:
        return
    try:
        checked = check_manifest(
            results.path,
            target.config,
            cache_dir=target.folder.cache,
            origin=target.manifest,
            known=memory.checked.reading,
        )
    except UsageError:
        return
    requests, rows = checked.with_held().requests, checked.manifest.rows
    asked = dict(zip(checked.keys, (requests.get(row.number) for row in rows), strict=True))
    memory.know(one for one in asked.values() if one is not None)
    for trace in traces_in_results(checked.manifest, checked.keys):
        request = asked[trace.key]
        yield trace if request is None else replace(trace, request_hash=request.request_hash)
