"""Read the API's answers about tasks and pictures: bodies of every known shape. Pure.

`accepted_task`, `task_view` and `picture_url` take the answer to their call and return None where
it does not hold what was asked for; what it means instead, `failures` says. The shapes are those of
docs/contract.md, "Submissions", "Queries" and "Error bodies".

Tested in tests/toapis/test_submit.py, test_free_calls.py and test_task_answers.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.model import Phase, TaskView
from pipeline.refusals import About, about
from pipeline.toapis.bodies import (
    Body,
    Received,
    denies,
    good_body,
    listed_urls,
    named_places,
    number_of,
    object_in,
    other_places,
    text_of,
    word_of,
)
from pipeline.toapis.weblinks import first_usable, is_plain, link_fault

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
_YEAR_9999_S = 253_402_300_800
"""Where the calendar ends, in Unix seconds; some send milliseconds."""
_CODE = re.compile(r"(?:[A-Za-z]+(?:[_.:-]\w+)+|(?:[A-Z][a-z]+){2,})", re.ASCII)
"""A message that is a code: words joined by _ or - or by capitals."""
_FINISHED_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an error body says: a code for machines and a message for people; either may be None.

    `codes` are all that it gives, a type among them.
    """

    code: str | None = None
    message: str | None = None
    codes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The codes, and a message that is itself a code (`{"message": "task_not_exist"}`)."""
        told = (text.strip().lower() for text in (*self.codes, self.message) if text)
        return tuple(text for text in told if text and not re.search(r"\s", text))


def read_complaint(body: Body | None) -> Complaint:
    """Read code and message of an error body (docs/contract.md, "Error bodies")."""
    if body is None:
        return Complaint()
    error = object_in(body, "error")
    codes = (error.get("code"), error.get("type"), body.get("code"))
    texts = (error.get("message"), body.get("message"), body.get("error"), body.get("fail_reason"))
    return _complaint(codes, (*texts, *_details(body)))


def _complaint(codes: Iterable[object], texts: Iterable[object]) -> Complaint:
    """Choose the code that says most, and the first text.

    A word about the content says most, wherever it stands; words say more than numbers.
    """
    message = next(filter(None, map(text_of, texts)), None)
    given = tuple(filter(None, map(word_of, codes)))
    # The name of a code alone: a sentence of a language without blanks is none.
    told = message is not None and _CODE.fullmatch(message) is not None
    named = (*given, message) if told and message else given
    best = (
        *(code for code in named if about(code) is About.CONTENT),
        *(code for code in named if not code.isdigit()),
        *named,
    )
    return Complaint(next(iter(best), None), message, given)


def _details(body: Body) -> Iterator[str]:
    """Yield what a gateway says of single fields: `{"detail": [{"loc": …, "msg": …}]}`."""
    for name in ("detail", "details", "errors", "msg"):
        value = body.get(name)
        if isinstance(value, str):
            yield value
        entries = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        told = [_detail(one) for one in entries]
        if any(told):
            yield "; ".join(filter(None, told))


def _detail(entry: Body) -> str:
    place = entry.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else text_of(entry.get("field"))
    said = text_of(entry.get("msg")) or text_of(entry.get("message")) or ""
    return f"{where}: {said}" if where and said else said


def accepted_task(received: Received) -> str | None:
    """Return the id of an accepted task.

    A status in the 200s with an id means acceptance, whatever else the body says.
    """
    body = good_body(received)
    return None if body is None else _task_id(body)


def _task_id(body: Body) -> str | None:
    """Return the id of a task, from `id` or `task_id`, wrapped in `data` or not.

    What holds the key or cannot be seen is no id: nobody could look it up or write it down.
    """
    for level in (body, _inner(body)):
        for name in ("id", "task_id"):
            found = word_of(level.get(name))
            if found and len(found) <= _LONGEST_ID and is_plain(found):
                return found
    return None


def names_task(body: Body | None) -> bool:
    """Tell whether a body names a task, which an error body should never do."""
    return body is not None and any(
        word_of(level.get("task_id")) or level.get("object") == "generation.task"
        for level in (body, _inner(body))
    )


def task_view(received: Received) -> TaskView | None:
    """Return the task that a query's answer shows.

    A usable address completes a task whatever its status, unless that is a failure; without one an
    unknown status is `Phase.UNKNOWN`.
    """
    body = good_body(received)
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
        unknown_status=word_of(shown.get("status")) if phase is Phase.UNKNOWN else None,
        url_fault=url_fault,
    )


def picture_url(received: Received) -> str | None:
    """Return the public URL of an uploaded picture, http(s) only."""
    body = good_body(received)
    if body is None or denies(body):
        return None
    return first_usable([object_in(body, "data").get("url")])[0]


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
    own = _status(wrapped) or word_of(wrapped.get("task_id"))
    return wrapped if own or (not listed and word_of(wrapped.get("id"))) else body


def _status(body: Body) -> str:
    """Return the status as it is spelt; an empty text where there is none."""
    names = ("status", "task_status", "state")
    return next((word for name in names if (word := text_of(body.get(name)))), "")


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
    return bool(word_of(body.get("id"))) and not _status(_inner(body))


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
        return finished and first_usable(named_places(body))[0] is not None
    if first_usable(named_places(body))[0] is not None:
        return True
    # A bare `url` can be a page of help in an error body, so there must be a task around it.
    tells = bool(word) and _task_id(body) is not None
    return tells and first_usable(_video_places(body))[0] is not None


def _failure(body: Body) -> Complaint:
    """Read why a task failed: `error` as an object or plain text, `fail_reason`, or `message`."""
    error = object_in(body, "error")
    codes = (error.get("code"), error.get("type"))
    texts = (error.get("message"), body.get("error"), body.get("fail_reason"), body.get("message"))
    return _complaint(codes, texts)


def _video_places(body: Body) -> tuple[object, ...]:
    """Return what stands where an address may: first in the order of docs/contract.md, "Queries".

    Gateways give the address of a finished video in `fail_reason`, too.
    """
    result, data = object_in(body, "result"), object_in(body, "data")
    reason = text_of(body.get("fail_reason"))
    completed = _phase(body) is Phase.COMPLETED
    done = reason and completed and link_fault(reason) is None
    return (
        body.get("video_url"),
        *listed_urls(result.get("data")),
        body.get("url"),
        *named_places(body),
        result.get("url"),
        data.get("url"),
        reason if done else None,
        *other_places(body, videos_only=not completed),
    )


def _progress(value: object) -> float | None:
    """Return a percentage, from a number or from a text such as "100%"."""
    number = number_of(value.strip().removesuffix("%") if isinstance(value, str) else value)
    return None if number is None else min(100.0, max(0.0, number))


def _moment(value: object) -> float | None:
    """Return Unix seconds; zero, which stands for "not yet", is None, as is what no clock shows."""
    number = number_of(value)
    return number if number is not None and 0 < number < _YEAR_9999_S else None
