"""Which pictures to upload next, and which rows have URLs for all of their pictures.

Each content is uploaded once, however many rows and lanes use it, and a little before there is a
free slot for the first of them, so that no slot waits for a picture.

Tested in tests/engine/test_uploads_at_night.py.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from pipeline.engine.commands import RowId, Upload
from pipeline.engine.limits import UPLOAD
from pipeline.engine.waiting import Waiting
from pipeline.errors import ProviderError, Throttled

_LOCAL = "sha256:"
"""A request names a local picture by this prefix and the hash of its content."""

_FAILURES = 10
"""After this many failures, some minutes, a picture waits for the next run."""

_GIVEN_UP_IN_A_ROW = 5
"""After this many pictures given up, and none uploaded in between, it is an outage."""

_REFUSALS = 2
"""Refused this often is refused for good: a single `success:false` may be a hiccup."""


@dataclass(slots=True)
class _Known:
    url: str
    valid_until: float


class Uploads:
    """Prepares the rows that wait: with all its pictures uploaded, a row can be submitted."""

    def __init__(self, in_flight: int, waiting: Waiting) -> None:
        self.in_flight = 0
        self._most_in_flight = in_flight
        self._waiting = waiting
        self._known: dict[str, _Known] = {}
        self._lacking: dict[RowId, set[str]] = {}
        self._wanted_by: dict[str, list[RowId]] = {}
        self._to_do: deque[str] = deque()
        self._later: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._refusals: dict[str, int] = {}
        self._refused: dict[str, ProviderError] = {}
        self._given_up_in_a_row = 0

    def know(self, sha256: str, url: str, valid_until: float) -> None:
        """Use an upload of an earlier run until `valid_until`; of several the youngest."""
        known = self._known.get(sha256)
        if known is None or known.valid_until <= valid_until:
            self._known[sha256] = _Known(url, valid_until)

    def urls(self, images: tuple[str, ...], now: float) -> tuple[str, ...] | None:
        """Return the URLs of a prepared row's pictures; None if one has become too old."""
        urls = []
        for image in images:
            known = self._known.get(image.removeprefix(_LOCAL))
            if not image.startswith(_LOCAL):
                urls.append(image)
            elif known and known.valid_until > now:
                urls.append(known.url)
            else:
                return None
        return tuple(urls)

    def prepare(self, row: RowId, images: tuple[str, ...], now: float) -> ProviderError | None:
        """Have the pictures of a row uploaded; return the error if one of them was refused."""
        lacking = set()
        for image in images:
            sha256 = image.removeprefix(_LOCAL)
            if not image.startswith(_LOCAL):
                continue
            if sha256 in self._refused:
                self._waiting.drop(row)
                return self._refused[sha256]
            known = self._known.get(sha256)
            if not known or known.valid_until <= now:
                lacking.add(sha256)
        if not lacking:
            self._waiting.prepared(row)
            return None
        self._lacking[row] = lacking
        for sha256 in sorted(lacking):
            if sha256 not in self._wanted_by:
                self._wanted_by[sha256] = []
                self._to_do.append(sha256)
            self._wanted_by[sha256].append(row)
        return None

    def start(self, now: float) -> Upload | None:
        """Return the next picture to upload now, if any, with the lane of the first that waits."""
        while self._later and self._later[0][0] <= now:
            self._to_do.append(heappop(self._later)[1])
        if not self._to_do or self.in_flight >= self._most_in_flight:
            return None
        self.in_flight += 1
        sha256 = self._to_do.popleft()
        return Upload(sha256, self._wanted_by[sha256][0].lane)

    def wake_at(self) -> float:
        """Return when a picture is to be tried again; infinity if none is."""
        if self._later and self.in_flight < self._most_in_flight:
            return self._later[0][0]
        return inf

    def note_upload(self, sha256: str, url: str, valid_until: float) -> None:
        """Take note of a finished upload; rows that lacked only this one are prepared."""
        self.in_flight -= 1
        self._given_up_in_a_row = 0
        self._failures.pop(sha256, None)
        self._refusals.pop(sha256, None)
        self.know(sha256, url, valid_until)
        for row in self._wanted_by.pop(sha256):
            lacking = self._lacking.get(row)
            if lacking is None:
                continue
            lacking.discard(sha256)
            if not lacking:
                del self._lacking[row]
                self._waiting.prepared(row)

    def put_off(self, sha256: str, error: ProviderError, now: float) -> bool:
        """Try a picture again later: uploading is free and repeatable.

        One that failed too often is given up, and its rows wait for the next run. Returns False
        when so many were given up that this must be an outage.
        """
        self.in_flight -= 1
        failures = self._failures[sha256] = self._failures.get(sha256, 0) + 1
        if failures < _FAILURES or isinstance(error, Throttled):
            wait_s = UPLOAD.wait_s(failures, sha256, error.retry_after_s)
            heappush(self._later, (now + wait_s, sha256))
            return True
        self._drop(sha256)
        self._given_up_in_a_row += 1
        return self._given_up_in_a_row < _GIVEN_UP_IN_A_ROW

    def note_refusal(self, sha256: str, error: ProviderError, now: float) -> list[RowId]:
        """Take note of a refusal; return the rows that cannot go out because of it."""
        refusals = self._refusals[sha256] = self._refusals.get(sha256, 0) + 1
        if refusals < _REFUSALS:
            self.put_off(sha256, error, now)
            return []
        self.in_flight -= 1
        self._refused[sha256] = error
        return self._drop(sha256)

    def _drop(self, sha256: str) -> list[RowId]:
        rows = [row for row in self._wanted_by.pop(sha256) if row in self._lacking]
        for row in rows:
            del self._lacking[row]
            self._waiting.drop(row)
        return rows
