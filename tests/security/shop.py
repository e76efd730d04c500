"""A manifest and its runs, called as the command line calls them, but inside of this process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.disk.folder import OutputFolder
from pipeline.planner.selection import Selection
from pipeline.runner.lanes import run
from pipeline.runner.order import Order
from pipeline.runner.reports import RunReport
from pipeline.runner.watching import RunProgress
from pipeline.scheduler.seams import Clock
from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import FAST


class Quiet:
    """A screen that nobody looks at."""

    interval_s = 0.05

    def show(self, progress: RunProgress) -> None:
        pass

    def say(self, line: str) -> None:
        pass

    def warn(self, line: str) -> None:
        pass


@dataclass
class Shop:
    """One working folder; `rows` are its keys."""

    folder: Path
    api: Api
    rows: Sequence[str] = ("A", "B", "C")
    sets: Mapping[str, str] = field(default_factory=dict)

    @property
    def out(self) -> OutputFolder:
        return OutputFolder(self.folder / "out")

    def order(self) -> Order:
        """Check the manifest, which is written if it is not there."""
        manifest = self.folder / "shop.csv"
        if not manifest.exists():
            sheets.write(manifest, [sheets.row(key, duration="4") for key in self.rows])
        settings = {**FAST, "api.base_url": self.api.base_url, **self.sets}
        config = load(None, environ={}, overrides=[f"{k}={v}" for k, v in settings.items()])
        checked = check_manifest(manifest, config, cache_dir=self.out.cache)
        return Order(checked, config, self.out, Selection())

    def run(self, *, screen: Any = None, clock: Clock | None = None) -> RunReport:
        """Check the manifest and carry it out."""
        return run(self.order(), screen or Quiet(), clock=clock)

    def states(self) -> dict[str, str]:
        """Return the state of each row in the results."""
        return sheets.states(self.out.root)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines of the log."""
        return [json.loads(line) for line in self.out.log.read_text("utf-8").splitlines()]
