"""What the lines of `run.log` say, and those on standard error with `--log-format json`.

The tables here are what docs/logs.md and docs/log.schema.json are made of. A line is one JSON
document: the time, the level, the run, its manifest and the event, and what belongs to the event.

Tested in tests/runner/test_runlog.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline import events as ev
from pipeline.concealment import conceal, show_in_json
from pipeline.writer.outcome import iso


class Level(StrEnum):
    """How much a line matters: `warning` is worth a look, `error` needs a person."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line: its level (None: each line has its own), what it means, its details.

    `has` are the details that each of its lines has, `may_have` those that some have.
    """

    level: Level | None
    meaning: str
    has: tuple[str, ...] = ()
    may_have: tuple[str, ...] = ()


FIELDS = ("time", "level", "run_id", "manifest", "event")
"""What every line says, in this order."""

_ATTEMPT = ("client_business_id", "request_hash", "video_name")
_ADVICE = ("code", "advice")
_OF_ROWS: dict[type[ev.Event], tuple[Level, tuple[str, ...], tuple[str, ...]]] = {
    ev.Requeued: (Level.INFO, (), ()),
    ev.Intended: (Level.INFO, _ATTEMPT, ()),
    ev.PictureRefused: (Level.WARNING, (*_ATTEMPT, "message"), _ADVICE),
    ev.Reused: (Level.INFO, (*_ATTEMPT, "task_id", "video"), ("place", "made_at")),
    ev.Accepted: (Level.INFO, ("task_id",), ()),
    ev.NotAccepted: (Level.INFO, (), ()),
    ev.Declined: (Level.WARNING, ("message",), _ADVICE),
    ev.AnswerLost: (Level.WARNING, ("message",), ()),
    ev.Interrupted: (Level.WARNING, (), ()),
    ev.Found: (Level.INFO, ("task_id",), ()),
    ev.ClosedUnsent: (Level.INFO, (), ()),
    ev.NotFound: (Level.WARNING, (), ()),
    ev.Completed: (Level.INFO, (), ("duration_s",)),
    ev.TaskFailed: (Level.WARNING, ("message",), _ADVICE),
    ev.TaskLost: (Level.WARNING, ("message",), ()),
    ev.TaskBack: (Level.INFO, (), ()),
    ev.Downloaded: (Level.INFO, ("video",), ("place",)),
    ev.LinkLost: (Level.WARNING, ("code", "message"), ("advice",)),
    ev.FileGone: (Level.WARNING, (), ()),
    ev.Renamed: (Level.INFO, ("new_key",), ("new_key_parts",)),
}
OF_ROWS = {
    kind.__name__: Kind(
        level,
        (kind.__doc__ or "").split("\n")[0],
        ("key", "attempt", *has),
        ("key_parts", *may_have),
    )
    for kind, (level, has, may_have) in _OF_ROWS.items()
}
"""The events of rows, by the names that the journal has for them."""

OF_RUNS = {
    "begin": Kind(Level.INFO, "The run begins.", ("command", "journal", "reading")),
    "recovery": Kind(Level.WARNING, "The journal had forgotten something.", ("message",)),
    "waiting": Kind(
        Level.WARNING, "Calls fail, or rows are looked up, and the run waits for that.", (),
        ("waits_for", "why", "until", "message"),
    ),
    "waiting_over": Kind(Level.INFO, "It came.", ("waits_for",)),
    "reference_found": Kind(
        Level.INFO, "A task was found by its `client_business_id`: look-ups work."
    ),
    "video_not_downloaded": Kind(
        Level.WARNING, "This run did not get a finished video.", ("key", "reason"), ("key_parts",)
    ),
    "unknown_status": Kind(
        Level.WARNING, "Tasks are left with a status that nobody knows.", ("status", "rows")
    ),
    "stopped": Kind(Level.WARNING, "The run ended early.", ("exit_code", "reason")),
    "end": Kind(Level.INFO, "The run has ended.", ("exit_code", "states", "notes")),
    "end_not_recorded": Kind(Level.ERROR, "The journal could not note the end.", ("reason",)),
    "page_not_written": Kind(
        Level.WARNING, "The review page could not be written.", ("reason",)
    ),
    "internal_error": Kind(Level.ERROR, "There is a bug in Reelsheet.", ("traceback",)),
}  # fmt: skip
"""The other lines of a log."""

ON_SCREEN = {
    "progress": Kind(
        Level.INFO,
        "How far the run is.",
        ("rows", "states", "submitted", "downloaded"),
        ("waits_for", "workers", "slots"),
    ),
    "message": Kind(None, "What a person would be told.", ("message",), ("action", "exit_code")),
    "question": Kind(Level.WARNING, "What a person is asked on a terminal.", ("message",)),
}
"""The lines that only standard error has; `run_id` and `manifest` may be null there."""

KINDS = {**OF_ROWS, **OF_RUNS, **ON_SCREEN}
"""Every kind of line, by its event."""

_text = json.JSONEncoder(ensure_ascii=False, default=str).encode


def write_line(
    at: float,
    event: str,
    details: Mapping[str, object],
    *,
    run_id: str | None,
    manifest: str | None,
    level: Level | None = None,
    secret: str | None = None,
) -> str:
    """Return a line with its end.

    Args:
        at: When it happened, as a Unix second.
        event: One of `KINDS`.
        details: What belongs to it.
        run_id: The run.
        manifest: Its manifest.
        level: How much it matters, where the event does not say.
        secret: What never stands in it, nor what follows the question mark of an address; None for
            lines that a person would be shown as they are.

    """
    of_its_kind = KINDS[event].level or level or Level.INFO
    said = (iso(at), of_its_kind.value, run_id, manifest, event)
    document = dict(zip(FIELDS, said, strict=True)) | dict(details)
    text = _text(document)
    return show_in_json(text if secret is None else conceal(text, secret)) + "\n"


_WHOLE: dict[str, object] = {"type": "integer"}
_TEXT: dict[str, object] = {"type": "string"}
_LIST: dict[str, object] = {"type": "array", "items": _TEXT}
DETAILS: dict[str, tuple[str, dict[str, object]]] = {
    "key": ("the key of the row", _TEXT),
    "key_parts": ("the key of an entry that stepped aside, in parts", _LIST),
    "attempt": ("the number of the attempt, from 1", {"type": "integer", "minimum": 1}),
    "client_business_id": ("our reference of the attempt", _TEXT),
    "request_hash": ("the hash of what is asked for", _TEXT),
    "video_name": ("the name that the video gets", _TEXT),
    "video": ("the name of the video's file", _TEXT),
    "place": ("the folder or bucket that has it, if it is not in videos/", _TEXT),
    "task_id": ("the provider's id of the task", _TEXT),
    "code": ("the provider's code of a failure", _TEXT),
    "message": ("what is said, in a sentence", _TEXT),
    "advice": ("what to do, by its name in docs/result-columns.md", _TEXT),
    "new_key": ("the key that the row has now", _TEXT),
    "new_key_parts": ("likewise in parts", _LIST),
    "duration_s": ("seconds that the task took at the provider", {"type": "number"}),
    "made_at": ("when the video was made, as a Unix second", {"type": "number"}),
    "command": ("the command: run, retry, fetch, night …", _TEXT),
    "journal": ("the id of the journal", _TEXT),
    "reading": ("how the manifest is read", _TEXT),
    "waits_for": ("what is waited for", _TEXT),
    "workers": ("how many workers there are", _WHOLE),
    "slots": ("how many videos they have at a time", _WHOLE),
    "why": ("why", _TEXT),
    "until": ("until when at the latest", {"type": ["string", "null"], "format": "date-time"}),
    "reason": ("why, in a sentence", _TEXT),
    "status": ("a status of the provider", _TEXT),
    "rows": ("a number of rows", _WHOLE),
    "exit_code": ("an exit code", _WHOLE),
    "states": ("rows by state", {"type": "object", "additionalProperties": _WHOLE}),
    "notes": ("what is worth reading", _LIST),
    "traceback": ("where the bug is", _TEXT),
    "action": ("what to do", _TEXT),
    "submitted": ("submissions of this run", _WHOLE),
    "downloaded": ("videos that this run downloaded", _WHOLE),
}
"""What may stand in a line besides, what it is, and its type in the words of JSON Schema."""
