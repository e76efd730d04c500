"""The life of a task, seen through queries, and across restarts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from pipeline.emulator.server import Emulator, EmulatorSettings
from pipeline.emulator.tasks import draw_fate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Clock:
    """A wall clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1_779_247_407.0

    def __call__(self) -> float:
        return self.now


async def test_a_task_goes_from_queued_to_completed(
    start: Callable[..., Awaitable[Any]],
) -> None:
    """Progress never falls, and a completed task has a URL and its times."""
    clock = Clock()
    api = await start(clock, median_s=60, p95_s=60)
    task_id = await api.accepted()
    seen = []
    for _ in range(30):
        _, body = await api.query(task_id)
        seen.append((body["status"], body["progress"]))
        clock.now += 2
    assert seen[0] == ("queued", 0)
    assert {status for status, _ in seen} == {"queued", "in_progress"}
    progress = [value for _, value in seen]
    assert progress == sorted(progress)
    body = await api.finished(task_id)
    assert body["status"] == "completed"
    assert body["completed_at"] - body["created_at"] >= 60
    assert body["expires_at"] - body["completed_at"] == 86_400
    assert body["video_url"].startswith(api.emulator.files_url)


async def test_the_newest_task_answers_for_a_reference(api: Any) -> None:
    """The same client_business_id twice is two tasks; a query finds the later one."""
    first = await api.accepted(client_business_id="row-1")
    second = await api.accepted(client_business_id="row-1")
    assert first != second
    _, body = await api.query("row-1")
    assert body["id"] == second
    assert api.emulator.summary()["repeated_references"] == 1


async def test_an_unknown_task_is_404(api: Any) -> None:
    """Queries of unknown names are counted, too."""
    assert (await api.query("video_nobody"))[0] == 404
    assert api.emulator.records.queries["video_nobody"] == 1


async def test_a_share_of_tasks_fails(start: Callable[..., Awaitable[Any]]) -> None:
    """A failed task answers 200 with an error."""
    api = await start(fail_share=1.0)
    body = await api.finished(await api.accepted())
    assert body["status"] == "failed"
    assert body["error"]["code"]


def test_fates_follow_the_seed_and_the_distribution() -> None:
    """The same seed draws the same times, and their median is the one asked for."""
    fates = [draw_fate(7, number, 4.0, 8.0, 0.0) for number in range(1, 1000)]
    assert fates[10] == draw_fate(7, 11, 4.0, 8.0, 0.0)
    times = sorted(fate.run_s for fate in fates)
    assert 3.7 < times[500] < 4.3
    assert 7.0 < times[950] < 9.0


async def test_tasks_uploads_and_urls_survive_a_restart(tmp_path: Path, png: bytes) -> None:
    """What was accepted goes on: same task, same video bytes, same picture."""
    settings = EmulatorSettings(quick=True, median_s=0.01, p95_s=0.01, state_dir=tmp_path)
    headers = {"Authorization": "Bearer k"}
    form = aiohttp.FormData()
    form.add_field("file", png, filename="a.png")
    body = {"model": "gemini_omni_flash", "prompt": "x", "client_business_id": "row-1"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with Emulator(settings) as first:
            url = first.base_url + "/v1/videos/generations"
            async with session.post(url, json=body) as answer:
                task_id = (await answer.json())["id"]
            async with session.post(first.base_url + "/v1/uploads/images", data=form) as answer:
                picture = (await answer.json())["data"]["url"]
        async with Emulator(replace(settings, median_s=900, p95_s=900)) as second:
            url = second.base_url + "/v1/videos/generations"
            async with session.get(url + "/row-1") as answer:
                assert (await answer.json())["id"] == task_id
            # The old port is gone, the path is what counts.
            again = {**body, "image_urls": [picture]}
            async with session.post(url, json=again) as answer:
                assert answer.status == 200
            numbers = [task.number for task in second.tasks]
            assert numbers == [1, 2]
            assert second.records.submissions[0].task_id == task_id


async def test_a_second_emulator_cannot_share_the_state(tmp_path: Path) -> None:
    """The state belongs to one emulator at a time, and says so."""
    settings = EmulatorSettings(quick=True, state_dir=tmp_path)
    async with Emulator(settings):
        with pytest.raises(OSError, match="another emulator"):
            await Emulator(settings).start()


async def test_a_stopped_emulator_starts_again_on_its_ports(api: Any) -> None:
    """A client's URLs are good again after an outage."""
    base_url = api.emulator.base_url
    await api.emulator.stop()
    await api.emulator.start()
    assert api.emulator.base_url == base_url
    assert (await api.call("GET", "/v1/balance"))[0] == 200
