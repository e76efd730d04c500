"""Tell from its file name which product a picture shows, and its place among that product's.

`SKU123_front.jpg`, `SKU123-2.jpg` and `SKU123.jpg` show one product, and so does `SKU123/1.jpg`: in
a subfolder the folder's name is the product. An ending that may also be part of a name counts as a
view only if other files confirm it. A number counts if the numbers begin like a series (`-1`,
`-2`), or if there is also a file with the plain name or a certain view; so `TS-100` and `TS-200`,
or `A-20` and `A-30`, stay apart. A word such as `top` counts in the second case only, so that
`crop-top` stays a product.

Tested in tests/authoring/test_photographs.py.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.checker.naming import normalise_key
from pipeline.errors import UsageError

_FIRST_VIEWS = ("front", "main", "hero", "packshot", "cover")
_VIEWS = (
    *_FIRST_VIEWS[:-1], "back", "rear", "side", "left", "right", "inside", "interior", "outside",
    "open", "closed", "angle", "detail", "details", "close", "closeup", "close-up", "zoom", "macro",
    "lifestyle", "worn",
)  # fmt: skip
_UNSURE_VIEWS = (
    "cover", "top", "bottom", "label", "box", "packaging", "texture", "model", "flat", "scale",
    "context", "view", "alt", "copy", "img", "image", "photo", "pic",
)  # fmt: skip


def _any_of(words: Iterable[str]) -> str:
    """Match any of the words, numbered or not."""
    return rf"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})[\s_\-]*\d{{0,2}}"


_SURE = re.compile(rf"(?P<key>.+?)[\s_.\-]+(?P<view>{_any_of(_VIEWS)})", re.IGNORECASE)
_UNSURE = re.compile(
    r"(?P<key>.+?)(?:"
    rf"[\s_.\-]+(?P<view>{_any_of(_UNSURE_VIEWS)})|[\s_.\-]+(?P<number>\d{{1,3}})|\s*\((?P<copy>\d{{1,3}})\))",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(.+?)[\s_.\-]+[^\W\d_]+\d*")
_DIGITS = re.compile(r"(\d{1,400})")  # int() refuses thousands of them
_LARGEST_VIEW = 99


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of a product: its path inside the folder, the product's key and the view."""

    path: str
    key: str
    view: str

    @property
    def place(self) -> tuple[int, list[tuple[int, str]], list[tuple[int, str]]]:
        """A sort key within the product: the front first, then in natural order."""
        word = self.view.casefold().rstrip("0123456789 _-")
        if word in _FIRST_VIEWS:
            rank = _FIRST_VIEWS.index(word)
        else:
            rank = len(_FIRST_VIEWS) + bool(self.view)
        return rank, split_numbers(self.view), split_numbers(self.path)


def split_numbers(text: str) -> list[tuple[int, str]]:
    """Return a sort key by which `2` comes before `10`."""
    pieces = _DIGITS.split(text.casefold())
    return [(int(piece), "") if n % 2 else (0, piece) for n, piece in enumerate(pieces)]


def by_name(paths: Sequence[str]) -> list[Shot]:
    """Assign pictures to products by their names alone; paths have `/` between folders."""
    loose = [path for path in paths if "/" not in path]
    sure = _sure_enough(loose)
    names = _folder_names(paths)
    return [
        _in_folder(path, names) if "/" in path else _loose(path, sure_enough=path in sure)
        for path in paths
    ]


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
            shots.append(Shot(path, key, groups.get("view") or ""))
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


def looks_like_category(shots: Sequence[Shot]) -> bool:
    """Tell whether the names of one folder's pictures suggest several products."""
    stems = [PurePosixPath(shot.path).stem for shot in shots]
    found = [match for stem in stems if (match := _SURE.fullmatch(stem))]
    return len({match["key"].casefold() for match in found}) > 1


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


def _bad_pattern(pattern: str, why: str) -> UsageError:
    return UsageError(
        f"--pattern {pattern} {why}.",
        action=r"For example: --pattern '(?P<key>[^/_]+)_(?P<view>\w+)\.jpg$'",
    )


def _sure_enough(paths: Sequence[str]) -> set[str]:
    """Return the loose pictures whose uncertain ending is a view, not part of the name."""
    stems = {PurePosixPath(path).stem.casefold() for path in paths}
    sure = {match["key"].casefold() for stem in stems if (match := _SURE.fullmatch(stem))}
    found: defaultdict[str, list[tuple[int | None, str]]] = defaultdict(list)
    for path in paths:
        stem = PurePosixPath(path).stem
        match = None if _SURE.fullmatch(stem) else _UNSURE.fullmatch(stem)
        if match:
            number = match["number"] or match["copy"]
            found[match["key"].casefold()].append((int(number) if number else None, path))
    return {
        path
        for key, group in found.items()
        for number, path in group
        if (number is None or number <= _LARGEST_VIEW)
        and (key in stems or key in sure or (number is not None and _begins_a_series(group)))
    }


def _begins_a_series(group: Iterable[tuple[int | None, str]]) -> bool:
    return any(number in (0, 1) for number, _ in group)


def _loose(path: str, *, sure_enough: bool) -> Shot:
    stem = PurePosixPath(path).stem
    match = _SURE.fullmatch(stem) or (_UNSURE.fullmatch(stem) if sure_enough else None)
    if match is None or not normalise_key(match["key"]):
        return Shot(path, normalise_key(stem) or path, "")
    groups = match.groupdict()
    view = groups["view"] or groups.get("number") or groups.get("copy") or ""
    return Shot(path, normalise_key(match["key"]), view)


def _folder_names(paths: Iterable[str]) -> dict[PurePosixPath, str]:
    """Return the name of each subfolder, or its path where two subfolders share a name."""
    folders = dict.fromkeys(PurePosixPath(path).parent for path in paths if "/" in path)
    holders = Counter(folder.name.casefold() for folder in folders)
    return {
        folder: folder.name if holders[folder.name.casefold()] == 1 else str(folder)
        for folder in folders
    }


def _in_folder(path: str, names: Mapping[PurePosixPath, str]) -> Shot:
    """Read a picture in a subfolder; what its name adds to the folder's name is the view."""
    pure = PurePosixPath(path)
    key = normalise_key(names[pure.parent]) or str(pure.parent)
    view = pure.stem
    if view.casefold().startswith(pure.parent.name.casefold()):
        view = view[len(pure.parent.name) :].lstrip(" _.-")
    match = _SURE.fullmatch(view)
    return Shot(path, key, match["view"] if match else view)
