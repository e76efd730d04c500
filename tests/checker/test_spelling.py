"""Spellings: what another program saves is the same request, and what a person edits is not."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.checker.rules import Form, content_of, request_hash, same_content, spellings_of
from pipeline.model import Request

TEXTS = st.text(st.sampled_from("ab \n\r\u00e9\u00fc\u0301\u0308\uac00\u1112\u212b\u6f22"))
"""Letters of one and of several characters, marks without a letter, every kind of line break."""


def request(prompt: str, *images: str, duration: int = 6, model: str = "m") -> Request:
    made = request_hash(prompt, images, Form(duration, "16:9", "720P"), model)
    return Request(prompt, images, duration, "16:9", "720P", model, made)


def resaved(text: str, form: str, line_break: str) -> str:
    """A text as another program saves it."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    match form:
        case "NFC" | "NFD":
            plain = unicodedata.normalize(form, plain)
    return plain.replace("\n", line_break)


@given(TEXTS, st.sampled_from(["as it is", "NFC", "NFD"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_another_program_changes_no_content(text: str, form: str, line_break: str) -> None:
    """And what it makes of a text can be asked for from the text, and the other way round."""
    first, second = request(text, "u"), request(resaved(text, form, line_break), "u")
    assert same_content(first, second)
    assert content_of(first) == content_of(second)
    assert spellings_of(first)[0] == first.request_hash
    assert second.request_hash in spellings_of(first)
    if resaved(text, "NFC", "\n") == text or resaved(text, "NFD", "\n") == text:
        assert first.request_hash in spellings_of(second)


@given(TEXTS, TEXTS)
def test_an_edit_is_another_request(one: str, other: str) -> None:
    """Two texts have the same content if a program makes the one of the other, else never."""
    same = resaved(one, "NFC", "\n") == resaved(other, "NFC", "\n")
    first, second = request(one), request(other)
    assert same_content(first, second) == same
    assert same or set(spellings_of(first)).isdisjoint(spellings_of(second))
    assert not same_content(first, request(one, duration=4))
    assert not same_content(first, request(one, "u"))
    assert not same_content(request(one, "caf\u00e9.jpg"), request(one, "cafe\u0301.jpg"))


def test_a_plain_text_has_one_spelling() -> None:
    """It costs nothing: no other hash is made or asked for."""
    plain = request("a mug, 100 % cotton")
    assert spellings_of(plain) == (plain.request_hash,)
    assert content_of(replace(plain, request_hash="its own")) == "its own"
    assert len(spellings_of(request("a caf\u00e9"))) == 2
    assert len(spellings_of(request("one\ntwo"))) == 3
    assert len(spellings_of(request("a caf\u00e9\ntwo"))) == 6
    assert len(spellings_of(request("\u6f22\u5b57"))) == 1


@given(TEXTS, st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_name_of_a_model_has_two_spellings(text: str, line_break: str) -> None:
    """The provider writes it with either mark on its pages; another model is another video."""
    first = request(text, model="gemini_omni_flash")
    second = request(resaved(text, "NFC", line_break), model="gemini-omni-flash")
    assert same_content(first, second) == (bool(text) or first == second)
    assert second.request_hash in spellings_of(first)
    other = request(text, model="gemini-omni")
    assert not same_content(first, other)
    assert set(spellings_of(first)).isdisjoint(spellings_of(other))


def test_a_request_that_nobody_knows_is_like_no_other() -> None:
    """One whose row was edited has no prompt, and a hash of its own."""
    unknown = replace(request("", model="gemini-omni-flash"), request_hash="unknown rs-1")
    assert content_of(unknown) == "unknown rs-1"


def test_addresses_that_were_once_sent_as_one_are_the_same_pictures() -> None:
    """What was bought when a comma did not part them is not bought again now that it does."""
    parted = [f"https://shop.example.com/{name}.jpg" for name in "abc"]
    before, now = request("a mug", ",".join(parted)), request("a mug", *parted)
    assert before.request_hash != now.request_hash
    assert same_content(before, now)
    assert content_of(before) == content_of(now) == now.request_hash
    assert not same_content(before, request("a mug", *parted[:1]))
    comma = request("a mug", "https://shop.example.com/a,b.jpg")
    assert content_of(comma) == comma.request_hash


def test_control_characters_are_no_edit() -> None:
    """They are not sent: a row was bought with them or without, and is known by either."""
    written, sent = request("a \x07mug\x0bturns\r\nhere"), request("a mug\nturns\nhere")
    assert written.request_hash != sent.request_hash
    assert same_content(written, sent)
    assert content_of(written) == content_of(sent) == sent.request_hash
    assert spellings_of(written)[0] == written.request_hash
    assert sent.request_hash in spellings_of(written)
    assert not same_content(request("a\u200bmug"), request("amug"))
