"""Entries, requests and events as values of the journal's columns, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from math import isfinite
from typing import Any

from pipeline.events import KINDS, Downloaded, Event, Intended, Opening, PictureRefused, Reused
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
"""The columns of the table `attempts` in the order in which they are read and written."""

# One encoder for all: `json.dumps` makes a new one in each call with `ensure_ascii=False`.
_text = json.JSONEncoder(ensure_ascii=False).encode
_STATES = {state.value: state for state in State}
_VIDEO_FIELDS = tuple(field.name for field in fields(Video) if field.name != "place")
_SHARED_FIELDS = frozenset({"key", "number", "lane", "attempt"})
_OWN_FIELDS = {
    kind: tuple(field.name for field in fields(kind) if field.name not in _SHARED_FIELDS)
    for kind in KINDS.values()
}


def request_values(request: Request) -> tuple[str, str]:
    """Return a request as the values of `requests`."""
    return request.request_hash, _request_body(request)


def _request_body(request: Request) -> str:
    """Return a request as the text of `requests.body`: more where its body is what is hashed."""
    values = [
        request.prompt,
        request.images,
        request.duration,
        request.aspect_ratio,
        request.resolution,
        request.model,
    ]
    more = [dict(request.extras), request.body, request.said] if request.body else []
    return _text([*values, *more])


def request_of(request_hash: str, body: str) -> Request:
    """Return the request that `_request_body` made this text of."""
    return _request(request_hash, json.loads(body))


def requests_of(rows: Sequence[tuple[str, str]]) -> list[Request]:
    """Return the requests of rows of `requests`: pairs of hash and body."""
    bodies = _decode_all([body for _, body in rows])
    return [_request(row[0], body) for row, body in zip(rows, bodies, strict=True)]


def _request(request_hash: str, values: list[Any]) -> Request:
    prompt, images, duration, aspect_ratio, resolution, model, *more = values
    plain = (prompt, tuple(images), duration, aspect_ratio, resolution, model, request_hash)
    if not more:
        return Request(*plain)
    extras, body, said = more
    return Request(*plain, tuple(extras.items()), body, tuple(said))


def _decode_all(documents: Iterable[str | None]) -> list[Any]:
    """Decode JSON documents in one call, since a call for each takes three times as long."""
    decoded: list[Any] = json.loads(f"[{','.join(text or 'null' for text in documents)}]")
    return decoded


def entry_values(entry: Entry) -> tuple[Any, ...]:
    """Return an entry as the values of `ENTRY_COLUMNS`."""
    attempt = entry.attempt
    return (
        attempt.identity,
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
        None if entry.video is None else video_text(entry.video),
        entry.closed,
    )


def attempt_of(values: tuple[Any, ...], request: Request, key: str) -> Attempt:
    """Return the attempt in the values of `ENTRY_COLUMNS`.

    Args:
        values: the values of the columns.
        request: the request of the attempt.
        key: what its row is called now.

    """
    return Attempt(key, values[1], values[4], request, values[5], values[6], values[0])


def entry_of(
    values: tuple[Any, ...],
    request: Request,
    video: Video | None,
    before: Entry | None,
    key: str,
) -> Entry:
    """Return the entry of one attempt.

    Args:
        values: the values of `ENTRY_COLUMNS`.
        request: the request of the attempt.
        key: what its row is called now.
        video: its video, decoded; None if there is none.
        before: the entry of the row's attempt before it; None for the first.

    """
    take: Video | None = None
    earlier: tuple[str, ...] = ()
    if before is not None:
        take = before.video or before.take
        earlier = before.earlier
        if before.submitted_at is not None:
            earlier = (*earlier, before.attempt.request.request_hash)
    return Entry(
        key=key,
        state=_STATES[values[2]],
        attempt=attempt_of(values, request, key),
        task_id=values[7],
        error_code=values[8],
        error_message=values[9],
        submitted_at=values[10],
        finished_at=values[11],
        video=video,
        take=take,
        closed=bool(values[13]),
        earlier=earlier,
    )


def event_values(event: Event, at: float, identity: str) -> tuple[Any, ...]:
    """Return an event as the values of `events`, without `seq`.

    Args:
        event: the event.
        at: when it happened, in Unix seconds.
        identity: its entry's, which stands in the column `key`.

    """
    return at, identity, event.number, type(event).__name__, event_data(event)


def event_data(event: Event) -> str | None:
    """Return an event's own fields as JSON; its attempt is in the table `attempts`, too."""
    if isinstance(event, Downloaded):
        return video_text(event.video)
    data = {name: getattr(event, name) for name in _OWN_FIELDS[type(event)]}
    if isinstance(event, Opening):
        attempt = event.attempt
        data["request_hash"] = attempt.request.request_hash
        data["client_business_id"] = attempt.client_business_id
        data["video_name"] = attempt.video_name
        data["cost"] = attempt.cost
    return _object(data) if data else None


def event_of(
    key: str,
    number: int,
    kind: str,
    data: str | None,
    requests: dict[str, Request],
    *,
    identity: str = "",
) -> Event:
    """Return the event that `event_data` made this text of.

    Args:
        key: what the row was called when it happened.
        number: the number of its attempt.
        kind: the name of its class.
        data: the text.
        requests: the requests of the journal, by their hash.
        identity: its entry's; left out, the key.

    """
    cls = KINDS[kind]
    values: dict[str, Any] = json.loads(data) if data else {}
    if cls is Downloaded:
        return Downloaded(key, number, _video_of(data or ""))
    if cls is Reused:
        values["video"] = _video(values["video"])
    if cls in (Intended, PictureRefused, Reused):
        request = requests[values.pop("request_hash")]
        values["attempt"] = Attempt(
            key,
            number,
            values.pop("client_business_id"),
            request,
            values.pop("video_name"),
            values.pop("cost"),
            identity,
        )
    return cls(key, number, **values)


def _object(values: dict[str, Any]) -> str:
    # By hand: JSONEncoder makes a new encoder for each object, so that an object with one text
    # takes 1.8 microseconds; the text by itself takes 0.2.
    members = [f'"{name}": {_value(value)}' for name, value in values.items()]
    return f"{{{', '.join(members)}}}"


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a field holds
    if value is None:
        return "null"
    if type(value) is float and isfinite(value):
        return repr(value)
    if isinstance(value, Video):
        return video_text(value)
    return _text(value)


def video_text(video: Video) -> str:
    """Return a video as the text of `attempts.video`; its place only where it has another one."""
    values = {name: getattr(video, name) for name in _VIDEO_FIELDS}
    return _text({**values, "place": video.place} if video.place else values)


def videos_of(texts: Iterable[str | None]) -> list[Video | None]:
    """Return the videos in these values of `attempts.video`; None for NULL."""
    return [None if values is None else _video(values) for values in _decode_all(texts)]


def _video_of(text: str) -> Video:
    return _video(json.loads(text))


def _video(values: dict[str, Any]) -> Video:
    values["warnings"] = tuple(values["warnings"])
    return Video(**values)
