"""Where the book lies: on servers, in services, in containers, and where nothing can be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.account.opening import NO_BOOK, open_account
from pipeline.account.place import places_of, traces_near
from pipeline.account.purchases import find_purchases
from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
LIVE = ("provider=toapis",)


def config(*more: str) -> Config:
    return load(None, environ={}, overrides=[*LIVE, *more])


def opened(
    chosen: Config, environment: Mapping[str, str] | None = None
) -> tuple[Path | None, list[str]]:
    """Open the account; return where its book is, and what was told."""
    told: list[str] = []
    given = dict(os.environ) if environment is None else environment
    with open_account(chosen, given, told.append) as account:
        return (None if account is None else account.book.path), told


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_in_the_folder_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert opened(config()) == (tmp_path / "state" / "reelsheet" / "book.db", [])


def test_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    path, told = opened(config())
    assert path is not None
    assert path.is_relative_to(tmp_path / "home")
    assert told == []


def test_in_the_folder_of_the_service(tmp_path: Path) -> None:
    several = {"STATE_DIRECTORY": f"{tmp_path / 'var'}:/var/lib/other"}
    assert opened(config(), several) == (tmp_path / "var" / "book.db", [])
    path, _ = opened(config(), {"STATE_DIRECTORY": "relative"})
    assert path is not None
    assert path.is_absolute()
    assert "relative" not in path.parts


def test_a_relative_folder_of_the_user_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A book must be found again from every working folder."""
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", "home")
    *usual, hidden = places_of(config(), {}).paths
    assert hidden == tmp_path / "outputs" / ".account" / "book.db"
    assert all(path.is_absolute() and tmp_path not in path.parents for path in usual)


def test_where_the_setting_says(tmp_path: Path) -> None:
    assert opened(config("account.book=kept/it.db")) == (tmp_path / "kept" / "it.db", [])


def test_none_is_said_each_time() -> None:
    for _ in range(2):
        assert opened(config("account.book=none")) == (None, [NO_BOOK])


def test_a_rehearsal_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert opened(load(None, environ={})) == (None, [])
    assert not (tmp_path / "state").exists()


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose home, as /nonexistent of many services, can be made by nobody."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "file" / "home"))


@pytest.mark.usefixtures("nowhere")
def test_in_the_output_folder_as_a_last_resort_and_said_once(tmp_path: Path) -> None:
    hidden = tmp_path / "outputs" / ".account" / "book.db"
    path, told = opened(config())
    assert path == hidden
    assert len(told) == 1
    assert "account.book" in told[0]
    assert opened(config()) == (hidden, [])
    assert hidden.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("nowhere")
def test_a_book_of_the_last_resort_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same folders by a user with a home: the book that knows them is used."""
    first, _ = opened(config())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert opened(config()) == (first, [])


@pytest.mark.usefixtures("nowhere")
def test_a_place_that_was_chosen_has_no_other(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the account's book") as caught:
        opened(config(f"account.book={tmp_path / 'file' / 'book.db'}"))
    assert "account.book" in (caught.value.action or "")
    assert not (tmp_path / "outputs").exists()


def test_a_book_that_cannot_be_opened_is_never_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path, _ = opened(config())
    assert path is not None
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError, match="book"):
        opened(config())
    assert not (tmp_path / "outputs").exists()


def test_to_look_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    purchases = find_purchases(
        config(), os.environ, OutputFolder(tmp_path / "out"), tmp_path / "m.csv"
    )
    assert purchases is not None
    assert purchases.bought_elsewhere({"any"}) == {}
    assert places_of(config(), os.environ).found is None
    assert [*tmp_path.iterdir()] == []


def test_a_key_under_another_name_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    key = {"TOAPIS_API_KEY": "sk-one-key"}
    names = []
    for chosen in (
        config(),
        config("account.name=agency"),
        config("api.base_url=https://x.example"),
    ):
        told: list[str] = []
        with open_account(chosen, key, told.append) as account:
            assert account is not None
            names.append((account.name, len(told)))
            purchases = find_purchases(
                chosen, key, OutputFolder(tmp_path / "out"), tmp_path / "m.csv"
            )
            assert purchases is not None
            assert purchases.account == account.name
    assert names == [("toapis.com", 0), ("toapis.com", 1), ("toapis.com", 1)]
    with open_account(config("api.base_url=http://127.0.0.1:9"), key, print) as account:
        assert account is not None
        assert account.name == "127.0.0.1:9"


def test_the_key_is_not_needed_to_open_it() -> None:
    with open_account(config(), {}, print) as account:
        assert account is not None
        assert account.name == "toapis.com"


HOMELESS = """
import os, sys
from pathlib import Path
from pipeline.account.place import places_of
from pipeline.account.purchases import find_purchases
from pipeline.config.loading import load
os.environ.pop("HOME", None)
os.environ.pop("XDG_STATE_HOME", None)
os.chdir(sys.argv[1])
config = load(None, environ={}, overrides=["provider=toapis"])
os.setresuid(54321, 0, 0)
print(*places_of(config, os.environ).paths)
"""


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may be another")
def test_a_user_who_is_in_no_list(tmp_path: Path) -> None:
    """A container with any number as its user, and no HOME."""
    told = subprocess.run(
        [sys.executable, "-c", HOMELESS, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.strip() == str(tmp_path / "outputs" / ".account" / "book.db")


def test_what_is_left_of_a_run_beside_the_outputs_is_near(tmp_path: Path) -> None:
    """A folder without a journal whose summary names the manifest; those of others are not."""
    manifest = tmp_path / "shop.csv"
    manifest.touch()
    for name, its in (("old", manifest), ("other", tmp_path / "elsewhere" / "x.csv")):
        folder = tmp_path / "earlier" / name
        folder.mkdir(parents=True)
        (folder / "summary.json").write_text(json.dumps({"manifest": str(its)}), encoding="utf-8")
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    assert [*traces_near(outputs, None, [manifest])] == [tmp_path / "earlier" / "old"]
