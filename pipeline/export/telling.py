"""What is said of an export: lines for a person, and a document for a program.

Tested in tests/cli/test_export.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.export.choice import Chosen, Standing
from pipeline.export.exporting import Exported
from pipeline.export.handing import Change, Delivered
from pipeline.journal.handovers import Handover
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count
from pipeline.model import shown_key

_MOST_NAMED = 20
"""So many rows are named of each kind; left_out.csv has all of them."""


def tell_done(done: Exported) -> Iterator[str]:
    """Yield what was done, in lines."""
    kinds = [f"{number} {change}" for change, number in sorted(done.changes.items())]
    told = f" ({', '.join(kinds)})" if kinds else ""
    yield f"handed over: {count(len(done.media), 'video')}{told}, in {done.folder}"
    yield from (f"table: {path}" for path in done.files)
    handed = done.handed
    changed = (Change.REPLACED, Change.MOVED)
    yield from _named([_say_change(one) for one in handed.delivered if one.change in changed])
    yield from _named([_say_removed(one, note) for one, note in handed.removed])
    yield from _named(
        [
            f"put back: {one}, since the copy that was handed over was the last"
            for one in handed.restored
        ]
    )


def tell_open(done: Exported, typed: Invocation) -> Iterator[str]:
    """Yield what is left to do, in lines, each with the way on.

    `typed` is what the user named.
    """
    yield from _named([f"{shown_key(row.key)}: {why}" for row, why in done.faults])
    for name in done.unwritten:
        yield (
            f"no table for {name}: it needs the address of each video on the web. Upload the "
            "folder approved, then add --base-url https://…, the address that it has there."
        )
    for path in done.stale:
        yield (
            f"{path} is of an earlier export, may name videos that are not handed over any more, "
            "and was left alone: it was changed since, or it is not known how it was asked for. "
            "Name it with --to, or delete it."
        )
    yield from (f"note: {note}" for note in done.notes)
    newer = sum(one.chosen.newer for one in done.handed.delivered)
    if newer:
        yield (
            f"note: {count(newer, 'row')} {agree(newer, 'has', 'have')} a newer take that nobody "
            "has judged; the approved one was handed over."
        )
    if done.handed.left:
        left = done.handed.left
        yield (
            f"note: {count(left, 'video')} of rows that are not in the manifest any more "
            f"{agree(left, 'stays', 'stay')} in the folder, without a line in the tables."
        )
    if any(done.standings.values()):
        kinds = ", ".join(f"{done.standings[one]} {one}" for one in Standing if done.standings[one])
        yield f"not handed over: {kinds}; see left_out.csv"
    if done.standings[Standing.UNDECIDED]:
        yield f"to judge them: {typed.command('review')}"


def document_of(done: Exported, *, rehearsal: bool) -> dict[str, Any]:
    """Return what an export did as plain values; `rehearsal` says whether it is of one."""
    changes = done.changes
    return {
        "folder": str(done.folder),
        "rehearsal": rehearsal,
        "handed_over": len(done.media),
        **{
            change.name.lower(): changes[change]
            for change in Change
            if change is not Change.REMOVED
        },
        "removed": [shown_key(one.row.key) for one, _ in done.handed.removed],
        **{one.name.lower(): done.standings[one] for one in Standing},
        "files": [str(path) for path in done.files],
        "unwritten": list(done.unwritten),
        "stale": [str(path) for path in done.stale],
        "faults": [{"key": shown_key(row.key), "message": why} for row, why in done.faults],
        "left_out": [
            {"key": one.key, "row": one.row, "table": one.table, "why": one.why}
            for one in done.left
        ],
    }


def _say_change(one: Delivered) -> str:
    key = shown_key(one.chosen.row.key)
    if one.change is Change.MOVED:
        return f"moved: {key} is {one.video_file} now"
    return f"replaced: {key}, take {one.take.number} in place of take {one.number_before}"


def _say_removed(one: Chosen, note: Handover) -> str:
    why = "nobody has judged it" if one.untouched else "it is not approved any more"
    return f"removed: {shown_key(one.row.key)}, take {note.number}: {why}"


def _named(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_MOST_NAMED]
    if len(lines) > _MOST_NAMED:
        yield f"… and {len(lines) - _MOST_NAMED:,} more"
