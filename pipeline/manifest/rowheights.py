"""How high a row of a sheet is that shows its texts whole.

It is written into the sheet: LibreOffice gives a row without a height the usual one, however many
lines its texts have. Tested in tests/authoring/test_starter.py and tests/writer/test_sourcelook.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

_LINE_PT, _MOST_PT = 15.0, 405.0
"""The height of a line of text, and that of the highest row that every program takes."""


def height_of(texts: Iterable[tuple[str, float]], least_lines: int = 1) -> float:
    """Return the height of a row, in points, that shows these texts whole.

    `texts` come with the widths of their columns, in characters.
    """
    lines = max(
        (
            sum(max(1, ceil(len(line) / width)) for line in text.split("\n"))
            for text, width in texts
        ),
        default=1,
    )
    return min(_MOST_PT, _LINE_PT * max(lines, least_lines) + 3)
