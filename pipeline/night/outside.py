"""Whoever looks at a night or a run from outside: its line in the history, and the metrics.

Runs are seen alike, be it a command that began them or a program. What cannot be told is said once,
and changes nothing else.

Tested in tests/night/test_history.py and tests/night/test_metrics.py.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.errors import StoreError
from pipeline.night import history
from pipeline.night.metrics import Figures, write_textfile
from pipeline.night.record import EVERY_S, NightRecord
from pipeline.night.switch import listening
from pipeline.runner import api
from pipeline.runner.inthread import Seen
from pipeline.runner.signals import Brake
from pipeline.runner.target import Refused, Target
from pipeline.runner.watching import RunProgress, Watcher
from pipeline.writer.outcome import iso


def home_of(folder: Path, outputs: Path, *, several: bool) -> Path:
    """Return where the history of a run is: beside its output folders.

    A run into a folder of its own, by --out, has it there.

    Args:
        folder: The output folder of the first manifest.
        outputs: The setting output.dir.
        several: Whether there are several manifests, a folder or a pattern.

    """
    if several or folder.parent.absolute() == outputs.absolute():
        return folder.parent
    return folder


class Outside:
    """Is told how far a night or a run is, whenever that is known anew.

    Args:
        config: Its configuration.
        outputs: Where its history is.
        command: night, run, retry or fetch.
        warn: Shows a line.

    """

    def __init__(
        self, config: Config, outputs: Path, command: str, warn: Callable[[str], None]
    ) -> None:
        self._config = config
        self._outputs = outputs
        self._command = command
        self._warn = warn
        self._id = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
        self._told: object = None
        self._failed: set[str] = set()
        textfile = config.metrics.textfile
        self._textfile = None if textfile is None else Path(textfile)
        self._last_success = 0.0 if textfile is None else self._find_last_success()

    def tell(self, figures: Figures) -> None:
        """Take in how far it is, or how it ended."""
        if self._config.rehearses:
            each = tuple(replace(one, money=None) for one in figures.manifests)
            spend = {**figures.spend, "money": None}
            figures = replace(figures, manifests=each, spend=spend)
        if figures.well:
            self._last_success = figures.now
        # Only what is new: the history is no log of how far it is.
        news = figures.ended, *(one.name for one in figures.manifests)
        if self._command == history.NIGHT and news != self._told and self._outputs.is_dir():
            self._told = news
            self._try("history", lambda: history.note(self._outputs, self._line(figures)))
        textfile = self._textfile
        if textfile is not None:
            complete = replace(
                figures,
                command=self._command,
                provider=self._config.provider,
                currency=self._config.budget.currency,
                last_success=self._last_success,
            )
            self._try("metrics.textfile", lambda: write_textfile(textfile, complete))

    def _try(self, what: str, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreError as error:
            if what not in self._failed:
                self._failed.add(what)
                self._warn(f"warning: {what}: {error.message}")

    def _find_last_success(self) -> float:
        ended = (
            one.ended_second
            for one in history.read_past(self._outputs)
            if one.rehearsal is self._config.rehearses and one.ended_well
        )
        return max(ended, default=0.0)

    def _line(self, figures: Figures) -> dict[str, object]:
        errors = (one.error for one in figures.manifests)
        return {
            "schema": 1,
            "id": self._id,
            "command": self._command,
            "rehearsal": self._config.rehearses,
            "pid": os.getpid(),
            "state": "ended" if figures.ended else "running",
            "started_at": iso(figures.began),
            "ended_at": iso(figures.now) if figures.ended else None,
            "manifests": [os.path.realpath(one.name) for one in figures.manifests],
            "states": dict(sum((Counter(one.states) for one in figures.manifests), Counter())),
            "submitted": sum(one.submitted for one in figures.manifests),
            "downloaded": sum(one.downloaded for one in figures.manifests),
            "spend": {**figures.spend, "currency": self._config.budget.currency},
            "exit_code": figures.exit_code,
            "well": figures.well,
            "stopped_by": figures.stopped_by or next(filter(None, errors), None),
        }


@contextlib.contextmanager
def seen_run(
    first: Target,
    manifests: Sequence[Target | Refused],
    command: str,
    warn: Callable[[str], None],
    *,
    several: bool = False,
) -> Iterator[NightRecord]:
    """Yield what keeps the figures of a run for whoever looks from outside, as long as it lasts.

    Args:
        first: The first manifest that can be worked on, whose configuration is that of all.
        manifests: All of them.
        command: run, retry or fetch.
        warn: Shows a line.
        several: Whether there are several manifests, a folder or a pattern.

    """
    home = home_of(first.folder.root, Path(first.config.output.dir), several=several)
    outside = Outside(first.config, home, command, warn)
    with NightRecord(None, outside=outside) as record:
        record.begin([one.manifest for one in manifests])
        yield record


class Recording:
    """A watcher that keeps `night.json` up to date beside another one."""

    def __init__(self, record: NightRecord, shown: Watcher) -> None:
        self._record = record
        self._shown = shown
        self.say = shown.say
        self.warn = shown.warn

    @property
    def interval_s(self) -> float:
        """How often the one that is shown wants to be told, and the file."""
        return min(EVERY_S, self._shown.interval_s)

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is, here and there."""
        self._record.update(progress)
        self._shown.show(progress)


class Reelsheet(api.Reelsheet):
    """One manifest with its configuration and its output folder."""

    def _seen(self, target: Target, warn: Callable[[str], None]) -> AbstractContextManager[Seen]:
        return seen_run(target, [target], "run", warn)

    def _reached(self, outputs: Path, brake: Brake) -> AbstractContextManager[None]:
        return listening(outputs, brake)
