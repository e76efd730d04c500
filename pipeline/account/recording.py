"""Journal and book as one record: what the journal commits, the book takes before anything is sent.

The order is journal first, then book, then the command. So the journal is never behind the book:

- an intent that the book has and the journal has not shows that the journal is missing, older, or
  another one: that row must never be sent again before it was looked up;
- an intent that the journal has and the book has not was never sent, unless the book is older.

Which of the two is older, numbers tell. Each batch of the journal with money in it has one: the
journal notes it in the same transaction, with the latest number that the book is known to have
(`book_confirmed`), and then the book notes it in its own.

A rehearsal has no book, and the setting `account.book: none` asks for none: then the journal stands
alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from pipeline.account.book import Batch, Book
from pipeline.account.guard import Guard
from pipeline.account.reconcile import Reconciliation
from pipeline.account.submission import MONEY, KnownJournal
from pipeline.disk.groupcommit import Committed, after, done_with
from pipeline.disk.sqlitefile import text_of
from pipeline.events import Event
from pipeline.journal.journal import Journal
from pipeline.journal.writing import Change


@dataclass(frozen=True, slots=True)
class Pair:
    """What a journal remembers of its book.

    `seq` is the number of its last batch with money in it, `confirmed` the last one that the book
    was known to have, `last_event` the place of that batch's last event. Without a book `book_id`
    is empty.
    """

    book_id: str = ""
    path: str = ""
    seq: int = 0
    confirmed: int = 0
    last_event: int = 0


def pair_in(noted: Mapping[str, str]) -> Pair:
    """Return the pair that a journal's `meta` holds, by its names there."""
    return Pair(
        noted.get("book", ""),
        noted.get("book_path", ""),
        int(noted.get("book_seq", 0)),
        int(noted.get("book_confirmed", 0)),
        int(noted.get("book_event", 0)),
    )


class Recorder:
    """Follows one journal, and has the book take all that is of the account's concern.

    `guard` is what its intents are held against; set it before the first of them. `recovery` is
    what the journal got back from the book, and what is to be looked up before it is sent.
    """

    concerned: Collection[type[Event]] = MONEY

    def __init__(self, book: Book, journal: Journal, known: KnownJournal) -> None:
        """Begin to follow a journal that the book knows, and note each in the other.

        Args:
            book: the account's book.
            journal: the journal, which has told nothing to this book that it does not hold.
            known: the journal as the book has just registered it.

        Raises:
            StoreError: the journal does not take the note.

        """
        self.guard = Guard()
        self.recovery = Reconciliation()
        self._book = book
        self._journal = journal
        self._account = known.account
        self._journal_id = known.journal_id
        self._last_event = known.last_event
        before = pair_in(journal.notes())
        # A number is never used twice: neither by this journal nor for it.
        of_pair = before.seq if before.book_id == book.id else 0
        self._seq = self._confirmed = max(of_pair, known.seq)
        self._latest: Future[Committed] = done_with(Committed())
        journal.be_followed_by(self)
        journal.note(
            {"book": book.id, "book_path": text_of(book.path), **self._numbers(known.last_event)}
        )

    def append(self, events: Sequence[Event], at: float) -> Future[Committed]:
        """Write events that happened at Unix second `at`; the future is done when both have them.

        Its result names the intents that the book did not take: they must not be sent.
        """
        return self._journal.append(events, at)

    def remember_upload(self, account: str, sha256: str, url: str, at: float) -> Future[Committed]:
        """Keep the URL of an uploaded picture in both, for later runs of all manifests.

        Args:
            account: whose upload the journal says that it is.
            sha256: the hash of the uploaded bytes.
            url: the address that the provider gave.
            at: when it was uploaded, in Unix seconds.

        """
        self._book.remember_upload(self._account, sha256, url, at)
        return self._journal.remember_upload(account, sha256, url, at)

    def notes(self, last_event: int) -> Mapping[str, str]:
        """Return what the journal notes with its next batch that has money in it."""
        self._last_event = last_event
        return self._numbers(last_event, coming=1)

    def follow(self, changes: Sequence[Change]) -> Future[Committed]:
        """Have the book take what the journal has committed, after all that came before."""
        if not changes:
            # In the order of the journal's commits; the refusals have been told already.
            return after(self._latest, lambda committed: Committed(committed.shortage))
        self._seq += 1
        batch = Batch(
            self._account, self._journal_id, changes, self._seq, self._last_event, self.guard
        )
        self._latest = after(self._book.take(batch), lambda done: self._taken(done, batch))
        return self._latest

    def _numbers(self, last_event: int, coming: int = 0) -> dict[str, str]:
        return {
            "book_seq": str(self._seq + coming),
            "book_confirmed": str(self._confirmed),
            "book_event": str(last_event),
        }

    def _taken(self, committed: Committed, batch: Batch) -> Committed:
        """Note that the book has a batch; the refusals of other journals are not ours."""
        self._confirmed = max(self._confirmed, batch.seq)
        references = {change.entry.attempt.client_business_id for change in batch.changes}
        ours = {one: why for one, why in committed.withheld.items() if one in references}
        return Committed(committed.shortage, ours)
