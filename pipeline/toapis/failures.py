"""What each answer means for each call (docs/contract.md, "What each answer means"). Pure.

Submitting costs money, so there the rule is strict: unless it is proven that nothing was accepted,
the answer is `Unclear`. The other calls are free and repeatable, so there the rule is the opposite.

Tested in tests/toapis/test_submit.py and tests/toapis/test_free_calls.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from pipeline.errors import (
    NoSuchTask,
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
    Unclear,
    Unreachable,
)
from pipeline.refusals import About, about, in_its_words, why_refused
from pipeline.toapis import answers
from pipeline.toapis.answers import Complaint
from pipeline.toapis.bodies import Answer, Received, Silence, denies, parse

_Failure = TypeVar("_Failure", bound=ProviderError)

_REFUSING = frozenset({400, 403, 404, 413, 422})
_UPLOAD_REFUSING = frozenset({400, 413, 422})
_QUOTA = re.compile("quota(?!t)")  # no quotation
_WRONG_KEY = "Check the key: the variable that api.key_env names, or the file, then run again."
_TOP_UP = "Top up the account at the provider, then run the same command again."


def explain_submission(received: Received) -> ProviderError:
    """Return what an answer to a submission means that is no acceptance."""
    if isinstance(received, Silence):
        if received.sent:
            return _unclear(received.reason)
        return NotSent(
            f"The API could not be reached and nothing was sent: {received.reason}.",
            action="Check the network and api.base_url.",
            misdirected=received.misdirected,
        )
    body = parse(received.body)
    told = answers.read_complaint(body)
    if received.status == 401:  # noqa: PLR2004 - HTTP statuses read best as numbers
        return _failed(Unauthorized, "refuses the key", received, told, action=_WRONG_KEY)
    if answers.names_task(body) or 300 <= received.status < 400:  # noqa: PLR2004
        return _unclear(_gist(received), received, told)
    return _rejection_in(received, told) or _unclear(_gist(received), received, told)


def explain_query(received: Received) -> ProviderError:
    """Return why the answer to a query shows no task."""
    if isinstance(received, Silence):
        return _unreached("The task could not be queried", received)
    told = answers.read_complaint(parse(received.body))
    page = received.body is None or _is_html(received.body)
    missing = received.status == 404 and not page  # noqa: PLR2004
    telling = received.status == 400 or received.is_success  # noqa: PLR2004
    if missing or (telling and answers.UNKNOWN_TASK in told.words):
        return _failed(NoSuchTask, "does not know the task", received, told)
    return _repeatable("query", received, told)


def explain_upload(received: Received) -> ProviderError:
    """Return why the answer to an upload gives no URL."""
    if isinstance(received, Silence):
        return _unreached("The picture could not be uploaded", received)
    body = parse(received.body)
    told = answers.read_complaint(body)
    refusable = received.status < 500 and received.status not in (401, 429)  # noqa: PLR2004
    if received.status in _UPLOAD_REFUSING or (refusable and denies(body)):
        return _failed(Refused, "does not take the picture", received, told, explained=True)
    return _repeatable("upload", received, told)


def explain_balance(received: Received) -> ProviderError:
    """Return why the balance is not known."""
    if isinstance(received, Silence):
        return _unreached("The balance could not be asked for", received)
    return _repeatable("balance", received, answers.read_complaint(parse(received.body)))


def explain_models(received: Received) -> ProviderError:
    """Return why the list of models is not known."""
    if isinstance(received, Silence):
        return _unreached("The list of models could not be asked for", received)
    told = answers.read_complaint(parse(received.body))
    return _repeatable("call for the list of models", received, told)


def _unreached(what: str, silence: Silence) -> Unreachable:
    return Unreachable(f"{what}: {silence.reason}.", misdirected=silence.misdirected)


def _rejection_in(answer: Answer, told: Complaint) -> ProviderError | None:
    """Return the definite refusal in an answer to a submission; None if it is not definite."""
    if _tells_quota(answer, told):
        return _failed(
            OutOfCredit, "says that the account has no credit left", answer, told, action=_TOP_UP
        )
    if "model_not_found" in told.words:
        named = replace(told, code="model_not_found")
        return _failed(Refused, "does not know the model that api.model names", answer, named)
    if _is_throttling(answer, told):
        return _failed(Throttled, "asks to slow down", answer, told)
    if answer.status in _REFUSING:
        return _failed(Refused, "refused the request", answer, told, explained=True)
    return None


def _tells_quota(answer: Answer, told: Complaint) -> bool:
    """Tell whether the money is used up: 402, or `quota` in a code, or in the message of a 4xx.

    Outside of the 400s a sentence with that word proves nothing: the accounting after an acceptance
    can fail, too.
    """
    if answer.status == 402:  # noqa: PLR2004
        return True
    if about(told.code) is About.CONTENT:
        return False
    if any(map(_QUOTA.search, told.words)):
        return True
    return 400 <= answer.status < 500 and bool(_QUOTA.search((told.message or "").lower()))  # noqa: PLR2004


def _is_throttling(answer: Answer, told: Complaint) -> bool:
    if answer.status == 429:  # noqa: PLR2004
        return True
    return answer.status == 503 and "rate_limit_unavailable" in told.words  # noqa: PLR2004


def _repeatable(call: str, answer: Answer, told: Complaint) -> ProviderError:
    """Return why a free call must be made again or, after a 401, never again."""
    if answer.status == 401:  # noqa: PLR2004
        return _failed(Unauthorized, "refuses the key", answer, told, action=_WRONG_KEY)
    if _is_throttling(answer, told):
        return _failed(Throttled, "asks to slow down", answer, told)
    return _failed(Unreachable, f"gave no usable answer to the {call}", answer, told)


def _unclear(reason: str, answer: Answer | None = None, told: Complaint | None = None) -> Unclear:
    return Unclear(
        f"The request was sent and no clear answer came: {reason}.",
        status=answer.status if answer else None,
        code=told.code if told else None,
        retry_after_s=answer.retry_after_s if answer else None,
    )


def _failed(
    kind: type[_Failure],
    what: str,
    answer: Answer,
    told: Complaint,
    *,
    action: str | None = None,
    explained: bool = False,
) -> _Failure:
    """Return a failure in a sentence of our own, with what the provider says of it behind it."""
    words = in_its_words(told.code, told.message)
    shown = told.code and told.code != str(answer.status) and told.code not in words
    code = f", {told.code}" if shown else ""
    why = why_refused(answer.status, told.code) if explained else ""
    return kind(
        f"The provider {what} (HTTP {answer.status}{code}){why and f': {why}'}.{words}",
        status=answer.status,
        code=told.code,
        retry_after_s=answer.retry_after_s,
        action=action,
    )


def _gist(answer: Answer) -> str:
    """Say what came in the place of a task id."""
    status = f"HTTP {answer.status}"
    if answer.body is None:
        return f"{status} with a body that broke off or was too large"
    if not answer.is_success:
        return status
    if _is_html(answer.body):
        return f"{status} with a page instead of data"
    readable = parse(answer.body) is not None
    return f"{status} without a task id" if readable else f"{status} with an unreadable body"


def _is_html(body: bytes | None) -> bool:
    """Tell whether the body is a web page, which proxies send with any status."""
    return body is not None and body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
