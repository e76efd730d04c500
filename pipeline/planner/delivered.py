"""Rows whose video was handed over: they are done, whether its file is still here or not.

The latest take of a row is what a run would download again, or miss. Where that very video was
handed over, nobody needs the file here, and the row only says so.

Tested in tests/export/test_handing.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pipeline.disk.folder import OutputFolder
from pipeline.journal.handovers import latest_handovers, read_removed
from pipeline.model import Entry
from pipeline.planner.plan import Action, Plan, Step

FILE_DELIVERED = "its video was handed over, and its file here is gone"
"""What is said of such a row."""


def handed_over(
    entries: Mapping[str, Entry], gone: Collection[str], folder: OutputFolder
) -> set[str]:
    """Return the keys of those rows whose missing video was handed over. Raises StoreError.

    Args:
        entries: what the journal knows, by key.
        gone: the keys of done rows whose video file is missing.
        folder: the output folder.

    """
    if not gone:
        return set()
    notes = latest_handovers(folder.journal)
    found = set()
    for key in gone:
        entry = entries[key]
        note = notes.get(entry.identity)
        if note is not None and entry.video is not None and note.sha256 == entry.video.sha256:
            found.add(key)
    return found


def pruned(entries: Mapping[str, Entry], keys: Collection[str], folder: OutputFolder) -> set[str]:
    """Return the keys of those rows whose file `prune` has removed: nobody need be told of it.

    Args:
        entries: what the journal knows, by key.
        keys: those of the rows.
        folder: the output folder.

    Raises:
        StoreError: The journal cannot be read.

    """
    if not keys:
        return set()
    removed = read_removed(folder.journal)
    return {key for key in keys if (entries[key].identity, entries[key].attempt.number) in removed}


def say_handed_over(plan: Plan, keys: Collection[str]) -> Plan:
    """Return the plan in which these rows say that their video was handed over."""
    if not keys:
        return plan
    steps = (_say(step) if step.key in keys else step for step in plan.steps)
    return Plan(tuple(steps), plan.gone)


def was_handed_over(step: Step) -> bool:
    """Return whether the row of a step has no file here because its video was handed over."""
    return step.reason.endswith(FILE_DELIVERED)


def _say(step: Step) -> Step:
    if step.action is not Action.LEAVE:
        return step
    return step._replace(reason=f"{step.reason}; {FILE_DELIVERED}")
