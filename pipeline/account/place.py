"""What an account is called, where its book lies, and the journals that it must know.

The book lies by the setting `account.book`; else in `$STATE_DIRECTORY`, which systemd gives to a
service; else in the user's folder for state. Where none of these can be written, as in a container
with a read-only root, it lies in the output folder: there it is at least found again by the next
run.

A book that exists is used where it is, whether it can be written or not: a second one elsewhere
would not know what was bought.

Where the book is lost, journals are all that is known. They are looked for beside the output
folder, and wherever an output.dir of before may have been.
"""

from __future__ import annotations

import contextlib
import hmac
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_state_path

from pipeline.config.settings import Config
from pipeline.config.values import WITHOUT_BOOK, is_loopback, origin_of
from pipeline.disk.folder import FolderUse, OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import ReelsheetError
from pipeline.journal.ownership import find_manifest

BOOK_FILE = "book.db"
_OUR_FOLDER = "reelsheet"
_HIDDEN = ".account"
_SAME = {"toapis.cn": "toapis.com"}
"""Hosts of one provider, with one balance."""
_MOST_BESIDE = 1000
_MOST_ENTRIES = 10_000
"""Folders looked into for outputs of before, and entries of each: they may hold anything."""


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
        return Places() if chosen == WITHOUT_BOOK else Places((Path(chosen).absolute(),))
    hidden = (Path(config.output.dir) / _HIDDEN / BOOK_FILE).absolute()
    usual = (folder / BOOK_FILE for folder in state_folders(environment))
    return Places((*usual, hidden), hidden)


def former_place(config: Config) -> Path | None:
    """Return the book where earlier versions made it; None if there is none.

    They took a relative path in a configuration file from the working folder.
    """
    chosen = Path(config.account.book or "")
    ends = (Path(*chosen.parts[-number:]) for number in range(1, len(chosen.parts)))
    there = (end.absolute() for end in ends if not end.is_absolute() and not is_gone(end))
    return next((path for path in there if path.resolve() != chosen.resolve()), None)


def explain_last_resort(path: Path) -> str:
    """Say that a book is made in the output folder."""
    return (
        f"The account's book, which keeps anything from being paid twice, is made in "
        f"{path.parent}: no folder of this user's can be written. Keep it with the output folders, "
        "or name another place with the setting account.book."
    )


def state_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folders for state of this user, or of this service, the first choice first."""
    given = environment.get("STATE_DIRECTORY", "").split(":")[0]
    if given and Path(given).is_absolute():
        yield Path(given)
    try:
        usual = user_state_path(_OUR_FOLDER, appauthor=False)
    except RuntimeError:  # there is no HOME, and the system knows no user of this number
        return
    yield usual  # absolute: a relative one is passed over, as the XDG specification has it


def journals_near(outputs: Path, out: Path | None, manifests: Collection[Path]) -> Iterator[Path]:
    """Yield the journals of live runs that the book has to know before anything is sent.

    Those are the ones in the folder of outputs, and beside and under the output folder. In the
    folders beside the folder of outputs and beside the manifests it is those of the manifests, and
    of tables beside them. There no link is followed, and not much is looked into. A journal that
    was carried into a folder of a manifest's name counts for the manifest that it remembers.

    Args:
        outputs: the folder that holds an output folder per manifest.
        out: the output folder that the user named; None if none.
        manifests: the manifests of the run.

    """
    seen = set()
    for real, folder in _folders_at_home(outputs, out):
        if real not in seen and not is_gone(OutputFolder(folder).journal):
            seen.add(real)
            if OutputFolder(folder).use is not FolderUse.REHEARSED:
                yield OutputFolder(folder).journal
    ours = _with_namesakes({one.resolve() for one in manifests}, outputs, out)
    for folder in _folders_beside({outputs.resolve().parent, *(one.parent for one in ours)}):
        journal = OutputFolder(folder).journal
        if folder not in seen and not is_gone(journal):
            seen.add(folder)
            if _concerns(folder, ours):
                yield journal


def traces_near(outputs: Path, out: Path | None, manifests: Collection[Path]) -> Iterator[Path]:
    """Yield the folders that hold files of a run and no journal, where `journals_near` looks.

    Beside the folder of outputs and beside the manifests it is those whose last run was of one of
    the manifests, or of a table beside one.

    Args:
        outputs: the folder that holds an output folder per manifest.
        out: the output folder that the user named; None if none.
        manifests: the manifests of the run.

    """
    seen = set()
    for real, folder in _folders_at_home(outputs, out):
        if real not in seen and _holds_traces(folder):
            seen.add(real)
            yield folder
    ours = {one.resolve() for one in manifests}
    for folder in _folders_beside({outputs.resolve().parent, *(one.parent for one in ours)}):
        if folder not in seen and _holds_traces(folder):
            seen.add(folder)
            its = OutputFolder(folder).last_manifest()
            if its is not None and _is_beside(its.resolve(), ours):
                yield folder


def _folders_at_home(outputs: Path, out: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield each folder among the outputs, and beside and under `out`; before it, its real path."""
    homes = [outputs] if out is None else [outputs, out.parent, out]
    for folder in chain.from_iterable(map(_folders_in, homes)):
        yield folder.resolve(), folder


def _holds_traces(root: Path) -> bool:
    folder = OutputFolder(root)
    if not is_gone(folder.journal):
        return False
    told = bool(folder.logs) or not is_gone(folder.summary) or any(root.glob("results.*"))
    return told and folder.use is not FolderUse.REHEARSED


def _is_beside(its: Path, manifests: Collection[Path]) -> bool:
    """Return whether a manifest lies beside one of these, or is gone and was called like one."""
    beside = any(its.parent == one.parent for one in manifests)
    return beside or (is_gone(its) and any(its.name == one.name for one in manifests))


def _with_namesakes(ours: Collection[Path], outputs: Path, out: Path | None) -> set[Path]:
    """Return the manifests, and those elsewhere whose journals lie in folders of their names.

    Such a journal was perhaps carried here, and lacks what the one in its own place knows.
    """
    folders = [there for one in ours for there in OutputFolder(outputs / one.stem).namesakes()]
    found = set(ours)
    for folder in folders if out is None else [*folders, OutputFolder(out)]:
        with contextlib.suppress(ReelsheetError):
            its = find_manifest(folder.journal)
            if its is not None and not is_gone(its):
                found.add(its)
    return found


def _concerns(folder: Path, manifests: Collection[Path]) -> bool:
    """Return whether an output folder is that of one of these manifests, or of a table beside one.

    Others may be paid from another account.
    """
    if OutputFolder(folder).use is FolderUse.REHEARSED:
        return False
    with contextlib.suppress(ReelsheetError):  # nothing says that it concerns this run
        its = find_manifest(OutputFolder(folder).journal, sent=True)
        if its is not None:
            return _is_beside(its, manifests)
    return False


def _folders_beside(homes: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders in these, and those in them, without following a link."""
    for home in sorted(homes):
        there = _real_folders_in(home)
        below = chain.from_iterable((folder, *_real_folders_in(folder)) for folder in there)
        yield from islice(below, _MOST_BESIDE)


def _real_folders_in(home: Path) -> list[Path]:
    try:
        with os.scandir(home) as entries:
            some = islice(entries, _MOST_ENTRIES)
            return sorted(home / one.name for one in some if one.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _folders_in(home: Path) -> list[Path]:
    try:
        return sorted(one for one in home.iterdir() if one.is_dir())
    except OSError:
        return []


def account_name(config: Config) -> str:
    """Return the name of the account that a live run spends from.

    Addresses of this machine are an account each, whatever the setting says: what runs there is
    not what is paid from elsewhere.
    """
    address = config.api.base_url
    if is_loopback(address) or config.account.name is None:
        return name_of(address)
    return config.account.name


def digest_of(book_id: str, key: str) -> str:
    """Return what a book keeps of a key of the API, which says nothing to anybody else."""
    return hmac.digest(book_id.encode(), key.encode(), "sha256").hex()


def name_of(address: str) -> str:
    """Return the name of the account behind the address of an API, where no setting names it."""
    parts = urlsplit(origin_of(address))
    host = (parts.hostname or "").rstrip(".")
    if is_loopback(address):
        shown = f"[{host}]" if ":" in host else host
        return f"{shown}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return _SAME.get(host, host)
