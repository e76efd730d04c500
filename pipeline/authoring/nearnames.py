"""Which files and names may show the same: the best file of a picture, and what names leave open.

Of several files of one picture (sizes that a shop made, copies, earlier versions) one is chosen;
names that leave open which product they show are pointed out.

Tested in tests/authoring/test_nearnames.py and test_samepictures.py.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path, PurePosixPath

from pipeline.authoring.filenames import read_name
from pipeline.authoring.shots import Shot
from pipeline.disk.openfile import hash_of_file, open_to_read_bytes
from pipeline.manifest.normalform import fold
from pipeline.manifest.wording import count
from pipeline.pictures.heads import ENOUGH_BYTES, read_head

_TAIL = re.compile(r"(.+?)[\s_.\-]+[^\W\d_]+\d*")
_LETTERS = re.compile(r"[\W_]+")
_LAST_NUMBER = re.compile(r"(?<=\D\D\D)(?:\d{1,2}|(?<=\d)[a-z])$")
_NEAR = 0.93
_SHORTEST = 8
_SHOWN = 6
_LINES = 10
_MANY = 12
"""Pictures of one product: more of them may be a series of products."""
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
"""Formats in the order in which they are taken, if there is nothing else to choose by."""


def find_offshoots(groups: Mapping[str, Sequence[Shot]]) -> list[tuple[str, str]]:
    """Return products that may be views of another: (key, key of the other product).

    Such a product has one picture, and its name continues that of a product with views.
    """
    wholes = {key.casefold(): key for key, shots in groups.items() if any(s.view for s in shots)}
    found = []
    for key, shots in groups.items():
        stem = _TAIL.fullmatch(key)
        if stem and len(shots) == 1 and not shots[0].view and stem[1].casefold() in wholes:
            found.append((key, wholes[stem[1].casefold()]))
    return found


def find_near(groups: Mapping[str, Sequence[Shot]]) -> list[list[str]]:
    """Return products that may be one by their names: of one picture each, or one beside others."""
    named = [key for key in groups if "/" not in key and not read_name(key).nameless]
    single = [key for key in named if len(groups[key]) == 1]
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for key in single:
        for text in {*_bare(key)}:
            alike[text].append(key)
    for key in (one for one in named if len(groups[one]) > 1):
        alike[_LETTERS.sub("", _umlauts(key))].append(key)
    found = [keys for keys in alike.values() if len(keys) > 1 and {*keys} & {*single}]
    ordered = sorted(single, key=fold)
    found += [list(pair) for pair in pairwise(ordered) if _misspelled(*pair)]
    return _disjoint(found)


def find_nameless(groups: Mapping[str, Sequence[Shot]]) -> list[str]:
    """Return the products that have nothing but a camera's or a program's name."""
    return [
        key
        for key, shots in groups.items()
        if all("/" not in shot.path for shot in shots)
        and all(read_name(PurePosixPath(shot.path).stem).nameless for shot in shots)
    ]


def describe_doubts(groups: Mapping[str, Sequence[Shot]]) -> list[str]:
    """Say what a person should look at, with what to do."""
    near, nameless = find_near(groups), find_nameless(groups)
    lines = [
        f"These may be one product: {_list(keys)}. If they are, give their files one name and a "
        f"view, for example {keys[0]}_front and {keys[0]}_back, or use --pattern"
        for keys in near[:_LINES]
    ]
    if len(near) > _LINES:
        lines.append(f"and {count(len(near) - _LINES, 'more group')} of such names")
    if nameless:
        lines.append(
            f"{count(len(nameless), 'name')} of a camera or a program: {_list(nameless)}. Each "
            "became a row. Put the pictures of one product into a folder with the product's name, "
            "or rename them"
        )
    lines += [
        f"{key}: {count(len(groups[key]), 'picture')} of one moment were taken for one product. If "
        "they show several, rename them"
        for key in nameless
        if len(groups[key]) > 1 and any(shot.copied for shot in groups[key])
    ]
    lines += [
        f"{key}: {count(len(shots), 'picture')} were taken for one product. If they show several, "
        "give each product's files a name of its own"
        for key, shots in groups.items()
        if len(shots) > _MANY and all("/" not in shot.path for shot in shots)
    ]
    return lines


def _bare(key: str) -> Iterable[str]:
    """Return what a name comes to without joints, accents, and an ending that may be a view."""
    plain = _LETTERS.sub("", _umlauts(key))
    yield plain
    name = read_name(key)
    for reading in name.readings[1:]:
        if reading.doubt in {"word", "version"} or reading.doubt == "number":
            yield _LETTERS.sub("", _umlauts(name.key(reading)))
    without = _LAST_NUMBER.sub("", plain)
    if without != plain:
        yield without


def _umlauts(text: str) -> str:
    return fold(text).replace("ae", "a").replace("oe", "o").replace("ue", "u")


def _misspelled(one: str, other: str) -> bool:
    """Tell whether two names differ by a slip in one word of letters."""
    first, second = _LETTERS.split(fold(one)), _LETTERS.split(fold(other))
    different = [pair for pair in zip(first, second, strict=False) if pair[0] != pair[1]]
    if len(first) != len(second) or len(different) != 1:
        return False
    (a, b), whole = different[0], (fold(one), fold(other))
    if min(len(a), len(b)) < 4 or min(map(len, whole)) < _SHORTEST or not (a + b).isalpha():  # noqa: PLR2004
        return False
    return a[0] == b[0] and difflib.SequenceMatcher(None, a, b).ratio() >= 0.85  # noqa: PLR2004


def _disjoint(found: Iterable[list[str]]) -> list[list[str]]:
    """Join groups that share a name; each name is said once."""
    joined: list[list[str]] = []
    where: dict[str, int] = {}
    for keys in found:
        known = next((where[key] for key in keys if key in where), None)
        if known is None:
            known = len(joined)
            joined.append([])
        joined[known] += [key for key in keys if key not in where]
        where |= {key: known for key in keys if key not in where}
    return [keys for keys in joined if len(keys) > 1]


def _list(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _SHOWN:,} more" if len(keys) > _SHOWN else ""
    return f"{', '.join(keys[:_SHOWN])}{more}"


class PictureSizes:
    """Width and height of the pictures of a folder; a file is opened once, if asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.of = cache(self._measure)

    def _measure(self, path: str) -> tuple[int, int] | None:
        try:
            with open_to_read_bytes(self._folder / path) as file:
                head = read_head(file.read(ENOUGH_BYTES))
        except (OSError, ValueError):
            return None
        return (head.width, head.height) if head.width and head.height else None

    def area(self, path: str) -> int:
        """Return the pixels of a picture; 0 if they are unknown."""
        width, height = self.of(path) or (0, 0)
        return width * height

    def are_equal(self, one: str, other: str) -> bool:
        """Tell whether two files hold the same bytes."""
        first, second = self._folder / one, self._folder / other
        try:
            if first.stat().st_size != second.stat().st_size:
                return False
            return hash_of_file(first) == hash_of_file(second)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Distinct:
    """A product's pictures, each once, and the files left out with the one that is used instead."""

    shots: tuple[Shot, ...]
    instead: dict[str, str]


def choose_files(shots: Sequence[Shot], sizes: PictureSizes) -> Distinct:
    """Take one file for each picture of a product.

    The largest wins; of those with at least half of its pixels, a retouched one before one as it
    is, and that before a copy.
    """
    groups: defaultdict[object, list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.picture].append(shot)
    best = {picture: _best(group, sizes) for picture, group in groups.items()}
    instead = {
        shot.path: best[picture].path
        for picture, group in groups.items()
        for shot in group
        if shot is not best[picture]
    }
    kept: list[Shot] = []
    for shot in shots:
        if shot.path in instead:
            continue
        same = next(
            (one for one in kept if shot.copied and sizes.are_equal(one.path, shot.path)), None
        )
        if same is None:
            kept.append(shot)
        else:
            instead[shot.path] = same.path
    return Distinct(tuple(kept), instead)


def _best(group: Sequence[Shot], sizes: PictureSizes) -> Shot:
    if len(group) == 1:
        return group[0]
    most = max(sizes.area(shot.path) for shot in group)

    def rank(shot: Shot) -> tuple[bool, int, int, int, int]:
        area, suffix = sizes.area(shot.path), PurePosixPath(shot.path).suffix.lower()
        place = _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES)
        return 2 * area >= most, shot.quality, area, -place, -len(shot.path)

    return max(group, key=rank)
