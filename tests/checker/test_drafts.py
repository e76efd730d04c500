"""Drafts: every problem of a row at once, and a quick reader that drafts the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checker.drafts import Drafter, draft_row, image_fields, split_images
from pipeline.checker.rules import FORM_FIELDS, IMAGE_FIELDS, LONG_PROMPT, Draft, Form
from pipeline.model import Manifest, Problem, Row, Severity

FIELDS = (
    "prompt",
    "image_1",
    "image_2",
    "image_3",
    "images",
    "duration",
    "aspect_ratio",
    "resolution",
)


OTHERS = (*IMAGE_FIELDS, *FORM_FIELDS)
TEXTS = st.sampled_from(
    ("", " ", "4", "6s", "5", "16:9", "9x16", "1080", "720p", "\u200b", "a.png")
)


def _draft(
    defaults: Form | None = None, /, **cells: str
) -> tuple[Draft | None, tuple[Problem, ...]]:
    headers = tuple(cells)
    row = Row(7, tuple(cells.values()))
    manifest = Manifest(Path("shop.xlsx"), headers, (row,), sheet="Sheet1")
    fields = {name: index for index, name in enumerate(headers) if name in FIELDS}
    return draft_row(row, "A", manifest=manifest, fields=fields, defaults=defaults or Form())


def test_a_plain_row() -> None:
    """Empty cells and missing columns take the defaults; blanks around texts go."""
    draft, problems = _draft(prompt=" A shoe \u00a0", duration="", note="x")
    assert not problems
    assert draft == Draft("A", 7, "A shoe", (), Form(6, "16:9", "720P"))
    draft, _ = _draft(Form(10, "9:16", "720P"), prompt="A shoe", duration="\u200b")
    assert draft == Draft("A", 7, "A shoe", (), Form(10, "9:16", "720P"))


def test_all_problems_of_a_row_at_once() -> None:
    """Each has its cell, its column, its code, what is wrong and what is possible."""
    draft, problems = _draft(
        prompt="\u00a0", image_1="a.jpg", image_2="b.jpg", duration="5", aspect_ratio="1:1",
        resolution="hd",
    )  # fmt: skip
    assert draft is None
    assert [(one.code, one.cell, one.column, one.row, one.key) for one in problems] == [
        ("prompt_empty", "A7", "prompt", 7, "A"),
        ("image_count", "C7", "image_2", 7, "A"),
        ("duration_not_allowed", "D7", "duration", 7, "A"),
        ("aspect_ratio_not_allowed", "E7", "aspect_ratio", 7, "A"),
        ("resolution_not_allowed", "F7", "resolution", 7, "A"),
    ]
    messages = " ".join(one.message for one in problems)
    for part in ('"5"', "4, 6 or 10 seconds", '"1:1"', "16:9 or 9:16", '"hd"', "720P or 1080p"):
        assert part in messages


@pytest.mark.parametrize(
    ("cells", "defaults", "column"),
    [
        ({"resolution": "1080", "aspect_ratio": "9:16"}, Form(), "resolution"),
        ({"resolution": "1080p"}, Form(aspect_ratio="9:16"), "resolution"),
        ({"aspect_ratio": "portrait"}, Form(resolution="1080p"), "aspect_ratio"),
    ],
)
def test_1080p_needs_16_9(cells: dict[str, str], defaults: Form, column: str) -> None:
    """The rule holds whether a value stands in the row or comes from the defaults."""
    draft, problems = _draft(defaults, prompt="x", **cells)
    assert draft is None
    assert [(one.code, one.column) for one in problems] == [("resolution_needs_frame", column)]


def test_1080p_with_16_9_is_fine() -> None:
    """It is sent in small letters."""
    draft, _ = _draft(prompt="x", resolution="1080P", aspect_ratio="16:9")
    assert draft is not None
    assert draft.form.resolution == "1080p"


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        ({"image_1": "a"}, 1),
        ({"image_3": "a"}, 1),
        ({"image_1": "a", "image_2": "b", "image_3": "c"}, 3),
        ({"images": "a|b;c"}, 3),
        ({"images": "a\nb\r\nc"}, 3),
        ({"images": " | a ; "}, 1),
        ({"images": "", "image_1": "a"}, 1),
        ({"images": "|"}, 0),
        ({"images": "https://x.example/a.jpg,https://x.example/b.jpg, HTTP://x.example/c.jpg"}, 3),
        ({"images": "https://x.example/a.jpg https://x.example/b.jpg\uff0chttps://x.example/c"}, 3),
        ({"images": "https://x.example/a,b.jpg"}, 1),
        ({"images": "red, blue.jpg"}, 1),
    ],
)
def test_picture_counts(cells: dict[str, str], count: int) -> None:
    """None, one or three pictures, in columns of their own or in one."""
    draft, problems = _draft(prompt="x", **cells)
    assert not problems
    assert draft is not None
    assert len(draft.image_cells) == count


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"image_1": "a", "image_3": "b"}, "2 pictures"),
        ({"images": "a|b"}, "Remove one or add a third"),
        ({"images": "a|b|c|d"}, "4 pictures"),
        ({"images": "a", "image_1": "b"}, "Keep one of the two"),
    ],
)
def test_wrong_pictures(cells: dict[str, str], expected: str) -> None:
    """Two pictures, more than three, or both ways of naming them in one row are problems."""
    draft, problems = _draft(prompt="x", **cells)
    assert draft is None
    assert expected in problems[0].message


def test_pictures_know_their_field() -> None:
    """The text of each picture comes with the field that holds it."""
    row = Row(2, ("a|b", "c"))
    assert image_fields(row, {"images": 0, "image_1": 1}) == [
        ("image_1", "c"), ("images", "a"), ("images", "b"),
    ]  # fmt: skip
    assert split_images("a| ;b") == ("a", "b")


def test_a_long_prompt_is_only_a_warning() -> None:
    """No limit is documented, so the row can be sent."""
    draft, problems = _draft(prompt="x" * (LONG_PROMPT + 1))
    assert draft is not None
    assert [one.severity for one in problems] == [Severity.WARNING]


@given(st.fixed_dictionaries({"prompt": TEXTS}, optional=dict.fromkeys(OTHERS, TEXTS)))
def test_quick_drafts_are_those_of_draft_row(cells: dict[str, str]) -> None:
    """The quick reader gives what `draft_row` gives without a word, or leaves the row to it."""
    fields = {name: index for index, name in enumerate(cells)}
    row = Row(7, tuple(cells.values()))
    manifest = Manifest(Path("shop.csv"), tuple(cells), (row,))
    parsed, problems = draft_row(row, "A", manifest=manifest, fields=fields, defaults=Form())
    draft = Drafter(fields, Form())(row, "A")
    if draft is not None:
        assert (draft, ()) == (parsed, problems)
    elif not cells.get("images"):
        assert problems


@pytest.mark.parametrize("prompt", ["", " \u200b ", "x" * (LONG_PROMPT + 1)])
def test_quick_reader_leaves_odd_prompts(prompt: str) -> None:
    """A prompt that is missing or very long is not the quick reader's to judge."""
    assert Drafter({"prompt": 0}, Form())(Row(7, (prompt,)), "A") is None
    assert Drafter({"duration": 0}, Form())(Row(7, ("6",)), "A") is None
