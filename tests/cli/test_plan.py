"""`reelsheet plan`: groups, seconds, money and time before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from pipeline.cli.app import app
from pipeline.cli.planning import _gigabytes
from tests.cli.conftest import Command

PRICE = ("--set", "budget.price_per_second=0.5")


def test_the_plan_counts_rows_and_seconds(manifest: Path, reelsheet: Command) -> None:
    """New and invalid rows, what would be submitted, and that a rehearsal costs nothing."""
    ended = reelsheet("plan", manifest)
    assert ended.exit_code == 0
    groups = {name: number for number, name in map(str.split, ended.stdout.splitlines()[:2])}
    assert groups == {"new": "2", "invalid": "1"}
    assert "to submit: 2 rows, 14 s of video" in ended.stdout
    assert "a rehearsal: nothing is paid" in ended.stdout


def test_a_price_gives_the_cost(manifest: Path, reelsheet: Command) -> None:
    """14 seconds of video at half a dollar; null in the document without a price."""
    assert ", 7.00 USD" in reelsheet("plan", manifest, *PRICE).stdout
    document = json.loads(reelsheet("plan", manifest, *PRICE, "--json").stdout)
    assert document["cost"] == {"amount": 7.0, "currency": "USD"}
    assert (document["rows"], document["video_seconds"]) == (3, 14)
    assert json.loads(reelsheet("plan", manifest, "--json").stdout)["cost"] is None


def test_the_price_is_that_of_each_rows_model(tmp_path: Path, reelsheet: Command) -> None:
    """By the sheets; of models without one it is said how many rows cost more than is known."""
    path = tmp_path / "mixed.csv"
    grok = "g,A cup turns,10,720p,https://a.example/1.jpg,grok-video-1.5"
    head = "key,prompt,duration,resolution,image_1,video_model"
    path.write_text(f"{head}\n{grok}\nv,A vase turns,8,,,veo3.1-fast\n", encoding="utf-8")
    live = ("--set", "provider=toapis")
    said = reelsheet("plan", path, *live).stdout
    assert "to submit: 2 rows, 18 s of video, at least 0.10 USD" in said
    assert "the sheets of the models name no price in USD for 1 row. Add --set budget." in said
    document = json.loads(reelsheet("plan", path, *live, "--json").stdout)
    assert document["cost"] is None
    assert document["cost_at_least"] == {"amount": 0.1, "currency": "USD"}
    path.write_text(f"{head}\n{grok}\n", encoding="utf-8")
    said = reelsheet("plan", path, *live).stdout
    assert ", 0.10 USD" in said
    assert "price" not in said
    euros = (*live, "--set", "budget.currency=EUR")
    said = reelsheet("plan", path, *euros).stdout
    assert "price: not known" in said
    assert "The sheets of grok-video-1.5 have their prices in USD, and budget.currency is" in said
    said = reelsheet("plan", path, *euros, "--set", "budget.price_per_second=0.5").stdout
    assert "their rows count 0.5 EUR a second by the settings." in said


def test_a_plan_says_what_is_new_about_models(
    tmp_path: Path, reelsheet: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which goes out with one row first, and whose rules nothing has checked; else nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    assert reelsheet("models", "new", "clip-2", "--like", "veo3.1-fast").exit_code == 0
    path = tmp_path / "mixed.csv"
    rows = "v,A vase turns,veo3.1-fast\nc,A cup turns,clip-2\ng,A lamp glows,\n"
    path.write_text(f"key,prompt,video_model\n{rows}", encoding="utf-8")
    said = reelsheet("plan", path).stdout
    assert said.count("was never run: one row goes first") == 2
    assert "The rules of clip-2 come from a sheet of yours alone" in said
    document = json.loads(reelsheet("plan", path, "--json").stdout)
    assert document["tried_first"] == ["veo3.1-fast", "clip-2"]
    assert document["unchecked_models"] == ["clip-2"]
    path.write_text("key,prompt,video_model\ng,A lamp glows,\n", encoding="utf-8")
    document = json.loads(reelsheet("plan", path, "--json").stdout)
    assert set(document) == {
        "manifest", "rows", "groups", "video_seconds", "cost", "cost_saved", "eta_s",
    }  # fmt: skip


def test_each_row_has_its_reason(manifest: Path, reelsheet: Command) -> None:
    """With -v there is a line for each row before the groups."""
    lines = reelsheet("plan", manifest, "-v").stdout.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["MUG", "BAG", "TEA"]


def test_a_dry_run_is_the_plan_of_what_is_asked_for(good: Path, reelsheet: Command) -> None:
    """`run --dry-run` takes the selection of a run and sends nothing."""
    ended = reelsheet("run", good, "--dry-run", "--only", "BAG")
    assert "to submit: 1 row, 10 s of video" in ended.stdout
    assert not Path("outputs").exists()


@pytest.mark.parametrize("state", ["done", "nonsense"])
def test_a_state_that_cannot_be_retried_is_refused(
    good: Path, reelsheet: Command, state: str
) -> None:
    """The message names the state and those that exist."""
    error = reelsheet("run", good, "--dry-run", "--retry", state).exception
    assert state in str(error)


@pytest.mark.parametrize("place", ["my-videos", "my-videos/manifests"])
def test_a_configuration_that_lies_elsewhere_is_pointed_at(
    good: Path, reelsheet: Command, place: str
) -> None:
    """Whoever starts in the wrong folder is not left with a rehearsal, and wonders."""
    folder = Path("my-videos/manifests")
    folder.mkdir(parents=True)
    good.rename(folder / good.name)
    note = "there is no config.yaml in this folder"
    assert note not in reelsheet("plan", folder / good.name).stderr
    config = Path(place, "config.yaml")
    config.write_text("provider: toapis\n", encoding="utf-8")
    shown = reelsheet("plan", folder / good.name).stderr
    assert f"{note}; the one in {place} is not used and says provider: toapis." in shown
    assert f"begin with: cd {place}. Or add --config {config} here." in shown
    assert note not in reelsheet("plan", folder / good.name, "--config", config).stderr
    config.write_text("nonsense: [", encoding="utf-8")
    assert (
        f"{note}; the one in {place} is not used. To use it"
        in reelsheet("plan", folder / good.name).stderr
    )
    Path("config.yaml").touch()
    assert note not in reelsheet("plan", folder / good.name).stderr


def test_a_plan_takes_the_options_of_a_run() -> None:
    """All but those that say how to go on, when to end or what to show; with the same words."""
    commands = {one.name: one for one in typer.main.get_group(app).commands.values()}
    run, plan = (
        {name: one for one in commands[command].params for name in one.opts}
        for command in ("run", "plan")
    )
    on_its_way = {"--yes", "-y", "--dry-run", "--until", "--max-runtime", "--fetch-pictures"}
    on_its_way.add("--log-format")
    assert set(run) - set(plan) == on_its_way
    assert set(plan) - set(run) == {"--json"}
    for name in set(plan) & set(run):
        assert getattr(plan[name], "help", None) == getattr(run[name], "help", None)


def test_gigabytes_are_finer_the_smaller_they_are() -> None:
    """What is free never looks like more than it is."""
    free = {size: _gigabytes(size, down=True) for size in (1.2999e9, 29.99e9, 0.0009e9)}
    assert list(free.values()) == ["1.29 GB", "29.9 GB", "0.000 GB"]
    needed = [_gigabytes(size) for size in (1.2999e9, 9.4e6, 100.0, 0)]
    assert needed == ["1.30 GB", "0.009 GB", "0.001 GB", "0.000 GB"]
