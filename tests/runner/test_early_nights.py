"""A night that is started before its window: what comes home, what is read, and how it is ended."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.night import NightManifests
from pipeline.cli.nightwork import Found, Night
from pipeline.cli.options import select_rows
from pipeline.config.loading import load
from pipeline.errors import ReelsheetError
from pipeline.night.record import NightRecord
from pipeline.runner.api import Reelsheet
from pipeline.runner.terms import Terms
from pipeline.runner.watching import RunProgress
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST

WAIT_S = 3.0
"""So long before its window the night is started."""


class Early:
    """A working folder with a manifest, one row of which is paid for and under way."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.folder, self.api = folder, api
        self.given = {**FAST, "api.base_url": api.base_url or "", "retry.wait_s": "0"}
        self.sets = [f"{name}={value}" for name, value in self.given.items()]
        self.manifest = folder / "m" / "a.csv"
        self.manifest.parent.mkdir()
        self.write(2)
        api.faults("query_never_finishing")
        with pytest.raises(KeyboardInterrupt):
            Reelsheet(self.manifest, settings=self.given).run(limit=1, on_progress=self._leave)
        api.faults()

    def _leave(self, progress: RunProgress) -> None:
        if progress.submitted:
            raise KeyboardInterrupt

    def write(self, count: int, word: str = "old") -> None:
        """Write the manifest; of its first row, which is paid for, the wording stays."""
        rows = sheets.rows(count, prompt=f"{self.folder.name} {word} {{}}")
        rows[0]["prompt"] = f"{self.folder.name} first"
        sheets.write(self.manifest, rows)

    def find(self, opened: Callable[[], None] = lambda: None) -> Found:
        opened()
        config = load(None, environ={}, overrides=self.sets)
        places = NightManifests([self.manifest.parent], config)
        return places, places.targets(None, None, self.sets, adopt=False)

    def night(
        self, opens_at: float, sleep: Callable[[float], None], find: Callable[[], Found]
    ) -> int:
        """Carry out a night that may order from a Unix second on."""
        outputs = self.folder / "outputs"
        terms = Terms(opens_at=opens_at, ends="the window ends", is_night=True)
        with NightRecord(outputs / "night.json") as record:
            night = Night(record, terms, select_rows, outputs, yes=False, quiet=True, sleep=sleep)
            return night.work(find, *self.find())

    @property
    def ordered(self) -> list[str]:
        """The wording of all that was ordered from this folder, without its name."""
        sent = (one["prompt"].split(" ", 1) for one in self.api.records()["submissions"])
        return [words for name, words in sent if name == self.folder.name]

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "outputs" / "night.json").read_text())
        return found


@pytest.fixture
def early(tmp_path: Path, api: Api, monkeypatch: pytest.MonkeyPatch) -> Early:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    return Early(tmp_path, api)


def test_manifests_are_read_when_the_window_opens(early: Early) -> None:
    """What is paid for comes home before; an export that came meanwhile counts, and new files."""
    opens_at, before = time.time() + WAIT_S, list[str]()

    def export() -> None:
        assert time.time() >= opens_at
        before.extend(early.ordered)
        early.write(3, "new")
        sheets.write(
            early.manifest.with_name("b.csv"), sheets.rows(1, prompt=f"{early.folder.name} b")
        )

    code = early.night(opens_at, time.sleep, partial(early.find, export))
    assert (code, before) == (0, ["first"])
    assert sorted(early.ordered) == ["b", "first", "new P0002", "new P0003"]
    told = early.told
    assert (told["states"], told["exit_code"]) == ({"done": 4}, 0)
    assert (told["submitted"], sum(one["downloaded"] for one in told["manifests"])) == (3, 4)


def test_a_night_that_waits_is_told_to_end(early: Early) -> None:
    """It says so in its code and in night.json, with what came home, and orders nothing."""

    def tell(_: float) -> None:
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(ReelsheetError, match="SIGTERM; nothing was sent") as ended:
        early.night(time.time() + 1000, tell, early.find)
    told = early.told
    assert (int(ended.value.exit_code), told["exit_code"], told["state"]) == (143, 143, "ended")
    assert (told["states"], early.ordered) == ({"done": 1, "waiting": 1}, ["first"])
    assert told["manifests"][0]["exit_code"] is None, "it was not through"
