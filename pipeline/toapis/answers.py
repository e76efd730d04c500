"""Read the API's answers: bodies of every known shape become plain values. Pure.

`accepted_task`, `task_view`, `picture_url` and `balance` take the answer to their call and return
None where it does not hold what was asked for; what it means instead, `failures` says. The shapes
are those of docs/contract.md, "Submissions", "Queries", "Balance" and "Error bodies".

Tested in tests/toapis/test_submit.py, test_free_calls.py and test_task_answers.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pipeline.model import Balance, Phase, TaskView
from pipeline.toapis.weblinks import UNPRINTABLE, first_usable, link_fault

Body: TypeAlias = Mapping[str, object]

# The statuses of docs/contract.md, "Queries", documented and seen, vendors' words among them;
# compared in lower case.
_PHASES = {
    "queued": Phase.QUEUED,
    "submitted": Phase.QUEUED,
    "pending": Phase.QUEUED,
    "in_progress": Phase.IN_PROGRESS,
    "processing": Phase.IN_PROGRESS,
    "completed": Phase.COMPLETED,
    "succeeded": Phase.COMPLETED,
    "succeed": Phase.COMPLETED,
    "success": Phase.COMPLETED,
    "finished": Phase.COMPLETED,
    "failed": Phase.FAILED,
    "failure": Phase.FAILED,
    "error": Phase.FAILED,
    "cancelled": Phase.FAILED,
    "canceled": Phase.FAILED,
    "expired": Phase.FAILED,
}
# Said of a call as well: they end a task only where they are clearly said of a task.
_SAID_OF_CALLS = frozenset({"success", "failure", "error", "expired"})
_SAID_OF_TASKS = ("task_id", "progress", "fail_reason")
UNKNOWN_TASK = "task_not_exist"
"""The code by which the API says that it does not know a task."""

_LONGEST_ID = 512
_FINISHED_PERCENT = 100
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


def read_complaint(body: Body | None) -> Complaint:
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
    for level in (body, _inner(body)):
        for name in ("id", "task_id"):
            found = _word(level.get(name))
            if found and len(found) <= _LONGEST_ID and not UNPRINTABLE.search(found):
                return found
    return None


def names_task(body: Body | None) -> bool:
    """Tell whether a body names a task, which an error body should never do."""
    return body is not None and any(
        _word(level.get("task_id")) or level.get("object") == "generation.task"
        for level in (body, _inner(body))
    )


def task_view(received: Received) -> TaskView | None:
    """Return the task that a query's answer shows.

    A usable address completes a task whatever its status, unless that is a failure; without one an
    unknown status is `Phase.UNKNOWN`.
    """
    body = _good(received)
    if body is None:
        return None
    shown = _unwrap(body)
    phase = Phase.COMPLETED if _is_completed_by_address(shown) else _phase(shown)
    # Only an answer that shows no task can be a complaint; nearly all do.
    if phase is Phase.UNKNOWN and UNKNOWN_TASK in read_complaint(body).words:
        return None
    failure = _failure(shown) if phase is Phase.FAILED else Complaint()
    video_url, url_fault = first_usable(_video_places(shown))
    return TaskView(
        task_id=_task_id(shown),
        phase=phase,
        progress=_progress(shown.get("progress")),
        video_url=video_url,
        created_at=_moment(shown.get("created_at")),
        completed_at=_moment(shown.get("completed_at")),
        expires_at=_moment(shown.get("expires_at")),
        error_code=failure.code,
        error_message=failure.message,
        unknown_status=_status(shown) or None if phase is Phase.UNKNOWN else None,
        url_fault=url_fault,
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
    if body is None or denies(body):
        return None
    return first_usable([_dict(body, "data").get("url")])[0]


def denies(body: Body | None) -> bool:
    """Tell whether a body says that the call failed, which may come with any status."""
    return body is not None and body.get("success") is False


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


def _inner(body: Body) -> Body:
    """Return what `data` wraps: an object, or the only entry of a list; else an empty object."""
    value = body.get("data")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else {}


def _unwrap(body: Body) -> Body:
    """Return the object that shows the task: `data` only if the top level has no known status."""
    wrapped = _inner(body)
    if _phase(body) is not Phase.UNKNOWN:
        return body
    # The entry of a list may be a file of the task, which has an `id` of its own.
    listed = isinstance(body.get("data"), list)
    own = _status(wrapped) or _word(wrapped.get("task_id"))
    return wrapped if own or (not listed and _word(wrapped.get("id"))) else body


def _status(body: Body) -> str:
    """Return the status as it is spelt; an empty text where there is none."""
    return _text(body.get("status")) or ""


def _phase(body: Body) -> Phase:
    """Return what the status alone says."""
    word = _status(body).lower()
    if word in _SAID_OF_CALLS and not _speaks_of_a_task(body):
        return Phase.UNKNOWN
    return _PHASES.get(word, Phase.UNKNOWN)


def _speaks_of_a_task(body: Body) -> bool:
    """Tell whether the status is a task's, and not that of the call that asked for it."""
    if body.get("object") == "generation.task" or any(name in body for name in _SAID_OF_TASKS):
        return True
    # The id of a call may stand around a whole task.
    return bool(_word(body.get("id"))) and not _status(_inner(body))


def _is_completed_by_address(body: Body) -> bool:
    """Tell whether a usable address says that the video is there, whatever the status says."""
    word = _status(body).lower()
    known = _PHASES.get(word, Phase.UNKNOWN)
    if known in (Phase.FAILED, Phase.COMPLETED):
        return False
    if known is not Phase.UNKNOWN:
        # Some announce the address while the bar still moves: then there is nothing there yet.
        progress = _progress(body.get("progress"))
        finished = progress is None or progress >= _FINISHED_PERCENT
        return finished and first_usable(_named_places(body))[0] is not None
    if first_usable(_named_places(body))[0] is not None:
        return True
    # A bare `url` can be a page of help in an error body, so there must be a task around it.
    tells = bool(word) and _task_id(body) is not None
    return tells and first_usable(_video_places(body))[0] is not None


def _failure(body: Body) -> Complaint:
    """Read why a task failed: `error` as an object or plain text, `fail_reason`, or `message`."""
    error = _dict(body, "error")
    code = _word(error.get("code")) or _word(error.get("type"))
    texts = (error.get("message"), body.get("error"), body.get("fail_reason"), body.get("message"))
    return Complaint(code, next(filter(None, map(_text, texts)), None))


def _video_places(body: Body) -> tuple[object, ...]:
    """Return what stands where an address may: first in the order of docs/contract.md, "Queries".

    Gateways give the address of a finished video in `fail_reason`, too.
    """
    result, data = _dict(body, "result"), _dict(body, "data")
    reason = _text(body.get("fail_reason"))
    done = reason and _phase(body) is Phase.COMPLETED and link_fault(reason) is None
    return (
        body.get("video_url"),
        *_listed_urls(result.get("data")),
        body.get("url"),
        *_named_places(body),
        result.get("url"),
        data.get("url"),
        reason if done else None,
    )


def _named_places(body: Body) -> tuple[object, ...]:
    """Return what stands in those of the places that are for the address of a video alone."""
    result, data = _dict(body, "result"), _dict(body, "data")
    listed = (*_listed_urls(result.get("data")), *_listed_urls(body.get("data")))
    return (body.get("video_url"), *listed, result.get("video_url"), data.get("video_url"))


def _listed_urls(value: object) -> list[object]:
    entries = value if isinstance(value, list) else []
    return [entry.get("url") for entry in entries if isinstance(entry, dict)]


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
    """Return a percentage, from a number or from a text such as "100%"."""
    number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return None if number is None else min(100.0, max(0.0, number))


def _moment(value: object) -> float | None:
    """Return Unix seconds; zero, which stands for "not yet", is None."""
    number = _number(value)
    return number if number is not None and number > 0 else None
