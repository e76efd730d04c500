"""The plan sees the disk: a video that is not in its place with its length is gone."""

from __future__ import annotations

from pathlib import Path

from pipeline.model import Attempt, Entry, Request, State, Video
from pipeline.planner.planner import files_gone

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
    (tmp_path / "a.mp4").write_bytes(b"1234")
    (tmp_path / "b.mp4").symlink_to(tmp_path / "a.mp4")
    assert files_gone(entries("a", "b"), tmp_path) == set()


def test_what_is_missing_short_long_or_no_file_is_gone(tmp_path: Path) -> None:
    """Every done row is looked at, by the length of its own file."""
    (tmp_path / "whole.mp4").write_bytes(b"1234")
    (tmp_path / "short.mp4").write_bytes(b"123")
    (tmp_path / "long.mp4").write_bytes(b"12345")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "nowhere")
    bad = {"short", "long", "empty", "folder", "dangling", "never"}
    assert files_gone(entries("whole", *bad), tmp_path) == bad


def test_without_the_folder_all_are_gone(tmp_path: Path) -> None:
    """A folder that was deleted or moved takes all its videos along."""
    assert files_gone(entries("a", "b"), tmp_path / "videos") == {"a", "b"}


def test_only_done_rows_have_a_video_to_miss(tmp_path: Path) -> None:
    """A row that is on its way has none in its place yet."""
    assert files_gone(entries("a", state=State.READY), tmp_path) == set()
