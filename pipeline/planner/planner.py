"""The plan of a manifest as its journal and its folder stand now, with its cost and its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace
from pathlib import Path

from pipeline.account.submission import Submission
from pipeline.checker.check import CheckedManifest
from pipeline.checker.packeddrafts import count_forms, drafts_of
from pipeline.checker.rules import content_of, cost
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of
from pipeline.journal.reading import read_attempts, read_entries, read_first_events
from pipeline.manifest.packedrows import numbers_of
from pipeline.model import Entry, Request, State
from pipeline.models.pricing import NOTHING_KNOWN, Costs, add_up, cost_of
from pipeline.models.shelf import sheet_of
from pipeline.planner.delivered import handed_over, pruned, say_handed_over
from pipeline.planner.plan import REPEAT, Action, Plan, decide, decide_new
from pipeline.planner.rehearsed import power, rehearsal_s
from pipeline.planner.renaming import match_renamed, rename
from pipeline.planner.repeats import Bought
from pipeline.planner.selection import Selection
from pipeline.process.collector import pause_collector
from pipeline.storage.storedfiles import StoredFile, find_gone, stored_file

_LINK_LIFETIME_S = 24 * 3600
"""How long the provider's link to a video lives: docs/contract.md, "The video"."""
_TYPICAL_TASK_S = 150.0
"""Assumed until tasks were seen; the provider says 1 to 5 minutes: docs/contract.md, "Queries"."""


@pause_collector()
def plan_manifest(
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    selection: Selection,
    *,
    renamed: Mapping[str, str] | None = None,
    wall: float | None = None,
) -> Plan:
    """Plan what a run would do with each row.

    Args:
        checked: the manifest with its keys and requests.
        entries: what the journal knows, by key.
        folder: where the videos are; a done row whose file is missing is not done any more,
            unless its video was handed over.
        selection: what the run is asked to do.
        renamed: the earlier keys of renamed rows, by their keys now; see `renamed_rows`.
        wall: the time of the plan in Unix seconds; None: now.

    """
    if not entries:
        return decide_new(checked.validity(), selection)
    # The file of a rejected take may have been deleted: it is not fetched again.
    gone = files_gone(entries, folder) - checked.rejected
    delivered = handed_over(entries, gone, folder)
    gone -= delivered
    oldest = (time.time() if wall is None else wall) - _LINK_LIFETIME_S
    plan = decide(
        _rows(checked),
        entries,
        selection,
        files_gone=gone,
        links_live={key for key in gone if (entries[key].finished_at or 0) > oldest},
        renamed=renamed,
    )
    return say_handed_over(plan, delivered - pruned(entries, delivered, folder))


def _rows(checked: CheckedManifest) -> list[tuple[str, Request | None]]:
    requests = dict(checked.requests.items())  # of a large manifest made in their order
    rows = zip(checked.keys, numbers_of(checked.manifest.rows), strict=True)
    return [(key, requests.get(number)) for key, number in rows]


@pause_collector()
def renamed_rows(
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    first_events: Callable[[], Mapping[str, int]],
) -> dict[str, str]:
    """Return the earlier keys of entries whose keys changed since the last run, by the new ones.

    A file of the rows that need the user has no others: what is not in it did not leave the
    manifest, so nothing counts as renamed there.

    Args:
        checked: the manifest with its keys and requests.
        entries: what the journal knows, by key.
        folder: the output folder.
        first_events: gives the journal's order; see `renaming.match_renamed`.

    """
    if not entries or folder.holds_part_of_rows(checked.manifest.path):
        return {}
    return match_renamed(_rows(checked), entries, first_events)


def known_rows(
    checked: CheckedManifest, folder: OutputFolder, entries: dict[str, Entry] | None = None
) -> tuple[dict[str, Entry], dict[str, str]]:
    """Return what the journal knows, by the keys that the rows have now, and the earlier keys.

    Nothing is written: a run does that.

    Args:
        checked: The manifest.
        folder: Its output folder.
        entries: What the journal knows, which is changed; None to read it.

    Raises:
        StoreError: The journal cannot be read.
        UsageError: It was written by a newer version.

    """
    if entries is None:
        entries = read_entries(folder.journal)
    renamed = renamed_rows(checked, entries, folder, lambda: read_first_events(folder.journal))
    rename(entries, renamed)
    return entries, renamed


def own_attempts(
    plan: Plan,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    manifest: Path,
    present: Collection[str],
) -> Bought:
    """Return what may come back from this journal: earlier takes, and all of rows that left.

    Those of rows whose file is missing may come back as copies.

    Args:
        plan: The plan.
        entries: What the journal knows, by key.
        folder: The output folder.
        manifest: The manifest.
        present: The keys of the rows that did not leave the manifest.

    Raises:
        StoreError: The journal cannot be read.

    """
    if not entries:
        return {}
    changed = {step.key for step in plan.steps if step.action is Action.SUBMIT or step.edited}
    lost = {step.key for step in plan.steps if step.lost}
    left = [entry for key, entry in entries.items() if key not in present or key in lost]
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
        found.setdefault(content_of(one.request), []).append(one)
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


def take_of(bought: Submission) -> StoredFile:
    """Return the file of the video of a submission, which may be gone."""
    folder = OutputFolder(path_of(bought.folder))
    if bought.video is None:
        return StoredFile(folder.videos / bought.video_name)
    return stored_file(folder, bought.video)


def files_gone(entries: Mapping[str, Entry], folder: OutputFolder) -> set[str]:
    """Return the keys of done rows whose video is missing in its place or has another length.

    Raises StoreError where a place cannot be listed.
    """
    done = (one for one in entries.values() if one.state is State.DONE)
    return find_gone(((one.key, one.video) for one in done if one.video), folder)


def can_download_again(bought: Submission, wall: float | None = None) -> bool:
    """Return whether a run of its own manifest downloads a missing video again.

    `wall` is the time in Unix seconds; None: now.
    """
    if bought.state is not State.DONE or take_of(bought).is_there():
        return False
    journal = OutputFolder(path_of(bought.folder)).journal
    gone = is_gone(path_of(bought.manifest)) or is_gone(journal)
    oldest = (time.time() if wall is None else wall) - _LINK_LIFETIME_S
    return not gone and (bought.finished_at or 0) > oldest


def price(keys: Iterable[str], checked: CheckedManifest, config: Config) -> tuple[int, Costs]:
    """Return the seconds of video of some rows, and what they cost by the models that they have.

    Args:
        keys: The keys of the rows, none of which breaks a rule.
        checked: The manifest.
        config: The settings, with the price.

    """
    wanted, budget = {*keys}, config.budget
    forms = count_forms(drafts_of(checked.drafts, wanted)) if wanted else {}
    seconds = sum(form.duration * times for form, times in forms.items())
    models = {form.model or checked.model for form in forms}
    if not any(sheet_of(one).prices for one in models):
        money = cost(seconds, budget.price_per_second)
        return seconds, Costs(money, money, len(wanted) if money is None else 0)
    asked = (one for key, one in checked.requests_by_key.items() if key in wanted)
    return seconds, add_up(cost_of(one, budget.price_per_second, budget.currency) for one in asked)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows to submit, their seconds of video, their cost, and the seconds that the run takes.

    Money is in the currency of the budget. `repeats` rows are not paid for, because their videos
    were bought before: that saves `saved_seconds` and what they `saved`.
    """

    submits: int
    video_seconds: int
    costs: Costs
    eta_s: int
    repeats: int = 0
    saved_seconds: int = 0
    saved: Costs = NOTHING_KNOWN


def estimate(
    plan: Plan, checked: CheckedManifest, config: Config, durations_s: Sequence[float] = ()
) -> Estimate:
    """Estimate the submissions, the money and the time that a plan comes to.

    Args:
        plan: what the run does with each row.
        checked: the manifest that the plan is of.
        config: its limits and its price.
        durations_s: how long the latest tasks took; empty: a typical time.

    """
    submits = plan.of(Action.SUBMIT)
    repeats = [step for step in plan.steps if step.group == REPEAT]
    seconds, costs = price((step.key for step in submits), checked, config)
    saved_seconds, saved = price((step.key for step in repeats), checked, config)
    limits = config.limits
    eta_s = makespan_s(
        len(submits),
        len(plan.of(Action.TAKE_UP)),
        slots=limits.outstanding,
        submits_per_s=limits.submits_per_minute / 60,
        durations_s=durations_s or (_TYPICAL_TASK_S,),
    )
    if config.rehearses and submits:
        eta_s = rehearsal_s(seconds, config.polling, *power())
    return Estimate(
        submits=len(submits),
        video_seconds=seconds,
        costs=costs,
        eta_s=round(eta_s),
        repeats=len(repeats),
        saved_seconds=saved_seconds,
        saved=saved,
    )


def makespan_s(
    submits: int,
    taken_up: int,
    *,
    slots: int,
    submits_per_s: float,
    durations_s: Sequence[float],
) -> float:
    """Return how long so many rows take on so many slots, by playing them through.

    Each task takes as long as one of the latest tasks, in turn. A task that is taken up is assumed
    to be half done.
    """
    if not taken_up and submits and len({*durations_s}) == 1:
        # Of equal tasks the last one begins when the rate allows it, or after so many full rounds.
        last_turn, task_s = submits - 1, durations_s[0]
        rounds, place = divmod(last_turn, slots)
        begins = max(last_turn / submits_per_s, place / submits_per_s + rounds * task_s)
        return begins + task_s
    ends: list[float] = [durations_s[turn % len(durations_s)] / 2 for turn in range(taken_up)]
    heapify(ends)
    last = max(ends, default=0.0)
    for turn in range(submits):
        allowed = turn / submits_per_s
        free = ends[0] if len(ends) >= slots else 0.0
        end = max(free, allowed) + durations_s[turn % len(durations_s)]
        last = max(last, end)
        if len(ends) >= slots:
            heapreplace(ends, end)
        else:
            heappush(ends, end)
    return last
