"""Decide which endings of file names are part of a product's name, by all names of a folder.

An ending that may also be part of a name counts only if other files confirm it. A number counts if
the numbers begin like a series (`-1`, `-2`), or if there is also a file with the plain name or a
certain view; so `TS-100` and `TS-200`, or `A-20` and `A-30`, stay apart. A word such as `top`
counts in the second case only, so that `crop-top` stays a product. If in doubt pictures stay
apart: two products in one video cost more than two rows that a person puts together.

Tested in tests/authoring/test_filenames.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

from pipeline.authoring.filenames import Name, Reading, Word, read_name
from pipeline.authoring.namewords import is_ean, vocabulary

Pixels = Callable[[str], tuple[int, int] | None]
"""Tells width and height of a picture by its path; None where it cannot be read."""

_MOST_DOUBTS = 3
_FROM_ONE_SIDE = frozenset({"front", "back", "detail"})
_SEVERAL = 3
_LEAST_NAME = 2
_MOST_OF_A_CAMERA = 6
_PAIRS = {'"': '"', "(": ")", "[": "]", "\u00ab": "\u00bb", "\u201e": "\u201c"}
_VIEW_NUMBER = re.compile(r"\d{1,2}")
_CAMERA_BEFORE = re.compile(r"(?:img|dsc[fn]?|pxl|mg) ?(\d{4,9}) (?=.*[^\W\d_]{3})")
_CAMERA_BEHIND = re.compile(r"(?<=[^\W\d_]{3}) (?:img|dsc[fn]?|pxl|mg) ?(\d{4,9})$")
_FRONT_AND_BACK = {"f", "b"}


@dataclass(slots=True)
class Placed:
    """A picture's name and how it is read; `key` is the product's name as it is compared."""

    path: str
    name: Name
    reading: Reading

    @property
    def key(self) -> str:
        """The product's name as it is compared; a name without words is one by itself."""
        return self.name.key(self.reading) or self.path

    @property
    def shown(self) -> str:
        """The product's name as it is written."""
        return _close(self.name.shown(self.reading))


def _close(text: str) -> str:
    """Close what a name opens and what stood behind an ending that was taken off."""
    for opening, closing in _PAIRS.items():
        if text.count(opening) > text.count(closing) or (
            opening == closing and text.count(opening) % 2
        ):
            text += closing
    return text


def place_names(
    paths: Sequence[str], pixels: Pixels, folders: Iterable[str] = ()
) -> dict[str, Placed]:
    """Read the names of pictures that may show the same products; `folders` name products, too."""
    placed = []
    for folder in folders:
        name = read_name(folder)
        placed.append(Placed("", name, Reading(name.words)))
    for path in paths:
        name = read_name(PurePosixPath(path).stem)
        placed.append(Placed(path, name, name.readings[0]))
    for depth in range(1, _MOST_DOUBTS + 1):
        _settle(placed, depth, pixels)
    _take_parts(placed)
    _take_views_inside(placed)
    _take_cameras_numbers(placed)
    _take_numbers_before(placed)
    return {one.path: one for one in placed if one.path}


def seems_several(paths: Sequence[str], pixels: Pixels) -> bool:
    """Tell whether the pictures of one folder show several products, as far as names tell.

    They do if each belongs to a group with views of its own, or if they have article numbers.
    """
    groups = _by_key(place_names(paths, pixels).values())
    if all(is_ean(key) for key in groups):
        return len(groups) > 1
    viewed = [group for group in groups.values() if any(one.reading.kind for one in group)]
    series = [group for group in groups.values() if len({_marks(one) for one in group}) > 1]
    return len(groups) > 1 and len(groups) in {len(viewed), len(series)}


def _marks(one: Placed) -> tuple[str, int | None, str]:
    return one.reading.view, one.reading.number, one.reading.letter


def _by_key(placed: Iterable[Placed]) -> dict[str, list[Placed]]:
    groups: defaultdict[str, list[Placed]] = defaultdict(list)
    for one in placed:
        groups[one.key].append(one)
    return groups


def _settle(placed: Sequence[Placed], depth: int, pixels: Pixels) -> None:
    """Take the endings at one depth off the names where other files confirm them."""
    groups = _by_key(placed)
    candidates: defaultdict[tuple[str, str], list[tuple[Placed, Reading]]] = defaultdict(list)
    for one in placed:
        readings = one.name.readings
        if len(readings) > depth and one.reading is readings[depth - 1]:
            reading = readings[depth]
            candidates[one.name.key(reading), reading.doubt].append((one, reading))
    accepted = []
    for (key, doubt), group in candidates.items():
        accepted += _CONFIRM[doubt](group, groups.get(key, ()), groups, pixels)
    for one, reading in accepted:
        one.reading = reading


_Candidates = list[tuple[Placed, Reading]]
_Anchors = Sequence[Placed]
_Groups = dict[str, list[Placed]]


def _confirm_words(
    group: _Candidates, anchors: _Anchors, groups: _Groups, pixels: Pixels
) -> _Candidates:
    """Believe `top` beside a plain file; without one, a front with a back, or open with closed."""
    _ = groups, pixels
    kinds = {reading.kind for _, reading in group}
    states = {reading.doubted for _, reading in group if reading.kind == "inside"}
    tell_apart = kinds >= {"front", "back"} or (kinds == {"inside"} and len(states) > 1)
    return group if anchors or tell_apart else []


def _confirm_versions(
    group: _Candidates, anchors: _Anchors, groups: _Groups, pixels: Pixels
) -> _Candidates:
    """Believe `web` beside a plain file or `print`, or where several have it behind numbers."""
    _ = groups, pixels
    told = {reading.doubted for _, reading in group}
    uses = len(told) > 1 and told <= vocabulary().uses
    return group if anchors or uses or _is_behind_numbers(group) else []


def _is_behind_numbers(group: _Candidates) -> bool:
    return all(
        len(one.name.readings) > at + 1 and one.name.readings[at + 1].doubt == "number"
        for one, reading in group
        for at in (one.name.readings.index(reading),)
    )


def _confirm_sizes(
    group: _Candidates, anchors: _Anchors, groups: _Groups, pixels: Pixels
) -> _Candidates:
    """Believe a size that is the file's own; without a look at the file, one that is square."""
    _ = groups
    accepted = []
    for one, reading in group:
        told, real = reading.size or (0, 0), pixels(one.path)
        beside = any(each.reading.copy for each in anchors)
        if reading.doubted in vocabulary().largest:
            smaller = real is not None and max(real) <= max(told)
            fits = beside or (bool(anchors) and smaller)
        else:
            fits = beside or real == told or (bool(anchors) and told[0] == told[1])
        if fits:
            accepted.append((one, reading))
    return accepted


def _confirm_numbers(
    group: _Candidates, anchors: _Anchors, groups: _Groups, pixels: Pixels
) -> _Candidates:
    _ = pixels
    if _are_products(group, groups):
        return []
    numbers = {int(reading.doubted) for _, reading in group}
    seen = any(one.reading.kind or one.reading.number is not None for one in anchors)
    begins = min(numbers) <= 1 or (bool(anchors) and min(numbers) == 1 + 1)
    if not (seen or begins):
        return []
    last = 3 * (len(numbers) + bool(anchors)) + 3
    return [(one, reading) for one, reading in group if int(reading.doubted) <= last]


def _confirm_letters(
    group: _Candidates, anchors: _Anchors, groups: _Groups, pixels: Pixels
) -> _Candidates:
    _ = pixels
    letters = {reading.doubted for _, reading in group}
    count = len(letters) + bool(anchors)
    if letters == _FRONT_AND_BACK and not _are_products(group, groups):
        return group
    if _are_products(group, groups) or count < 2 or not ("a" in letters or anchors):  # noqa: PLR2004
        return []
    last = chr(ord("a") + 2 * count - 1)
    return [(one, reading) for one, reading in group if reading.doubted <= last]


def _are_products(group: _Candidates, groups: _Groups) -> bool:
    """Tell whether what seems to number views numbers products, which have views of their own.

    `desk_1_front` and `desk_2_side` are views: no number has two, and no view comes twice.
    """
    among = (one for first, _ in group for one in groups[first.key])
    seen = [one for one in among if _has_view(one) and not one.reading.lone]
    if not seen:
        return False
    views = [one.reading.view for one in seen]
    one_each = all(len(groups[first.key]) == 1 for first, _ in group)
    return not (one_each and len(seen) == len(group) > 1 and len(set(views)) == len(views))


def _has_view(one: Placed) -> bool:
    return bool(one.reading.view) or one.reading.number is not None or bool(one.reading.letter)


_CONFIRM = {
    "word": _confirm_words,
    "version": _confirm_versions,
    "size": _confirm_sizes,
    "number": _confirm_numbers,
    "letter": _confirm_letters,
}


def _take_parts(placed: Sequence[Placed]) -> None:
    """Take what is shown in detail or where off a name: `stool_detail_seat` beside `stool`.

    `stool_seat_detail` is of the stool, too, if that has views and no other picture is of its seat.
    """
    groups, known = _by_key(placed), vocabulary()
    kinds = {**known.unsure, **known.views}
    for one in placed:
        words = one.reading.words
        for at in range(1, len(words) - 1):
            whole, text = replace(one.reading, words=words[:at]), words[at].text
            named = known.views.get(text) == "detail" or text in known.scenes
            if named and one.name.key(whole) in groups:
                view = " ".join(word.text for word in words[at:])
                one.reading = replace(whole, view=view, kind=kinds[text])
                break
        else:
            whole = replace(one.reading, words=words[:-1])
            beside = groups.get(one.name.key(whole), ()) if len(words) > 1 else ()
            alone = one.reading.kind == "detail" and len(groups[one.key]) == 1
            if alone and any(_has_view(each) for each in beside):
                one.reading = replace(whole, view=f"{words[-1].text} {one.reading.view}")


def _take_views_inside(placed: Sequence[Placed]) -> None:
    """Take views that stand before or inside of names, where three or more tell the same story."""
    known = {**vocabulary().views, **dict.fromkeys(vocabulary().versions, "")}
    groups = _by_key(placed)
    found: defaultdict[tuple[str, int], list[tuple[Placed, Word, tuple[Word, ...]]]] = defaultdict(
        list
    )
    for one in placed:
        words = one.reading.words
        if one.name.nameless or _has_view(one) or len(words) < 2:  # noqa: PLR2004
            continue
        for at, word in enumerate(words[:-1]):
            if word.text in known:
                rest = (*words[:at], *words[at + 1 :])
                key = one.name.key(replace(one.reading, words=rest))
                found[key, at].append((one, word, rest))
    for (key, _), group in found.items():
        told = {word.text for _, word, _ in group}
        kinds = {known[word] for word in told}
        behind_article = all(_has_digits(one.reading.words[0]) for one, _, _ in group)
        enough = 1 if key in groups else 2 if behind_article else _SEVERAL
        if key in groups and kinds == {""}:  # final_candle beside candle
            for one, word, rest in group:
                versions = (word.text, *one.reading.versions)
                one.reading = replace(one.reading, words=rest, versions=versions)
        elif len(told) >= enough and kinds & _FROM_ONE_SIDE:
            for one, word, rest in group:
                kind = known[word.text]
                one.reading = replace(one.reading, words=rest, view=word.text, kind=kind)


def _take_numbers_before(placed: Sequence[Placed]) -> None:
    """Take the numbers in front of `1_oak-stool` and `2_oak-stool`, which are those of views.

    They are if they begin at 1 and leave none out, and if they are written as `01` or with another
    joint than the name's own: `2-drawer-chest` is no second view.
    """
    found: defaultdict[str, list[Placed]] = defaultdict(list)
    for one in placed:
        words = one.reading.words
        if len(words) > _LEAST_NAME and _VIEW_NUMBER.fullmatch(words[0].text):
            joints = [one.name.stem[a.end : b.start] for a, b in pairwise(words)]
            if words[0].text.startswith("0") or joints[0] not in joints[1:]:
                found[one.name.key(replace(one.reading, words=words[1:]))].append(one)
    for group in found.values():
        numbers = sorted(int(one.reading.words[0].text) for one in group)
        if len(group) > 1 and numbers == list(range(1, len(group) + 1)):
            for one in group:
                number = int(one.reading.words[0].text)
                one.reading = replace(one.reading, words=one.reading.words[1:], number=number)


def _take_cameras_numbers(placed: Sequence[Placed]) -> None:
    """Take a camera's number off a name that a person wrote: `IMG_0032_onyx-ring`.

    A name that many have is one of the day, and each picture may be of another product.
    """
    found: defaultdict[str, list[tuple[Placed, Reading]]] = defaultdict(list)
    for one in placed:
        shorter = None if one.name.nameless else _without_camera(one.reading)
        if shorter is not None:
            found[one.name.key(shorter)].append((one, shorter))
    for group in found.values():
        for one, shorter in group if len(group) <= _MOST_OF_A_CAMERA else ():
            one.reading = shorter


def _without_camera(reading: Reading) -> Reading | None:
    words = reading.words
    text = " ".join(word.text for word in words)
    if found := _CAMERA_BEFORE.match(text):
        rest = words[found[0].count(" ") :]
    elif found := _CAMERA_BEHIND.search(text):
        rest = words[: -found[0].count(" ")]
    else:
        return None
    number = int(found[1]) if reading.number is None else reading.number
    return replace(reading, words=rest, number=number)


def _has_digits(word: Word) -> bool:
    return sum(map(str.isdigit, word.text)) >= _SEVERAL
