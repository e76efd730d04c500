"""What an error code of the provider is about: the one table of the words that codes are made of.

The provider writes its messages in four languages, so only its codes are read. A message without a
blank is a code as well: some answers have no other.

Tested in tests/test_refusals.py.
"""

from __future__ import annotations

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
    (About.SETTING, ("model_not_found", "permission", "forbidden", "unauthorized", "access")),
    (About.CREDIT, ("quota", "balance", "insufficient", "payment", "credit")),
    (
        About.CONTENT,
        (
            "moderation",
            "policy",
            "safety",
            "sensitive",
            "prohibited",
            "nsfw",
            "copyright",
            "content_filter",
            "invalid_prompt",
        ),
    ),
    (About.PICTURE, ("picture", "image", "upload")),
    (
        About.PASSING,
        ("timeout", "overload", "busy", "unavailable", "internal", "server", "upstream"),
    ),
)
"""What a code is about that contains one of these words; the first match counts."""

_ALWAYS_REFUSED = frozenset({About.CONTENT})


def about(code: str | None) -> About | None:
    """Return what an error code is about; None if its words are not known."""
    folded = (code or "").casefold()
    for subject, words in WORDS:
        if any(word in folded for word in words):
            return subject
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
