"""docs/promises.md: every promise names the tests that hold it, and they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "promises.md"
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def promises() -> dict[str, list[tuple[str, str]]]:
    """Return the tests of each promise, by its sentence."""
    rows = re.findall(r"^\| (?!promise \|)(.+?) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
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


@pytest.mark.parametrize("promise", promises())
def test_each_promise_is_held_by_tests_that_exist(promise: str) -> None:
    """A renamed or deleted test leaves no promise with nothing behind it."""
    held = promises()[promise]
    assert held
    for file, name in held:
        assert (TESTS / file).is_file(), file
        assert name in defined_in(file), f"{file}::{name}"


def test_nothing_but_tests_stands_beside_a_promise() -> None:
    """What looks like a test and is misspelt would hold nothing."""
    rows = re.findall(r"^\| (?!promise \|).+? \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    for held in rows:
        assert not NAMED.sub("", held).strip()


def test_every_item_has_its_promise() -> None:
    """The nineteen numbered ones, and those that hold always."""
    numbers = {int(found[1]) for one in promises() if (found := re.match(r"(\d+)\. ", one))}
    assert numbers == set(range(1, 20))
    assert len([one for one in promises() if not one[0].isdigit()]) == 43
