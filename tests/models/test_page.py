"""docs/models.md teaches what is true: its sheet is read, and says what the page says it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.models import records
from pipeline.models.body import make_body
from pipeline.models.records import SECTIONS, Sheet, Value
from pipeline.models.sheet import read_sheet
from tests.test_docs import blocks

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text("utf-8")
PARTS = ("Head", "PromptRule", "ImagesRule", "FieldRule", "ConditionRule", "Price", "ImageFiles")


def the_sheet() -> Sheet:
    (text,) = blocks(PAGE, "toml")
    return read_sheet(text, "models.md")


def test_the_example_becomes_the_body_that_the_page_shows() -> None:
    """In its order, too."""
    (shown,) = blocks(PAGE, "json")
    sheet = the_sheet()
    values = {**sheet.defaults, "aspect_ratio": "1:1"}
    made = make_body(sheet, "clip-2", "A mug turns", values=values)
    assert json.dumps(made, indent=2) == shown


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        ({}, False),
        ({"images": 1, "aspect_ratio": "1:1"}, True),
        ({"images": 2}, False),
        ({"model": "clip-2-turbo", "resolution": "1080p"}, True),
        ({"model": "clip-2-turbo"}, False),
        ({"sound": True}, True),
        ({"sound": True, "resolution": "1080p"}, False),
    ],
)
def test_its_rules_mean_what_its_page_says(said: dict[str, Value], broken: bool) -> None:
    """A reader takes them as the pattern."""
    sheet = the_sheet()
    told = {"model": "clip-2", "images": 0, **sheet.defaults, **said}
    assert any(rule.is_broken_by(told) for rule in sheet.rules) is broken


def keys() -> Iterator[str]:
    for part in PARTS:
        yield from (name.rstrip("_") for name in getattr(records, part)._fields)


def test_every_key_of_a_sheet_is_explained() -> None:
    """And every section."""
    assert [key for key in keys() if f"`{key}`" not in PAGE and f"`{key} =" not in PAGE] == []
    assert [one for one in SECTIONS if f"[{one}" not in PAGE] == []
