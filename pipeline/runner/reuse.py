"""Videos that were bought before are copied, before a run submits anything and when it ends.

The copy's content is checked against what was recorded of the video, and only then the row is done.
A file that is gone or was changed is passed over for the next one.

Tested in tests/runner/test_reuse.py and tests/system/test_repeats.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.account.submission import Submission
from pipeline.checker.rules import content_of
from pipeline.disk.folder import OutputFolder
from pipeline.disk.place import holds_hash
from pipeline.disk.rights import make_cache, make_folder_for
from pipeline.errors import HostDown, StoreError
from pipeline.events import Event, Requeued, Reused
from pipeline.journal.journal import Journal
from pipeline.lifecycle import SETTLED, apply
from pipeline.model import Attempt, Entry, Request, State, shown_key
from pipeline.planner.heldback import Hold, hold_for
from pipeline.planner.plan import REPEAT, Action, Plan, Step
from pipeline.planner.repeats import Compared
from pipeline.runner.attempts import Attempts
from pipeline.runner.comparison import Comparison
from pipeline.runner.takes import Purchases, bought_elsewhere
from pipeline.storage.places import RUN_AGAIN_LATER, Place, put_numbered
from pipeline.storage.storedfiles import StoredFile
from pipeline.writer.outcome import FRESH_TAKE


@dataclass
class Copying:
    """The copies of one run: they are put into its output folder, and noted in its journal.

    `note` is told every event, `mode` has the rights of the copies, `stopped` says whether the run
    is to end. `place` is where they are put instead, if videos go elsewhere.
    """

    journal: Journal
    folder: OutputFolder
    note: Callable[[Event], None]
    mode: int
    place: Place | None = None
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
        self._make_room(comparison.checked.manifest.path)
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
                source = comparison.file_of(_bought(step))
                events = self._copy(step, source, attempts.new(step.key), entries.get(step.key))
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

    def _copy(
        self, step: Step, source: StoredFile, attempt: Attempt, before: Entry | None
    ) -> list[Event]:
        """Copy the video of a repeat; return what happened to the row, nothing if it failed."""
        bought = _bought(step)
        video, task_id = bought.video, bought.task_id
        if video is None or task_id is None:
            return []
        name = self._put(source, attempt.video_name, video.sha256)
        if name is None:
            return []
        # That of a copy says where it was taken from in turn.
        own = (one for one in video.warnings if not one.endswith(FRESH_TAKE))
        warnings = (*own, _origin_of(bought, attempt))
        place = "" if self.place is None else self.place.address
        taken = replace(video, name=name, warnings=warnings, place=place)
        # Its request: that of a row of an earlier edition may be worded otherwise.
        made = replace(attempt, request=bought.request, cost=0.0)
        reused = Reused(step.key, made.number, made, task_id, taken, bought.finished_at)
        if before is None or before.state not in SETTLED:
            return [reused]
        return [Requeued(step.key, before.attempt.number), reused]

    def _make_room(self, manifest: Path) -> None:
        if self.place is None:
            make_folder_for(self.folder.videos, manifest)
        else:
            make_cache(self.folder.cache, manifest)
            make_folder_for(self.folder.coming, manifest)
            asyncio.run(self.place.prepare())

    def _put(self, source: StoredFile, name: str, sha256: str) -> str | None:
        """Put a copy into the place of this run; return its name, or None if it is another file."""
        if self.place is None:
            copied = source.copy_to(self.folder.videos / name, sha256, self.mode)
            return name if copied else None
        scratch = source.path
        if scratch is None:
            scratch = self.folder.coming / f".{name}.copy"
            if not source.copy_to(scratch, sha256, self.mode):
                return None
        try:
            return asyncio.run(put_numbered(self.place, name, scratch, sha256))
        except HostDown as error:
            raise StoreError(error.message, action=RUN_AGAIN_LATER) from error
        except StoreError:
            if source.path is not None and not holds_hash(source.path, sha256):
                return None  # the next file may be the one that was recorded
            raise
        finally:
            if source.path is None:
                scratch.unlink(missing_ok=True)

    def _noted(self, entry: Entry | None, events: Sequence[Event], wall: float) -> Entry:
        for event in events:
            entry = apply(entry, event, wall)
            self.note(event)
        assert entry is not None  # noqa: S101 - there is an event
        return entry


def hold(step: Step, reason: str) -> Step:
    """Return the step of a row that waits as a repeat."""
    return step._replace(action=Action.LEAVE, group=REPEAT, reason=reason, counts=False)


def put_steps(plan: Plan, steps: Mapping[str, Step]) -> Plan:
    """Return a plan with other steps for some of its rows, by their keys."""
    return replace(plan, steps=tuple(steps.get(step.key, step) for step in plan.steps))


def hold_bought(
    plan: Plan,
    held: Mapping[str, str],
    requests: Mapping[str, Request],
    purchases: Purchases,
    setting: str,
) -> Plan:
    """Return a plan with the rows held whose requests others bought while the run went on.

    Args:
        plan: What the run was to do.
        held: Why the account's book did not let a row be sent, by its key.
        requests: The requests of the manifest's rows, by key.
        purchases: What the account has bought.
        setting: The setting `repeats`.

    Raises:
        StoreError: The book cannot be read.

    """
    bought = bought_elsewhere(purchases, (requests[key] for key in held))
    steps = {}
    for step in plan.steps:
        if step.key in held:
            newest = next(iter(bought.get(content_of(requests[step.key]), ())), None)
            why = None if newest is None else _why_held(newest, setting)
            steps[step.key] = hold(step, held[step.key])._replace(repeat_of=newest, hold=why)
    return put_steps(plan, steps)


def _why_held(bought: Submission, setting: str) -> Hold:
    if bought.state is not State.DONE:
        return hold_for(bought.state)
    return Hold.SETTING if setting == "hold" else Hold.BY_NOW_DONE


def _bought(step: Step) -> Submission:
    assert step.repeat_of is not None  # noqa: S101 - a repeat is one of something
    return step.repeat_of


def _origin_of(bought: Submission, attempt: Attempt) -> str:
    """Return the warning of a row that says where its video is from; KEY stands for its key."""
    if bought.identity == attempt.identity and not bought.journal_id:
        return f"the take of attempt {bought.number}, made of the same cells"
    return f"taken from {shown_key(bought.key)} of {bought.manifest}; {FRESH_TAKE}"
