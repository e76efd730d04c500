"""What each answer means for each call: the contract's table, from strict to lenient. Pure.

Submitting costs money, so there the rule is: unless it is proven that nothing was accepted, the
outcome is `Unclear`. The other calls are free and repeatable, so there the rule is the opposite.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

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
from pipeline.model import Balance, Phase, TaskView
from pipeline.toapis import answers
from pipeline.toapis.answers import Answer, Complaint, Silence

Outcome: TypeAlias = Answer | Silence
_Failure = TypeVar("_Failure", bound=ProviderError)

_REFUSING = frozenset({400, 403, 404, 413, 422})
_UPLOAD_REFUSING = frozenset({400, 413, 422})
_WRONG_KEY = "Check the key in the variable that api.key_env names."
_TOP_UP = "Top up the account at the provider, then run the same command again."


def submitted(outcome: Outcome) -> str | ProviderError:
    """Return the id of the accepted task, or what the answer to a submission means instead."""
    if isinstance(outcome, Silence):
        return _unsent(outcome) if not outcome.sent else _unclear(outcome.reason)
    body = answers.parse(outcome.body)
    # A status in the 200s with an id is acceptance, whatever else the body says.
    if _is_success(outcome) and body is not None and (found := answers.task_id(body)):
        return found
    told = answers.complaint(body)
    if outcome.status == 401:  # noqa: PLR2004 - HTTP statuses read best as numbers
        return _failed(Unauthorized, "refuses the key", outcome, told, action=_WRONG_KEY)
    if answers.names_task(body) or 300 <= outcome.status < 400:  # noqa: PLR2004
        return _unclear(_gist(outcome), outcome, told)
    return _rejected(outcome, told) or _unclear(_gist(outcome), outcome, told)


def queried(outcome: Outcome) -> TaskView | ProviderError:
    """Return the task as the answer to a query shows it, or why it does not."""
    if isinstance(outcome, Silence):
        return Unreachable(f"The task could not be queried: {outcome.reason}.")
    body = answers.parse(outcome.body)
    if _is_success(outcome) and body is not None:
        view = answers.task_view(body)
        # Only an answer that shows no task can be a complaint; nearly all do.
        if view.phase is not Phase.UNKNOWN:
            return view
        told = answers.complaint(body)
        return _no_such_task(outcome, told) if "task_not_exist" in told.words else view
    told = answers.complaint(body)
    page = outcome.body is None or answers.is_html(outcome.body)
    missing = outcome.status == 404 and not page  # noqa: PLR2004
    if missing or (outcome.status == 400 and "task_not_exist" in told.words):  # noqa: PLR2004
        return _no_such_task(outcome, told)
    return _repeatable("query", outcome, told)


def uploaded(outcome: Outcome) -> str | ProviderError:
    """Return the public URL of the picture, or why there is none."""
    if isinstance(outcome, Silence):
        return Unreachable(f"The picture could not be uploaded: {outcome.reason}.")
    body = answers.parse(outcome.body)
    told = answers.complaint(body)
    denied = body is not None and body.get("success") is False
    if _is_success(outcome) and body is not None and not denied:
        return answers.upload_url(body) or _repeatable("upload", outcome, told)
    refusable = outcome.status < 500 and outcome.status not in (401, 429)  # noqa: PLR2004
    if outcome.status in _UPLOAD_REFUSING or (denied and refusable):
        return _failed(Refused, "does not take the picture", outcome, told)
    return _repeatable("upload", outcome, told)


def balanced(outcome: Outcome) -> Balance | ProviderError:
    """Return the account's balance, or why it is not known."""
    if isinstance(outcome, Silence):
        return Unreachable(f"The balance could not be asked for: {outcome.reason}.")
    body = answers.parse(outcome.body)
    if (
        _is_success(outcome)
        and body is not None
        and body.get("success") is not False
        and answers.has_balance(body)
    ):
        return answers.balance(body)
    return _repeatable("balance", outcome, answers.complaint(body))


def _rejected(outcome: Answer, told: Complaint) -> ProviderError | None:
    """Return the definite no of a submission's answer, None if it is not definite."""
    if _tells_quota(outcome, told):
        return _failed(OutOfCredit, "has no credit left", outcome, told, action=_TOP_UP)
    if "model_not_found" in told.words:
        return _failed(Refused, "does not know the model", outcome, told)
    if _is_throttling(outcome, told):
        return _failed(Throttled, "asks to slow down", outcome, told)
    if outcome.status in _REFUSING:
        return _failed(Refused, "refused the request", outcome, told)
    return None


def _tells_quota(outcome: Answer, told: Complaint) -> bool:
    """Tell whether the money is used up: 402, or `quota` in a code, or in a 4xx's message.

    A whole sentence with the word in it proves nothing outside of the 400s: the accounting after
    an acceptance can fail too.
    """
    if outcome.status == 402 or any("quota" in word for word in told.words):  # noqa: PLR2004
        return True
    sentence = (told.message or "").lower()
    return 400 <= outcome.status < 500 and "quota" in sentence  # noqa: PLR2004


def _is_throttling(outcome: Answer, told: Complaint) -> bool:
    if outcome.status == 429:  # noqa: PLR2004
        return True
    return outcome.status == 503 and "rate_limit_unavailable" in told.words  # noqa: PLR2004


def _repeatable(call: str, outcome: Answer, told: Complaint) -> ProviderError:
    """Return why a free call has to be made again (or, for 401, never again)."""
    if outcome.status == 401:  # noqa: PLR2004
        return _failed(Unauthorized, "refuses the key", outcome, told, action=_WRONG_KEY)
    if _is_throttling(outcome, told):
        return _failed(Throttled, "asks to slow down", outcome, told)
    return _failed(Unreachable, f"gave no usable answer to the {call}", outcome, told)


def _no_such_task(outcome: Answer, told: Complaint) -> NoSuchTask:
    return _failed(NoSuchTask, "does not know the task", outcome, told)


def _unsent(silence: Silence) -> NotSent:
    return NotSent(
        f"The API could not be reached and nothing was sent: {silence.reason}.",
        action="Check the network and api.base_url.",
    )


def _unclear(reason: str, outcome: Answer | None = None, told: Complaint | None = None) -> Unclear:
    return Unclear(
        f"The request was sent and no clear answer came: {reason}.",
        status=outcome.status if outcome else None,
        code=told.code if told else None,
        retry_after_s=outcome.retry_after_s if outcome else None,
    )


def _failed(
    kind: type[_Failure],
    what: str,
    outcome: Answer,
    told: Complaint,
    *,
    action: str | None = None,
) -> _Failure:
    said = f": {told.message}" if told.message else ""
    code = f", {told.code}" if told.code and told.code != str(outcome.status) else ""
    return kind(
        f"The API {what} (HTTP {outcome.status}{code}){said}",
        status=outcome.status,
        code=told.code,
        retry_after_s=outcome.retry_after_s,
        action=action,
    )


def _gist(outcome: Answer) -> str:
    """Say what came where an id should have come."""
    status = f"HTTP {outcome.status}"
    if outcome.body is None:
        return f"{status} with a body that broke off or was too large"
    if not _is_success(outcome):
        return status
    if answers.is_html(outcome.body):
        return f"{status} with a page instead of data"
    readable = answers.parse(outcome.body) is not None
    return f"{status} without a task id" if readable else f"{status} with an unreadable body"


def _is_success(outcome: Answer) -> bool:
    return 200 <= outcome.status < 300  # noqa: PLR2004
