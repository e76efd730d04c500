"""The textfile for Prometheus: whole, readable, and of the figures of night.json."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.loading import load
from pipeline.engine.limits import Spend
from pipeline.errors import ConfigError, ExitCode, StoreError
from pipeline.model import State
from pipeline.night.metrics import FAMILIES, Figures, ManifestFigures, render, write_textfile
from pipeline.night.outside import Outside, Recording
from pipeline.night.record import NightRecord
from pipeline.runner.watching import ManifestProgress, RunProgress
from pipeline.writer.layout import Result
from tests.night.ended import report

Sample = tuple[str, tuple[tuple[str, str], ...]]

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_LINE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (\S+)")
_MEANT = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def parsed(text: str) -> dict[Sample, float]:
    """The samples of a text in Prometheus' text format, held to it line by line."""
    assert text.endswith("\n")
    samples: dict[Sample, float] = {}
    types: dict[str, str] = {}
    helps: list[str] = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            helps.append(line.split(" ")[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
        else:
            found = _LINE.fullmatch(line)
            assert found is not None, line
            name, labels = found[1], _LABEL.findall(found[2] or "")
            assert "".join(f'{a}="{b}",' for a, b in labels).removesuffix(",") == (found[2] or "")
            assert name == [*types][-1], "the samples of a family stand together"
            assert (types[name] == "counter") == name.endswith("_total")
            meant = tuple((a, re.sub(r"\\.", lambda one: _MEANT[one[0]], b)) for a, b in labels)
            assert (name, meant) not in samples
            samples[name, meant] = float(found[3])
    assert helps == [*types]
    return samples


def value(samples: dict[Sample, float], name: str, **labels: str) -> float | None:
    return samples.get((f"reelsheet_{name}", tuple(labels.items())))


FIGURES = Figures(
    began=1000.0,
    now=1060.5,
    ended=False,
    exit_code=None,
    stopped_by=None,
    spend={},
    manifests=(
        ManifestFigures("a.csv", {"done": 2}, 3, 2, 4_000_000_000, 9, 1.5, 1010.25, None),
        ManifestFigures("b.csv", {}, exit_code=2),
    ),
    command="night",
    provider="toapis",
    currency="EUR",
    last_success=12.0,
)


def test_every_figure_has_its_name_and_its_type() -> None:
    """All of them begin with reelsheet_; what is not known is left out."""
    samples = parsed(render(FIGURES))
    assert value(samples, "up") == 1
    assert value(samples, "exit_code") is None
    assert value(samples, "last_success_timestamp_seconds") == 12
    assert value(samples, "rows", manifest="a.csv", state="done") == 2
    assert value(samples, "rows", manifest="a.csv", state="failed") == 0
    assert value(samples, "submissions_total", manifest="a.csv") == 3
    assert value(samples, "downloads_total", manifest="a.csv") == 2
    assert value(samples, "downloaded_bytes_total", manifest="a.csv") == 4e9
    assert value(samples, "polls_total", manifest="a.csv") == 9
    assert value(samples, "money", manifest="a.csv", currency="EUR") == 1.5
    assert value(samples, "money", manifest="b.csv", currency="EUR") is None
    assert value(samples, "oldest_paid_timestamp_seconds", manifest="a.csv") == 1010.25
    assert value(samples, "oldest_paid_age_seconds", manifest="a.csv") == 50.25
    assert value(samples, "oldest_paid_age_seconds", manifest="b.csv") == 0
    assert value(samples, "manifest_exit_code", manifest="b.csv") == 2
    ended = parsed(render(replace(FIGURES, ended=True, exit_code=5)))
    assert (value(ended, "up"), value(ended, "exit_code")) == (0, 5)
    assert value(ended, "ended_timestamp_seconds") == 1060.5
    assert {name.removeprefix("reelsheet_") for name, _ in [*samples, *ended]} == set(FAMILIES)


@given(st.lists(st.text(), min_size=1, max_size=3, unique=True))
def test_whatever_a_manifest_is_called(names: list[str]) -> None:
    """Quotes, backslashes, line breaks and halves of characters: one sample each."""
    manifests = tuple(ManifestFigures(name) for name in names)
    text = render(replace(FIGURES, manifests=manifests))
    samples = parsed(text)
    assert all(value(samples, "polls_total", manifest=name) == 0 for name in names)


@pytest.mark.skipif(sys.platform == "win32", reason="needs rights of POSIX")
def test_the_exporter_can_read_it_and_sees_it_whole(tmp_path: Path) -> None:
    """Whatever the umask; what is written beside it is none of the exporter's files."""
    path = tmp_path / "node" / "reelsheet.prom"
    before = os.umask(0o077)
    try:
        for _ in range(2):
            write_textfile(path, FIGURES)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in path.parent.iterdir()] == ["reelsheet.prom"]


def test_nothing_else_is_written_over(tmp_path: Path) -> None:
    """A manifest that was named by mistake keeps its bytes; an empty file may be ours."""
    path = tmp_path / "shop.csv"
    path.write_text("sku,prompt\n", encoding="utf-8")
    with pytest.raises(StoreError, match="something else than metrics"):
        write_textfile(path, FIGURES)
    assert path.read_text("utf-8") == "sku,prompt\n"
    path.write_bytes(b"")
    write_textfile(path, FIGURES)
    assert parsed(path.read_text("utf-8"))


class Quiet:
    interval_s = 1.0

    def show(self, progress: RunProgress) -> None: ...

    def say(self, line: str) -> None: ...

    def warn(self, line: str) -> None: ...


def test_they_are_kept_up_to_date_and_true_after_the_end(tmp_path: Path) -> None:
    """They are the figures that night.json has; the last success outlives a failure."""
    path = tmp_path / "m.prom"
    sets = [f"metrics.textfile={path}", "provider=toapis", "budget.price_per_second=0.1"]
    config = load(None, environ={}, overrides=sets)
    clock, warned = [5000.0], list[str]()

    def record() -> NightRecord:
        outside = Outside(config, tmp_path, "night", warned.append)
        return NightRecord(
            tmp_path / "night.json", outside=outside, now=lambda: clock[0], wall=lambda: clock[0]
        )

    with record() as one:
        one.begin([Path("a.csv")])
        assert value(parsed(path.read_text()), "up") == 1
        states = {State.RUNNING: 1, State.DONE: 2}
        spend = Spend(3, 18, 1.8)
        each = ManifestProgress(Path("a.csv"), states, 3, 2, spend, polls=1, paid_since=4990.0)
        clock[0] += 6
        Recording(one, Quiet()).show(RunProgress(states, 3, 2, each=(each,)))
        running = parsed(path.read_text())
        assert value(running, "rows", manifest="a.csv", state="running") == 1
        assert value(running, "money", manifest="a.csv", currency="USD") == 1.8
        assert value(running, "oldest_paid_age_seconds", manifest="a.csv") == 16
        done = Result(2, State.DONE)
        one.end(ExitCode.DONE, [(Path("a.csv"), report(tmp_path / "a", done, money=2.0))])
    ended = parsed(path.read_text())
    assert (value(ended, "up"), value(ended, "exit_code")) == (0, 0)
    assert value(ended, "last_success_timestamp_seconds") == 5006
    assert value(ended, "money", manifest="a.csv", currency="USD") == 2.0
    clock[0] += 50
    with record() as one:
        one.end(ExitCode.NEEDS_USER, [(Path("a.csv"), ConfigError("there is no key."))])
    assert value(parsed(path.read_text()), "last_success_timestamp_seconds") == 5006
    clock[0] += 50
    with pytest.raises(ZeroDivisionError), record():
        raise ZeroDivisionError
    failed = parsed(path.read_text())
    assert value(failed, "exit_code") == 70
    assert value(failed, "last_success_timestamp_seconds") == 5006
    path.write_text("mine\n", encoding="utf-8")
    with record() as one:
        one.begin([Path("a.csv")])
    assert len(warned) == 1, "said once"
    assert "metrics.textfile" in warned[0]
