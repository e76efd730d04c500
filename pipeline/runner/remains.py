"""What is left of a lost journal beside it: run.log, the summary, the results.

None of them says everything. run.log has a line for each event, and its last ones may never have
become durable; the results have only each row's last attempt.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote

from pipeline import events as ev
from pipeline.account.reading import journals_in
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of
from pipeline.errors import ManifestError, UsageError
from pipeline.journal.logreading import last_line, logged, tells_of_intents
from pipeline.lifecycle import MOVES, SETTLED
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.model import IDENTITY_MARK, Manifest, State
from pipeline.reader.reading import read
from pipeline.runner.runlog import key_in
from pipeline.writer.summary import read_summary

_UNSENT = {State.WAITING.value, State.INVALID.value, State.REFUSED.value}
_MOST_DIGITS = 9
_NOT_SENT = (ev.PictureRefused, ev.Reused)
_STATES = frozenset(state.value for state in State)


@dataclass(frozen=True, slots=True)
class Trace:
    """An attempt as a file beside the journal tells of it. Times are Unix seconds.

    `key` is what the row is called now, `identity` its entry's; `place` the address of where its
    video was put, empty for `videos/` or where nothing tells.
    """

    key: str
    identity: str
    number: int
    state: State
    reference: str | None = None
    task_id: str | None = None
    request_hash: str | None = None
    video_name: str | None = None
    submitted_at: float | None = None
    finished_at: float | None = None
    place: str = ""


def last_runs(folder: OutputFolder) -> set[object]:
    """Return the ids of the last run that run.log tells of, and of the one in the summary."""
    return {last_line(folder.log).get("run_id"), summary_of(folder).get("run_id")} - {None}


def sign_of_submissions(folder: OutputFolder) -> Path | None:
    """Return a file that says that rows were sent from an output folder; None if none does."""
    if tells_of_intents(folder.log):
        return folder.log
    if _summary_says_sent(folder):
        return folder.summary
    results = read_results(folder)
    return results.path if results is not None and tasks_in(results) else None


def tasks_in(results: Manifest) -> set[str]:
    """Return the ids of the tasks that a table of results tells of."""
    unnamed = [""] * len(results.rows)
    return {one.task_id for one in traces_in_results(results, unnamed) if one.task_id}


def manifest_in(folder: OutputFolder) -> Path | None:
    """Return the manifest of the last run as summary or log name it; None if neither does.

    A file that a run wrote into the folder (failed.csv) is none.
    """
    begun = (line for line in logged(folder.log) if line.get("event") == "begin")
    named = [summary_of(folder).get("manifest"), *(line.get("manifest") for line in begun)]
    paths = (Path(str(one)) for one in (named[0], *reversed(named[1:])) if one)
    return next((one for one in paths if not folder.wrote(one)), None)


def _owner_of(folder: OutputFolder, manifest: Path, book: Path | None) -> Path | None:
    """Return the manifest of a folder, for a file that a run wrote there (failed.csv).

    None for any other manifest, and where nothing tells. Raises StoreError.

    Args:
        folder: the output folder.
        manifest: the manifest that was named.
        book: the file of the account's book; None if there is none.

    """
    if not folder.wrote(manifest):
        return None
    known = () if book is None else journals_in(book, folder.root)
    paths = (path_of(one.manifest) for one in known if one.manifest)
    return next((one for one in paths if not folder.wrote(one)), None) or manifest_in(folder)


def explain_ours(folder: OutputFolder, typed: Invocation, book: Path | None) -> UsageError | None:
    """Return why a file that a run wrote does not stand for its manifest, whose journal is gone.

    None where the journal is there, or for any other file.

    Args:
        folder: the output folder.
        typed: what the user named.
        book: the file of the account's book; None if there is none.

    Raises:
        StoreError: the book cannot be read.

    """
    manifest = _owner_of(folder, typed.manifest, book) if is_gone(folder.journal) else None
    if manifest is None:
        return None
    owner = replace(typed, manifest=manifest, origin=None)
    return UsageError(
        f"there is no journal in {folder.root}: only {owner.manifest} has all rows that were sent "
        "from there, and the files that a run wrote beside it have not. Nothing was sent.",
        action=f"Restore it with: {owner.rebuild(folder.root)}",
    )


def summary_of(folder: OutputFolder) -> dict[str, Any]:
    """Return the summary of the last run; empty if there is none that can be read."""
    return read_summary(folder.root)


def _summary_says_sent(folder: OutputFolder) -> bool:
    told = summary_of(folder)
    states = told.get("states")
    sent = isinstance(states, dict) and not states.keys() <= _UNSENT
    return sent or ("states" in told and bool(told.get("submitted")))


def journal_id_in(lines: Iterable[dict[str, Any]]) -> str | None:
    """Return the id of the journal that the last run of a log wrote; None if it does not say."""
    ids = [line["journal"] for line in lines if line.get("event") == "begin" and "journal" in line]
    return str(ids[-1]) if ids else None


def traces_in_log(lines: Iterable[dict[str, Any]]) -> list[Trace]:
    """Return every attempt that the lines of a log tell of, as far as it had come."""
    log = _Log()
    for line in lines:
        with contextlib.suppress(
            KeyError, TypeError, ValueError, OverflowError
        ):  # a line that nobody of us wrote
            log.take(line)
    return log.traces


_COMMIT_S = 2.0
"""An intent that stands so long before the end of a run's log was committed to the journal."""


def sent_in_log(lines: Iterable[dict[str, Any]]) -> set[str]:
    """Return the references that were sent by runs that the journal knows, as their log tells.

    A kill may come between a line of the log and the commit of its event: then the last intents of
    a run stand in the log alone, without an answer, and were never sent.
    """
    kept = list(lines)
    ends: dict[object, float] = {}
    for line in kept:
        ends[line.get("run_id")] = max(
            ends.get(line.get("run_id"), 0.0), second_of(line.get("time"))
        )
    early = {
        line.get("client_business_id")
        for line in kept
        if second_of(line.get("time")) < ends[line.get("run_id")] - _COMMIT_S
    }
    return {
        one.reference
        for one in traces_in_log(kept)
        if one.reference is not None
        and one.state is not State.WAITING
        and (one.state is not State.SUBMITTING or one.reference in early)
    }


class _Log:
    """Attempts as line after line tells of them."""

    def __init__(self) -> None:
        self._identity_of: dict[str, str] = {}  # by the key of the moment
        self._first: Counter[str] = Counter()
        self._attempts: dict[tuple[str, int], Trace] = {}

    @property
    def traces(self) -> list[Trace]:
        """The attempts, under the keys that their rows had last."""
        key_of = {identity: key for key, identity in self._identity_of.items()}
        return [replace(one, key=key_of[one.identity]) for one in self._attempts.values()]

    def take(self, line: dict[str, Any]) -> None:
        """Take in a line; KeyError, TypeError or ValueError: it is none of ours."""
        kind = ev.KINDS.get(line["event"])
        if kind is None:
            return
        key = key_in(line)
        if key not in self._identity_of:
            self._first[key] += 1
            turn = self._first[key]
            self._identity_of[key] = key if turn == 1 else f"{key}{IDENTITY_MARK}{turn}"
        identity = self._identity_of[key]
        if kind is ev.Renamed:
            self._identity_of[key_in(line, "new_key")] = self._identity_of.pop(key)
        elif kind not in _NOT_SENT and kind in MOVES:
            place = identity, int(line["attempt"])
            known = self._attempts.get(place)
            if known is not None or kind is ev.Intended:
                before = known or Trace(key, *place, State.WAITING)
                self._attempts[place] = _after(before, kind, line)


def _after(trace: Trace, kind: type[ev.Event], line: dict[str, Any]) -> Trace:
    if kind is ev.Requeued:
        return trace
    at = datetime.fromisoformat(line["time"]).timestamp()
    state = MOVES[kind].target
    if kind is ev.Intended:
        trace = replace(trace, reference=str(line["client_business_id"]), submitted_at=at)
    return replace(
        trace,
        state=state,
        task_id=line.get("task_id") or trace.task_id,
        request_hash=line.get("request_hash") or trace.request_hash,
        video_name=line.get("video") or line.get("video_name") or trace.video_name,
        finished_at=at if state in SETTLED else None,
        place=str(line.get("place") or trace.place),
    )


def read_results(folder: OutputFolder, *, since: float = 0.0) -> Manifest | None:
    """Return the latest results in an output folder as a table; None if none can be read.

    Those that were written before the Unix second `since` are passed over.
    """
    found = [
        one
        for one in folder.root.glob("results*")
        if folder.wrote(one) and one.is_file() and one.stat().st_mtime >= since
    ]
    for path in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True):
        with contextlib.suppress(ManifestError):
            return read(path)
    return None


def traces_in_results(results: Manifest, keys: Sequence[str]) -> Iterator[Trace]:
    """Yield the last attempt of each row that a table of results has a task of.

    `keys` are those of its rows, in order.
    """
    columns = {name.casefold(): place for place, name in enumerate(results.headers)}
    for key, row in zip(keys, results.rows, strict=True):
        told = {name: row.cells[columns[name]] for name in RESULT_COLUMNS if name in columns}
        state, task_id = told.get("result_state"), told.get("result_task_id")
        if task_id and state in _STATES:
            yield Trace(
                key,
                key,
                _whole(told.get("result_attempts")) or 1,
                State(state),
                task_id=task_id,
                video_name=_name_in(told.get("result_video") or ""),
                submitted_at=second_of(told.get("result_submitted_at")) or None,
                finished_at=second_of(told.get("result_finished_at")) or None,
            )


def _name_in(address: str) -> str | None:
    """Return the name of a video by its path or address; that of a web address is quoted."""
    name = PurePath(address).name
    return (unquote(name) if address.startswith("https://") else name) or None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def second_of(text: str | None) -> float:
    """Return a time as the log and the results write it in Unix seconds, 0 if it is none."""
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.fromisoformat(text or "").timestamp()
    return 0.0
