"""The output folder of one manifest: the names inside it, and whose work it holds."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import count
from pathlib import Path

from pipeline.disk.logfile import files_of
from pipeline.disk.openfile import is_gone, open_to_read_bytes
from pipeline.disk.sqlitefile import open_to_read
from pipeline.errors import UsageError

_OURS = re.compile(r"(?:results|failed|problems)(?:\.before-[\d-]+)?(?:-results|-failed|-\d+)*")
REHEARSAL = ".rehearsal"
"""The end of the name of a folder of rehearsals."""


class FolderUse(Enum):
    """Which runs an output folder holds the work of: live ones, rehearsals, or perhaps both."""

    LIVE = "live"
    REHEARSED = "rehearsed"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The output folder of one manifest; nothing here makes a file or a folder."""

    root: Path

    @classmethod
    def of(
        cls,
        manifest: Path,
        *,
        outputs: str,
        out: Path | None,
        rehearsal: bool,
        series: str | None = None,
    ) -> OutputFolder:
        """Return the folder of a manifest: `out` itself, or `<outputs>/<stem>[.rehearsal]`.

        A file that was written into its folder (failed.csv, results.csv) belongs to that folder:
        its rows are those of the run, and in any other folder they would be new and paid again.

        Args:
            manifest: the manifest that is to be run.
            outputs: the setting output.dir.
            out: the folder that the user named; None if none.
            rehearsal: whether the run is a rehearsal.
            series: the series that the manifest is an edition of, whose name the folder has then.

        Raises:
            UsageError: a rehearsal would mix with rows that were paid for, or the reverse.

        """
        if out is not None:
            return cls(out)
        home = cls(manifest.parent)
        if not (home.journal.is_file() and home.wrote(manifest)):
            return cls(
                Path(outputs) / ((series or manifest.stem) + (REHEARSAL if rehearsal else ""))
            )
        use = home.use
        if use is not (FolderUse.REHEARSED if rehearsal else FolderUse.LIVE):
            raise _mixing_error(manifest, home.root, use, rehearsal=rehearsal)
        return home

    def namesakes(self, taken: Container[OutputFolder] = ()) -> list[OutputFolder]:
        """Return this folder and those for other manifests of its name: `shop`, `shop-2`, ….

        In the order of their numbers: all that are there, and the first in which nothing was run
        yet and which is not `taken`. Those of rehearsals and those of live runs do not mix.
        """
        folders = ((number, self._numbered(number)) for number in count(1))
        free = next(number for number, one in folders if one.is_unused and one not in taken)
        return [self._numbered(one) for one in sorted({*range(1, free + 1), *self._numbers()})]

    def _numbers(self) -> Iterator[int]:
        """Yield the numbers above 1 of the folders beside this one, where they can be listed."""
        stem, tail = _split(self.root.name)
        pattern = re.compile(f"{re.escape(stem)}-([1-9][0-9]*){re.escape(tail)}")
        with contextlib.suppress(OSError):
            for beside in self.root.parent.iterdir():
                found = pattern.fullmatch(beside.name)
                if found and found[1] != "1":
                    yield int(found[1])

    def _numbered(self, number: int) -> OutputFolder:
        stem, tail = _split(self.root.name)
        return self if number == 1 else OutputFolder(self.root.with_name(f"{stem}-{number}{tail}"))

    def neighbours(self) -> list[OutputFolder]:
        """Return the other folders beside this one with journals, in the order of their names.

        Those of rehearsals and those of live runs do not mix.
        """
        tail = _split(self.root.name)[1]
        try:
            beside = sorted(self.root.parent.iterdir())
        except OSError:
            return []
        folders = (OutputFolder(one) for one in beside if _split(one.name)[1] == tail)
        return [one for one in folders if one != self and one.journal.is_file()]

    @property
    def is_unused(self) -> bool:
        """Whether neither a journal nor the summary of a run is there."""
        return is_gone(self.journal) and is_gone(self.summary)

    def wrote(self, manifest: Path) -> bool:
        """Return whether a manifest is one of the files that a run writes into this folder."""
        ours = _OURS.fullmatch(manifest.stem.casefold()) is not None
        return ours and manifest.parent.resolve() == self.root.resolve()

    def holds_part_of_rows(self, manifest: Path) -> bool:
        """Return whether a manifest is a file of this folder that may lack some of its rows."""
        return self.wrote(manifest) and manifest.stem.casefold().startswith(("failed", "problems"))

    @property
    def use(self) -> FolderUse:
        """Whose work the folder holds, as far as its name or its files tell.

        A folder given with --out can have any name. A rehearsal leaves its tasks with the emulator,
        and every run writes its provider to summary.json. A folder counts as rehearsed only if the
        emulator knows every task of the journal; where that cannot be told, it may hold both.
        """
        if self.root.absolute().name.endswith(REHEARSAL):
            return FolderUse.REHEARSED
        return self.use_by_content

    @property
    def use_by_content(self) -> FolderUse:
        """The same as far as its files tell, whatever its name is."""
        state = self.emulator / "state.db"
        emulated, known = _tasks(state, "task"), _tasks(self.journal, "attempts")
        last = self._last("provider")
        if emulated == set() and last != "rehearsal" and (known or is_gone(state)):
            return FolderUse.LIVE
        if emulated is None or known is None or last == "toapis" or known - emulated:
            return FolderUse.BOTH
        return FolderUse.REHEARSED

    def refuse_to_mix(self, *, rehearsal: bool) -> None:
        """Raise UsageError where this run would mix rehearsed rows with live ones."""
        if is_gone(self.journal):
            return
        use = self.use
        if use is (FolderUse.REHEARSED if rehearsal else FolderUse.LIVE):
            return
        holds = {
            FolderUse.LIVE: "holds the work of live runs",
            FolderUse.REHEARSED: "holds a rehearsal",
            FolderUse.BOTH: "may hold rows of live runs beside rehearsed ones",
        }[use]
        now = "a rehearsal" if rehearsal else "a live run"
        raise UsageError(
            f"{self.root} {holds}, and this would be {now} in it.",
            action="Name another folder with --out"
            + (", or set provider: toapis for a live run." if rehearsal else "."),
        )

    def last_manifest(self) -> Path | None:
        """Return the manifest of the last run that ended; None where that is not known.

        That run may have been of a file that an earlier one wrote here (failed.csv).
        """
        said = self._last("manifest")
        return None if said is None else Path(said)

    def last_run(self) -> str | None:
        """Return the id of the last run that ended; None where that is not known."""
        return self._last("run_id")

    def _last(self, name: str) -> str | None:
        """Return what the last run that ended said of itself; None where that is not known."""
        try:
            with open_to_read_bytes(self.summary) as file:
                said = json.load(file)
        except (OSError, ValueError):
            return None
        value = said.get(name) if isinstance(said, dict) else None
        return None if value is None else str(value)

    @property
    def summary(self) -> Path:
        """The summary of the last run, for programs."""
        return self.root / "summary.json"

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.root / "journal.db"

    @property
    def videos(self) -> Path:
        """The folder of finished videos."""
        return self.root / "videos"

    @property
    def review(self) -> Path:
        """What belongs to the static review page."""
        return self.root / "review"

    @property
    def posters(self) -> Path:
        """A still of each take."""
        return self.review / "posters"

    @property
    def small_pictures(self) -> Path:
        """Small copies of local product pictures."""
        return self.review / "pictures"

    @property
    def approved(self) -> Path:
        """The videos that were handed over."""
        return self.root / "approved"

    @property
    def log(self) -> Path:
        """The log of all runs, one JSON document a line."""
        return self.root / "run.log"

    @property
    def logs(self) -> list[Path]:
        """The files of that log that are there, the earliest first."""
        return files_of(self.log)

    @property
    def cache(self) -> Path:
        """Files that are kept between runs and may be deleted between runs."""
        return self.root / "cache"

    @property
    def pictures(self) -> Path:
        """The copies of pictures that could not be sent as they were."""
        return self.cache / "pictures"

    @property
    def looks(self) -> Path:
        """What was measured of the videos."""
        return self.cache / "looks"

    @property
    def coming(self) -> Path:
        """Videos on their way to another place than `videos/`: parts, and what was just put."""
        return self.cache / "coming"

    @property
    def lock(self) -> Path:
        """The lock that one run holds."""
        return self.cache / "run.lock"

    @property
    def emulator(self) -> Path:
        """The emulator's state of a rehearsal."""
        return self.cache / "emulator"


def _split(name: str) -> tuple[str, str]:
    """Split the name of an output folder before what marks a rehearsal's."""
    stem = name.removesuffix(REHEARSAL)
    return stem, name.removeprefix(stem)


def _tasks(path: Path, table: str) -> set[str] | None:
    """Return the task ids in a database of ours, none if there is no file; None if unreadable."""
    if is_gone(path):
        return set()
    query = f"SELECT task_id FROM {table} WHERE task_id IS NOT NULL"  # noqa: S608 - our own names
    try:
        with contextlib.closing(open_to_read(path)) as database:
            return {str(task) for (task,) in database.execute(query)}
    except (OSError, sqlite3.Error):
        return None


def _mixing_error(manifest: Path, home: Path, use: FolderUse, *, rehearsal: bool) -> UsageError:
    now = "rehearsal" if rehearsal else "live run"
    if use is FolderUse.BOTH:
        return UsageError(
            f"{home} may hold rows of live runs beside rehearsed ones, and this would be a {now} "
            f"of {manifest} there.",
            action="Put the corrections into the manifest itself and run that, with an output "
            "folder of its own for rehearsals.",
        )
    if rehearsal:
        return UsageError(
            f"{manifest} comes from a live run, and this would be a rehearsal in its folder.",
            action="For a live run set provider: toapis. To rehearse, name the manifest itself.",
        )
    return UsageError(
        f"{manifest} comes from a rehearsal, and this would be a live run in its folder.",
        action="Put the corrections into the manifest and run that"
        + ("." if home.absolute().name.endswith(REHEARSAL) else ", in another output folder."),
    )
