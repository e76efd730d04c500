"""The plan of a manifest as its journal and its folder stand now."""

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
"""docs: result URLs die 24 hours after completion."""


@collector_paused()
def plan_manifest(
    checked: CheckedManifest,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    selection: Selection,
    *,
    wall: float | None = None,
) -> Plan:
    """Return what a run would do with each row at the Unix second `wall`; None: now."""
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
    """Return the keys of done rows whose video is not in its place with its length."""
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
