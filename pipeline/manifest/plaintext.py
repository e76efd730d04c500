"""Plain text: a cell without what cannot be seen, a shop's HTML description without its markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Their content is not read by anybody.
_SILENT = frozenset({"script", "style", "template", "svg", "noscript", "head", "iframe", "object"})
# Elements that stand in the middle of a line; every other one ends it.
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
    "mark", "meta", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
})  # fmt: skip
_BLANKS = "\u00a0\u00ad\u200b\u200c\u200d\u2060\ufeff"
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")
_ENDS = ".!?:;,\u2026\u3002\uff01\uff1f"


class _Reader(HTMLParser):
    """Collects the text of a document, with a line break wherever an element ends a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        _ = attrs
        if tag in _SILENT:
            self._silent.append(tag)
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        _ = attrs  # <svg/> holds nothing that would have to be skipped
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A line break inside of HTML is a blank.
            self.pieces.append(data.replace("\r", " ").replace("\n", " "))

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append("\n")


def bare(text: str) -> str:
    """Return a cell's text without blanks and invisible characters around it."""
    return text.strip() if text.isascii() else text.strip().strip(_BLANKS).strip()


def plain_text(text: str) -> str:
    """Return HTML as one line of plain text; a text without markup only loses its line breaks.

    Paragraphs and list items that end without a punctuation mark are parted by semicolons.
    """
    if not _MARKUP.search(text):
        return " ".join(text.split())
    reader = _Reader()
    reader.feed(text)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return _joined([line for line in lines if line])


def sentence(text: str) -> str:
    """Return a text with a full stop, unless it is empty or ends with a mark already."""
    bare = text.strip()
    return f"{bare}." if bare and bare[-1] not in _ENDS else bare


def _joined(lines: list[str]) -> str:
    if not lines:
        return ""
    marked = [line if line[-1] in _ENDS else f"{line};" for line in lines[:-1]]
    return " ".join([*marked, lines[-1]])
