"""What people decided about videos that could serve other rows.

A decision lies in the journal that its take was made for, which may be that of another folder.

Tested in tests/runner/test_reuse.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from pipeline.account.submission import Submission
from pipeline.disk.folder import OutputFolder
from pipeline.disk.sqlitefile import path_of
from pipeline.errors import StoreError
from pipeline.journal.decisions import read_decided
from pipeline.model import Decision
from pipeline.review.verdicts import APPROVE, REJECT, Take, latest_of


def judged_elsewhere(bought: Iterable[Submission]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the references of the submissions whose video was approved, and was rejected."""
    latest: dict[str, dict[Take, Decision]] = {}
    found: dict[str, set[str]] = {APPROVE: set(), REJECT: set()}
    for one in bought:
        if one.video is None:
            continue
        if one.folder not in latest:
            latest[one.folder] = _read(one.folder)
        decision = latest[one.folder].get((one.identity, one.number))
        if decision is not None and decision.sha256 == one.video.sha256:
            found.get(decision.verdict, set()).add(one.reference)
    return frozenset(found[APPROVE]), frozenset(found[REJECT])


def _read(folder: str) -> dict[Take, Decision]:
    # A journal that cannot be read is told of by the command that works with it.
    with contextlib.suppress(StoreError):
        return latest_of(read_decided(OutputFolder(path_of(folder)).journal).decisions)
    return {}
