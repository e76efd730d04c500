"""Doubles between articles: the same file, or videos that look alike."""

from __future__ import annotations

from pipeline.review.doubles import Seen, look_alikes, same_files

BITS = int("f0" * 96, 16)
TONES = (10, 20, 10, 20, 10, 20)


def take(article: str, sha256: str = "", bits: int = BITS, tones: tuple[int, ...] = TONES) -> Seen:
    """A take of an article, asked for in its own words."""
    return Seen(article, f"a {article}", sha256 or article, bits, tones)


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
