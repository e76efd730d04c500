"""docs/promises.md and docs/security.md: every promise names the tests that hold it; they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "promises.md"
SECURITY = PAGE.with_name("security.md")
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def promises(page: Path = PAGE) -> dict[str, list[tuple[str, str]]]:
    """Return the tests of each promise of a page, by its sentence."""
    rows = re.findall(r"^\| (?!promise \|)(.+?) \| (.+) \|$", page.read_text("utf-8"), re.MULTILINE)
    return {promise: NAMED.findall(held) for promise, held in rows}


@cache
def defined_in(file: str) -> frozenset[str]:
    """Return the names of the tests that a file defines, without running it."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


@pytest.mark.parametrize("promise", [*promises(), *promises(SECURITY)])
def test_each_promise_is_held_by_tests_that_exist(promise: str) -> None:
    """A renamed or deleted test leaves no promise with nothing behind it; pytest collects each."""
    held = (promises() | promises(SECURITY))[promise]
    assert held
    for file, name in held:
        assert (TESTS / file).is_file(), file
        assert Path(file).match("test_*.py"), file
        assert name in defined_in(file), f"{file}::{name}"


def test_the_page_on_security_speaks_of_every_attacker_and_of_its_limits() -> None:
    """Each has its chapter with promises, and what is not promised is said at the end."""
    chapters = re.split(r"^## ", SECURITY.read_text("utf-8"), flags=re.MULTILINE)[1:]
    titles = [chapter.splitlines()[0] for chapter in chapters]
    assert titles == [
        "The author of a sheet",
        "The API",
        "Another user of the machine",
        "Whoever writes the configuration",
        "What is not promised",
    ]
    for chapter in chapters[:-1]:
        assert chapter.count("\n| ") > 3
    assert chapters[-1].count("\n- ") > 5


def test_nothing_but_tests_stands_beside_a_promise() -> None:
    """What looks like a test and is misspelt would hold nothing."""
    for page in (PAGE, SECURITY):
        text = page.read_text("utf-8")
        for held in re.findall(r"^\| (?!promise \|).+? \| (.+) \|$", text, re.MULTILINE):
            assert not NAMED.sub("", held).strip()


def test_every_item_has_its_promise() -> None:
    """The nineteen numbered ones, and those that hold always."""
    numbers = {int(found[1]) for one in promises() if (found := re.match(r"(\d+)\. ", one))}
    assert numbers == set(range(1, 20))
    assert len([one for one in promises() if not one[0].isdigit()]) == 76
