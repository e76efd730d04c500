"""What an error code of the provider is about, and how a sentence tells it: ours first, then its.

The provider writes its messages in four languages, so only its codes are read. A message without a
blank is a code as well: some answers have no other.

Tested in tests/test_refusals.py.
"""

from __future__ import annotations

import re
from enum import Enum


class About(Enum):
    """What a refusal, or the failure of a task, is about."""

    VIDEO = "the finished video"
    SETTING = "a setting, or the rights of the key"
    CREDIT = "the money of the account"
    CONTENT = "what the row asks for"
    PICTURE = "a picture"
    PASSING = "a trouble of the provider that passes"


WORDS: tuple[tuple[About, tuple[str, ...]], ...] = (
    (About.VIDEO, ("no_video_url", "unusable_video_url", "task_gone")),
    (About.SETTING, ("model_not_found",)),
    (
        About.CONTENT,
        (
            "moderation",
            "policy",
            "violation",
            "safety",
            "sensitive",
            "prohibited",
            "inappropriate",
            "nsfw",
            "copyright",
            "content_filter",
            "invalid_prompt",
        ),
    ),
    (About.PICTURE, ("picture", "image", "upload")),
    (About.SETTING, ("permission", "forbidden", "unauthorized", "access")),
    (About.CREDIT, ("quota", "balance", "insufficient", "payment", "credit")),
    (
        About.PASSING,
        ("timeout", "overload", "busy", "unavailable", "internal", "server", "upstream"),
    ),
)
"""What a code is about that contains one of these words; the first match counts."""

_ALWAYS_REFUSED = frozenset({About.CONTENT})
_CHECK_FAILED = ("timeout", "unavailable", "overload")
"""Said of the check itself, which passes, and not of the content."""

_CAUSES = {
    About.VIDEO: "it has no video that can be fetched",
    About.SETTING: "the key may not do this, or does not know the model",
    About.CREDIT: "the account has too little credit",
    About.CONTENT: "its rules do not allow the prompt or a picture",
    About.PICTURE: "it cannot use a picture of the row",
    About.PASSING: "it had a trouble of its own that passes",
}
_CAUSES_BY_STATUS = {
    403: "the key may not do this",
    404: "it finds nothing at the address of the call, or does not know the model",
    413: "the prompt or a picture is too large for it",
}
_WRONG_REQUEST = frozenset({400, 404, 413, 422})
_REST = re.compile(r"[^0-9a-z]+")
NO_REASON = "the provider gives no reason"
"""Kept as the message of a task that failed without any."""


def _folded(code: str) -> str:
    """Return a code in small letters and digits alone: ContentPolicy, content-policy are one."""
    return _REST.sub("", code.casefold())


def about(code: str | None) -> About | None:
    """Return what an error code is about; None if its words are not known."""
    folded = _folded(code or "")
    for subject, words in WORDS:
        if any(_folded(word) in folded for word in words):
            failed = subject is About.CONTENT and any(word in folded for word in _CHECK_FAILED)
            return About.PASSING if failed else subject
    return None


def past_help(code: str | None, message: str | None) -> str | None:
    """Return the code by which the very same request would fail again and again, if it has one."""
    told = message.strip() if message else ""
    for word in (code, told if len(told.split()) == 1 else None):
        if word and about(word) in _ALWAYS_REFUSED:
            return word
    return None


def concerns_setting(status: int | None, code: str | None) -> bool:
    """Return whether a refused submission speaks of key or model rather than of its own row."""
    return about(code) is not About.CONTENT and (status == 403 or code == "model_not_found")  # noqa: PLR2004 - HTTP statuses read best as numbers


def why_refused(status: int | None, code: str | None) -> str:
    """Return why the provider refuses something, in words of our own; empty if that is not known.

    The words of its code say more than the status does, but where the status says that the request
    itself is wrong, no trouble of the provider is meant: gateways call all that they pass on so.
    """
    subject = about(code)
    if subject is About.PASSING and status in _WRONG_REQUEST:
        subject = None
    return _CAUSES[subject] if subject else _CAUSES_BY_STATUS.get(status or 0, "")


def in_its_words(code: str | None, message: str | None) -> str:
    """Return what the provider says, to stand behind a sentence of our own; empty if nothing.

    A code is no more than repeated by many messages, so it is taken out of them.
    """
    told = message.strip() if message and message != NO_REASON else ""
    if code:
        again = re.escape(code)
        told = re.sub(rf"\s*[(\[（]\s*{again}\s*[)\]）]", "", told, flags=re.IGNORECASE)  # noqa: RUF001 - brackets as a Chinese text has them
        told = re.sub(rf"^{again}\s*(?:[:：-]\s*|$)", "", told, flags=re.IGNORECASE)  # noqa: RUF001 - likewise
    told = told.strip()
    return f" In its words: {told}" if told else ""


def say_failed(code: str | None, message: str | None) -> str:
    """Return the sentence about a task that failed: the cause in our words, then the provider's."""
    words = in_its_words(code, message)
    shown = f" ({code})" if code and code not in words else ""
    cause = why_refused(None, code) or ("" if words else "it gives no reason")
    return f"The provider could not make the video{shown}{cause and f': {cause}'}.{words}"
