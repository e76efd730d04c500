"""The account of a live run: its book, opened before anything is sent, and what is said of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.account.book import Book
from pipeline.account.importing import Taken, import_book, import_journal
from pipeline.account.place import (
    Places,
    account_name,
    explain_last_resort,
    former_place,
    journals_near,
    places_of,
    traces_near,
)
from pipeline.account.purchases import Purchases, key_of
from pipeline.account.reading import journals_in
from pipeline.account.recording import Recorder, pair_in
from pipeline.account.recovery import recover
from pipeline.account.schema import clear_errors
from pipeline.config.settings import Config
from pipeline.disk.folder import FolderUse, OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import lacks_log, open_to_read, path_of
from pipeline.errors import ReelsheetError, StoreError, UsageError, WrongKind
from pipeline.journal.database import clear_errors as clear_journal_errors
from pipeline.journal.journal import Journal
from pipeline.journal.ownership import is_unused, read_notes
from pipeline.journal.reading import read_id
from pipeline.manifest.invocation import Invocation, account_command
from pipeline.manifest.wording import agree, count

_MANY = 20
"""So many journals to take over are worth a line each time."""

NO_BOOK = (
    "No book is kept (account.book: none): only the journal of this output folder keeps a row from "
    "being paid twice, and caps per day count this folder alone."
)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An output folder near, from which more may have been sent than journal and book know.

    `failure` is why its journal cannot be read; None if it was read, or is gone. `lacks_log` says
    that it was carried there without what its last run wrote at the end.
    """

    root: Path
    has_journal: bool = False
    failure: ReelsheetError | None = None
    lacks_log: bool = False


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """The account that a live run spends from, with its book open for writing.

    `tell` shows a line to whoever pays; `fresh` says that the book was made, or was empty.
    """

    name: str
    book: Book
    tell: Callable[[str], None]
    fresh: bool = False

    def take_over(
        self, outputs: Path, out: Path | None, manifests: Collection[Path]
    ) -> list[Neighbour]:
        """Take over every live journal near that the book does not know, or not to its end.

        Args:
            outputs: the folder that holds an output folder per manifest.
            out: the output folder that the user named; None if none.
            manifests: those of the run.

        Returns:
            The folders near, also those that the book knows: it may have been restored together
            with a journal, to one moment, and know nothing of what was sent since.

        """
        near = []
        orphans = 0
        for number, journal in enumerate(list(journals_near(outputs, out, manifests))):
            if number and number % _MANY == 0:
                self.tell(f"Comparing the journals with the account's book: {number} so far.")
            alone = lacks_log(journal)  # before it is opened
            failure = None
            try:
                orphans += self.fresh and self._had_another(read_notes(journal))
                import_journal(self.book, self.name, journal)
            except ReelsheetError as error:  # of the journal; after one of the book nothing works
                failure = error
            near.append(
                Neighbour(journal.parent, has_journal=True, failure=failure, lacks_log=alone)
            )
        if orphans:
            self.tell(
                f"The account's book {self.book.path} is new, although "
                f"{count(orphans, 'output folder')} here had another one: what was bought for "
                "folders elsewhere is not known any more. If there is a copy of that book, take it "
                f"over with: {account_command('import', 'FILE')}."
            )
        return [*near, *map(Neighbour, traces_near(outputs, out, manifests))]

    def catch_up(self, near: Collection[Path]) -> None:
        """Take over what the journals of other folders have got since: the book may be a copy.

        Those `near`, without links, were taken over. One that cannot be read is far from this run:
        whoever works in its folder is told.
        """
        for folder in {path_of(one.folder) for one in journals_in(self.book.path)}:
            journal = OutputFolder(folder).journal
            if folder not in near and not is_gone(journal):
                with contextlib.suppress(ReelsheetError):
                    import_journal(self.book, self.name, journal)

    def _had_another(self, notes: Mapping[str, str]) -> bool:
        """Return whether a journal with these notes was kept in a book that is not here."""
        return pair_in(notes).book_id not in {"", self.book.id} | self.book.earlier

    def purchases(self, journal: Journal) -> Purchases:
        """Return what the rows of a journal's manifest are compared with."""
        return Purchases(self.book.path, self.name, frozenset({journal.id}))

    def follow(self, journal: Journal, folder: Path, typed: Invocation, at: float) -> Recorder:
        """Have the book follow a journal from now on, and return what does so.

        Args:
            journal: the journal, open for writing.
            folder: its output folder.
            typed: its manifest, as the user named it.
            at: the Unix second at which the run began.

        Raises:
            StoreError: the journal or the book cannot be used.
            UsageError: the journal's earlier book was written by a newer version.

        """
        self._take_over_earlier(path_of(pair_in(journal.notes()).path), journal)
        refusal = explain_another(journal.path, self.book.path, folder, typed)
        if refusal is not None:
            raise refusal
        recovery = recover(journal, self.book, folder, at)
        import_journal(self.book, self.name, journal.path)
        known = self.book.register(
            self.name, journal.id, folder=folder.resolve(), manifest=typed.manifest.resolve(), at=at
        )
        recorder = Recorder(self.book, journal, known)
        recorder.recovery = recovery
        return recorder

    def _take_over_earlier(self, path: Path, journal: Journal) -> None:
        """Take over the book that a journal has had before, if that is another one and there."""
        if not self._had_another(journal.notes()):
            return
        if is_gone(path) or path == self.book.path:
            self.tell(
                f"{journal.path.parent} was kept in another book, {path}, which is gone: what was "
                "bought for other output folders may not be known any more."
            )
            return
        taken = import_book(self.book, path)
        self.tell(
            f"{journal.path.parent} was kept in another book, {path}: "
            f"{count(taken, 'submission')} of it {agree(taken, 'was', 'were')} taken over into "
            f"{self.book.path}."
        )


def explain_another(
    journal: Path, book: Path, folder: Path, typed: Invocation
) -> UsageError | None:
    """Return why no run may begin where the book remembers another journal; None if it does not.

    Args:
        journal: the file of the journal.
        book: the file of the account's book.
        folder: the output folder of the journal.
        typed: its manifest, as the user named it.

    Raises:
        StoreError: the journal or the book cannot be used.

    """
    here = [one for one in journals_in(book, folder) if one.last_event]
    if not here or is_unused(journal) or read_id(journal) in {one.journal_id for one in here}:
        return None
    if str(typed.manifest.resolve()) not in {one.manifest for one in here}:
        return None
    return UsageError(
        f"the journal {journal} is not the one that the account's book remembers there for "
        f"{typed.manifest}: it does not know what was paid for. Nothing was sent.",
        action=f"Put the right one back, or restore it with: {typed.rebuild(folder)}",
    )


@contextlib.contextmanager
def open_account(
    config: Config, environment: Mapping[str, str], tell: Callable[[str], None]
) -> Iterator[OpenAccount | None]:
    """Open the account of a live run as long as the context lasts; None where it has no book.

    Args:
        config: the configuration.
        environment: the variables of the environment, with the key if it is there.
        tell: shows a line to whoever pays.

    Raises:
        StoreError: the book cannot be used; the message names it and the setting.
        UsageError: the book was written by a newer version.

    """
    places = Places() if config.rehearses else places_of(config, environment)
    if not places.paths:
        if not config.rehearses:
            tell(NO_BOOK)
        yield None
        return
    fresh = places.found is None or _is_empty(places.found)
    with contextlib.closing(_open(places, tell)) as book:
        former = former_place(config) if fresh else None
        if former is not None:
            _take_over_former(book, former, tell)
        yield OpenAccount(_name(book, config, environment, tell), book, tell, fresh)


def _take_over_former(book: Book, former: Path, tell: Callable[[str], None]) -> None:
    """Take over the book that an earlier version made in the working folder."""
    try:
        taken = import_book(book, former)
    except ReelsheetError as error:
        tell(f"{former} may be the account's book of an earlier version: {error.message}")
    else:
        tell(
            f"The account's book is {book.path} from now on, as the configuration file says: "
            f"{count(taken, 'submission')} {agree(taken, 'was', 'were')} taken over from {former}, "
            "where earlier versions kept it."
        )


def _is_empty(path: Path) -> bool:
    with clear_errors(path):
        return path.stat().st_size == 0


def _open(places: Places, tell: Callable[[str], None]) -> Book:
    """Open the book that is there, or make one in the first place that takes it."""
    if (found := places.found) is not None:
        return Book(found)
    *others, last = places.paths
    for path in others:
        try:
            return Book(path)
        except WrongKind:
            raise  # a book may have been there
        except StoreError:
            pass
        if not is_gone(path):
            break  # it was made, and something else is wrong
    else:
        path = last
    book = Book(path)
    if path == places.last_resort:
        tell(explain_last_resort(path))
    return book


def _name(
    book: Book, config: Config, environment: Mapping[str, str], tell: Callable[[str], None]
) -> str:
    """Return the name of the account, by its key if the book has seen that under another name."""
    name = account_name(config)
    key = key_of(config, environment)
    if key is None:
        return name
    owner = book.account_of_key(name, key)
    if owner != name:
        setting = "account.name" if config.account.name else "api.base_url"
        tell(
            f"The key belongs to the account {owner}, as earlier runs were "
            f"told, and not to {name} ({setting}): what it pays for counts for {owner}."
        )
    return owner


def import_file(book: Book, account: str, file: Path) -> Taken:
    """Take over a journal or another book, whichever a file is; return how much of it was read.

    Args:
        book: the account's book, open for writing.
        account: as for `import_journal`.
        file: the file, which is only read.

    Raises:
        StoreError: one of the two cannot be used.
        UsageError: the file is neither, is a rehearsal's, or was written by a newer version.

    """
    lacks = lacks_log(file)
    tables = _tables_of(file)
    if not tables and lacks:
        raise UsageError(f"{file} holds nothing: {explain_lack(file)}", action=COPY_WHOLE)
    if "submissions" in tables:
        if file.resolve() == book.path.resolve():
            raise UsageError(f"{file} is this very book.", action="Name another one, or a journal.")
        return Taken(import_book(book, file))
    if "attempts" not in tables:
        raise UsageError(
            f"{file} is neither a journal nor a book.",
            action=_WHAT_TO_NAME,
        )
    if OutputFolder(file.parent).use is FolderUse.REHEARSED:
        raise UsageError(f"{file} is the journal of a rehearsal: nothing was paid for there.")
    return import_journal(book, account, file)


_WHAT_TO_NAME = "Name a file journal.db of an output folder, or the book of another machine."
COPY_WHOLE = "Copy it when no run is under way, or the file beside it as well, and import it again."
"""What to do about a file without its log."""


def explain_lack(file: Path) -> str:
    """Say what a file without the log beside it is."""
    return f"it was copied during a run, and without {file.name}-wal, which holds what came last."


def _tables_of(file: Path) -> set[str]:
    if is_gone(file):
        raise UsageError(f"there is no file {file}.", action=_WHAT_TO_NAME)
    with clear_journal_errors(file), contextlib.closing(open_to_read(file)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
