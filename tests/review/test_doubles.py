"""Doubles between articles: the same file, or videos that look alike."""

from __future__ import annotations

import random

import pytest

from pipeline.review import doubles, nearness
from pipeline.review.doubles import Seen, same_files
from pipeline.review.nearness import near_pairs

BITS = int("f0" * 96, 16)
TONES = (10, 20, 10, 20, 10, 20)


def take(article: str, sha256: str = "", bits: int = BITS, tones: tuple[int, ...] = TONES) -> Seen:
    """A take of an article, asked for in its own words."""
    return Seen(article, f"a {article}", sha256 or article, bits, tones)


def look_alikes(takes: list[Seen]) -> dict[int, int]:
    return doubles.look_alikes(takes, near_pairs)


def test_the_same_file_at_two_articles() -> None:
    """Two takes of one article may be the same, and so may what the same request has made."""
    takes = [take("a", "x"), take("b", "x"), take("b", "y"), take("c", "y")]
    assert same_files(takes) == {0: 1, 1: 0, 2: 3, 3: 2}
    one = take("d", "z")
    again = Seen("e", one.asked, "z", BITS, TONES)
    assert same_files([one, again, take("d", "z")]) == {}


def test_videos_that_look_alike() -> None:
    """Up to 40 of 768 bits apart, in the same colours, and with something to see on them."""
    near, far = BITS ^ ((1 << 40) - 1), BITS ^ ((1 << 41) - 1)
    assert look_alikes([take("a"), take("b", bits=near)]) == {0: 1, 1: 0}
    assert look_alikes([take("a"), take("b", bits=far)]) == {}
    assert look_alikes([take("a"), take("b", tones=(90, *TONES[1:]))]) == {}
    assert look_alikes([take("a"), take("a")]) == {}
    plain = (1 << 50) - 1
    assert look_alikes([take("a", bits=plain), take("b", bits=plain)]) == {}
    few = (1 << 100) - 1
    assert look_alikes([take("a", bits=few), take("b", bits=few << 20)]) == {}


def test_the_first_of_several_is_named() -> None:
    """All of them look alike."""
    assert look_alikes([take("a"), take("b"), take("c")]) == {0: 1, 1: 0, 2: 0}


def test_many_are_compared_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same pairs, whichever way is quicker; a number that is none of ours says nothing."""
    chance = random.Random(5)
    numbers = [chance.getrandbits(768) for _ in range(60)]
    for number in numbers[:30]:
        flipped = chance.sample(range(768), chance.randrange(30, 50))
        numbers.append(number ^ sum(1 << at for at in flipped))
    few = [*near_pairs(numbers, 40)]
    assert 5 < len(few) < 30
    monkeypatch.setattr(nearness, "_FEW", 1)
    assert [*near_pairs(numbers, 40)] == few
    assert look_alikes([take("a", bits=BITS << 800), take("b", bits=BITS << 800)]) == {}
