"""What goes to a worker and comes back: plain values, which any version of ours can read.

No key is in it, neither the API's nor a bucket's. What comes back is judged before it is believed:
the name of a file can only be that which was asked for, or one with a number behind it.

Tested in tests/fleet/test_wire.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pipeline import __version__
from pipeline.errors import (
    BadVideo,
    DownloadError,
    HostDown,
    LinkDead,
    StoreError,
    TransferBroken,
    Unfinished,
    VideoTooLarge,
)
from pipeline.model import Video
from pipeline.storage.bucketfaults import BucketDown
from pipeline.storage.places import check_name

Message: TypeAlias = dict[str, Any]

_KINDS: dict[str, type[DownloadError | Unfinished]] = {
    one.__name__: one
    for one in (
        BadVideo,
        BucketDown,
        HostDown,
        LinkDead,
        StoreError,
        TransferBroken,
        Unfinished,
        VideoTooLarge,
    )
}
_HASH_BYTES = 32
_OWN = (BucketDown, Unfinished)
"""What is the fault of the worker: its scratch folder, its way to the place, its decoder."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What all fetches of a manifest have in common.

    `place` is where the videos go, and `patience` how long a bucket there is waited for; `links`
    says that it is on the disk of the worker's scratch folder, so that a file can get its name
    there by a link. `measure` and `draw` ask for figures and posters.
    """

    place: str
    verify: str
    mode: int
    links: bool = False
    allow_private: bool = False
    max_bytes: int | None = None
    measure: bool = False
    draw: bool = False
    patience: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One video to be fetched; `key` is that of its task."""

    key: str
    url: str
    name: str
    duration: int
    aspect_ratio: str
    resolution: str
    terms: Terms

    def message(self) -> str:
        """Return it as it is sent: one text, as Dask looks through each value of what is none."""
        return json.dumps({"version": __version__, **_fields(self), "terms": _fields(self.terms)})


def read_fetch(text: str) -> Fetch:
    """Return what is to be fetched; raises Unfinished where another version asks for it."""
    message = json.loads(text)
    if message.get("version") != __version__:
        raise Unfinished(other_version(str(message.get("version"))))
    fields = {name: message[name] for name in Fetch.__slots__ if name != "terms"}
    terms = dict(message["terms"])
    if (patience := terms.get("patience")) is not None:
        terms["patience"] = tuple(patience)
    return Fetch(**fields, terms=Terms(**terms))


def _fields(record: Fetch | Terms | Video) -> Message:
    """Return the fields of a record of plain values; `asdict` would copy each of them."""
    return {name: getattr(record, name) for name in record.__slots__}


def other_version(wanted: str) -> str:
    """Say that the run is of another version than the worker."""
    return f"the worker has reelsheet {__version__}, and the run has {wanted}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: the video, or why there is none.

    `own` says that the failure is the worker's, which another one may not have.
    """

    worker: str
    content: Video | DownloadError | Unfinished
    figures: Message | None = None
    poster: bytes | None = None
    own: bool = False


def message_of(
    content: Video | DownloadError | Unfinished,
    worker: str,
    figures: Message | None = None,
    poster: bytes | None = None,
) -> Message:
    """Return how a fetch ended as it is sent back.

    Args:
        content: The video, or why there is none.
        worker: The address of the worker.
        figures: What was measured of the video.
        poster: A still of it.

    """
    if isinstance(content, Video):
        return {
            "worker": worker,
            "video": _fields(content),
            "figures": figures,
            "poster": poster,
        }
    kind = next(one.__name__ for one in type(content).__mro__ if one.__name__ in _KINDS)
    return {
        "worker": worker,
        "fault": kind,
        "message": content.message,
        "action": content.action,
        "retry_after_s": getattr(content, "retry_after_s", None),
        "down_s": getattr(content, "down_s", 0.0),
    }


def read_reply(reply: object, asked: Fetch) -> Fetched:
    """Return what came back of a fetch; what nobody can read is a transfer that broke."""
    try:
        if not isinstance(reply, dict):
            raise TypeError("no reply")  # noqa: TRY301 - as all that follows
        return _read(reply, asked)
    except (KeyError, TypeError, ValueError) as error:
        broken = TransferBroken(f"A worker answered with what is no answer ({error}).")
        return Fetched("", broken)


def _read(reply: Mapping[str, Any], asked: Fetch) -> Fetched:
    worker = str(reply["worker"])
    if "fault" in reply:
        return _read_fault(reply, worker)
    told = dict(reply["video"])
    told["warnings"] = tuple(str(one) for one in told.get("warnings", ()))
    video = Video(**told)
    _check(video, asked)
    figures, poster = reply.get("figures"), reply.get("poster")
    return Fetched(
        worker,
        video,
        figures if isinstance(figures, dict) else None,
        poster if isinstance(poster, bytes) else None,
    )


def _read_fault(reply: Mapping[str, Any], worker: str) -> Fetched:
    kind, action = _KINDS[reply["fault"]], reply.get("action")
    message = str(reply["message"])
    action = None if action is None else str(action)
    content: DownloadError | Unfinished
    if issubclass(kind, DownloadError):
        retry_after_s = reply.get("retry_after_s")
        content = kind(message, action=action, retry_after_s=retry_after_s)
        if isinstance(content, HostDown):
            content.down_s = float(reply.get("down_s") or 0.0)
    else:
        content = kind(message, action=action)
    return Fetched(worker, content, own=isinstance(content, _OWN))


def _check(video: Video, asked: Fetch) -> None:
    """Raise ValueError unless a video may be the one that was asked for."""
    check_name(video.name)
    stem, _, suffix = asked.name.rpartition(".")
    rest = video.name.removeprefix(stem).removesuffix(f".{suffix}")
    if video.name != asked.name and not (rest.startswith("-") and rest[1:].isdecimal()):
        raise ValueError("it has another name")
    if video.place != asked.terms.place or video.size_bytes <= 0:
        raise ValueError("it is elsewhere")
    if len(bytes.fromhex(video.sha256)) != _HASH_BYTES:
        raise ValueError("it has no hash")
