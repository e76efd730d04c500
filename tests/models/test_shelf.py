"""The sheets that come with the program, and how they are found and said."""

from __future__ import annotations

from pipeline.models.describing import say_counts, say_values
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import (
    DEFAULT_MODEL,
    plain_name,
    sheet_of,
    shipped_files,
    shipped_sheets,
)


def test_only_the_default_was_tried() -> None:
    """All others are from their page alone, and say so."""
    assert [name for name, one in shipped_sheets().items() if one.head.verified] == [DEFAULT_MODEL]


def test_every_sheet_is_sound() -> None:
    """A start of a command looks at none of them, so each is read strictly here."""
    for name, file in shipped_files().items():
        sheet = read_sheet(file.read_text("utf-8"), file.name)
        for model in sheet.head.models:
            assert sheet_of(model) == sheet, name


def test_a_model_is_found_by_its_name() -> None:
    """Names differ by more than their spelling: each page has a sheet of its own."""
    assert sheet_of("gemini_omni_flash").picture_counts == (0, 1, 3)
    assert sheet_of("gemini-omni-flash").picture_counts == (0, 1, 2, 3)
    assert sheet_of("another-model") is sheet_of(DEFAULT_MODEL)
    assert plain_name("Gemini-Omni_Flash") == plain_name(DEFAULT_MODEL)


def test_what_is_allowed_in_words() -> None:
    """As a person says it."""
    assert say_values("duration", (4, 6, 10)) == "4, 6 or 10 seconds"
    assert say_values("audio", (True, False)) == "true or false"
    assert say_values("resolution", ("720p",)) == "720p"
    assert say_counts((0, 1, 3)) == "no picture, one or three"
    assert say_counts((0, 1, 2, 3)) == "up to three"
    assert say_counts((1,)) == "one"
