"""Rows of an edited results file find theirs in the manifest, whatever was done to the sheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.config.settings import Config
from pipeline.model import Manifest, Row
from pipeline.review.joining import Joined, join, means_the_same, strays

HEAD = ("sku", "prompt", "result_task_id", "result_take", "review")


def checked(tmp_path: Path, *keys: str, head: str = "sku,prompt") -> CheckedManifest:
    path = tmp_path / "m.csv"
    lines = [f"{key},A {key} thing" for key in keys]
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return check_manifest(path, Config(), cache_dir=None)


def joined(found: CheckedManifest, *rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Joined:
    table = Manifest(Path("results.csv"), head, tuple(Row(n, r) for n, r in enumerate(rows, 2)))
    return join(found, table, {"t-A": "A", "t-B": "B"})


def test_sorted_doubled_and_left_out_rows(tmp_path: Path) -> None:
    """Of doubled ones the first counts; a mere double is lost without harm."""
    found = checked(tmp_path, "A", "B", "C")
    a, b = ("A", "A A thing", "t-A", "1", "ok"), ("B", "A B thing", "t-B", "1", "")
    both = joined(found, b, a, a, ("B", "A B thing", "t-B", "1", "no"))
    assert {number: row.number for number, row in both.rows.items()} == {3: 2, 2: 3}
    assert [row.number for row in both.others] == [4, 5]
    assert [row.number for row in strays(both)] == [5]


def test_a_key_that_was_changed_or_is_gone(tmp_path: Path) -> None:
    """The task tells."""
    found = checked(tmp_path, "A", "B")
    renamed = joined(found, ("Alpha", "A A thing", "t-A", "1", ""), ("B", "x", "t-B", "1", ""))
    assert renamed.rows.keys() == {2, 3}
    without = joined(found, ("x", "t-B", "1", ""), head=HEAD[1:])
    assert without.rows.keys() == {3}


@pytest.mark.parametrize(
    ("key", "cell"),
    [
        ("007", "7"),
        ("4006381333931", "4.00638E+12"),
        ("4006381333931", "4,00638E+12"),
        ("12", "12.0"),
    ],
)
def test_keys_that_became_numbers(tmp_path: Path, key: str, cell: str) -> None:
    """Where only one key can be meant."""
    found = checked(tmp_path, key, "B")
    assert joined(found, (cell, "x", "", "1", "ok")).rows.keys() == {2}
    doubtful = checked(tmp_path, "4006381333931", "4006381333948")
    assert not joined(doubtful, ("4.00638E+12", "x", "", "1", "ok")).rows


def test_rows_without_keys(tmp_path: Path) -> None:
    """They are known by what they say, or by their tasks."""
    found = checked(tmp_path, "A", "B", head="title,prompt")
    row = ("B", "A B thing", "", "1", "ok")
    assert joined(found, row, head=("title", *HEAD[1:])).rows.keys() == {3}


def test_columns(tmp_path: Path) -> None:
    """The manifest's, ours by the names beside them, and those that a person added."""
    found = checked(tmp_path, "A")
    both = joined(
        found, ("x", "A", "A A thing", "1", "", "y"), head=("Boss", *HEAD[:2], *HEAD[3:], "Zz")
    )
    assert both.added == (0, 5)
    assert both.own == {0: 1, 1: 2}
    assert both.ours == {"result_take": 3, "review": 4}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("4.50", "4.5", True),
        ("007", "7", True),
        ("2026-01-31", "31.01.2026", True),
        ("2026-01-31", "31/1/2026 00:00", True),
        ("a  b", "a b", True),
        ("A lamp, red", "A lamp, blue", False),
        ("4006381333931", "4.00638E+12", True),
        ("12", "13", False),
    ],
)
def test_what_a_spreadsheet_program_writes_otherwise(one: str, other: str, same: bool) -> None:
    """Numbers and dates are the same in another form."""
    assert means_the_same(one, other) is same
