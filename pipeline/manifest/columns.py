"""Which column of a manifest is which field.

Headers are compared trimmed and without case; blanks, hyphens and underscores count as one another
("Aspect Ratio" is aspect_ratio). Where several headers would do, the first of the table counts.
Columns that are no field are the user's own and stay untouched; `result_*` is ours and ignored.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.manifest.blank import compared, is_blank
from pipeline.manifest.wording import headers_seen
from pipeline.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_NUMBERED = tuple(
    (
        f"image_{n}", f"image{n}", f"picture_{n}", f"photo_{n}",
        f"image_path_{n}", f"image_{n}_path", f"image_url_{n}", f"image_{n}_url",
    )
    for n in (1, 2, 3)
)  # fmt: skip

# A new name here makes input cells of a column that was the user's own: rows of manifests without
# a key column would get other keys, and be paid again. Add names with that in mind.
ALIASES: dict[str, tuple[str, ...]] = {
    # A prompt is paid for: description, text and title are the user's words for something else.
    "prompt": ("prompt", "video_prompt"),
    "image_1": (
        *_NUMBERED[0], "image", "image_path", "image_file", "image_url", "image_link", "image_src",
        "picture", "photo",
    ),
    "image_2": _NUMBERED[1],
    "image_3": _NUMBERED[2],
    "images": ("images", "image_urls", "image_paths", "pictures", "photos"),
    "duration": (
        "duration", "seconds", "duration_s", "duration_sec", "duration_seconds", "video_duration",
        "video_seconds",
    ),
    "aspect_ratio": ("aspect_ratio", "ratio", "aspect", "video_aspect_ratio"),
    "resolution": ("resolution", "video_resolution"),
    "key": ("key", "id", "sku"),
}  # fmt: skip
FIELDS = tuple(ALIASES)
_MISSPELLED = 0.85
RESULT_PREFIX = "result_"

_JOINTS = re.compile(r"[\s_\-]+")


@dataclass(frozen=True, slots=True)
class Columns:
    """The index of each field's column in `Manifest.headers`; None where there is none."""

    prompt: int | None = None
    image_1: int | None = None
    image_2: int | None = None
    image_3: int | None = None
    images: int | None = None
    duration: int | None = None
    aspect_ratio: int | None = None
    resolution: int | None = None
    key: int | None = None

    @property
    def fields(self) -> dict[str, int]:
        """The fields that have a column, with its index, in the order of the table."""
        found = ((field, getattr(self, field)) for field in FIELDS)
        return {field: index for field, index in found if index is not None}


def match(
    headers: Sequence[str],
    *,
    mapping: Mapping[str, str] | None = None,
    key: str | None = None,
    prompt_needed: bool = True,
) -> tuple[Columns, tuple[Problem, ...]]:
    """Find the column of each field.

    `mapping` gives headers their field (`manifest.columns`), `key` names the key column
    (`manifest.key`); both win over the table. `prompt_needed` says that prompts come from a column
    only. The problems are about the whole file.
    """
    problems: list[Problem] = []
    places = _places(headers)
    asked = dict(mapping or {})
    if key is not None:
        asked = {header: field for header, field in asked.items() if field != "key"}
        asked[key] = "key"
    chosen: dict[str, int] = {}
    for header, field in asked.items():
        setting = "manifest.key" if header == key else "manifest.columns"
        found = _named(header, headers, places)
        if found is None:
            problems.append(_no_such_header(header, setting, headers))
        else:
            chosen[field] = found
    taken = set(chosen.values())
    for field in FIELDS:
        candidates = [] if field in chosen else _candidates(field, places, taken)
        if candidates:
            chosen[field] = candidates[0]
            taken.add(candidates[0])
            problems += _several(field, candidates, headers)
    if prompt_needed and "prompt" not in chosen:
        problems.append(_no_prompt(headers))
    problems += _misspelled(chosen, places, taken, headers)
    return Columns(**chosen), tuple(problems)


def folded(header: str) -> str:
    """Return a header as it is compared: without case, one kind of joint; empty for a blank one."""
    return "" if is_blank(header) else _JOINTS.sub("_", compared(header))


def _places(headers: Sequence[str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        name = folded(header)
        if name and not name.startswith(RESULT_PREFIX):
            places.setdefault(name, []).append(index)
    return places


def _named(header: str, headers: Sequence[str], places: Mapping[str, list[int]]) -> int | None:
    if header in headers:
        return list(headers).index(header)
    found = places.get(folded(header))
    return found[0] if found else None


def _candidates(field: str, places: Mapping[str, list[int]], taken: set[int]) -> list[int]:
    found = (index for alias in ALIASES[field] for index in places.get(alias, ()))
    return [index for index in found if index not in taken]


def _several(field: str, candidates: Sequence[int], headers: Sequence[str]) -> list[Problem]:
    first, *others = candidates
    used = headers[first].strip()
    if field == "key":  # id beside sku is how shops are; only the same name twice is a riddle
        others = [index for index in others if folded(headers[index]) == folded(used)]
    if not others:
        return []
    left = ", ".join(f'"{headers[index].strip()}" (column {index + 1})' for index in others)
    message = (
        f'Several columns could be the {field}. Used is "{used}" (column {first + 1}), not {left}. '
        "If that is not what you want, rename the columns or name the right one in "
        "manifest.columns."
    )
    return [
        Problem(code="several_columns", message=message, severity=Severity.WARNING, column=used)
    ]


def _misspelled(
    chosen: Mapping[str, int],
    places: Mapping[str, list[int]],
    taken: Collection[int],
    headers: Sequence[str],
) -> list[Problem]:
    """Columns that nobody reads, and that are nearly called like a field that has none."""
    known = {alias for aliases in ALIASES.values() for alias in aliases}
    wanted = [alias for field in FIELDS if field not in chosen for alias in ALIASES[field]]
    problems = []
    for name, indexes in places.items():
        if name in known:
            continue
        near = difflib.get_close_matches(name, wanted, n=1, cutoff=_MISSPELLED)
        if near and indexes[0] not in taken:
            header = headers[indexes[0]].strip()
            message = (
                f'The column "{header}" is not read. Did you mean "{near[0]}"? Then rename it; if '
                "not, nothing needs to be done."
            )
            problems.append(
                Problem(
                    code="column_not_read",
                    message=message,
                    severity=Severity.WARNING,
                    column=header,
                )
            )
    return problems


def _no_such_header(header: str, setting: str, headers: Sequence[str]) -> Problem:
    near = difflib.get_close_matches(folded(header), [folded(one) for one in headers], n=1)
    names = {folded(one): one.strip() for one in headers}
    hint = f' Did you mean "{names[near[0]]}"?' if near else f" {_seen(headers)}"
    return Problem(
        code="no_such_column",
        message=(
            f'{setting} names a column "{header}", and the manifest has none.{hint} Correct the '
            "setting or the header."
        ),
        column=header,
    )


def _no_prompt(headers: Sequence[str]) -> Problem:
    near = [one.strip() for one in headers if "prompt" in folded(one)]
    hint = f' Perhaps it is "{near[0]}".' if near else ""
    return Problem(
        code="no_prompt_column",
        message=(
            f"The manifest has no prompt column. {_seen(headers)}{hint} Name the column that "
            'describes the video "prompt", or say which one it is in manifest.columns, for example '
            "manifest.columns: {Video text: prompt}; or have prompts made of other columns with "
            "manifest.prompt_template."
        ),
    )


def _seen(headers: Sequence[str]) -> str:
    return headers_seen([one.strip() for one in headers if one.strip()])
