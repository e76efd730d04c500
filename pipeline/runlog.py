"""The log of all runs in one output folder: one JSON document a line, for its owner alone."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Self

from pipeline.errors import StoreError
from pipeline.events import Event, Intended, PictureRefused
from pipeline.model import Video


class RunLog:
    """Open for appending; use it as a context. The key and signed URLs are never given to it."""

    def __init__(self, path: Path, run_id: str) -> None:
        self._run_id = run_id
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            self._file = os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"the log {path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, at: str, what: str, **said: object) -> None:
        """Write one line: when (UTC, ISO 8601), what, and whatever belongs to it."""
        document = {"at": at, "run": self._run_id, "what": what, **said}
        self._file.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")

    def event(self, at: str, event: Event) -> None:
        """Write an event of a row."""
        self.write(at, type(event).__name__, **_said(event))

    def flush(self) -> None:
        """Hand the lines to the system, so that `tail -f` shows them."""
        self._file.flush()


def _said(event: Event) -> dict[str, object]:
    said = {field.name: getattr(event, field.name) for field in fields(event)}
    if isinstance(event, Intended | PictureRefused):
        del said["attempt"]
        said["client_business_id"] = event.attempt.client_business_id
    if isinstance(said.get("video"), Video):
        video = said["video"]
        said["video"] = getattr(video, "name", None)
    return {name: value for name, value in said.items() if value is not None}
