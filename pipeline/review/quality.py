"""What is odd about a video, told from its figures: pure, so that rules change without decoding.

These verdicts sort, and decide nothing. Levels of brightness are from 0 to 255.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Figures: TypeAlias = Mapping[str, Any]
"""What was measured of a video; see `downloader.filmfigures`."""

DAMAGED, BLACK, BLANK, STILL = "damaged", "black", "blank", "stands still"
FLICKERS, BARS = "flickers", "bars"
NO_SOUND, SILENT, DISTORTED = "no sound", "silent", "distorted"
OTHER_START, OTHER_COLOUR = "does not begin with the picture", "colour differs"
OF_CARDS = frozenset({STILL, SILENT, NO_SOUND, OTHER_START, OTHER_COLOUR})
"""What is true of the cards with text that a rehearsal shows, and says nothing."""
_SHARED = {NO_SOUND: 1, SILENT: 1, OTHER_START: 5}
"""What is the way of a model, and odd about none, where more than half of so many have it."""

_A_THIRD, _HALF = 1 / 3, 0.5
_DARK = ((12.0, math.inf), (26.0, 3.0), (40.0, 1.5))
"""Dark is what nowhere is brighter than this, with a spread below that."""
_PLAIN, _PLAIN_COLOUR, _PLAIN_RANGE = 3.0, 2.5, 16.0
_UNMOVED, _UNMOVED_OR_NOISE, _NOISE_GROWS = 20, 80, 1.35
"""In hundredths; what is more than the first is still only if it does not grow with time."""
_UNMOVED_SHARE, _UNMOVED_S = 0.38, 1.5
_FLASH_S = 0.17
_FLASHES = ((12.0, 2), (3.5, 5))
"""How bright, and how many: a few hard ones, or more soft ones. Those of a candle are softer."""
_SAME_LEVEL, _SAME_LINE, _BAR_DRIFT = 6.0, 1.5, 4.0
_STRAIGHT_IN_THE_DARK = 60.0
_LEAST_BAR, _MOST_BARS, _STRAIGHT, _INSIDE, _DARK_BAR = 0.03, 0.85, 85.0, 3.0, 30.0
_LOST_FRAMES = 2
_SILENT_PEAK_DB, _SILENT_MEAN_DB = -50.0, -60.0
_CUT_OFF = 0.01
_ALIKE, _SAME_COLOUR = 0.87, 0.82


def findings(figures: Figures) -> tuple[str, ...]:
    """Return what is odd about a video by itself, the gravest first."""
    if "fault" in figures:
        return (DAMAGED,)
    found = [DAMAGED] if _is_damaged(figures) else []
    shown = _of_light(figures)
    found += shown
    if _flickers(figures["luma"], figures["rate"]):
        found.append(FLICKERS)
    if BLACK not in shown and BLANK not in shown and _has_bars(figures["lines"]):
        found.append(BARS)
    found += _of_sound(figures["sound"])
    return tuple(found)


def odd_ones(all_findings: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the findings without those that are the way of most of these videos."""
    counts = Counter(itertools.chain.from_iterable(all_findings))
    total = len(all_findings)
    usual = {name for name, least in _SHARED.items() if total >= least and counts[name] * 2 > total}
    return [tuple(one for one in found if one not in usual) for found in all_findings]


def _is_damaged(figures: Figures) -> bool:
    lost = figures["announced"] - figures["frames"]
    return bool(figures["damaged"]) or lost > _LOST_FRAMES


def _of_light(figures: Figures) -> list[str]:
    """Tell black and blank videos, and those that stand still."""
    highest, lowest = _levels(figures["highest"]), _levels(figures["lowest"])
    spread, chroma = _levels(figures["spread"]), _levels(figures["chroma"])
    count = len(highest)
    dark = [
        any(high < most and even < evenly for most, evenly in _DARK)
        for high, even in zip(highest, spread, strict=True)
    ]
    plain = [
        not black and even < _PLAIN and colour < _PLAIN_COLOUR and high - low < _PLAIN_RANGE
        for black, even, colour, high, low in zip(
            dark, spread, chroma, highest, lowest, strict=True
        )
    ]
    found = []
    if sum(dark) >= count * _A_THIRD:
        found.append(BLACK)
    if sum(plain) >= count * _A_THIRD:
        found.append(BLANK)
    if not found and _stands_still(figures):
        found.append(STILL)
    return found


def _levels(tenths: Iterable[int]) -> list[float]:
    return [one / 10 for one in tenths]


def _stands_still(figures: Figures) -> bool:
    """Tell whether nothing moves for a large part of the video."""
    moved, at_s = figures["moved"], figures["at_s"]
    still = _still_samples(moved, figures["moved_half"])
    apart, unmoved_s, at = len(at_s) - len(moved), 0.0, 0
    for unmoved, run in itertools.groupby(still):
        end = at + sum(1 for _ in run)
        # Each sample stands for what is up to the next one.
        lasts_s = at_s[end - 1 + apart] - at_s[at] + at_s[1]
        if unmoved and lasts_s >= _UNMOVED_S:
            unmoved_s += lasts_s
        at = end
    return unmoved_s >= max(_UNMOVED_S, _UNMOVED_SHARE * float(figures["length_s"]))


def _still_samples(moved: Sequence[int], halves: Sequence[int]) -> list[bool]:
    """Return of each sample whether what it shows is still shown for a second.

    `halves` are the same for half a second: two of them lie in each second.
    """
    between = len(halves) - len(moved)
    still = []
    for at, one in enumerate(moved):
        half = max(halves[at], halves[at + between])
        most = max(one, half)
        is_noise = most < _UNMOVED_OR_NOISE and one <= _NOISE_GROWS * half
        still.append(most < _UNMOVED or is_noise)
    return still


def _flickers(luma: Sequence[int], rate: float) -> bool:
    """Tell whether the brightness goes up and back again within moments, several times.

    A cut goes up and stays; a fade and a move take longer.
    """
    depths = list(_flashes(_levels(luma), max(1, math.ceil(rate * _FLASH_S))))
    return any(sum(depth >= least for depth in depths) >= many for least, many in _FLASHES)


def _flashes(luma: Sequence[float], reach: int) -> Iterator[float]:
    """Yield by how much each film frame, or few together, stand out from what is around them."""
    before, deepest = 0, 0.0
    for at in range(1, len(luma) - 1):
        side, depth = _stands_out(luma, at, reach)
        if side != before and deepest:
            yield deepest
            deepest = 0.0
        before = side
        deepest = max(deepest, depth)
    if deepest:
        yield deepest


def _stands_out(luma: Sequence[float], at: int, reach: int) -> tuple[int, float]:
    """Return whether a film frame is brighter (1) or darker (-1) than those around, and how far."""
    side, depth = 0, 0.0
    for apart in range(1, min(reach, at, len(luma) - 1 - at) + 1):
        left, right = luma[at] - luma[at - apart], luma[at] - luma[at + apart]
        if left * right > 0 and (least := min(abs(left), abs(right))) > depth:
            side, depth = (1 if left > 0 else -1), least
    return side, depth


def _has_bars(lines: Sequence[Mapping[str, Sequence[int]]]) -> bool:
    """Tell whether plain lines on both sides end at a straight edge."""
    down, across = lines
    high, wide = _bars(down), _bars(across)
    return (high != (0, 0) and _ends_straight(down, high, _part_between(across, wide))) or (
        wide != (0, 0) and _ends_straight(across, wide, _part_between(down, high))
    )


def _part_between(lines: Mapping[str, Sequence[int]], bars: tuple[int, int]) -> float:
    return 1 - sum(bars) / len(lines["level"])


def _bars(lines: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    """Return how many lines on either side are plain, all of one level that does not change.

    None where they are not alike on both sides, too few, or nearly all.
    """
    level = lines["level"]
    plain = [
        spread < _SAME_LINE * 10 and drift < _BAR_DRIFT * 10
        for spread, drift in zip(lines["spread"], lines["drift"], strict=True)
    ]
    count = len(level)

    def run(places: Sequence[int]) -> int:
        first = level[places[0]]
        taken = itertools.takewhile(
            lambda at: plain[at] and abs(level[at] - first) < _SAME_LEVEL * 10 / 2, places
        )
        return sum(1 for _ in taken)

    first, last = run(range(count)), run(range(count - 1, -1, -1))
    even = max(first, last) <= 1.5 * min(first, last) + 2
    alike = even and abs(level[0] - level[-1]) < _SAME_LEVEL * 10
    enough = min(first, last) >= _LEAST_BAR * count and first + last <= _MOST_BARS * count
    return (first, last) if alike and enough else (0, 0)


def _ends_straight(lines: Mapping[str, Sequence[int]], bars: tuple[int, int], inner: float) -> bool:
    """Tell whether the bars end where the picture begins, along all of its side.

    `inner` is the part of the line that lies between the bars of the other direction, if any.
    """
    first, last = bars
    count = len(lines["level"])
    is_dark = max(lines["level"][0], lines["level"][-1]) < _DARK_BAR * 10
    # What fills less of the other direction is a thing on a plain ground.
    needed = _STRAIGHT * (inner if inner >= _HALF else 1)
    if is_dark and inner == 1:  # what is dark along the edge cannot be told from the bar
        needed = _STRAIGHT_IN_THE_DARK
    begins = max(lines["edge"][max(0, first - 2) : first + 1])
    ends = max(lines["edge"][count - last - 3 : count - last])
    inside = lines["spread"][first + 2], lines["spread"][count - last - 3]
    # Plain lines inside are those of a band on a card, or of a plain ground between dark bars.
    return min(begins, ends) >= needed and (is_dark or min(inside) >= _INSIDE * 10)


def _of_sound(sound: Mapping[str, float] | None) -> list[str]:
    if sound is None:
        return [NO_SOUND]
    if sound["peak_db"] < _SILENT_PEAK_DB and sound["mean_db"] < _SILENT_MEAN_DB:
        return [SILENT]
    return [DISTORTED] if sound["cut_off"] >= _CUT_OFF else []


def of_likeness(likeness: Mapping[str, float] | None) -> tuple[str, ...]:
    """Tell of a video and its picture what can be told: never that it shows another product.

    `likeness` is how far they are alike; None if they were not compared.
    """
    if not likeness or "alike" not in likeness:
        return ()
    if likeness["alike"] < _ALIKE:
        return (OTHER_START,)
    return (OTHER_COLOUR,) if likeness["colour"] < _SAME_COLOUR else ()
