"""Rows that would be held today, and go on because they were ordered before.

A manifest that was run before keeps its reading. What is known today for a prompt that nobody means
was sent by an earlier version, or let through by a setting that is gone: its row stays done, its
task is fetched, and nothing is edited or bought again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.checker.payable import name_rows
from pipeline.checker.rules import same_content
from pipeline.errors import StoreError, UsageError
from pipeline.manifest.wording import agree, count
from pipeline.model import Problem, Severity, State
from pipeline.planner.planner import known_rows

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.checker.check import CheckedManifest
    from pipeline.disk.folder import OutputFolder


def let_ordered_through(checked: CheckedManifest, folder: OutputFolder) -> CheckedManifest:
    """Return a manifest in which no row is held that was sent from this folder as it is now."""
    if not checked.held:
        return checked
    whole = checked.with_held()
    try:
        entries, _ = known_rows(whole, folder)
    except (StoreError, UsageError):  # whoever works with the journal says why
        return checked
    requests = whole.requests
    ordered = {
        row.number
        for key, row in zip(whole.keys, whole.manifest.rows, strict=True)
        if row.number in checked.held
        and (entry := entries.get(key)) is not None
        and entry.state not in {State.WAITING, State.INVALID}
        and same_content(entry.attempt.request, requests[row.number])
    }
    return _without_holding(checked, ordered) if ordered else checked


def _without_holding(checked: CheckedManifest, rows: Collection[int]) -> CheckedManifest:
    free = {number: draft for number, draft in checked.held.items() if number in rows}
    kept = (
        one for one in checked.problems if one.row not in free or one.severity is Severity.WARNING
    )
    return replace(
        checked,
        drafts=dict(sorted({**checked.drafts, **free}.items())),
        held={number: draft for number, draft in checked.held.items() if number not in free},
        problems=(_say_ordered(sorted(free)), *kept),
    )


def _say_ordered(rows: list[int]) -> Problem:
    number = len(rows)
    message = (
        f"{count(number, 'row')} ({name_rows(rows)}) would be held today for what "
        f"{agree(number, 'it says', 'they say')}, but {agree(number, 'was', 'were')} ordered "
        f"before, and {agree(number, 'goes', 'go')} on as ordered."
    )
    return Problem(code="ordered_before", message=message, severity=Severity.WARNING)
