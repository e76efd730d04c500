"""Control characters leave a prompt on its way out, and nothing else does."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from pipeline.manifest.blank import has_controls, without_controls

CONTROLS = [chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n)) == "Cc"]


def test_every_control_character_but_tabs_and_line_breaks() -> None:
    """By Unicode's own list of them."""
    for sign in CONTROLS:
        kept = sign in "\t\n\r"
        assert has_controls(f"a {sign} b") is not kept
        assert without_controls(f"a {sign} b") == (f"a {sign} b" if kept else "a  b")
        assert without_controls(f"{sign}mug") == (f"{sign}mug" if kept else "mug")


@pytest.mark.parametrize(
    "sign", ["\u200b", "\u200e", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u2028"]
)
def test_what_is_invisible_stays(sign: str) -> None:
    """It belongs to a script, or was meant."""
    assert without_controls(f"a{sign}b") == f"a{sign}b"


def test_words_stay_apart() -> None:
    """A break of another program is a line break."""
    assert without_controls("a mug\x0bturns\x0c\x85here") == "a mug\nturns\nhere"
    assert without_controls("\x00\x07") == ""
