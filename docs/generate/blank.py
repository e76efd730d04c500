"""The table of blank characters in pipeline/manifest/blank.py, made from Unicode's own files.

`python -m docs.generate.blank` from the repository's root writes it; tests/manifest/test_blank.py
fails while the module holds another one. A newer version of Unicode is taken over by hand: put its
two properties here, from the files that are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pipeline

MODULE = Path(pipeline.__file__).parent / "manifest" / "blank.py"
UNICODE_VERSION = "15.0.0"
# DerivedCoreProperties.txt, Default_Ignorable_Code_Point.
DEFAULT_IGNORABLE = (
    "00AD 034F 061C 115F..1160 17B4..17B5 180B..180F 200B..200F 202A..202E 2060..206F 3164 "
    "FE00..FE0F FEFF FFA0 FFF0..FFF8 1BCA0..1BCA3 1D173..1D17A E0000..E0FFF"
)
# PropList.txt, White_Space.
WHITE_SPACE = "0009..000D 0020 0085 00A0 1680 2000..200A 2028..2029 202F 205F 3000"
# A cell of Braille without dots is neither, and shows nothing either.
WITHOUT_DOTS = "2800"

_WIDTH = 100
_TABLE = re.compile(
    r"(?P<begin># begin: table of docs/generate/blank\.py\n).*?(?P<end># The table ends here\.\n)",
    re.DOTALL,
)


def ranges() -> list[tuple[int, int]]:
    """Return the blank code points as ranges, first and last, in order and merged."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(_parsed(f"{DEFAULT_IGNORABLE} {WHITE_SPACE} {WITHOUT_DOTS}")):
        if merged and first == merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    return merged


def refreshed(source: str) -> str:
    """Return the source of the module with the table as it is made now."""
    return _TABLE.sub(lambda found: found["begin"] + _table() + found["end"], source)


def _parsed(text: str) -> Iterator[tuple[int, int]]:
    for piece in text.split():
        first, _, last = piece.partition("..")
        yield int(first, 16), int(last or first, 16)


def _table() -> str:
    pieces = [_escaped(first) + (f"-{_escaped(last)}" if last > first else "")
              for first, last in ranges()]  # fmt: skip
    lines = "\n".join(f'    "{line}"' for line in _filled(pieces))
    return f'UNICODE_VERSION = "{UNICODE_VERSION}"\n_BLANKS = (\n{lines}\n)\n'


def _filled(pieces: Iterable[str]) -> list[str]:
    lines = [""]
    for piece in pieces:
        if len(lines[-1]) + len(piece) > _WIDTH - len('    ""'):
            lines.append("")
        lines[-1] += piece
    return lines


def _escaped(point: int) -> str:
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004


if __name__ == "__main__":
    MODULE.write_text(refreshed(MODULE.read_text("utf-8")), encoding="utf-8", newline="\n")
