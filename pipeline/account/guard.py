"""What the book holds each intent against: requests bought elsewhere, and caps of the day.

All of it is asked inside the transaction that takes the intent, over every process of the account.
The days go from midnight to midnight in the zone that `budget.timezone` names.

Tested in tests/account/test_book.py and tests/account/test_days.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from math import inf
from zoneinfo import ZoneInfo

from pipeline.account.submission import COUNTING, SPENT
from pipeline.engine.limits import Caps, Spend
from pipeline.errors import Withheld
from pipeline.manifest.invocation import quoted_option
from pipeline.model import Attempt, Entry, Request, State, shown_key


def _listed(states: frozenset[State]) -> str:
    return ", ".join(f"'{state.value}'" for state in sorted(states))


IS_COUNTING = (
    f"s.state IN ({_listed(COUNTING)}) AND NOT (s.submitted_at IS NULL AND EXISTS "  # noqa: S608
    "(SELECT * FROM submissions o WHERE o.account = s.account AND o.request_hash = s.request_hash "
    "AND o.task_id = s.task_id AND o.submitted_at IS NOT NULL))"
)
"""The condition that a row `s` of `submissions` counts as bought.

A reused take, which was never submitted, stands for its purchase only as long as that is unknown.
"""
_IS_SPENT = f"state IN ({_listed(SPENT)})"

_SUM = (
    "SELECT count(*), coalesce(sum(seconds), 0), "  # noqa: S608 - our own words
    "coalesce(sum(coalesce(money, seconds * ?)), 0.0) FROM submissions "
    f"WHERE account = ? AND submitted_at >= ? AND {_IS_SPENT}"
)
_ELSEWHERE = (
    f"FROM submissions s WHERE s.account = ? AND s.journal_id != ? AND {IS_COUNTING} "
    "AND s.request_hash IN "
)
_NEWEST = (
    "SELECT s.key, j.folder FROM submissions s LEFT JOIN journals j USING (journal_id) "  # noqa: S608
    f"WHERE s.reference = (SELECT reference {_ELSEWHERE}{{}} ORDER BY submitted_at DESC LIMIT 1)"
)
_KNOWS_TASK = (
    "SELECT EXISTS (SELECT * FROM submissions WHERE account = ? AND request_hash = ? "
    "AND task_id = ?)"
)

NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Guard:
    """What the intents of one journal are held against.

    `known` says how many submissions of other journals, by request hash, the plan knew of: more
    than these are repeats. `spellings` returns the hashes that a request may have been bought
    under. Rows of `exempt` keys, and all with `pays`, are not compared. `caps` are those of a day,
    `price` is what a second of video costs now, and `day_start` returns the Unix second at which
    the day of another began. `night_caps` are those of a night that began at `night_since`.
    """

    known: Mapping[str, int] = field(default_factory=dict)
    exempt: frozenset[str] = frozenset()
    pays: bool = False
    spellings: Callable[[Request], Collection[str]] = lambda request: (request.request_hash,)
    caps: Caps = NO_CAPS
    night_caps: Caps = NO_CAPS
    night_since: float = 0.0
    price: float | None = None
    day_start: Callable[[float], float] = lambda at: at - at % 86_400

    def compares(self, key: str) -> bool:
        """Return whether a row's request is compared with what was bought elsewhere."""
        return not self.pays and key not in self.exempt


def sent_before(connection: sqlite3.Connection, attempt: Attempt) -> Withheld | None:
    """Return why this very attempt may not be sent: the book knows that it was.

    A journal that lost its memory, or an older copy, makes the same reference again.
    """
    row = connection.execute(
        "SELECT state FROM submissions WHERE reference = ?", (attempt.client_business_id,)
    ).fetchone()
    if row is None or row[0] == State.WAITING:
        return None
    return Withheld(
        f"attempt {attempt.number} of this row was sent before, and is {row[0]} in the account's "
        "book: the journal does not know of it.",
        repeat=True,
        action="Run again: what the book knows is taken over first.",
    )


def repeated(
    connection: sqlite3.Connection,
    account: str,
    journal_id: str,
    attempt: Attempt,
    *,
    spellings: Collection[str],
    allowed: int,
) -> Withheld | None:
    """Return why an attempt may not be sent: its request was bought for a row of another journal.

    Args:
        connection: the book, inside a transaction.
        account: the account.
        journal_id: the attempt's own journal.
        attempt: the attempt.
        spellings: the hashes that its request may have been bought under.
        allowed: how many such purchases the plan knew of.

    """
    marks = f"({', '.join('?' * len(spellings))})"
    sought = (account, journal_id, *spellings)
    count = f"SELECT count(DISTINCT coalesce(s.task_id, s.reference)) {_ELSEWHERE}{marks}"
    (bought,) = connection.execute(count, sought).fetchone()
    if bought <= allowed:
        return None
    key, folder = connection.execute(_NEWEST.format(marks), sought).fetchone()
    return Withheld(
        f"this very request was bought for the row {shown_key(key)!r} of "
        f"{folder or 'another folder'}.",
        repeat=True,
        action="To pay for a fresh video on purpose, add "
        f"{quoted_option('--pay-again', attempt.key)}.",
    )


def of_unknown_purchases(
    reused: list[Entry], bought: list[Entry], book: sqlite3.Connection, owner: str
) -> list[Entry]:
    """Return the reused takes whose purchases neither the book knows nor their own journal.

    Their tasks were paid for, and for the book they stand for these purchases: each once.

    Args:
        reused: the reused takes of a journal.
        bought: what else the journal tells of.
        book: the book, open.
        owner: the account that the journal is of.

    """
    tasks = {one.task_id for one in bought}
    found = []
    for one in reused:
        sought = (owner, one.attempt.request.request_hash, one.task_id)
        if one.task_id not in tasks and not book.execute(_KNOWS_TASK, sought).fetchone()[0]:
            tasks.add(one.task_id)
            found.append(one)
    return found


class Totals:
    """What the account has spent in a day, kept as long as no other process writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._by_day: dict[tuple[str, float, float | None], Spend] = {}
        self._version: int | None = None
        self._latest_day = -inf

    def clear(self) -> None:
        """Forget what is kept."""
        self._by_day.clear()

    def heed_others(self) -> None:
        """Forget what is kept if another process wrote; asked at the start of a transaction."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self.clear()

    def take(self, attempt: Attempt, account: str, guard: Guard, at: float) -> Withheld | None:
        """Count an attempt, or return which cap of the day or the night it would pass.

        Args:
            attempt: the attempt.
            account: the account that pays.
            guard: its caps.
            at: when it is sent, in Unix seconds.

        """
        # A clock that is set back opens no old day.
        self._latest_day = max(self._latest_day, guard.day_start(at))
        counted: list[Spend] = []
        for period, caps, since, when in (
            ("per_day", guard.caps, self._latest_day, "tomorrow"),
            ("per_night", guard.night_caps, guard.night_since, "in the next night"),
        ):
            if caps == NO_CAPS:
                continue
            spend = self._spend(account, since, guard.price)
            for name, excess in spend.excess(attempt, caps):
                return Withheld(
                    f"a cap is reached: budget.{period}.{name} {excess}, over all runs of the "
                    f"account {account}.",
                    action=f"Raise the cap under budget, or run again {when}.",
                )
            if not any(spend is one for one in counted):  # day and night may begin together
                counted.append(spend)
        for spend in counted:
            spend.add(attempt)
        if not counted:
            self.clear()
        return None

    def give_back(self, reference: str, account: str) -> None:
        """Take back an attempt that was provably not accepted, before its state is changed."""
        if not self._by_day:
            return
        row = self._connection.execute(
            f"SELECT seconds, money, submitted_at FROM submissions "  # noqa: S608 - our own words
            f"WHERE reference = ? AND {_IS_SPENT}",
            (reference,),
        ).fetchone()
        if row is None:
            return
        seconds, money, at = row
        for (owner, since, price), spend in self._by_day.items():
            if owner == account and at is not None and at >= since:
                spend.videos -= 1
                spend.video_seconds -= seconds
                spend.money -= (price or 0) * seconds if money is None else money

    def _spend(self, account: str, since: float, price: float | None) -> Spend:
        place = account, since, price
        if place not in self._by_day:
            self._by_day[place] = spent_since(self._connection, account, since, price)
        return self._by_day[place]


def spent_since(
    connection: sqlite3.Connection, account: str, since: float, price: float | None
) -> Spend:
    """Return what an account has spent since the Unix second `since`.

    Args:
        connection: the book.
        account: the account.
        since: the first second that counts.
        price: what a second costs now, for what was sent before a price was set.

    """
    row = connection.execute(_SUM, (price or 0.0, account, since)).fetchone()
    return Spend(*row)


LOCAL = "local"
"""The zone of this machine."""


class Days:
    """Tells which day a moment belongs to, and when that day began."""

    def __init__(self, zone: str = LOCAL) -> None:
        """Take the name of a zone as the configuration has checked it."""
        self._zone: tzinfo | None = None if zone == LOCAL else ZoneInfo(zone)

    def number_of(self, at: float) -> int:
        """Return the number of the day of a Unix second; a later day has a greater one."""
        return self._day(at).toordinal()

    def start_of(self, at: float) -> float:
        """Return the Unix second at which the day of another began.

        Where clocks are put forward at midnight, that is the moment in which they are.
        """
        return datetime.combine(self._day(at), time.min, self._zone).timestamp()

    def _day(self, at: float) -> date:
        return datetime.fromtimestamp(at, self._zone).date()
