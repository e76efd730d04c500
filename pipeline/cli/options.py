"""The options that the commands share, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import ExitCode
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.runner.target import Target

ManifestPath = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST", help="The CSV, Excel or OpenDocument file with a row per video."
    ),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration file (default: config.yaml in the working folder, if there).",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The output folder of this manifest (default: outputs/<name of the manifest>).",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting for this call, as limits.outstanding=20; may be given several times.",
    ),
]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say only what went wrong.")]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Start only if no row breaks a rule (exit code 2 else).")
]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="Use the output folder although the manifest was moved."),
]


def checked(target: Target, *, show: bool = True) -> CheckedManifest:
    """Check the manifest, with progress over its pictures; raises ManifestError, ConfigError."""
    from pipeline.checker.check import check_manifest
    from pipeline.cli.progress import picture_progress

    with picture_progress(show=show) as progress:
        return check_manifest(
            target.manifest,
            target.config,
            cache_dir=target.folder.cache,
            progress=progress,
            origin=target.origin,
        )


def refuse(problems: int) -> typer.Exit:
    """Return the exit for a manifest that may not be sent."""
    typer.echo(f"{count(problems, 'problem')}; nothing was sent.", err=True)
    return typer.Exit(ExitCode.USAGE)
