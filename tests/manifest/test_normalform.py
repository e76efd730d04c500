"""Normal forms: those of the library, in time that does not grow with the square of the text."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.manifest.normalform import is_in_normal_form, to_normal_form

if TYPE_CHECKING:
    from pipeline.manifest.normalform import Form

# Marks of several classes, letters that come apart into marks, and into a letter with marks.
MARKS = "\u0301\u0323\u0344\u0f71\u0f73\u0f75\u0f81\u3099\uff9e\uff9f\u0345\u05b0\u0e38\U0001d165"
OTHERS = "aA\u00e4\u1e69\u212b\u00b4\ufb2a\ufdfa\uac00\u1100\u1161\u11a8 \n\u200d"
TEXTS = st.lists(st.text(st.sampled_from(MARKS + OTHERS), max_size=40), max_size=12).map("".join)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC"])
@given(text=TEXTS, times=st.sampled_from([1, 7, 60]))
def test_it_is_that_of_the_library(form: Form, text: str, times: int) -> None:
    """Whatever marks follow each other: no key and no request becomes another."""
    text *= times
    assert to_normal_form(form, text) == unicodedata.normalize(form, text)
    assert is_in_normal_form(form, text) == unicodedata.is_normalized(form, text)


@pytest.mark.parametrize(
    ("form", "pair"),
    [
        ("NFC", "\u0301\u0323"),
        ("NFD", "\u0301\u0323"),
        ("NFC", "\u0344\u0f73"),
        ("NFKC", "\uff9e\u0301"),
    ],
)
def test_no_run_of_marks_reaches_the_library_out_of_order(
    form: Form, pair: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There each mark would be exchanged with all before it: hours, for a table of such texts."""
    given_to: list[str] = []
    library = unicodedata.normalize

    def normalize(form: Form, text: str) -> str:
        given_to.append(text)
        return library(form, text)

    monkeypatch.setattr(unicodedata, "normalize", normalize)
    to_normal_form(form, "a" + pair * 16_000 + "b")
    classes = [unicodedata.combining(sign) for sign in given_to[-1][1:-1]]
    assert classes == sorted(classes)
