"""Rules: what the provider takes is understood in many spellings, everything else is a problem."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.checker.rules import (
    BY_FIELD,
    LONG_PROMPT,
    RULES,
    Defaults,
    Draft,
    cost,
    image_fields,
    parse,
    request,
    request_hash,
    split_images,
)
from pipeline.manifest.spellings import aspect_ratio_of, duration_of, resolution_of
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


def _parse(
    defaults: Defaults | None = None, /, **cells: str
) -> tuple[Draft | None, tuple[Problem, ...]]:
    headers = tuple(cells)
    row = Row(7, tuple(cells.values()))
    manifest = Manifest(Path("shop.xlsx"), headers, (row,), sheet="Sheet1")
    fields = {name: index for index, name in enumerate(headers) if name in FIELDS}
    return parse(row, "A", manifest=manifest, fields=fields, defaults=defaults or Defaults())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("4|4s|4 s|4 sec|4.0|4,0|04|4 Seconds|\uff14|4\u00a0s|4.", 4),
        ("6|6sec|+6|6 second", 6),
        ("10|10s|10.00", 10),
        ("5|0|8|4.5|-4|four|4 min|4-6|40|1e1|٤٤|4 s x", None),
    ],
)
def test_durations(texts: str, expected: int | None) -> None:
    """4, 6 and 10 seconds in any unambiguous spelling, nothing else."""
    assert {duration_of(text) for text in texts.split("|")} == {expected}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            "16:9|16x9|16X9|16\u00d79|16/9|16 : 9|16\uff1a9|\uff11\uff16\uff1a\uff19|landscape",
            "16:9",
        ),
        ("16:09|16:09:00|Horizontal", "16:9"),
        ("9:16|9x16|09:16:00|portrait|PORTRAIT|vertical|9\u223616", "9:16"),
        ("1:1|square|4:3|169|16|16:9:30|16-9|2024-09-16|0.67|1920x1080", None),
    ],
)
def test_aspect_ratios(texts: str, expected: str | None) -> None:
    """16:9 and 9:16 as people and spreadsheets write them, even as Excel's times."""
    assert {aspect_ratio_of(text) for text in texts.split("|")} == {expected}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("720|720p|720P|720 p|\uff17\uff12\uff10", "720P"),
        ("1080|1080p|1080P|1080 P", "1080p"),
        ("hd|4k|2160p|480p|full hd|1280x720|72", None),
    ],
)
def test_resolutions(texts: str, expected: str | None) -> None:
    """Two resolutions, sent in exactly the provider's spelling."""
    assert {resolution_of(text) for text in texts.split("|")} == {expected}


def test_the_table_understands_itself() -> None:
    """Every allowed value of the table is read as itself, and so is every default."""
    readers = {
        "duration": duration_of,
        "aspect_ratio": aspect_ratio_of,
        "resolution": resolution_of,
    }
    for name, reader in readers.items():
        rule = BY_FIELD[name]
        assert [reader(str(value)) for value in rule.allowed] == list(rule.allowed)
        assert reader(str(rule.default)) == rule.default
    assert all(rule.sentence for rule in RULES)


def test_a_plain_row() -> None:
    """Empty cells and missing columns take the defaults; blanks around texts go."""
    draft, problems = _parse(prompt=" A shoe \u00a0", duration="", note="x")
    assert not problems
    assert draft == Draft("A", 7, "A shoe", (), 6, "16:9", "720P")
    draft, _ = _parse(Defaults(10, "9:16", "720P"), prompt="A shoe", duration="\u200b")
    assert draft == Draft("A", 7, "A shoe", (), 10, "9:16", "720P")


def test_all_problems_of_a_row_at_once() -> None:
    """Each has its cell, its column, its code, what is wrong and what is possible."""
    draft, problems = _parse(
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
        ({"resolution": "1080", "aspect_ratio": "9:16"}, Defaults(), "resolution"),
        ({"resolution": "1080p"}, Defaults(aspect_ratio="9:16"), "resolution"),
        ({"aspect_ratio": "portrait"}, Defaults(resolution="1080p"), "aspect_ratio"),
    ],
)
def test_1080p_needs_16_9(cells: dict[str, str], defaults: Defaults, column: str) -> None:
    """The rule holds whether a value stands in the row or comes from the defaults."""
    draft, problems = _parse(defaults, prompt="x", **cells)
    assert draft is None
    assert [(one.code, one.column) for one in problems] == [("resolution_needs_frame", column)]


def test_1080p_with_16_9_is_fine() -> None:
    """It is sent in small letters."""
    draft, _ = _parse(prompt="x", resolution="1080P", aspect_ratio="16:9")
    assert draft is not None
    assert draft.resolution == "1080p"


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
    ],
)
def test_picture_counts(cells: dict[str, str], count: int) -> None:
    """None, one or three pictures, in columns of their own or in one."""
    draft, problems = _parse(prompt="x", **cells)
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
    draft, problems = _parse(prompt="x", **cells)
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
    draft, problems = _parse(prompt="x" * (LONG_PROMPT + 1))
    assert draft is not None
    assert [one.severity for one in problems] == [Severity.WARNING]


def test_request_hash_covers_everything() -> None:
    """Each part counts, the order of the pictures too, and nothing runs into its neighbour."""
    told = {
        "prompt": "x", "images": ("a", "b"), "duration": 6, "aspect_ratio": "16:9",
        "resolution": "720P", "model": "m",
    }  # fmt: skip
    changes: list[dict[str, object]] = [
        {}, {"prompt": "y"}, {"images": ("b", "a")}, {"images": ("a,b",)}, {"images": ()},
        {"duration": 4}, {"aspect_ratio": "9:16"}, {"resolution": "1080p"}, {"model": "n"},
        {"prompt": 'x",["a'},
    ]  # fmt: skip
    hashes = [request_hash(**{**told, **change}) for change in changes]  # type: ignore[arg-type]
    assert len(set(hashes)) == len(changes)
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_request_hash_stays() -> None:
    """A paid row is known again by this hash: it never changes without a new version."""
    draft = Draft("A", 2, "Ein Schuh\n\u201eneu\u201c", (), 6, "16:9", "720P")
    made = request(draft, ("https://example.com/a.jpg", "sha256:00"), "gemini_omni_flash")
    assert made.request_hash == ("d06a6cdc26c9e6cbb16593316c166d97629af466bf61704bbb14fdbbbca68b4a")
    assert (made.prompt, made.duration, made.model) == (draft.prompt, 6, "gemini_omni_flash")


def test_costs() -> None:
    """Seconds times price; unknown without a price."""
    assert cost(10, 0.5) == 5
    assert cost(10, None) is None
