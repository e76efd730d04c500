"""Answers to queries as gateways give them: vendors' words, nests, signed addresses, envelopes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.model import Phase, TaskView
from pipeline.toapis.answers import task_view
from pipeline.toapis.bodies import Answer
from pipeline.toapis.client import ToAPIs
from pipeline.toapis.weblinks import escape_link, link_fault
from tests.toapis.doubles import KEY, Script, http, raw_server

LINK = "https://files.example.com/v/1.mp4"
SHAPES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "task_answers.json").read_text()
)


def view_of(document: dict[str, Any]) -> TaskView:
    view = task_view(Answer(200, json.dumps(document).encode()))
    assert view is not None
    return view


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_each_real_shape_is_read(shape: str) -> None:
    """Shapes met at gateways, each with what it means."""
    told = SHAPES[shape]
    view = view_of(told["answer"])
    assert (view.task_id, view.phase.value) == ("video_0001", told["phase"])
    assert view.video_url == told.get("url")
    assert view.error_message == told.get("error")
    assert view.url_fault is None


@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title, lambda word: f" {word} "])
@pytest.mark.parametrize(
    ("word", "phase"),
    [
        *((word, Phase.COMPLETED) for word in ("completed", "succeeded", "succeed", "success")),
        ("finished", Phase.COMPLETED),
        *((word, Phase.FAILED) for word in ("failed", "failure", "error", "expired")),
        *((word, Phase.FAILED) for word in ("cancelled", "canceled")),
    ],
)
def test_known_words_end_a_task_in_any_case(word: str, spelt: Any, phase: Phase) -> None:
    """With or without an address: a failure with one is still a failure."""
    for more in ({}, {"video_url": LINK}):
        assert view_of({"id": "t1", "status": spelt(word), **more}).phase is phase


@pytest.mark.parametrize(
    "document",
    [
        {"status": "success"},
        {"status": "error", "message": "busy", "url": "https://help.example.com/"},
        {"status": "error", "message": "busy", "video_url": LINK},
        {"status": "failure", "error": {"code": "timeout"}},
        {"status": "expired", "message": "session"},
        {"id": "call-1", "status": "success", "data": {"task_id": "t1", "status": "working"}},
        {"status": "success", "data": {"task_id": "t1", "progress": 30}},
        {"id": "t1", "status": "reticulating", "error": {"code": "warned", "message": "x"}},
        {"id": "t1", "status": "reticulating", "video_url": "file:///etc/passwd"},
        {"id": "t1", "status": "completed soon"},
        {"id": "t1", "url": LINK},
        {"status": "reticulating", "url": LINK},
        {"id": "t1", "status": 7, "url": LINK},
        {"status": "odd", "data": [{"id": "file-1"}]},
        {"status": "odd", "data": [17]},
    ],
)
def test_what_is_not_said_of_the_task_ends_nothing(document: dict[str, Any]) -> None:
    """The state of a call, an error around no task, a page of help, an unknown word alone."""
    assert view_of(document).phase is Phase.UNKNOWN


@pytest.mark.parametrize(
    "document",
    [
        {"id": "t1", "status": "reticulating", "video_url": LINK},
        {"id": "t1", "status": "reticulating", "url": LINK},
        {"id": "t1", "status": None, "video_url": LINK},
        {"status": "reticulating", "progress": 50, "result": {"data": [{"url": LINK}]}},
        {"id": "t1", "status": "reticulating", "data": [{"id": "file-1", "url": LINK}]},
        {"id": "t1", "status": "processing", "video_url": LINK},
        {"id": "t1", "status": "queued", "progress": "100%", "video_url": LINK},
        {"status": "ok", "data": [{"task_id": "t1", "status": "odd", "result": {"url": LINK}}]},
        {"id": "t1", "status": "odd", "result": {"video_url": LINK}},
        {"id": "t1", "status": "SUCCESS", "fail_reason": LINK},
    ],
)
def test_a_usable_address_completes_a_task(document: dict[str, Any]) -> None:
    """Whatever the status says, unless it is a failure."""
    view = view_of(document)
    assert (view.phase, view.video_url) == (Phase.COMPLETED, LINK)


@pytest.mark.parametrize("more", [{"progress": 40, "video_url": LINK}, {"url": LINK}])
def test_an_address_announced_early_completes_nothing(more: dict[str, Any]) -> None:
    """A status that runs and a bar that moves: the video is not there yet."""
    assert view_of({"id": "t1", "status": "in_progress", **more}).phase is Phase.IN_PROGRESS


async def test_an_unknown_status_is_named() -> None:
    """As it is spelt, on a line, not too long and without the key; a known or none is not."""
    told = json.dumps({"id": "t1", "status": f" Re\nticulating {KEY} " + "x" * 900})
    script = Script(lambda _: http(200, told))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        view = await api.query("t1")
    assert view.unknown_status is not None
    assert view.unknown_status.startswith("Re ticulating *** xxx")
    assert len(view.unknown_status) == 60
    assert view_of({"id": "t1", "status": "queued"}).unknown_status is None
    assert view_of({"id": "t1"}).unknown_status is None


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("file:///etc/hostname", "'file:///etc/hostname' does not begin with http:// or https://"),
        ("/v/1.mp4?sig=secret", "'/v/1.mp4' does not begin with http:// or https://"),
        ("https:///1.mp4", "'https:///1.mp4' names no host"),
        ("https://a b/1.mp4", "'https://a b/1.mp4' names no host"),
        ("https://a\\b/1.mp4", "'https://a\\\\b/1.mp4' names no host"),
        ("https://me:pw@a.b/1.mp4", "it carries a user name or password"),
        ("https://a.b:x/1.mp4", "'https://a.b:x/1.mp4' cannot be read as a web address"),
        ("https://a.b/1\n.mp4", "control character"),
        ("https://a.b/\ud800.mp4", "control character"),
        ("https://a.b/" + "x" * 65_536, "…' is longer than 65,536 characters"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(link: str, fault: str) -> None:
    """Without its signature and password; and it is not said that there is none."""
    view = view_of({"id": "t1", "status": "completed", "video_url": link})
    assert (view.phase, view.video_url) == (Phase.COMPLETED, None)
    assert view.url_fault is not None
    assert fault in view.url_fault
    assert "secret" not in view.url_fault
    assert "pw" not in view.url_fault
    assert len(view.url_fault) < 250
    assert view_of({"id": "t1", "status": "completed"}).url_fault is None


@pytest.mark.parametrize(
    ("link", "sent"),
    [
        (LINK, LINK),
        ("HTTPS://a.b/1 2.mp4?f=x y&s=A%2FB+c=", "HTTPS://a.b/1%202.mp4?f=x%20y&s=A%2FB+c="),
        ("https://a.b/\u00e9\u3000\\.mp4", "https://a.b/%C3%A9%E3%80%80%5C.mp4"),
        ("https://a.b", "https://a.b"),
        ("https://a.b:8443/1.mp4?s=" + "A%2B" * 16_000, None),
    ],
)
def test_an_address_is_escaped_for_the_request(link: str, sent: str | None) -> None:
    """Blanks and foreign letters; the rest of a signature stays letter for letter."""
    assert link_fault(link) is None
    assert escape_link(link) == (sent or link)
    assert escape_link(escape_link(link)) == escape_link(link)
