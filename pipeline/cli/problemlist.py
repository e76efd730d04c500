"""The problems of a manifest as lines: one each, or one for each kind where there are many.

Tested in tests/cli/test_check.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import check_and_show
from pipeline.cli.screen import print_line, problem_line, say

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.checker.grouping import ProblemGroup
    from pipeline.model import Problem
    from pipeline.runner.target import Target

MARKED_IN = "marked in the sheet, each cell with a note: "
"""What precedes the path of the workbook of problems."""


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
    """Say how all problems can be seen, where some were left out."""
    from pipeline.checker.grouping import shown_groups

    if shown_groups(problems):
        print_line(f"each problem in a line of its own: {target.invocation.command('check', '-v')}")


def mark_problems(target: Target, checked: CheckedManifest) -> Path | None:
    """Bring the workbook of problems up to date; return where it is, None if there is none."""
    from pipeline.writer.problemfile import update_problem_file

    if target.refusal is not None:  # the folder is that of another manifest
        return None
    marked = update_problem_file(checked, target.folder)
    for note in marked.notes:
        say(f"note: {note}")
    return marked.path


def check_to_begin(
    target: Target, *, show: bool, strict: bool, write: bool = True
) -> CheckedManifest:
    """Check a manifest before a run or a plan, and say where the problems that forbid it are.

    Args:
        target: The manifest.
        show: Whether to show progress over its pictures.
        strict: Whether a row that breaks a rule keeps the run from starting.
        write: Whether to mark the problems now; a plan, which writes nothing, only says where a
            check has marked them.

    Raises:
        ManifestError: The file is no table.
        ConfigError: A setting does not fit it.

    """
    checked = check_and_show(target, show=show)
    if not (strict and checked.errors):
        return checked
    from pipeline.writer.problemfile import problem_file

    path = mark_problems(target, checked) if write else problem_file(target.manifest, target.folder)
    if path is not None and path.is_file():
        say(f"{MARKED_IN}{path}")
    return checked


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
