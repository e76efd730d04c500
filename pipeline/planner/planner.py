"""The plan of a manifest, from what its journal knows and what lies in its folder now."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.collector import collector_paused
from pipeline.disk.folder import OutputFolder
from pipeline.model import Entry, State
from pipeline.planner import plan
from pipeline.planner.plan import Plan, Selection

LINK_LIFETIME_S = 24 * 3600
"""How long the provider's link to a video lives: docs/contract.md, "The video"."""


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
    oldest = (time.time() if wall is None else wall) - LINK_LIFETIME_S
    return plan.decide(
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
