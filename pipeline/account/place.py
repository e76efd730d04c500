"""Where the account's book lies.

By the setting `account.book`; else in `$STATE_DIRECTORY`, which systemd gives to a service; else in
the user's folder for state. Where none of these can be written, as in a container with a read-only
root, it lies in the output folder: there it is at least found again by the next run.

Tested in tests/account/test_place.py.
"""

from __future__ import annotations

import os
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
class Place:
    """Where the book lies or is going to, and a sentence about it that a person should read."""

    path: Path
    note: str | None = None


def book_place(config: Config, environment: Mapping[str, str]) -> Place | None:
    """Return where the book of a live run lies; None where the settings ask for none.

    Nothing is made. A book that exists is taken where it is, whether it can be written or not: a
    second one elsewhere would not know what was bought.
    """
    chosen = config.account.book
    if chosen is not None:
        return None if chosen == NONE else Place(Path(chosen).absolute())
    places = [folder / _FILE for folder in _usual_folders(environment)]
    for path in places:
        if not is_gone(path):
            return Place(path)
    for path in places:
        if _can_be_made(path):
            return Place(path)
    hidden = (Path(config.output.dir) / _HIDDEN / _FILE).absolute()
    if not is_gone(hidden):
        return Place(hidden)
    return Place(
        hidden,
        f"The account's book, which keeps anything from being paid twice, is made in "
        f"{hidden.parent}: no folder of this user's can be written. Choose another place with the "
        "setting account.book.",
    )


def _usual_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders where it may lie, the first choice first."""
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given and Path(given).is_absolute():
        yield Path(given)
    usual = user_state_path(_OUR_FOLDER, appauthor=False)
    if usual.is_absolute():  # else there is no home
        yield usual


def _can_be_made(path: Path) -> bool:
    """Return whether a file can be made at `path`, with the folders above it."""
    folder = path.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
