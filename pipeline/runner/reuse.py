"""Repeats in a run: the plan is held against what was bought before, and their videos are copied.

Which rows are repeats is a pure decision (`planner.repeats`). Here is what it needs to know, from
journal, book and disk; and what a run does before it submits anything: a video that was bought
before is copied into this output folder, its content is checked against what was recorded of it,
and only then the row is done. A file that is gone or was changed is passed over for the next one.

Tested in tests/runner/test_reuse.py and tests/system/test_repeats.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pipeline.account.opening import find_purchases
from pipeline.account.submission import Submission
from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.place import place_copy
from pipeline.events import Event, Requeued, Reused
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_attempts
from pipeline.lifecycle import SETTLED, apply
from pipeline.model import Attempt, Entry, Request, State
from pipeline.planner.plan import Action, Plan, Selection, Step, limit_submissions
from pipeline.planner.planner import plan_manifest
from pipeline.planner.repeats import Bought, Compared, History, Repeats, find_repeats
from pipeline.runner.engine_setup import Attempts
from pipeline.writer.outcome import FRESH_TAKE


class Purchases(Protocol):
    """What the account has bought: its book."""

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        """Return what other journals bought of these requests, by their hashes, the latest first.

        Raises StoreError.
        """


class _NothingBought:
    """The purchases of a rehearsal, and of whoever does without a book."""

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        _ = hashes
        return {}


NOTHING_BOUGHT: Purchases = _NothingBought()


def purchases_of(config: Config, folder: OutputFolder) -> Purchases:
    """Return what was bought elsewhere on the account of a configuration; nothing is made.

    Raises StoreError.
    """
    return find_purchases(config, os.environ, folder.journal) or NOTHING_BOUGHT


@dataclass
class Comparison:
    """A plan, and the past that its rows are held against.

    `entries` is what the journal knows, by the keys that the rows have now.
    """

    checked: CheckedManifest
    entries: Mapping[str, Entry]
    config: Config
    selection: Selection
    _plan: Plan
    _history: History
    _requests: Mapping[str, Request] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        checked: CheckedManifest,
        entries: Mapping[str, Entry],
        folder: OutputFolder,
        selection: Selection,
        *,
        config: Config,
        purchases: Purchases,
        renamed: Mapping[str, str] | None = None,
        wall: float | None = None,
    ) -> Comparison:
        """Plan a manifest, and gather what its rows are compared with.

        Args:
            checked: The manifest with its keys and requests.
            entries: What the journal knows, by the keys that the rows have now.
            folder: The output folder.
            selection: What the run is asked to do.
            config: The configuration.
            purchases: What the account bought.
            renamed: The earlier keys of renamed rows, by their keys now.
            wall: The time of the plan in Unix seconds; None: now.

        Raises:
            StoreError: Journal or book cannot be read.

        """
        # Repeats are no submissions, so the limit is for what is left without them.
        unlimited = replace(selection, limit=None)
        plan = plan_manifest(checked, entries, folder, unlimited, renamed=renamed, wall=wall)
        requests = requests_by_key(checked)
        present = frozenset(checked.keys)
        if folder.holds_part_of_rows(checked.manifest.path):
            present |= entries.keys()  # its other rows are in the manifest that it was made of
        submits = {requests[step.key].request_hash for step in plan.of(Action.SUBMIT)}
        elsewhere = purchases.bought_elsewhere(submits) if submits else {}
        own = _own_attempts(plan, entries, folder, checked.manifest.path, present)
        history = History(elsewhere, own, present, _find_unusable([elsewhere, own]))
        return cls(checked, entries, config, selection, plan, history, requests)

    def compare(self) -> Compared:
        """Return the plan with its repeats, within the limit of the selection."""
        compared = find_repeats(
            self._plan,
            self._requests,
            self.entries,
            self._history,
            selection=self.selection,
            setting=Repeats(self.config.repeats),
        )
        return replace(compared, plan=limit_submissions(compared.plan, self.selection.limit))

    def pass_over(self, bought: Submission) -> None:
        """Take it from now on that the video of a submission cannot be had."""
        unusable = self._history.unusable | {bought.reference}
        self._history = replace(self._history, unusable=unusable)


def requests_by_key(checked: CheckedManifest) -> dict[str, Request]:
    """Return the requests of the manifest's rows, by key; rows that break a rule have none."""
    requests = checked.requests
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    return {key: requests[row.number] for key, row in rows if row.number in requests}


def _own_attempts(
    plan: Plan,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    manifest: Path,
    present: Collection[str],
) -> Bought:
    """Return what may come back from this journal: earlier takes, and all of rows that left."""
    changed = {step.key for step in plan.steps if step.action is Action.SUBMIT or step.edited}
    left = [entry for key, entry in entries.items() if key not in present]
    several = [
        entry.identity
        for entry in (*left, *(entries[key] for key in changed if key in entries))
        if entry.attempt.number > 1
    ]
    attempts = [entry for entry in left if entry.attempt.number == 1]
    attempts += read_attempts(folder.journal, several)
    found: dict[str, list[Submission]] = {}
    for entry in reversed(attempts):
        one = _submission_of(entry, folder, manifest)
        found.setdefault(one.request.request_hash, []).append(one)
    return found


def _submission_of(entry: Entry, folder: OutputFolder, manifest: Path) -> Submission:
    attempt = entry.attempt
    # An attempt that was followed by another was closed for it: its video says what came of it.
    done = entry.closed and entry.video is not None
    return Submission(
        reference=attempt.client_business_id,
        journal_id="",
        folder=str(folder.root.absolute()),
        manifest=str(manifest.absolute()),
        identity=entry.identity,
        key=entry.key,
        number=attempt.number,
        request=attempt.request,
        state=State.DONE if done else entry.state,
        video_name=attempt.video_name,
        task_id=entry.task_id,
        money=attempt.cost,
        submitted_at=entry.submitted_at,
        finished_at=entry.finished_at,
        video=entry.video,
    )


def _find_unusable(several: Iterable[Bought]) -> frozenset[str]:
    """Return the references of the videos whose file is missing or has another length."""
    return frozenset(
        one.reference
        for bought in several
        for submissions in bought.values()
        for one in submissions
        if one.video is not None and not _has_length(_file_of(one), one.video.size_bytes)
    )


def _file_of(bought: Submission) -> Path:
    name = bought.video.name if bought.video else bought.video_name
    return OutputFolder(Path(bought.folder)).videos / name


def _has_length(path: Path, size_bytes: int) -> bool:
    try:
        return path.lstat().st_size == size_bytes
    except OSError:
        return False


@dataclass
class Copying:
    """The copies of one run: they are put into its output folder, and noted in its journal.

    `note` is told every event, `stopped` says whether the run is to end.
    """

    journal: Journal
    folder: OutputFolder
    note: Callable[[Event], None]
    stopped: Callable[[], bool] = lambda: False

    def carry_out(self, comparison: Comparison, entries: dict[str, Entry], wall: float) -> Compared:
        """Copy the videos of repeats; return the plan as it is with those that could be had.

        The rows that got one are done, in `entries` as well. A file that turns out to be another
        than what was recorded is passed over. That moves no row before its own: of equal rows the
        first ones get the first videos.

        Args:
            comparison: The plan and what it is held against.
            entries: What the journal knows, by key.
            wall: The time in Unix seconds.

        Raises:
            StoreError: Folder or journal take no more.

        """
        compared = comparison.compare()
        if not compared.plan.of(Action.REUSE):
            return compared
        attempts = Attempts(
            comparison.checked,
            comparison.config,
            self.journal.id,
            entries,
            self.journal.identity_of,
        )
        fresh: dict[str, Entry] = {}
        written = []
        for at in range(len(compared.plan.steps)):
            while (step := compared.plan.steps[at]).action is Action.REUSE and not self.stopped():
                events = self._copy(step, attempts.new(step.key), entries.get(step.key))
                if events:
                    written.append(self.journal.append(events, wall))
                    fresh[step.key] = self._noted(entries.get(step.key), events, wall)
                    break
                comparison.pass_over(_bought(step))
                compared = comparison.compare()
        for one in written:
            one.result()
        entries |= fresh
        return compared

    def _copy(self, step: Step, attempt: Attempt, before: Entry | None) -> list[Event]:
        """Copy the video of a repeat; return what happened to the row, nothing if it failed."""
        bought = _bought(step)
        video, task_id = bought.video, bought.task_id
        if video is None or task_id is None:
            return []
        if not place_copy(_file_of(bought), self.folder.videos / attempt.video_name, video.sha256):
            return []
        warnings = (*video.warnings, _origin_of(bought, attempt))
        taken = replace(video, name=attempt.video_name, warnings=warnings)
        reused = Reused(
            step.key, attempt.number, replace(attempt, cost=0.0), task_id, taken, bought.finished_at
        )
        if before is None or before.state not in SETTLED:
            return [reused]
        return [Requeued(step.key, before.attempt.number), reused]

    def _noted(self, entry: Entry | None, events: Sequence[Event], wall: float) -> Entry:
        for event in events:
            entry = apply(entry, event, wall)
            self.note(event)
        assert entry is not None  # noqa: S101 - there is an event
        return entry


def _bought(step: Step) -> Submission:
    assert step.repeat_of is not None  # noqa: S101 - a repeat is one of something
    return step.repeat_of


def _origin_of(bought: Submission, attempt: Attempt) -> str:
    """Return the warning of a row that says where its video is from; KEY stands for its key."""
    if bought.identity == attempt.identity and not bought.journal_id:
        return f"the take of attempt {bought.number}, made of the same cells"
    return f"taken from {bought.key} of {bought.manifest}; {FRESH_TAKE}"
