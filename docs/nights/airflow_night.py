"""A night of Reelsheet as a DAG: put this file into the DAG folder of Airflow 3.

What was bought is in the working folder and in the account's book, not in Airflow: a task may be
killed at any time, and its next try goes on. All workers need that folder, and STATE_DIRECTORY in
their environment on the same disk; TOAPIS_API_KEY comes from their environment, too.
"""

from __future__ import annotations

import logging
import os
import signal
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

log = logging.getLogger(__name__)
HOME = os.environ.get("VIDEOS_HOME", "/srv/videos")  # config.yaml, manifests/, outputs/
MANIFESTS = ["manifests/products.xlsx", "manifests/shoes.csv"]  # one after the other


@task(retries=3, retry_delay=timedelta(minutes=15), max_active_tis_per_dag=1)
def make_videos(manifest: str) -> str:
    """Make the videos of one manifest; what is returned stands with the task (XCom)."""
    from reelsheet import ExitCode, Reelsheet, ReelsheetError, RowsWait

    # Airflow asks a task to end with SIGTERM, or with SIGINT: so the run ends gracefully.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(HOME)
    try:
        report = Reelsheet(manifest).run(retry="failed")
        code, told = report.exit_code, f"{manifest}: {dict(report.states)}"
        told += "".join(f"; {stop.reason}" for stop in report.stops)
    except RowsWait as waits:  # for a decision of yours: nothing else is left to do
        code, told = ExitCode.NEEDS_USER, f"{manifest}: {waits.message}"
    except ReelsheetError as error:
        code, told = error.exit_code, f"{manifest}: {error.message} {error.action or ''}".strip()
    if code == ExitCode.DONE:
        return told
    if code == ExitCode.NEEDS_USER:
        log.warning("%s: open the results, result_action says what to do", told)
        return told
    if code in {ExitCode.UNFINISHED, ExitCode.LOCKED}:
        raise AirflowException(told)  # tried again
    raise AirflowFailException(told)  # needs you: 3 money to reconcile, 4 key or money, 2, 70


@dag(
    schedule="0 22 * * 1-5",
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    catchup=False,
    max_active_runs=1,
)
def reelsheet_night() -> None:
    """Every manifest in its turn; one that fails keeps no other from it."""
    make_videos.expand(manifest=MANIFESTS)


reelsheet_night()
