"""`reelsheet check`: show all problems of a manifest at once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, TypedDict

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
    resolve_target,
)
from pipeline.cli.screen import print_json, problem_line
from pipeline.errors import ExitCode, ManifestError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.checker.check import CheckedManifest
    from pipeline.model import Problem


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", short_help="Show every problem of the manifest.")(_check)


def _check(
    manifest: ManifestPath,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    show_prompts: Annotated[
        int,
        typer.Option(
            "--show-prompts",
            metavar="N",
            min=0,
            help="Also print the first N prompts, exactly as they would be sent.",
        ),
    ] = 0,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Show every problem of the manifest at once; sends nothing.

    Each problem names the row, the cell, the column, what is wrong and what to do. Local pictures
    are opened and fully decoded. The exit code is 0 if every row can be sent, otherwise 2.
    """
    target = resolve_target(manifest, config, out, sets)
    prompts: list[_Prompt] = []
    try:
        found = checked(target, show=not quiet)
        rows, valid, problems = len(found.manifest.rows), found.valid, found.problems
        errors = len(found.errors)
        prompts = _prompts(found, show_prompts)
    except ManifestError as error:
        from pipeline.checker.check import file_problem

        if not as_json:
            raise
        rows, valid, problems, errors = 0, 0, (file_problem(error),), 1
    if as_json:
        document = _document(manifest, rows, valid, problems)
        print_json(document | ({"prompts": prompts} if show_prompts else {}))
    else:
        for prompt in prompts:
            typer.echo(f"row {prompt['row']} (key {prompt['key']}): {prompt['prompt']}")
        _print(manifest, rows, valid, problems, quiet=quiet and not verbose)
    if errors:
        raise typer.Exit(ExitCode.USAGE)


class _Prompt(TypedDict):
    row: int
    key: str
    prompt: str


def _prompts(found: CheckedManifest, most: int) -> list[_Prompt]:
    """Return the first prompts that would be sent, with their rows and keys."""
    keys = dict(zip((row.number for row in found.manifest.rows), found.keys, strict=True))
    return [
        {"row": number, "key": keys[number], "prompt": request.prompt}
        for number, request in islice(found.requests.items(), most)
    ]


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
        invalid = f", {rows - valid:,} of them cannot be sent" if valid < rows else ""
        from pipeline.model import Severity

        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        warnings = len(problems) - errors
        also = f", {count(warnings, 'warning')}" if warnings else ""
        typer.echo(f"{count(rows, 'row')}{invalid}, {count(errors, 'problem')}{also}.")
