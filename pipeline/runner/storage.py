"""The disks that a run writes to: how much is free there, and how much the run takes.

Tested in tests/system/test_small_disks.py.
"""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from math import inf
from pathlib import Path
from time import monotonic, time

from pipeline.account.reading import coming_to, latest_videos
from pipeline.checker.check import CheckedManifest
from pipeline.config.settings import Config
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.reserve import SIZE_BYTES, Reserve
from pipeline.disk.sqlitefile import log_bytes
from pipeline.engine.room import Disk, Share
from pipeline.engine.rows import Reach, Stop, stop_by
from pipeline.errors import ReelsheetError, StoreError
from pipeline.journal.reading import read_latest_videos
from pipeline.lifecycle import PAID
from pipeline.model import Entry, State, Video
from pipeline.planner.plan import Action, Plan
from pipeline.storage.places import is_bucket

_KEPT_MB, _KEPT_BESIDE_MB, _KEPT_PART = 500, 50, 0.05
"""Without a setting this much stays free, less on a disk without videos; or this part of it."""

_BLOCK_BYTES = 4096
"""A video takes whole blocks of the disk, and an entry in its folder."""
_JOURNAL_ROW_BYTES, _BOOK_ROW_BYTES = 4096, 2048
"""A row in the journal and the run's log, and in the account's book, until its video is home."""
_RESULT_ROW_BYTES = 400
"""What the results say of a row, beside its own cells."""
_JOURNAL_TEXTS, _BOOK_TEXTS = 2, 1
"""How often the prompt of a row is kept: for an edited row the journal has another one, too."""

_SMALL_BYTES = SIZE_BYTES // 8
"""What is set aside where nothing is paid for any more."""

_OLDEST_S = 30 * 86_400.0
_READ_EVERY_S = 30.0
"""How often it is looked up what other manifests of the account have ordered meanwhile."""


class Storage:
    """The disks of a run over one manifest or several; folders on one disk share its room.

    With `disk.min_free_mb: 0` none is looked at.
    """

    def __init__(self, config: Config, book: Path | None = None, account: str = "") -> None:
        """Begin without any manifest.

        Args:
            config: The settings, of which those of `disk` count.
            book: The file of the account's book; None without one.
            account: The account.

        """
        self._config = config
        self._book = book
        self._account = account
        self._own: set[Path] = set()
        self._disks: dict[int, Disk] = {}  # by the number of the device
        self._folders: dict[int, Path] = {}
        self._left: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._read_at = -inf

    def add(
        self, folder: OutputFolder, checked: CheckedManifest, reserve_bytes: int = 0
    ) -> tuple[Share, ...]:
        """Return what the rows of a manifest take on which disks, that of the videos first.

        What its run takes beside its rows is counted from now on, and what is paid for in its
        folder no longer.

        Args:
            folder: The output folder.
            checked: The manifest.
            reserve_bytes: What its run will set aside for the answers, if that is still to be done.

        Raises:
            StoreError: A folder cannot be looked at.

        """
        if self._config.disk.min_free_mb == 0:
            return ()
        away = _goes_away(self._config)
        _, records = self._disk_of(folder.root, _KEPT_MB if away else _KEPT_BESIDE_MB)
        records.overhead_bytes += _log_bytes(folder.root) + _results_bytes(checked) + reserve_bytes
        shares = [
            *self._shares_of_videos(folder),
            Share(records, videos=False, row_bytes=_JOURNAL_ROW_BYTES, texts=_JOURNAL_TEXTS),
        ]
        if self._book is not None:
            _, book = self._disk_of(self._book.parent)
            if not self._own:  # one book for all
                book.overhead_bytes += _log_bytes(self._book.parent)
            shares.append(Share(book, videos=False, row_bytes=_BOOK_ROW_BYTES, texts=_BOOK_TEXTS))
        for disk in {share.disk for share in shares}:
            disk.manifests += 1
        self._own.add(folder.root.resolve())
        self._read_at = -inf
        return tuple(shares)

    def _shares_of_videos(self, folder: OutputFolder) -> list[Share]:
        """Return what videos take on a disk: nothing where they go to a bucket."""
        if _goes_away(self._config):
            return []
        _, disk = self._disk_of(_videos_of(folder, self._config), _KEPT_MB)
        return [Share(disk, row_bytes=_BLOCK_BYTES)]

    def leave(self, folder: OutputFolder, plan: Plan, entries: Mapping[str, Entry]) -> None:
        """Count what is paid for in a folder and not brought home by this plan; StoreError.

        Args:
            folder: The output folder.
            plan: What a run does with its rows.
            entries: What its journal knows, by key.

        """
        if self._config.disk.min_free_mb == 0 or _goes_away(self._config):
            return
        taken_up = {step.key for step in plan.of(Action.TAKE_UP)}
        device, _ = self._disk_of(_videos_of(folder, self._config), _KEPT_MB)
        for entry in entries.values():
            if entry.state in PAID - {State.MISSING} and entry.key not in taken_up:
                request = entry.attempt.request
                self._left[device][request.resolution] += request.duration

    def look(self) -> None:
        """Bring up to date what is free, and what others have paid for that comes there."""
        if self._disks and monotonic() >= self._read_at:
            self._read_at = monotonic() + _READ_EVERY_S
            elsewhere = self._read_elsewhere()
            for device, disk in self._disks.items():
                disk.elsewhere = elsewhere[device]
        for device, disk in self._disks.items():
            disk.free_bytes = free_bytes(self._folders[device])

    def _disk_of(self, folder: Path, kept_mb: float = _KEPT_BESIDE_MB) -> tuple[int, Disk]:
        with raise_store_errors(f"the disk of {folder}", cannot="be looked at"):
            place = _existing(folder)
            device = place.stat().st_dev
        kept = _min_free_bytes(place, self._config.disk.min_free_mb, kept_mb)
        disk = self._disks.get(device)
        if disk is None:
            disk = self._disks[device] = Disk(str(folder), kept)
            self._folders[device] = place
        disk.min_free_bytes = max(disk.min_free_bytes, kept)
        return device, disk

    def _read_elsewhere(self) -> defaultdict[int, Counter[str]]:
        """Return the seconds of video that other runs bring home, by device and resolution."""
        found: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for device, seconds in self._left.items():
            found[device] += seconds
        if self._book is None:
            return found
        with contextlib.suppress(ReelsheetError):
            for coming in coming_to(self._book, self._account, time() - _OLDEST_S):
                # What a folder had that is gone is not brought home.
                with contextlib.suppress(OSError):
                    if coming.folder.resolve() not in self._own and coming.folder.is_dir():
                        device = _existing(OutputFolder(coming.folder).videos).stat().st_dev
                        found[device].update(coming.seconds)
        return found


def seen_videos(
    book: Path | None, account: str, model: str, journals: Iterable[Path]
) -> list[Video]:
    """Return the latest videos of a model, as far as they can be read.

    Args:
        book: The file of the account's book; None without one.
        account: The account.
        model: The model; where the account has none of it, those of any other count.
        journals: The journals that tell where no book does.

    """
    videos: list[Video] = []
    if book is not None:
        with contextlib.suppress(ReelsheetError):
            videos += latest_videos(book, account, model)
    for journal in journals if not videos else ():
        with contextlib.suppress(ReelsheetError):
            videos += read_latest_videos(journal)
    return videos


def set_aside(stack: ExitStack, folder: OutputFolder, plan: Plan) -> tuple[Reserve, Stop | None]:
    """Set room aside for the answers to paid calls; return why nothing may be ordered, too.

    Where there is no room for that, what is paid for is brought home all the same.

    Args:
        stack: Frees the room when it ends.
        folder: The output folder.
        plan: What the run does.

    Raises:
        StoreError: There is no room, and nothing is paid for; or there is none at all.

    """
    path = folder.cache / "reserve"
    try:
        return stack.enter_context(Reserve(path)), None
    except StoreError as error:
        if not plan.of(Action.TAKE_UP):
            raise
        stop = stop_by(error, Reach.SUBMITTING)
        small = stack.enter_context(Reserve(path, _SMALL_BYTES))
        return small, stop if plan.of(Action.SUBMIT) else None


def say_shared(stop: Stop, folders: Sequence[OutputFolder]) -> Stop:
    """Return why a run over these folders stops; a file of one of them stops it for all."""
    if not (stop.by_disk and stop.reach is Reach.EVERYTHING and len(folders) > 1):
        return stop
    with contextlib.suppress(OSError):
        disks = {folder.root.stat().st_dev for folder in folders}
        where = ", whose folders are on one disk" if len(disks) == 1 else ""
        ended = f"that ended the work on all {len(folders):,} manifests{where}"
        return replace(stop, reason=f"{stop.reason.rstrip('.')}; {ended}")
    return stop


def free_bytes(folder: Path) -> int | None:
    """Return how much is free on the disk of a folder; None where that cannot be told."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free
    return None


def _goes_away(config: Config) -> bool:
    return config.output.videos is not None and is_bucket(config.output.videos)


def _videos_of(folder: OutputFolder, config: Config) -> Path:
    return folder.videos if config.output.videos is None else Path(config.output.videos)


def _min_free_bytes(folder: Path, setting_mb: float | None, usual_mb: float) -> float:
    if setting_mb is not None:
        return setting_mb * 1e6
    with contextlib.suppress(OSError):
        return min(usual_mb * 1e6, _KEPT_PART * shutil.disk_usage(folder).total)
    return 0.0


def _results_bytes(checked: CheckedManifest) -> int:
    """Return what new results take, and a table of the rows that need the user beside them."""
    rows, manifest = len(checked.keys), 0
    with contextlib.suppress(OSError):
        manifest = checked.manifest.path.stat().st_size
    return 2 * (manifest + rows * _RESULT_ROW_BYTES) + _BLOCK_BYTES


def _log_bytes(folder: Path) -> int:
    return log_bytes(_existing(folder))


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())
