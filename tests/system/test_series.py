"""How a manifest joins a series: the commands that a refusal names pay for no row, pasted as told.

A table was run under one name; its next edition, with another word in every row, is run under
another. What the API accepted says what was paid for.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Ended, Product

pytestmark = pytest.mark.long

KEYS = [f"C{number:02}" for number in range(10)]
COMMAND = re.compile(r"reelsheet run .*?(?=\. [A-Z]|\.$)", re.MULTILINE)


@dataclass
class Shop:
    """A folder with editions of a table."""

    product: Product
    api: Api
    seen: int = 0
    sold: list[str] = field(default_factory=list)

    def write(self, name: str, words: str, *more: str) -> Path:
        """Write an edition, with these words in every prompt."""
        rows = [
            sheets.row(key, f"{self.product.folder.name}: {key} {words}") for key in (*KEYS, *more)
        ]
        path = self.product.folder / name
        path.parent.mkdir(exist_ok=True)
        sheets.write(path, rows)
        return Path(name)

    def run(self, *words: str | Path) -> Ended:
        """Run something in the folder of the table."""
        return self.product("run", *words)

    def paste(self, refused: Ended, *, ways: int) -> list[Ended]:
        """Carry out what a refusal names, but for the last, which pays for all."""
        assert refused.code == 2, refused.err
        commands = COMMAND.findall(refused.err)
        assert len(commands) == ways + 1, refused.err
        assert commands[-1].endswith("--pay-again all"), "which pays for all"
        return [self.run(*shlex.split(one)[2:]) for one in commands[:-1]]

    @property
    def bought(self) -> int:
        """How many rows were bought since the last time that this was asked."""
        before, self.seen = self.seen, self.api.mark()
        return len(self.api.calls("submit", since=before))

    def states(self, name: str) -> set[str]:
        """The states of the rows of an output folder."""
        return set(sheets.states(self.product.folder / "outputs" / name).values())


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """A folder without any manifest."""
    return Shop(product, api, api.mark())


@pytest.mark.parametrize(
    ("old", "new", "series"),
    [
        ("monday.csv", "tuesday.csv", "monday"),
        ("2026-11-26.csv", "2026-11-27.csv", "2026-11-26"),
        ("26.11.2026 Kaese.csv", "27.11.2026 Kaese.csv", "Kaese"),
        ("Bob's $list_20261126_0230.csv", "Bob's $list_20261127_0231.csv", "Bob's $list"),
        ("e-1.csv", "e-2.csv", "e"),
    ],
)
@pytest.mark.parametrize("setting", ["reuse", "pay"])
def test_what_a_refusal_names_pays_for_nothing(
    shop: Shop, old: str, new: str, series: str, setting: str
) -> None:
    """First the old edition, without what it has not bought, then the new one: both are free."""
    shop.product.sets = {**shop.product.sets, "repeats": setting}
    first = shop.write(old, "as first")
    assert shop.run(first).code == 0
    assert shop.bought == 10
    shop.write(old, "as first", "unbought")
    second = shop.write(new, "as second")
    ended = shop.paste(shop.run(second), ways=2)
    assert shop.bought == 0
    assert ended[1].code == 0, ended[1].err
    assert "10 rows edited since the video was made" in ended[1].err
    assert shop.states(series) == {"done"}
    assert shop.run(second, "--series", series).code == 0
    assert shop.run(shop.write("third.csv", "as third"), "--series", series).code == 0
    assert shop.bought == 0


def test_a_series_that_does_not_know_the_rows_is_asked_about(shop: Shop) -> None:
    """A series of another name, on the command line or in the settings, is no licence to pay."""
    assert shop.run(shop.write("monday.csv", "as first")).code == 0
    assert shop.bought == 10
    second = shop.write("tuesday.csv", "as second")
    refused = shop.run(second, "--series", "tuesday")
    assert (refused.code, shop.bought) == (2, 0)
    assert "10 of the 10 rows of tuesday.csv" in refused.err
    config = shop.product.folder / "config.yaml"
    config.write_text("manifest: {series: catalogue}\n", encoding="utf-8")
    assert "10 of the 10 rows" in shop.product("plan", second).err
    ended = shop.paste(shop.run(second), ways=2)
    assert [one.code for one in ended] == [0, 0], ended[1].err
    assert shop.bought == 0
    assert shop.states("catalogue") == {"done"}
    assert shop.run(second, "--series", "other", "--pay-again", "all").code == 0
    assert shop.bought == 10


def test_an_old_edition_that_was_edited_since(shop: Shop) -> None:
    """A series takes over what was bought for the very file, in whatever words it is now."""
    first = shop.write("monday.csv", "as first")
    assert shop.run(first).code == 0
    assert shop.run(first, "--series", "weeks").code == 0
    assert shop.bought == 10
    shop.write("monday.csv", "as edited")
    assert shop.run(first, "--series", "months").code == 0
    assert shop.bought == 0


def test_a_series_is_named_where_it_knows_the_rows(shop: Shop) -> None:
    """One command is enough."""
    assert shop.run(shop.write("monday.csv", "as first"), "--series", "week").code == 0
    assert shop.bought == 10
    (ended,) = shop.paste(shop.run(shop.write("tuesday.csv", "as second")), ways=1)
    assert (ended.code, shop.bought) == (0, 0), ended.err


@pytest.mark.parametrize("series", ["products", "catalogue"])
def test_an_edition_whose_file_is_gone(shop: Shop, series: str) -> None:
    """It cannot be run into the series first: the series takes its rows over with --adopt."""
    assert shop.run(shop.write("26/products.csv", "as first")).code == 0
    assert shop.bought == 10
    shutil.rmtree(shop.product.folder / "26")
    second = shop.write("27/products.csv", "as second")
    refused = shop.run(second, "--series", series)
    assert refused.code == 2
    named = COMMAND.findall(refused.err)[0]
    assert shop.run(*shlex.split(named)[2:]).code == 0
    assert shop.run(shop.write("28/products.csv", "as third"), "--series", series).code == 0
    assert shop.bought == 0
    assert shop.states(series) == {"done"}


@pytest.mark.parametrize("way", [0, 1])
@pytest.mark.parametrize(
    ("old", "new"), [("26/products.csv", "27/products.csv"), ("exp.csv", "exp2.csv")]
)
def test_what_is_named_where_the_file_is_gone(shop: Shop, old: str, new: str, way: int) -> None:
    """A series, or the file under its new name: each works alone, and buys nothing."""
    assert shop.run(shop.write(old, "as first")).code == 0
    assert shop.bought == 10
    (shop.product.folder / old).unlink()
    second = shop.write(new, "as second")
    refused = shop.run(second)
    assert refused.code == 2
    commands = COMMAND.findall(refused.err)
    assert len(commands) == 3, refused.err
    ended = shop.run(*shlex.split(commands[way])[2:])
    assert ended.code == 0, ended.err
    assert "10 rows edited since the video was made" in ended.err
    assert shop.bought == 0
    if way:
        assert shop.run(second).code == 0, "it has its folder again without --adopt"
        assert shop.bought == 0


def test_the_folder_of_another_manifest_joins_as_told(shop: Shop) -> None:
    """It is called as the series: its manifest is run into the series first."""
    assert shop.run(shop.write("exp.csv", "as first")).code == 0
    refused = shop.run(shop.write("exp2.csv", "as second"), "--series", "exp")
    assert "belongs to a manifest that is of no series" in refused.err
    assert shop.bought == 10
    for one in COMMAND.findall(refused.err):
        assert shop.run(*shlex.split(one)[2:]).code == 0
    assert shop.bought == 0
    assert shop.states("exp") == {"done"}


def test_adopt_that_changes_nothing_is_said(shop: Shop) -> None:
    """No file is gone: nothing can be taken over."""
    assert shop.run(shop.write("monday.csv", "as first")).code == 0
    refused = shop.run(shop.write("tuesday.csv", "as second"), "--adopt")
    assert refused.code == 2
    assert "--adopt changes nothing" in refused.err
    assert shop.bought == 10
