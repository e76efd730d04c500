"""`media.csv`: a line for each video that is handed over; `left_out.csv`: the rows that are not.

Both are UTF-8 with a mark by which Excel knows it, and nothing in them runs there.

Tested in tests/export/test_handing.py.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.checker.check import CheckedManifest
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place_unless_same
from pipeline.downloader.boxes import BoxFault, has_sound
from pipeline.export.handing import Delivered
from pipeline.manifest.plaintext import guard_within
from pipeline.model import shown_key
from pipeline.review.cards import TITLES, find_own_column

MEDIA, LEFT_OUT = "media.csv", "left_out.csv"
MEDIA_COLUMNS = (
    "key", "title", "file", "poster", "alt", "duration_s", "width", "height", "size_bytes",
    "sha256", "sound", "take", "approved_by", "approved_at", "ai_generated", "url",
)  # fmt: skip
"""The columns of media.csv, in this order."""
_LEFT_COLUMNS = ("key", "row", "table", "why")
_ALT = ("alt", "alt_text", "image_alt", "image_alt_text", "alt_tag", "alternative_text")
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Medium:
    """A video that is handed over, with all that a table says of it.

    `file` and `poster` are paths below the folder of what is handed over, `url` is where the video
    will be on the web, empty where that is not known, `product` what the shop calls the product.
    """

    row: int
    key: str
    title: str
    alt: str
    file: str
    poster: str
    url: str
    sound: str
    delivered: Delivered
    rehearsal: bool
    product: str

    @property
    def cells(self) -> tuple[object, ...]:
        """Return the values of `MEDIA_COLUMNS`, in that order."""
        take, approval = self.delivered.take, self.delivered.chosen.approval
        video = take.video
        return (
            self.key, self.title, self.file, self.poster, self.alt, round(video.duration_s, 2),
            video.width, video.height, video.size_bytes, video.sha256, self.sound, take.number,
            approval.reviewer if approval else "", _iso(approval.at) if approval else "",
            "rehearsal" if self.rehearsal else "yes", self.url,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not in a table, or with an empty `table` in none of them, and why."""

    key: str
    row: int
    table: str
    why: str


def describe(
    delivered: Iterable[Delivered],
    checked: CheckedManifest,
    approved: Path,
    handed_at: Callable[[str], str] | None,
    linked: Callable[[str], str | None],
    *,
    rehearsal: bool,
    product_at: int | None = None,
) -> list[Medium]:
    """Return what tables say of the videos that are handed over, in their order.

    Args:
        delivered: the videos.
        checked: the manifest, whose own columns give titles and texts.
        approved: the folder of what is handed over.
        handed_at: returns where a file of it will be on the web; None if that is not known.
        linked: returns then where others reach a video itself; None where it does not know.
        rehearsal: whether the videos are those of a rehearsal.
        product_at: the column with what the shop calls the product; None for the key.

    """
    title_at, alt_at = find_own_column(checked, TITLES), find_own_column(checked, _ALT)
    cells = {row.number: row.cells for row in checked.manifest.rows}
    media = []
    for one in delivered:
        row = one.chosen.row
        own = cells[row.row]
        title = own[title_at].strip() if title_at is not None else ""
        alt = own[alt_at].strip() if alt_at is not None else ""
        key = shown_key(row.key)
        media.append(
            Medium(
                row=row.row,
                key=key,
                title=title,
                alt=alt or title,
                file=one.video_file,
                poster=one.poster_file,
                url=handed_at(one.video_file) if handed_at else linked(one.take.video.file) or "",
                sound=_sound_of(approved / one.video_file),
                delivered=one,
                rehearsal=rehearsal,
                product=own[product_at].strip() if product_at is not None else key,
            )
        )
    return media


def write_media(media: Sequence[Medium], approved: Path, manifest: Path) -> Path:
    """Write media.csv and return its path. Raises StoreError.

    Args:
        media: what is handed over.
        approved: the folder.
        manifest: whose rights the file gets.

    """
    lines = (one.cells for one in media)
    return write_table(approved / MEDIA, MEDIA_COLUMNS, lines, manifest)


def write_left_out(left: Sequence[LeftOut], approved: Path, manifest: Path) -> Path:
    """Write left_out.csv and return its path. Raises StoreError.

    Args:
        left: the rows that are not handed over, or not in one of the tables.
        approved: the folder.
        manifest: whose rights the file gets.

    """
    lines = ((one.key, one.row, one.table, one.why) for one in left)
    return write_table(approved / LEFT_OUT, _LEFT_COLUMNS, lines, manifest)


def write_table(
    path: Path,
    columns: Sequence[str],
    lines: Iterable[Sequence[object]],
    manifest: Path,
    *,
    delimiter: str = ",",
    mark: str = _MARK,
) -> Path:
    """Write a text table in which nothing runs, and return its path. Raises StoreError.

    Args:
        path: where to.
        columns: the headers.
        lines: the values under them.
        manifest: whose rights the file gets.
        delimiter: what stands between two cells.
        mark: what the file begins with.

    """
    text = io.StringIO()
    table = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows([_plain(value) for value in line] for line in lines)
    data = (mark + text.getvalue()).encode("utf-8", "replace")
    return place_unless_same(path, data, copy_of=manifest)


def _plain(value: object) -> object:
    return guard_within(value) if isinstance(value, str) else value


def _sound_of(path: Path) -> str:
    """Return whether a video has sound: yes, no, or nothing where it cannot be told."""
    try:
        with open_to_read_bytes(path) as file:
            return "yes" if has_sound(file, path.lstat().st_size) else "no"
    except (OSError, BoxFault, ValueError):
        return ""


def _iso(at: float) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return ""
