"""What is printed to be typed does what is said of it, when it is pasted: a table of situations."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import FAST, Ended, Product
from tests.system.harness.sampling import few_of


@pytest.fixture
def shop(product: Product, api: Api) -> Product:
    """A product whose settings all stand in a file with a blank in its name."""
    settings = {**FAST, **product.sets, "api.base_url": api.base_url, "provider": "toapis"}
    lines = [f"{name}: {value}" for name, value in settings.items()]
    (product.folder / "my settings.yaml").write_text("\n".join(lines), "utf-8")
    sheets.write(product.folder / "my shop.csv", rows(product, 5))
    return Product(product.folder, None, KEY)


def rows(product: Product, number: int) -> list[dict[str, str]]:
    return sheets.rows(number, f"{product.folder.name} {{}}")


NAMED = ("my shop.csv", "--config", "my settings.yaml", "--set", "limits.submits_in_flight=1")


def paste(shop: Product, text: str, begin: str) -> Ended:
    """Carry out the only command that begins so, up to the end of its line or sentence."""
    (line,) = {line for line in text.splitlines() if begin in line}
    command = re.split(r"\. |\.$|`", line[line.index(begin) :])[0]
    words = shlex.split(command)[1:]
    for word in ("--config", "my settings.yaml"):
        assert word in words, command
    return shop(*words)


def states(shop: Product) -> list[str]:
    return list(sheets.states(shop.folder / "outputs" / "my shop").values())


def test_a_night_that_ended_by_equal_refusals(shop: Product, api: Api) -> None:
    """The refused rows are tried again once the setting is right."""
    api.faults("submit_403*5")
    ended = shop("run", *NAMED)
    assert ended.code == 4, ended.err
    assert states(shop) == ["refused"] * 5
    pasted = paste(shop, ended.err, "reelsheet run")
    assert pasted.code == 0, pasted.err
    assert states(shop) == ["done"] * 5


@pytest.mark.parametrize("alone", [False, True], ids=["all of them", "this row alone"])
def test_rows_whose_failure_passes(shop: Product, api: Api, *, alone: bool) -> None:
    """The command is for all such rows; what is to be added makes it one for the row."""
    api.faults("query_failed_error@upstream_timeout*all")
    assert shop("run", *NAMED).code == 1
    api.faults()
    mark = api.mark()
    action = sheets.results(shop.folder / "outputs" / "my shop")[2]["result_action"]
    if alone:
        action = re.sub(r"(.*)\. For this row alone, add (.*)\.", r"\1 \2", action)
    pasted = paste(shop, action, "reelsheet retry")
    assert len(api.calls("submit", since=mark)) == (1 if alone else 5), pasted.err
    assert states(shop).count("done") == (1 if alone else 5)


def test_rows_that_no_retry_can_help(shop: Product, api: Api) -> None:
    """The row of the command is tried as it is, and no other."""
    api.faults("query_failed_error@content_policy_violation*all")
    assert shop("run", *NAMED).code == 1
    api.faults()
    mark = api.mark()
    ended = shop("retry", *NAMED)
    assert "5 rows left out" in ended.err
    paste(shop, ended.err, "reelsheet retry")
    assert len(api.calls("submit", since=mark)) == 1
    assert sorted(states(shop)) == ["done", *["failed"] * 4]


def test_a_damaged_book_of_another_configuration(shop: Product, api: Api) -> None:
    """It is the book of that configuration which is mended, and the run goes on."""
    book = shop.folder / "our books" / "book.db"
    with (shop.folder / "my settings.yaml").open("a", encoding="utf-8") as settings:
        settings.write(f"\naccount.book: {book}\n")
    assert shop("run", *NAMED).code == 0
    book.write_bytes(b"no book " * 2000)
    for more in book.parent.glob("book.db-*"):
        more.unlink()
    sheets.write(shop.folder / "my shop.csv", rows(shop, 6))
    ended = shop("run", *NAMED)
    assert ended.code == 5, ended.err
    mended = paste(shop, ended.err, "reelsheet account import")
    assert mended.code == 0, mended.err
    mark = api.mark()
    assert shop("run", *NAMED).code == 0
    assert len(api.calls("submit", since=mark)) == 1


@pytest.mark.parametrize("wrong", [None, "sk-wrong-0123456789"], ids=["none", "refused"])
def test_what_to_type_for_a_key(shop: Product, api: Api, wrong: str | None) -> None:
    """The line is typed as it is, with the key, before the same command."""
    api.faults()
    keyless = Product(shop.folder, None, wrong)
    ended = keyless("run", *NAMED)
    assert ended.code == (2 if wrong is None else 4), ended.err
    typed = re.search(r"(?i:type) (export \S+=YOUR_KEY)", ended.err)
    assert typed is not None, ended.err
    again = keyless.start("run", *NAMED, before=typed[1].replace("YOUR_KEY", KEY))
    ran = keyless.end(again)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    "command", few_of(["check", "plan", "status", "run", "fetch", "retry"], "check", "retry")
)
def test_a_configuration_in_another_folder(shop: Product, command: str) -> None:
    """It is pointed at by every command; whoever begins in its folder, or names it, uses it."""
    project = shop.folder / "my videos"
    project.mkdir()
    (project / "config.yaml").write_text((shop.folder / "my settings.yaml").read_text())
    (shop.folder / "my shop.csv").rename(project / "shop.csv")
    said = shop(command, "my videos/shop.csv").err
    note = re.search(
        r"says provider: toapis\. To use it, begin with: cd (.*?)\. Or add (.*) here", said
    )
    assert note is not None, said
    (there,) = shlex.split(note[1])
    inside = Product(shop.folder / there, None, KEY)
    assert "no config.yaml" not in inside(command, "shop.csv").err
    assert "no config.yaml" not in shop(command, "my videos/shop.csv", *shlex.split(note[2])).err


def test_where_the_configuration_is_said_to_be(shop: Product) -> None:
    """From a folder beside the project, and for the account, too."""
    (shop.folder / "my settings.yaml").rename(shop.folder / "config.yaml")
    beside = Path(shop.folder / "beside")
    beside.mkdir()
    away = Product(beside, None, KEY)
    for words in (("plan", "../my shop.csv"), ("report", "../my shop.csv"), ("account",)):
        assert "the one in .. is not used" in away(*words).err
