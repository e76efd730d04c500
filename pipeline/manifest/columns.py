"""Which column of a manifest is which field.

Headers are compared without case and without blanks around them; blanks, hyphens and underscores
are the same ("Aspect Ratio" is aspect_ratio). If several headers could be a field, the name that
comes first in the table is used; after these, the names in other languages. All other columns
belong to the user and are never touched; `result_*` columns are ours and are not read.

A manifest that was run before keeps its reading, whatever names are understood by now.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

from pipeline.manifest.blank import fold_text, is_blank
from pipeline.manifest.earlier import NEW, Reading
from pipeline.manifest.languages import EARLIEST
from pipeline.manifest.meanings import Standing, meanings_of, nearest_name
from pipeline.manifest.resultcolumns import RESULT_PREFIX, our_columns
from pipeline.manifest.videolooks import LOOK_COLUMN
from pipeline.manifest.wording import name_headers, quote_name
from pipeline.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_NUMBERED = tuple(
    (
        f"image_{n}", f"image{n}", f"picture_{n}", f"photo_{n}",
        f"image_path_{n}", f"image_{n}_path", f"image_url_{n}", f"image_{n}_url",
    )
    for n in (1, 2, 3)
)  # fmt: skip

# These are for good: journals that note no reading were read by them. New names belong into
# `languages`, as those that only manifests see that were never run before.
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
MODEL_COLUMN = "video_model"
"""The column that names the model of a row; plain `model` is of products, and never read."""
OF_MODELS = (MODEL_COLUMN, "audio", "seed", "negative_prompt")
"""Further fields: they are read where a model of the manifest has them (`checker.rowmodels`)."""
ALL_FIELDS = (*FIELDS, LOOK_COLUMN, *OF_MODELS)
"""What a person can say that a column is."""

PRODUCT_NAMES = frozenset({
    "title", "name", "product_name", "item_name", "titel", "produktname", "artikelname",
    "bezeichnung", "titre", "nom", "título", "titulo", "nombre", "titolo", "nome", "naam", "nazwa",
    "名称", "商品名", "商品名称", "产品名称",
})  # fmt: skip
"""Headers of what a prompt may be made of; folded."""
_FIELD_OF = {alias: field for field, aliases in ALIASES.items() for alias in aliases}
_JOINTS = re.compile(r"[\s_\-]+")
_LONGEST_COMPARED, _MOST_COMPARED = 40, 200
"""Characters of a header, and headers, that are compared: none of the names is half as long."""
NO_PROMPT = "no_prompt_column"
"""The code of what is said of a table without prompts."""
_MISSPELLED = 0.85
"""Headers as similar as this to the name of a field are taken for a slip (difflib's ratio)."""


def column_option(header: str, name: str) -> str:
    """Return the option that has a column read as a field, as it is pasted behind a command."""
    return f"--column {quote_name(f'{header.strip()}={name}')}"


_OF_DECISIONS = frozenset({"entry", "number", "sha256", "verdict"})
"""The columns that a file of decisions has; its column prompt holds what a reviewer asked for."""
_IS_DECISIONS = Problem(
    "file_of_decisions",
    "This is a file of decisions about videos, no manifest. Name the manifest that the videos were "
    "made of; its decisions are taken over with reelsheet review MANIFEST --import and this file.",
)


def match_columns(
    headers: Sequence[str],
    *,
    mapping: Mapping[str, str] | None = None,
    key: str | None = None,
    prompt_needed: bool = True,
    known: Reading = NEW,
    fits: Callable[[str, int], bool] = lambda _field, _index: True,
) -> tuple[dict[str, int], tuple[Problem, ...]]:
    """Find the column of each field, and the problems of the whole file.

    A field that has a column is mapped to its index, in the order of the table.

    Args:
        headers: those of the manifest.
        mapping: the field of some headers (`manifest.columns`); it takes precedence over the table.
        key: the header of the key column (`manifest.key`); it takes precedence over `mapping`.
        prompt_needed: whether prompts can come from a column only.
        known: how earlier runs read the manifest.
        fits: whether the cells of a column, by its index, may be those of a field.

    """
    return _Match(headers, known, fits).run(mapping or {}, key, prompt_needed=prompt_needed)


class _Match:
    """The search for the columns of a manifest: what was asked for, what was, what headers say."""

    def __init__(
        self, headers: Sequence[str], known: Reading, fits: Callable[[str, int], bool]
    ) -> None:
        self._headers = headers
        self._known = known
        self._fits = fits
        self._places = _places(headers)
        self._chosen: dict[str, int] = {}
        self._taken: set[int] = set()
        self._problems: list[Problem] = []

    def run(
        self, mapping: Mapping[str, str], key: str | None, *, prompt_needed: bool
    ) -> tuple[dict[str, int], tuple[Problem, ...]]:
        self._take_asked(mapping, key)
        for header, name in self._known.read.items():
            index = _index_of(header, self._headers, self._places)
            if index is None:
                continue
            if name in FIELDS:
                self._take(name, index)
            else:  # it is not to be read, or is a look, a model or a field of models
                self._taken.add(index)
        self._take_named()
        if self._places.keys() >= _OF_DECISIONS:
            self._problems.append(_IS_DECISIONS)
        elif prompt_needed and "prompt" not in self._chosen:
            self._problems.append(_no_prompt(self._headers))
        self._problems += _warn_of_misspellings(
            self._chosen, self._places, self._taken, self._headers
        )
        found = {name: self._chosen[name] for name in FIELDS if name in self._chosen}
        return found, tuple(self._problems)

    def _take(self, name: str, index: int) -> None:
        if name not in self._chosen and index not in self._taken:
            self._chosen[name] = index
            self._taken.add(index)

    def _take_asked(self, mapping: Mapping[str, str], key: str | None) -> None:
        """Take the columns that the settings name."""
        asked = dict(mapping)
        if key is not None:
            asked = {header: name for header, name in asked.items() if name != "key"}
            asked[key] = "key"
        for header, name in asked.items():
            found = _index_of(header, self._headers, self._places)
            if found is None:
                setting = "manifest.key" if header == key else "manifest.columns, or --column,"
                self._problems.append(_no_such_header(header, setting, self._headers))
                continue
            self._taken.add(found)
            if name in FIELDS:
                self._chosen[name] = found

    def _take_named(self) -> None:
        """Take the columns whose headers are names of fields that have none yet."""
        meant = self._meant()
        for name in FIELDS:
            if name in self._chosen:
                continue
            candidates = _candidates(name, self._places, self._taken)
            # Pictures are named in columns of their own or in one of all: rows cannot do both.
            single = name == "images" and any(one.startswith("image_") for one in self._chosen)
            later = [] if single else meant.get(name, [])
            candidates += [index for index in later if index not in self._taken]
            if candidates:
                self._take(name, candidates[0])
                self._problems += _several(name, candidates, self._headers)

    def _meant(self) -> dict[str, list[int]]:
        """Return the columns whose headers mean a field by the later names."""
        meant: dict[str, list[int]] = {}
        if self._known.names == EARLIEST:
            return meant
        for name, indexes in self._places.items():
            header = self._headers[indexes[0]]
            if name in _FIELD_OF or header.strip() in self._known.left:
                continue
            for field, standing in meanings_of(header)[:1]:
                fits = standing is Standing.SURE or self._fits(field, indexes[0])
                if fits and standing is not Standing.OFFERED:
                    meant.setdefault(field, []).extend(indexes)
        return meant


def fold_header(header: str) -> str:
    """Return a header as it is compared: without case, one kind of joint; empty for a blank one."""
    return "" if is_blank(header) else _JOINTS.sub("_", fold_text(header))


def field_of(header: str) -> str | None:
    """Return the field that a header stands for by the table; None for the user's own column."""
    return _FIELD_OF.get(fold_header(header))


def _places(headers: Sequence[str]) -> dict[str, list[int]]:
    """Map each folded header to its columns, without blank headers and those of results."""
    places: dict[str, list[int]] = {}
    ours = our_columns(headers)
    for index, header in enumerate(headers):
        name = fold_header(header)
        if name and index not in ours and not name.startswith(RESULT_PREFIX):
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
        "If that is wrong, rename the columns or name the right one in manifest.columns, or add "
        f"{column_option(headers[others[0]], field)}."
    )
    return [Problem("several_columns", message, Severity.WARNING, column=used)]


def _warn_of_misspellings(
    chosen: Mapping[str, int],
    places: Mapping[str, list[int]],
    taken: Collection[int],
    headers: Sequence[str],
) -> list[Problem]:
    """Warn of columns that are not read although they are nearly called like a missing field."""
    missing = [field for field in FIELDS if field not in chosen]
    wanted = [alias for field in missing for alias in ALIASES[field]]
    problems = []
    compared: list[str] = []
    for name, indexes in places.items():
        header = headers[indexes[0]].strip()
        if name in _FIELD_OF or indexes[0] in taken or meanings_of(header):
            continue
        if len(name) > _LONGEST_COMPARED or len(compared) == _MOST_COMPARED:
            continue
        compared.append(name)
        near = difflib.get_close_matches(name, wanted, n=1, cutoff=_MISSPELLED)
        found = (near[0], _FIELD_OF[near[0]]) if near else nearest_name(header, missing)
        if found is not None:
            message = (
                f'The column "{header}" is not read. Did you mean "{found[0]}"? If so, rename it '
                f"or add {column_option(header, found[1])}; otherwise there is nothing to do."
            )
            problems.append(Problem("column_not_read", message, Severity.WARNING, column=header))
    return problems


def _no_such_header(header: str, setting: str, headers: Sequence[str]) -> Problem:
    names = {fold_header(own): own.strip() for own in headers}
    near = difflib.get_close_matches(fold_header(header), names, n=1)
    hint = f'Did you mean "{names[near[0]]}"?' if near else _name_headers(headers)
    message = (
        f'{setting} names a column "{header}" that the manifest does not have. {hint} Correct it '
        "there, or the header in the table."
    )
    return Problem("no_such_column", message, column=header)


def near_prompts(headers: Sequence[str]) -> list[str]:
    """Return the headers that may be meant to be the prompt's, the likeliest first."""
    near = [header.strip() for header in headers if "prompt" in fold_header(header)]
    return near + [
        header.strip()
        for header in headers
        if any(meaning.field == "prompt" for meaning in meanings_of(header))
    ]


def _no_prompt(headers: Sequence[str]) -> Problem:
    near, hint = near_prompts(headers), ""
    if near:
        hint = f' Perhaps it is "{near[0]}": then add {column_option(near[0], "prompt")}.'
    message = (
        f"The manifest has no prompt column. {_name_headers(headers)}{hint} Name the column that "
        'describes the video "prompt", or say which column it is in manifest.columns, for '
        "example manifest.columns: {Video text: prompt}; or have prompts made from other "
        "columns with manifest.prompt_template."
    )
    named = [header.strip() for header in headers if fold_header(header) in PRODUCT_NAMES]
    if named:
        template = f"Product video of {{{{ row[{json.dumps(named[0], ensure_ascii=False)}] }}}}"
        message += f" For example: --set {quote_name(f'manifest.prompt_template={template}')}"
    return Problem(NO_PROMPT, message)


def _name_headers(headers: Sequence[str]) -> str:
    return name_headers([header.strip() for header in headers if not is_blank(header)])
