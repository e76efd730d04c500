"""The results of a manifest, projected from sheet, plan and journal, and written to its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.check import Checked
from pipeline.folder import OutputFolder
from pipeline.model import Entry, Result, Summary
from pipeline.outcome import result_of
from pipeline.plan import Plan
from pipeline.writer.failed import write_failed
from pipeline.writer.results import write_results
from pipeline.writer.summary import write_summary


@dataclass(frozen=True, slots=True)
class Published:
    """Where the results are, and what is to be said about them."""

    results: Path
    failed: Path | None
    notes: tuple[str, ...]


def results_of(checked: Checked, plan: Plan, entries: Mapping[str, Entry]) -> list[Result]:
    """Return one result for each row of the manifest, in order."""
    return [
        result_of(row.number, step, entries.get(step.key), checked.problems_of(row.number))
        for row, step in zip(checked.manifest.rows, plan.steps, strict=True)
    ]


def publish(
    checked: Checked, results: Sequence[Result], folder: OutputFolder, summary: Summary | None
) -> Published:
    """Write results, the rows that need the user, and the summary if there is one.

    Raises StoreError when the folder does not take them.
    """
    written = write_results(checked.manifest, results, folder.root, summary=summary)
    failed = write_failed(checked.manifest, results, folder.root)
    if summary is not None:
        write_summary(summary, folder.root)
    return Published(written.path, failed, written.notes)
