"""The spellings of one request: the same text, saved by another program, or the same model.

An editor, Git or a spreadsheet program saves line breaks in cells as LF, CRLF or CR, and accented
letters in one character (NFC) or in two (NFD). A request is sent, and hashed, as the row writes it.
But whoever asks whether a row was edited, or whether its request was bought before, must take all
spellings for one, or the same video is paid for again. That goes for prompts alone: another address
of a picture may be another picture. A text of ASCII without line breaks has one spelling.

The provider writes the name of its model with `_` on one page and with `-` on another, and takes
both (docs/contract.md, "Models"): they are one model, and one video.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.checker.rules import Form, request_hash
from pipeline.model import Request

_BREAK = re.compile(r"\r\n?")


def content_of(request: Request) -> str:
    """Return what all spellings of a request have in common: the hash of one of them."""
    prompt, model = request.prompt, request.model.replace("-", "_")
    if "\r" not in prompt and (prompt.isascii() or unicodedata.is_normalized("NFC", prompt)):
        if model == request.model or not prompt:  # without a prompt it is one that nobody knows
            return request.request_hash
        return _hash_with(request, prompt, model)
    return _hash_with(request, unicodedata.normalize("NFC", _BREAK.sub("\n", prompt)), model)


def same_content(one: Request, other: Request) -> bool:
    """Return whether two requests are one, however their texts are spelled."""
    return one.request_hash == other.request_hash or content_of(one) == content_of(other)


def spellings_of(request: Request) -> tuple[str, ...]:
    """Return the hashes that a request may have been bought under, its own first."""
    pairs = [
        (text, model)
        for model in _models(request.model)
        for text in _texts(request.prompt)
        if (text, model) != (request.prompt, request.model)
    ]
    return (request.request_hash, *(_hash_with(request, *pair) for pair in pairs))


def _models(model: str) -> Iterable[str]:
    return dict.fromkeys((model, model.replace("-", "_"), model.replace("_", "-")))


def _texts(prompt: str) -> Iterable[str]:
    if prompt.isascii() and "\n" not in prompt and "\r" not in prompt:
        return (prompt,)
    texts: dict[str, None] = {}
    for text in (prompt, *(unicodedata.normalize(form, prompt) for form in ("NFC", "NFD"))):
        plain = _BREAK.sub("\n", text)
        broken = (plain.replace("\n", other) for other in ("\r\n", "\r"))
        texts |= dict.fromkeys((text, plain, *broken))
    return texts


def _hash_with(request: Request, prompt: str, model: str) -> str:
    form = Form(request.duration, request.aspect_ratio, request.resolution)
    return request_hash(prompt, request.images, form, model)
