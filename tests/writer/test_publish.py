"""Results of a manifest: made from the journal's entries, few of which are held at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.model import Attempt, Entry, State, Video
from pipeline.planner.plan import decide
from pipeline.planner.selection import Selection
from pipeline.writer.publish import ROWS_AT_ONCE, results_by_part, results_of

ROWS = 2 * ROWS_AT_ONCE + 3


def test_results_by_part_are_those_of_the_whole(tmp_path: Path) -> None:
    """Each row is asked for once, in order, few at a time, and the results are the same."""
    path = tmp_path / "shop.csv"
    lines = "".join(f"row{number},film {number}\n" for number in range(ROWS))
    path.write_text(f"key,prompt\n{lines}", encoding="utf-8")
    checked = check_manifest(path, Config(), cache_dir=None)
    entries = {}
    for key, request in zip(checked.keys[::2], list(checked.requests.values())[::2], strict=True):
        attempt = Attempt(key, 1, f"rs-{key}", request, f"{key}.mp4")
        video = Video(f"{key}.mp4", 1, "00", 6.0, 1280, 720)
        entries[key] = Entry(key, State.DONE, attempt, f"task-{key}", video=video)
    plan = decide(zip(checked.keys, checked.requests.values(), strict=True), entries, Selection())
    asked: list[str] = []

    def known(keys: Sequence[str]) -> dict[str, Entry]:
        assert len(keys) <= ROWS_AT_ONCE
        asked.extend(keys)
        return {key: entries[key] for key in keys if key in entries}

    results = results_by_part(checked, plan, known)
    assert results == results_of(checked, plan, entries)
    assert asked == list(checked.keys)
    assert [one.state for one in results[:3]] == [State.DONE, State.WAITING, State.DONE]
    assert results[-1].task_id == f"task-row{ROWS - 1}"
