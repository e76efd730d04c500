"""Decisions get into the journal, from the command line and from files, and out of it again."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.checker.check import CheckedManifest
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file
from pipeline.disk.place import place
from pipeline.errors import UsageError
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.ownership import read_notes
from pipeline.journal.reading import read_id
from pipeline.manifest.wording import agree, count
from pipeline.model import Decision, shown_key
from pipeline.review import exchange
from pipeline.review.takes import JudgedRow, rows_with_takes, videos_of
from pipeline.review.verdicts import (
    TAKEN_BACK,
    Import,
    Save,
    UnfitDecision,
    clean,
    latest_of,
    take_of,
    weigh_import,
    weigh_saves,
)
from pipeline.review.writtenfiles import DECISIONS, WrittenFile, is_noted

_MOST_NAMED = 5
"""Keys that a message names one by one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of the newest takes of rows from the command line, by whom, at Unix second."""

    verdict: str
    reason: str = ""
    note: str = ""
    reviewer: str = ""
    at: float = 0.0


def decide(
    rows: Sequence[JudgedRow], folder: OutputFolder, verdicts: Mapping[str, Verdict]
) -> tuple[list[Decision], list[str]]:
    """Record verdicts about the newest take of each row; return them, and keys without a take.

    A prompt that was given for the same take stays.

    Args:
        rows: the rows of the manifest with their takes.
        folder: its output folder.
        verdicts: what is said, by the rows' keys.

    Raises:
        UsageError: No row has one of the keys, or a text is too long; nothing was recorded.
        StoreError: The journal cannot be written.

    """
    of_key = {row.key: row for row in rows}
    refuse_unknown([key for key in verdicts if key not in of_key])
    wanted = []
    for key, said in verdicts.items():
        row = of_key[key]
        if row.takes:
            wanted.append(_clean(_decision(row, said)))
    untaken = [key for key in verdicts if not of_key[key].takes]
    if not wanted:
        return [], untaken

    def choose(existing: Sequence[Decision]) -> list[Decision]:
        stands = latest_of(existing)
        saves = []
        for one in wanted:
            before = stands.get(take_of(one))
            if before is not None and one.verdict != TAKEN_BACK:
                one = replace(  # noqa: PLW2901 - the same decision, with what was there
                    one,
                    prompt=before.prompt,
                    prompt_of=before.prompt_of,
                    note=one.note or before.note,
                )
            saves.append(Save(one, seen=before.seq if before else 0))
        return weigh_saves(existing, saves)[0]

    with DecisionTable(folder.journal) as table:
        table.add({one.entry for one in wanted}, choose)
    return wanted, untaken


def _decision(row: JudgedRow, said: Verdict) -> Decision:
    take = row.takes[-1]
    return Decision(
        row.entry,
        take.number,
        take.video.sha256,
        said.verdict,
        reason=said.reason,
        note=said.note,
        reviewer=said.reviewer,
        source="command",
        at=said.at,
    )


def _clean(decision: Decision) -> Decision:
    try:
        return clean(decision)
    except UnfitDecision as error:
        raise UsageError(f"{error}.") from error


def refuse_unknown(keys: Sequence[str], listing: str = "reelsheet status MANIFEST --rows") -> None:
    """Raise UsageError if there are any keys that no row has; `listing` is what shows all keys."""
    if keys:
        named = ", ".join(shown_key(key) for key in keys[:_MOST_NAMED])
        more = f" and {len(keys) - _MOST_NAMED} more" if len(keys) > _MOST_NAMED else ""
        raise UsageError(
            f"no row has the key {named}{more}; nothing was recorded.",
            action=f"`{listing}` shows all keys.",
        )


def import_file(
    path: Path,
    rows: Sequence[JudgedRow],
    folder: OutputFolder,
    *,
    prefer: bool = False,
    force: bool = False,
) -> tuple[Import, tuple[str, ...]]:
    """Take in a file of decisions, in one transaction; return what became of them.

    With it come sentences on decisions that are none.

    Args:
        path: the file, JSON or CSV.
        rows: the rows of the manifest with their takes.
        folder: its output folder.
        prefer: whether the file overrules what stands.
        force: whether the file of another journal is taken, too.

    Raises:
        UsageError: It is no such file, or one of another journal.
        StoreError: The journal cannot be written.

    """
    found = exchange.read_file(path)
    ours = read_id(folder.journal) or ""
    if ours not in found.parts and not force and (found.decisions or not found.unfit):
        whose = (
            "does not say whose decisions it holds"
            if not any(found.parts)
            else ("holds decisions about another manifest, or another output folder")
        )
        raise UsageError(
            f"{path} {whose}; nothing was taken over.",
            action="With --force those about the very same videos are.",
        )
    incoming = found.parts.get(ours, found.decisions if force else ())
    videos = videos_of(rows)
    weighed = Import()

    def choose(existing: Sequence[Decision]) -> Sequence[Decision]:
        nonlocal weighed
        weighed = weigh_import(existing, incoming, videos, prefer=prefer)
        return weighed.added

    with DecisionTable(folder.journal) as table:
        table.add(None, choose)
    return weighed, found.unfit


def take_back_decisions(checked: CheckedManifest, folder: OutputFolder) -> list[str]:
    """Take over the decisions that lie beside the results, if the journal does not know the file.

    So they come back, with who decided, when and why, where the journal that knew them was lost.
    Those about takes that are not there yet are tried again at the next time, until other decisions
    are written in place of the file, which is then saved beside it. Returns what to tell; raises
    StoreError, UsageError. Tested in tests/review/test_readback.py.
    """
    path = folder.root / DECISIONS
    if not path.is_file() or is_noted(DECISIONS, read_notes(folder.journal)):
        return []
    with contextlib.suppress(OSError, UsageError):  # not ours, or that of another journal
        sha256 = hash_of_file(path)
        weighed, unfit = import_file(path, rows_with_takes(checked, folder), folder)
        if not (weighed.skipped or weighed.conflicts or unfit):
            seen = max((one.seq for one in read_decisions(folder.journal)), default=0)
            with DecisionTable(folder.journal) as table:
                table.note(WrittenFile(sha256, seen).note(DECISIONS))
        number = len(weighed.added)
        said = f"{DECISIONS}: the journal did not know of {count(number, 'decision')}, which "
        return [f"{said}{agree(number, 'is', 'are')} taken over"] if number else []
    return []


def export_file(
    path: Path, manifest: Path, rows: Sequence[JudgedRow], folder: OutputFolder
) -> tuple[Path, int]:
    """Write the decisions that count to a file, and return it and their number.

    Args:
        path: the file, .json or .csv, or a folder that gets one.
        manifest: the manifest.
        rows: its rows with their takes.
        folder: its output folder.

    Raises:
        UsageError: The file has another suffix, or there is no journal.
        StoreError: The file cannot be written.

    """
    if path.is_dir():
        path /= exchange.name_of_file(manifest)
    if path.suffix.casefold() not in {".json", ".csv"}:
        raise UsageError(f"{path} is neither .json nor .csv: name a file with one of both.")
    keys = {row.entry: row.key for row in rows}
    chosen = [
        (keys.get(one.entry, one.entry), one)
        for one in sorted(latest_of(read_decisions(folder.journal)).values(), key=lambda o: o.seq)
    ]
    journal = read_id(folder.journal)
    if journal is None:
        raise UsageError(
            f"there is no journal in {folder.root}: nothing was made that could be judged.",
            action="Check the manifest's name, provider and --out.",
        )
    if path.suffix.casefold() == ".csv":
        text = exchange.write_csv(journal, chosen)
    else:
        text = exchange.write_json(journal, manifest.name, chosen)
    with raise_store_errors(path):
        placed, _ = place(path, partial(_write, text.encode()))
    return placed, len(chosen)


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def tell_import(weighed: Import, keys: Mapping[str, str]) -> list[str]:
    """Say what became of the decisions of a file, each that does not count in a line.

    `keys` are those of the rows by their entries.
    """
    lines = [f"{count(len(weighed.added), 'decision')} taken over, {weighed.known} known already."]
    lines += [
        f"skipped: {_name(one, keys)}, {one.verdict or 'no verdict'}: {reason}."
        for one, reason in weighed.skipped
    ]
    overruled = {take_of(one) for one in weighed.added}
    for conflict in weighed.conflicts:
        wanted, stands = conflict.wanted, conflict.stands
        which = "the file's counts now" if take_of(wanted) in overruled else "the earlier stands"
        lines.append(
            f"conflict: {_name(wanted, keys)}: {_say(stands)} here, {_say(wanted)} in the file; "
            f"{which}."
        )
    return lines


def _name(decision: Decision, keys: Mapping[str, str]) -> str:
    return f"{shown_key(keys.get(decision.entry, decision.entry))}, take {decision.number}"


def _say(decision: Decision) -> str:
    said = decision.verdict or "no verdict"
    texts = ", ".join(text for text in (decision.reason, decision.note, decision.prompt) if text)
    by = f" by {decision.reviewer}" if decision.reviewer else ""
    return f"{said}{f' ({texts[:80]})' if texts else ''}{by}"
