"""A template over the columns of a manifest: the column of each name, and the text of each row.

A column is named by its header as a word, without case and with blanks and signs as underscores
(`{{ body_html }}` is "Body (HTML)"), or by the header itself: `{{ row["Body (HTML)"] }}`.
`result_*` columns have no name here: a results file would make other texts than its manifest.

Tested in tests/manifest/test_templates.py.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.manifest.blank import bare
from pipeline.manifest.columns import RESULT_PREFIX, folded
from pipeline.manifest.templates import Template, TemplateFault, ValueNeeded
from pipeline.manifest.wording import headers_seen
from pipeline.model import Row

_SIGNS = re.compile(r"[\W_]+")


class CellNeeded(TemplateFault):
    """The template needs the cell of the column with the index `place`, which is empty."""

    def __init__(self, place: int) -> None:
        super().__init__("it needs a cell that is empty")
        self.place = place


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A template with the index of the column that each of its names stands for.

    Names without a column are `given` with each row, in small letters.
    """

    template: Template
    places: Mapping[str, int]

    @property
    def columns(self) -> tuple[int, ...]:
        """The indexes of the columns that the text is made of."""
        return tuple(sorted(set(self.places.values())))

    def text(self, row: Row, **given: str) -> str:
        """Make the text of a row; `given` are the values of names without a column.

        Raises:
            CellNeeded: a cell that has to be written is empty.
            TemplateFault: the template cannot be filled in for another reason.

        """
        values: dict[str, object] = {
            name: (bare(row.cells[self.places[name]]) or None)
            if name in self.places
            else given[name.casefold()]
            for name in self.template.names
        }
        try:
            return self.template.fill(values)
        except ValueNeeded as fault:
            raise CellNeeded(self.places[fault.name]) from fault


def bind(template: Template, headers: Sequence[str], *, given: Sequence[str] = ()) -> RowTemplate:
    """Find the column of each name of a template.

    Args:
        template: the template.
        headers: those of the manifest.
        given: names, in small letters, that get their value with each row instead.

    Raises:
        TemplateFault: the manifest does not have a column, or has several; it names them.

    """
    own = {
        index: header.strip()
        for index, header in enumerate(headers)
        if folded(header) and not folded(header).startswith(RESULT_PREFIX)
    }
    places: dict[str, int] = {}
    missing = []
    for name in template.names:
        if name.casefold() in given:
            continue
        place = _place(name, own)
        if place is None:
            missing.append(name)
        else:
            places[name] = place
    if missing:
        raise TemplateFault(_missing(missing, own))
    return RowTemplate(template, places)


def word(header: str) -> str:
    """Return a header as a word of a template."""
    return _SIGNS.sub("_", folded(header)).strip("_")


def _place(name: str, own: Mapping[int, str]) -> int | None:
    exact = [index for index, header in own.items() if header == name.strip()]
    alike = exact or [index for index, header in own.items() if folded(header) == folded(name)]
    found = alike or [index for index, header in own.items() if word(header) == word(name) != ""]
    if len(found) > 1 and not exact:
        listed = " or ".join(f'row["{own[index]}"]' for index in found)
        raise TemplateFault(f"{name} could be several columns; write {listed}")
    return found[0] if found else None


def _missing(names: Sequence[str], own: Mapping[int, str]) -> str:
    listed = " and ".join(f'"{name}"' for name in names)
    noun = "a column" if len(names) == 1 else "columns"
    words = {word(header): header for header in own.values()}
    near = [close for name in names for close in difflib.get_close_matches(word(name), words, n=1)]
    if near:
        hint = " and ".join(f'"{words[close]}"' for close in dict.fromkeys(near))
        return f"it names {noun} {listed} that the manifest does not have. Did you mean {hint}?"
    seen = headers_seen(list(own.values()))
    return f"it names {noun} {listed} that the manifest does not have. {seen}"
