"""What the engine asks for (commands), and what it is told of how they ended (replies).

A command is carried out at most once and replied to exactly once. The content of a reply is text or
a record of `model` on success, and an error of `errors` otherwise.

Tested in tests/engine/test_plain_nights.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pipeline.errors import (
    DownloadError,
    ProviderError,
    TransferBroken,
    Unclear,
    Unfinished,
    Unreachable,
    Withheld,
)
from pipeline.events import Event
from pipeline.model import Attempt, TaskView, Video


class RowId(NamedTuple):
    """Which row it is: the number of its lane, and its key there. Two lanes may share a key."""

    lane: int
    key: str


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload the local picture with this hash of its content, which a row of this lane needs."""

    sha256: str
    lane: int = 0


@dataclass(frozen=True, slots=True)
class Submit:
    """Submit this attempt: the paid call. `image_urls` are the URLs of its pictures in order."""

    row: RowId
    attempt: Attempt
    image_urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """Ask for the task of a row: by its id, or by our own reference while it is in doubt."""

    row: RowId
    reference: str


@dataclass(frozen=True, slots=True)
class Download:
    """Download the finished video of this attempt."""

    row: RowId
    attempt: Attempt
    url: str


Command = Upload | Submit | Query | Download


@dataclass(frozen=True, slots=True)
class UploadReply:
    """How an upload ended: the picture's public URL, or an error."""

    sha256: str
    content: str | ProviderError
    lane: int = 0


@dataclass(frozen=True, slots=True)
class SubmitReply:
    """How a submission ended: the task id, or an error; Withheld: it was not sent at all."""

    row: RowId
    content: str | ProviderError | Withheld


@dataclass(frozen=True, slots=True)
class QueryReply:
    """How a query ended: the task as the provider shows it, or an error."""

    row: RowId
    content: TaskView | ProviderError


@dataclass(frozen=True, slots=True)
class DownloadReply:
    """How a download ended: the verified video in its place, or an error."""

    row: RowId
    content: Video | DownloadError | Unfinished


Reply = UploadReply | SubmitReply | QueryReply | DownloadReply


@dataclass(frozen=True, slots=True)
class Decision:
    """What the engine decided: events to commit, then commands to carry out.

    No command may be carried out before the events of this decision, and of every earlier one, are
    durable. `wake_at` is the time at which the engine wants to be told again even without a reply;
    None if only a reply can change anything. `give_up` says that no further reply is awaited: what
    is under way is to be dropped, and each command of it replied to as unanswered.
    """

    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()
    wake_at: float | None = None
    give_up: bool = False


def unanswered(command: Command) -> Reply:
    """Return the reply to a command that was dropped: a submission may have been accepted."""
    match command:
        case Submit(row):
            return SubmitReply(row, Unclear("The run was ended before the answer came."))
        case Query(row):
            return QueryReply(row, Unreachable("The run was ended before the answer came."))
        case Upload(sha256, lane):
            return UploadReply(sha256, Unreachable("The run was ended meanwhile."), lane)
    broken = TransferBroken("the download was given up; the next run resumes it")
    return DownloadReply(command.row, broken)
