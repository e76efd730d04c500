"""Nouns and events as the journal's columns, and back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from pipeline.events import KINDS, Downloaded, Event, Intended, PictureRefused
from pipeline.model import Attempt, Entry, Request, State, Video

ENTRY_COLUMNS = (
    "key",
    "number",
    "state",
    "request_hash",
    "client_business_id",
    "video_name",
    "cost",
    "task_id",
    "error_code",
    "error_message",
    "submitted_at",
    "finished_at",
    "video",
    "closed",
)

# One encoder for all: `json.dumps` makes a new one for each call that is not plain ASCII.
_text = json.JSONEncoder(ensure_ascii=False).encode
_VIDEO_FIELDS = tuple(field.name for field in fields(Video))
_OWN_FIELDS = {
    kind: tuple(
        field.name for field in fields(kind) if field.name not in {"key", "number", "attempt"}
    )
    for kind in KINDS.values()
}


def request_body(request: Request) -> str:
    """Return a request as the text that `requests.body` holds."""
    return _text(
        [
            request.prompt,
            request.images,
            request.duration,
            request.aspect_ratio,
            request.resolution,
            request.model,
        ]
    )


def request_of(request_hash: str, body: str) -> Request:
    """Return the request that `request_body` made this text of."""
    prompt, images, duration, aspect_ratio, resolution, model = json.loads(body)
    return Request(prompt, tuple(images), duration, aspect_ratio, resolution, model, request_hash)


def entry_values(entry: Entry) -> tuple[Any, ...]:
    """Return an entry as the values of `ENTRY_COLUMNS`."""
    attempt = entry.attempt
    return (
        entry.key,
        attempt.number,
        entry.state.value,
        attempt.request.request_hash,
        attempt.client_business_id,
        attempt.video_name,
        attempt.cost,
        entry.task_id,
        entry.error_code,
        entry.error_message,
        entry.submitted_at,
        entry.finished_at,
        None if entry.video is None else _video_text(entry.video),
        entry.closed,
    )


def attempt_of(values: tuple[Any, ...], request: Request) -> Attempt:
    """Return the attempt in the values of `ENTRY_COLUMNS`."""
    return Attempt(values[0], values[1], values[4], request, values[5], values[6])


def entry_of(values: tuple[Any, ...], request: Request, before: Entry | None) -> Entry:
    """Return the entry of one attempt; `before` is that of the attempt before it."""
    attempt = attempt_of(values, request)
    take: Video | None = None
    earlier: tuple[str, ...] = ()
    if before is not None:
        take = before.video or before.take
        earlier = before.earlier
        if before.submitted_at is not None:
            earlier = (*earlier, before.attempt.request.request_hash)
    return Entry(
        key=values[0],
        state=State(values[2]),
        attempt=attempt,
        task_id=values[7],
        error_code=values[8],
        error_message=values[9],
        submitted_at=values[10],
        finished_at=values[11],
        video=None if values[12] is None else _video_of(values[12]),
        take=take,
        closed=bool(values[13]),
        earlier=earlier,
    )


def event_data(event: Event) -> str | None:
    """Return what an event says beyond its key and number; the attempt stands in its own table."""
    if isinstance(event, Downloaded):
        return _video_text(event.video)
    data = {name: getattr(event, name) for name in _OWN_FIELDS[type(event)]}
    if isinstance(event, Intended | PictureRefused):
        attempt = event.attempt
        data["request_hash"] = attempt.request.request_hash
        data["client_business_id"] = attempt.client_business_id
        data["video_name"] = attempt.video_name
        data["cost"] = attempt.cost
    return _text(data) if data else None


def event_of(
    key: str, number: int, kind: str, data: str | None, requests: dict[str, Request]
) -> Event:
    """Return the event that `event_data` made this text of."""
    cls = KINDS[kind]
    said: dict[str, Any] = json.loads(data) if data else {}
    if cls is Downloaded:
        return Downloaded(key, number, _video_of(data or ""))
    if cls in (Intended, PictureRefused):
        request = requests[said.pop("request_hash")]
        said["attempt"] = Attempt(
            key,
            number,
            said.pop("client_business_id"),
            request,
            said.pop("video_name"),
            said.pop("cost"),
        )
    return cls(key, number, **said)


def _video_text(video: Video) -> str:
    return _text({name: getattr(video, name) for name in _VIDEO_FIELDS})


def _video_of(text: str) -> Video:
    said = json.loads(text)
    said["warnings"] = tuple(said["warnings"])
    return Video(**said)
