"""What can be chosen about one emulator, as one frozen record.

Tested in tests/emulator/test_command.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.emulator.pages import MODELS

DAY_S = 86_400.0
"""The seconds of a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Everything that an emulator can be told at its start.

    Embedded in a test, nothing limits it; the command line turns the
    provider's published limits on.

    Attributes:
        host: the interface both origins listen on.
        port: of the API; 0 lets the system choose.
        files_port: of uploads and videos; 0 lets the system choose.
        state_dir: survives restarts; None keeps everything in memory and a temp folder.
        quick: tiny plain clips instead of rendered pictures.
        median_s: the median of the log-normal that task times are drawn from.
        p95_s: its 95th percentile; the median itself makes every task equally long.
        fail_share: the share of tasks that end as failed, 0 to 1.
        faults: rules such as ``submit_429=0.1``, see ``list_faults()``.
        key: the only API key accepted; None accepts any that is not empty.
        models: the names of models that are known; one without a page of its own keeps the rules
            of the first.
        pictures: a folder of small copies of web pictures, each named by the first 24 hex digits of
            the SHA-256 of its address; rendered videos show them.
        own_models: further names, of models of which nothing is known: their orders are believed.
        submit_per_minute: rate limit of submissions; None is no limit.
        submit_burst: bucket size of it; None is ten seconds' worth.
        query_per_minute: rate limit of queries; None is no limit.
        query_burst: bucket size of it; None is ten seconds' worth.
        outstanding_cap: most unfinished tasks before a submission answers 429.
        url_lifetime_s: how long one video URL works, counted from the query that gave it.
        video_lifetime_s: how long a video is kept, counted from its completion.
        upload_limit_bytes: largest picture accepted.
        padding_bytes: each quick clip is enlarged by this much, for download tests.
        balance_usd: what the account holds before the first task.
        price_per_second_usd: what one second of video takes from it.
        fractional_times: give times with fractions, for tasks of less than a second.
        seed: of every draw: task times, failures, shares of faults.
        render_workers: processes that render videos.
        keep_calls: how many call records are kept; counts go on beyond it.
    """

    host: str = "127.0.0.1"
    port: int = 0
    files_port: int = 0
    state_dir: Path | None = None
    quick: bool = False
    median_s: float = 4.0
    p95_s: float = 8.0
    fail_share: float = 0.0
    faults: tuple[str, ...] = ()
    key: str | None = None
    models: tuple[str, ...] = MODELS
    pictures: Path | None = None
    own_models: tuple[str, ...] = ()
    submit_per_minute: float | None = None
    submit_burst: int | None = None
    query_per_minute: float | None = None
    query_burst: int | None = None
    outstanding_cap: int | None = None
    url_lifetime_s: float = DAY_S
    video_lifetime_s: float = DAY_S
    upload_limit_bytes: int = 10 * 1024 * 1024
    padding_bytes: int = 0
    balance_usd: float = 100_000.0
    price_per_second_usd: float = 0.02
    fractional_times: bool = False
    seed: int = 0
    render_workers: int = 2
    keep_calls: int = 200_000

    def __post_init__(self) -> None:
        """Refuse values that could only lead to puzzling behaviour later."""
        if self.median_s <= 0 or self.p95_s < self.median_s:
            raise ValueError("median_s must be above 0 and p95_s at least median_s")
        if not 0 <= self.fail_share <= 1:
            raise ValueError("fail_share must lie between 0 and 1")
        if self.render_workers < 1:
            raise ValueError("render_workers must be at least 1")
