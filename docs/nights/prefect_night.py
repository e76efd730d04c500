"""A night of Reelsheet as a Prefect flow: `python prefect_night.py` serves it every night.

What was bought is in the working folder and in the account's book, not in Prefect: a flow may be
killed at any time, and the next one goes on. It runs in the working folder, with TOAPIS_API_KEY in
its environment.
"""

from __future__ import annotations

from prefect import flow, get_run_logger, task
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.states import Completed, State

from reelsheet import ExitCode, Reelsheet, ReelsheetError, RowsWait

MANIFESTS = ["manifests/products.xlsx", "manifests/shoes.csv"]  # one after the other


class Unfinished(Exception):
    """It goes on when it is started again."""


class NeedsYou(Exception):
    """To start it again would change nothing: 3 money to reconcile, 4 key or money, 2, 70."""


def goes_on(_task: object, _run: object, state: State[str]) -> bool:
    """Return whether another try can help."""
    return isinstance(state.result(raise_on_failure=False), Unfinished)


@task(retries=3, retry_delay_seconds=15 * 60, retry_condition_fn=goes_on, cache_policy=None)
def make_videos(manifest: str) -> State[str]:
    """Make the videos of one manifest."""
    try:
        report = Reelsheet(manifest).run(retry="failed")
        code, told = report.exit_code, f"{manifest}: {dict(report.states)}"
        told += "".join(f"; {stop.reason}" for stop in report.stops)
    except RowsWait as waits:  # for a decision of yours: nothing else is left to do
        code, told = ExitCode.NEEDS_USER, f"{manifest}: {waits.message}"
    except ReelsheetError as error:
        code, told = error.exit_code, f"{manifest}: {error.message} {error.action or ''}".strip()
    if code == ExitCode.NEEDS_USER:
        told += ": open the results, result_action says what to do"
        get_run_logger().warning(told)
    elif code in {ExitCode.UNFINISHED, ExitCode.LOCKED}:
        raise Unfinished(told)
    elif code != ExitCode.DONE:
        raise NeedsYou(told)
    return Completed(message=told, data=told)


@flow(name="reelsheet-night")
def night(manifests: list[str] = MANIFESTS) -> list[State[str]]:
    """Every manifest in its turn; one that fails keeps no other from it."""
    return [make_videos(manifest, return_state=True) for manifest in manifests]


if __name__ == "__main__":
    night.serve(
        name="every night",
        cron="0 22 * * 1-5",
        global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy="CANCEL_NEW"),
    )
