"""Remedies for pictures that were not found: what belongs into a cell, and one remedy for many.

What is suggested belongs into the cell as it is: relative to the picture folder, wherever the
command was started. Where pictures are missing for one cause (a folder left out, a path of another
computer, another suffix), one sentence says so, with the setting that helps them all. A setting is
suggested only if no picture that is found now would be lost or become another one.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.checker.lostpictures import (
    LostPicture,
    Surroundings,
    absolute_path,
    count_alike,
    find_lost,
)
from pipeline.manifest.locations import is_inside
from pipeline.manifest.wording import count, quote_name
from pipeline.model import PictureFault
from pipeline.pictures.search import fold_name

_SLIPS = {
    (): "all of them lie in the picture folder itself",
    ("suffix",): "each is there with another suffix",
    ("case",): "each is there in other capital or small letters",
}
# Where a name with a suffix ends and another one follows.
_LISTED = re.compile(
    r"\.(?:jpe?g|png|webp|gif|heic|avif|tiff?|bmp)\s*[,;|]\s*(?=\S)", re.IGNORECASE
)
_SEVERAL = 2
"""So many pictures at least have a cause in common."""
# What YAML reads as the text that it is.
_PLAIN_YAML = re.compile(
    r"true|(?!(?:true|false|null|yes|no|on|off|y|n)$)(?:[^\W\d]|[./][\w./]|\.$)[\w/. @+-]*(?<! )",
    re.IGNORECASE,
)
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Hint(NamedTuple):
    """What is said of a picture: alone, and in one sentence with all others of its cause."""

    message: str
    together: str | None = None


class _Cause(NamedTuple):
    """Why pictures are not found; those of equal causes are told of together.

    `kind` is the code of their fault, `lead` the beginning of their texts that the paths of their
    files, below `folder`, do not have. `slip` is what else differs in the names. `root` is the
    picture folder with which all texts would be right.
    """

    kind: str
    lead: str = ""
    folder: Path | None = None
    slip: tuple[str, ...] = ()
    root: Path | None = None


def hint(
    faults: Mapping[str, PictureFault], found: Collection[str], around: Surroundings
) -> dict[str, Hint]:
    """Say what to do about each text that names no picture.

    Args:
        faults: what is wrong with each of the texts.
        found: the texts that name a picture on this disk which is there.
        around: where pictures are looked for.

    """
    lost = find_lost(faults, around)
    causes: defaultdict[_Cause, list[LostPicture]] = defaultdict(list)
    for one in lost:
        causes[_cause(one, around)].append(one)
    roots = {cause.root for cause in causes} - {None}
    hints = {text: Hint(fault.message) for text, fault in faults.items()}
    for cause, ones in causes.items():
        fit = cause.root is not None and len(roots) == 1 and _keeps(found, cause.root)
        setting = _setting("image_root", _shown(cause.root)) if fit and cause.root else None
        together = _together(cause, ones, around, found, setting) if len(ones) >= _SEVERAL else None
        for one in ones:
            hints[one.text] = Hint(_alone(one, around, setting), together)
    return hints


def _cause(one: LostPicture, around: Surroundings) -> _Cause:
    kind, file = one.fault.code, one.file
    if file is None:
        folder = _missing_folder(around.root.joinpath(*one.names)) if kind == "missing" else None
        return _Cause(kind, folder=folder)
    cell = _cell(file, around.root)
    if cell is None and kind == "outside":
        return _Cause(kind, slip=("there",))
    there, names = _plain(file).parts, one.names
    slip = _slip(names[-1], there[-1])
    same = count_alike(there[:-1], names[:-1])
    lead = one.bare[: one.starts[len(names) - 1 - same]]
    root = None
    if one.is_relative and not slip and same == len(names) - 1:
        root = Path(*there[: -len(names)])
    return _Cause(kind, lead, Path(*there[: len(there) - 1 - same]), slip, root)


def _slip(written: str, there: str) -> tuple[str, ...]:
    """Return how two names differ: not at all, by their suffixes, in case, or otherwise."""
    if written == there:
        return ()
    if fold_name(written) == fold_name(there):
        return ("case",)
    (stem, old), (other, new) = os.path.splitext(written), os.path.splitext(there)  # noqa: PTH122
    if stem == other:
        return ("suffix", old, new)
    return ("other", written)


def _missing_folder(path: Path) -> Path | None:
    """Return the uppermost folder on the way to a file that does not exist."""
    missing = None
    for parent in path.parents:
        if os.path.isdir(parent):  # noqa: PTH112 - takes any text
            break
        missing = parent
    return missing


def _keeps(found: Collection[str], root: Path) -> bool:
    """Tell whether the pictures that are found now are the same with another picture folder."""
    paths = map(absolute_path, found)
    return all(path is not None and is_inside(path, root) for path in paths)


def _alone(one: LostPicture, around: Surroundings, setting: str | None) -> str:
    lost, cell = one.fault.lost, one.file and _cell(one.file, around.root)
    if one.fault.code == "missing" and (number := len(_LISTED.findall(one.bare))):
        return (
            f"{lost} The cell seems to name {number + 1} pictures: write each into a column of its "
            "own (image_1, image_2, image_3), or all into a column images, with | between them."
        )
    if cell:
        return f"{lost} Did you mean {cell}?"
    if one.file is not None and one.fault.code == "missing" and setting:
        return f"{lost} It lies in {_shown(one.file.parent)}: {setting}."
    if one.file is not None and one.fault.code == "missing":
        return f"{lost} Put the picture there or correct the cell."
    return one.fault.message


def _together(
    cause: _Cause,
    ones: Sequence[LostPicture],
    around: Surroundings,
    found: Collection[str],
    setting: str | None,
) -> str | None:
    """Say in one sentence what is wrong with several pictures, and the remedy for all of them."""
    pictures = count(len(ones), "picture")
    head = {
        "missing": f"{pictures} are missing",
        "other_computer": f"{pictures} have paths of another computer",
        "outside": f"{pictures} have paths outside the picture folder {around.root.absolute()}",
    }[cause.kind]
    if cause.slip == ("there",):
        return f"{head}; {_of_existing(ones, found)}"
    if cause.folder is None or ones[0].file is None:
        return _of_nothing(cause, ones, around, head)
    if setting:
        return f"{head}; all of them lie in {_shown(cause.root or cause.folder)}/: {setting}"
    where = _cell(cause.folder, around.root)
    if where is None or cause.slip[:1] == ("other",):
        return None
    where = "" if where == "." else f"{where}/"
    steps = [*_change_lead(cause.lead, where), *_change_name(cause.slip, ones[0], around)]
    place = f"all of them lie in {where}" if where else _SLIPS[cause.slip[:1]]
    return f"{head}; {place}: {' and '.join(steps)}" if steps else None


def _change_lead(lead: str, where: str) -> Iterator[str]:
    if lead and where:
        yield f"replace {lead} by {where}"
    elif lead:
        yield f"remove {lead} from the cells"
    elif where:
        yield f"write {where} before their names"


def _change_name(slip: tuple[str, ...], one: LostPicture, around: Surroundings) -> Iterator[str]:
    match slip:
        case ("suffix", "", new):
            yield f"add {new} to their names"
        case ("suffix", old, new):
            yield f"write {new} in place of {old}"
        case ("case",) if one.file is not None:
            yield f"write {_cell(one.file, around.root)} in place of {one.bare}, and so on"


def _of_existing(ones: Sequence[LostPicture], found: Collection[str]) -> str:
    """Return the setting with which files outside of the picture folder may be used."""
    files = [one.file for one in ones if one.file is not None]
    common = Path(os.path.commonpath([_plain(file).parent for file in files]))
    whole = all(absolute_path(one.text) for one in ones)
    if (
        whole
        and common.parent not in {common, common.parent.parent}
        and _keeps(found, common)
        and all(is_inside(file, common) for file in files)
    ):
        return f"all of them lie in {_shown(common)}/: {_setting('image_root', _shown(common))}"
    return f"all of them are there: {_setting('images_outside', 'true')}"


def _of_nothing(
    cause: _Cause, ones: Sequence[LostPicture], around: Surroundings, head: str
) -> str | None:
    if cause.folder is not None:
        return (
            f"{head}: there is no folder {cause.folder}. Put it there, or set manifest.image_root "
            "to the folder that it lies in."
        )
    if cause.kind == "other_computer":
        return (
            f"{head}, such as {ones[0].bare}. Copy them to {around.root.absolute()} and write "
            "their paths from there."
        )
    return None


def _cell(file: Path, root: Path) -> str | None:
    """Return what belongs into a cell for this file; None if nothing does."""
    try:
        path = _plain(file).relative_to(_plain(root)).as_posix()
    except ValueError:
        return None
    return None if _UNWRITABLE.search(path) else path


def _plain(path: Path) -> Path:
    """Return an absolute path without `..`; links are not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _shown(path: Path) -> str:
    """Return a path as a setting takes it, which starts in the working folder."""
    try:
        return _plain(path).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(_plain(path))


def _setting(name: str, value: str) -> str:
    """Say how to set a setting, in the file and on the command line."""
    text = value if _PLAIN_YAML.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    option = quote_name(f"manifest.{name}={text}")
    return f"set manifest.{name}: {text} (or add --set {option})"
