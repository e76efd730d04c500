"""A product feed in XML becomes a table: a line for each item, a column for each of its elements.

RSS 2.0 has `<item>`, Atom `<entry>`; the attributes of products are elements in them, most in the
namespace of Google. An element that occurs several times gives one cell, a line for each.

Tested in tests/authoring/shops/test_google.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.errors import UsageError
from pipeline.model import Manifest, Row
from pipeline.reader.content import load_file

if TYPE_CHECKING:
    from pathlib import Path

_ITEMS = frozenset({"item", "entry"})
_MOST_CHARACTERS = 100_000_000
_MOST_ELEMENTS = 5_000_000
# Each item has a cell for each name of an element, whether it has that element or not.
_MOST_CELLS = 20_000_000
_MOST_NAMES = 2**14  # as many columns as a spreadsheet has


def read_feed(path: Path) -> Manifest:
    """Read the feed at `path`; its lines are numbered as they stand in the file.

    Raises:
        ManifestError: there is no such file.
        UsageError: it is no XML, or no feed.

    """
    feed = _Feed()
    try:
        feed.parser.Parse(load_file(path, feed=True), True)
    except (expat.ExpatError, _Refused) as error:
        raise UsageError(
            f"{path} is no XML file that can be read: {error}.",
            action="Download it again, or take the feed as a tab-separated file.",
        ) from error
    headers = tuple(feed.names)
    rows = tuple(
        Row(number, tuple("\n".join(item[name]) if name in item else "" for name in headers))
        for number, item in feed.items
    )
    return Manifest(path, headers, rows)


class _Refused(Exception):
    """The file asks for more than a feed does."""


class _Feed:
    """The items of a feed as expat tells of them: the line where each begins, and its elements."""

    def __init__(self) -> None:
        self.items: list[tuple[int, dict[str, list[str]]]] = []
        self.names: dict[str, None] = {}  # of elements, in the order in which they occur
        self._depth = 0  # below the item
        self._inside = False
        self._text: list[str] = []
        self._elements = self._characters = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._take
        self.parser.EntityDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise _Refused("it declares entities")

    def _start(self, tag: str, _: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _Refused(f"it has more than {_MOST_ELEMENTS:,} elements")
        if self._inside:
            self._depth += 1
            if self._depth == 1:
                self._text = []
        elif _local(tag) in _ITEMS:
            self._inside, self._depth = True, 0
            self.items.append((self.parser.CurrentLineNumber, {}))

    def _take(self, text: str) -> None:
        if self._inside and self._depth == 1:
            self._characters += len(text)
            if self._characters > _MOST_CHARACTERS:
                raise _Refused(f"it has more than {_MOST_CHARACTERS:,} characters")
            self._text.append(text)

    def _end(self, tag: str) -> None:
        if not self._inside:
            return
        if not self._depth:
            self._inside = False
            return
        if self._depth == 1 and (text := "".join(self._text).strip()):
            name = _local(tag)
            self.names[name] = None
            if len(self.names) > _MOST_NAMES:
                raise _Refused(f"it has more than {_MOST_NAMES:,} kinds of elements")
            if len(self.names) * len(self.items) > _MOST_CELLS:
                raise _Refused(f"its table would have more than {_MOST_CELLS:,} cells")
            self.items[-1][1].setdefault(name, []).append(text)
        self._depth -= 1


def _local(tag: str) -> str:
    """Return the name of an element without its prefix."""
    return tag.rpartition(":")[2].casefold()
