"""The columns of a manifest and of its results."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.authoring.rulespage import describe_fields
from pipeline.checker.rules import IMAGE_FIELDS
from pipeline.manifest.columns import ALIASES, FIELDS
from pipeline.manifest.languages import IF_CELLS_FIT, OFFERED, PICTURE, PICTURES, SURE
from pipeline.manifest.resultcolumns import RESULT_COLUMNS
from pipeline.manifest.videolooks import built_in

from .tables import table

_IMAGES = "`image_1` `image_2` `image_3`"
_ONE_COLUMN = (
    "The same in one column: pictures separated by `|`, `;` or a line break, web addresses also by "
    "commas."
)

_RESULTS = {
    "result_state": "The state of the row; see [states](states.md).",
    "result_video": "The video, as a path from the output folder. In a workbook it is a link.",
    "result_error": "What happened, with the provider's own code in brackets if it gave one.",
    "result_action": "What to do.",
    "result_task_id": "The provider's id of the task, by which you find it in your account. In a "
    "workbook of a live run it is a link.",
    "result_attempts": "How often the row was submitted, over all runs.",
    "result_submitted_at": "When it was last submitted (UTC).",
    "result_finished_at": "When it ended (UTC).",
    "result_seconds": "The requested length of the video, in seconds.",
    "result_warnings": "What you should know although it worked: an unexpected length or shape, a "
    "later edit of the row.",
    "result_take": "The number of the take that stands here: the newest approved one, else the "
    "newest.",
    "review": "Yours: `approve` or `reject`, or ok, yes, ja, oui, si, 1, ✓ and no, nein, non, 0, "
    "✗. Called `result_review` if the manifest has a column of this name; likewise the next two.",
    "review_note": "Yours: why, or what else there is to say.",
    "new_prompt": "Yours: the prompt that the next take is made of; see [review](review.md).",
}


def columns() -> str:
    """Return the short table: what to write, and what an empty cell means."""
    return table(("column", "what to write", "if empty"), _columns())


def all_columns() -> str:
    """Return the headers accepted for each field, in order of precedence."""
    rows = [(f"`{field}`", _names(ALIASES[field])) for field in FIELDS]
    return table(("field", "accepted headers, in this order"), rows)


def other_languages() -> str:
    """Return the names of fields in other languages, as far as they are taken by themselves."""
    pictures = {"image_1": PICTURE, "images": PICTURES}
    rows = [
        (f"`{field}`", _list(names, IF_CELLS_FIT.get(field, {})))
        for field, names in {**SURE, **pictures}.items()
    ]
    return table(("field", "names"), rows)


def offered() -> str:
    """Return the names that mean several things."""
    return table(("field", "names"), [(f"`{field}`", _list(OFFERED[field])) for field in OFFERED])


def _list(*tables: Mapping[str, str]) -> str:
    names = (name for one in tables for names in one.values() for name in names.split(","))
    return ", ".join(dict.fromkeys(name.strip() for name in names))


def result_columns() -> str:
    """Return the columns that Reelsheet adds, in their order."""
    return table(("column", "what it holds"), [(f"`{n}`", _RESULTS[n]) for n in RESULT_COLUMNS])


def _columns() -> list[tuple[str, str, str]]:
    rows = []
    for field, about, _, empty, _ in describe_fields(built_in()):
        if field == IMAGE_FIELDS[0]:
            rows += [(_IMAGES, about, empty), ("`images`", _ONE_COLUMN, empty)]
        elif field not in IMAGE_FIELDS:
            rows.append((f"`{field}`", about, empty))
    return rows


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
