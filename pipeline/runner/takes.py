"""What was bought before, and where its videos lie: the take's own file, or any copy of it.

A take that was reused lies in as many output folders as it serves rows in. Each of these files is
as good as the first one, if its content is that of the take. So where the first one is gone, moved
or changed, the others are looked for: in the journals that the book knows, in those near, and where
it was handed over. What people decided about them is asked there, too.

Tested in tests/runner/test_reuse.py and tests/system/test_repeats.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from pipeline.account.purchases import find_purchases
from pipeline.account.submission import KnownJournal, Submission
from pipeline.checker.check import CheckedManifest
from pipeline.checker.packeddrafts import keys_with_prompts
from pipeline.checker.rules import content_of, plain_prompt, spellings_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.sqlitefile import path_of, text_of
from pipeline.errors import StoreError, UsageError
from pipeline.journal.decisions import read_decided
from pipeline.journal.handovers import Handover, latest_handovers
from pipeline.manifest.blank import has_controls
from pipeline.model import Decision, Request, State
from pipeline.planner.plan import Action, Plan
from pipeline.planner.planner import take_of
from pipeline.planner.repeats import Bought
from pipeline.review.verdicts import APPROVE, REJECT, Take, latest_of
from pipeline.storage.storedfiles import StoredFile

_MANY_ROWS = 20_000
"""From so many rows on, those whose prompt was never bought are not compared any further."""


class Purchases(Protocol):
    """What the account has bought for other journals: its book. All of it raises StoreError."""

    def has_any(self) -> bool:
        """Return whether anything was bought at all."""

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        """Return what was bought of these requests, by their hashes, the latest first."""

    def prompts(self) -> Iterable[str]:
        """Return the prompts of all that was bought, and maybe of more."""

    def with_controls(self) -> Sequence[Request]:
        """Return the requests whose prompts have control characters, which are not sent."""

    def keys_elsewhere(
        self, keys: Collection[str]
    ) -> Sequence[tuple[KnownJournal, frozenset[str]]]:
        """Return the journals for which rows with any of these keys were bought, with these."""

    def bought_for(self, journal_id: str) -> Sequence[Submission]:
        """Return what was submitted from a journal."""

    def copies_of(self, tasks: Collection[str]) -> Mapping[str, Sequence[StoredFile]]:
        """Return the files that the videos of these tasks were put into, by the task."""


class _NothingBought:
    """The purchases of a rehearsal, and of whoever does without a book."""

    def has_any(self) -> bool:
        return False

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        _ = hashes
        return {}

    def prompts(self) -> Iterable[str]:
        return ()

    def with_controls(self) -> Sequence[Request]:
        return ()

    def keys_elsewhere(
        self, keys: Collection[str]
    ) -> Sequence[tuple[KnownJournal, frozenset[str]]]:
        _ = keys
        return ()

    def bought_for(self, journal_id: str) -> Sequence[Submission]:
        _ = journal_id
        return ()

    def copies_of(self, tasks: Collection[str]) -> Mapping[str, Sequence[StoredFile]]:
        _ = tasks
        return {}


NOTHING_BOUGHT: Purchases = _NothingBought()


def purchases_of(config: Config, folder: OutputFolder, manifest: Path) -> Purchases:
    """Return what was bought elsewhere on the account of a configuration; nothing is made.

    Args:
        config: the configuration.
        folder: the output folder of the manifest.
        manifest: the manifest.

    Raises:
        StoreError: the folder's journal or the book cannot be read.

    """
    return find_purchases(config, os.environ, folder, manifest) or NOTHING_BOUGHT


def rows_alike(
    purchases: Purchases, checked: CheckedManifest, own: Bought
) -> frozenset[str] | None:
    """Return the keys of the rows whose prompt was ever bought; None: any row's may be.

    A request takes many times as long to make as its prompt to be looked up, and of large
    manifests most rows are new. Of small ones all are compared, as a book may be large; so are all
    where a request is known by its hash alone, as that of an edited row whose journal was lost.

    Args:
        purchases: what the account bought.
        checked: the manifest.
        own: what may come back from its own journal.

    Raises:
        StoreError: the book cannot be read.

    """
    if len(checked.drafts) < _MANY_ROWS:
        return None
    bought = chain(purchases.prompts(), (one.request.prompt for one in chain(*own.values())))
    prompts = {hash(plain_prompt(prompt)) for prompt in bought}
    if hash("") in prompts:
        return None
    return keys_with_prompts(checked.drafts, prompts) if prompts else frozenset()


def bought_elsewhere(
    purchases: Purchases, requests: Iterable[Request]
) -> dict[str, list[Submission]]:
    """Return what was bought of these requests, in whatever spelling, by their content.

    The latest come first. Raises StoreError.
    """
    found: dict[str, list[Submission]] = {}
    if not purchases.has_any():
        return found
    asked = list(requests)
    hashes = {one for request in asked for one in spellings_of(request)}
    if hashes and (marked := purchases.with_controls()):
        contents = frozenset(map(content_of, asked))
        hashes |= {one.request_hash for one in marked if content_of(one) in contents}
    bought = purchases.bought_elsewhere(hashes) if hashes else {}
    for one in chain.from_iterable(bought.values()):
        found.setdefault(content_of(one.request), []).append(one)
    for several in found.values():
        several.sort(key=lambda one: -(one.submitted_at or 0))
    return found


class WithComing:
    """What the account has bought, and what the same run buys for the manifests before this one."""

    def __init__(self, purchases: Purchases, coming: Iterable[Submission]) -> None:
        """Add what is coming to purchases."""
        self._purchases = purchases
        self._coming: dict[str, list[Submission]] = {}
        for one in coming:
            self._coming.setdefault(one.request.request_hash, []).append(one)
        self.keys_elsewhere, self.bought_for = purchases.keys_elsewhere, purchases.bought_for
        self.copies_of = purchases.copies_of

    def has_any(self) -> bool:
        """Return whether there is any."""
        return bool(self._coming) or self._purchases.has_any()

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        """Return both of these requests, by their hashes."""
        bought = self._purchases.bought_elsewhere(hashes)
        both = {
            one: (*bought.get(one, ()), *self._coming[one]) for one in hashes if one in self._coming
        }
        return {**bought, **both}

    def prompts(self) -> Iterator[str]:
        """Yield the prompts of both."""
        yield from self._purchases.prompts()
        yield from (one.request.prompt for some in self._coming.values() for one in some)

    def with_controls(self) -> Sequence[Request]:
        """Return both of those whose prompts have control characters."""
        coming = (one.request for some in self._coming.values() for one in some)
        fresh = [one for one in coming if has_controls(one.prompt)]
        return [*self._purchases.with_controls(), *fresh]


def coming_by(
    plan: Plan, requests: Mapping[str, Request], folder: Path, manifest: Path
) -> list[Submission]:
    """Return what a run will buy by a plan, as if it were being submitted.

    Args:
        plan: the plan.
        requests: those of its rows, by key.
        folder: the output folder.
        manifest: the manifest.

    """
    root, path = text_of(folder), text_of(manifest)
    return [
        Submission(
            reference=f"{root}/{step.key}",
            journal_id="",
            folder=root,
            manifest=path,
            identity=step.key,
            key=step.key,
            number=1,
            request=requests[step.key],
            state=State.SUBMITTING,
            video_name="",
        )
        for step in plan.of(Action.SUBMIT)
    ]


Copies = Callable[[Collection[str]], Mapping[str, Sequence[StoredFile]]]
"""Finds the files that videos were put into, by the tasks that made them."""


class TakeFiles:
    """The files of takes, as far as they can be had.

    `unusable` holds the references of the submissions whose video cannot.
    """

    def __init__(self, bought: Iterable[Submission], copies: Copies) -> None:
        """Look at the files of what was bought; `copies` is asked only about those that are gone.

        Raises StoreError.
        """
        self._copies = copies
        self._others: dict[str, Iterator[StoredFile]] = {}
        self._files: dict[str, StoredFile] = {}
        self._handovers: dict[str, dict[str, Handover]] = {}
        lost = [one for one in bought if one.video and not take_of(one).is_there()]
        self._look_for_copies(lost)
        self.unusable = frozenset(one.reference for one in lost if not self._take_next(one))

    def file_of(self, bought: Submission) -> StoredFile:
        """Return the file that is tried next for a submission."""
        return self._files.get(bought.reference, take_of(bought))

    def pass_over(self, bought: Submission) -> None:
        """Go on to the next file of a submission, as the one that was tried is not its video.

        Raises StoreError.
        """
        if bought.reference not in self._others:
            self._look_for_copies([bought])
        if not self._take_next(bought):
            self.unusable |= {bought.reference}

    def _look_for_copies(self, lost: Sequence[Submission]) -> None:
        tasks = {one.task_id for one in lost if one.task_id is not None}
        found = self._copies(tasks) if tasks else {}
        for one in lost:
            size = one.video.size_bytes if one.video else 0
            copies = [replace(copy, size_bytes=size) for copy in found.get(one.task_id or "", ())]
            copies += (StoredFile(path, size_bytes=size) for path in self._handed_over(one))
            self._others[one.reference] = iter([copy for copy in copies if copy.is_there()])

    def _handed_over(self, one: Submission) -> list[Path]:
        """Return the copy of a video that was handed over, if it was."""
        folder = OutputFolder(path_of(one.folder))
        if one.folder not in self._handovers:
            self._handovers[one.folder] = {}
            # A journal that cannot be read is told of by the command that works with it.
            with contextlib.suppress(StoreError, UsageError):
                self._handovers[one.folder] = latest_handovers(folder.journal)
        note = self._handovers[one.folder].get(one.identity)
        if note is None or one.video is None or note.sha256 != one.video.sha256:
            return []
        return [folder.approved / note.name / f"{note.name}.mp4"]

    def _take_next(self, one: Submission) -> bool:
        other = next(self._others[one.reference], None)
        if other is not None:
            self._files[one.reference] = other
        return other is not None


def judged_elsewhere(bought: Iterable[Submission]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the references of the submissions whose video was approved, and was rejected.

    A decision lies in the journal that its take was made for, which may be that of another folder.
    """
    latest: dict[str, dict[Take, Decision]] = {}
    found: dict[str, set[str]] = {APPROVE: set(), REJECT: set()}
    for one in bought:
        if one.video is None:
            continue
        if one.folder not in latest:
            latest[one.folder] = _decided_in(one.folder)
        decision = latest[one.folder].get((one.identity, one.number))
        if decision is not None and decision.sha256 == one.video.sha256:
            found.get(decision.verdict, set()).add(one.reference)
    return frozenset(found[APPROVE]), frozenset(found[REJECT])


def _decided_in(folder: str) -> dict[Take, Decision]:
    # A journal that cannot be read is told of by the command that works with it.
    with contextlib.suppress(StoreError):
        return latest_of(read_decided(OutputFolder(path_of(folder)).journal).decisions)
    return {}
