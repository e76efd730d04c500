"""Why submitting ends by itself, in one sentence each, and what to do about it."""

from __future__ import annotations

from pipeline.engine.rows import Reach, Stop
from pipeline.errors import ExitCode, OutOfCredit, Unauthorized, Unfinished


def outage(message: str) -> Stop:
    """The provider has not taken anything for too long."""
    return Stop(
        ExitCode.UNFINISHED,
        f"the provider does not answer submissions: {message}",
        Reach.SUBMITTING,
        "Run again when it is back; nothing is lost.",
    )


def uploads_fail(message: str) -> Stop:
    """No picture can be uploaded any more."""
    return Stop(
        ExitCode.UNFINISHED,
        f"pictures cannot be uploaded: {message}",
        Reach.SUBMITTING,
        "Run again when the provider is back; nothing is lost.",
    )


def alike(refusals: int, message: str) -> Stop:
    """Nothing but equal refusals: the row is not to blame."""
    return Stop(
        ExitCode.STOPPED,
        f"{refusals} submissions in a row were refused alike: {message}",
        Reach.SUBMITTING,
        "Check api.model, api.client_reference and what the key may do.",
    )


def over_budget(refusal: str, *, daily: bool = False) -> Stop:
    """The next video would pass a cap."""
    when = "tomorrow (days end at midnight UTC)" if daily else "for the next part"
    return Stop(
        ExitCode.STOPPED,
        f"a cap is reached: {refusal}",
        Reach.SUBMITTING,
        f"Raise the cap under budget, or run again {when}.",
    )


def out_of_credit(error: OutOfCredit) -> Stop:
    """The account is empty; what is paid for is still fetched."""
    return Stop(
        ExitCode.STOPPED,
        f"the account has no credit left: {error.message}",
        Reach.SUBMITTING,
        "Top up the account, then run again: unsent rows go out then.",
    )


def unauthorized(error: Unauthorized) -> Stop:
    """The key is not taken: no call makes sense any more."""
    return Stop(
        ExitCode.STOPPED,
        f"the provider does not accept the key: {error.message}",
        action="Check the variable named by api.key_env, then run again.",
    )


def unstorable(error: Unfinished) -> Stop:
    """The output folder takes no more videos."""
    return Stop(ExitCode.UNFINISHED, error.message, action=error.action)
