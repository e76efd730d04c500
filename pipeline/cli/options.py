"""The options that the commands share, and what follows from them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import ConfigError, ExitCode, UsageError
from pipeline.manifest.wording import count

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.config.settings import Config
    from pipeline.disk.folder import OutputFolder

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

DEFAULT_CONFIG = Path("config.yaml")


@dataclass(frozen=True, slots=True)
class Setting:
    """A manifest with the configuration and the output folder that belong to it.

    `origin` is the manifest whose run wrote this one into its folder: failed.csv, results.csv.
    `named` says that the user named the output folder.
    """

    manifest: Path
    config: Config
    folder: OutputFolder
    origin: Path | None = None
    named: bool = False

    @property
    def rehearses(self) -> bool:
        """Whether nothing is paid."""
        return self.config.provider == "rehearsal"


def settle(
    manifest: Path, config: Path | None, out: Path | None, sets: list[str] | None
) -> Setting:
    """Resolve the shared options; raises ConfigError, and StoreError for a cache that is a link."""
    from pipeline.disk.folder import OutputFolder
    from pipeline.disk.openfile import refuse_link
    from pipeline.journal.reading import origin

    resolved = load_config(config, sets)
    folder = OutputFolder.of(
        manifest,
        outputs=resolved.output.dir,
        out=out,
        rehearsal=resolved.provider == "rehearsal",
    )
    for place in (folder.cache, folder.pictures):
        refuse_link(place)
    home = origin(folder.journal) if folder.wrote(manifest) else None
    return Setting(manifest, resolved, folder, home, named=out is not None)


def load_config(path: Path | None, sets: list[str] | None) -> Config:
    """Read the configuration file, the environment and `--set`; raises ConfigError."""
    from pipeline.config.loading import load

    if path is not None and not path.is_file():
        raise ConfigError(
            f"there is no configuration file {path}.",
            action="Correct --config, or leave it away to use the defaults.",
        )
    if path is None and DEFAULT_CONFIG.is_file():
        path = DEFAULT_CONFIG
    return load(path, environ=os.environ, overrides=sets or ())


def paid_again(setting: Setting) -> UsageError | None:
    """Return why a live run may not begin in an output folder that nobody named, None if it may."""
    from pipeline.journal.elsewhere import paid_elsewhere

    if setting.rehearses or setting.named:
        return None
    return paid_elsewhere(setting.manifest, setting.folder, setting.config.output.dir)


def checked(setting: Setting, *, show: bool = True) -> CheckedManifest:
    """Check the manifest, with progress over its pictures; raises ManifestError, ConfigError."""
    from pipeline.checker.check import check_manifest
    from pipeline.cli.progress import picture_progress

    with picture_progress(show=show) as progress:
        return check_manifest(
            setting.manifest,
            setting.config,
            cache_dir=setting.folder.cache,
            progress=progress,
            origin=setting.origin,
        )


def refuse(problems: int) -> typer.Exit:
    """Return the exit for a manifest that may not be sent."""
    typer.echo(f"{count(problems, 'problem')}; nothing was sent.", err=True)
    return typer.Exit(ExitCode.USAGE)
