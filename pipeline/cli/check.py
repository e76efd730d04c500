"""`reelsheet check`: all problems of the whole manifest at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import (
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Set,
    Verbose,
    checked,
    settle,
)
from pipeline.cli.screen import count, print_json, problem_line
from pipeline.errors import ExitCode, ManifestError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.model import Problem


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(_check)


def _check(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show every problem of the manifest at once; sends nothing.

    Each problem names the row, the cell, the column, what is wrong and what to do. Local pictures
    are opened and fully decoded. Exit code 0 if every row could be sent, 2 if not.
    """
    setting = settle(manifest, config, out, sets)
    try:
        found = checked(setting, show=not quiet)
        rows, valid, problems = len(found.manifest.rows), found.valid, found.problems
        errors = len(found.errors)
    except ManifestError as error:
        from pipeline.check import file_problem

        if not as_json:
            raise
        rows, valid, problems, errors = 0, 0, (file_problem(error),), 1
    if as_json:
        print_json(_document(manifest, rows, valid, problems))
    else:
        _print(manifest, rows, valid, problems, quiet=quiet and not verbose)
    if errors:
        raise typer.Exit(ExitCode.USAGE)


def _document(
    manifest: Path, rows: int, valid: int, problems: Sequence[Problem]
) -> dict[str, object]:
    return {
        "manifest": str(manifest),
        "rows": rows,
        "valid": valid,
        "problems": [
            {
                "row": problem.row,
                "cell": problem.cell,
                "column": problem.column,
                "key": problem.key,
                "code": problem.code,
                "severity": problem.severity.value,
                "message": problem.message,
            }
            for problem in problems
        ],
    }


def _print(
    manifest: Path, rows: int, valid: int, problems: Sequence[Problem], *, quiet: bool
) -> None:
    for problem in problems:
        typer.echo(problem_line(manifest, problem))
    if not quiet:
        invalid = f", {rows - valid:,} of them cannot be sent as they are" if valid < rows else ""
        typer.echo(f"{count(rows, 'row')}{invalid}, {count(len(problems), 'problem')}.")
