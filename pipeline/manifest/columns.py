"""Which column of a manifest is which field.

Headers are compared without case and without blanks around them; blanks, hyphens and underscores
are the same ("Aspect Ratio" is aspect_ratio). If several headers could be a field, the name that
comes first in the table is used. All other columns belong to the user and are never touched;
`result_*` columns are ours and are not read.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from pipeline.manifest.blank import fold_text, is_blank
from pipeline.manifest.wording import name_headers
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

# A new name here turns a column that was the user's own into input: in manifests without a key
# column the rows would get other keys and be paid for again. Add names with that in mind.
ALIASES: dict[str, tuple[str, ...]] = {
    # A prompt is paid for: columns called description, text or title are made for something else.
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
"""The fields that a column can be."""
RESULT_PREFIX = "result_"
"""How the headers of the columns that runs write begin."""

_FIELD_OF = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
_JOINTS = re.compile(r"[\s_\-]+")
_LONGEST_COMPARED, _MOST_COMPARED = 40, 200
"""Characters of a header, and headers, that are compared: none of the names is half as long."""
_MISSPELLED = 0.85
"""Headers as similar as this to the name of a field are taken for a slip (difflib's ratio)."""


def match_columns(
    headers: Sequence[str],
    *,
    mapping: Mapping[str, str] | None = None,
    key: str | None = None,
    prompt_needed: bool = True,
) -> tuple[dict[str, int], tuple[Problem, ...]]:
    """Find the column of each field, and the problems of the whole file.

    A field that has a column is mapped to its index, in the order of the table.

    Args:
        headers: those of the manifest.
        mapping: the field of some headers (`manifest.columns`); it takes precedence over the table.
        key: the header of the key column (`manifest.key`); it takes precedence over `mapping`.
        prompt_needed: whether prompts can come from a column only.

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
        found = _index_of(header, headers, places)
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
    problems += _warn_of_misspellings(chosen, places, taken, headers)
    return {field: chosen[field] for field in FIELDS if field in chosen}, tuple(problems)


def fold_header(header: str) -> str:
    """Return a header as it is compared: without case, one kind of joint; empty for a blank one."""
    return "" if is_blank(header) else _JOINTS.sub("_", fold_text(header))


def field_of(header: str) -> str | None:
    """Return the field that a header stands for by the table; None for the user's own column."""
    return _FIELD_OF.get(fold_header(header))


def is_result(header: str) -> bool:
    """Tell whether a header is that of a column that runs write."""
    return header.strip().casefold().startswith(RESULT_PREFIX)


def _places(headers: Sequence[str]) -> dict[str, list[int]]:
    """Map each folded header to its columns, without blank headers and those of results."""
    places: dict[str, list[int]] = {}
    for index, header in enumerate(headers):
        name = fold_header(header)
        if name and not name.startswith(RESULT_PREFIX):
            places.setdefault(name, []).append(index)
    return places


def _index_of(header: str, headers: Sequence[str], places: Mapping[str, list[int]]) -> int | None:
    if header in headers and not is_blank(header):
        return list(headers).index(header)
    found = places.get(fold_header(header))
    return found[0] if found else None


def _candidates(field: str, places: Mapping[str, list[int]], taken: set[int]) -> list[int]:
    found = (index for alias in ALIASES[field] for index in places.get(alias, ()))
    return [index for index in found if index not in taken]


def _several(field: str, candidates: Sequence[int], headers: Sequence[str]) -> list[Problem]:
    first, *others = candidates
    used = headers[first].strip()
    if field == "key":  # shops have an id beside a sku; only the same name twice is unclear
        others = [index for index in others if fold_header(headers[index]) == fold_header(used)]
    if not others:
        return []
    left = ", ".join(f'"{headers[index].strip()}" (column {index + 1})' for index in others)
    message = (
        f'Several columns could be the {field}: "{used}" (column {first + 1}) is used, {left} not. '
        "If that is wrong, rename the columns or name the right one in manifest.columns."
    )
    return [Problem("several_columns", message, Severity.WARNING, column=used)]


def _warn_of_misspellings(
    chosen: Mapping[str, int],
    places: Mapping[str, list[int]],
    taken: Collection[int],
    headers: Sequence[str],
) -> list[Problem]:
    """Warn of columns that are not read although they are nearly called like a missing field."""
    wanted = [alias for field in FIELDS if field not in chosen for alias in ALIASES[field]]
    problems = []
    compared: list[str] = []
    for name, indexes in places.items():
        if name in _FIELD_OF or indexes[0] in taken:
            continue
        if len(name) > _LONGEST_COMPARED or len(compared) == _MOST_COMPARED:
            continue
        compared.append(name)
        for near in difflib.get_close_matches(name, wanted, n=1, cutoff=_MISSPELLED):
            header = headers[indexes[0]].strip()
            message = (
                f'The column "{header}" is not read. Did you mean "{near}"? If so, rename it; '
                "otherwise there is nothing to do."
            )
            problems.append(Problem("column_not_read", message, Severity.WARNING, column=header))
    return problems


def _no_such_header(header: str, setting: str, headers: Sequence[str]) -> Problem:
    names = {fold_header(own): own.strip() for own in headers}
    near = difflib.get_close_matches(fold_header(header), names, n=1)
    hint = f'Did you mean "{names[near[0]]}"?' if near else _name_headers(headers)
    message = (
        f'{setting} names a column "{header}" that the manifest does not have. {hint} Correct '
        "the setting or the header."
    )
    return Problem("no_such_column", message, column=header)


def _no_prompt(headers: Sequence[str]) -> Problem:
    near = [header.strip() for header in headers if "prompt" in fold_header(header)]
    hint = f' Perhaps it is "{near[0]}".' if near else ""
    message = (
        f"The manifest has no prompt column. {_name_headers(headers)}{hint} Name the column that "
        'describes the video "prompt", or say which column it is in manifest.columns, for '
        "example manifest.columns: {Video text: prompt}; or have prompts made from other "
        "columns with manifest.prompt_template."
    )
    return Problem("no_prompt_column", message)


def _name_headers(headers: Sequence[str]) -> str:
    return name_headers([header.strip() for header in headers if not is_blank(header)])
