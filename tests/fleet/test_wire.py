"""What workers are told and answer; an answer is judged before it is believed."""

from __future__ import annotations

import pickle

import pytest

from pipeline import __version__
from pipeline.errors import (
    BadVideo,
    HostDown,
    LinkDead,
    StoreError,
    TransferBroken,
    Unfinished,
    VideoTooLarge,
)
from pipeline.fleet.wire import Fetch, Message, Terms, message_of, read_fetch, read_reply
from pipeline.model import Video
from pipeline.storage.bucketfaults import BucketDown

PLACE = "s3://videos/spring/shop"
ASKED = Fetch("A1.mp4-1-ff", "https://x/y", "A1.mp4", 4, "16:9", "720P", Terms(PLACE, "boxes", 420))
VIDEO = Video("A1.mp4", 10, "ab" * 32, 4.0, 1280, 720, ("odd",), PLACE)


def test_what_is_asked_comes_through() -> None:
    assert read_fetch(pickle.loads(pickle.dumps(ASKED.message()))) == ASKED  # noqa: S301


def test_another_version_is_refused_in_a_sentence() -> None:
    with pytest.raises(Unfinished, match=r"and the run has 0\.0\.1"):
        read_fetch(ASKED.message().replace(__version__, "0.0.1"))


def test_a_video_comes_back() -> None:
    told = message_of(VIDEO, "tcp://w", {"recipe": 1}, b"jpeg")
    found = read_reply(told, ASKED)
    assert (found.content, found.worker, found.own) == (VIDEO, "tcp://w", False)
    assert (found.figures, found.poster) == ({"recipe": 1}, b"jpeg")
    numbered = {**told, "video": {**told["video"], "name": "A1-2.mp4"}}
    assert isinstance(read_reply(numbered, ASKED).content, Video)


@pytest.mark.parametrize(
    ("error", "own"),
    [
        (LinkDead("x", action="y"), False),
        (TransferBroken("x", retry_after_s=3), False),
        (HostDown("x"), False),
        (BadVideo("x"), False),
        (VideoTooLarge("x", action="y"), False),
        (BucketDown("x"), True),
        (StoreError("x", action="y"), True),
        (Unfinished("x"), True),
    ],
)
def test_every_failure_comes_back_as_itself(error: BadVideo | Unfinished, own: bool) -> None:
    found = read_reply(message_of(error, "w"), ASKED)
    assert type(found.content) is type(error)
    assert isinstance(found.content, type(error))
    assert (found.content.message, found.content.action) == (error.message, error.action)
    assert getattr(found.content, "retry_after_s", None) == getattr(error, "retry_after_s", None)
    assert found.own is own


def test_a_failure_of_a_kind_of_its_own_is_the_nearest_that_is_known() -> None:
    class Special(LinkDead):
        pass

    assert type(read_reply(message_of(Special("x"), "w"), ASKED).content) is LinkDead


def video_with(**changed: object) -> Message:
    told = message_of(VIDEO, "w")
    return {**told, "video": {**told["video"], **changed}}


@pytest.mark.parametrize(
    "reply",
    [
        None,
        "done",
        {},
        {"worker": "w", "fault": "KeyboardInterrupt", "message": "x"},
        {"worker": "w", "video": {}},
        video_with(name="../A1.mp4"),
        video_with(name="B1.mp4"),
        video_with(name="A1-x.mp4"),
        video_with(place="s3://elsewhere"),
        video_with(sha256="ab"),
        video_with(size_bytes=0),
        video_with(more=1),
    ],
)
def test_what_is_no_answer_is_a_broken_transfer(reply: object) -> None:
    """Nothing that a worker says can lead elsewhere, or end a run."""
    found = read_reply(reply, ASKED)
    assert isinstance(found.content, TransferBroken)
    assert not found.own
