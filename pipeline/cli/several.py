"""One manifest or several: what a command works on, and how it is printed for each of them.

Of a single manifest, everything is printed as if no other could be named, and what is wrong with it
is raised. Tested in tests/cli/test_several.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from pipeline.cli.options import resolve_options, with_series
from pipeline.cli.screen import print_json, problem_line
from pipeline.errors import ExitCode, ReelsheetError

if TYPE_CHECKING:
    from pipeline.runner.target import Refused, Target

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Targets:
    """What a command works on. `several` says that its output is of that form."""

    all: Sequence[Target | Refused]
    several: bool

    @property
    def first(self) -> Target:
        """One of them, for what is the same for all: the configuration; raises ReelsheetError."""
        from pipeline.runner.target import Target

        refused = None
        for one in self.all:
            if isinstance(one, Target):
                return one
            refused = refused or one.error
        assert refused is not None  # noqa: S101 - there is at least one
        raise refused


def resolve_several(
    manifests: Sequence[Path],
    config: Path | None,
    out: Path | None,
    sets: list[str] | None,
    *,
    adopt: bool = False,
    series: str | None = None,
) -> Targets:
    """Resolve the shared options for the manifests that are named, be it a single one."""
    from pipeline.runner.manifests import find_manifests
    from pipeline.runner.target import Target, resolve_targets

    named = find_manifests(manifests)
    if not named.several:
        target = resolve_options(named.manifests[0], config, out, sets, adopt=adopt, series=series)
        return Targets([target], False)
    sets = with_series(sets, series)
    targets = resolve_targets(named.manifests, config, out, sets, adopt=adopt)
    notes = (note for one in targets if isinstance(one, Target) for note in one.notes)
    for note in dict.fromkeys(notes):  # those of the configuration are the same for all
        typer.echo(f"note: {note}", err=True)
    return Targets(targets, True)


def print_documents(
    targets: Targets,
    items: Sequence[_Item | Refused],
    document: Callable[[_Item], dict[str, object]],
) -> None:
    """Print the JSON document of the manifest; of several, one with theirs under "manifests".

    Args:
        targets: What the command works on.
        items: What came of each manifest, in their order.
        document: Makes the document of one.

    """
    from pipeline.runner.target import Refused

    documents: list[dict[str, object]] = []
    for item in items:
        if not isinstance(item, Refused):
            documents.append(document(item))
            continue
        error = item.error
        if not targets.several:
            raise error
        said = {"error": error.message, "action": error.action, "exit_code": int(error.exit_code)}
        documents.append({"manifest": str(item.manifest), **said})
    print_json({"manifests": documents} if targets.several else documents[0])


def show_each(
    targets: Targets,
    items: Sequence[_Item | Refused],
    show: Callable[[_Item], None],
    *,
    headings: bool = True,
) -> None:
    """Print what came of each manifest; of several, each under its name.

    Args:
        targets: What the command works on.
        items: What came of each manifest, in their order.
        show: Prints one.
        headings: Whether to print the names.

    """
    from pipeline.runner.target import Refused

    for target, item in zip(targets.all, items, strict=True):
        if isinstance(item, Refused):
            if not targets.several:
                raise item.error
            say_refused(item)
            continue
        if targets.several and headings:
            typer.echo(f"{target.manifest}:")
        show(item)


def end_reading(items: Sequence[object]) -> None:
    """End a command that only reads with the code of the manifests that it could not read."""
    from pipeline.runner.target import Refused
    from pipeline.writer.outcome import code_of_several

    refused = [item.error.exit_code for item in items if isinstance(item, Refused)]
    code = code_of_several([ExitCode.DONE] * (len(items) - len(refused)), refused)
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def say_refused(refused: Refused) -> None:
    """Say why one of several manifests is not worked on; the others are."""
    from pipeline.runner.order import RowsInvalid

    manifest, error = refused.manifest, refused.error
    if isinstance(error, RowsInvalid):
        for problem in error.problems:
            typer.echo(problem_line(manifest, problem), err=True)
    say_error(manifest, error)


def say_error(manifest: Path, error: ReelsheetError) -> None:
    """Say what went wrong with one of several manifests, and name it."""
    named = str(manifest) in error.message
    typer.echo(f"error: {'' if named else f'{manifest}: '}{error.message}", err=True)
    if error.action:
        typer.echo(f"       {error.action}", err=True)
