"""A journal gets back what the account's book remembers, before anything is sent from it.

What it gets, and what is looked up besides, `reconcile` decides. Here both are read and the journal
is written; the book is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.account.book import Book
from pipeline.account.reading import id_of, journals_in, submissions_of
from pipeline.account.reconcile import Reconciliation, Standing, after, reconcile, standing_of
from pipeline.account.recording import pair_in
from pipeline.account.submission import KnownJournal, Submission
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_all
from pipeline.model import Entry, State

ASKS_FIRST = "asks_first"
"""The note in a journal that may have forgotten submissions: it looks up every row.

Empty, it does so no more."""

_UNSENT = "not_sent "
"""With the identity of a row: the note that a person has seen that it was not sent."""

_ASKED_UNTIL = "asked_until"
"""The note of the Unix second by which every row of the manifest had been looked up or sent."""


def recover(journal: Journal, book: Book | None, folder: Path, at: float) -> Reconciliation:
    """Let a journal take up what the book remembers of it; return what is to be looked up.

    A new journal in a folder that the book knows takes over the id of the one that was there, so
    that its numbers and references go on counting.

    Args:
        journal: The journal, open for writing, which the book does not follow yet.
        book: The account's book; None if there is none.
        folder: The output folder of the journal.
        at: The time, in Unix seconds.

    Raises:
        StoreError: The journal or the book cannot be used.

    """
    known = None if book is None else _known(journal, book.path, folder)
    notes = journal.notes()
    pair = pair_in(notes)
    standing = standing_of(
        book=None if book is None else book.id,
        noted=pair.book_id,
        seq=pair.seq,
        confirmed=pair.confirmed,
        book_seq=0 if known is None else known.seq,
    )
    remembered = [] if book is None or known is None else submissions_of(book.path, journal.id)
    found = reconcile(
        _attempts_of_concern(journal, standing, remembered),
        remembered if standing in _TELLING else [],
        standing,
        cut_off=journal.was_cut_off(),
        now=at,
    )
    written = [journal.append([event], when) for event, when in found.events]
    for one in written:
        one.result()
    found = replace(found, asked_until=float(notes.get(_ASKED_UNTIL, 0)))
    if found.ask_all:
        return ask_for_all(journal, found, at)
    return replace(found, ask_all=asks_first(notes))


def ask_for_all(journal: Journal, found: Reconciliation, at: float) -> Reconciliation:
    """Have every row looked up before it is sent, by this run and those after it.

    Args:
        journal: The journal, open for writing.
        found: What is to be done otherwise.
        at: The time, in Unix seconds.

    Raises:
        StoreError: The journal cannot be used.

    """
    journal.note({ASKS_FIRST: str(at)})
    return replace(found, ask_all=True)


def note_asked(journal: Journal, at: float) -> None:
    """Trust a journal again: by `at`, a Unix second, each row had been looked up or sent.

    Further attempts of these rows may still be forgotten: they are looked up before they are sent.
    Raises StoreError.
    """
    journal.note({ASKS_FIRST: "", _ASKED_UNTIL: str(at)})


def note_unsent(journal: Journal, key: str) -> None:
    """Note that a person has seen that a row was not sent, which no look-up proves.

    It holds as long as the journal is distrusted for the same cause. Raises StoreError.
    """
    journal.note({_UNSENT + journal.identity_of(key): journal.notes().get(ASKS_FIRST, "")})


def is_unsent(notes: Mapping[str, str], identity: str) -> bool:
    """Return whether a person has seen that a row was not sent; see `note_unsent`."""
    return asks_first(notes) and notes.get(_UNSENT + identity) == notes[ASKS_FIRST]


def asks_first(notes: Mapping[str, str]) -> bool:
    """Return whether a journal with these notes looks up every row before it is sent."""
    return bool(notes.get(ASKS_FIRST))


def foresee(journal: Path, book: Path | None, folder: Path) -> dict[str, Entry]:
    """Return what a journal will know, by key, once a run has let it take up what the book knows.

    Nothing is written.

    Args:
        journal: The file of the journal, which need not be there.
        book: The file of the account's book; None if there is none.
        folder: The output folder of the journal.

    Raises:
        StoreError: The journal or the book cannot be used.

    """
    notes, attempts = read_all(journal)
    here = [] if book is None else journals_in(book, folder)
    if book is None or not (attempts or here):
        return after(attempts, Reconciliation())
    own = notes.get("id", "") if attempts else _lost_one(here).journal_id
    known = next((one for one in journals_in(book) if one.journal_id == own), None)
    if known is None:
        return after(attempts, Reconciliation())
    pair = pair_in(notes)
    standing = standing_of(
        book=id_of(book),
        noted=pair.book_id,
        seq=pair.seq,
        confirmed=pair.confirmed,
        book_seq=known.seq,
    )
    remembered = submissions_of(book, own) if standing in _TELLING else []
    if not remembered:
        return after(attempts, Reconciliation())
    return after(attempts, reconcile(attempts, remembered, standing, cut_off=False, now=0.0))


@dataclass(frozen=True, slots=True)
class Known:
    """The references and the tasks of all that was sent from an output folder, as far as known.

    `_begun` says of each when it was sent, in Unix seconds.
    """

    references: frozenset[str]
    tasks: frozenset[str | None]
    _begun: tuple[float, ...]

    def sent_since(self, at: float) -> int:
        """Return how many of them were sent at a Unix second or later."""
        return sum(one >= at for one in self._begun)


def known_before(journal: Path, book: Path | None, folder: Path) -> Known:
    """Return what journal and book will know together once a run has begun; nothing is written.

    Args:
        journal: The file of the journal, which need not be there.
        book: The file of the account's book; None if there is none.
        folder: The output folder of the journal.

    Raises:
        StoreError: The journal or the book cannot be used.

    """
    notes, attempts = read_all(journal)
    pair = pair_in(notes)
    books = {one for one in (book, path_of(pair.path) if pair.path else None) if one is not None}
    own = notes.get("id")
    if book is not None and not attempts and (here := journals_in(book, folder)):
        own = _lost_one(here).journal_id
    remembered = [
        one
        for path in books
        if own is not None and not is_gone(path)
        for one in submissions_of(path, own)
    ]
    begun = {one.reference: one.submitted_at or 0.0 for one in remembered}
    begun |= {one.attempt.client_business_id: one.submitted_at or 0.0 for one in attempts}
    tasks: set[str | None] = {one.task_id for one in attempts} | {one.task_id for one in remembered}
    return Known(frozenset(begun), frozenset(tasks), tuple(begun.values()))


def _lost_one(here: Sequence[KnownJournal]) -> KnownJournal:
    """Return the journal, of those that the book knows in a folder, that was worked with there."""
    return next((one for one in here if one.last_event), here[0])


_TELLING = frozenset({Standing.JOURNAL_OLDER, Standing.OTHER_BOOK})
"""Where the book can know what the journal does not."""


def _attempts_of_concern(
    journal: Journal, standing: Standing, remembered: list[Submission]
) -> list[Entry]:
    """Return the attempts to hold against the book: mostly those whose end is not known."""
    if standing in _TELLING:
        return journal.attempts()
    known = {one.reference for one in remembered}
    return [
        entry
        for entry in journal.attempts(State.SUBMITTING)
        if entry.attempt.client_business_id not in known
    ]


def _known(journal: Journal, book: Path, folder: Path) -> KnownJournal | None:
    here = journals_in(book, folder)
    if here and journal.is_new():
        journal.take_over_id(_lost_one(here).journal_id)
    return next((one for one in journals_in(book) if one.journal_id == journal.id), None)
