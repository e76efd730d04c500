"""What an error code is about, and whether the same request can ever be made."""

from __future__ import annotations

import pytest

from pipeline.model import State
from pipeline.refusals import About, about, concerns_setting, past_help, why_refused
from pipeline.writer.advice import advise


@pytest.mark.parametrize(
    ("code", "subject"),
    [
        ("content_policy_violation", About.CONTENT),
        ("PROHIBITED_CONTENT", About.CONTENT),
        ("image_safety_blocked", About.CONTENT),
        ("model_not_found", About.SETTING),
        ("insufficient_user_quota", About.CREDIT),
        ("image_too_large", About.PICTURE),
        ("upstream_timeout", About.PASSING),
        ("no_video_url", About.VIDEO),
        ("invalid_request", None),
        ("", None),
        (None, None),
    ],
)
def test_codes_are_read_by_their_words(code: str | None, subject: About | None) -> None:
    """In any case; the first match counts."""
    assert about(code) is subject


def test_what_is_refused_for_good_is_known_by_a_code() -> None:
    """The code itself, or a message that is one; never a word in a sentence."""
    assert past_help("nsfw_content", None) == "nsfw_content"
    assert past_help("task_failed", " content_policy_violation ") == "content_policy_violation"
    assert past_help("task_failed", "our safety policy") is None
    assert past_help("image_too_large", None) is None, "the picture may be another one by then"
    assert past_help(None, "") is None


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (403, None, True),
        (403, "access_denied", True),
        (503, "model_not_found", True),
        (403, "content_policy_violation", False),
        (400, "invalid_request", False),
        (422, None, False),
        (None, None, False),
    ],
)
def test_which_refusals_speak_of_a_setting(
    status: int | None, code: str | None, *, told: bool
) -> None:
    """Those with 403, and an unknown model; content is the row's own with any status."""
    assert concerns_setting(status, code) is told


def test_a_wrong_request_is_no_trouble_of_the_provider() -> None:
    """Gateways call every error that they pass on an upstream error."""
    passing = why_refused(502, "upstream_error")
    assert "passes" in passing
    assert [why_refused(status, "upstream_error") for status in (400, 422)] == ["", ""]
    assert "too large" in why_refused(413, "upstream_error")
    assert advise(State.REFUSED, "upstream_error") == advise(State.REFUSED)
    assert advise(State.FAILED, "upstream_error") != advise(State.FAILED)
