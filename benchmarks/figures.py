"""Figures and the table they stand in: printed as they come, and written into the documentation."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- figures:{name} -->"
END = "<!-- /figures:{name} -->"
_HEADS = ("Figure", "Measured", "Target", "Reached")


@dataclass(frozen=True)
class Figure:
    """One line of a table; without a target it is there to be compared with."""

    name: str
    measured: str
    target: str = ""
    reached: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The line's cells."""
        verdict = "" if self.reached is None else "yes" if self.reached else "**no**"
        return (self.name, self.measured, self.target, verdict)


def at_most(name: str, value: float, limit: float, unit: str = "", form: str = ".3g") -> Figure:
    """A figure that must not be larger."""
    shown = f"{value:{form}}{unit}"
    return Figure(name, shown, f"at most {limit:g}{unit}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "", form: str = ".3g") -> Figure:
    """A figure that must not be smaller."""
    shown = f"{value:{form}}{unit}"
    return Figure(name, shown, f"at least {limit:g}{unit}", value >= limit)


def beside(name: str, measured: str) -> Figure:
    """A figure without a target."""
    return Figure(name, measured)


def rows(figures: Iterable[Figure]) -> list[str]:
    """Return the figures as a table in Markdown."""
    lines = [_line(_HEADS), _line(("---",) * len(_HEADS))]
    return lines + [_line(figure.cells) for figure in figures]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """Describe the machine by what matters, and by nothing that names it."""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {size / 2**30:.0f} GB of memory"
    version = ".".join(map(str, sys.version_info[:3]))
    system = f"{platform.system()} on {platform.machine()}"
    return f"{os.cpu_count()} cores{memory}, {system}, {platform.python_implementation()} {version}"


def write(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put lines between the markers of a name, and leave the rest of the page as it is."""
    text = page.read_text(encoding="utf-8")
    begin, end = BEGIN.format(name=name), END.format(name=name)
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{page.name} has no place for {name}: {begin} … {end}")
    body = "\n".join([before + begin, "", *lines, "", end])
    page.write_text(body + after, encoding="utf-8")
