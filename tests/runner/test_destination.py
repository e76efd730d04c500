"""Where the key may go without a question, and what is remembered of a yes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.account.place import BOOK_FILE
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.runner.destination import refuse_strange_destination, say_destination
from tests.account.accounts import lane, opened

USUAL = {"base_url": "https://toapis.com"}
OTHER = {"base_url": "https://gateway.example/v1"}
VARIABLE = {"key_env": "SHOP_KEY"}


def live(**api: str) -> Config:
    return Config.model_validate({"provider": "toapis", "api": api})


def buy_one(book: Path, account: str) -> None:
    """Note in a book that something was bought from an account."""
    book.parent.mkdir(exist_ok=True)
    with opened(book) as opened_book, lane(opened_book, book.parent / "out", account) as one:
        one.intend("a")


@pytest.fixture
def state(tmp_path: Path) -> Mapping[str, str]:
    """Return an environment with a folder for state that nothing lies in."""
    return {"STATE_DIRECTORY": str(tmp_path / "state")}


def refuses(config: Config, state: Mapping[str, str]) -> bool:
    try:
        refuse_strange_destination(config, state)
    except UsageError:
        return True
    return False


@pytest.mark.parametrize(
    "config",
    [
        Config(),
        live(),
        live(base_url="https://toapis.cn/v1"),
        live(base_url="http://127.0.0.1:8000"),
        live(base_url="http://localhost:8000"),
    ],
)
def test_the_usual_ones_need_no_question(config: Config, state: Mapping[str, str]) -> None:
    """A rehearsal, the provider under both its names, and hosts of this machine."""
    assert not refuses(config, state)


@pytest.mark.parametrize(
    "api",
    [OTHER, VARIABLE, {**VARIABLE, "base_url": "http://127.0.0.1:8000"}, {**OTHER, **VARIABLE}],
)
def test_another_host_or_variable_is_asked_about_once(
    api: Mapping[str, str], state: Mapping[str, str]
) -> None:
    """Who says no is asked again, who says yes is not; both are named."""
    asked: list[str] = []

    def answer(*, yes: bool) -> None:
        def say(refusal: UsageError) -> bool:
            asked.append(refusal.message)
            return yes

        refuse_strange_destination(live(**api), state, say)

    with pytest.raises(UsageError, match="first live run"):
        answer(yes=False)
    answer(yes=True)
    answer(yes=False)
    assert len(asked) == 2
    host = api.get("base_url", USUAL["base_url"]).removesuffix("/v1")
    assert f"{host} with a key from {api.get('key_env', 'TOAPIS_API_KEY')}" in asked[0]


def test_a_yes_holds_for_one_host_with_one_variable(state: Mapping[str, str]) -> None:
    """Not for the other variable there, nor for the other host with it, nor for another port."""
    refuse_strange_destination(live(**OTHER), state, lambda _: True)
    refuse_strange_destination(live(**VARIABLE), state, lambda _: True)
    assert not refuses(live(**OTHER), state)
    assert not refuses(live(**VARIABLE), state)
    assert refuses(live(**OTHER, **VARIABLE), state)
    assert refuses(live(base_url="https://gateway.example:8443"), state)


def test_what_earlier_versions_bought_from_is_known(state: Mapping[str, str]) -> None:
    """A night that went on for weeks does not stop with an upgrade; later ones are asked about."""
    buy_one(Path(state["STATE_DIRECTORY"]) / BOOK_FILE, "gateway.example")
    assert not refuses(live(**OTHER, **VARIABLE), state)
    assert not refuses(live(**OTHER), state)
    assert refuses(live(**VARIABLE), state)


def test_the_book_says_nothing_once_it_was_asked(state: Mapping[str, str]) -> None:
    """Else a second variable would go unasked wherever anything was bought."""
    buy_one(Path(state["STATE_DIRECTORY"]) / BOOK_FILE, "toapis.com")
    assert not refuses(live(), state)
    assert refuses(live(**VARIABLE), state)


def test_a_book_named_by_the_configuration_says_nothing(
    state: Mapping[str, str], tmp_path: Path
) -> None:
    """It may have come along with it."""
    book = tmp_path / "given.db"
    buy_one(book, "gateway.example")
    given = {"provider": "toapis", "api": OTHER, "account": {"book": str(book)}}
    assert refuses(Config.model_validate(given), state)


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_what_is_remembered_is_its_owner_s(state: Mapping[str, str]) -> None:
    """Nobody else writes into it, and a link in its place is not followed."""
    refuse_strange_destination(live(**OTHER), state, lambda _: True)
    file = Path(state["STATE_DIRECTORY"]) / "destinations"
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")
    refuse_strange_destination(live(**VARIABLE), state, lambda _: True)
    assert file.with_name("elsewhere").read_bytes() == content


def test_a_plan_says_where_a_live_run_goes() -> None:
    """Whenever host or variable is not the default, and that it is live."""
    assert say_destination(Config()) is None
    assert say_destination(live()) is None
    assert say_destination(live(**OTHER)) == (
        "live at https://gateway.example, key from TOAPIS_API_KEY"
    )
    assert say_destination(live(**VARIABLE)) == ("live at https://toapis.com, key from SHOP_KEY")
