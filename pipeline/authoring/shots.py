"""Tell from its file name which product a picture shows, and its place among that product's.

`SKU123_front.jpg`, `SKU123-2.jpg` and `SKU123.jpg` show one product, and so does `SKU123/1.jpg`: in
a subfolder the folder's name is the product, unless it is one for sizes, months or views. How names
are read says `filenames`, which of them belong together `grouping`.

Tested in tests/authoring/test_photographs.py and tests/authoring/test_filenames.py.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pipeline.authoring.filenames import VIEWS, Reading, read_name, whole_key
from pipeline.authoring.grouping import Pixels, Placed, place_names, seems_several
from pipeline.authoring.namewords import vocabulary
from pipeline.checker.naming import normalise_key
from pipeline.errors import UsageError
from pipeline.manifest.normalform import fold

_DIGITS = re.compile(r"(\d{1,400})")  # int() refuses thousands of them
_YEAR, _MONTH = re.compile(r"(?:19|20)\d{2}"), re.compile(r"[01]\d")


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a product: its path inside the folder, the product's key and the view.

    `kind` is the view's (one of `VIEWS`), `about` whatever else tells it from the product's other
    pictures. `quality` orders versions of one picture: a copy, as it is, retouched. `copied` says
    that the name ends as a system names copies: `(1)`.
    """

    path: str
    key: str
    view: str
    kind: str = ""
    number: int = 0
    about: str = ""
    quality: int = 1
    copied: bool = False

    @property
    def place(self) -> tuple[int, int, list[tuple[int, str]], list[tuple[int, str]]]:
        """A sort key within the product: the front first, then in natural order."""
        about = split_numbers(f"{self.about} {self.view}")
        return VIEWS.index(self.kind), self.number, about, split_numbers(self.path)

    @property
    def picture(self) -> tuple[str, str, int, str]:
        """What versions, copies and sizes of one picture have in common."""
        return self.key.casefold(), fold(self.view), self.number, self.about


def split_numbers(text: str) -> list[tuple[int, str]]:
    """Return a sort key by which `2` comes before `10`."""
    pieces = _DIGITS.split(text.casefold())
    return [(int(piece), "") if n % 2 else (0, piece) for n, piece in enumerate(pieces)]


def by_name(paths: Sequence[str], pixels: Pixels = lambda _path: None) -> list[Shot]:
    """Assign pictures to products by their names alone; paths have `/` between folders.

    `pixels` tells width and height of a picture; it is asked only where a name leaves it open.
    """
    homes = {path: _home(PurePosixPath(path)) for path in paths}
    folders: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
    for path, home in homes.items():
        folders[home].append(path)
    names = _folder_names(folders)
    found: dict[str, tuple[str, Shot]] = {}
    for home, inside in folders.items():
        alone = home == PurePosixPath()
        if alone or is_category(home, inside, pixels):
            within = "" if alone else f"{home}/".casefold()
            products = [folder.name for folder in folders if alone and folder.name]
            for path, placed in place_names(inside, pixels, products).items():
                found[path] = (within + placed.key, _loose(path, placed))
        else:
            for path in inside:
                shot = _in_folder(path, home, names[home])
                found[path] = (whole_key(shot.key), shot)
    return _with_one_key(found, paths)


def by_pattern(paths: Iterable[str], pattern: str) -> tuple[list[Shot], list[str]]:
    """Assign pictures to products by a regular expression; also return those without a match.

    The pattern is searched for in the path inside the folder. Its group `key` names the product, a
    group `view` orders its pictures. Raises UsageError if it is not a regular expression or has no
    group `key`.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of what a later Python may read otherwise
            searched = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise _bad_pattern(pattern, f"is not a regular expression: {error}") from error
    if "key" not in searched.groupindex:
        raise _bad_pattern(pattern, "has no group named key")
    shots, others = [], []
    for path in paths:
        found = searched.search(path)
        groups = found.groupdict() if found else {}
        key = normalise_key(groups.get("key") or "")
        if key:
            view = groups.get("view") or ""
            reading = _read_view(view)
            shots.append(Shot(path, key, view, reading.kind, reading.number or 0, path))
        else:
            others.append(path)
    return shots, others


def group_products(shots: Iterable[Shot]) -> dict[str, list[Shot]]:
    """Group pictures by product, both in order: products by key, pictures by view."""
    groups: defaultdict[str, list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.key.casefold()].append(shot)
    ordered = (sorted(group, key=lambda shot: shot.place) for group in groups.values())
    keyed = {group[0].key: group for group in ordered}
    return dict(sorted(keyed.items(), key=lambda item: split_numbers(item[0])))


def is_category(folder: PurePosixPath, paths: Sequence[str], pixels: Pixels) -> bool:
    """Tell whether the names of one folder's pictures show several products."""
    rest = {path: _beyond(folder.name, PurePosixPath(path).stem) for path in paths}
    if any(rest[path] != PurePosixPath(path).stem for path in paths):
        return False
    return len(paths) > 1 and seems_several(paths, pixels)


def _bad_pattern(pattern: str, why: str) -> UsageError:
    return UsageError(
        f"--pattern {pattern} {why}.",
        action=r"For example: --pattern '(?P<key>[^/_]+)_(?P<view>\w+)\.jpg$'",
    )


def _home(path: PurePosixPath) -> PurePosixPath:
    """Return the folder that names a picture's product; the root folder if none does."""
    folder, stem = path.parent, fold(path.stem)
    above = folder.parent
    if _MONTH.fullmatch(folder.name) and _YEAR.fullmatch(above.name):  # WordPress
        return PurePosixPath()
    if len(stem) > 1 and (above.name, folder.name) == (stem[0], stem[1]):  # Magento
        return PurePosixPath()
    while folder.name and _says_nothing(folder.name):
        folder = folder.parent
    return folder


def _says_nothing(name: str) -> bool:
    """Tell whether a folder is one for views, versions or sizes: Details, web, Fotos, thumbs."""
    known, text = vocabulary(), " ".join(re.split(r"[\s_\-]+", fold(name)))
    return (
        text in known.folders
        or text in known.views
        or text in known.versions
        or text in known.unsure_versions
        or text in known.sizes
    )


def _folder_names(folders: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Return the name of each subfolder, or its path where two subfolders share a name."""
    known = list(folders)
    holders = Counter(folder.name.casefold() for folder in known)
    return {
        folder: folder.name if holders[folder.name.casefold()] == 1 else str(folder)
        for folder in known
    }


def _in_folder(path: str, home: PurePosixPath, name: str) -> Shot:
    """Read a picture in a product's folder; what its name adds to the folder's is the view."""
    pure = PurePosixPath(path)
    between = pure.parent.relative_to(home).as_posix()
    view = _beyond(home.name, pure.stem)
    reading = _read_view(view)
    folder = _read_view(between) if between != "." else Reading(())
    about = " ".join(word.text for word in reading.words[1:])
    return Shot(
        path, normalise_key(name) or str(home), reading.view or view, reading.kind or folder.kind,
        reading.number or 0, f"{about} {reading.letter}".strip(), _quality(reading), reading.lone,
    )  # fmt: skip


def _beyond(name: str, stem: str) -> str:
    if stem.casefold().startswith(name.casefold()):
        return stem[len(name) :].lstrip(" _.-")
    return stem


def _read_view(view: str) -> Reading:
    return read_name(f"x {view}").readings[-1]


def _loose(path: str, placed: Placed) -> Shot:
    reading = placed.reading
    return Shot(
        path, placed.shown, reading.view, reading.kind, reading.number or 0, reading.letter,
        _quality(reading), reading.lone,
    )  # fmt: skip


def _quality(reading: Reading) -> int:
    if reading.copy or reading.size:
        return 0
    numbers = [int(text) for word in reading.versions for text in re.findall(r"\d{1,2}", word)]
    return 2 + max(numbers, default=0) if reading.versions else 1


def _with_one_key(found: Mapping[str, tuple[str, Shot]], paths: Sequence[str]) -> list[Shot]:
    """Give the pictures of each product one spelling of its name, that of the first picture."""
    first: dict[str, Shot] = {}
    for whole, shot in found.values():
        if whole not in first or shot.place < first[whole].place:
            first[whole] = shot
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for whole, shot in first.items():
        key = normalise_key(shot.key) or normalise_key(PurePosixPath(shot.path).stem) or shot.path
        if key.casefold() in taken and "/" in whole:
            key = f"{PurePosixPath(shot.path).parent} {key}"
        taken.add(key.casefold())
        keys[whole] = key
    return [replace(found[path][1], key=keys[found[path][0]]) for path in paths]
