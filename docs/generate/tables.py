"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a pipe inside a cell is escaped, a line break becomes a blank."""
    lines = [_line(headers), _line(["---"] * len(headers))]
    return "\n".join([*lines, *(_line(row) for row in rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def first_line(docstring: str | None) -> str:
    """Return the first line of a docstring, without a colon at its end."""
    lines = (docstring or "").strip().splitlines()
    return lines[0].rstrip(":") if lines else ""
