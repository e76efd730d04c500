"""Where the account's book lies.

By the setting `account.book`; else in `$STATE_DIRECTORY`, which systemd gives to a service; else in
the user's folder for state. Where none of these can be written, as in a container with a read-only
root, it lies in the output folder: there it is at least found again by the next run.

A book that exists is used where it is, whether it can be written or not: a second one elsewhere
would not know what was bought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from pipeline.config.settings import Config
from pipeline.disk.openfile import is_gone

NONE = "none"
"""The value of `account.book` that asks for runs without a book."""

_FILE = "book.db"
_OUR_FOLDER = "reelsheet"
_HIDDEN = ".account"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the book is if it exists, and else where it may be made, the first choice first.

    Without any place the settings ask for no book. `last_resort` is the one among them that a
    person should be told of.
    """

    paths: tuple[Path, ...] = ()
    last_resort: Path | None = None

    @property
    def found(self) -> Path | None:
        """The book that is there."""
        return next((path for path in self.paths if not is_gone(path)), None)


def places_of(config: Config, environment: Mapping[str, str]) -> Places:
    """Return where the book of a live run may lie; nothing is made."""
    chosen = config.account.book
    if chosen is not None:
        return Places() if chosen == NONE else Places((Path(chosen).absolute(),))
    hidden = (Path(config.output.dir) / _HIDDEN / _FILE).absolute()
    usual = (folder / _FILE for folder in _usual_folders(environment))
    return Places((*usual, hidden), hidden)


def explain_last_resort(path: Path) -> str:
    """Say that a book is made in the output folder."""
    return (
        f"The account's book, which keeps anything from being paid twice, is made in "
        f"{path.parent}: no folder of this user's can be written. Keep it with the output folders, "
        "or name another place with the setting account.book."
    )


def _usual_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders where it may lie, the first choice first."""
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given and Path(given).is_absolute():
        yield Path(given)
    try:
        usual = user_state_path(_OUR_FOLDER, appauthor=False)
    except RuntimeError:  # there is no HOME, and the system knows no user of this number
        return
    if usual.is_absolute():
        yield usual
