"""What a command works on: a manifest with its configuration and its output folder.

The first guards over money are here: a run that would pay a second time for what was paid for in
another folder, that would mix a rehearsal with live work, or that has no key, is refused before
anything is made or sent.

Tested in tests/runner/test_api.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.rowpictures import PictureProgress
from pipeline.config.loading import api_key, load
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import refuse_link
from pipeline.errors import UsageError
from pipeline.journal.ownership import find_manifest, paid_elsewhere

_DEFAULT_CONFIG = Path("config.yaml")


@dataclass(frozen=True, slots=True)
class Target:
    """A manifest with the configuration and the output folder that belong to it.

    `origin` is the manifest whose run wrote this one into its folder: failed.csv, results.csv.
    `named` says that the user named the output folder; `notes` say which settings were ignored.
    """

    manifest: Path
    config: Config
    folder: OutputFolder
    origin: Path | None = None
    named: bool = False
    notes: tuple[str, ...] = ()


def resolve_target(
    manifest: Path,
    config: Path | None = None,
    out: Path | None = None,
    settings: Sequence[str] | None = None,
) -> Target:
    """Return a manifest with its configuration and its output folder; nothing is made.

    Args:
        manifest: The CSV, Excel or OpenDocument file with a row per video.
        config: The configuration file; None for config.yaml in the working folder, if it is there.
        out: The output folder; None for `<output.dir>/<name of the manifest>`.
        settings: Settings of highest precedence, as `limits.outstanding=20`.

    Raises:
        ConfigError: The configuration cannot be used.
        UsageError: A rehearsal would mix with what was paid for.
        StoreError: The cache is a link to another place.

    """
    notes: list[str] = []
    if config is None and _DEFAULT_CONFIG.is_file():
        config = _DEFAULT_CONFIG
    loaded = load(config, environ=os.environ, overrides=settings or (), note=notes.append)
    folder = OutputFolder.of(
        manifest, outputs=loaded.output.dir, out=out, rehearsal=loaded.rehearses
    )
    for place in (folder.cache, folder.pictures):
        refuse_link(place)
    origin = find_manifest(folder.journal) if folder.wrote(manifest) else None
    return Target(manifest, loaded, folder, origin, named=out is not None, notes=tuple(notes))


def check_target(target: Target, progress: PictureProgress | None = None) -> CheckedManifest:
    """Check the manifest of a target; raises ManifestError, ConfigError.

    `progress` is told how many pictures of how many were looked at.
    """
    return check_manifest(
        target.manifest,
        target.config,
        cache_dir=target.folder.cache,
        progress=progress,
        origin=target.origin,
    )


def paid_again(target: Target) -> UsageError | None:
    """Return why a live run may not begin in an output folder that nobody named, None if it may."""
    if target.config.rehearses or target.named:
        return None
    return paid_elsewhere(target.manifest, target.folder, target.config.output.dir)


def refuse_to_begin(target: Target) -> None:
    """Raise UsageError if no run may begin here, before anything is made or sent."""
    if target.named:
        target.folder.refuse_to_mix(rehearsal=target.config.rehearses)
    if target.config.rehearses:
        return
    refusal = paid_again(target)
    if refusal is not None:
        raise refusal
    if not target.folder.journal.is_file():
        api_key(target.config, os.environ)
