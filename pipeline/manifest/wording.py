"""How sheets and sentences call rows, columns and cells: column D, D7, "1 row", "3, 4 and 7".

And how high a row is that shows its texts whole. That is written into sheets: LibreOffice gives a
row without a height the usual one, however many lines its texts have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import ceil
from pathlib import PurePath, PureWindowsPath
from shlex import quote
from typing import TYPE_CHECKING

from pipeline.concealment import show_controls

if TYPE_CHECKING:
    from pipeline.model import Manifest  # not needed for `--help`, which shows numbers of things

_LINE_PT, _MOST_PT = 15.0, 405.0
"""The height of a line of text, and that of the highest row that every program takes."""
_WINDOWS = isinstance(PurePath(), PureWindowsPath)
_NUMBERS_SHOWN = 5
"""The most numbers that a sentence lists."""
_HEADERS_SHOWN = 30
"""The most headers that a sentence lists."""
_LETTERS = 26
_PLAIN = re.compile(r"(?!=)[\w@%+=:,./-]+")
"""What no shell reads; letters of all languages are among it."""
_READ_BY_SHELLS = frozenset('"$`\\!')
"""What a shell reads inside of double quotes, too."""
_PLAIN_ON_WINDOWS = re.compile(r"[\w+=:./\\-]+")
_READ_BY_POWERSHELL = frozenset('"$`')


@lru_cache(maxsize=1024)
def letters_of(column: int) -> str:
    """Return the letters of a column; 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, digit = divmod(column - 1, _LETTERS)
        letters = chr(ord("A") + digit) + letters
    return letters


def number_of(letters: str) -> int:
    """Return the number of the column with these letters, in either case; A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * _LETTERS + ord(letter) - ord("A") + 1
    return number


def address_of(manifest: Manifest, column: int, row: int) -> str | None:
    """Return the address ("D7") of a cell of a workbook; None for a text file.

    Args:
        manifest: the table that the cell belongs to.
        column: the index of its header in `manifest.headers`, from 0.
        row: the physical number of its row, from 1.

    """
    if manifest.sheet is None:
        return None
    return f"{letters_of(manifest.first_column + column + 1)}{row}"


def count(number: int, noun: str) -> str:
    """Return "1 row", "2,000 rows"; the plural of `noun` takes an s."""
    return f"{number:,} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """Return the noun alone as it follows that number: "row", "rows"."""
    return noun if number == 1 else f"{noun}s"


def agree(number: int, if_one: str, if_more: str) -> str:
    """Return the words that go with a number: `agree(rows, "is", "are")`.

    Args:
        number: How many things are spoken of.
        if_one: The words for exactly one of them.
        if_more: The words for any other number, none included.

    """
    return if_one if number == 1 else if_more


def quote_name(text: str, *, windows: bool = _WINDOWS) -> str:
    """Return a name as it is pasted into a command line: in quotes where it needs them.

    In double quotes, which every system knows, if they will do. A name that would move the cursor
    is written with escapes, as bash, ksh and zsh read them. On Windows cmd.exe and PowerShell
    take it, or PowerShell alone where no quotes do for both.
    """
    if windows:
        return _quote_on_windows(text)
    if _PLAIN.fullmatch(text):
        return text
    if show_controls(text) != text:
        return f"$'{''.join(map(_escape, text))}'"
    return f'"{text}"' if text and _READ_BY_SHELLS.isdisjoint(text) else quote(text)


def _escape(letter: str) -> str:
    if show_controls(letter) == letter:
        return f"\\{letter}" if letter in "\\'" else letter
    # Half of a character is a byte of a name that is no text.
    escaped = "\udc80" <= letter <= "\udcff"
    data = letter.encode("utf-8", "surrogateescape" if escaped else "surrogatepass")
    return "".join(f"\\x{byte:02x}" for byte in data)


def _quote_on_windows(text: str) -> str:
    if _PLAIN_ON_WINDOWS.fullmatch(text):
        return text
    if not _READ_BY_POWERSHELL.isdisjoint(text):
        doubled = text.replace("'", "''")
        return f"'{doubled}'"
    # A backslash before the closing quote would be taken for a quote that belongs to the name.
    slashes = len(text) - len(text.rstrip("\\"))
    return f'"{text}{text[len(text) - slashes :]}"'


def shorten(text: str, most: int = 40) -> str:
    """Return a text as a sentence repeats it: of a longer one the first `most` - 1 characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def begin(sentence: str) -> str:
    """Begin with a capital, unless the first word is a name such as veo3.1-fast or 720p."""
    word = sentence.partition(" ")[0]
    return sentence[:1].upper() + sentence[1:] if word.isalpha() else sentence


def list_numbers(numbers: Sequence[int]) -> str:
    """List up to five numbers in words: "3, 4 and 7", "3, 4, 7, 8, 9 and 12 more"."""
    shown = [str(number) for number in numbers[:_NUMBERS_SHOWN]]
    rest = len(numbers) - len(shown)
    if rest:
        return f"{', '.join(shown)} and {rest} more"
    return name_all(shown)


def name_all(names: Sequence[str]) -> str:
    """List all of some names in words: "a", "a and b", "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def name_headers(headers: Sequence[str]) -> str:
    """Return the sentence that lists the headers of a manifest."""
    if not headers:
        return "Row 1 holds no headers."
    shown = ", ".join(f'"{header}"' for header in headers[:_HEADERS_SHOWN])
    rest = len(headers) - _HEADERS_SHOWN
    return f"Its headers are {shown}{f' and {rest} more' if rest > 0 else ''}."


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
