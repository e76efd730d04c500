"""The formats in which shops take a list of videos, and what they have in common.

Each is a module of its own with a `FORMAT`; one line in `FORMATS` makes it known.

Tested in tests/export/test_formats.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.export.mediatable import LeftOut, Medium
from pipeline.manifest.plaintext import guard_within


@dataclass(frozen=True, slots=True)
class TableOrder:
    """What a table is made of: the videos, in which folder, with the rights of which manifest.

    `replaced` are the keys of rows for which another video was handed over before. `meta_key` is
    the field of a shop's plugin.
    """

    media: Sequence[Medium]
    approved: Path
    manifest: Path
    replaced: frozenset[str]
    meta_key: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was written: the rows that it could not take, and what the user should know."""

    path: Path
    left: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableFormat:
    """A format: its name on the command line, that of its file, and how it is written.

    `needs_address` says that it names each video by its address on the web.
    """

    name: str
    file: str
    write: Callable[[TableOrder], Table]
    needs_address: bool = True


@dataclass(slots=True)
class Sorted:
    """The videos that a table takes, and the rows that it cannot take."""

    taken: list[Medium] = field(default_factory=list)
    left: list[LeftOut] = field(default_factory=list)


def sort_out(
    media: Iterable[Medium], table: str, why_not: Callable[[Medium], str | None]
) -> Sorted:
    """Part the videos that a table takes from those that it cannot take.

    Args:
        media: what is handed over.
        table: the name of the format.
        why_not: returns why a table cannot take a video; None if it can.

    """
    found = Sorted()
    for one in media:
        why = why_not(one)
        if why is None:
            found.taken.append(one)
        else:
            found.left.append(LeftOut(one.key, one.row, table, why))
    return found


def unfit_name(product: str) -> str | None:
    """Return why the name of a product cannot stand in a text table; None if it can.

    A shop would read the apostrophe that guards a formula as part of the name.
    """
    if guard_within(product) != product:
        return "a spreadsheet program would run what the shop calls it as a formula"
    return None if product else "the cell with what the shop calls it is empty"
