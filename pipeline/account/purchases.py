"""What the rows of a manifest are compared with: all that the account has bought elsewhere.

A run takes over first what journals near know and the book does not. A plan writes nothing, so it
reads them beside the book.

Tested in tests/account/test_importing.py and tests/account/test_place.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.account.importing import news_of
from pipeline.account.place import account_name, journals_near, places_of
from pipeline.account.reading import (
    bought_elsewhere,
    has_submissions,
    journals_in,
    keys_bought,
    owner_of_key,
    prompts_in,
    requests_with_controls,
    submissions_of,
)
from pipeline.account.submission import COUNTING, KnownJournal, Submission
from pipeline.config.key import api_key
from pipeline.config.settings import Config
from pipeline.config.values import is_loopback
from pipeline.disk.folder import OutputFolder
from pipeline.disk.sqlitefile import path_of
from pipeline.errors import ConfigError, ReelsheetError
from pipeline.journal.reading import read_id, read_videos
from pipeline.manifest.blank import has_controls
from pipeline.model import Request
from pipeline.storage.storedfiles import StoredFile, stored_file


@dataclass(frozen=True, slots=True)
class Purchases:
    """What an account has bought, without a manifest's own journal.

    `beside` is what journals know that the book, which need not be there, does not. `near` are the
    output folders near, which may have been moved since the book heard of them.
    """

    book: Path
    account: str
    journal_ids: frozenset[str]
    beside: tuple[Submission, ...] = ()
    near: tuple[Path, ...] = ()

    def has_any(self) -> bool:
        """Return whether the account has bought anything at all; raises StoreError."""
        return bool(self.beside) or has_submissions(self.book, self.account)

    def bought_elsewhere(self, hashes: Collection[str]) -> Mapping[str, Sequence[Submission]]:
        """Return what other journals bought of these requests, by their hashes, the latest first.

        Raises StoreError.
        """
        bought = {one.task_id for one in self.beside if not one.reused}
        found = {
            each: [one for one in several if not (one.reused and one.task_id in bought)]
            for each, several in bought_elsewhere(
                self.book, self.account, self.journal_ids, hashes
            ).items()
        }
        for one in self.beside:
            if one.reused and one.task_id in bought:
                continue
            asked = one.request.request_hash
            if asked in hashes and one.journal_id not in self.journal_ids:
                others = [each for each in found.get(asked, ()) if each.reference != one.reference]
                counting = [*others, one] if one.state in COUNTING else others
                found[asked] = sorted(counting, key=lambda each: -(each.submitted_at or 0))
        return found

    def prompts(self) -> Iterator[str]:
        """Yield the prompts of all that was bought, by whomever; raises StoreError."""
        yield from prompts_in(self.book)
        yield from (one.request.prompt for one in self.beside)

    def with_controls(self) -> Sequence[Request]:
        """Return the requests that were bought whose prompts have control characters.

        Raises StoreError.
        """
        beside = (one.request for one in self.beside)
        fresh = [one for one in beside if has_controls(one.prompt)]
        return [*requests_with_controls(self.book), *fresh]

    def keys_elsewhere(
        self, keys: Collection[str]
    ) -> Sequence[tuple[KnownJournal, frozenset[str]]]:
        """Return the other journals that bought rows with any of these keys, with these keys.

        Raises StoreError.
        """
        found = {one.journal_id: (one, some) for one, some in self._keys_in_book(keys)}
        for one in self.beside:
            if one.key in keys and one.state in COUNTING and one.journal_id not in self.journal_ids:
                fresh = KnownJournal(one.journal_id, self.account, one.folder, one.manifest, 0, 0)
                known, some = found.get(one.journal_id, (fresh, frozenset()))
                found[one.journal_id] = known, some | {one.key}
        return list(found.values())

    def _keys_in_book(self, keys: Collection[str]) -> list[tuple[KnownJournal, frozenset[str]]]:
        if not has_submissions(self.book, self.account):
            return []
        found = keys_bought(self.book, self.account, keys)
        return [one for one in found if one[0].journal_id not in self.journal_ids]

    def bought_for(self, journal_id: str) -> Sequence[Submission]:
        """Return what was submitted from a journal; raises StoreError."""
        known = {one.reference: one for one in submissions_of(self.book, journal_id)}
        known |= {one.reference: one for one in self.beside if one.journal_id == journal_id}
        return list(known.values())

    def copies_of(self, tasks: Collection[str]) -> Mapping[str, Sequence[StoredFile]]:
        """Return the files that the videos of these tasks were put into, by the task.

        All output folders that the account knows are looked at. Raises StoreError.
        """
        known = [one for one in journals_in(self.book) if one.account == self.account]
        roots = dict.fromkeys([*self.near, *(path_of(one.folder) for one in known)])
        found: dict[str, list[StoredFile]] = {}
        for folder in map(OutputFolder, roots):
            with contextlib.suppress(ReelsheetError):  # another one may have it
                for task, video in read_videos(folder.journal, tasks):
                    found.setdefault(task, []).append(stored_file(folder, video))
        return found


def find_purchases(
    config: Config, environment: Mapping[str, str], folder: OutputFolder, manifest: Path
) -> Purchases | None:
    """Return what a live run into a folder would be compared with; None where it has no book.

    Nothing is made and nothing is written.

    Args:
        config: the configuration.
        environment: the variables of the environment.
        folder: the output folder, which need not be there.
        manifest: the manifest.

    Raises:
        StoreError: the folder's journal or the book cannot be read.

    """
    places = None if config.rehearses else places_of(config, environment)
    if places is None or not places.paths:
        return None
    book = places.found or places.paths[0]
    account = name_in(book, config, environment)
    own = read_id(folder.journal)
    beside: list[Submission] = []
    near = list(journals_near(Path(config.output.dir), folder.root, [manifest]))
    for journal in near:
        with contextlib.suppress(ReelsheetError):  # the run says so
            beside += news_of(book, account, journal)
    return Purchases(
        book,
        account,
        frozenset() if own is None else frozenset({own}),
        tuple(beside),
        tuple(journal.parent for journal in near),
    )


def name_in(book: Path, config: Config, environment: Mapping[str, str]) -> str:
    """Return the name of the account of a configuration in a book; nothing is written.

    Args:
        book: the file of the book.
        config: the configuration.
        environment: the variables of the environment, with the key if it is there.

    Raises:
        StoreError: the book cannot be read.

    """
    key = key_of(config, environment)
    owner = None if key is None else owner_of_key(book, key)
    return owner or account_name(config)


def knows_folder(
    config: Config, environment: Mapping[str, str], folder: Path, *, near: bool
) -> bool:
    """Return whether a live run is guarded by what was bought for an output folder.

    It is if its book knows the folder, or the journal that lies there: a copy of one, or one that
    was moved. It will be if the run takes that journal over before it sends anything.

    Args:
        config: the configuration.
        environment: the variables of the environment.
        folder: the output folder.
        near: whether the run takes over the journals of this folder and of those beside it.

    Raises:
        StoreError: the book or the journal cannot be read.

    """
    places = None if config.rehearses else places_of(config, environment)
    if places is None or not places.paths:
        return False
    book = places.found or places.paths[0]
    if journals_in(book, folder):
        return True
    journal = OutputFolder(folder).journal
    try:
        own = read_id(journal)
        news = bool(news_of(book, name_in(book, config, environment), journal))
    except ReelsheetError:
        return False  # what cannot be read is not taken over
    known = any(one.journal_id == own for one in journals_in(book))
    return (known or news) if near else (known and not news)


def key_of(config: Config, environment: Mapping[str, str]) -> str | None:
    """Return the key that tells whose account it is; None on this machine, or if there is none."""
    if is_loopback(config.api.base_url):
        return None
    try:
        return api_key(config, environment)
    except ConfigError:
        return None  # a run that sends nothing needs none
