"""The plan sees the disk, where videos may be missing, and plays the rows through for its time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from pipeline.config.settings import Polling
from pipeline.disk.folder import OutputFolder
from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.planner import files_gone, makespan_s
from pipeline.planner.rehearsed import rehearsal_s
from tests.engine.night import SETTINGS, Provider, night

REQUEST = Request("film", (), 6, "16:9", "720P", "gemini_omni_flash", "hash")


def entries(*keys: str, state: State = State.DONE) -> dict[str, Entry]:
    return {
        key: Entry(
            key,
            state,
            Attempt(key, 1, f"rs-{key}", REQUEST, f"{key}.mp4"),
            video=Video(f"{key}.mp4", 4, "00", 6.0, 1280, 720),
        )
        for key in keys
    }


def test_a_video_in_its_place_is_not_gone(tmp_path: Path) -> None:
    """Its name and its length are those of the journal; a link to the file will do."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "a.mp4").write_bytes(b"1234")
    (videos / "b.mp4").symlink_to(videos / "a.mp4")
    assert files_gone(entries("a", "b"), OutputFolder(tmp_path)) == set()


def test_what_is_missing_short_long_or_no_file_is_gone(tmp_path: Path) -> None:
    """Every done row is looked at, by the length of its own file."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "whole.mp4").write_bytes(b"1234")
    (videos / "short.mp4").write_bytes(b"123")
    (videos / "long.mp4").write_bytes(b"12345")
    (videos / "empty.mp4").touch()
    (videos / "folder.mp4").mkdir()
    (videos / "dangling.mp4").symlink_to(videos / "nowhere")
    bad = {"short", "long", "empty", "folder", "dangling", "never"}
    assert files_gone(entries("whole", *bad), OutputFolder(tmp_path)) == bad


def test_without_the_folder_all_are_gone(tmp_path: Path) -> None:
    """A folder that was deleted or moved takes all its videos along."""
    assert files_gone(entries("a", "b"), OutputFolder(tmp_path)) == {"a", "b"}


def test_only_done_rows_have_a_video_to_miss(tmp_path: Path) -> None:
    """A row that is on its way has none in its place yet."""
    assert files_gone(entries("a", state=State.READY), OutputFolder(tmp_path)) == set()


def test_nothing_to_do_takes_no_time() -> None:
    """No rows, no time."""
    assert makespan_s(0, 0, slots=50, submits_per_s=5, durations_s=[60]) == 0


def test_the_slots_decide_where_they_are_few() -> None:
    """Ten rows of a minute each on two slots take five minutes."""
    assert makespan_s(10, 0, slots=2, submits_per_s=100, durations_s=[60]) == pytest.approx(300, 1)


def test_the_rate_decides_where_slots_are_many() -> None:
    """With a submission a second the last of a hundred leaves after 99 seconds."""
    assert makespan_s(100, 0, slots=1000, submits_per_s=1, durations_s=[60]) == 99 + 60


def test_rows_under_way_hold_their_slots() -> None:
    """What is taken up, done by half in the mean, goes before what is to be submitted."""
    assert makespan_s(1, 1, slots=1, submits_per_s=100, durations_s=[60]) == 90


@pytest.mark.parametrize("rows", [300, 2000])
def test_it_comes_near_the_night_itself(rows: int) -> None:
    """Within 15 % of a whole simulated night with the same kind of durations."""
    dice = random.Random(5)
    known = [dice.lognormvariate(4.1, 0.3) for _ in range(500)]
    ran = night(rows, Provider(seed=9)).run().now
    planned = makespan_s(
        rows,
        0,
        slots=SETTINGS.outstanding,
        submits_per_s=SETTINGS.submits_per_minute / 60,
        durations_s=known,
    )
    assert planned == pytest.approx(ran, rel=0.15)


@pytest.mark.parametrize(
    ("seconds", "load", "took_s"), [(22, 4.0, 16), (80, 10.0, 34), (200, 10.0, 64)]
)
def test_the_time_of_a_rehearsal_is_near_what_it_takes(
    seconds: int, load: float, took_s: float
) -> None:
    """As measured on two cores with others at work on them; it is no night of real tasks."""
    planned = rehearsal_s(seconds, Polling(), 2, load)
    assert planned == pytest.approx(took_s, rel=0.3)
