"""The pictures that rows name: each one found and looked at once, then judged row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.checker.drafts import image_fields, problem_at
from pipeline.checker.rules import Draft
from pipeline.manifest.locations import PictureFault, locate
from pipeline.model import Manifest, Picture, Problem, Row, Severity
from pipeline.pictures.accepted import shape_warning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Progress = Callable[[int, int], None]

_Located = Path | str | PictureFault
_Finding = tuple[str, str, Severity]  # code, message, severity


class Pictured(NamedTuple):
    """A row and the pictures that it names; without a draft something else is wrong with it."""

    row: Row
    key: str
    draft: Draft | None
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Where relative pictures start, what is allowed, and where copies and memories are kept."""

    root: Path
    outside: bool  # pictures may lie outside of root
    prepare: bool  # pictures that are not fit to be sent become copies
    cache_dir: Path | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found: what is sent of each row's pictures, and the local ones by `sha256`."""

    problems: list[Problem] = field(default_factory=list)
    images: dict[int, tuple[str, ...]] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)


def look(
    rows: Sequence[Pictured],
    manifest: Manifest,
    fields: Mapping[str, int],
    terms: Terms,
    progress: Progress | None = None,
) -> Seen:
    """Look at each local picture once, and judge the pictures of each row.

    `progress` is told how many local pictures of how many were looked at.
    """
    located: dict[str, _Located] = {}
    for one in rows:
        for text in one.texts:
            if text not in located:
                located[text] = locate(text, terms.root, outside=terms.outside)
    inspected = _inspected(located, terms, progress)
    seen = Seen(
        pictures={one.sha256: one for one in inspected.values() if isinstance(one, Picture)}
    )
    for one in rows:
        images = []
        for at, text in enumerate(one.texts):
            place = located[text]
            found = inspected[place] if isinstance(place, Path) else place
            if isinstance(found, str):  # a web address: the provider fetches it
                images.append(found)
                continue
            if isinstance(found, Picture):
                images.append(f"sha256:{found.sha256}")
            if findings := _findings(place, found, one.draft):
                name, _ = image_fields(one.row, fields)[at]
                seen.problems.extend(_problems(one, manifest, fields[name], findings))
        seen.images[one.row.number] = tuple(images)
    return seen


def _inspected(
    located: Mapping[str, _Located], terms: Terms, progress: Progress | None
) -> Mapping[Path, Picture | PictureFault]:
    paths = {one for one in located.values() if isinstance(one, Path)}
    if not paths:
        return {}
    # The libraries that open pictures: a manifest without local ones starts without them.
    from pipeline.pictures.shelf import PictureShelf  # noqa: PLC0415

    tell = None if progress is None else _counting(progress, len(paths))
    with PictureShelf(terms.cache_dir, prepare=terms.prepare) as shelf:
        return shelf.inspect(sorted(paths), progress=tell)


def _counting(progress: Progress, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        progress(done, total)

    return tell


def _problems(
    one: Pictured, manifest: Manifest, index: int, findings: Sequence[_Finding]
) -> list[Problem]:
    number, key = one.row.number, one.key
    return [
        problem_at(manifest, number, index, key, code=code, message=message, severity=severity)
        for code, message, severity in findings
    ]


def _findings(
    place: _Located, found: Picture | PictureFault, draft: Draft | None
) -> list[_Finding]:
    """What is to be said of one picture in one row."""
    if isinstance(found, PictureFault):
        return [(f"picture_{found.code}", found.message, Severity.ERROR)]
    findings = [("picture_warning", text, Severity.WARNING) for text in found.warnings]
    if draft is not None and isinstance(place, Path):
        far = shape_warning(place.name, found.width, found.height, draft.aspect_ratio)
        findings += [("picture_shape", far, Severity.WARNING)] if far else []
    return findings
