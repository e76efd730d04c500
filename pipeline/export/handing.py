"""Chosen takes get into the folder of what is handed over, and out of it again.

`approved/<name>/<name>.mp4` is a copy of the take, byte for byte, with its poster beside it. The
journal notes what lies there. So a later export knows its own files: it replaces and removes them,
and nothing else. Before the last copy of a video goes, it is put back to where it came from.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from stat import S_ISREG

from pipeline.disk.failures import explain_os_error
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import hash_of_file, name_kind
from pipeline.disk.place import place_copy, remove
from pipeline.disk.rights import make_folder_for
from pipeline.export.choice import Chosen
from pipeline.journal.handovers import Handover, note_handovers, read_handovers
from pipeline.review.posters import poster_name
from pipeline.review.takes import JudgedRow, TakeFile
from pipeline.storage.storedfiles import stored_file

_MODE = 0o666
"""The most rights of what is handed over, before those of the video and the umask."""
_NOTED_AT_ONCE = 100
"""So many notes are one transaction: a run that pays waits for each."""


class Change(StrEnum):
    """What became of the files of a row."""

    SAME = "as before"
    NEW = "new"
    REPLACED = "replaced"
    MOVED = "moved"
    REMOVED = "removed"


class NotPut(Exception):
    """A row could not be handed over; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A row whose take lies in its place: under which name, with a poster or without."""

    chosen: Chosen
    take: TakeFile
    name: str
    poster: str
    change: Change
    number_before: int = 0

    @property
    def video_file(self) -> str:
        """The path of the video below the folder of what is handed over."""
        return f"{self.name}/{self.name}.mp4"

    @property
    def poster_file(self) -> str:
        """The path of the poster; nothing if there is none."""
        return f"{self.name}/{self.name}.jpg" if self.poster else ""


@dataclass(slots=True)
class Handed:
    """What an export did: what lies there, what was taken back, and what could not be put.

    `restored` are the videos that were put back before their last copy went, `left` counts what
    lies there of rows that are no longer in the manifest.
    """

    delivered: list[Delivered] = field(default_factory=list)
    removed: list[tuple[Chosen, Handover]] = field(default_factory=list)
    faults: list[tuple[JudgedRow, str]] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    left: int = 0


Progress = Callable[[int, int], None]
"""Is told how many rows are dealt with, of how many."""


def hand_over(
    chosen: Sequence[Chosen],
    names: Mapping[str, str],
    folder: OutputFolder,
    manifest: Path,
    progress: Progress | None = None,
) -> Handed:
    """Bring the folder of what is handed over to what is chosen.

    Args:
        chosen: what is handed over of each row of the manifest, and of which rows nothing is.
        names: the names of the rows' folders, by key.
        folder: the output folder.
        manifest: the manifest, whose rights the folders get.
        progress: told of each row.

    Raises:
        StoreError: the disk takes no more, or the journal cannot be written; what is there by then
            is noted.

    """
    make_folder_for(folder.approved, manifest)
    work = _Handing(folder, manifest, read_handovers(folder.journal))
    handed = Handed()
    try:
        handed.left = work.count_left(one.row.entry for one in chosen)
        for number, one in enumerate(chosen, start=1):
            try:
                work.bring(one, names[one.row.key], handed)
            except NotPut as fault:
                handed.faults.append((one.row, str(fault)))
            if progress is not None:
                progress(number, len(chosen))
    finally:
        work.note()
    return handed


class _Handing:
    """One export over the rows of a manifest."""

    def __init__(self, folder: OutputFolder, manifest: Path, notes: Iterable[Handover]) -> None:
        self._folder, self._manifest = folder, manifest
        self._latest: dict[str, Handover] = {}
        self._own: dict[str, set[str]] = {}
        for one in notes:
            self._latest[one.entry] = one
            self._own.setdefault(one.entry, set()).update({one.sha256, one.poster} - {""})
        self._new: list[Handover] = []

    def count_left(self, entries: Iterable[str]) -> int:
        """Count what is handed over of other entries than these."""
        standing = {entry for entry, note in self._latest.items() if note.stands}
        return len(standing.difference(entries))

    def note(self) -> None:
        """Have the journal know what was done."""
        fresh, self._new = self._new, []
        note_handovers(self._folder.journal, fresh)

    def bring(self, one: Chosen, name: str, handed: Handed) -> None:
        """Bring the files of a row to what is chosen; raises NotPut, StoreError."""
        before = self._latest.get(one.row.entry)
        before = before if before is not None and before.stands else None
        if one.take is None:
            if before is not None:
                self._take_back(one.row, before, handed)
                handed.removed.append((one, before))
                self._add(Handover(time.time(), one.row.entry, 0, "", before.name))
            return
        handed.delivered.append(self._deliver(one, one.take, name, before, handed))

    def _deliver(
        self, one: Chosen, take: TakeFile, name: str, before: Handover | None, handed: Handed
    ) -> Delivered:
        row, target = one.row, self._folder.approved / name
        self._refuse_other_folder(target)
        video, still = target / f"{name}.mp4", target / f"{name}.jpg"
        own = self._own_files(row)
        there = _hash_of(video)
        self._refuse_foreign(video, there, own)
        if there != take.video.sha256:
            if there is not None:
                self._keep_last_copy(row, there, video, handed)
            make_folder_for(target, self._manifest)
            self._put(take, video)
        poster = self._put_poster(row, take, still, own)
        change = _change(before, take, name, there)
        now = Handover(time.time(), row.entry, take.number, take.video.sha256, name, poster)
        if before is not None and not _same_place(self._folder.approved / before.name, target):
            self._take_back(row, before, handed)
        if before is None or _said(before) != _said(now):
            self._add(now)
        return Delivered(one, take, name, poster, change, before.number if before else 0)

    def _add(self, note: Handover) -> None:
        self._new.append(note)
        if len(self._new) >= _NOTED_AT_ONCE:
            self.note()

    def _own_files(self, row: JudgedRow) -> set[str]:
        """Return the hashes of all that an export may have put there for a row."""
        takes = {take.video.sha256 for take in row.takes}
        return takes | self._own.get(row.entry, set())

    def _put(self, take: TakeFile, target: Path) -> None:
        stored, name = stored_file(self._folder, take.video), take.video.file
        if stored.copy_to(target, take.video.sha256, _MODE):
            return
        if stored.path is None:
            raise NotPut(
                f"its video {name} is gone, or is not the file that was put there. Put it back, or "
                "get it again with `fetch`, which can bring it for a day after it was made."
            )
        try:
            stored.path.lstat()
        except FileNotFoundError:
            raise NotPut(
                f"its video {name} is gone. Put it back, or get it again with `fetch`, which can "
                "bring it for a day after it was made."
            ) from None
        except OSError as error:
            raise NotPut(f"its video {name} cannot be read: {explain_os_error(error)}.") from error
        raise NotPut(
            f"its video {name} is not the file that was verified, or cannot be read. Put the right "
            "one back; `journal verify` says more."
        )

    def _put_poster(self, row: JudgedRow, take: TakeFile, target: Path, own: set[str]) -> str:
        """Put the poster beside the video; return its hash, nothing where there is none."""
        source = self._folder.posters / poster_name(take.video.name, take.number)
        wanted = _hash_of(source)
        there = _hash_of(target)
        if wanted is None:
            # Posters may be deleted at any time; the one that was handed over is still right.
            return there if there is not None and there in own else ""
        if there == wanted:
            return wanted
        if there is not None and there not in own:
            names = (poster_name(one.video.name, one.number) for one in row.takes)
            stills = {_hash_of(self._folder.posters / name) for name in names}
            self._refuse_foreign(target, there, stills)
        return wanted if place_copy(source, target, wanted) else ""

    @staticmethod
    def _refuse_other_folder(target: Path) -> None:
        try:
            mode = target.lstat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise NotPut(f"{target} cannot be read: {explain_os_error(error)}.") from error
        kind = name_kind(mode)
        if kind != "a folder":
            raise NotPut(
                f"{target} is {kind or 'a file'} that no export put there. Move it away, then "
                "export again."
            )

    @staticmethod
    def _refuse_foreign(path: Path, there: str | None, own: Collection[str | None]) -> None:
        """Raise NotPut where something lies in the place that an export did not put there."""
        if there is None or there in own:
            return
        raise NotPut(
            f"{path} was not put there by an export, or was changed since. Move it away, then "
            "export again."
        )

    def _keep_last_copy(self, row: JudgedRow, sha256: str, path: Path, handed: Handed) -> None:
        """Put a video back to where it came from before its copy goes, if it is the last one."""
        take = next((one for one in row.takes if one.video.sha256 == sha256), None)
        if take is None:
            raise NotPut(f"{path} may be the last copy of its video. Move it away.")
        stored = stored_file(self._folder, take.video)
        home = stored.path
        if home is None:
            if stored.is_there():
                return
            raise NotPut(f"{path} is the last copy of its video: {stored.shown} is gone.")
        at_home = _hash_of(home)
        if at_home == sha256:
            return
        if at_home is not None:
            raise NotPut(
                f"{path} is the last copy of take {take.number}, and {home} is another file. Move "
                "one of both away, then export again."
            )
        if not place_copy(path, home, sha256):
            raise NotPut(f"{path} is the last copy of its video, and it cannot be read.")
        handed.restored.append(take.video.file)

    def _take_back(self, row: JudgedRow, before: Handover, handed: Handed) -> None:
        """Remove the files of an earlier export; raises NotPut where one of them is not its own."""
        target = self._folder.approved / before.name
        video, still = target / f"{before.name}.mp4", target / f"{before.name}.jpg"
        there = _hash_of(video)
        self._refuse_foreign(video, there, self._own_files(row))
        if there is not None:
            self._keep_last_copy(row, there, video, handed)
            remove(video)
        if before.poster and _hash_of(still) == before.poster:
            remove(still)
        with contextlib.suppress(OSError):  # something else lies in it: it stays
            target.rmdir()


def _same_place(one: Path, other: Path) -> bool:
    """Return whether two names are one folder, as on a file system that ignores case."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _said(note: Handover) -> tuple[int, str, str, str]:
    return note.number, note.sha256, note.name, note.poster


def _change(before: Handover | None, take: TakeFile, name: str, there: str | None) -> Change:
    if before is None:
        return Change.NEW
    if before.sha256 != take.video.sha256:
        return Change.REPLACED
    if before.name != name:
        return Change.MOVED
    return Change.SAME if there is not None else Change.NEW


def _hash_of(path: Path) -> str | None:
    """Return the hash of a file, None where there is none.

    A link, or what cannot be read, has a word in its place, which no file has.
    """
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        return "unreadable"
    if not S_ISREG(found.st_mode):
        return "no file"
    try:
        return hash_of_file(path)
    except OSError:
        return "unreadable"
