"""Settings of workers that cannot be carried out are refused in a sentence, before all else."""

from __future__ import annotations

import sys

import pytest

from pipeline.config.loading import load
from pipeline.errors import ConfigError
from pipeline.fleet import choice

ELSEWHERE = "fleet.scheduler=tls://host:8786"


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["fleet.local=2"],
        [ELSEWHERE, "output.videos=s3://my-videos/spring"],
        [ELSEWHERE, "output.shared=true"],
        [ELSEWHERE, "output.shared=true", "output.videos=/mnt/nas"],
    ],
)
def test_what_can_be_done_passes(settings: list[str]) -> None:
    choice.refuse_unfit_settings(load(None, environ={}, overrides=settings))


@pytest.mark.parametrize("settings", [[ELSEWHERE], [ELSEWHERE, "output.videos=/mnt/nas"]])
def test_videos_do_not_stay_on_other_machines(settings: list[str]) -> None:
    """Both ways out are named."""
    with pytest.raises(ConfigError, match="would stay there") as refused:
        choice.refuse_unfit_settings(load(None, environ={}, overrides=settings))
    assert "output.videos" in (refused.value.action or "")
    assert "output.shared" in (refused.value.action or "")


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("fleet.scheduler=tcp://host:8786", "is not encrypted"),
        ("fleet.scheduler=tls://host", "is not the address of a scheduler"),
        ("fleet.scheduler=https://host:1", "is not the address of a scheduler"),
        ("fleet.scheduler=tls://me:pass@host:1", "is not the address of a scheduler"),
        ("fleet.scheduler=tls://host:99999999", "is not the address of a scheduler"),
        ("fleet.local=0", "from 1 up to 64"),
        ("fleet.slots=0", "from 1 up to 64"),
    ],
)
def test_settings_that_nobody_can_mean(setting: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        load(None, environ={}, overrides=[setting])
    assert "pass@" not in str(refused.value)


def test_one_kind_of_workers_at_a_time() -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        load(None, environ={}, overrides=["fleet.scheduler=tcp://127.0.0.1:1", "fleet.local=1"])


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, with what to type."""
    monkeypatch.setattr(choice, "_LIBRARIES", ("distributed", "surely_not_there"))
    with pytest.raises(ConfigError, match=r'pip install "reelsheet\[fleet\]"'):
        choice.refuse_unfit_settings(load(None, environ={}, overrides=["fleet.local=1"]))
    choice.refuse_unfit_settings(load(None, environ={}))


def test_a_missing_library_for_buckets_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the manifest is read: a plan says so, too. With workers it is theirs that is named."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    away = "output.videos=s3://my-videos/spring"
    with pytest.raises(ConfigError, match=r"reelsheet\[cloud\]"):
        choice.refuse_unfit_settings(load(None, environ={}, overrides=[away]))
    with pytest.raises(ConfigError, match=r"reelsheet\[fleet\]"):
        choice.refuse_unfit_settings(load(None, environ={}, overrides=[away, "fleet.local=1"]))
