"""What people decided is part of what a manifest asks for, in every command.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import replace

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import ReelsheetError
from pipeline.journal.decisions import read_decisions
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_all
from pipeline.journal.sums import arrived_untold


def with_review(
    checked: CheckedManifest, folder: OutputFolder, allowed: Collection[str] = ()
) -> CheckedManifest:
    """Read back what was typed into the results, and return the manifest with what was decided.

    Where the journal cannot be used, whoever works with it says why.

    Args:
        checked: the manifest.
        folder: its output folder.
        allowed: the setting `manifest.allow`.

    """
    if checked.file_errors or is_gone(folder.journal):
        return checked
    # Nothing of it is loaded by a manifest that was never run.
    from pipeline.review.newprompts import Judged, takes_of, with_decisions  # noqa: PLC0415
    from pipeline.review.readback import read_back  # noqa: PLC0415

    try:
        lines = read_back(checked, folder).lines
    except ReelsheetError as error:
        lines = (f"the results were not read back: {error.message}",)
    with contextlib.suppress(ReelsheetError):
        decisions = read_decisions(folder.journal)
        if decisions:
            _, attempts = read_all(folder.journal)
            judged = Judged({one.key: one for one in attempts}, takes_of(attempts), decisions)
            checked = with_decisions(checked, judged, allowed)
    return _with_notes(checked, lines)


def count_unjudged(journal: Journal, arrived: Collection[tuple[str, int]], night: str = "") -> int:
    """Return of how many new takes nobody has said anything yet; none where that cannot be read.

    Of what came in nights just before this one that were killed nobody was told.

    Args:
        journal: the journal of their rows.
        arrived: the keys of the rows, and the numbers of the takes, that came in this run.
        night: the id of this run if it is a night.

    """
    with contextlib.suppress(ReelsheetError):
        takes = {(journal.identity_of(key), number) for key, number in arrived}
        if night:
            takes |= {*arrived_untold(journal.path, night)}
        if not takes:
            return 0
        from pipeline.review.verdicts import TAKEN_BACK, latest_of  # noqa: PLC0415

        latest = latest_of(read_decisions(journal.path)).items()
        judged = {take for take, said in latest if said.verdict != TAKEN_BACK}
        return len(takes - judged)
    return 0


def _with_notes(checked: CheckedManifest, lines: tuple[str, ...]) -> CheckedManifest:
    if not lines:
        return checked
    manifest = checked.manifest
    return replace(checked, manifest=replace(manifest, notes=(*manifest.notes, *lines)))
