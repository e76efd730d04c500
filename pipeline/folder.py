"""Where everything of one manifest lies inside the output folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import UsageError

_OURS = re.compile(r"(?:results|failed)(?:-results|-\d+)*")
_REHEARSAL = ".rehearsal"


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The output folder of one manifest: names only, nothing is made or read."""

    root: Path

    @classmethod
    def of(cls, manifest: Path, *, outputs: str, out: Path | None, rehearsal: bool) -> OutputFolder:
        """Return the folder for a manifest: `out` itself, or `<outputs>/<stem>[.rehearsal]`.

        A file that a run wrote into its folder (failed.csv, results.csv) belongs to that folder:
        its rows are those of the run, and anywhere else they would be new ones, paid again. Raises
        UsageError where a rehearsal would mix with what was paid for.
        """
        if out is not None:
            return cls(out)
        home = cls(manifest.parent)
        if not (home.journal.is_file() and home.wrote(manifest)):
            return cls(Path(outputs) / (manifest.stem + (_REHEARSAL if rehearsal else "")))
        if rehearsal != home.root.absolute().name.endswith(_REHEARSAL):
            raise _mixed(manifest, home.root, rehearsal=rehearsal)
        return home

    def wrote(self, manifest: Path) -> bool:
        """Whether a manifest is one of the files that a run writes into this very folder."""
        ours = _OURS.fullmatch(manifest.stem.casefold()) is not None
        return ours and manifest.parent.resolve() == self.root.resolve()

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.root / "journal.db"

    @property
    def videos(self) -> Path:
        """The folder of finished videos."""
        return self.root / "videos"

    @property
    def log(self) -> Path:
        """The log of all runs, one JSON document a line."""
        return self.root / "run.log"

    @property
    def cache(self) -> Path:
        """What is kept between runs and may be deleted between runs."""
        return self.root / "cache"

    @property
    def pictures(self) -> Path:
        """The copies of pictures that were made fit."""
        return self.cache / "pictures"

    @property
    def lock(self) -> Path:
        """The lock that one run holds, with its owner's name inside."""
        return self.cache / "run.lock"

    @property
    def emulator(self) -> Path:
        """What the emulator keeps of a rehearsal."""
        return self.cache / "emulator"


def _mixed(manifest: Path, home: Path, *, rehearsal: bool) -> UsageError:
    if rehearsal:
        return UsageError(
            f"{manifest} comes from a live run, and this would be a rehearsal in its folder.",
            action="For a live run set provider: toapis. To rehearse, name the manifest itself; if "
            f"{home} holds nothing but rehearsals, add --out {home}.",
        )
    return UsageError(
        f"{manifest} comes from a rehearsal, and this would be a live run in its folder.",
        action="Put the corrections into the manifest and run that.",
    )
