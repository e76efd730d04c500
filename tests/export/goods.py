"""A shop whose takes were judged: decisions, posters in the place of drawn ones, and an export."""

from __future__ import annotations

from pathlib import Path

from pipeline.export.exporting import Exported, Wish, export
from pipeline.journal.handovers import Handover, read_handovers
from pipeline.review.posters import poster_name
from pipeline.review.recording import Verdict, decide
from pipeline.review.takes import rows_with_takes
from tests.review.shop import Shop


def judge(shop: Shop, verdict: str, *keys: str) -> None:
    """Have a person say this of the newest takes of rows."""
    rows = rows_with_takes(shop.check(), shop.folder)
    decide(rows, shop.folder, {key: Verdict(verdict, reviewer="Ada", at=1764.0) for key in keys})


def draw(shop: Shop) -> None:
    """Put a file in the place of each take's poster."""
    shop.folder.posters.mkdir(parents=True, exist_ok=True)
    for row in rows_with_takes(shop.check(), shop.folder):
        for take in row.takes:
            name = poster_name(take.video.name, take.number)
            (shop.folder.posters / name).write_bytes(f"still of {name}".encode())


def hand(shop: Shop, wish: Wish | None = None) -> Exported:
    """Export what is approved."""
    return export(shop.check(), shop.folder, wish or Wish(), rehearsal=True)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return what lies in a folder."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def notes_of(shop: Shop) -> list[Handover]:
    """Return what the journal knows of what was handed over."""
    return read_handovers(shop.folder.journal)
