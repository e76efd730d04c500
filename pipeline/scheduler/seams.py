"""The seams of the scheduler: what it needs of provider, store, record, clock and observer.

Tested in tests/scheduler/test_scheduler.py, by doubles that keep to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline.disk.groupcommit import Committed
from pipeline.engine.commands import Decision
from pipeline.engine.engine import Engine
from pipeline.events import Event
from pipeline.model import Picture, Request, TaskView, Video

Rewrite: TypeAlias = Callable[[bytes, str], bytes]
"""Turns the bytes of a picture of a kind ("image/jpeg") into those that are sent; raises ValueError
with the reason where it cannot."""


class Provider(Protocol):
    """The remote API; every method raises ProviderError."""

    async def upload(
        self,
        path: Path,
        mime_type: str,
        *,
        sha256: str | None = None,
        rewrite: Rewrite | None = None,
    ) -> str:
        """Return the public URL of a picture.

        Args:
            path: The file.
            mime_type: Its kind, as in "image/jpeg".
            sha256: The hash that its bytes must have, in hexadecimal; None for any.
            rewrite: What is done to its bytes before they leave; None for nothing.

        """

    async def submit(
        self,
        request: Request,
        image_urls: Sequence[str],
        client_business_id: str | None,
        key: str,
    ) -> str:
        """Submit once and return the task id. This is the paid call.

        Args:
            request: What the video shows, and its form.
            image_urls: The public URLs of its pictures, in order.
            client_business_id: Our own reference, which no two attempts share; None to send none.
            key: What the row is called. Only a rehearsal is told, which writes it on the picture.

        """

    async def query(self, reference: str) -> TaskView:
        """Return a task as the provider shows it now, by its id or by our reference."""


class Store(Protocol):
    """Where finished videos are put; raises DownloadError or Unfinished."""

    async def fetch(
        self,
        url: str,
        *,
        name: str,
        duration: int,
        aspect_ratio: str,
        resolution: str,
        model: str = "",
    ) -> Video:
        """Download a video and verify it.

        Args:
            url: The link that the provider gave.
            name: The name of the file.
            duration: The seconds of video that were asked for.
            aspect_ratio: The aspect ratio that was asked for.
            resolution: The resolution that was asked for.
            model: The model that was asked; empty for the first one.

        """


class Record(Protocol):
    """Where the events of a lane are kept: its journal and, for money, the account's book."""

    def append(self, events: Sequence[Event], at: float) -> Future[Committed]:
        """Write events; the future is done when they are durable.

        Events that share a commit may share its future. Its result names the submissions that must
        not be sent, and says when the reserved space is in use, so that nothing new may begin.
        """

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        """Keep an upload for later runs."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One manifest of the run: where its events and videos go, and its local pictures by SHA-256.

    Live lanes have one provider; of rehearsals each has its own, which knows the tasks of that
    manifest. `account` says whose uploads they are: later runs with the same text may use them
    again. `rewrite` is done to its pictures before they leave.
    """

    provider: Provider
    record: Record
    store: Store
    pictures: Mapping[str, Picture]
    account: str
    rewrite: Rewrite | None = None


class Clock(Protocol):
    """The time: `now`, which never goes back, for waits, and `wall` for people."""

    def now(self) -> float:
        """Return seconds of a monotonic clock."""

    def wall(self) -> float:
        """Return Unix seconds."""


class Observer(Protocol):
    """Whoever is shown what happens while the scheduler runs."""

    @property
    def interval_s(self) -> float:
        """The longest time between two calls of `observe`, in seconds."""

    def observe(self, decision: Decision, engine: Engine) -> None:
        """Take in a decision, or the mere passing of time."""
