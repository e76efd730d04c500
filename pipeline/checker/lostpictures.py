"""Where the files lie that texts of a sheet name in vain: told by their names, in a bounded search.

Tested in tests/checker/test_picturehints.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from pipeline.manifest.locations import PathFault, bare_path, is_inside
from pipeline.model import PictureFault
from pipeline.pictures.search import FoundNames, find_names, fold_name

_NAME = re.compile(r"[^\\/]+")
_FILE_URL = re.compile(r"file:/*", re.IGNORECASE)
_NOT_RELATIVE = re.compile(r"[\\/~]|[a-z]:|file:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where pictures are looked for: below `root`, where relative paths start, and below `base`.

    `base` is the manifest's folder; `but` are folders that are left out.
    """

    root: Path
    base: Path
    but: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class LostPicture:
    """A text whose file was not found, its names, where each begins, and the file that it means."""

    text: str
    fault: PathFault
    names: tuple[str, ...]
    starts: tuple[int, ...]
    file: Path | None = None

    @property
    def bare(self) -> str:
        """The text without what stands around the path."""
        return bare_path(self.text)

    @property
    def is_relative(self) -> bool:
        """Whether it starts in the picture folder, and stays in it."""
        return _NOT_RELATIVE.match(self.bare) is None and ".." not in self.names


def absolute_path(text: str) -> Path | None:
    """Return the path that a text names from the root of the disk or the home folder, else None."""
    bare = bare_path(text)
    if url := _FILE_URL.match(bare):
        return Path("/", unquote(bare[url.end() :]))
    path = os.path.expanduser(bare.replace("\\", "/"))  # noqa: PTH111
    return Path(path) if os.path.isabs(path) else None  # noqa: PTH117 - takes any text


def find_lost(faults: Mapping[str, PictureFault], around: Surroundings) -> list[LostPicture]:
    """Return the texts whose file is not where they say, with the files that they may mean."""
    lost = [
        _take_apart(text, fault)
        for text, fault in faults.items()
        if isinstance(fault, PathFault) and fault.lost
    ]
    return _find(lost, around)


def _take_apart(text: str, fault: PathFault) -> LostPicture:
    """Find the names in a path of any system, also in a file:// address."""
    bare = bare_path(text)
    url = _FILE_URL.match(bare)
    begin = url.end() if url else 0
    found = [one for one in _NAME.finditer(bare, begin) if one[0] != "."]
    names = tuple(unquote(one[0]) if url else one[0] for one in found)
    return LostPicture(text, fault, names or ("",), tuple(one.start() for one in found) or (0,))


def _find(lost: Sequence[LostPicture], around: Surroundings) -> list[LostPicture]:
    """Add the file that each text probably means, where one can be told."""
    there = [replace(one, file=_exists_outside(one, around)) for one in lost]
    wanted = {name for one in there if not _is_known(one) for name in _spellings(one)}
    searched = [find_names(base, wanted, but=around.but) for base in _bases(around) if wanted]
    return [one if _is_known(one) else _search(one, searched, around) for one in there]


def _bases(around: Surroundings) -> Iterator[Path]:
    yield around.root
    if not is_inside(around.base, around.root):
        yield around.base


def _is_known(one: LostPicture) -> bool:
    return one.file is not None or one.fault.slip in {"case", "suffix"}


def _exists_outside(one: LostPicture, around: Surroundings) -> Path | None:
    """Return the file that is refused because it lies outside of the picture folder."""
    if one.fault.code != "outside":
        return one.fault.near if one.fault.slip in {"case", "suffix"} else None
    file = absolute_path(one.text) or around.root / one.bare.replace("\\", "/")
    return file if os.path.isfile(file) else None  # noqa: PTH113 - takes any text


def _spellings(one: LostPicture) -> Iterator[str]:
    """Yield the names that the file may have: as written, and as a browser writes them."""
    name = one.names[-1]
    yield from filter(None, dict.fromkeys((name, unquote(name), name.partition("?")[0])))


def _search(one: LostPicture, searched: Iterable[FoundNames], around: Surroundings) -> LostPicture:
    for found in searched:
        for name in _spellings(one):
            if file := _best(found.of(name), one.names):
                return replace(one, file=file)
    if one.is_relative:
        for root in (Path.cwd(), around.root.absolute().parent):
            file = root.joinpath(*one.names)
            if file.is_file():
                return replace(one, file=file)
    return replace(one, file=one.fault.near)


def _best(files: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Return the only file, or of several the one in the folders that the text names."""
    if len(files) <= 1:
        return files[0] if files else None
    ranked = sorted(files, key=lambda file: -count_alike(file.parts[:-1], names[:-1], fold_name))
    scores = [count_alike(file.parts[:-1], names[:-1], fold_name) for file in ranked[:2]]
    return ranked[0] if scores[0] > scores[1] else None


def count_alike(one: Sequence[str], other: Sequence[str], fold: Callable[[str], str] = str) -> int:
    """Count the equal names at the end of two paths."""
    number = 0
    for first, second in zip(reversed(one), reversed(other), strict=False):
        if fold(first) != fold(second):
            break
        number += 1
    return number
