"""Where everything of one manifest lies inside the output folder (design section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """The output folder of one manifest: names only, nothing is made or read."""

    root: Path

    @classmethod
    def of(cls, manifest: Path, *, outputs: str, out: Path | None, rehearsal: bool) -> OutputFolder:
        """Return the folder for a manifest: `out` itself, or `<outputs>/<stem>[.rehearsal]`."""
        if out is not None:
            return cls(out)
        return cls(Path(outputs) / (manifest.stem + (".rehearsal" if rehearsal else "")))

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
    def lock(self) -> Path:
        """The lock that one run holds, with its owner's name inside."""
        return self.cache / "run.lock"

    @property
    def emulator(self) -> Path:
        """What the emulator keeps of a rehearsal."""
        return self.cache / "emulator"
