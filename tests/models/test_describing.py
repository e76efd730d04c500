"""What a sheet says, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from pipeline.models.describing import (
    document_of,
    example_of,
    say_columns,
    say_pictures,
    say_price,
    say_prompt,
)
from pipeline.models.records import Sheet
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import sheet_of, shipped_sheets

HEAD = """
sheet = 1
models = ["clip-2"]
source = "https://example.test/clip-2"
read = 2026-11-22
"""


def read(text: str) -> Sheet:
    return read_sheet(HEAD + text, "clip-2.toml")


@pytest.mark.parametrize("model", shipped_sheets())
def test_every_sheet_has_an_example_and_is_json(model: str) -> None:
    """The body is one that keeps all rules."""
    told = json.loads(json.dumps(document_of(model, sheet_of(model))))
    assert told["example"]["model"] == model
    assert [one["name"] for one in told["columns"]] == list(sheet_of(model).fields)


def test_the_example_of_the_default() -> None:
    """With what is sent where a row says nothing."""
    assert example_of("gemini_omni_flash", sheet_of("gemini_omni_flash")) == {
        "model": "gemini_omni_flash",
        "prompt": "What the video shows",
        "duration": 6,
        "aspect_ratio": "16:9",
        "resolution": "720P",
    }
    assert "image" in (example_of("grok-video-1.5", sheet_of("grok-video-1.5")) or {})


def test_an_example_keeps_rules_that_its_defaults_break() -> None:
    """Another value is taken then; where there is none, there is no example."""
    text = """
[fields.size]
values = ["s", "l"]
default = "s"
[fields.shape]
values = ["wide", "high"]
default = "wide"
[[rules]]
when = { size = ["s"] }
need = { shape = ["high"] }
say = "small ones are high"
"""
    assert example_of("clip-2", read(text)) == {
        "model": "clip-2",
        "prompt": "What the video shows",
        "size": "s",
        "shape": "high",
    }
    never = '[[rules]]\nwhen = { images = "any" }\nforbid = { images = [0] }\nsay = "never"\n'
    assert example_of("clip-2", read(text + never)) is None


def test_columns_in_words() -> None:
    """Values, default, place."""
    assert say_columns(sheet_of("gemini-omni-flash"))[2] == (
        "resolution",
        "720P or 1080p",
        "720P",
        "resolution (720P as 720p)",
    )
    assert say_columns(sheet_of("veo3.1-lite"))[2][3] == "metadata.resolution"
    seed = say_columns(sheet_of("viduq3-pro"))[4]
    assert seed == ("seed", "a whole number", "left out", "seed")


def test_prompts_pictures_and_prices_in_words() -> None:
    """As a person says it."""
    vidu = sheet_of("viduq3-pro")
    assert say_prompt(vidu) == "a row without pictures needs one, of up to 5,000 characters"
    assert (
        say_pictures(vidu)
        == "no picture; one or two (the first frame; the first and the last frame)"
    )
    assert say_pictures(sheet_of("gemini_omni_flash")) == "no picture, one or three"
    assert say_pictures(read("")) == "no picture"
    assert say_prompt(read("")) == "every row needs one"
    (price,) = sheet_of("grok-video-1.5").prices
    assert say_price(price) == "0.01 USD a second"
    text = """
[fields.resolution]
values = ["720p", "4k"]
[fields.seed]
type = "integer"
[[prices]]
when = { resolution = ["4k"], seed = "any" }
per_request = 2
currency = "EUR"
"""
    assert say_price(read(text).prices[0]) == "2 EUR a request with resolution 4k, seed said"
