"""Tables of earlier exports stay true: how each was asked for last is noted in the journal.

So a later export that does not name one brings it up to date. One that a person has changed, or of
which nothing is noted, is not touched, and named.

Tested in tests/export/test_again.py.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.disk.openfile import hash_of_file, is_gone
from pipeline.export.formats import FORMATS
from pipeline.export.publicaddress import PublicAddress
from pipeline.export.tables import Table, TableFormat
from pipeline.journal.decisions import DecisionTable
from pipeline.journal.ownership import read_notes

_NOTE = "export_table/"


@dataclass(frozen=True, slots=True)
class TableWish:
    """How a table is asked for; all as in a wish, `sha256` is that of the file as it was left."""

    format: TableFormat
    address: PublicAddress | None
    product: str | None
    meta_key: str
    sha256: str = ""


def earlier_tables(
    journal: Path, approved: Path, named: Collection[str]
) -> tuple[list[TableWish], list[Path]]:
    """Return the tables to bring up to date though they are not named, and those that cannot be.

    Args:
        journal: the journal.
        approved: the folder of what is handed over.
        named: the names of the formats that are written anyway.

    Raises:
        StoreError: the journal cannot be read.

    """
    noted = read_notes(journal)
    again, stale = [], []
    for one in FORMATS.values():
        path = approved / one.file
        if one.name in named or is_gone(path):
            continue
        wish = _understand(one, noted.get(_NOTE + one.name))
        with contextlib.suppress(OSError):
            if wish is not None and hash_of_file(path) == wish.sha256:
                again.append(wish)
                continue
        stale.append(path)
    return again, stale


def note_tables(journal: Path, written: Iterable[tuple[TableWish, Table]]) -> None:
    """Note how tables were asked for, and what they are; raises StoreError."""
    values = {}
    for wish, table in written:
        values[_NOTE + wish.format.name] = json.dumps(
            {
                "address": wish.address.base if wish.address else None,
                "product": wish.product,
                "meta_key": wish.meta_key,
                "sha256": hash_of_file(table.path),
            },
            ensure_ascii=False,
        )
    if values:
        with DecisionTable(journal) as notes:
            notes.note(values)


def _understand(table: TableFormat, text: str | None) -> TableWish | None:
    if text is None:
        return None
    said: dict[str, Any] = json.loads(text)
    address = said["address"]
    return TableWish(
        table,
        PublicAddress(address) if address is not None else None,
        said["product"],
        said["meta_key"],
        said["sha256"],
    )
