"""`reelsheet night`: whom a mistyped one is told to, and what counts when its window opens."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pipeline.cli import night
from pipeline.cli.several import Targets
from pipeline.config.settings import Config
from pipeline.errors import ExitCode, UsageError
from pipeline.night.health import look_at_night
from pipeline.night.history import FILE_NAME
from pipeline.night.record import NightRecord
from pipeline.runner.target import load_settings
from tests.cli.conftest import Command

_MISTYPED = (["no/*.csv"], ["gone.csv"], ["shop.csv", "--until", "25:99"])


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize("words", _MISTYPED)
def test_who_mistypes_a_night_by_hand_leaves_the_last_one_alone(
    manifest: Path,
    reelsheet: Command,
    monkeypatch: pytest.MonkeyPatch,
    *,
    seen: bool,
    words: list[str],
) -> None:
    """What a person reads on a terminal is enough; under cron somebody has to be told."""
    outputs = manifest.absolute().parent / "outputs"
    with NightRecord(outputs / "night.json") as record:
        record.end(ExitCode.DONE, [])
    before = (outputs / "night.json").read_text()
    monkeypatch.setattr(night, "is_terminal", lambda _: seen)
    live = ("--set", "provider=toapis", "--set", "account.book=off")
    told = reelsheet("night", *words, *live)
    assert getattr(told.exception, "exit_code", told.exit_code) == 2
    assert ((outputs / "night.json").read_text() == before) is seen
    assert (outputs / FILE_NAME).exists() is not seen
    assert look_at_night(outputs, None, 0.0)[0] is seen
    if not seen:
        assert json.loads((outputs / "night.json").read_text())["exit_code"] == 2


@pytest.fixture
def change(tmp_path: Path) -> Callable[[str], str | None]:
    """Begin a night by a configuration, change that, and return what counts when it opens."""
    path = tmp_path / "config.yaml"

    def anew(text: str) -> str | None:
        path.write_text("{provider: toapis, night: {window: '22:00-06:00'}, notify: {on: money}}")
        load = partial(load_settings, path, [])
        before, _ = load()
        path.write_text(text)
        found: list[str | None] = []

        def find(loaded: Config, out: Path | None = None) -> tuple[night.NightManifests, Targets]:
            per_night = loaded.budget.per_night.videos
            found.append(str(out) if out else None if per_night is None else str(per_night))
            raise EOFError

        with contextlib.suppress(EOFError):
            night.find_anew(find, load, before, rehearse=False)
        return found[0]

    return anew


def test_a_night_that_waited_goes_by_the_settings_of_the_moment_it_opens(
    change: Callable[[str], str | None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its budget is the new one; to what it has acted upon it keeps, and says so."""
    same = "{provider: toapis, night: {window: '22:00-06:00'}, notify: {on: money}}"
    assert change(same.replace("{provider", "{budget: {per_night: {videos: 3}}, provider")) == "3"
    assert not capsys.readouterr().err
    assert change("{provider: toapis, night: {window: '01:00-02:00'}}") is None
    said = "note: night.window, notify were changed and count from the next night on"
    assert said in capsys.readouterr().err
    elsewhere = same[:-1] + ", output: {dir: new}, metrics: {textfile: new.prom}}"
    assert change(elsewhere) == "outputs", "where the night has its record, its journals are"
    said = "note: metrics, output.dir were changed and count from the next night on"
    assert said in capsys.readouterr().err


def test_a_night_that_waited_does_not_rehearse_when_it_opens(
    change: Callable[[str], str | None],
) -> None:
    """It would make nothing, and nobody would see it."""
    with pytest.raises(UsageError, match="provider is rehearsal"):
        change("{provider: rehearsal}")
