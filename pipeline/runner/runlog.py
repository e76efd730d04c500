"""The log of all runs in one output folder: one JSON document a line, for its owner alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from pipeline.concealment import conceal, show_in_json
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.openfile import open_private
from pipeline.errors import StoreError
from pipeline.events import Declined, Event, LinkLost, Opening, PictureRefused, TaskFailed
from pipeline.lifecycle import MOVES
from pipeline.model import IDENTITY_MARK, Video, shown_key
from pipeline.writer.advice import advise
from pipeline.writer.outcome import iso

_KEYS = {"key", "new_key"}
_PARTS = "_parts"
"""Where the key of an entry that stepped aside is kept as it is, without its control character."""

_text = json.JSONEncoder(ensure_ascii=False, default=str).encode


class RunLog:
    """Open for appending; use it as a context. Lines are made and written by `flush`.

    Neither the key nor a signed URL is ever given to it. Should a bug do so, `secret` and what
    stands behind the question mark of an address are left out all the same. `wall` says the time in
    Unix seconds.
    """

    def __init__(
        self, path: Path, run_id: str, wall: Callable[[], float], *, secret: str = ""
    ) -> None:
        self._path = path
        self._run_id = run_id
        self._wall = wall
        self._secret = secret
        self._waiting: list[tuple[float, str, Event | dict[str, object]]] = []
        with raise_store_errors(f"the log {path}"):
            descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
            self._file = os.fdopen(descriptor, "wb", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.flush()
        except StoreError:
            if kind is None:
                raise
        finally:
            self._file.close()

    @property
    def waiting(self) -> bool:
        """Whether there are lines that `flush` has not written."""
        return bool(self._waiting)

    def write(self, title: str, /, **details: object) -> None:
        """Add a line: the title of what happened now, and details that belong to it."""
        self._waiting.append((self._wall(), title, details))

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
            with raise_store_errors(f"the log {self._path}"):
                self._file.write(lines.encode(errors="backslashreplace"))

    def _line(self, at: float, title: str, details: Event | dict[str, object]) -> str:
        if not isinstance(details, dict):
            details = _details_of(details)
        document = {"at": iso(at), "run": self._run_id, "what": title, **details}
        return show_in_json(conceal(_text(document), self._secret)) + "\n"


def key_in(line: Mapping[str, Any], name: str = "key") -> str:
    """Return a key as the journal has it from a line of a log; KeyError: the line has none."""
    parts = line.get(f"{name}{_PARTS}")
    return IDENTITY_MARK.join(map(str, parts)) if isinstance(parts, list) else str(line[name])


def _details_of(event: Event) -> dict[str, object]:
    details = {field.name: getattr(event, field.name) for field in fields(event)}
    del details["lane"]  # the log, too, is of one lane
    for name in _KEYS & details.keys():
        key = details[name]
        if IDENTITY_MARK in key:
            details[name] = shown_key(key)
            details[f"{name}{_PARTS}"] = key.split(IDENTITY_MARK)
    if isinstance(event, Opening):
        del details["attempt"]
        attempt = event.attempt
        details["client_business_id"] = attempt.client_business_id
        details["request_hash"] = attempt.request.request_hash
        details["video_name"] = attempt.video_name
    if isinstance(details.get("video"), Video):
        video = details["video"]
        details["video"] = getattr(video, "name", None)
    if isinstance(event, Declined | PictureRefused | TaskFailed | LinkLost):
        advice = advise(MOVES[type(event)].target, event.code)
        details["advice"] = advice.name if advice else None
    return {name: value for name, value in details.items() if value is not None}
