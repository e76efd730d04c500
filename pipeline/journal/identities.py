"""Which entry a key means: an entry keeps its identity, whatever its row is called later.

The tables `events` and `attempts` name an entry by its identity, in their column `key`: the key
under which the entry was first known. So renaming a row changes one line of the table `renamed` and
nothing of its history, and the references of its attempts, which are made from the identity, are
never used twice.

A key may come back for another product while the entry that was first known by it has another key
by now. Then the new entry's identity is the key and a mark with a number that no key can hold. It
says of itself which key it was made for, so that a new entry needs no line in `renamed` either: one
is there only where an entry's key now is not the one it was made for.

Tested in tests/journal/test_renamed.py.
"""

from __future__ import annotations

import sqlite3

from pipeline.model import IDENTITY_MARK, made_for

_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'renamed'"
_PUT = (
    "INSERT INTO renamed (identity, key) VALUES (?, ?) "
    "ON CONFLICT (identity) DO UPDATE SET key = excluded.key"
)


class Identities:
    """The keys of a journal's entries where they are not those that their identities are made of.

    No two entries have the same key at one time.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read them from an open journal; one of an earlier version has none."""
        found: list[tuple[str, str]] = []
        if connection.execute(_HAS_TABLE).fetchone() is not None:
            found = connection.execute("SELECT identity, key FROM renamed").fetchall()
        self._key_of = dict(found)
        self._identity_of = {key: identity for identity, key in found}

    def key_of(self, identity: str) -> str:
        """Return the key that an entry has now."""
        return self._key_of.get(identity) or made_for(identity)

    def of(self, key: str) -> str:
        """Return the identity of the entry that has a key now; if none has, that of a new one."""
        known = self._identity_of.get(key)
        if known is not None:
            return known
        identity, number = key, 1
        while identity in self._key_of:
            number += 1
            identity = f"{key}{IDENTITY_MARK}{number}"
        return identity

    def rename(self, identity: str, key: str) -> None:
        """Give an entry a key, which no other entry may have; see `store`."""
        self._identity_of.pop(self._key_of.pop(identity, ""), None)
        if self.of(key) != identity:
            self._key_of[identity] = key
            self._identity_of[key] = identity

    def store(self, connection: sqlite3.Connection, identity: str) -> None:
        """Write the key of a renamed entry into the journal, inside the open transaction.

        Raises sqlite3.IntegrityError if another entry has it.
        """
        key = self._key_of.get(identity)
        if key is None:
            connection.execute("DELETE FROM renamed WHERE identity = ?", (identity,))
        else:
            connection.execute(_PUT, (identity, key))
