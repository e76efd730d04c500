"""The problems of a manifest as lines: one each, or one for each kind where there are many.

Tested in tests/cli/test_check.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.screen import print_line, problem_line

if TYPE_CHECKING:
    from pipeline.checker.grouping import ProblemGroup
    from pipeline.model import Problem
    from pipeline.runner.target import Target


def list_problems(
    manifest: Path, problems: Sequence[Problem], *, singly: bool = False
) -> Iterator[str]:
    """Yield the lines that show problems: groups first, then those that stand alone.

    Args:
        manifest: The file that they are in.
        problems: All of them, in the order of the sheet.
        singly: Show each in a line of its own, however many there are.

    """
    from pipeline.checker.grouping import shown_groups

    groups = () if singly else shown_groups(problems)
    grouped = {id(problem) for group in groups for problem in group.problems}
    for problem in problems:
        if problem.row is None and id(problem) not in grouped:
            yield problem_line(manifest, problem)
    for group in groups:
        yield group_line(manifest, group)
    for problem in problems:
        if problem.row is not None and id(problem) not in grouped:
            yield problem_line(manifest, problem)


def group_line(manifest: Path, group: ProblemGroup) -> str:
    """Return a group as a line, as `problem_line` returns a problem."""
    return f"{manifest}:{group.rows[0]}: {group.first.severity}: {group.summary}"


def print_ways_on(target: Target, problems: Sequence[Problem]) -> None:
    """Say where all problems can be seen, where some were left out."""
    from pipeline.checker.grouping import shown_groups

    if shown_groups(problems):
        print_line(f"each problem in a line of its own: {target.invocation.command('check', '-v')}")


def describe_groups(problems: Sequence[Problem]) -> list[dict[str, object]]:
    """Return the groups that are shown, as parts of a JSON document."""
    from pipeline.checker.grouping import shown_groups

    return [
        {
            "code": group.first.code,
            "severity": group.first.severity,
            "column": group.column,
            "problems": len(group.problems),
            "rows": group.rows,
            "cells": group.cells,
            "message": group.sentence,
        }
        for group in shown_groups(problems)
    ]
