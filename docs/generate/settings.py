"""The settings, one table for each section of config.yaml."""

from __future__ import annotations

import json

from pipeline.config.catalogue import FIELDS, SECTIONS, describe_setting, say_allowed

from .tables import table

_HEADERS = ("setting", "default", "may be", "what it is")


def settings() -> str:
    """Return the tables of all settings, in the order of config.yaml."""
    parts = ["\n", table(_HEADERS, _rows(""))]
    for name, section in SECTIONS.items():
        about = " ".join((section.__doc__ or "").split())
        parts.append(f"\n## {name}\n\n{about}\n\n{table(_HEADERS, _rows(name))}")
    return "".join(parts) + "\n"


def _rows(section: str) -> list[tuple[str, ...]]:
    return [
        (
            f"`{path}`",
            f"`{_written(info.get_default(call_default_factory=True))}`",
            say_allowed(path),
            _escaped(describe_setting(path)),
        )
        for path, info in FIELDS.items()
        if path.rpartition(".")[0] == section
    ]


def _escaped(text: str) -> str:
    """Escape what Markdown would read in a template: tags and stars."""
    return text.replace("<", "&lt;").replace("*", "\\*")


def _written(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
