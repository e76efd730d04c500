"""Decisions from the command line and from files, about the takes of one manifest or several.

Tested in tests/cli/test_review.py.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import split_list
from pipeline.cli.screen import print_line, say
from pipeline.errors import UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.review.recording import Verdict
    from pipeline.review.static import Reviewed
    from pipeline.review.takes import JudgedRow
    from pipeline.runner.target import Target


@dataclass(frozen=True)
class Judged:
    """A manifest with its rows and their takes, and the command's target that it comes of."""

    target: Target
    reviewed: Reviewed
    rows: Sequence[JudgedRow]


def name_of_reviewer(reviewer: str | None) -> str:
    """Return who decides: the name that was given, or the user's here."""
    if reviewer is not None:
        return reviewer
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody of that number is known here
        return ""


def read_verdicts(
    approve: str | None,
    reject: str | None,
    reopen: str | None,
    *,
    reason: str,
    note: str,
    who: str,
) -> dict[str, Verdict]:
    """Return what the options say of which keys; raises UsageError where they contradict.

    Args:
        approve: the value of --approve.
        reject: that of --reject.
        reopen: that of --reopen.
        reason: that of --reason.
        note: that of --note.
        who: who decides.

    """
    from pipeline.review.recording import Verdict
    from pipeline.review.verdicts import APPROVE, REJECT, TAKEN_BACK

    if reason and reject is None:
        raise UsageError("--reason says why videos are rejected: name them with --reject KEY,….")
    named = ((APPROVE, approve), (REJECT, reject), (TAKEN_BACK, reopen))
    found: dict[str, Verdict] = {}
    for verdict, keys in named:
        for key in split_list(keys) or ():
            if key in found:
                raise UsageError(f"{key} is named twice; nothing was recorded.")
            why = reason if verdict == REJECT else ""
            found[key] = Verdict(verdict, why, note, who, time.time())
    return found


def decide(judged: Sequence[Judged], verdicts: dict[str, Verdict], *, quiet: bool) -> bool:
    """Record verdicts and say so; return whether each row has a video to judge.

    A key belongs to whichever manifest has it.

    Args:
        judged: the manifests.
        verdicts: what is said, by the rows' keys.
        quiet: whether to leave out how many were recorded.

    """
    from pipeline.review import recording

    known = [{row.key for row in one.rows} for one in judged]
    everywhere = set().union(*known)
    unknown = [key for key in verdicts if key not in everywhere]
    listing = [one.target.invocation.command("status", "--rows") for one in judged[:1]]
    recording.refuse_unknown(unknown, *listing)
    complete = True
    for one, keys in zip(judged, known, strict=True):
        said = {key: verdict for key, verdict in verdicts.items() if key in keys}
        if not said:
            continue
        folder = one.reviewed.folder
        decided, untaken = recording.decide(one.rows, folder, said)
        if not quiet:
            print_line(f"{count(len(decided), 'decision')} recorded in {folder.journal}")
        for key in untaken:
            say(f"{key} has no finished video: nothing was recorded for it.")
        complete &= not untaken
    return complete


def take_in(judged: Sequence[Judged], path: Path, *, prefer: bool, force: bool) -> bool:
    """Take over a file and say what became of it; return whether all of it was.

    Args:
        judged: the manifests, of which each takes what is about it.
        path: the file.
        prefer: whether the file overrules what stands.
        force: whether the file of another journal is taken, too.

    """
    from pipeline.review.exchange import read_file
    from pipeline.review.recording import import_file, tell_import

    parts = read_file(path).parts
    ours = [one for one in judged if one.reviewed.facts.journal in parts]
    complete = True
    for one in ours or judged:
        weighed, unfit = import_file(
            path, one.rows, one.reviewed.folder, prefer=prefer, force=force
        )
        for line in unfit:
            say(f"skipped: {line}")
        for line in tell_import(weighed, {row.entry: row.key for row in one.rows}):
            print_line(line)
        complete &= not (unfit or weighed.skipped or (weighed.conflicts and not prefer))
    known = {one.reviewed.facts.journal for one in judged}
    others = sum(len(part) for name, part in parts.items() if name not in known)
    if ours and others:
        print_line(f"{count(others, 'decision')} in it: about other manifests, not looked at.")
    return complete


def write_out(judged: Sequence[Judged], path: Path) -> None:
    """Write the decisions that count to a file; of several manifests into a folder."""
    from pipeline.review.recording import export_file

    if len(judged) > 1 and not path.is_dir():
        raise UsageError(
            f"--export {path}: the decisions of several manifests go into a folder, a file for "
            "each.",
            action="Name a folder that is there.",
        )
    for one in judged:
        reviewed = one.reviewed
        file, number = export_file(path, reviewed.checked.manifest.path, one.rows, reviewed.folder)
        print_line(f"{count(number, 'decision')}: {file}")
