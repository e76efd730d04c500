"""The rows that nothing is to be said about, most of a manifest, drafted at a fraction of the cost.

Duration, aspect ratio and resolution are understood once for each way in which rows write them.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from pipeline.checker import rules
from pipeline.manifest.plaintext import bare
from pipeline.model import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def drafter(
    fields: Mapping[str, int], defaults: rules.Defaults
) -> Callable[[Row, str], rules.Draft | None]:
    """Make a quick reader of rows.

    It gives what `rules.parse` would give, or None for a row that has to be looked at by that: one
    that has no prompt or an unusual one, uses the images column, or breaks a rule.
    """
    forms: dict[tuple[str, ...], rules.Form | None] = {}
    written = [name for name in rules.FORM_FIELDS if name in fields]
    form_cells = _cells_at([fields[name] for name in written])
    image_cells = _cells_at([fields[name] for name in rules.IMAGE_FIELDS if name in fields])
    single = sum(name in fields for name in rules.SINGLE_IMAGES)  # they come first
    counts, longest = rules.BY_FIELD["image_urls"].allowed, rules.LONG_PROMPT
    prompt_at = fields.get("prompt")
    if prompt_at is None:
        return lambda _row, _key: None

    def draft(row: Row, key: str) -> rules.Draft | None:
        cells = row.cells
        prompt = bare(cells[prompt_at])
        pictures: tuple[str, ...] = ()
        if any(named := image_cells(cells)):
            pictures = tuple(filter(None, map(bare, named[:single])))
            if len(pictures) not in counts or any(named[single:]):
                return None
        if not 0 < len(prompt) <= longest:
            return None
        said = form_cells(cells)
        if said not in forms:
            texts = dict(zip(written, map(bare, said), strict=True))
            forms[said] = rules.form_of(
                *(texts.get(name, "") for name in rules.FORM_FIELDS), defaults
            )
        form = forms[said]
        return None if form is None else rules.Draft(key, row.number, prompt, pictures, *form)

    return draft


def _cells_at(indexes: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """A function that picks these cells of a row."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    if not indexes:
        return lambda _cells: ()
    (only,) = indexes
    return lambda cells: (cells[only],)
