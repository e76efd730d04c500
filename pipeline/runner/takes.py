"""Takes that rows may get without a submission: those of this journal, and which files are there.

Tested in tests/runner/test_reuse.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from pipeline.account.submission import Submission
from pipeline.disk.folder import OutputFolder
from pipeline.journal.reading import read_attempts
from pipeline.model import Entry, State
from pipeline.planner.plan import Action, Plan
from pipeline.planner.repeats import Bought


def own_attempts(
    plan: Plan,
    entries: Mapping[str, Entry],
    folder: OutputFolder,
    manifest: Path,
    present: Collection[str],
) -> Bought:
    """Return what may come back from this journal: earlier takes, and all of rows that left.

    Args:
        plan: The plan.
        entries: What the journal knows, by key.
        folder: The output folder.
        manifest: The manifest.
        present: The keys of the rows that did not leave the manifest.

    Raises:
        StoreError: The journal cannot be read.

    """
    changed = {step.key for step in plan.steps if step.action is Action.SUBMIT or step.edited}
    left = [entry for key, entry in entries.items() if key not in present]
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
        found.setdefault(one.request.request_hash, []).append(one)
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


def find_unusable(bought: Iterable[Submission]) -> frozenset[str]:
    """Return the references of the videos whose file is missing or has another length."""
    return frozenset(
        one.reference
        for one in bought
        if one.video is not None and not _has_length(video_file(one), one.video.size_bytes)
    )


def video_file(bought: Submission) -> Path:
    """Return where the video of a submission lies, if it is still there."""
    name = bought.video.name if bought.video else bought.video_name
    return OutputFolder(Path(bought.folder)).videos / name


def _has_length(path: Path, size_bytes: int) -> bool:
    try:
        return path.lstat().st_size == size_bytes
    except OSError:
        return False
