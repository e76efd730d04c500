"""Which texts are blank: the table, and what it means for every kind of cell."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from docs.generate import blank as generated
from pipeline.manifest.blank import is_blank, strip_blanks, trim

# U+FFF9 to U+FFFB and Egyptian format controls show something, and marks before numbers do.
_FORMATTING_THAT_SHOWS = {
    *range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD,
    *range(0xFFF9, 0xFFFC), *range(0x13430, 0x13440),
}  # fmt: skip


def test_the_module_holds_the_table_that_is_generated() -> None:
    """Nobody edits the table by hand."""
    source = generated.MODULE.read_text("utf-8")
    assert generated.refreshed(source) == source
    assert f'UNICODE_VERSION = "{generated.UNICODE_VERSION}"' in source


def test_the_table_is_what_python_knows_of_unicode() -> None:
    """White space and formatting characters are those of `unicodedata`, of any version."""
    blank = {point for first, last in generated.ranges() for point in range(first, last + 1)}
    for point in range(sys.maxunicode + 1):
        char = chr(point)
        if unicodedata.category(char) == "Cf":
            assert (point in blank) == (point not in _FORMATTING_THAT_SHOWS), hex(point)
        elif unicodedata.category(char) in {"Zs", "Zl", "Zp"}:
            assert point in blank
        elif point in blank:
            named = unicodedata.name(char, "")
            assert char.isspace() or not named or any(
                word in named for word in ("FILLER", "VARIATION SELECTOR", "JOINER", "INHERENT",
                                           "BRAILLE PATTERN BLANK")
            ), named  # fmt: skip
        assert is_blank(char) == (point in blank or char.isspace())


@pytest.mark.parametrize("text", ["", " ", "\u200e", "\u2066\u2069", "\ufe0f", "\u3164\u2800 \n"])
def test_blank_texts_say_nothing(text: str) -> None:
    """A blank text is empty, whatever it is made of."""
    assert is_blank(text)
    assert strip_blanks(text) == ""


@pytest.mark.parametrize("text", ["a", "\u2764\ufe0f", "a\u200eb", "\u0600", "\x01", "."])
def test_other_texts_keep_what_cannot_be_seen(text: str) -> None:
    """Nothing inside of a text is taken out, and of its ends only what always was."""
    assert not is_blank(text)
    assert strip_blanks(text) == trim(text) == text
    assert strip_blanks(f" \u200b{text}\u200e") == f"{text}\u200e"
