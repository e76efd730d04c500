"""An export: what was chosen goes to its folder, and is told in tables.

`media.csv` says what lies there, `left_out.csv` what does not and why.

Tested in tests/export/test_handing.py and tests/export/test_formats.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.errors import UsageError
from pipeline.export.again import TableWish, earlier_tables, note_tables
from pipeline.export.choice import Chosen, Standing, choose
from pipeline.export.foldernames import folder_names
from pipeline.export.formats import FORMATS
from pipeline.export.handing import Change, Handed, Progress, hand_over
from pipeline.export.mediatable import (
    LEFT_OUT,
    MEDIA,
    LeftOut,
    Medium,
    describe,
    write_left_out,
    write_media,
)
from pipeline.export.publicaddress import PublicAddress
from pipeline.export.tables import TableOrder
from pipeline.export.woocommercecsv import DEFAULT_META_KEY
from pipeline.journal.decisions import read_decisions
from pipeline.journal.handovers import read_handovers
from pipeline.manifest.columns import fold_header
from pipeline.manifest.wording import agree, name_headers
from pipeline.model import shown_key
from pipeline.review.takes import JudgedRow, rows_with_takes
from pipeline.review.verdicts import latest_of

_RESERVED = (MEDIA, LEFT_OUT, *(one.file for one in FORMATS.values()))
_WHY = {
    Standing.UNDECIDED: "nobody has judged its take",
    Standing.REJECTED: "its take was rejected",
    Standing.NO_VIDEO: "it has no finished video",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an export.

    `tables` are the formats beside the folder. `undecided` hands takes over that nobody has judged,
    too. `address` is where the folder will be on the web; without it `linked` may know where others
    reach a video by its file. `product` is the header of the column with what the shop calls the
    product, `meta_key` the field of a shop's plugin.
    """

    tables: tuple[str, ...] = ()
    undecided: bool = False
    address: PublicAddress | None = None
    linked: Callable[[str], str | None] = lambda _: None
    product: str | None = None
    meta_key: str = DEFAULT_META_KEY


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did.

    `files` are the tables that were written, `unwritten` those that need an address, `stale` those
    of an earlier export that could not be brought up to date. `left` are the rows that are not
    handed over or not in one of the tables.
    """

    folder: Path
    handed: Handed
    media: tuple[Medium, ...]
    standings: Counter[Standing]
    left: tuple[LeftOut, ...]
    files: tuple[Path, ...] = ()
    unwritten: tuple[str, ...] = ()
    stale: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> Counter[Change]:
        """Count what became of the rows that are handed over."""
        return Counter(one.change for one in self.handed.delivered)

    @property
    def faults(self) -> tuple[tuple[JudgedRow, str], ...]:
        """The rows that could not be handed over, and why."""
        return tuple(self.handed.faults)

    @property
    def complete(self) -> bool:
        """Whether all that was asked for was done, and no row waits for a verdict."""
        undecided = self.standings[Standing.UNDECIDED]
        return not (undecided or self.faults or self.unwritten or self.stale)


def export(
    checked: CheckedManifest,
    folder: OutputFolder,
    wish: Wish,
    *,
    rehearsal: bool,
    progress: Progress | None = None,
) -> Exported:
    """Hand over what is chosen of a manifest, and write the tables.

    Args:
        checked: the manifest.
        folder: its output folder, with a journal.
        wish: what is asked for.
        rehearsal: whether the folder holds a rehearsal.
        progress: told of each row.

    Raises:
        StoreError: the disk takes no more, or the journal cannot be read or written.
        RunLocked: another export works in the folder.
        UsageError: there is no column `wish.product`.

    """
    manifest = checked.manifest.path
    product_at = None if wish.product is None else _column(checked, wish.product)
    with run_lock(folder.cache / "export.lock", manifest):
        rows = rows_with_takes(checked, folder)
        latest = latest_of(read_decisions(folder.journal))
        chosen = choose(rows, latest, undecided=wish.undecided)
        names = folder_names(checked.keys, _RESERVED)
        handed = hand_over(chosen, names, folder, manifest, progress)
        media = describe(
            handed.delivered,
            checked,
            folder.approved,
            wish.address.of if wish.address is not None else None,
            wish.linked,
            rehearsal=rehearsal,
            product_at=product_at,
        )
        unwritten = _unwritten(wish)
        again, stale = earlier_tables(
            folder.journal, folder.approved, {*wish.tables} - {*unwritten}
        )
        wanted = [*_asked(wish, unwritten), *(one for one in again if _has_column(one, checked))]
        stale += [folder.approved / one.format.file for one in again if one not in wanted]
        orders = _orders(wanted, media, checked, folder)
        written = [(one, one.format.write(order)) for one, order in orders]
        note_tables(folder.journal, written)
        tables = [table for _, table in written]
        left = [*_left_out(chosen, handed), *(one for table in tables for one in table.left)]
        files = [
            write_media(media, folder.approved, manifest),
            *(table.path for table in tables),
            write_left_out(left, folder.approved, manifest),
        ]
    return Exported(
        folder=folder.approved,
        handed=handed,
        media=tuple(media),
        standings=Counter(one.why_not for one in chosen if one.why_not is not None),
        left=tuple(left),
        files=tuple(files),
        unwritten=unwritten,
        stale=tuple(stale),
        notes=(*(note for table in tables for note in table.notes), *_say_addresses(wish, wanted)),
    )


def _say_addresses(wish: Wish, written: Sequence[TableWish]) -> Iterator[str]:
    """Yield that tables of earlier exports keep another address than the one that was named now."""
    named = wish.address
    bases = [(one.address.base, one) for one in written if one.address and one.format.needs_address]
    kept = [one for base, one in bases if named is not None and base != named.base]
    if kept:
        files = ", ".join(one.format.file for one in kept)
        again = " ".join(f"--to {one.format.name}" for one in kept)
        yield (
            f"{files} {agree(len(kept), 'keeps', 'keep')} the address that was named for "
            f"{agree(len(kept), 'it', 'them')} before. To have the new one there, add {again}"
        )


def _column(checked: CheckedManifest, header: str) -> int:
    """Return where a column of the manifest is; raises UsageError if there is none."""
    headers = [fold_header(one) for one in checked.manifest.headers]
    if fold_header(header) not in headers:
        raise UsageError(
            f"--id-column {header}: {checked.manifest.path} has no column of that name.",
            action=name_headers(checked.manifest.headers),
        )
    return headers.index(fold_header(header))


def _unwritten(wish: Wish) -> tuple[str, ...]:
    """Return the tables that are asked for and would need an address."""
    named = (FORMATS[name] for name in wish.tables)
    return tuple(one.name for one in named if one.needs_address and wish.address is None)


def _asked(wish: Wish, unwritten: Sequence[str]) -> list[TableWish]:
    return [
        TableWish(FORMATS[name], wish.address, wish.product, wish.meta_key)
        for name in wish.tables
        if name not in unwritten
    ]


def _has_column(one: TableWish, checked: CheckedManifest) -> bool:
    headers = map(fold_header, checked.manifest.headers)
    return one.product is None or fold_header(one.product) in headers


def _orders(
    wanted: Sequence[TableWish],
    media: Sequence[Medium],
    checked: CheckedManifest,
    folder: OutputFolder,
) -> Iterator[tuple[TableWish, TableOrder]]:
    """Yield each table with what it is made of."""
    replaced = _replaced(media, folder.journal)
    cells = {row.number: row.cells for row in checked.manifest.rows}
    for one in wanted:
        at = None if one.product is None else _column(checked, one.product)
        address = one.address
        told = [
            replace(
                each,
                url=address.of(each.file) if address is not None else "",
                product=cells[each.row][at].strip() if at is not None else each.key,
            )
            for each in media
        ]
        yield (
            one,
            TableOrder(told, folder.approved, checked.manifest.path, replaced, one.meta_key),
        )


def _replaced(media: Sequence[Medium], journal: Path) -> frozenset[str]:
    """Return the keys of the rows of which several videos were handed over, one after the other."""
    videos: defaultdict[str, set[str]] = defaultdict(set)
    for note in read_handovers(journal):
        videos[note.entry].add(note.sha256)
    return frozenset(
        one.key for one in media if len(videos[one.delivered.chosen.row.entry] - {""}) > 1
    )


def _left_out(chosen: Sequence[Chosen], handed: Handed) -> list[LeftOut]:
    faults = {row.row: why for row, why in handed.faults}
    left = []
    for one in chosen:
        why = faults.get(one.row.row)
        if why is None and one.why_not is not None:
            why = _WHY[one.why_not]
        if why is not None:
            left.append(LeftOut(shown_key(one.row.key), one.row.row, "", why))
    return left
