"""Tables and sentences on standard output; progress on standard error."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipeline.model import Problem


def print_json(document: Mapping[str, object]) -> None:
    """Print one JSON document, and nothing else."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_table(rows: Sequence[Sequence[object]]) -> None:
    """Print columns, numbers to the right; nothing for no rows."""
    if not rows:
        return
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for source, row in zip(rows, texts, strict=True):
        cells = [
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for cell, text, width in zip(source, row, widths, strict=True)
        ]
        typer.echo("  " + "  ".join(cells).rstrip())


def problem_line(manifest: Path, problem: Problem) -> str:
    """Return a problem as one line that editors understand: file, row, cell, column, sentence."""
    place = f"{manifest}" if problem.row is None else f"{manifest}:{problem.row}"
    parts = [problem.cell, problem.column and f"column {problem.column}"]
    where = ", ".join(part for part in parts if part)
    key = f" (key {problem.key})" if problem.key else ""
    return f"{place}: {problem.severity}: {where + ': ' if where else ''}{problem.message}{key}"


@contextlib.contextmanager
def picture_progress(*, show: bool) -> Iterator[Callable[[int, int], None] | None]:
    """Yield what shows how many pictures were looked at; None where nobody watches."""
    from pipeline.cli.progress import is_terminal

    if not show or not is_terminal(sys.stderr):
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit="picture", file=sys.stderr, leave=False, delay=0.5) as bar:

        def seen(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield seen


def count(number: int, noun: str) -> str:
    """Return "1 row", "2 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
