"""Which output folder is a manifest's own, among those of manifests that have the same name.

A journal remembers the path of its manifest. Where `outputs/shop` belongs to another manifest, in
another folder or with another suffix, this one gets `outputs/shop-2`. A manifest that was moved
keeps its folder: the remembered file is gone, and most rows of its journal are in this manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import StoreError, UsageError
from pipeline.journal.ownership import find_manifest
from pipeline.journal.reading import read_entries
from pipeline.manifest.wording import count
from pipeline.model import Entry, State

_UNPAID = frozenset({State.INVALID, State.WAITING, State.REFUSED, State.FAILED})
"""A row in any other state was sent, and is paid for or may be."""


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


def most_match(latest: Sequence[str], here: Collection[str]) -> bool:
    """Return whether more than half of the rows of a journal are in a manifest.

    Args:
        latest: The hash of the request of each row of the journal, in its latest attempt.
        here: The hashes of the manifest's requests.

    """
    return 2 * sum(one in here for one in latest) > len(latest)


def find_folder(
    manifest: Path, config: Config, base: OutputFolder, *, named: bool, adopt: bool
) -> Found:
    """Return the output folder of a manifest; nothing is made.

    The same manifest always finds its folder again: the journal there remembers its path.

    Args:
        manifest: The manifest.
        config: Its settings.
        base: The folder that the user named, or the one after the manifest's name.
        named: Whether the user named it.
        adopt: Whether the user says that the manifest was moved.

    Raises:
        StoreError: The journal of another manifest of that name cannot be read to its end.

    """
    path = manifest.resolve()
    free: list[OutputFolder] = []
    unknown: list[OutputFolder] = []
    others: dict[OutputFolder, Path] = {}
    for folder in [base] if named else base.namesakes():
        try:
            owner = find_manifest(folder.journal)
        except (StoreError, UsageError):
            unknown.append(folder)
            continue
        if owner == path:
            return Found(folder)
        if owner is None:
            free.append(folder)
        else:
            others[folder] = owner
    if unknown:
        # It may be this manifest's own. Whoever opens the journal says why it cannot be read.
        return Found(unknown[0])
    if not others:
        return Found(free[0])
    return _Namesakes(manifest, config, others).found(free[0] if free else None, adopt=adopt)


@dataclass(frozen=True)
class _Namesakes:
    """A manifest without a journal that remembers it, and the folders of others with its name."""

    manifest: Path
    config: Config
    others: Mapping[OutputFolder, Path]

    def found(self, free: OutputFolder | None, *, adopt: bool) -> Found:
        """Return the folder of the manifest; `free` is None if the user named another's."""
        gone = [folder for folder, owner in self.others.items() if is_gone(owner)]
        moved = next((folder for folder in gone if self._is_ours(folder)), None)
        if adopt and gone:
            return self._moved(moved or gone[0])
        if free is None:
            return self._refused(next(iter(self.others)), moved=moved is not None)
        return self._moved(moved) if moved else self._beside(free)

    def _is_ours(self, folder: OutputFolder) -> bool:
        entries = self._entries[folder].values()
        return most_match([one.attempt.request.request_hash for one in entries], self._requests)

    @cached_property
    def _entries(self) -> dict[OutputFolder, dict[str, Entry]]:
        return {folder: read_entries(folder.journal) for folder in self.others}

    @cached_property
    def _requests(self) -> Collection[str]:
        """The hashes of what the manifest asks for; none if it cannot be read: that is said later.

        If it was moved, its pictures are known in the cache of its folder.
        """
        cache = next(iter(self.others)).cache
        try:
            checked = check_manifest(self.manifest, self.config, cache_dir=cache)
        except UsageError:
            return frozenset()
        return checked.requests_by_hash

    def _moved(self, folder: OutputFolder) -> Found:
        note = (
            f"{self.others[folder]} is gone: {self.manifest} takes over its rows and its output "
            f"folder {folder.root}."
        )
        return Found(folder, moved=True, note=note)

    def _refused(self, folder: OutputFolder, *, moved: bool) -> Found:
        owner = self.others[folder]
        why = "which still exists" if not is_gone(owner) else "which is gone"
        rows = "most of its rows are" if moved else "most of its rows are not"
        message = f"the output folder {folder.root} belongs to another manifest: {owner}, {why}" + (
            f"; {rows} in {self.manifest}." if is_gone(owner) else "."
        )
        action = (
            "Pass --adopt if the file was moved or renamed."
            if moved
            else "Leave --out away: this manifest then has an output folder of its own."
        )
        return Found(folder, refusal=UsageError(message, action=action))

    def _beside(self, free: OutputFolder) -> Found:
        folder, owner = next(iter(self.others.items()))
        note = (
            f"{folder.root} belongs to another manifest of that name, {owner}: the output folder "
            f"of {self.manifest} is {free.root}."
        )
        bought = (self._bought(folder, free) for folder in self.others)
        refusal = next((one for one in bought if one is not None), None)
        return Found(free, note=note, refusal=None if self.config.rehearses else refusal)

    def _bought(self, there: OutputFolder, free: OutputFolder) -> UsageError | None:
        """Return why a run in the free folder would pay again for rows of another manifest."""
        sent = {
            one.attempt.request.request_hash
            for one in self._entries[there].values()
            if one.state not in _UNPAID
        }
        again = sum(one in sent for one in self._requests)
        if not again:
            return None
        owner = self.others[there]
        go_on = (
            "If the file was moved, pass --adopt."
            if is_gone(owner)
            else f"To continue that work, run {owner}."
        )
        return UsageError(
            f"{self.manifest} asks for {count(again, 'video')} that {owner} was sent and paid for, "
            f"in {there.root}. A run in {free.root} would pay for the same a second time.",
            action=f'{go_on} To pay again, add --out "{free.root}".',
        )
