"""The plan of a manifest as its journal and its folder stand now, with its cost and its time."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappush, heapreplace
from pathlib import Path

from pipeline.checker import rules
from pipeline.checker.check import CheckedManifest
from pipeline.collector import collector_paused
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.model import Entry, State
from pipeline.planner.plan import Action, Plan, Selection, decide

_LINK_LIFETIME_S = 24 * 3600
"""How long the provider's link to a video lives: docs/contract.md, "The video"."""
_TYPICAL_TASK_S = 150.0
"""Assumed until tasks were seen; the provider says 1 to 5 minutes: docs/contract.md, "Queries"."""


@collector_paused()
def plan_manifest(
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    selection: Selection,
    *,
    wall: float | None = None,
) -> Plan:
    """Plan what a run would do with each row.

    Args:
        checked: the manifest with its keys and requests.
        entries: what the journal knows, by key.
        folder: where the videos are; a done row whose file is missing is not done any more.
        selection: what the run is asked to do.
        wall: the time of the plan in Unix seconds; None: now.

    """
    requests = checked.requests
    rows = zip(checked.keys, checked.manifest.rows, strict=True)
    gone = files_gone(entries, folder.videos)
    oldest = (time.time() if wall is None else wall) - _LINK_LIFETIME_S
    return decide(
        ((key, requests.get(row.number)) for key, row in rows),
        entries,
        selection,
        files_gone=gone,
        links_live={key for key in gone if (entries[key].finished_at or 0) > oldest},
    )


def files_gone(entries: Mapping[str, Entry], videos: Path) -> set[str]:
    """Return the keys of done rows whose video file is missing or has another length."""
    try:
        with os.scandir(videos) as found:
            sizes = {one.name: one.stat().st_size for one in found if one.is_file()}
    except FileNotFoundError:
        sizes = {}
    return {
        entry.key
        for entry in entries.values()
        if entry.state is State.DONE
        and entry.video
        and sizes.get(entry.video.name) != entry.video.size_bytes
    }


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rows to submit, their seconds of video, their cost, and the seconds that the run takes.

    `money` is in the currency of the budget; None without a price.
    """

    submits: int
    video_seconds: int
    money: float | None
    eta_s: int


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
    rows = dict(zip(checked.keys, checked.manifest.rows, strict=True))
    submits = plan.of(Action.SUBMIT)
    seconds = sum(checked.requests[rows[step.key].number].duration for step in submits)
    limits = config.limits
    eta_s = makespan_s(
        len(submits),
        len(plan.of(Action.TAKE_UP)),
        slots=limits.outstanding,
        submits_per_s=limits.submits_per_minute / 60,
        durations_s=durations_s or (_TYPICAL_TASK_S,),
    )
    return Estimate(
        submits=len(submits),
        video_seconds=seconds,
        money=rules.cost(seconds, config.budget.price_per_second),
        eta_s=round(eta_s),
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
