"""HTML descriptions as plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.plaintext import plain_text, sentence


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("Plain,\r\n  broken over lines", "Plain, broken over lines"),
        ("<p>One.</p><p>Two</p>", "One. Two"),
        ("One<br>Two<br/>Three", "One; Two; Three"),
        ("a <b>bold</b>er word", "a bolder word"),
        ("<ul>\n<li>100% wool</li>\n<li>Wash cold</li>\n</ul>", "100% wool; Wash cold"),
        ("Fish &amp; chips&nbsp;&#8364;5", "Fish & chips \u20ac5"),
        ("<style>p{color:red}</style>Shown<script>alert('<p>no</p>')</script>", "Shown"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<!-- hidden -->Seen", "Seen"),
        ("<p>never closed", "never closed"),
    ],
)
def test_what_a_person_reads(html: str, text: str) -> None:
    """The text of a description as one line, its parts told apart."""
    assert plain_text(html) == text


@given(st.text(alphabet="<>/&;!-abp \n\"'="))
def test_anything_goes_in(text: str) -> None:
    """No markup, however broken, raises, and the text is one line."""
    assert "\n" not in plain_text(text)


def test_a_sentence_ends_once() -> None:
    """A full stop is added where no mark is."""
    assert sentence(" A mug ") == "A mug."
    assert sentence("A mug!") == "A mug!"
    assert sentence(" ") == ""
