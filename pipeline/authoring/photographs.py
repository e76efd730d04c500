"""Make a manifest from a folder of pictures: one row per product, with a first prompt.

Tested in tests/authoring/test_photographs.py.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.authoring.modelcolumns import FIRST, Models
from pipeline.authoring.namewords import name_of_product
from pipeline.authoring.nearnames import PictureSizes, choose_files, describe_doubts, find_offshoots
from pipeline.authoring.newmanifest import (
    ChosenPictures,
    NewManifest,
    ProductPrompts,
    choose,
)
from pipeline.authoring.shots import Shot, by_name, by_pattern, group_products
from pipeline.checker import rules
from pipeline.disk.failures import explain_os_error
from pipeline.errors import UsageError
from pipeline.manifest.locations import locate
from pipeline.manifest.traits import seen_title
from pipeline.manifest.videolooks import LOOK_COLUMN, built_in
from pipeline.pictures.accepted import PICTURE_SUFFIXES

_NAMES = ("key", "title", "name", "pictures", "look")
_DEFAULT_TEMPLATE = (
    "Product film{% if name %} of {{ name }}{% endif %}, exactly as in the "
    "{% if pictures == 1 %}picture{% else %}pictures{% endif %}. {{ look }} Form, colours and "
    "labels stay as they are; nothing is written into the picture."
)
_SHOWN = 10
_MORE_THAN_TAKEN = "not used: a video takes at most three pictures, and these come later"
_SAME_PICTURE = (
    "not used: another size, version or copy of a picture that is used (the largest is taken)"
)
_SECOND_OF_TWO = "not used: of two pictures only the first is taken; add a third to use all of them"
_SYSTEM = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r"})
_HIDDEN = "hidden or a system file"
_OTHER = "not a picture"
_CONVERT = "a format that the provider does not accept: save it as JPEG or PNG"
_KINDS = {
    **dict.fromkeys((".svg", ".psd", ".ai", ".eps", ".jp2", ".jxl"), _CONVERT),
    **dict.fromkeys(
        (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf"),
        "a camera's raw picture: save it as JPEG",
    ),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "a video"),
}


@dataclass(slots=True)
class _Found:
    """The usable pictures by their path inside the folder (`/` between folders), and the others.

    `left_out` holds the other paths by the reason why they are left out.
    """

    pictures: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, path: str, why: str) -> None:
        """Note a file that is left out and why."""
        self.left_out.setdefault(why, []).append(path)


@dataclass(frozen=True, slots=True)
class Assembly:
    """A manifest made from pictures.

    `pictures` is the number used. `advice` are sentences for the user. `left_out` holds paths by
    the reason why they are left out. `image_root` is the value that the setting needs if the
    pictures are outside the manifest's folder.
    """

    manifest: NewManifest
    pictures: int
    advice: tuple[str, ...]
    left_out: Mapping[str, Sequence[str]]
    image_root: Path | None = None


def assemble(
    folder: Path,
    manifest: Path,
    *,
    pattern: str | None = None,
    template: str | None = None,
    models: Models = FIRST,
) -> Assembly:
    """Make the rows of a manifest from the pictures of a folder; nothing is written.

    Args:
        folder: The folder of pictures.
        manifest: Where the manifest will be written; the paths in its cells are relative to it.
        pattern: A regular expression for names; see `shots.by_pattern`. None: `shots.by_name`.
        template: The prompt template; None for the default prompt.
        models: Those that rows may have; how many pictures a row has is said by the first.

    Raises:
        UsageError: The folder has no usable picture, or the pattern or template is unusable.

    """
    text = _DEFAULT_TEMPLATE if template is None else template
    prompts = ProductPrompts(text, names=_NAMES, longest=rules.LONG_PROMPT)
    found = _look_into(folder)
    sizes = PictureSizes(folder)
    groups = group_products(_shots(found, pattern, sizes))
    if not groups:
        raise UsageError(
            f"{folder} has no picture that can be used.",
            action=" ".join(describe_left_out(found.left_out)) or "Put JPEG or PNG files into it.",
        )
    start, root = _start(folder, manifest)
    rows, taken = [], 0
    for key, shots in groups.items():
        distinct = choose_files(shots, sizes)
        for path, used in distinct.instead.items():
            found.leave_out(f"{path} (for {used})", _SAME_PICTURE)
        choice = _choose(distinct.shots, models, found)
        taken += len(choice.taken)
        rows.append(_row(key, choice, prompts, start, models))
    headers = headers_for(models)
    return Assembly(
        NewManifest(headers, [tuple(row.get(one, "") for one in headers) for row in rows]),
        taken,
        tuple(_advice(groups, folder) if pattern is None else ()),
        found.left_out,
        root,
    )


def describe_left_out(
    left_out: Mapping[str, Sequence[str]], *, everything: bool = False
) -> list[str]:
    """Say what was left out, one line per reason; of many files name the first ones."""
    lines = []
    for why, paths in left_out.items():
        shown = paths if everything else paths[:_SHOWN]
        more = f" and {len(paths) - len(shown):,} more" if len(shown) < len(paths) else ""
        lines.append(f"left out, {why}: {', '.join(shown)}{more}")
    return lines


def _shots(found: _Found, pattern: str | None, sizes: PictureSizes) -> list[Shot]:
    if pattern is None:
        return by_name(found.pictures, sizes.of)
    shots, others = by_pattern(found.pictures, pattern)
    for path in others:
        found.leave_out(path, "the pattern does not match")
    return shots


def _start(folder: Path, manifest: Path) -> tuple[str, Path | None]:
    """Return the prefix of each path in a cell, and the image root if there has to be one."""
    here = Path(os.path.realpath(folder))
    home = Path(os.path.realpath(manifest.parent))
    if not here.is_relative_to(home):
        return "", folder
    inside = here.relative_to(home).as_posix()
    return ("" if inside == "." else f"{inside}/"), None


def _choose(shots: Sequence[Shot], models: Models, found: _Found) -> ChosenPictures:
    choice = choose([shot.path for shot in shots], models)
    why = _MORE_THAN_TAKEN
    if choice.more and choice.taken:
        why = _SECOND_OF_TWO
    elif not models.is_first_alone:
        why = f"not used: a video of {models.default} takes {choice.takes}"
    for path in choice.left:
        found.leave_out(path, why)
    return choice


def headers_for(models: Models = FIRST) -> tuple[str, ...]:
    """Return the columns of a manifest made from a folder of pictures."""
    return ("key", "prompt", LOOK_COLUMN, *models.headers, "notes")


def _row(
    key: str, choice: ChosenPictures, prompts: ProductPrompts, start: str, models: Models
) -> dict[str, str]:
    name = seen_title(name_of_product(_title(key.rpartition("/")[2])), "")
    look = built_in().default(name, len(choice.taken))
    values = {
        "key": key, "title": _title(key), "name": name or None, "pictures": len(choice.taken),
        "look": look.for_pictures(len(choice.taken)),
    }  # fmt: skip
    prompt, _ = prompts.prompt(values, about=key)
    if not prompt:
        raise UsageError(
            f"The prompt template makes an empty prompt for {key}.",
            action="Every row needs a prompt: put words into the template.",
        )
    cells = {"key": key, "prompt": prompt, LOOK_COLUMN: look.name if prompts.uses_look else ""}
    cells |= {"notes": choice.note or _say_choice(choice)}
    return cells | models.cells_of([start + path for path in choice.taken])


def _say_choice(choice: ChosenPictures) -> str:
    """Say which pictures a row takes where there are more."""
    if not choice.left:
        return ""
    taken, left = (", ".join(map(_file_name, paths)) for paths in (choice.taken, choice.left))
    return f"{len(choice.taken) + len(choice.left)} pictures: {taken} are used; not used: {left}"


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _title(key: str) -> str:
    """Write a key as words: `tea-tin_smoke` becomes "Tea tin smoke", "T-Shirt red" stays so."""
    joined = key.replace("_", " ")
    words = (joined if " " in key else joined.replace("-", " ")).split()
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _advice(groups: Mapping[str, Sequence[Shot]], folder: Path) -> list[str]:
    """Point out pictures that may have been assigned to the wrong product."""
    return (
        _say_categories(groups, folder)
        + [
            f"{part} became a separate product, beside {whole}. If it is another view of {whole}, "
            f"rename the file, for example to {whole}_detail, or use --pattern"
            for part, whole in find_offshoots(groups)
        ]
        + describe_doubts(groups)
    )


def _say_categories(groups: Mapping[str, Sequence[Shot]], folder: Path) -> list[str]:
    """Point out folders that may hold several products, one picture each."""
    return [
        f"{folder / key}: its pictures were taken for one product. If each shows another one, use "
        r"--pattern '(?P<key>[^/]+)\.\w+$'"
        for key, shots in groups.items()
        if len(shots) > 1
        and all("/" in shot.path and not shot.kind and not shot.number for shot in shots)
        and all(shot.view and shot.view[0].isalpha() for shot in shots)
    ]


def _look_into(folder: Path) -> _Found:
    """List the pictures in a folder and its subfolders; no file is opened.

    Raises UsageError when the folder does not exist, is not a folder, or cannot be read.
    """
    if not folder.is_dir():
        fault = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {fault}.", action="Name the folder that holds the pictures.")
    found = _Found()
    for path, entry in _files(folder, folder, found):
        why = _objection(entry)
        if why is None and locate(path, folder) != folder / path:
            why = "its name cannot be written in a cell, or it leads elsewhere: rename or copy it"
        if why is None:
            found.pictures.append(path)
        else:
            found.leave_out(path, why)
    return found


def _files(folder: Path, root: Path, found: _Found) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield every file below a folder with its path from the root; skip hidden folders."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        if folder == root:
            raise UsageError(f"{folder} cannot be read: {explain_os_error(error)}.") from error
        found.leave_out(_inside(folder, root) + "/", _unreadable(error))
        return
    for entry in entries:
        path = Path(entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield _inside(path, root), entry
        elif entry.name.startswith((".", "__MACOSX")):
            found.leave_out(_inside(path, root) + "/", _HIDDEN)
        else:
            yield from _files(path, root, found)


def _inside(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _unreadable(error: OSError) -> str:
    return f"it cannot be read: {explain_os_error(error)}"


def _objection(entry: os.DirEntry[str]) -> str | None:
    """Return why a file cannot be used; None if it is a picture, judging by its name."""
    name = entry.name
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - ".jpg" alone has no suffix either
    if name.startswith((".", "~$")) or name.casefold() in _SYSTEM:
        return _HIDDEN
    if suffix not in PICTURE_SUFFIXES:
        return _KINDS.get(suffix, _OTHER)
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "its name is not valid text: rename it"
    try:
        status = entry.stat()
    except OSError as error:
        return _unreadable(error)
    if not stat.S_ISREG(status.st_mode):
        return "not a file, or a link to a folder"
    return None if status.st_size else "empty (0 bytes)"
