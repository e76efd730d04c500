"""What a refusal is called: our own English first, its code once, the provider's words last."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import OutOfCredit, ProviderError, Refused, Unauthorized
from pipeline.refusals import About, about
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, REQUEST, Script, http, raw_server


async def refusal(answer: bytes, *, say_refused: str | None = None) -> ProviderError:
    script = Script(lambda _: answer)
    async with raw_server(script), ToAPIs(script.url, KEY, say_refused=say_refused) as api:
        with pytest.raises(ProviderError) as caught:
            await api.submit(REQUEST, [], "ref-1")
    return caught.value


def error(code: object, message: object, kind: object = "invalid_request_error") -> str:
    return json.dumps({"error": {"code": code, "message": message, "type": kind}})


REFUSALS = [
    (http(400), None, "The provider refused the request (HTTP 400)."),
    (
        http(404, "<html>nginx</html>"),
        None,
        (
            "The provider refused the request (HTTP 404): it finds nothing at the address of the "
            "call, or does not know the model."
        ),
    ),
    (
        http(413, "<html>413 Request Entity Too Large</html>"),
        None,
        "The provider refused the request (HTTP 413): the prompt or a picture is too large for it.",
    ),
    (http(413, "too large"), None, "is too large for it."),
    (
        http(422, '{"detail":[{"loc":["body","duration"],"msg":"must be 4"}]}'),
        None,
        "The provider refused the request (HTTP 422). In its words: body.duration: must be 4",
    ),
    (http(422, '{"detail":"duration must be 4"}'), None, "In its words: duration must be 4"),
    (
        http(422, '{"errors":[{"field":"prompt","message":"is empty"},{"message":"no"}]}'),
        None,
        "In its words: prompt: is empty; no",
    ),
    (http(422, '{"detail":[7,{"loc":7}],"errors":{"a":1}}'), None, "request (HTTP 422)."),
    (
        http(400, error("content_policy_violation", "内容审核未通过")),
        "content_policy_violation",
        (
            "The provider refused the request (HTTP 400, content_policy_violation): its rules do "
            "not allow the prompt or a picture. In its words: 内容审核未通过"
        ),
    ),
    (
        http(400, error("quota_note", "content_policy_violation")),
        "content_policy_violation",
        "(HTTP 400, content_policy_violation): its rules do not allow the prompt or a picture.",
    ),
    (
        http(400, error(400, "说明", "ContentPolicyViolation")),
        "ContentPolicyViolation",
        "(HTTP 400, ContentPolicyViolation): its rules do not allow",
    ),
    (
        http(400, '{"message":"content_policy_violation"}'),
        "content_policy_violation",
        (
            "The provider refused the request (HTTP 400, content_policy_violation): its rules do "
            "not allow the prompt or a picture."
        ),
    ),
    (
        http(422, error("sensitive", "sensitive: no（sensitive）")),  # noqa: RUF001
        "sensitive",
        "(HTTP 422, sensitive): its rules do not allow the prompt or a picture. In its words: no",
    ),
    (
        http(400, error("bad_prompt", 'a prompt with "quotation marks"')),
        "bad_prompt",
        'The provider refused the request (HTTP 400, bad_prompt). In its words: a prompt with "',
    ),
]


@pytest.mark.parametrize(("answer", "code", "told"), REFUSALS)
async def test_a_refusal_in_our_words(answer: bytes, code: str | None, told: str) -> None:
    """Whatever body comes with it, or none: the row alone is refused."""
    failed = await refusal(answer)
    assert type(failed) is Refused
    assert failed.code == code
    assert told in failed.message
    assert code is None or failed.message.count(code) == 1


@pytest.mark.parametrize(
    "message", ["quota_exceeded", "quota_exceeded (quota_exceeded)", "quota_exceeded: ", ""]
)
async def test_an_error_code_is_shown_once(message: str) -> None:
    """However often the provider says it."""
    failed = await refusal(http(429, error("quota_exceeded", message, "quota_exceeded")))
    assert type(failed) is OutOfCredit
    told = "The provider says that the account has no credit left (HTTP 429, quota_exceeded)."
    assert failed.message == told
    assert failed.action is not None
    assert failed.action.startswith("Top up")


async def test_a_refused_key_comes_with_what_to_type() -> None:
    """As it was told for this key, behind our own sentence."""
    answer = http(401, error("invalid_api_key", "无效的令牌", "new_api_error"))
    failed = await refusal(answer, say_refused="Type this.")
    assert type(failed) is Unauthorized
    told = "The provider refuses the key (HTTP 401, invalid_api_key). In its words: 无效的令牌"
    assert (failed.message, failed.action) == (told, "Type this.")


@pytest.mark.parametrize(
    "code",
    [
        "content_policy_violation",
        "CONTENT_POLICY",
        "ContentPolicyViolation",
        "content-policy-violation",
        "Content Policy Violation",
        "contentFilter",
        "content-filter",
        "CONTENT.MODERATION",
        "invalidPrompt",
        "image_policy_violation",
        "InappropriateContent",
        "SensitiveContentDetected.SensitiveInfo",
    ],
)
def test_the_spellings_of_a_refused_content(code: str) -> None:
    """Capitals, blanks and marks change nothing."""
    assert about(code) is About.CONTENT


@pytest.mark.parametrize("code", ["moderation_timeout", "SafetyCheckUnavailable"])
def test_a_content_check_that_fails_has_refused_nothing(code: str) -> None:
    """It can be tried again."""
    assert about(code) is About.PASSING
