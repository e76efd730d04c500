"""What a run is asked to do, who watches it, and what it has done so far."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.engine.budget import Spend
from pipeline.engine.rows import Stop
from pipeline.model import State
from pipeline.planner.plan import Selection


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: rows by state, and what this run has submitted and downloaded."""

    states: Mapping[State, int]
    submitted: int = 0
    downloaded: int = 0


class Watcher(Protocol):
    """Who is told how a run goes: a screen, a log, a notice, a program."""

    @property
    def interval_s(self) -> float:
        """The longest time between two calls of `show`, in seconds."""

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is."""

    def say(self, line: str) -> None:
        """Show a line."""

    def warn(self, line: str) -> None:
        """Show a line that matters to whoever pays."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: the checked manifest, where to, how, and which rows.

    `source` is a workbook as it was when it was read. `go_on` is asked whether to submit although
    the account does not hold enough.
    """

    checked: CheckedManifest
    config: Config
    folder: OutputFolder
    selection: Selection
    command: str = "run"
    adopt: bool = False
    go_on: Callable[[], bool] = lambda: True
    source: Path | None = None

    @property
    def rehearses(self) -> bool:
        """Whether nothing is paid."""
        return self.config.provider == "rehearsal"

    @property
    def secret(self) -> str:
        """The key, to be kept out of every text; it need not be one that can be used."""
        return os.environ.get(self.config.api.key_env, "").strip()


@dataclass(slots=True)
class Tally:
    """What a run has done so far at the provider, and why it stopped early if it did."""

    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    spend: Spend = field(default_factory=Spend)
    stops: list[Stop] = field(default_factory=list)
