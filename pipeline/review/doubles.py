"""Which videos of different articles are one and the same, or look alike: pure.

Alike are videos that get darker from left to right in the same places, at three moments, in much
the same colours. Pictures with hardly anything on them are like any other such picture: they say
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

_BITS = 768
_MOST_APART, _MOST_APART_SHARE = 40, 0.2
"""Of 3 x 256 bits, and of those that are set in either."""
_LEAST_SET = 60
_COLOUR_APART = 60
"""In tenths of a level."""
_MOST_COMPARED = 6_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A take, by what it can be known again.

    `article` is its row, `asked` what was asked for: what was made of the same request may be the
    same. `bits` are the hashes of the figures as a number, `tones` the colours of its middle.
    """

    article: str
    asked: object
    sha256: str
    bits: int
    tones: tuple[int, ...]


def same_files(seen: Sequence[Seen]) -> dict[int, int]:
    """Return, for each take whose very file another article has, which take that is."""
    by_file: defaultdict[str, list[int]] = defaultdict(list)
    for index, one in enumerate(seen):
        by_file[one.sha256].append(index)
    return {
        index: other
        for places in by_file.values()
        if len(places) > 1
        for index in places
        if (other := next(_others(seen, index, places), None)) is not None
    }


def look_alikes(
    seen: Sequence[Seen], pairs: Callable[[Sequence[int], int], Iterable[tuple[int, int]]]
) -> dict[int, int]:
    """Return, for each take that looks like one of another article, which take that is.

    Of more takes than can be compared with each other in a moment, the first ones are.

    Args:
        seen: the takes.
        pairs: finds the pairs of numbers that differ in so many bits at most.

    """
    told = [
        index
        for index, one in enumerate(seen[:_MOST_COMPARED])
        if one.bits.bit_count() >= _LEAST_SET and one.bits.bit_length() <= _BITS
    ]
    found: dict[int, int] = {}
    for one, two in pairs([seen[index].bits for index in told], _MOST_APART):
        index, other = told[one], told[two]
        apart = (seen[index].bits ^ seen[other].bits).bit_count()
        if _alike(seen[index], seen[other], apart):
            found[index] = min(other, found.get(index, other))
            found[other] = min(index, found.get(other, index))
    return found


def _alike(one: Seen, other: Seen, apart: int) -> bool:
    near = all(
        abs(left - right) <= _COLOUR_APART
        for left, right in zip(one.tones, other.tones, strict=False)
    )
    together = (one.bits | other.bits).bit_count()
    return near and apart <= _MOST_APART_SHARE * together and _differ(one, other)


def _differ(one: Seen, other: Seen) -> bool:
    """Return whether two takes should differ: they are of two articles, and of two requests."""
    return one.article != other.article and one.asked != other.asked


def _others(seen: Sequence[Seen], index: int, places: Sequence[int]) -> Iterator[int]:
    return (one for one in places if _differ(seen[index], seen[one]))
