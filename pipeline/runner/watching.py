"""Whoever watches a run, and what it is told.

Tested in tests/cli/test_progress.py and tests/runner/test_api.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.engine.limits import Spend
from pipeline.model import State


@dataclass(frozen=True, slots=True)
class ManifestProgress:
    """How far a manifest is: rows by state, and what its run has submitted, downloaded and spent.

    `left` of its rows wait and are not meant to be made by this run. `polls` are the queries that
    its run made. `paid_since` is the Unix second of the oldest submission that is paid for, or in
    doubt, and not home yet; None if there is none. `priced` says that its costs are known.
    """

    manifest: Path
    states: Mapping[State, int]
    submitted: int
    downloaded: int
    spend: Spend
    left: int = 0
    run_id: str = ""
    bytes: int = 0
    polls: int = 0
    paid_since: float | None = None
    priced: bool = True


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: rows by state, what it submitted and downloaded, what it waits for.

    `left` rows wait and are not meant to be made by this run. `each` says the same of each manifest
    for which anything is asked or sent, `beside` of the others. `workers` says how many there are,
    and how many slots they have together; None where the run itself downloads.
    """

    states: Mapping[State, int]
    submitted: int = 0
    downloaded: int = 0
    waits_for: str | None = None
    each: tuple[ManifestProgress, ...] = ()
    left: int = 0
    workers: tuple[int, int] | None = None
    beside: tuple[ManifestProgress, ...] = ()


class Watcher(Protocol):
    """Is told how a run goes: a screen, a log, a notice, a program."""

    @property
    def interval_s(self) -> float:
        """The longest time between two calls of `show`, in seconds."""

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is."""

    def say(self, line: str) -> None:
        """Show a line."""

    def warn(self, line: str) -> None:
        """Show a line that matters to whoever pays."""
