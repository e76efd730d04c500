"""How long a server asks to wait: the header `Retry-After` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Some servers send fractions. A number with far more digits than any wait is no number of seconds.
_SECONDS = re.compile(r"-?[0-9]{1,9}(\.[0-9]*)?")


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the seconds to wait; None if the header is missing or cannot be understood.

    A date is compared with the answer's own `Date`, because our clock may be wrong; `now_s` (Unix
    seconds) stands in where the answer has none.
    """
    text = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return max(0.0, float(text))
    until = _unix_s(text)
    if until is None:
        return None
    sent = _unix_s(headers.get("Date", ""))
    return max(0.0, until - (now_s if sent is None else sent))


def read_http_date(date: str) -> datetime | None:
    """Return the moment that a header names, with its zone; None if it names none."""
    try:
        moment = parsedate_to_datetime(date)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        moment.timestamp()
    except Exception:  # noqa: BLE001 - what it raises for odd texts differs between Python's versions
        return None
    return moment


def _unix_s(date: str) -> float | None:
    moment = read_http_date(date)
    return None if moment is None else moment.timestamp()
