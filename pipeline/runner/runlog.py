"""The log of all runs in one output folder: one JSON document a line; `logevents` says what of.

It is for its owner alone, or for those whom `log.mode` lets in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from pipeline.disk.logfile import LogFile
from pipeline.errors import StoreError
from pipeline.events import Declined, Event, LinkLost, Opening, PictureRefused, TaskFailed
from pipeline.lifecycle import MOVES
from pipeline.model import IDENTITY_MARK, Video, shown_key
from pipeline.runner.logevents import write_line
from pipeline.writer.advice import advise

_KEYS = {"key", "new_key"}
_PARTS = "_parts"
"""Where the key of an entry that stepped aside is kept as it is, without its control character."""

_BYTES_OF_MB = 1_000_000


class RunLog:
    """Open for appending; use it as a context. Lines are made and written by `flush`.

    Neither the key nor a signed URL is ever given to it. Should a bug do so, `secret` and what
    stands behind the question mark of an address are left out all the same.

    Args:
        path: The file.
        run_id: The run that its lines are of.
        wall: Says the time in Unix seconds.
        manifest: The manifest of the run.
        secret: The key.
        mode: The rights of the file.
        rotate_mb: How large it gets at most, in megabytes; None: without a bound.

    """

    def __init__(
        self,
        path: Path,
        run_id: str,
        wall: Callable[[], float],
        *,
        manifest: Path | None = None,
        secret: str = "",
        mode: int = 0o600,
        rotate_mb: float | None = None,
    ) -> None:
        self._run_id = run_id
        self._wall = wall
        self._manifest = "" if manifest is None else str(manifest)
        self._secret = secret
        self._waiting: list[tuple[float, str, Event | dict[str, object]]] = []
        most_bytes = None if rotate_mb is None else rotate_mb * _BYTES_OF_MB
        self._file = LogFile(path, mode=mode, most_bytes=most_bytes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._file:
            try:
                self.flush()
            except StoreError:
                if kind is None:
                    raise

    @property
    def waiting(self) -> bool:
        """Whether there are lines that `flush` has not written."""
        return bool(self._waiting)

    def write(self, event: str, /, **details: object) -> None:
        """Add a line: what happened now, one of `logevents.KINDS`, and what belongs to it."""
        self._waiting.append((self._wall(), event, _shown(details)))

    def write_event(self, event: Event) -> None:
        """Add an event of a row that happened now."""
        self._waiting.append((self._wall(), type(event).__name__, event))

    def flush(self) -> None:
        """Hand the lines to the system, so that `tail -f` shows them.

        Raises StoreError when the disk does not take them; they are dropped then, since the journal
        has what they say.
        """
        waiting, self._waiting = self._waiting, []
        lines = "".join(self._line(*line) for line in waiting)
        if lines:
            self._file.append(lines.encode(errors="backslashreplace"))

    def _line(self, at: float, event: str, details: Event | dict[str, object]) -> str:
        if not isinstance(details, dict):
            details = _details_of(details)
        return write_line(
            at,
            event,
            details,
            run_id=self._run_id,
            manifest=self._manifest,
            secret=self._secret,
        )


def key_in(line: Mapping[str, Any], name: str = "key") -> str:
    """Return a key as the journal has it from a line of a log; KeyError: the line has none."""
    parts = line.get(f"{name}{_PARTS}")
    return IDENTITY_MARK.join(map(str, parts)) if isinstance(parts, list) else str(line[name])


def _shown(details: dict[str, object]) -> dict[str, object]:
    """Return details in which the key of an entry that stepped aside has no control character."""
    for name in _KEYS & details.keys():
        key = str(details[name])
        if IDENTITY_MARK in key:
            details[name] = shown_key(key)
            details[f"{name}{_PARTS}"] = key.split(IDENTITY_MARK)
    return details


def _details_of(event: Event) -> dict[str, object]:
    details = {field.name: getattr(event, field.name) for field in fields(event)}
    del details["lane"]  # the log, too, is of one lane
    if isinstance(event, Opening):
        attempt = event.attempt
        details["client_business_id"] = attempt.client_business_id
        details["request_hash"] = attempt.request.request_hash
        details["video_name"] = attempt.video_name
    details = {"key": details.pop("key"), "attempt": details.pop("number")} | {
        name: value for name, value in details.items() if name != "attempt" and value is not None
    }
    if isinstance(video := details.get("video"), Video):
        details["video"] = video.name
        if video.place:
            details["place"] = video.place
    if isinstance(event, Declined | PictureRefused | TaskFailed | LinkLost):
        advice = advise(MOVES[type(event)].target, event.code)
        if advice is not None:
            details["advice"] = advice.name
    return _shown(details)
