"""HTML descriptions as plain text, and texts that a spreadsheet could run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.plaintext import guard, plain_text, sentence, unguard


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
        ("<b " * 60 + "words", "<b " * 60 + "words"),
        ("\ufdd0" + "<b " * 60 + "words", "\ufdd0" + "<b " * 60 + "words"),
        ("<!--" * 60 + "words", "<!--" * 60 + "words"),
        ("<![ 20 % off ]>&lt;b", "<![ 20 % off ]><b"),
        ("&amp;lt;<![ 20 % ]>", "&lt;<![ 20 % ]>"),
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


@pytest.mark.parametrize("start", list("=+-@\t\r\uff1d\uff0b\uff0d\uff20"))
def test_what_could_run_is_guarded(start: str) -> None:
    """A starter of a formula gets a leading apostrophe."""
    assert guard(start + "A1") == f"'{start}A1"


def test_harmless_text_stays() -> None:
    """Nothing else is touched, except that a leading apostrophe is doubled."""
    assert [guard(text) for text in ("", "a=1", "'x")] == ["", "a=1", "''x"]


@pytest.mark.parametrize("number", ["-5", "+4.5", "-0,75", "-10%", "+49 170 1234567"])
def test_numbers_are_data(number: str) -> None:
    """A negative number or a telephone number runs nothing, and stays as it is."""
    assert guard(number) == number
    assert guard(f"{number}-1") == f"'{number}-1"


@given(st.text(alphabet="'=+-@\t\r\n ab\uff1d") | st.text())
def test_unguard_undoes_guard(text: str) -> None:
    """Every text comes back exactly."""
    assert unguard(guard(text)) == text
