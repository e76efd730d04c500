"""Which output folder is a manifest's own, among those of manifests that have the same name.

A journal remembers the path of its manifest. Where `outputs/shop` belongs to another manifest, in
another folder or with another suffix, this one gets `outputs/shop-2`. A manifest that was moved or
renamed keeps its folder, whatever the folder is called: the remembered file is gone, and most rows
of its journal are in this manifest.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from pipeline.account.submission import COUNTING
from pipeline.checker.check import CheckedManifest, check_manifest
from pipeline.checker.rules import content_of
from pipeline.config.settings import Config
from pipeline.disk.folder import FolderUse, OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import StoreError, UsageError
from pipeline.journal.ownership import (
    MOVED_FROM,
    find_manifest,
    last_owner,
    read_notes,
    was_sent_from,
)
from pipeline.journal.reading import read_entries, read_runs
from pipeline.manifest.earlier import NEW
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import count
from pipeline.model import Entry, State
from pipeline.runner.knownreading import known_reading

_UNPAID = frozenset({State.INVALID, State.WAITING, State.REFUSED, State.FAILED})
"""A row in any other state was sent, and is paid for or may be."""


class OutOfPlace(UsageError):
    """The journal of another manifest lies where the rows of this one were sent from."""


@dataclass(frozen=True, slots=True)
class Found:
    """The output folder of a manifest; `note` says why, where it is not what one would expect.

    `moved` says that its journal remembers another path, of a file that is gone and was this one.
    `refusal` says why no run may begin there.
    """

    folder: OutputFolder
    moved: bool = False
    note: str | None = None
    refusal: UsageError | None = None


def find_folder(
    manifest: Path,
    config: Config,
    base: OutputFolder,
    *,
    named: bool,
    adopt: bool,
    taken: Mapping[OutputFolder, Path] | None = None,
    typed: Invocation | None = None,
) -> Found:
    """Return the output folder of a manifest; nothing is made.

    The same manifest always finds its folder again: the journal there remembers its path. Where
    nothing was ever sent from there, the others are looked at again: the manifest may have been
    moved, and its pictures only later.

    Args:
        manifest: The manifest.
        config: Its settings.
        base: The folder that the user named, or the one after the manifest's name.
        named: Whether the user named it.
        adopt: Whether the user says that the manifest was moved.
        taken: The folders of the other manifests that the same command works on, and those.
        typed: What the user named, for a message.

    Raises:
        StoreError: The journal of another manifest of that name cannot be read to its end.

    """
    path = manifest.resolve()
    own: list[OutputFolder] = []
    free: list[OutputFolder] = []
    unknown: list[OutputFolder] = []
    others: dict[OutputFolder, Path] = {}
    taken, typed = taken or {}, typed or Invocation(manifest)
    for folder in [base] if named else base.namesakes(taken):
        if folder in taken:
            others[folder] = taken[folder]
            continue
        try:
            owner = find_manifest(folder.journal) or (None if named else last_owner(folder))
            if owner == path and find_manifest(folder.journal, sent=True):
                return Found(folder)
        except (StoreError, UsageError):
            unknown.append(folder)
            continue
        if owner is None:
            free.append(folder)
        elif owner == path:
            own.append(folder)
        else:
            others[folder] = owner
    if unknown:
        # It may be this manifest's own. Whoever opens the journal says why it cannot be read.
        return Found(unknown[0])
    candidates = own + free
    seen = {*candidates, *others, *taken}
    renamed = {} if named else _find_renamed(base, seen, rehearsal=config.rehearses)
    known = next((there for there, gone in renamed.items() if gone == path), None)
    if known is not None or not (others or renamed):
        return Found(known or candidates[0])
    there = {folder: owner for folder, owner in others.items() if folder not in taken}
    mistaken = None if config.rehearses else _find_mistaken(there, typed)
    namesakes = _Namesakes(manifest, config, base, others, renamed, typed)
    return mistaken or namesakes.choose(candidates[0] if candidates else None, adopt=adopt)


def _find_renamed(
    base: OutputFolder, seen: Collection[OutputFolder], *, rehearsal: bool
) -> dict[OutputFolder, Path]:
    """Return the folders with other names that a manifest may have had, and whose they are.

    Their manifests are gone, or took them over when they were renamed. The folder of a series
    belongs to its next edition, whatever that is called. A journal that cannot be read is passed
    over: nothing says that it is this manifest's.
    """
    found = {}
    wanted = FolderUse.REHEARSED if rehearsal else FolderUse.LIVE
    for folder in base.neighbours():
        if folder in seen:
            continue
        with contextlib.suppress(StoreError, UsageError):
            owner, notes = find_manifest(folder.journal, sent=True), read_notes(folder.journal)
            if owner is None or notes.get("series"):
                continue
            if (MOVED_FROM in notes or is_gone(owner)) and folder.use is wanted:
                found[folder] = owner
    return found


def _find_mistaken(others: Mapping[OutputFolder, Path], typed: Invocation) -> Found | None:
    """Return the folder that a manifest was sent from, if another one's journal was put there."""
    for folder, owner in others.items():
        if was_sent_from(folder, typed.manifest):
            refusal = OutOfPlace(
                f"the journal in {folder.root} is that of {owner}, although rows of "
                f"{typed.manifest} were sent from there: it was copied or moved there. They would "
                "be sent and paid for again; nothing was sent.",
                action=f"Restore the right one with: {typed.rebuild(folder.root)}",
            )
            return Found(folder, refusal=refusal)
    return None


@dataclass(frozen=True)
class _Namesakes:
    """A manifest, for which nothing was sent yet, and folders of its name or `renamed` ones."""

    manifest: Path
    config: Config
    base: OutputFolder
    others: Mapping[OutputFolder, Path]
    renamed: Mapping[OutputFolder, Path]
    typed: Invocation

    def choose(self, folder: OutputFolder | None, *, adopt: bool) -> Found:
        """Return where the manifest belongs: where it was before it was moved, or in `folder`.

        `folder` is None if the user named the folder of another manifest.
        """
        gone = [
            there
            for there, owner in self.others.items()
            if is_gone(owner) and not is_gone(there.journal)
        ]
        renamed = [there for there, owner in self.renamed.items() if is_gone(owner)]
        most = [
            there
            for there in (*gone, *renamed)
            if 2 * self._matches(there) > len(self._entries[there])
            and (there in self.others or self._must_go_on(there))
        ]
        if most:
            return self._take_over(max(most, key=self._matches))
        cut_off = [there for there in gone if self._forgot_what_it_sent(there)]
        if cut_off:
            return self._take_over_only(gone)
        likest = max(gone, key=self._matches, default=None)
        if adopt and likest is not None:
            return self._take_over_only([likest] if self._matches(likest) else gone)
        followed = self._most_keys(renamed) if adopt else []
        if followed:
            return self._take_over_only(followed)
        if folder is None:
            return self._refuse(self.base)
        return self._go_beside(folder) if self.others else Found(folder)

    def _forgot_what_it_sent(self, folder: OutputFolder) -> bool:
        """Return whether a journal knows of no row, and of a run that was cut off.

        Its file was taken from beside the rest of it: rows are looked up by what its id tells.
        """
        cut_off = any(one.finished_at is None for one in read_runs(folder.journal))
        return cut_off and not self._entries[folder]

    def _must_go_on(self, folder: OutputFolder) -> bool:
        """Whether what was paid for is only to be had there: else its videos are copied."""
        states = {one.state for one in self._entries[folder].values()}
        waits = not states.isdisjoint(COUNTING - {State.DONE})
        return waits or not book_knows(self.config, folder.root, near=True)

    def _matches(self, folder: OutputFolder) -> int:
        """Return how many rows of a journal, as they were sent last, are in the manifest."""
        sent = self._entries[folder].values()
        return sum(content_of(one.attempt.request) in self._requests for one in sent)

    def _most_keys(self, folders: Sequence[OutputFolder]) -> list[OutputFolder]:
        """Return the folders with the most of the manifest's keys, which are at least half of them.

        All of its rows may have been edited when it was renamed.
        """
        keys = frozenset(key for one in self._checked for key in one.keys)
        shared = {there: len(keys & self._entries[there].keys()) for there in folders}
        most = max(shared.values(), default=0)
        rows = len(self._checked[0].keys) if self._checked else 0
        return [there for there in folders if shared[there] == most and 2 * most >= rows > 0]

    @cached_property
    def _entries(self) -> dict[OutputFolder, dict[str, Entry]]:
        return {there: read_entries(there.journal) for there in (*self.others, *self.renamed)}

    @cached_property
    def _checked(self) -> Sequence[CheckedManifest]:
        """The manifest as each of the others was read; nothing if it cannot be read at all."""
        there = (*self.renamed, *self.others)
        readings = {one.note(): one for one in (known_reading(each) or NEW for each in there)}
        check, cache = partial(check_manifest, self.manifest, self.config), there[0].cache
        with contextlib.suppress(UsageError):
            return [check(cache_dir=cache, known=known) for known in readings.values()]
        return []

    @cached_property
    def _requests(self) -> Collection[str]:
        """The contents of its requests, held ones too: they may have been bought before."""
        # Rows that are held may be among those that were bought before the manifest was moved.
        requests = (
            one for checked in self._checked for one in checked.with_held().requests.values()
        )
        return frozenset(map(content_of, requests))

    def _take_over_only(self, folders: Sequence[OutputFolder]) -> Found:
        """Take over the only one of these folders; of several, none can be told to be the right."""
        return self._take_over(folders[0]) if len(folders) == 1 else self._refuse_to_guess(folders)

    def _take_over(self, folder: OutputFolder) -> Found:
        owner = self.renamed.get(folder)
        note = (
            f"{self.others[folder]} is gone: {self.manifest} takes over its rows and its output "
            f"folder {folder.root}."
            if owner is None
            else f"{owner} was renamed to {self.manifest}: its videos are in {folder.root}."
        )
        return Found(folder, moved=True, note=note)

    def _refuse(self, folder: OutputFolder) -> Found:
        owner = self.others[folder]
        gone = f"which is gone; most of its rows are not in {self.manifest}"
        state = gone if is_gone(owner) else "which still exists"
        refusal = UsageError(
            f"the output folder {folder.root} belongs to another manifest: {owner}, {state}.",
            action=f"Give this manifest a folder of its own: {self.typed.run_into(None)}",
        )
        return Found(folder, refusal=refusal)

    def _refuse_to_guess(self, gone: Sequence[OutputFolder]) -> Found:
        owners = {**self.renamed, **self.others}
        listed = ", ".join(f"{owners[folder]} (in {folder.root})" for folder in gone)
        refusal = UsageError(
            f"{self.manifest} may be any of {len(gone)} manifests that are gone, and no row says "
            f"which: {listed}.",
            action="Name the one that it was. If that is the first: "
            f"{self.typed.run_into(gone[0].root, adopt=True)}.",
        )
        return Found(gone[0], refusal=refusal)

    def _go_beside(self, folder: OutputFolder) -> Found:
        there, owner = next(iter(self.others.items()))
        note = (
            f"{there.root} belongs to another manifest of that name, {owner}: the output folder "
            f"of {self.manifest} is {folder.root}."
        )
        return Found(
            folder,
            note=None if folder == self.base or is_gone(self.manifest) else note,
            refusal=None if self.config.rehearses else self._refuse_to_buy_again(folder),
        )

    def _refuse_to_buy_again(self, folder: OutputFolder) -> UsageError | None:
        """Return why a run in `folder` would pay again for rows of another manifest.

        It would not where the account's book knows of them: then they are repeats.
        """
        bought = {
            there: self._count_bought(there)
            for there in self.others
            if not book_knows(self.config, there.root, near=True)
        }
        there = max(bought, key=lambda one: bought[one], default=None)
        if there is None or not bought[there]:
            return None
        owner = self.others[there]
        go_on = (
            f"If the file was moved: {self.typed.run_into(there.root, adopt=True)}."
            if is_gone(owner)
            else f"To continue that work: {replace(self.typed, manifest=owner).run_into(None)}."
        )
        return UsageError(
            f"{self.manifest} asks for {count(bought[there], 'video')} that {owner} was sent and "
            f"paid for, in {there.root}. A run in {folder.root} would pay for the same a second "
            "time.",
            action=f"{go_on} To pay again: {self.typed.run_into(folder.root)}.",
        )

    def _count_bought(self, there: OutputFolder) -> int:
        """Return for how many requests of the manifest another one has paid, or may have."""
        sent = {
            content_of(one.attempt.request)
            for one in self._entries[there].values()
            if one.state not in _UNPAID
        }
        return sum(one in sent for one in self._requests) if sent else 0


def book_knows(config: Config, folder: Path, *, near: bool) -> bool:
    """Whether the account's book guards the rows of an output folder; see `knows_folder`."""
    # Only here: a manifest that was never run is checked without what keeps the book.
    from pipeline.account.purchases import knows_folder  # noqa: PLC0415

    return knows_folder(config, os.environ, folder, near=near)
