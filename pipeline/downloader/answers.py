"""What an answer of a download host means: pure, from its status and headers.

Range requests as in RFC 9110: 206 continues only where it says exactly what we miss, 200 is the
whole file again, 416 means that nothing is missing or that our part is not of this file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

from pipeline.errors import LinkDead, TransferBroken

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
# Client errors that pass by themselves; all others say that this link will not work again.
_PASSING = frozenset({408, 425, 429})
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
# A Last-Modified is a safe validator only when it is clearly older than the answer.
_SETTLED = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Mark:
    """What makes a part resumable: the host's validator of the file, and its whole size.

    `validator` is a strong ETag or a Last-Modified date; `total_bytes` is None if never announced.
    """

    validator: str
    total_bytes: int | None = None


class Step(Enum):
    """What to do with the body of an answer."""

    APPEND = auto()
    REWRITE = auto()
    ASK_AGAIN = auto()  # without a range
    NOTHING_MISSING = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with an answer. `mark` is None when its file cannot be resumed.

    `total_bytes` is the size of the whole file as announced, None if it was not.
    """

    step: Step
    total_bytes: int | None = None
    mark: Mark | None = None
    gzip: bool = False


def judge(status: int, headers: Mapping[str, str], have_bytes: int, mark: Mark | None) -> Verdict:
    """Judge an answer to a request for the bytes from `have_bytes` on (all of them if 0).

    Raises LinkDead if this link will not give the video, TransferBroken if a later try may.
    """
    if status == _OK:
        return _whole(headers)
    if have_bytes and mark is not None:
        if status == _PARTIAL:
            return _rest(headers, have_bytes, mark)
        if status == _UNSATISFIABLE:
            return _nothing_left(headers, have_bytes, mark)
    raise _refusal(status, headers)


def _refusal(status: int, headers: Mapping[str, str]) -> LinkDead | TransferBroken:
    wait_s = retry_after_s(headers.get("Retry-After"), _date(headers.get("Date")))
    if _CLIENT_ERROR <= status < _SERVER_ERROR and status not in _PASSING:
        return LinkDead(f"The download host refuses the link (HTTP {status}).")
    return TransferBroken(
        f"The download host answered with HTTP {status} instead of the video.", retry_after_s=wait_s
    )


def _whole(headers: Mapping[str, str]) -> Verdict:
    encoding = headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        # The ranges of an encoded body are not those of the file: never resumed.
        return Verdict(Step.REWRITE, gzip=True)
    if encoding not in {"identity", ""}:
        raise TransferBroken(f"The download host sent the video packed as '{encoding[:20]}'.")
    total = _number(headers.get("Content-Length"))
    validator = strong_validator(headers)
    return Verdict(Step.REWRITE, total, Mark(validator, total) if validator else None)


def _rest(headers: Mapping[str, str], have_bytes: int, mark: Mark) -> Verdict:
    """Take a 206 only if it is the rest of the very file whose beginning we hold."""
    found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
    plain = headers.get("Content-Encoding", "identity").strip().lower() in {"identity", ""}
    validator = strong_validator(headers)
    if found is None or not plain or (validator is not None and not _same(validator, mark)):
        return Verdict(Step.ASK_AGAIN)
    first, last = int(found[1]), int(found[2])
    total = mark.total_bytes if found[3] == "*" else int(found[3])
    announced = _number(headers.get("Content-Length"))
    if first != have_bytes or total is None or last != total - 1:
        return Verdict(Step.ASK_AGAIN)
    if mark.total_bytes not in {None, total} or announced not in {None, last - first + 1}:
        return Verdict(Step.ASK_AGAIN)
    return Verdict(Step.APPEND, total, mark)


def _same(validator: str, mark: Mark) -> bool:
    """Compare validators of one kind; an ETag says nothing about a date."""
    return validator == mark.validator or validator.startswith('"') != mark.validator.startswith(
        '"'
    )


def _nothing_left(headers: Mapping[str, str], have_bytes: int, mark: Mark) -> Verdict:
    told = headers.get("Content-Range", "").removeprefix("bytes */")
    total = _number(told) if told else mark.total_bytes
    if total == have_bytes and mark.total_bytes in {None, total}:
        return Verdict(Step.NOTHING_MISSING, total, mark)
    return Verdict(Step.ASK_AGAIN)


def strong_validator(headers: Mapping[str, str]) -> str | None:
    """Return what If-Range may name: a strong ETag, else a Last-Modified that is old enough."""
    etag = headers.get("ETag", "").strip()
    if len(etag) > 1 and etag.startswith('"') and etag.endswith('"'):
        return etag
    if etag:
        return None
    modified, answered = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        age = parsedate_to_datetime(answered) - parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return None
    return modified if age >= _SETTLED else None


def retry_after_s(text: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, seconds or a date; None if there is none to be understood.

    `now` is the time of the answer by its host's clock: ours may be wrong, and stands in only where
    the answer has none.
    """
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return float(seconds)
    until = _date(text)
    if until is None:
        return None
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _number(text: str | None) -> int | None:
    # Nineteen digits are more than any file; int() of far longer ones is refused by Python.
    clean = (text or "").strip()
    return int(clean) if re.fullmatch(r"[0-9]{1,19}", clean) else None
