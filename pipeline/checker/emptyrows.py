"""Rows that are none: what a person filled down below the table, with nothing of their own.

A spreadsheet program fills a duration, an aspect ratio or a formula down as far as somebody drags
it. A row without a prompt, a key and a picture asks for nothing. Where it says more than was filled
down, somebody may have forgotten the prompt: that row stays, and is a problem.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.checker.rules import FORM_FIELDS, IMAGE_FIELDS, Form, form_of
from pipeline.manifest.blank import is_blank
from pipeline.manifest.packedrows import texts_of, without_rows
from pipeline.manifest.resultcolumns import our_columns
from pipeline.model import Manifest, Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.checker.rowtexts import RowPrompts

# What formulas come to over empty cells: 0, 0.00 €, FALSE, " - ", #N/A, 1900-01-00.
_FIGURE = re.compile(
    r"[^\w#]*(?:[0-9][0-9.,:/\s-]*)?[^\w#]*|true|false|wahr|falsch|vrai|faux|#\S+", re.IGNORECASE
)
# What formulas leave in cells that say something, filled down below the table as well.
_RESULTS = frozenset({"formula_empty", "formula_empty_meant", "error_value"})


def without_empty_rows(
    manifest: Manifest,
    fields: Mapping[str, int],
    prompts: RowPrompts | None,
    look: int | None = None,
) -> Manifest:
    """Return a manifest without the rows that hold nothing but what was filled down.

    Args:
        manifest: the manifest as read.
        fields: the index of the column of each field.
        prompts: the template of the prompts; None without one.
        look: the index of the column of the looks; None without one.

    """
    speaking = [fields[name] for name in ("prompt", "key", *IMAGE_FIELDS) if name in fields]
    rows = manifest.rows
    first = speaking[0] if speaking else None
    if first is None:
        return manifest
    # Most cells begin with something that can be seen: nothing else is looked at.
    unseen = [at for at, text in enumerate(texts_of(rows, first)) if not "!" <= text[:1] <= "~"]
    silent = [at for at in unseen if _says_nothing(rows[at], speaking)]
    if not silent:
        return manifest
    below = _end_of_table(silent, len(rows))
    others = {*fields.values(), *our_columns(manifest.headers)}
    own = [at for at in range(len(manifest.headers)) if at not in others]
    unlooked = [at for at in own if at != look]  # a list of looks is filled down, too
    spoken = {manifest.headers[at].strip() for at in speaking}
    last = rows[below - 1] if below else None
    unread = [
        one for one in manifest.cell_problems if not one.column or one.column.strip() in spoken
    ]
    within = {one.row for one in unread}
    behind = {one.row for one in unread if one.code not in _RESULTS}
    empty = {
        at
        for at in silent
        if rows[at].number not in (behind if last and at >= below else within)
        and (at >= below or _has_usual_form(rows[at], fields))
        and (
            _is_filled_down(rows[at], own, last if at >= below else None)
            or (at >= below and _is_filled_down(rows[at], unlooked, None))
        )
        and not _has_made_prompt(rows[at], prompts)
    }
    if not empty:
        return manifest
    return replace(manifest, rows=without_rows(rows, empty))


def _says_nothing(row: Row, speaking: Sequence[int]) -> bool:
    cells = row.cells
    return all(not cells[at] or is_blank(cells[at]) for at in speaking)


def _end_of_table(silent: Sequence[int], rows: int) -> int:
    """Return where the rows begin behind which no row asks for anything."""
    end = rows
    for at in reversed(silent):
        if at != end - 1:
            break
        end = at
    return end


def _has_usual_form(row: Row, fields: Mapping[str, int]) -> bool:
    """Tell whether the cells of the row's form are empty or say something that is possible."""
    texts = (row.cells[fields[name]].strip() if name in fields else "" for name in FORM_FIELDS)
    return form_of(*texts, Form()) is not None


def _is_filled_down(row: Row, own: Sequence[int], last: Row | None) -> bool:
    """Tell whether the row's own cells are figures or, below the table, those of its last row."""
    for at in own:
        cell = row.cells[at].strip()
        same = last is not None and cell == last.cells[at].strip()
        if not (same or is_blank(cell) or _FIGURE.fullmatch(cell)):
            return False
    return True


def _has_made_prompt(row: Row, prompts: RowPrompts | None) -> bool:
    return prompts is not None and isinstance(prompts.make(row, ""), str)
