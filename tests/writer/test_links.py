"""Links in the results workbook: to the video beside it, and to the task at the provider."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from pipeline.model import State
from pipeline.reader.reading import read
from pipeline.writer.layout import Result
from pipeline.writer.results import write_results

TASK = "https://toapis.example/v1/videos/generations/video%2F1"


def test_video_and_task_are_linked(tmp_path: Path) -> None:
    """Both cells show the text and lead to its place, as formulas that quote what they hold."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["key", "prompt"], ["A", "a film"], ["B", "a film"]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    results = [
        Result(2, State.DONE, video='videos/5" A.mp4', task_id="video/1", task_link=TASK),
        Result(3, State.RUNNING, task_id='=cmd|"x"'),
    ]
    written = write_results(read(tmp_path / "a.xlsx"), results, tmp_path).path
    formulas = openpyxl.load_workbook(written).active
    shown = openpyxl.load_workbook(written, data_only=True).active
    assert formulas is not None
    assert shown is not None
    assert formulas["D2"].value == '=HYPERLINK("videos/5"" A.mp4","videos/5"" A.mp4")'
    assert formulas["G2"].value == f'=HYPERLINK("{TASK}","video/1")'
    assert shown["G2"].value == "video/1"
    assert formulas["G3"].data_type == "s", "without a link a task id is text, whatever it says"
