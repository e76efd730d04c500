"""A picture over a row counts where the row names none, an empty result where it is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.idlefindings import leave_out_idle
from pipeline.model import Manifest, Problem, Row

FIELDS = {"prompt": 0, "image_1": 1, "duration": 2}


@pytest.mark.parametrize(
    ("code", "column", "picture", "counts"),
    [
        ("picture_floats", None, "", True),
        ("picture_floats", None, "a.jpg", False),
        ("formula_empty", "duration", "", True),
        ("formula_empty_meant", "image_1", "", True),
        ("formula_empty_meant", "duration", "", False),
        ("cell_unreadable", "prompt", "a.jpg", True),
    ],
)
def test_what_counts(code: str, column: str | None, picture: str, counts: bool) -> None:
    """A formula that says itself when it is empty is told of picture cells alone."""
    row = Row(2, ("a mug", picture, "6"))
    manifest = Manifest(Path("a.xlsx"), ("prompt", "image_1 ", "duration"), (row,), sheet="S")
    other, problem = Problem("x", "X.", row=2), Problem(code, "So.", row=2, column=column)
    found = leave_out_idle({2: [other, problem], None: [other]}, manifest, FIELDS)
    assert found == {2: [other, problem][: 1 + counts], None: [other]}
    assert leave_out_idle({2: [problem]}, manifest, FIELDS) == ({2: [problem]} if counts else {})
