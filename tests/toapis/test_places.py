"""No paid video is lost to the place where its address stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.model import Phase, TaskView
from pipeline.toapis.answers import accepted_task, task_view
from pipeline.toapis.bodies import Answer

LINK = "https://files.example.com/v/1.mp4?sig=a"
PLAIN = "https://files.example.com/v/1"


def view_of(document: object) -> TaskView:
    view = task_view(Answer(200, json.dumps(document).encode()))
    assert view is not None
    return view


@pytest.mark.parametrize(
    "more",
    [
        {"result": LINK},
        {"result": [LINK]},
        {"result": [{"url": PLAIN}]},
        {"output": {"url": PLAIN}},
        {"output": [PLAIN]},
        {"urls": [PLAIN]},
        {"video": {"url": PLAIN}},
        {"videos": [{"url": [PLAIN], "cover_url": "https://files.example.com/c.jpg"}]},
        {"data": [{"video_url": PLAIN}]},
        {"content": {"video_url": PLAIN}},
        {"metadata": {"url": f" {PLAIN} "}},
        {"download_url": PLAIN},
        {"output": {"preview": "https://files.example.com/p.mp4", "result": LINK}},
    ],
)
def test_an_address_in_any_place_for_videos(more: dict[str, Any]) -> None:
    """Of a completed task; pictures and previews are passed over."""
    view = view_of({"id": "t1", "status": "Completed ", **more})
    assert view.phase is Phase.COMPLETED
    assert view.video_url in {LINK, PLAIN}


@pytest.mark.parametrize(
    "more",
    [
        {"thumbnail_url": LINK},
        {"input": {"video_url": LINK}},
        {"error": {"help_url": LINK}},
        {"callback_url": LINK},
        {"model": LINK},
        {"output": {"url": "//files.example.com/v.mp4"}},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"video_url": LINK}}}}}}}},
    ],
)
def test_an_address_of_something_else(more: dict[str, Any]) -> None:
    """What was sent, shown or helps is no video."""
    assert view_of({"id": "t1", "status": "completed", **more}).video_url is None


def test_the_file_of_a_video_completes_an_unknown_status() -> None:
    """An address that is not called like one does not, outside of the places that are known."""
    assert view_of({"id": "t1", "status": "done", "output": [LINK]}).phase is Phase.COMPLETED
    assert view_of({"id": "t1", "status": "done", "output": [PLAIN]}).phase is Phase.UNKNOWN
    assert view_of({"id": "t1", "status": 7, "output": [PLAIN]}).unknown_status == "7"


@pytest.mark.parametrize("name", ["status", "state", "task_status"])
def test_the_names_of_the_status(name: str) -> None:
    """Vendors call it differently."""
    assert view_of({"id": "t1", name: "succeed", "url": LINK}).video_url == LINK


def test_a_list_of_one_is_that_entry() -> None:
    """For an acceptance and for a task; of several, none can be told to be the right."""
    assert accepted_task(Answer(200, b'[{"task_id":"t1"}]')) == "t1"
    assert view_of([{"id": "t1", "status": "SUCCEEDED", "video_url": LINK}]).video_url == LINK
    assert accepted_task(Answer(200, b'[{"task_id":"t1"},{"task_id":"t2"}]')) is None
