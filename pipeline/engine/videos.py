"""Downloads of finished videos: the link that dies first goes first.

A download that failed is tried again after another query of the task: that gives a fresh URL, and
the transfer continues where it broke.

Tested in tests/engine/test_downloads_at_night.py.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf

from pipeline import events as ev
from pipeline.engine.commands import RowId
from pipeline.engine.limits import DOWNLOAD
from pipeline.engine.outstanding import Outstanding
from pipeline.engine.queries import Sweep
from pipeline.engine.rows import (
    NOTHING,
    Reach,
    Reaction,
    Stop,
    Tracked,
    Wait,
    stop_for_storage,
)
from pipeline.errors import (
    BadVideo,
    DownloadError,
    ExitCode,
    HostDown,
    LinkDead,
    Unfinished,
    VideoTooLarge,
)
from pipeline.model import TaskView, Video

_BROKEN_TRANSFERS = 10
_BAD_VIDEOS = 3
"""After this many failures of its download in one run a row stays `ready` for the next run."""

_DEAD_LINKS = 6
"""After this many refused URLs, each of them fresh, a row is `expired`."""


class Videos:
    """Decides which video to download next, within a cap on transfers, and what a reply means.

    A host that gives nothing at all is waited for, `patience_s` seconds for each video. `left` says
    why videos are not tried again in this run.
    """

    def __init__(
        self,
        most_in_flight: int,
        sweep: Sweep,
        outstanding: Outstanding,
        patience_s: float = inf,
    ) -> None:
        self.in_flight = 0
        self.most_in_flight = most_in_flight
        self._sweep = sweep
        self._outstanding = outstanding
        self._queue: list[tuple[float, int, RowId, str]] = []
        self._turn = count()
        self._patience_s = patience_s
        self.left: dict[RowId, DownloadError] = {}
        self._down: dict[RowId, Wait] = {}

    @property
    def wait(self) -> Wait | None:
        """What downloads wait for, from the first failure of a host on."""
        return max(self._down.values(), key=lambda wait: wait.until, default=None)

    @property
    def waiting(self) -> int:
        """How many videos wait for a download to end."""
        return len(self._queue)

    def link(self, row: Tracked, view: TaskView, now: float) -> Reaction:
        """Queue the video of a completed task, or ask again where it has no usable URL."""
        if view.video_url is not None:
            # The provider's Unix time: only compared with its likes.
            dies_at = inf if view.expires_at is None else view.expires_at
            heappush(self._queue, (dies_at, next(self._turn), row.id, view.video_url))
        elif self._outstanding.ask_for_url(row, now):
            code, message = "no_video_url", "gives no URL for it"
            if view.url_fault is not None:
                code = "unusable_video_url"
                message = f"gives an address for it that cannot be used: {view.url_fault}"
            message = f"the provider says that the video is completed and {message}"
            return Reaction((row.event(ev.LinkLost, code, message),))
        return NOTHING

    def start(self) -> tuple[RowId, str] | None:
        """Return the row and the URL of the next video to fetch, if a place is free."""
        if not self._queue or self.in_flight >= self.most_in_flight:
            return None
        self.in_flight += 1
        _, _, row, url = heappop(self._queue)
        return row, url

    def take_download_reply(
        self, row: Tracked, content: Video | DownloadError | Unfinished, now: float
    ) -> Reaction:
        """Take in how a download ended."""
        self.in_flight -= 1
        self._down.pop(row.id, None)
        if not isinstance(content, HostDown):
            row.host_down_since = None
        match content:
            case Video() as video:
                return Reaction((row.event(ev.Downloaded, video),))
            case Unfinished() as error:
                return Reaction(stop=stop_for_storage(error))
            case LinkDead() as error:
                row.dead_links += 1
                if row.dead_links == _DEAD_LINKS:
                    return Reaction((row.event(ev.LinkLost, "link_dead", error.message),))
                self._try_later(row, row.dead_links, error, now, most=_DEAD_LINKS)
            case VideoTooLarge() as error:
                self.left[row.id] = error
            case BadVideo() as error:
                row.bad_videos += 1
                self._try_later(row, row.bad_videos, error, now, most=_BAD_VIDEOS)
            case HostDown() as error:
                return self._wait_for_host(row, error, now)
            case error:
                row.broken_transfers += 1
                self._try_later(row, row.broken_transfers, error, now, most=_BROKEN_TRANSFERS)
        return NOTHING

    def _wait_for_host(self, row: Tracked, error: HostDown, now: float) -> Reaction:
        """Try again until the patience ends; a host that asks for longer is not waited for.

        Where no video comes home without it, nothing more is ordered then.
        """
        if row.host_down_since is None:
            row.host_down_since, row.broken_transfers = now - error.down_s, 0
        row.broken_transfers += 1
        until = row.host_down_since + self._patience_s
        if now >= until or now + (error.retry_after_s or 0) > until:
            self.left[row.id] = error
            return Reaction(stop=_stop_for(error)) if error.serves_all else NOTHING
        self._down[row.id] = Wait(error.what, error.message, until)
        wait_s = DOWNLOAD.wait_s(row.broken_transfers, row.key, error.retry_after_s)
        self._sweep.schedule(row.id, min(now + wait_s, until))
        return NOTHING

    def _try_later(
        self, row: Tracked, failures: int, error: DownloadError, now: float, *, most: int
    ) -> None:
        """Try again after a wait, unless it was tried often enough or is to wait for too long.

        Then the row stays `ready`, and the next run has a fresh link.
        """
        if failures >= most or (error.retry_after_s or 0) > self._patience_s:
            self.left[row.id] = error
            return
        wait_s = DOWNLOAD.wait_s(failures, row.key, error.retry_after_s)
        self._sweep.schedule(row.id, now + wait_s)


def _stop_for(error: HostDown) -> Stop:
    """Stop submitting: what all videos come home by was waited for in vain."""
    return Stop(
        ExitCode.UNFINISHED,
        f"{error.what} was waited for as long as outage.patience_s says: {error.message}",
        Reach.SUBMITTING,
        "Run again when it is back; nothing paid for is lost.",
    )
