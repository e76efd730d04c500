"""What can be removed from an output folder, what is kept and why, and the removal itself.

Nothing goes that was paid for and lies nowhere else: not the chosen take of a row, unless the very
same file was handed over; no approved take; no journal, decision or result. No link is followed,
and nothing outside the output folder is touched. What of the takes goes is noted in the journal
first.

Tested in tests/runner/test_pruning.py and tests/system/test_prune.py.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import REHEARSAL, FolderUse, OutputFolder
from pipeline.disk.lock import is_locked
from pipeline.disk.openfile import is_gone
from pipeline.disk.place import holds_hash
from pipeline.journal.decisions import read_decisions
from pipeline.journal.handovers import Handover, latest_handovers, note_removed
from pipeline.journal.reading import read_all
from pipeline.lifecycle import PAID
from pipeline.model import Entry
from pipeline.review.verdicts import APPROVE, latest_of, number_to_hand_over
from pipeline.review.writtenfiles import unread_results

_ROTATED = re.compile(r"run\.log[.-].+|run-.+\.log(?:\..+)?")
_PART = re.compile(r"\..+\.part(?:\.json)?")


class Kind(StrEnum):
    """What can be removed."""

    REHEARSALS = "rehearsals"
    PARTS = "parts"
    TAKES = "takes"
    HANDED_OVER = "handed-over"
    LOGS = "logs"


class Kept(StrEnum):
    """Why something of these kinds is kept."""

    YOUNG = "not old enough"
    NO_FILE = "a link, or no ordinary file"
    UNDER_WAY = "still under way"
    CHOSEN = "the only copy of what was paid for"
    APPROVED = "approved"
    UNREAD = "the results were changed, and are not read back"
    CHOSEN_GONE = "the take that was chosen in its place is not there"
    NOT_HANDED_OVER = "what was handed over of it is gone, or was changed"
    UNKNOWN = "not known to the journal"
    LIVE = "it may hold what was paid for"
    TYPED = "somebody's changes to the results are in it"


@dataclass(frozen=True, slots=True)
class Item:
    """A file or a folder that can be removed; `take` is the entry and the number of a take."""

    kind: Kind
    path: Path
    files: int
    size_bytes: int
    take: tuple[str, int] | None = None


@dataclass(slots=True)
class Pruning:
    """What can be removed of an output folder, and how much is kept, by kind and reason."""

    folder: OutputFolder
    items: list[Item] = field(default_factory=list)
    kept: Counter[tuple[Kind, Kept]] = field(default_factory=Counter)
    kept_bytes: Counter[tuple[Kind, Kept]] = field(default_factory=Counter)

    def keep(self, kind: Kind, why: Kept, size_bytes: int, files: int = 1) -> None:
        """Count files that are kept."""
        self.kept[kind, why] += files
        self.kept_bytes[kind, why] += size_bytes


def look(folder: OutputFolder, kinds: Collection[Kind], before: float) -> Pruning:
    """Return what can be removed of an output folder; nothing is changed.

    Args:
        folder: The output folder of a manifest; that of its rehearsals lies beside it.
        kinds: What is looked for.
        before: What is not older than this Unix second is kept.

    Raises:
        StoreError: The journal or a folder cannot be read.

    """
    found = Pruning(folder)
    if Kind.REHEARSALS in kinds:
        _look_at_rehearsal(found, before)
    if folder.root.name.endswith(REHEARSAL):  # it goes as a whole, or stays
        return found
    videos = list(_files_in(folder.videos))
    if Kind.LOGS in kinds:
        logs = [one for one in _files_in(folder.root) if _ROTATED.fullmatch(one.name)]
        _take_old(found, Kind.LOGS, logs, before)
    if {Kind.PARTS, Kind.TAKES, Kind.HANDED_OVER}.isdisjoint(kinds):
        return found
    _, attempts = read_all(folder.journal)
    if Kind.PARTS in kinds:
        _look_at_parts(found, videos, attempts, before)
    if not {Kind.TAKES, Kind.HANDED_OVER}.isdisjoint(kinds):
        _Takes(found, kinds, before, videos, attempts).look()
    return found


def remove(found: Pruning, now: float) -> list[Item]:
    """Remove what was found, and return it; whoever calls holds the lock of the folder.

    Args:
        found: What `look` returned, while the lock was held.
        now: The Unix second.

    Raises:
        StoreError: The journal cannot be written, or something cannot be deleted.

    """
    takes = {one.take: one.path.name for one in found.items if one.take is not None}
    note_removed(found.folder.journal, takes, now)
    for one in found.items:
        with raise_store_errors(one.path, cannot="be deleted"):
            if one.kind is Kind.REHEARSALS:
                shutil.rmtree(one.path)  # links in it are deleted, never followed
            else:
                one.path.unlink(missing_ok=True)
    return found.items


def _files_in(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what lies in a folder of ours, if it is one and no link; raises StoreError."""
    with raise_store_errors(f"the folder {folder}", cannot="be read"):
        if is_gone(folder) or folder.is_symlink() or not folder.is_dir():
            return
        with os.scandir(folder) as inside:
            yield from sorted(inside, key=lambda one: one.name)


def _take_old(
    found: Pruning,
    kind: Kind,
    files: Iterable[os.DirEntry[str]],
    before: float,
    why: Callable[[str], Kept | None] = lambda _: None,
) -> None:
    """Add the old ones of some files, unless there is a reason to keep one by its name."""
    for one in files:
        stated = one.stat(follow_symlinks=False)
        reason = why(one.name)
        if not stat.S_ISREG(stated.st_mode):
            reason = Kept.NO_FILE
        elif reason is None and stated.st_mtime > before:
            reason = Kept.YOUNG
        if reason is None:
            found.items.append(Item(kind, Path(one.path), 1, stated.st_size))
        else:
            found.keep(kind, reason, stated.st_size)


def _look_at_parts(
    found: Pruning, videos: Iterable[os.DirEntry[str]], attempts: Iterable[Entry], before: float
) -> None:
    wanted = {one.attempt.video_name for one in attempts if one.state in PAID}

    def why(name: str) -> Kept | None:
        whole = name.removeprefix(".").removesuffix(".json").removesuffix(".part")
        return Kept.UNDER_WAY if whole in wanted else None

    parts = [one for one in videos if _PART.fullmatch(one.name)]
    parts += [one for one in _files_in(found.folder.root) if _PART.fullmatch(one.name)]
    _take_old(found, Kind.PARTS, parts, before, why)


def _look_at_rehearsal(found: Pruning, before: float) -> None:
    root = found.folder.root
    rehearsal = OutputFolder(root.with_name(f"{root.name.removesuffix(REHEARSAL)}{REHEARSAL}"))
    if is_gone(rehearsal.root):
        return
    if rehearsal.root.is_symlink() or not rehearsal.root.is_dir():
        found.keep(Kind.REHEARSALS, Kept.NO_FILE, 0)
        return
    files, size_bytes, last = _measure(rehearsal)
    reason = None
    if is_locked(rehearsal.lock):
        reason = Kept.UNDER_WAY
    elif rehearsal.use_by_content is not FolderUse.REHEARSED:
        reason = Kept.LIVE
    elif any(rehearsal.root.glob("results.before-*")) or unread_results(rehearsal):
        reason = Kept.TYPED
    elif last > before:
        reason = Kept.YOUNG
    if reason is None:
        item = Item(Kind.REHEARSALS, rehearsal.root, files, size_bytes)
        found.items.append(item)
    else:
        found.keep(Kind.REHEARSALS, reason, size_bytes, files)


def _measure(folder: OutputFolder) -> tuple[int, int, float]:
    """Return how many files a folder has, their bytes, and when something was last done in it."""
    files, size_bytes, last = 0, 0, 0.0
    with raise_store_errors(f"the folder {folder.root}", cannot="be read"):
        for inside, _, names in os.walk(folder.root):
            for name in names:
                stated = Path(inside, name).lstat()
                files, size_bytes = files + 1, size_bytes + stated.st_size
        for one in (folder.journal, folder.summary, folder.log):
            if not is_gone(one):
                last = max(last, one.lstat().st_mtime)
    return files, size_bytes, last


class _Takes:
    """The takes of all entries of a journal, with their files."""

    def __init__(
        self,
        found: Pruning,
        kinds: Collection[Kind],
        before: float,
        videos: Iterable[os.DirEntry[str]],
        attempts: Iterable[Entry],
    ) -> None:
        journal = found.folder.journal
        self._found, self._kinds, self._before = found, kinds, before
        self._is_unread = bool(unread_results(found.folder))
        self._files = {one.name: one for one in videos if not _PART.fullmatch(one.name)}
        self._handovers = latest_handovers(journal)
        self._verdicts = latest_of(read_decisions(journal))
        self._takes: dict[str, dict[int, Entry]] = {}
        self._names: Counter[str] = Counter()
        for one in attempts:
            if one.video is not None:
                self._takes.setdefault(one.identity, {})[one.attempt.number] = one
                self._names[one.video.name] += not one.video.place

    def look(self) -> None:
        """Add what can go of them, and count what is kept."""
        for identity, takes in self._takes.items():
            said = {
                number: decision.verdict
                for number in takes
                if (decision := self._verdicts.get((identity, number))) is not None
            }
            chosen = number_to_hand_over(takes, said)
            for take in takes.values():
                if chosen is not None:
                    self._look_at(take, takes[chosen], said)
        for name, one in self._files.items():
            if not self._names[name]:
                size_bytes = one.stat(follow_symlinks=False).st_size
                self._found.keep(self._a_kind, Kept.UNKNOWN, size_bytes)

    @property
    def _a_kind(self) -> Kind:
        return Kind.TAKES if Kind.TAKES in self._kinds else Kind.HANDED_OVER

    def _look_at(self, take: Entry, chosen: Entry, said: Mapping[int, str]) -> None:
        """Add the file of a take, or say why it is kept."""
        assert take.video is not None  # noqa: S101 - only such are looked at
        file, place = self._files.get(take.video.name), (take.identity, take.attempt.number)
        note = self._handover_of(take)
        kind = Kind.TAKES if note is None else Kind.HANDED_OVER
        since = take.finished_at if note is None else note.at
        if file is None or take.video.place or kind not in self._kinds:
            return
        stated = file.stat(follow_symlinks=False)
        if not stat.S_ISREG(stated.st_mode):
            reason: Kept | None = Kept.NO_FILE
        elif self._names[take.video.name] > 1:
            reason = Kept.UNKNOWN  # a file that two takes claim is neither's
        elif note is not None:
            reason = None if self._is_whole(note) else Kept.NOT_HANDED_OVER
        else:
            reason = self._why_not(take, chosen, said)
        if reason is None and (since is None or since > self._before):
            reason = Kept.YOUNG
        if reason is not None:
            self._found.keep(kind, reason, stated.st_size)
            return
        self._found.items.append(Item(kind, Path(file.path), 1, stated.st_size, place))

    def _why_not(self, take: Entry, chosen: Entry, said: Mapping[int, str]) -> Kept | None:
        """Return why a take that is not handed over is kept; None if a later one stands for it."""
        number = take.attempt.number
        if number >= chosen.attempt.number:
            return Kept.CHOSEN
        if said.get(number) == APPROVE:
            return Kept.APPROVED
        if self._is_unread:  # it may be approved in them
            return Kept.UNREAD
        return None if self._is_there(chosen) else Kept.CHOSEN_GONE

    def _handover_of(self, take: Entry) -> Handover | None:
        """Return the note that a take is handed over; None if it is not."""
        note, video = self._handovers.get(take.identity), take.video
        same = note is not None and video is not None and note.sha256 == video.sha256
        return note if same else None

    def _is_whole(self, note: Handover) -> bool:
        """Return whether what was handed over lies there, byte for byte."""
        folder = self._found.folder.approved / note.name
        if self._found.folder.approved.is_symlink() or folder.is_symlink():
            return False
        return holds_hash(folder / f"{note.name}.mp4", note.sha256)

    def _is_there(self, take: Entry) -> bool:
        """Return whether the file of a take is there, here or handed over."""
        assert take.video is not None  # noqa: S101 - it is a take
        note = self._handover_of(take)
        if note is not None and self._is_whole(note):
            return True
        if take.video.place:  # it lies elsewhere, where it is not read
            return False
        videos = self._found.folder.videos
        return take.video.name in self._files and holds_hash(
            videos / take.video.name, take.video.sha256
        )


def in_words(size_bytes: int) -> str:
    """Return bytes as a person reads them."""
    with contextlib.suppress(StopIteration):
        unit, most = next((u, m) for u, m in (("kB", 1e3), ("MB", 1e6)) if size_bytes < m * 1e3)
        return f"{size_bytes / most:,.1f} {unit}"
    return f"{size_bytes / 1e9:,.1f} GB"
