"""The commands that sentences suggest: as they would have to be typed to work on the same rows.

Whatever the user named beside the manifest belongs to it. Without `--out`, say, the same command
would work in another output folder, and pay there for rows that were bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.manifest.wording import quote_name

_USUAL = "outputs"
"""The default of output.dir."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the user named: a manifest, and its output folder, series and configuration if given.

    `series` and `config` are None where they were not typed, whatever the settings say.
    """

    manifest: Path
    out: Path | None = None
    series: str | None = None
    config: Path | None = None

    @property
    def words(self) -> str:
        """The words that follow the name of any command."""
        return self._words(self.out)

    def command(self, verb: str, *more: str) -> str:
        """Return a whole command; `more` are further words, which are quoted where they must be."""
        return " ".join(("reelsheet", verb, self.words, *map(quote_name, more)))

    def rebuild(self, folder: Path) -> str:
        """Return the command that restores the journal in an output folder.

        Where it is gone, the folder is not known by it: unless it is the usual one it is named.
        """
        usual = f"{folder.parent.name}/{folder.name}" == f"{_USUAL}/{self.manifest.stem}"
        out = self.out if self.out is not None or usual else folder
        return f"reelsheet journal rebuild {self._words(out)}"

    def _words(self, out: Path | None) -> str:
        options = (("--out", out), ("--series", self.series), ("--config", self.config))
        given = [f"{name} {quote_name(str(value))}" for name, value in options if value is not None]
        return " ".join((quote_name(str(self.manifest)), *given))
