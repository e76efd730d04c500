"""The nights and runs of a folder of outputs so far.

Of a night `.night/history.jsonl` gets a line when it begins, when its manifests are known, and when
it ends; runs are in the journals.

Each line says all that is known by then, so the latest one of each counts. What was killed has no
end; what it paid for, the journals know.

Tested in tests/night/test_history.py and tests/system/test_outside.py.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import why_locked
from pipeline.disk.logfile import LogFile, lines_of
from pipeline.disk.rights import make_cache
from pipeline.errors import ReelsheetError
from pipeline.journal.ownership import find_manifest
from pipeline.journal.sums import runs_in, sum_up
from pipeline.model import State
from pipeline.models.pricing import add_up
from pipeline.night.notice import ended_well
from pipeline.writer.outcome import iso

NIGHT = "night"
FILE_NAME = ".night/history.jsonl"
_MOST_BYTES = 1_000_000
_KEPT = 1
"""Of so many earlier files something is told: together that is some thousand nights."""

_REHEARSAL = ".rehearsal"
_NONE_OF_OURS = (ValueError, KeyError, TypeError, RecursionError, OverflowError, OSError)
"""What reading a line raises that nobody of us wrote."""
DOUBTFUL = (State.IN_DOUBT, State.MISSING, State.SUBMITTING)


@dataclass(frozen=True, slots=True)
class Past:
    """A night, or a run of one manifest or several, as it is told of.

    `state` is running, ended or killed. `submitted` are the videos that it ordered; `failed` and
    `doubtful` are rows as they stood at its end; of a run, and of a killed night, what failed in
    its time, and those of its orders that are in doubt now. `money` is None where a price is not
    known.
    """

    id: str
    command: str
    rehearsal: bool
    state: str
    started_at: str
    ended_at: str | None
    manifests: tuple[str, ...]
    submitted: int = 0
    downloaded: int = 0
    done: int = 0
    failed: int = 0
    doubtful: int = 0
    money: float | None = None
    currency: str = ""
    exit_code: int | None = None
    stopped_by: str | None = None
    well: bool | None = None

    @property
    def ended_well(self) -> bool:
        """Whether it ended and needed nobody at once; earlier versions told the code alone."""
        if self.well is None:
            return self.exit_code is not None and ended_well(self.exit_code)
        return self.well

    @property
    def ended_second(self) -> float:
        """The Unix second at which it ended; 0 if it did not."""
        return 0.0 if self.ended_at is None else _second(self.ended_at)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return what a line tells; raises KeyError, TypeError, ValueError: it is none of ours."""
        states, spend = dict(told["states"]), dict(told["spend"])
        counted = {str(name): int(number) for name, number in states.items()}
        money, code = spend.get("money"), told["exit_code"]
        return cls(
            id=str(told["id"]),
            command=str(told["command"]),
            rehearsal=bool(told["rehearsal"]),
            state=str(told["state"]),
            started_at=_time(told["started_at"]),
            ended_at=None if told["ended_at"] is None else _time(told["ended_at"]),
            manifests=tuple(map(str, told["manifests"])),
            submitted=int(told["submitted"]),
            downloaded=int(told["downloaded"]),
            done=counted.get(State.DONE, 0),
            failed=counted.get(State.FAILED, 0),
            doubtful=sum(counted.get(state, 0) for state in DOUBTFUL),
            money=None if money is None else float(money),
            currency=str(spend.get("currency", "")),
            exit_code=None if code is None else int(code),
            stopped_by=None if told["stopped_by"] is None else str(told["stopped_by"]),
            well=None if told.get("well") is None else bool(told["well"]),
        )


def note(outputs: Path, told: Mapping[str, object]) -> None:
    """Add a line; raises StoreError where the folder of outputs does not take it."""
    make_cache((outputs / FILE_NAME).parent)
    line = json.dumps(told, ensure_ascii=True).encode("ascii") + b"\n"
    with LogFile(outputs / FILE_NAME, most_bytes=_MOST_BYTES, kept=_KEPT) as log:
        log.append(line)


def read_past(outputs: Path) -> list[Past]:
    """Return the nights and runs of a folder of outputs, in their order.

    One without an end goes on, or was killed: `settled` tells which, and counts the runs.
    """
    latest: dict[str, Past] = {}
    for line in lines_of(outputs / FILE_NAME):
        with contextlib.suppress(*_NONE_OF_OURS):
            one = Past.of(json.loads(line))
            latest[one.id] = one
    found = [*latest.values(), *_runs(outputs)]
    return sorted(found, key=lambda one: one.started_at)


def _runs(outputs: Path) -> Iterator[Past]:
    """Yield the runs that the journals know, beside those of nights."""
    for journal in _journals(outputs):
        with contextlib.suppress(ReelsheetError):
            manifest = find_manifest(journal)
            for run in runs_in(journal):
                if run.command == NIGHT or manifest is None:
                    continue
                ended_at = iso(run.finished_at)
                yield Past(
                    id=run.run_id,
                    command=run.command,
                    rehearsal=journal.parent.name.endswith(_REHEARSAL),
                    state="running" if ended_at is None else "ended",
                    started_at=iso(run.started_at) or "",
                    ended_at=ended_at,
                    manifests=(str(manifest),),
                    exit_code=run.exit_code,
                    stopped_by=run.stopped_by,
                )


def settled(
    past: Sequence[Past],
    outputs: Path,
    night_lock: Path,
    latest: int | None = None,
    *,
    nights: bool = False,
) -> list[Past]:
    """Return nights and runs with what they ordered, those without an end as running or killed.

    Args:
        past: What the lines tell, in its order: all of it, as each ends where the next begins.
        outputs: The folder of outputs.
        night_lock: The lock that a night there holds.
        latest: Only so many of them, the latest; None for all.
        nights: Whether runs are left out.

    """
    open_ones = [one for one in past if one.ended_at is None]
    wanted = [place for place, one in enumerate(past) if one.command == NIGHT or not nights]
    folders = [OutputFolder(one.parent) for one in _journals(outputs)]
    going_on = _going_on(open_ones, folders, night_lock)
    told = []
    for place in wanted if latest is None else wanted[-latest:]:
        counted = one = past[place]
        if one.ended_at is None or one.command != NIGHT:
            after = (later.started_at for later in past[place + 1 :] if _shares(one, later))
            counted = _count(one, folders, outputs, next(after, None))
        if one.ended_at is None:
            counted = replace(counted, state="running" if one.id in going_on else "killed")
        told.append(counted)
    return told


def _journals(outputs: Path) -> list[Path]:
    own = outputs / "journal.db"
    return [*([own] if own.is_file() else []), *sorted(outputs.glob("*/journal.db"))]


def _time(text: str) -> str:
    """Return a time as the lines write it; raises one of `_NONE_OF_OURS` if it is none."""
    _second(text)
    return text


def _shares(one: Past, other: Past) -> bool:
    same = one.rehearsal is other.rehearsal
    return same and not {*one.manifests}.isdisjoint(other.manifests)


def _going_on(past: Sequence[Past], folders: Sequence[OutputFolder], night_lock: Path) -> set[str]:
    """Return the ids of those that go on: of several over one manifest only the latest can."""
    night = why_locked(night_lock) is not None
    locked = {_manifest_of(one.journal) for one in folders if why_locked(one.lock) is not None}
    found = set()
    for one in reversed(past):
        works = night if one.command == NIGHT else not locked.isdisjoint(one.manifests)
        if works:
            found.add(one.id)
        night = night and one.command != NIGHT
        locked -= {*one.manifests}
    return found


def _count(one: Past, folders: Sequence[OutputFolder], outputs: Path, until: str | None) -> Past:
    """Return one without an end with what the journals say of it, up to when the next one began.

    A journal that cannot be read says nothing: whoever opens it says why.
    """
    states, ended = Counter[State](), Counter[State]()
    costs: list[float | None] = []
    home = 0
    for folder in folders:
        if folder.root == outputs or folder.root.name.endswith(_REHEARSAL) is one.rehearsal:
            with contextlib.suppress(ReelsheetError):
                sent = sum_up(folder.journal, _second(one.started_at), _second(until))
                if str(sent.manifest) in one.manifests:
                    states.update(sent.states)
                    ended.update(sent.ended)
                    home += sent.home
                    costs += [sent.cost] if sent.states else []
    ordered = states.total() - states[State.SUBMITTING]
    return replace(
        one,
        submitted=ordered,
        downloaded=home,
        done=ended[State.DONE],
        failed=ended[State.FAILED],
        doubtful=sum(states[state] for state in DOUBTFUL),
        money=None if (money := add_up(costs).money) is None else round(money, 6),
    )


def _manifest_of(journal: Path) -> str | None:
    with contextlib.suppress(ReelsheetError):
        return str(find_manifest(journal))
    return None


def _second(text: str | None) -> float:
    return float("inf") if text is None else datetime.fromisoformat(text).timestamp()
