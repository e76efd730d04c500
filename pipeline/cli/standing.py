"""Which tables lie in a folder, how far each is, and what to do next: for the first screen.

It has to answer at once, whatever lies in the folder. So no table, journal or configuration is
opened as other commands open them: a table is known by its name, and how far it is by the figures
that its last run left beside its results. What cannot be read is passed over or named, never
raised.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.several import Mark, is_manifest_name, read_copies, what_wrote
from pipeline.disk.folder import REHEARSAL, OutputFolder
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count, quote_name
from pipeline.model import State

if TYPE_CHECKING:
    from collections.abc import Collection

MOST_SHOWN = 8
"""The most tables that are shown; the others are counted."""
_FOLDERS = (Path(), Path("manifests"))
"""Where tables are looked for: here, and where `init` puts them."""
_MOST_LOOKED_AT = 20_000
"""Names of a folder that are looked at: a folder of pictures may have very many."""
_MOST_OUTPUTS = 500
_MOST_OPENED = 100
"""New tables that are opened to see whether a command wrote them."""
_MOST_BYTES = 1 << 20
_DAMAGED = (
    ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, OSError,
)  # fmt: skip
_TEXT = frozenset({".csv", ".tsv", ".txt"})
_CONFIG = Path("config.yaml")
_PROVIDER = re.compile(r"""^provider[ \t]*:[ \t]*["']?toapis\b""", re.MULTILINE)
_OUTPUTS = re.compile(
    r"""^output[ \t]*:[^\n]*(?:\n[ \t#][^\n]*|\n)*?\n[ \t]+dir[ \t]*:[ \t]*([^#\n]+)""",
    re.MULTILINE,
)
_TOUCHED_AFTER_S = 2.0
"""A table that was saved so long after its last run has perhaps other lines."""
_SAID = (
    ("paid for and to be fetched", (State.READY,)),
    ("being made", (State.RUNNING, State.SUBMITTING)),
    ("not made yet", (State.WAITING,)),
    ("to be settled", (State.IN_DOUBT, State.MISSING)),
    ("not succeeded", (State.FAILED,)),
    ("refused", (State.REFUSED,)),
    ("lost", (State.EXPIRED,)),
    ("with a mistake in the line", (State.INVALID,)),
)
"""What is said of the lines in each state but done."""


@dataclass(frozen=True, slots=True)
class Left:
    """What the last run of a table left: its figures, and whether it still goes on or was killed.

    `ended_at` is in Unix seconds, None where the run did not end.
    """

    folder: Path
    live: bool
    states: Mapping[State, int]
    rows: int
    ended_at: float | None
    at_work: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A table: how far it is in words, the command that comes next, and what that is good for."""

    table: Path
    said: str
    next: str
    why: str
    is_new: bool = False
    is_export: bool = False


@dataclass(slots=True)
class Here:
    """What a folder holds: the tables, how many are not shown, and what could not be read.

    `written` tells of the files that look like tables, but that commands wrote, as what.
    """

    tables: list[Standing] = field(default_factory=list)
    more: int = 0
    written: dict[Path, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def look_around(environ: Mapping[str, str], now: float) -> Here:
    """Return the tables of the working folder and how far they are at `now`; raises nothing."""
    here = Here()
    live, outputs = _read_config(environ)
    left, copies = _read_outputs(outputs)
    found: list[Path] = []
    for folder in _FOLDERS:
        found += _tables_in(folder, here)
    new = [one for one in found if os.path.realpath(one) not in left]
    for one in new[:_MOST_OPENED]:
        if (kind := what_wrote(one, _read(one), copies)) is not None:
            here.written[one] = kind
    found = [one for one in found if one not in here.written]
    # The last ones worked on are those that a person asks about.
    order = sorted(found, key=lambda one: os.path.realpath(one) not in left)
    here.more = max(0, len(order) - MOST_SHOWN)
    for one in order[:MOST_SHOWN]:
        known = left.get(os.path.realpath(one), ())
        told = stand(one, known, live=live, now=now)
        here.tables.append(told if known or not _has_journal(outputs, one) else _unknown(one))
    return here


def _has_journal(outputs: Path, table: Path) -> bool:
    folders = (outputs / table.stem, outputs / f"{table.stem}{REHEARSAL}")
    return any(os.path.lexists(OutputFolder(one).journal) for one in folders)


def _unknown(table: Path) -> Standing:
    said = "was worked on; the figures of its last run cannot be read"
    step = f"reelsheet status {quote_name(str(table))}"
    return Standing(table, said, step, "reads them from its journal")


def _read_config(environ: Mapping[str, str]) -> tuple[bool, Path]:
    """Return whether runs are live, and where their outputs go, as far as a glance tells."""
    text = _read(_CONFIG).decode("utf-8", "replace")
    provider = environ.get("REELSHEET_PROVIDER", "").strip()
    live = provider == "toapis" if provider else _PROVIDER.search(text) is not None
    found = _OUTPUTS.search(text)
    folder = environ.get("REELSHEET_OUTPUT__DIR", "").strip() or (found[1] if found else "")
    return live, Path(folder.strip().strip("\"'") or "outputs")


def _read(path: Path) -> bytes:
    """Return the beginning of a file; nothing where it cannot be read."""
    with contextlib.suppress(OSError, ValueError), open_to_read_bytes(path) as file:
        return file.read(_MOST_BYTES)
    return b""


def _tables_in(folder: Path, here: Here) -> list[Path]:
    """Return the tables of a folder by their names, in order; says so where it cannot be read."""
    found = []
    try:
        with os.scandir(folder) as names:
            for at, one in enumerate(names):
                if at >= _MOST_LOOKED_AT:
                    break
                if is_manifest_name(one.name) and one.is_file():
                    found.append(folder / one.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        here.unread.append(f"The folder {folder} cannot be read: {error.strerror or error}.")
        return []
    return sorted(found)


def _read_outputs(outputs: Path) -> tuple[dict[str, list[Left]], set[Mark]]:
    """Return what runs left, by the real paths of their tables, and the copies made of these."""
    found: dict[str, list[Left]] = {}
    copies: set[Mark] = set()
    try:
        with os.scandir(outputs) as entries:
            names = [one.name for _, one in zip(range(_MOST_OUTPUTS), entries, strict=False)]
    except OSError:
        return found, copies
    for name in sorted(names):
        told = _read_left(outputs / name)
        if told is not None:
            found.setdefault(told[0], []).append(told[1])
            copies.update(read_copies(outputs / name))
    return found, copies


def _read_left(folder: Path) -> tuple[str, Left] | None:
    """Return the table of an output folder and what its last run left; None where none did."""
    summary = folder / "summary.json"
    try:
        said = json.loads(_read(summary) or b"null")
        states = {State(name): int(number) for name, number in said["states"].items()}
        table, rows = os.path.realpath(str(said["manifest"])), int(said["rows"])
        ended = said.get("finished_at") is not None
        live = said.get("provider") != "rehearsal"
        written_at = summary.stat().st_mtime
    except _DAMAGED:
        return None
    at_work = not ended and _is_at_work(folder)
    return table, Left(folder, live, states, rows, written_at if ended else None, at_work)


def _is_at_work(folder: Path) -> bool:
    from pipeline.disk.lock import why_locked

    with contextlib.suppress(OSError):
        return why_locked(OutputFolder(folder).lock) is not None
    return False


def stand(table: Path, left: Collection[Left], *, live: bool, now: float) -> Standing:
    """Say how far a table is and what comes next.

    Args:
        table: the file.
        left: what its runs left, live ones and those that tried it out.
        live: whether the configuration says that runs are paid for.
        now: Unix seconds.

    """
    paid = [one for one in left if one.live]
    chosen = max(paid or left, key=lambda one: one.ended_at or now, default=None)
    name = quote_name(str(table))
    if chosen is None:
        if (export := _as_export(table)) is not None:
            return export
        why = "shows everything that is still wrong in it"
        return Standing(table, "not looked at yet", f"reelsheet check {name}", why, is_new=True)
    said = _say_states(chosen)
    if chosen.at_work:
        why = "shows how it gets on"
        return Standing(table, "is being worked on now", f"reelsheet status {name} --watch", why)
    if chosen.ended_at is None:
        said = f"the last run was cut short; before it {said}"
        return Standing(table, said, f"reelsheet run {name}", "goes on where it ended")
    said = f"{'' if chosen.live else 'tried out: '}{said}; {_say_when(chosen.ended_at, now)}"
    if _was_touched(table, chosen.ended_at):
        why = "shows what is new in it, and its price"
        return Standing(table, f"{said}, saved since", f"reelsheet plan {name}", why)
    return Standing(table, said, *_next_step(chosen, name, live=live))


def _as_export(table: Path) -> Standing | None:
    """Return what a new table is if it is a shop's export as it stands; None for any other."""
    if table.suffix.lower() not in _TEXT or not (start := _read(table)):
        return None
    from pipeline.authoring.shops.recognition import conversion_command, recognise_file

    if (found := recognise_file(table, start)) is None:
        return None
    command = conversion_command(found.name, Invocation(table))
    why = "makes a table to work with"
    return Standing(table, f"an export of {found.shop}", command, why, is_export=True)


def _say_states(left: Left) -> str:
    """Return how many videos of the lines are ready, and where the others stand."""
    counts = ((sum(left.states.get(one, 0) for one in states), text) for text, states in _SAID)
    done = left.states.get(State.DONE, 0)
    begin = f"{done:,} of {count(left.rows, 'video')} {agree(left.rows, 'is', 'are')} ready"
    return ", ".join((begin, *(f"{number:,} {text}" for number, text in counts if number)))


def _say_when(at: float, now: float) -> str:
    then, today = time.localtime(at), time.localtime(now)
    return time.strftime("today %H:%M" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def _was_touched(table: Path, ended_at: float) -> bool:
    with contextlib.suppress(OSError):
        return table.stat().st_mtime > ended_at + _TOUCHED_AFTER_S
    return False


def _next_step(left: Left, name: str, *, live: bool) -> tuple[str, str]:
    """Return the command for what most needs a person, and what it is good for."""
    has = {state for state, number in left.states.items() if number}
    if left.live and has & {State.IN_DOUBT, State.MISSING}:
        return f"reelsheet resolve {name} --all", "lists what may have been paid for"
    if has & {State.READY, State.RUNNING, State.SUBMITTING, State.WAITING}:
        return f"reelsheet run {name}", "goes on with the others"
    if State.INVALID in has:
        return f"reelsheet check {name}", "shows what is wrong in which line"
    if left.live and has & {State.FAILED, State.EXPIRED}:
        return f"reelsheet plan {name} --retry failed,expired", "shows what another try costs"
    if has & {State.FAILED, State.EXPIRED, State.REFUSED}:
        return f"reelsheet status {name} --rows", "shows why, line by line"
    if left.live:
        return f"reelsheet review {name}", "shows the videos, to approve them or send them back"
    if live:
        return f"reelsheet plan {name}", "shows what the real videos cost"
    why = "shows the previews; provider: toapis in config.yaml makes real ones"
    return f"reelsheet review {name}", why
