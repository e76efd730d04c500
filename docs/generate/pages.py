"""The pages, and their generated parts between the markers `<!-- begin: x -->` and `end`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from . import (
    capacity,
    failures,
    faults,
    life,
    logs,
    looksdoc,
    modelsdoc,
    modules,
    program,
    recipes,
    settings,
    sheet,
)

ROOT = Path(__file__).resolve().parents[2]

PARTS: dict[str, Callable[[], str]] = {
    "columns": sheet.columns,
    "columns with other names": sheet.all_columns,
    "columns in other languages": sheet.other_languages,
    "columns that are offered": sheet.offered,
    "result columns": sheet.result_columns,
    "states": life.states,
    "events": life.events,
    "failures": failures.failures,
    "diagram": life.diagram,
    "exit codes": program.exit_codes,
    "commands": program.commands,
    "help": program.help_texts,
    "settings": settings.settings,
    "modules": modules.way_of_a_row,
    "layers": modules.layers,
    "faults": faults.faults,
    "looks": looksdoc.looks,
    "models": modelsdoc.models,
    "looks rehearsed": looksdoc.rehearsed,
    **recipes.recipes(),
    **recipes.fleet_recipes(),
    "capacity": capacity.capacity,
    "log events": logs.log_events,
    "log details": logs.log_details,
    "metrics": logs.metrics,
}

FILES: dict[str, Callable[[], str]] = {"docs/log.schema.json": logs.log_schema}
"""Files that are made as a whole, by their paths."""

_PART = re.compile(
    r"(?P<begin><!-- begin: (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end: (?P=name) -->)", re.DOTALL
)


def pages() -> list[Path]:
    """README.md, CONTRIBUTING.md where there is one, and the pages of docs/."""
    roots = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
    return [page for page in (*roots, *sorted((ROOT / "docs").glob("*.md"))) if page.is_file()]


def refreshed(text: str) -> str:
    """Return a page with its generated parts as the code says them now.

    Raises KeyError where a marker names a part that does not exist.
    """
    return _PART.sub(lambda found: f"{found['begin']}{PARTS[found['name']]()}{found['end']}", text)


def parts_of(text: str) -> list[str]:
    """Return the names of the generated parts of a page."""
    return [found["name"] for found in _PART.finditer(text)]
