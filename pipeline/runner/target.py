"""What a command works on: a manifest with its configuration and its output folder.

Every command, and a program, finds the output folder by `resolve_target`, and so the same.

The first guards over money are here: a run that would pay a second time for what was paid for in
another folder, that would mix two manifests, or a rehearsal with live work, or that has no key, is
refused before anything is made or sent.

Tested in tests/runner/test_api.py and tests/system/test_stems.py.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipeline.config.catalogue import FIELDS
from pipeline.config.loading import load, load_in_part
from pipeline.config.ownsheets import put_up_own_sheets
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone, refuse_ring
from pipeline.disk.rights import refuse_links_in
from pipeline.errors import ConfigError, ReelsheetError, StoreError, UsageError
from pipeline.journal.ownership import explain_paid_elsewhere, find_manifest, refuse_edition
from pipeline.journal.reading import read_entries
from pipeline.manifest.invocation import Invocation, note_invocation, note_options
from pipeline.runner.configured import DEFAULT_CONFIG, point_at_configuration
from pipeline.runner.destination import refuse_strange_destination, refuse_without_key
from pipeline.runner.namesakes import OutOfPlace, book_knows, find_folder


@dataclass(frozen=True, slots=True)
class Target:
    """A manifest with the configuration and the output folder that belong to it.

    `origin` is the manifest whose run wrote this one into its folder: failed.csv, results.csv.
    `named` says that the user named the output folder, `moved` that the folder is taken over from
    a manifest that is gone and was this one. `notes` say so, and which settings were ignored;
    `refusal` says why no run may begin in the folder. `typed` is what the user named.
    """

    manifest: Path
    config: Config
    folder: OutputFolder
    origin: Path | None = None
    named: bool = False
    moved: bool = False
    notes: tuple[str, ...] = ()
    refusal: UsageError | None = None
    typed: Invocation | None = None

    @property
    def invocation(self) -> Invocation:
        """What commands are called with that work on the same."""
        return self.typed or Invocation(self.manifest)


@dataclass(frozen=True, slots=True)
class Refused:
    """One of several manifests that cannot be worked on, and why."""

    manifest: Path
    error: ReelsheetError


_Item = TypeVar("_Item")


def work_on_each(
    targets: Sequence[Target | Refused],
    work: Callable[[Target], _Item],
    refusal: type[ReelsheetError] = ReelsheetError,
) -> list[_Item | Refused]:
    """Return what came of each manifest, or why it cannot be worked on, in their order.

    Args:
        targets: The manifests with their configuration and output folders.
        work: Works on one of them.
        refusal: What it raises of one that keeps no other from its turn; all else is raised.

    """
    found: list[_Item | Refused] = []
    for target in targets:
        try:
            found.append(target if isinstance(target, Refused) else work(target))
        except refusal as error:
            found.append(Refused(target.manifest, error))
    return found


def load_settings(
    config: Path | None = None, settings: Sequence[str] | None = None
) -> tuple[Config, list[str]]:
    """Return the configuration of a command, and notes on settings that were ignored.

    `config` and `settings` are as for `resolve_target`. The sheets of models beside the
    configuration are put up with it. Raises ConfigError.
    """
    notes: list[str] = []
    note_options(config, settings or ())
    # A pipe or a device of that name is refused, as one that is named is, and not passed over.
    if config is None and DEFAULT_CONFIG.exists() and not DEFAULT_CONFIG.is_dir():
        config = DEFAULT_CONFIG
    # Columns may be named as the fields of these sheets.
    put_up_own_sheets(Path() if config is None else config.parent)
    loaded = load(config, environ=os.environ, overrides=settings or (), note=notes.append)
    return loaded, notes


def load_settings_in_part(
    config: Path | None, settings: Sequence[str], wanted: Collection[str]
) -> Config:
    """Return what can be used of a configuration that `load_settings` refuses; raises nothing.

    Args:
        config: The configuration file; None for config.yaml in the working folder, if it is there.
        settings: Settings of highest precedence.
        wanted: How the names of those begin that are read; all others have their defaults.

    """
    if config is None and DEFAULT_CONFIG.is_file():
        config = DEFAULT_CONFIG
    names = [name for name in FIELDS if name.startswith(tuple(wanted))]
    return load_in_part(config, environ=os.environ, overrides=settings, wanted=names)


def resolve_target(
    manifest: Path,
    config: Path | None = None,
    out: Path | None = None,
    settings: Sequence[str] | None = None,
    *,
    adopt: bool = False,
    taken: Mapping[OutputFolder, Path] | None = None,
) -> Target:
    """Return a manifest with its configuration and its output folder; nothing is made.

    Args:
        manifest: The CSV, Excel or OpenDocument file with a row per video.
        config: The configuration file; None for config.yaml in the working folder, if it is there.
        out: The output folder; None for `<output.dir>/<name of the manifest>`, or one beside it
            where that belongs to another manifest of the name.
        settings: Settings of highest precedence, as `limits.outstanding=20`.
        adopt: Whether the user says that the manifest was moved.
        taken: The output folders of the manifests that the same command works on, with these.

    Raises:
        ConfigError: The configuration cannot be used.
        UsageError: A rehearsal would mix with what was paid for, or the manifest is a link that
            leads in a ring.
        StoreError: The cache is a link to another place, or it cannot be told which folder is the
            manifest's own.

    """
    refuse_ring(manifest)
    loaded, notes = load_settings(config, settings)
    notes += point_at_configuration(manifest, config, loaded)
    with _damage_first(OutputFolder(manifest.parent)):
        folder = OutputFolder.of(
            manifest,
            outputs=loaded.output.dir,
            out=out,
            rehearsal=loaded.rehearses,
            series=loaded.manifest.series,
        )
    target = Target(manifest, loaded, folder, named=out is not None, notes=tuple(notes))
    if folder.wrote(manifest):
        target = replace(target, origin=find_manifest(folder.journal))
    elif loaded.manifest.series is not None:
        typed = _typed(target, config, out, settings or ())
        target = _of_series(target, typed, loaded.manifest.series, adopt=adopt)
    else:
        typed = _typed(target, config, out, settings or ())
        target = _own_folder(target, typed, adopt=adopt, taken=taken or {})
    typed = _typed(target, config, out, settings or ())
    target = replace(target, typed=typed)
    note_invocation(target.folder.root, typed)
    refuse_links_in(target.folder.cache)
    return target


def _typed(
    target: Target, config: Path | None, out: Path | None, settings: Sequence[str]
) -> Invocation:
    """Return what was named on the command line; a folder of several output folders as one's."""
    named = [setting.partition("=")[0].strip() for setting in settings]
    if out is None and "output.dir" in named:
        out = target.folder.root
    series = target.config.manifest.series if "manifest.series" in named else None
    sets = (
        text
        for name, text in zip(named, settings, strict=True)
        # What is set of a night is nothing to other commands; who is told of it may be a secret.
        if name not in {"output.dir", "manifest.series"}
        and not name.startswith(("notify.", "night.", "metrics."))
    )
    return Invocation(target.manifest, out, series, config, tuple(sets), target.origin)


def resolve_targets(
    manifests: Sequence[Path],
    config: Path | None = None,
    out: Path | None = None,
    settings: Sequence[str] | None = None,
    *,
    adopt: bool = False,
) -> list[Target | Refused]:
    """Return several manifests with their one configuration, each with a folder of its own.

    Args:
        manifests: The manifests.
        config: The configuration file; None for config.yaml in the working folder, if it is there.
        out: The folder that gets an output folder for each of them; None for output.dir.
        settings: Settings of highest precedence, as `limits.outstanding=20`.
        adopt: Whether the user says that manifests were moved.

    Raises:
        ConfigError: The configuration cannot be used.

    """
    if out is not None:
        settings = (*(settings or ()), f"output.dir={json.dumps(str(out))}")
    taken: dict[OutputFolder, Path] = {}
    targets: list[Target | Refused] = []
    for manifest in manifests:
        try:
            target = resolve_target(manifest, config, None, settings, adopt=adopt, taken=taken)
            if target.folder in taken:
                raise _meeting_error(target, taken[target.folder])
        except ConfigError:
            raise
        except ReelsheetError as error:
            targets.append(Refused(manifest, error))
        else:
            taken[target.folder] = manifest
            targets.append(target)
    return targets


def _meeting_error(target: Target, other: Path) -> UsageError:
    return UsageError(
        f"{target.manifest} and {other} have the same output folder, {target.folder.root}.",
        action="Work on them one after the other.",
    )


def _own_folder(
    target: Target, typed: Invocation, *, adopt: bool, taken: Mapping[OutputFolder, Path]
) -> Target:
    found = find_folder(
        target.manifest,
        target.config,
        target.folder,
        named=target.named,
        adopt=adopt,
        taken=taken,
        typed=typed,
    )
    notes = [*target.notes, found.note] if found.note else [*target.notes]
    if adopt and not (target.named or found.moved or found.refusal or _is_own(found.folder, typed)):
        notes.append(
            f"--adopt changes nothing: beside {found.folder.root} is no output folder of a "
            f"manifest that is gone, with half of the keys of {target.manifest}."
        )
    return replace(
        target,
        folder=found.folder,
        moved=found.moved,
        notes=tuple(notes),
        refusal=found.refusal,
    )


def _is_own(folder: OutputFolder, typed: Invocation) -> bool:
    with contextlib.suppress(StoreError, UsageError):
        return find_manifest(folder.journal, sent=True) == typed.manifest.resolve()
    return True


def _of_series(target: Target, typed: Invocation, series: str, *, adopt: bool) -> Target:
    # Whoever opens the journal says why it cannot be read.
    with contextlib.suppress(StoreError, UsageError):
        journal = target.folder.journal
        refusal = refuse_edition(journal, typed, series, adopt=adopt)
        return replace(target, refusal=refusal, moved=adopt)
    return target


def explain_paid_again(target: Target) -> UsageError | None:
    """Return why the work of another folder, or another manifest, forbids a run; None if not."""
    if target.refusal is not None:
        return target.refusal
    if target.config.rehearses or target.named or target.config.manifest.series is not None:
        return None
    return explain_paid_elsewhere(
        target.manifest,
        target.folder,
        target.config.output.dir,
        lambda folder: book_knows(target.config, folder, near=False),
        target.invocation,
    )


def refuse_another(target: Target) -> None:
    """Raise UsageError if the journal in the output folder is that of another manifest.

    What it says of its rows is not true of this manifest's, whose keys may be the same.
    """
    strange = target.named or isinstance(target.refusal, OutOfPlace)
    if strange and target.refusal is not None:
        raise target.refusal


def refuse_folder(target: Target) -> None:
    """Raise UsageError if the output folder is not for a run of this manifest."""
    if target.named:
        with _damage_first(target.folder):
            target.folder.refuse_to_mix(rehearsal=target.config.rehearses)
    refusal = explain_paid_again(target)
    if refusal is not None:
        raise refusal


def refuse_to_begin(
    target: Target, trust: Callable[[UsageError], bool] = lambda _: False, *, keyless: bool = False
) -> None:
    """Raise UsageError if no run may begin in its folder, before anything is made or sent.

    `trust` is asked whether the key may go where it never went before. A `keyless` first run may
    begin: it is refused, as every later one, when there is something to send.
    """
    if not keyless and is_gone(target.folder.journal):
        refuse_without_key(target.config)
    refuse_strange_destination(target.config, os.environ, trust)


@contextlib.contextmanager
def _damage_first(folder: OutputFolder) -> Iterator[None]:
    """Say that the journal is damaged where it therefore cannot be told whose work it holds."""
    try:
        yield
    except UsageError:
        read_entries(folder.journal)
        raise
