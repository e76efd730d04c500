"""The settings of nights: what they may be, and what is said of what they may not."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from pipeline.config.loading import load, load_in_part
from pipeline.config.nights import NightManifest, Notify, read_window
from pipeline.errors import ConfigError


def test_a_window_names_times_and_days() -> None:
    """Its days are those on which it begins; a row of them may go over Sunday."""
    window = read_window("fri-mon, wed 22:00-06:00")
    assert (window.start, window.end) == (time(22), time(6))
    assert window.days == {4, 5, 6, 0, 2}
    assert read_window("22:00-24:00").end == time(0)
    assert read_window(" Mon-Fri  8:00 - 17:30 ").days == frozenset(range(5))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("night.window=22-6", "is not a time from the beginning to the end"),
        ("night.window=25:00-06:00", "25:00 is no time of a day; write for example 06:30"),
        ("night.window=06:00-06:00", "begins and ends at the same time"),
        ("night.window=mo-fr 22:00-06:00", "write mon, tue, wed, thu, fri, sat or sun"),
        ("night.timezone=Berlin", "is not a time zone"),
        ("night.manifests=[a.csv, {path: b.csv, share: 0}]", "the place 2 of the list"),
        ("night.manifests=[{share: 1}]", "the place 1 of the list"),
        ("night.redo=[edited]", "must be a list of changed or rejected"),
        ("night.min_rows=-1", "must be a whole number from 0"),
        ("retry.wait_s=soon", "must be a number from 0 up to 604800"),
        ("outage.patience_s=long", "must be a number from 0 up to 604800 or window"),
        ("notify.urls_env=7", "must be the name of an environment variable"),
        ("budget.per_night.money=5", "per_night.money is a cap that needs price_per_second"),
    ],
)
def test_a_wrong_value_is_said_once_with_what_is_allowed(setting: str, said: str) -> None:
    """The setting is named, and where it was given."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ={}, overrides=[setting])
    _, fault = str(caught.value).splitlines()
    assert said in fault
    assert fault.strip().startswith("--set: ")


def test_manifests_are_paths_or_have_a_share_and_a_priority() -> None:
    """A single path needs no list."""
    text = "night.manifests=[a.csv, {path: 'new/*.xlsx', share: 3, priority: 1}]"
    plain, urgent = load(None, environ={}, overrides=[text]).night.manifests
    assert plain == NightManifest(path="a.csv", share=1.0, priority=0)
    assert urgent == NightManifest(path="new/*.xlsx", share=3.0, priority=1)
    environ = {"REELSHEET_NIGHT__MANIFESTS": "manifests", "REELSHEET_NIGHT__REDO": "changed"}
    night = load(None, environ=environ).night
    assert [one.path for one in night.manifests] == ["manifests"]
    assert night.redo == ("changed",)


@pytest.mark.parametrize(
    ("patience", "left_s", "waits_s"),
    [("60", None, 60), ("60", 5.0, 60), ("window", 7200.0, 7200), ("window", None, 1500)],
)
def test_an_outage_may_be_waited_out_until_the_window_ends(
    patience: str, left_s: float | None, waits_s: float
) -> None:
    """Where there is no end, it is waited for as long as by default."""
    config = load(None, environ={}, overrides=[f"outage.patience_s={patience}"])
    assert config.patience_within_s(left_s) == waits_s


@pytest.mark.parametrize(
    "setting", ["notify.urls_env=tgram://s3cret/1", "notify.webhook=s3cret", "notify.ping=s3cret"]
)
def test_an_address_in_the_wrong_place_is_not_shown(setting: str) -> None:
    with pytest.raises(ConfigError, match=r"notify\.") as caught:
        load(None, environ={}, overrides=[setting])
    assert "s3cret" not in str(caught.value)


def test_of_settings_that_are_refused_those_are_read_that_can_be(tmp_path: Path) -> None:
    """Each by itself, so that somebody can be told; a file that is none says nothing."""
    path = tmp_path / "config.yaml"
    path.write_text(
        "notify: {on: never, urls_file: a.txt, webhook: 7}\nno_such: 1\nlimits: {outstanding: x}\n"
        "provider: toapis\n  indented: wrongly\n"
    )
    wanted = ("notify.on", "notify.urls_file", "notify.webhook", "output.dir")
    overrides = ["output.dir=videos", "nonsense"]
    found = load_in_part(path, environ={}, overrides=overrides, wanted=wanted)
    assert (found.output.dir, found.provider) == ("videos", "rehearsal")
    path.write_text("notify: {on: never, urls_file: a.txt, webhook: 7}\nno_such: 1\n")
    found = load_in_part(path, environ={}, overrides=[], wanted=wanted)
    assert (found.notify.on, found.notify.urls_file) == ("attention", "a.txt")
    assert found.notify.webhook is None
    gone = load_in_part(tmp_path / "gone", environ={}, overrides=[], wanted=wanted)
    assert gone.notify == Notify()
