"""The lines of run.log: their table, and their JSON Schema; and the metrics."""

from __future__ import annotations

import json

from pipeline.night.metrics import FAMILIES, PREFIX
from pipeline.runner.logevents import (
    DETAILS,
    FIELDS,
    KINDS,
    OF_ROWS,
    OF_RUNS,
    ON_SCREEN,
    Kind,
    Level,
)

from .tables import table

_GROUPS = (("of a row", OF_ROWS), ("of a run", OF_RUNS), ("only on standard error", ON_SCREEN))


def log_events() -> str:
    """Return every event with its level and its details."""
    rows = [
        (f"`{event}`", where, kind.level or "any", kind.meaning, _details(kind))
        for where, group in _GROUPS
        for event, kind in group.items()
    ]
    return table(("event", "which", "level", "what happened", "details"), rows)


def log_details() -> str:
    """Return every detail with what it is."""
    return table(("detail", "is"), [(f"`{name}`", says) for name, (says, _) in DETAILS.items()])


def metrics() -> str:
    """Return every family of metrics with its type and its labels."""
    rows = [
        (
            f"`{PREFIX}{name}`",
            "counter" if one.counts else "gauge",
            ", ".join(f"`{label}`" for label in one.labels),
            one.meaning,
        )
        for name, one in FAMILIES.items()
    ]
    return table(("metric", "type", "labels", "is"), rows)


def _details(kind: Kind) -> str:
    always = [f"`{name}`" for name in kind.has]
    return ", ".join([*always, *(f"(`{name}`)" for name in kind.may_have)])


def log_schema() -> str:
    """Return the JSON Schema of a line."""
    text = {"type": "string"}
    of_run = {"type": ["string", "null"]}
    base: dict[str, object] = {
        "time": {**text, "format": "date-time"},
        "level": {"enum": list(Level)},
        "run_id": of_run,
        "manifest": of_run,
        "event": {"enum": list(KINDS)},
    }
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of run.log, or of standard error with --log-format json",
        "type": "object",
        "properties": {**base, **{name: kind for name, (_, kind) in DETAILS.items()}},
        "required": list(FIELDS),
        "additionalProperties": False,
        "allOf": [_rule(event, kind) for event, kind in KINDS.items()],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _rule(event: str, kind: Kind) -> dict[str, object]:
    names = [*FIELDS, *kind.has, *kind.may_have]
    properties: dict[str, object] = {}
    if kind.level is not None:
        properties["level"] = {"const": kind.level.value}
    if event not in ON_SCREEN:
        properties |= {name: {"type": "string"} for name in ("run_id", "manifest")}
    return {
        "if": {"properties": {"event": {"const": event}}},
        "then": {
            "required": list(kind.has),
            "propertyNames": {"enum": names},
            "properties": properties,
        },
    }
