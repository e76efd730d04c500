"""The review page with its videos in one archive, for a colleague on another machine.

What is in it is what the page shows: videos, posters, small copies of pictures, texts of the sheet,
decisions. There is no key, no journal and no path of this machine. Videos do not get smaller by
packing, so that they are stored as they are, one after the other.
"""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pipeline.checker.check import CheckedManifest
from pipeline.checker.naming import safe_name
from pipeline.concealment import conceal
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone, open_to_read_bytes
from pipeline.disk.place import holds_hash, place
from pipeline.errors import StoreError, UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.model import shown_key
from pipeline.review.cards import Card
from pipeline.review.posters import poster_name
from pipeline.review.static import (
    ASSETS,
    DATA,
    MOST_ROWS,
    PAGE,
    Reviewed,
    as_script,
    asset,
    cards_of,
    page_data,
    stills_in,
)
from pipeline.review.takes import JudgedRow, TakeFile, rows_with_takes
from pipeline.storage.places import gives_no_answer
from pipeline.storage.storedfiles import at_hand, stored_file

_AT_ONCE = 1024 * 1024
_READABLE = 0o644 << 16
"""The rights of an entry, as zip files keep them."""

Progress = Callable[[int, int], None]
"""Is told how many takes are packed, of how many."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Where the archive is, how many videos are in it, and sentences on those that are not."""

    path: Path
    videos: int
    faults: tuple[str, ...]


def share(
    checked: CheckedManifest,
    folder: OutputFolder,
    config: Config,
    target: Path,
    progress: Progress | None = None,
) -> Shared:
    """Write the page of a manifest with all that it shows into an archive.

    Args:
        checked: the manifest.
        folder: its output folder, with its journal.
        config: its settings.
        target: the archive; in a folder it gets the manifest's name.
        progress: told of each take.

    Raises:
        UsageError: the name is no .zip, another file has it, or there are too many rows.
        StoreError: the disk does not take it, the journal cannot be read, or a bucket gives no
            answer.

    """
    manifest = checked.manifest.path
    if len(checked.manifest.rows) > MOST_ROWS:
        raise UsageError(
            f"{manifest} has more than {MOST_ROWS:,} rows, too many for a page in a file.",
            action="Split the manifest.",
        )
    inside = f"{safe_name(manifest.stem) or 'review'}-review"
    if target.is_dir():
        target /= f"{inside}.zip"
    _refuse_other_file(target)
    rows = rows_with_takes(checked, folder)
    packing = _Packing(folder, inside, rows)
    page = _page(checked, folder, config, rows)
    stored = (stored_file(folder, take.video).path for row in rows for take in row.takes)
    sources = (manifest, *(one for one in stored if one is not None))
    path, videos = place(
        target,
        lambda file: packing.write(file, page, progress),
        copy_of=tuple(one for one in sources if not is_gone(one)),
    )
    return Shared(path, videos, tuple(packing.faults))


def _page(
    checked: CheckedManifest, folder: OutputFolder, config: Config, rows: Sequence[JudgedRow]
) -> dict[str, bytes]:
    """Return the files of the page by their paths, with nothing of this machine in them."""
    manifest = Path(checked.manifest.path.name)
    one = Reviewed.of(checked, folder, config, Invocation(manifest))
    maker, cards = cards_of(one, rows)
    facts = replace(one.facts, manifest=manifest)
    data = as_script(page_data([facts], maker.groups, [_of_nobody(card) for card in cards]))
    files = {f"review/{name}": asset(name) for name in ASSETS}
    return {PAGE: asset(PAGE), f"review/{DATA}": data, **files}


def _of_nobody(card: Card) -> Card:
    """Return a card without what an error says of this machine, and addresses without secrets."""
    pictures = [
        {name: conceal(text) for name, text in picture.items()} for picture in card["pictures"]
    ]
    return {**card, "error": "", "pictures": pictures}


def _refuse_other_file(target: Path) -> None:
    """Raise UsageError unless the archive is new, or one that this wrote before."""
    if target.suffix.casefold() != ".zip":
        raise UsageError(f"{target} is no .zip: name the archive with --share OUT.zip.")
    try:
        with open_to_read_bytes(target) as file, zipfile.ZipFile(file) as archive:
            ours = any(name.endswith(f"-review/{PAGE}") for name in archive.namelist())
    except FileNotFoundError:
        return
    except (OSError, zipfile.BadZipFile):
        ours = False
    if not ours:
        raise UsageError(
            f"{target} is there already, and no archive of a review.",
            action="Name another file with --share.",
        )


class _Packing:
    """Writes an archive; `faults` are sentences on takes whose video is not in it."""

    def __init__(self, folder: OutputFolder, inside: str, rows: Sequence[JudgedRow]) -> None:
        self._folder, self._inside = folder, inside
        self._takes = [(row, take) for row in rows for take in row.takes]
        self._now = time.localtime()[:6]
        self.faults: list[str] = []

    def write(self, file: BinaryIO, page: dict[str, bytes], progress: Progress | None) -> int:
        """Write all of it and return how many videos are in it."""
        videos = 0
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, data in page.items():
                archive.writestr(self._entry(name), data)
            for name, path in self._stills():
                self._add(archive, name, path)
            for number, (row, take) in enumerate(self._takes, start=1):
                videos += self._add_video(archive, row, take)
                if progress is not None:
                    progress(number, len(self._takes))
        return videos

    def _stills(self) -> Iterator[tuple[str, Path]]:
        there = stills_in(self._folder)
        for _, take in self._takes:
            name = poster_name(take.video.name, take.number)
            if name in there.posters:
                yield f"review/posters/{name}", self._folder.posters / name
        for name in sorted(there.pictures):
            yield f"review/pictures/{name}", self._folder.small_pictures / name

    def _add_video(self, archive: zipfile.ZipFile, row: JudgedRow, take: TakeFile) -> bool:
        name = f"videos/{take.video.name}"
        video, stored = take.video, stored_file(self._folder, take.video)
        try:
            with at_hand(stored, video.sha256, self._folder.coming) as path:
                if holds_hash(path, video.sha256):
                    self._add(archive, name, path)
                    return True
                what = "is gone" if is_gone(path) else "is not the file that was verified"
        except StoreError as error:
            if gives_no_answer(error):
                raise
            what = f"cannot be had: {error.message}"
        shown = f"{shown_key(row.key)}, take {take.number}"
        self.faults.append(f"{shown}: {name} {what.removesuffix('.')}.")
        return False

    def _add(self, archive: zipfile.ZipFile, name: str, path: Path) -> None:
        entry = self._entry(name)
        entry.file_size = path.lstat().st_size  # so that a large one gets a header that holds it
        with open_to_read_bytes(path) as source, archive.open(entry, "w") as packed:
            while part := source.read(_AT_ONCE):
                packed.write(part)

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{self._inside}/{name}", self._now)
        entry.external_attr = _READABLE
        return entry
