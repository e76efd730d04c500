"""What is odd about a video follows from its figures alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.review import quality
from pipeline.review.quality import findings, odd_ones, of_likeness

COUNT, RATE = 24, 24.0
AT_S = [at * 0.25 for at in range(COUNT)]


def plain_lines(count: int) -> dict[str, list[int]]:
    """Lines with something on each of them."""
    return {"spread": [300] * count, "level": [900] * count, "drift": [200] * count,
            "edge": [40] * (count - 2)}  # fmt: skip


def figures(**other: Any) -> dict[str, Any]:
    """Figures of a video that is as it should be, but for these."""
    return {
        "announced": 144, "frames": 144, "damaged": 0, "length_s": 6.0, "rate": RATE,
        "at_s": AT_S, "luma": [1000 + at for at in range(144)], "moved": [500] * (COUNT - 4),
        "moved_half": [10] * (COUNT - 2),
        "highest": [2300] * COUNT, "lowest": [100] * COUNT, "spread": [400] * COUNT,
        "chroma": [200] * COUNT, "lines": [plain_lines(90), plain_lines(160)],
        "sound": {"length_s": 6, "peak_db": -3.0, "mean_db": -20.0, "cut_off": 0.0}, **other,
    }  # fmt: skip


def barred(count: int, bars: int, *, edge: int = 98, level: int = 0) -> dict[str, list[int]]:
    """Lines with bars of so many lines on both sides."""
    lines = plain_lines(count)
    for at in (*range(bars), *range(count - bars, count)):
        lines["spread"][at], lines["drift"][at], lines["level"][at] = 2, 3, level
    lines["edge"][bars - 1] = lines["edge"][count - bars - 2] = edge
    return lines


def plain_inside(count: int, bars: int, *, level: int = 0) -> dict[str, list[int]]:
    """Bars, and lines of another plain level next to them."""
    lines = barred(count, bars, level=level)
    lines["spread"] = [2] * bars + [4] * 8 + lines["spread"][bars + 8 : -bars - 8] + [4] * 8
    lines["spread"] += [2] * bars
    return lines


def test_nothing_is_odd_about_most_videos() -> None:
    """Also one that begins and ends in black."""
    assert findings(figures()) == ()
    faded = [20, 20, *([2300] * 19), 50, 20, 20]
    assert findings(figures(highest=faded)) == ()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        (quality.DAMAGED, {"damaged": 1}),
        (quality.DAMAGED, {"frames": 120}),
        (quality.BLACK, {"highest": [100] * 8 + [2300] * 16}),
        (quality.BLACK, {"highest": [380] * COUNT, "spread": [9] * COUNT}),
        (quality.BLANK, {"spread": [5] * 8 + [400] * 16, "chroma": [4] * COUNT,
                         "lowest": [2290] * COUNT}),
        (quality.STILL, {"moved": [15] * 9 + [500] * 11}),
        (quality.STILL, {"moved": [75] * 9 + [500] * 11, "moved_half": [70] * 22}),
        (quality.FLICKERS, {"luma": [1000 + 60 * (at % 2) for at in range(144)]}),
        (quality.FLICKERS, {"luma": [1000 + 50 * round(math.sin(at * 1.6)) for at in range(144)]}),
        (quality.FLICKERS, {"luma": [0 if at in {40, 80} else 1000 for at in range(144)]}),
        (quality.BARS, {"lines": [barred(90, 11), plain_lines(160)]}),
        (quality.BARS, {"lines": [plain_lines(90), barred(160, 20, level=2550)]}),
        (quality.BARS, {"lines": [barred(90, 20, edge=60), barred(160, 30, edge=50)]}),
        (quality.BARS, {"lines": [barred(90, 11, edge=65), plain_lines(160)]}),  # a night inside
        (quality.BARS, {"lines": [plain_inside(90, 11), plain_lines(160)]}),
        (quality.NO_SOUND, {"sound": None}),
        (quality.SILENT, {"sound": {"peak_db": -120, "mean_db": -120, "cut_off": 0}}),
        (quality.DISTORTED, {"sound": {"peak_db": 0, "mean_db": -3, "cut_off": 0.2}}),
    ],
)  # fmt: skip
def test_each_fault_is_told_alone(name: str, other: Mapping[str, Any]) -> None:
    """And by its own name."""
    assert findings(figures(**other)) == (name,)


@pytest.mark.parametrize(
    "other",
    [
        {"moved": [15] * 5 + [500] * 15},  # it rests for a moment
        {"moved": [80] * 20, "moved_half": [40] * 22},  # it comes nearer by a hundredth
        {"moved": [5] * 20, "moved_half": [900] * 22},  # it swings, once a second
        {"highest": [100] * 7 + [2300] * 17},  # a long fade
        {"highest": [900] * COUNT, "spread": [60] * COUNT},  # a dark thing on black
        {"spread": [25] * COUNT, "chroma": [8] * COUNT, "highest": [2500] * COUNT,
         "lowest": [2200] * COUNT},  # a white thing on white
        {"luma": [1000] * 72 + [1600] * 72},  # a cut
        {"luma": [at * 15 for at in range(72)] + [1080] * 72},  # a fade
        {"luma": [1000 + round(60 * math.sin(at / 12)) for at in range(144)]},  # a light that turns
        {"lines": [barred(90, 11, edge=65, level=2500), plain_lines(160)]},
        {"lines": [barred(90, 11, edge=60), barred(160, 20, edge=60)]},  # a box on black
        {"lines": [barred(90, 11, edge=30), plain_lines(160)]},  # a round thing on a plain ground
        {"lines": [barred(90, 2), plain_lines(160)]},  # a line at the edge
        {"lines": [plain_inside(90, 11, level=2400), plain_lines(160)]},  # a band on a card
        {"luma": [500 + 25 * (at % 3) for at in range(144)]},  # a candle
        {"frames": 142},  # an edit list
    ],
)  # fmt: skip
def test_what_looks_like_a_fault_is_none(other: Mapping[str, Any]) -> None:
    """Fades, nights, dark and white products, cuts."""
    assert findings(figures(**other)) == ()


def test_a_video_that_cannot_be_decoded_is_damaged() -> None:
    """Whatever else there is to say."""
    assert findings({"recipe": 1, "fault": "the decoder crashes on it"}) == (quality.DAMAGED,)


def test_likeness_is_of_one_picture_and_says_no_more_than_it_knows() -> None:
    """A picture that was not compared says nothing."""
    seen: dict[str, dict[str, float]] = {
        "a": {"alike": 0.95, "colour": 0.9},
        "b": {"alike": 0.4, "colour": 0.1},
        "c": {"alike": 0.9, "colour": 0.5},
        "d": {},
    }
    told = [of_likeness(seen.get(one)) for one in ("a", "b", "c", "d", "e")]
    assert told == [(), (quality.OTHER_START,), (quality.OTHER_COLOUR,), (), ()]


def test_what_most_videos_have_is_odd_about_none() -> None:
    """A model without sound, or one that never begins with the picture; faults stay faults."""
    silent, fine, black = (quality.NO_SOUND,), (), (quality.BLACK, quality.NO_SOUND)
    assert odd_ones([silent, silent, black]) == [(), (), (quality.BLACK,)]
    assert odd_ones([silent, fine, fine]) == [silent, fine, fine]
    other = (quality.OTHER_START,)
    assert odd_ones([other, other, fine]) == [other, other, fine]
    assert odd_ones([other] * 4 + [fine]) == [()] * 5
    still = (quality.STILL,)
    assert odd_ones([still] * 9) == [still] * 9
    assert odd_ones([]) == []
