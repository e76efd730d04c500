"""Read the API's answers: bodies of every known shape become plain values. Pure.

`accepted_task`, `task_view`, `picture_url` and `balance` take the answer to their call and return
None where it does not hold what was asked for; what it means instead, `failures` says. The shapes
are those of docs/contract.md, "Submissions", "Queries", "Balance" and "Error bodies".

Tested in tests/toapis/test_submit.py and tests/toapis/test_free_calls.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.concealment import conceal
from pipeline.manifest.locations import web_fault
from pipeline.model import Balance, Phase, TaskView

Body: TypeAlias = Mapping[str, object]

# The statuses of docs/contract.md, "Queries", documented and seen; compared in lower case.
_PHASES = {
    "queued": Phase.QUEUED,
    "submitted": Phase.QUEUED,
    "pending": Phase.QUEUED,
    "in_progress": Phase.IN_PROGRESS,
    "processing": Phase.IN_PROGRESS,
    "completed": Phase.COMPLETED,
    "succeeded": Phase.COMPLETED,
    "failed": Phase.FAILED,
}
UNKNOWN_TASK = "task_not_exist"
"""The code by which the API says that it does not know a task."""

_LONGEST_MESSAGE = 500
_LONGEST_ID = 512
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# One decoder for all: `json.loads` makes a new one for each call that names a constant's parser.
_JSON = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, of which at least the status came.

    `body` is None if it broke off or was too large; `retry_after_s` is the wait that the headers
    ask for, in seconds.
    """

    status: int
    body: bytes | None = field(repr=False)
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is in the 200s."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP statuses read best as numbers


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer came. `sent` is False only if it is proven that nothing left this machine."""

    sent: bool
    reason: str


Received: TypeAlias = Answer | Silence


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says: a code for machines and a message for people; either may be None."""

    code: str | None = None
    message: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The code, and a message that is itself a code (`{"message": "task_not_exist"}`)."""
        told = (text.strip().lower() for text in (self.code, self.message) if text)
        return tuple(text for text in told if text and not re.search(r"\s", text))


def parse(body: bytes | None) -> Body | None:
    """Return the JSON object in `body`; None for anything else (HTML, half a body, a list)."""
    if body is None:
        return None
    try:
        value = _JSON.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def is_html(body: bytes | None) -> bool:
    """Tell whether the body is a web page, which proxies send with any status."""
    return body is not None and body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def complaint(body: Body | None) -> Complaint:
    """Read code and message of an error body (docs/contract.md, "Error bodies")."""
    if body is None:
        return Complaint()
    error = _dict(body, "error")
    code = _word(error.get("code")) or _word(error.get("type")) or _word(body.get("code"))
    texts = (error.get("message"), body.get("message"), body.get("error"), body.get("fail_reason"))
    return Complaint(code, next(filter(None, map(_text, texts)), None))


def accepted_task(received: Received) -> str | None:
    """Return the id of an accepted task.

    A status in the 200s with an id means acceptance, whatever else the body says.
    """
    body = _good(received)
    return None if body is None else _task_id(body)


def _task_id(body: Body) -> str | None:
    """Return the id of a task, from `id` or `task_id`, wrapped in `data` or not."""
    for level in (body, _dict(body, "data")):
        for name in ("id", "task_id"):
            found = _word(level.get(name))
            if found and len(found) <= _LONGEST_ID and not _UNPRINTABLE.search(found):
                return found
    return None


def names_task(body: Body | None) -> bool:
    """Tell whether a body names a task, which an error body should never do."""
    return body is not None and any(
        _word(level.get("task_id")) or level.get("object") == "generation.task"
        for level in (body, _dict(body, "data"))
    )


def task_view(received: Received) -> TaskView | None:
    """Return the task that a query's answer shows; an unknown status is `Phase.UNKNOWN`."""
    body = _good(received)
    if body is None:
        return None
    shown = _unwrapped(body)
    phase = _phase(shown)
    # Only an answer that shows no task can be a complaint; nearly all do.
    if phase is Phase.UNKNOWN and UNKNOWN_TASK in complaint(body).words:
        return None
    failure = _failure(shown) if phase is Phase.FAILED else Complaint()
    return TaskView(
        task_id=_task_id(shown),
        phase=phase,
        progress=_progress(shown.get("progress")),
        video_url=_video_url(shown),
        created_at=_moment(shown.get("created_at")),
        completed_at=_moment(shown.get("completed_at")),
        expires_at=_moment(shown.get("expires_at")),
        error_code=failure.code,
        error_message=failure.message,
    )


def balance(received: Received) -> Balance | None:
    """Return the account's balance: unlimited where `unlimited_quota` says so, not where -1."""
    body = _good(received)
    if body is None or denies(body):
        return None
    inner = _dict(body, "data")
    shown = inner if inner and "remain_balance" not in body else body
    remaining = None if _is_unlimited(shown) else _number(shown.get("remain_balance"))
    if remaining is None and not (_is_unlimited(body) or _is_unlimited(inner)):
        return None
    return Balance(remaining=remaining, used=_number(shown.get("used_balance")))


def picture_url(received: Received) -> str | None:
    """Return the public URL of an uploaded picture, http(s) only."""
    body = _good(received)
    return None if body is None or denies(body) else _web_url(_dict(body, "data").get("url"))


def denies(body: Body | None) -> bool:
    """Tell whether a body says that the call failed, which may come with any status."""
    return body is not None and body.get("success") is False


def presentable(text: str | None, secret: str) -> str | None:
    """Return a provider's text fit for logs: a line without key or signed URL, at most 500 long."""
    if text is None:
        return None
    clean = conceal(_UNPRINTABLE.sub(" ", text), secret).strip()
    return clean[:_LONGEST_MESSAGE] or None


def _good(received: Received) -> Body | None:
    """Return the data of an answer with a status in the 200s."""
    if isinstance(received, Silence) or not received.is_success:
        return None
    return parse(received.body)


def _dict(body: Body, name: str) -> Body:
    """Return the object of this name; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def _is_unlimited(body: Body) -> bool:
    return body.get("unlimited_quota") in (True, "true")


def _unwrapped(body: Body) -> Body:
    """Return the object that shows the task: `data` only if the top level has no known status."""
    wrapped = _dict(body, "data")
    if _phase(body) is not Phase.UNKNOWN:
        return body
    own = isinstance(wrapped.get("status"), str) or _word(wrapped.get("id"))
    return wrapped if own or _word(wrapped.get("task_id")) else body


def _phase(body: Body) -> Phase:
    status = body.get("status")
    spelt = status.strip().lower() if isinstance(status, str) else ""
    return _PHASES.get(spelt, Phase.UNKNOWN)


def _failure(body: Body) -> Complaint:
    """Read why a task failed: `error` as an object or plain text, else `fail_reason`."""
    error = _dict(body, "error")
    code = _word(error.get("code")) or _word(error.get("type"))
    message = _text(error.get("message")) or _text(body.get("error"))
    return Complaint(code, message or _text(body.get("fail_reason")))


def _video_url(body: Body) -> str | None:
    """Return the first usable URL, in the order of docs/contract.md, "Queries"."""
    candidates = (
        body.get("video_url"),
        *_listed_urls(_dict(body, "result").get("data")),
        body.get("url"),
        *_listed_urls(body.get("data")),
    )
    return next((url for value in candidates if value and (url := _web_url(value))), None)


def _listed_urls(value: object) -> list[object]:
    entries = value if isinstance(value, list) else []
    return [entry.get("url") for entry in entries if isinstance(entry, dict)]


def _web_url(value: object) -> str | None:
    """Return `value` if it is an http(s) URL with a host and without a user name."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text and web_fault(text) is None else None


def _word(value: object) -> str | None:
    """Return a code or an id, which may come as a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: object) -> float | None:
    """Return a finite number given as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _progress(value: object) -> float | None:
    number = _number(value)
    return None if number is None else min(100.0, max(0.0, number))


def _moment(value: object) -> float | None:
    """Return Unix seconds; zero, which stands for "not yet", is None."""
    number = _number(value)
    return number if number is not None and number > 0 else None
