"""The looks: each has words for rows with three pictures, one and none, and invents no side."""

from __future__ import annotations

import re

import pytest

from pipeline.manifest.videolooks import Library, LooksFault, built_in, read_looks

LOOKS = built_in()


def test_the_library() -> None:
    """Eight to twelve looks, each with a sentence about it and short words; none twice."""
    assert 8 <= len(LOOKS.looks) <= 12
    assert {"turntable", "hero push-in", "slow pan", "macro detail", "in use", "on model"} <= set(
        LOOKS.names
    )
    assert {"lifestyle", "flat lay", "unboxing"} <= set(LOOKS.names)
    wordings = [words for look in LOOKS.looks.values() for words in look.wordings]
    assert len(set(wordings)) == len(wordings)
    assert not any(one in other for one in wordings for other in wordings if one is not other)
    assert all(look.about for look in LOOKS.looks.values())
    assert all(100 < len(words) < 400 for words in wordings)
    assert len(",".join(LOOKS.names)) <= 255  # of a list in a cell


@pytest.mark.parametrize("name", LOOKS.names)
def test_pictures_are_kept(name: str) -> None:
    """With pictures no words ask for another background or a side that none shows."""
    look = LOOKS.find(name)
    assert look is not None
    for count in (1, 3):
        words = look.for_pictures(count)
        assert not re.search(r"plain background|clean|white background|studio", words)
        assert "picture" in words
    assert not re.search(r"\b(?:turns|rotates|axis|around it)\b", look.for_pictures(1)) or (
        "no further than the picture" in look.for_pictures(1)
        or "by a few degrees" in look.for_pictures(1)
    )
    assert "picture" not in look.for_pictures(0)


def test_names_in_any_spelling() -> None:
    """Case and joints do not matter, and a slip is answered with the name."""
    assert LOOKS.find("Hero Push In") is LOOKS.find("hero push-in")
    assert LOOKS.find("trntable") is None
    assert LOOKS.nearest("trntable") == "turntable"
    assert LOOKS.nearest("42") is None


@pytest.mark.parametrize(
    ("about", "pictures", "name"),
    [
        ("Mugs", 1, "hero push-in"),
        ("Mugs", 3, "turntable"),
        ("Mugs", 0, "hero push-in"),
        ("Schmuck Ohrringe", 3, "light sweep"),
        ("Apparel T-Shirt", 1, "slow pan"),
        ("Teppich Berber", 1, "macro detail"),
        ("Schreibtischleuchte Arc", 1, "slow pan"),
        ("Wool Rugs", 1, "macro detail"),
        ("", 1, "hero push-in"),
    ],
)
def test_the_look_of_a_type(about: str, pictures: int, name: str) -> None:
    """It follows the type; what is not known turns only if pictures show its sides."""
    assert LOOKS.default(about, pictures).name == name


def test_words_in_a_prompt() -> None:
    """They come to its end; those of another look, or for other pictures, are replaced."""
    turntable, pan = LOOKS.looks["turntable"], LOOKS.looks["slowpan"]
    one = LOOKS.put_into("A mug.", turntable, 1)
    assert one == f"A mug. {turntable.one_picture}"
    assert LOOKS.put_into(one, turntable, 1) == one
    assert LOOKS.put_into(f"{one} Calm.", pan, 3) == f"A mug. {pan.words} Calm."
    assert LOOKS.put_into(one, turntable, 3) == f"A mug. {turntable.words}"


def test_looks_of_ones_own() -> None:
    """They are read in the same form; one of a built-in name counts instead of it."""
    own = read_looks('["Our wall"]\nwords = """Before our\nbrick wall."""\n[turntable]\nwords="x"')
    both = LOOKS.joined(own)
    look = both.find("our_wall")
    assert look is not None
    assert look.for_pictures(1) == "Before our brick wall."
    assert both.looks["turntable"].words == "x"
    assert len(both.looks) == len(LOOKS.looks) + 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not TOML"),
        ("a = 1", "outside of a look"),
        ("[x]\nabout = 'y'", 'no "words"'),
        ("[x]\nword = 'y'", 'did you mean "words"'),
        ("[x]\nzzz = 'y'", "a look has about, words"),
        ("[x]\nwords = 3", "not a text"),
        ("[x]\nwords = ' '", "not a text"),
        ("[x]\nwords = 'y'\nearlier = 'z'", "not a list"),
        (f"[x]\nwords = '{'y' * 3000}'", "2,000 characters"),
        ("['?']\nwords = 'y'", "with a letter"),
        ("['a b']\nwords = 'y'\n[a_b]\nwords = 'y'", "same name"),
    ],
)
def test_what_is_no_look(text: str, said: str) -> None:
    """Each mistake is a sentence."""
    with pytest.raises(LooksFault, match=re.escape(said)):
        read_looks(text)


def test_an_empty_library() -> None:
    """A file without looks adds none."""
    assert read_looks("") == Library()
