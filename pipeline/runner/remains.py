"""What is left of a lost journal beside it: run.log, the summary, the results.

None of them says everything. run.log has a line for each event, and its last ones may never have
become durable; the results have only each row's last attempt.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from pipeline import events as ev
from pipeline.account.reconcile import Reconciliation
from pipeline.disk.folder import OutputFolder, rebuild_command
from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, ManifestError, UsageError
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_runs
from pipeline.lifecycle import MOVES, SETTLED
from pipeline.manifest.wording import count
from pipeline.model import IDENTITY_MARK, RESULT_COLUMNS, Manifest, State
from pipeline.reader.reading import read
from pipeline.runner.runlog import RunLog

_UNSENT = {State.WAITING.value, State.INVALID.value, State.REFUSED.value}
_INTENDED = b'"what": "Intended"'
_NOT_SENT = (ev.PictureRefused, ev.Reused)
_STATES = frozenset(state.value for state in State)


@dataclass(frozen=True, slots=True)
class Trace:
    """An attempt as a file beside the journal tells of it. Times are Unix seconds.

    `key` is what the row is called now, `identity` its entry's.
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


def refuse_forgotten(
    journal: Journal, recovery: Reconciliation, folder: OutputFolder, manifest: Path
) -> None:
    """Raise UsageError if rows were sent from an output folder that nothing else remembers.

    Args:
        journal: its journal, open, with what it got back from the book.
        recovery: what that was.
        folder: the output folder.
        manifest: the manifest of the run.

    Raises:
        UsageError: the journal is gone or an older copy; the message names what mends it.
        StoreError: the journal cannot be read.

    """
    if not recovery.lost:
        return
    runs = read_runs(journal.path)
    since, known = max((one.started_at for one in runs), default=0.0), {one.run_id for one in runs}
    later = [
        line
        for line in _intents(folder.log)
        if line.get("run") not in known and _second(line.get("at")) > since
    ]
    if later:
        references = {one.attempt.client_business_id for one in journal.attempts()}
        if {line.get("client_business_id") for line in later} - references:
            raise _forgotten(folder, manifest, folder.log, gone=not runs)
    elif not runs and not recovery.adopted and (sign := sign_of_submissions(folder)) is not None:
        raise _forgotten(folder, manifest, sign, gone=True)


def _intents(log: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(OSError), log.open("rb") as lines:
        yield from _documents(line for line in lines if _INTENDED in line)


def why_forgotten(folder: OutputFolder, manifest: Path) -> UsageError | None:
    """Return why a run would be refused whose journal knows nothing; None if it would not be."""
    sign = sign_of_submissions(folder)
    return None if sign is None else _forgotten(folder, manifest, sign, gone=True)


def _forgotten(folder: OutputFolder, manifest: Path, sign: Path, *, gone: bool) -> UsageError:
    what = "is gone" if gone else "is an older copy"
    return UsageError(
        f"the journal of {manifest} in {folder.root} {what}: {sign} tells of rows that were sent "
        "and that neither it nor a book knows. They would be sent and paid for again; nothing was "
        "sent.",
        action=f"Restore it with: {rebuild_command(manifest, folder.root)}. To start over and pay "
        "again, name another output folder with --out.",
    )


def tell_recovery(
    recovery: Reconciliation, manifest: Path, tell: Callable[[str], None], log: RunLog
) -> None:
    """Say what a journal got back, and what is looked up before it is sent.

    Args:
        recovery: what was found before the run began.
        manifest: the manifest of the run.
        tell: shows a line to whoever pays.
        log: the log of the run.

    """
    said = []
    if recovery.adopted:
        known = count(len(recovery.adopted), "submission")
        said.append(
            f"The journal of {manifest} did not know of {known} that the account's book remembers. "
            "They are taken over and not sent again."
        )
    if recovery.ask_all:
        said.append(
            f"The journal of {manifest} may have forgotten what was sent: every row is looked up "
            "by its reference before it is sent, which is free."
        )
    for line in said:
        tell(line)
        log.write("recovery", told=line)


def stop_for_forgotten(manifest: Path, folder: OutputFolder) -> Stop:
    """Stop submitting: what may have been sent cannot be looked up without references."""
    return Stop(
        ExitCode.IN_DOUBT,
        "the journal may have forgotten what its last run sent, and without api.client_reference "
        "that cannot be looked up",
        Reach.SUBMITTING,
        "See in your ToAPIs account what was made. To have the journal trusted again: "
        f"{rebuild_command(manifest, folder.root)}.",
    )


def sign_of_submissions(folder: OutputFolder) -> Path | None:
    """Return a file that says that rows were sent from an output folder; None if none does."""
    with contextlib.suppress(OSError), folder.log.open("rb") as log:
        if any(_INTENDED in line for line in log):
            return folder.log
    if _summary_says_sent(folder.summary):
        return folder.summary
    results = read_results(folder)
    if results is not None and any(True for _ in traces_in_results(results, _unnamed(results))):
        return results.path
    return None


def _unnamed(results: Manifest) -> list[str]:
    return [""] * len(results.rows)


def _summary_says_sent(summary: Path) -> bool:
    try:
        told = json.loads(summary.read_bytes())
        return bool(told.get("submitted")) or not told["states"].keys() <= _UNSENT
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def logged(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log that can be read; the last one may have been cut off."""
    with contextlib.suppress(OSError), path.open("rb") as log:
        yield from _documents(log)


def _documents(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict):
                yield told


def journal_id_in(lines: Iterable[dict[str, Any]]) -> str | None:
    """Return the id of the journal that the last run of a log wrote; None if it does not say."""
    ids = [line["journal"] for line in lines if line.get("what") == "begin" and "journal" in line]
    return str(ids[-1]) if ids else None


def traces_in_log(lines: Iterable[dict[str, Any]]) -> list[Trace]:
    """Return every attempt that the lines of a log tell of, as far as it had come."""
    log = _Log()
    for line in lines:
        with contextlib.suppress(KeyError, TypeError, ValueError):  # a line that nobody of us wrote
            log.take(line)
    return log.traces


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
        kind = ev.KINDS.get(line["what"])
        if kind is None:
            return
        key = str(line["key"])
        if key not in self._identity_of:
            self._first[key] += 1
            turn = self._first[key]
            self._identity_of[key] = key if turn == 1 else f"{key}{IDENTITY_MARK}{turn}"
        identity = self._identity_of[key]
        if kind is ev.Renamed:
            self._identity_of[str(line["new_key"])] = self._identity_of.pop(key)
        elif kind not in _NOT_SENT and kind in MOVES:
            place = identity, int(line["number"])
            known = self._attempts.get(place)
            if known is not None or kind is ev.Intended:
                before = known or Trace(key, *place, State.WAITING)
                self._attempts[place] = _after(before, kind, line)


def _after(trace: Trace, kind: type[ev.Event], line: dict[str, Any]) -> Trace:
    if kind is ev.Requeued:
        return trace
    at = datetime.fromisoformat(line["at"]).timestamp()
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
    )


def read_results(folder: OutputFolder) -> Manifest | None:
    """Return the latest results in an output folder as a table; None if none can be read."""
    found = [one for one in folder.root.glob("results*") if folder.wrote(one) and one.is_file()]
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
                video_name=PurePath(told.get("result_video") or "").name or None,
                submitted_at=_second(told.get("result_submitted_at")) or None,
                finished_at=_second(told.get("result_finished_at")) or None,
            )


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _second(text: str | None) -> float:
    """Return a time as the log and the results write it in Unix seconds, 0 if it is none."""
    with contextlib.suppress(ValueError):
        return datetime.fromisoformat(text or "").timestamp()
    return 0.0
