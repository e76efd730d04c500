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
from pipeline.engine.rows import Wait
from pipeline.engine.waiting import Waiting
from pipeline.errors import ProviderError, Throttled

_LOCAL = "sha256:"
"""A request names a local picture by this prefix and the hash of its content."""

_FAILURES = 10
"""After this many failures, some minutes, a picture waits for the next run."""

_GIVEN_UP_IN_A_ROW = 5
"""After this many pictures given up, and none uploaded in between, it is an outage."""

_Content = tuple[int, str]
"""The hash of a picture's content, and 0 or the lane that it is uploaded for alone."""

_REFUSALS = 2
"""Refused this often is refused for good: a single `success:false` may be a hiccup."""


@dataclass(slots=True)
class _Known:
    url: str
    valid_until: float


class Uploads:
    """Prepares the rows that wait: with all its pictures uploaded, a row can be submitted.

    `shared` says that what a lane has uploaded serves all lanes: they have one account. `outage_s`
    is how long several pictures that all fail are tried, in seconds.
    """

    def __init__(
        self, in_flight: int, waiting: Waiting, *, shared: bool = True, outage_s: float = inf
    ) -> None:
        self.in_flight = 0
        self._most_in_flight = in_flight
        self._waiting = waiting
        self._shared = shared
        self._known: dict[_Content, _Known] = {}
        self._lacking: dict[RowId, set[_Content]] = {}
        self._wanted_by: dict[_Content, list[RowId]] = {}
        self._to_do: deque[_Content] = deque()
        self._later: list[tuple[float, _Content]] = []
        self._failures: dict[_Content, int] = {}
        self._refusals: dict[_Content, int] = {}
        self._refused: dict[_Content, ProviderError] = {}
        self._given_up_in_a_row = 0
        self._outage_s = outage_s
        self._failing_since: float | None = None
        self._failing_why = ""

    @property
    def wait(self) -> Wait | None:
        """What uploads wait for, if they fail."""
        if self._failing_since is None:
            return None
        until = self._failing_since + self._outage_s
        return Wait("pictures to be taken again", self._failing_why, until)

    def content(self, lane: int, sha256: str) -> _Content:
        """Return what a picture of a lane is known by here."""
        return (0 if self._shared else lane, sha256)

    def know(self, content: _Content, url: str, valid_until: float) -> None:
        """Use an upload until `valid_until`; of several the youngest."""
        known = self._known.get(content)
        if known is None or known.valid_until <= valid_until:
            self._known[content] = _Known(url, valid_until)

    def urls(self, lane: int, images: tuple[str, ...], now: float) -> tuple[str, ...] | None:
        """Return the URLs of a prepared row's pictures; None if one has become too old."""
        urls = []
        for image in images:
            if not image.startswith(_LOCAL):
                urls.append(image)
                continue
            known = self._known.get(self.content(lane, image.removeprefix(_LOCAL)))
            if known and known.valid_until > now:
                urls.append(known.url)
            else:
                return None
        return tuple(urls)

    def prepare(self, row: RowId, images: tuple[str, ...], now: float) -> ProviderError | None:
        """Have the pictures of a row uploaded; return the error if one of them was refused."""
        lacking = set()
        for image in images:
            if not image.startswith(_LOCAL):
                continue
            content = self.content(row.lane, image.removeprefix(_LOCAL))
            if content in self._refused:
                self._waiting.drop(row)
                return self._refused[content]
            known = self._known.get(content)
            if not known or known.valid_until <= now:
                lacking.add(content)
        if not lacking:
            self._waiting.prepared(row)
            return None
        self._lacking[row] = lacking
        for content in sorted(lacking):
            if content not in self._wanted_by:
                self._wanted_by[content] = []
                self._to_do.append(content)
            self._wanted_by[content].append(row)
        return None

    def start(self, now: float) -> Upload | None:
        """Return the next picture to upload now, if any, with the lane of the first that waits."""
        while self._later and self._later[0][0] <= now:
            self._to_do.append(heappop(self._later)[1])
        if not self._to_do or self.in_flight >= self._most_in_flight:
            return None
        self.in_flight += 1
        content = self._to_do.popleft()
        return Upload(content[1], self._wanted_by[content][0].lane)

    def wake_at(self) -> float:
        """Return when a picture is to be tried again; infinity if none is."""
        if self._later and self.in_flight < self._most_in_flight:
            return self._later[0][0]
        return inf

    def note_upload(self, content: _Content, url: str, valid_until: float) -> None:
        """Take note of a finished upload; rows that lacked only this one are prepared."""
        self.in_flight -= 1
        self._given_up_in_a_row = 0
        self._failing_since = None
        self._failures.pop(content, None)
        self._refusals.pop(content, None)
        self.know(content, url, valid_until)
        for row in self._wanted_by.pop(content):
            lacking = self._lacking.get(row)
            if lacking is None:
                continue
            lacking.discard(content)
            if not lacking:
                del self._lacking[row]
                self._waiting.prepared(row)

    def put_off(self, content: _Content, error: ProviderError, now: float) -> bool:
        """Try a picture again later: uploading is free and repeatable.

        One that failed too often is given up, and its rows wait for the next run; while others fail
        as well, that is an outage, and has its own patience. Returns False when so many were given
        up that the outage goes on.
        """
        self.in_flight -= 1
        failures = self._failures[content] = self._failures.get(content, 0) + 1
        if self._failing_since is None:
            self._failing_since = now
        self._failing_why = error.message
        outage = len(self._failures) > 1 and now - self._failing_since < self._outage_s
        if failures < _FAILURES or outage or isinstance(error, Throttled):
            wait_s = UPLOAD.wait_s(failures, content[1], error.retry_after_s)
            heappush(self._later, (now + wait_s, content))
            return True
        self._drop(content)
        self._failures.pop(content, None)
        self._given_up_in_a_row += 1
        if not self._failures:
            self._failing_since = None
        return self._given_up_in_a_row < _GIVEN_UP_IN_A_ROW

    def note_refusal(self, content: _Content, error: ProviderError, now: float) -> list[RowId]:
        """Take note of a refusal; return the rows that cannot go out because of it."""
        refusals = self._refusals[content] = self._refusals.get(content, 0) + 1
        if refusals < _REFUSALS:
            self.put_off(content, error, now)
            return []
        self.in_flight -= 1
        self._failing_since = None
        self._refused[content] = error
        return self._drop(content)

    def _drop(self, content: _Content) -> list[RowId]:
        rows = [row for row in self._wanted_by.pop(content) if row in self._lacking]
        for row in rows:
            del self._lacking[row]
            self._waiting.drop(row)
        return rows
