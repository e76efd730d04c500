"""Where the elements of an XML part lie, to the byte: what is not changed stays as it was.

The parser is expat, so prefixes, comments, CDATA and every encoding are its business; only the
offsets are used to cut and paste.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.parsers import expat

if TYPE_CHECKING:
    from collections.abc import Iterable

TAG = re.compile(rb"""<[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*>""")
DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


@dataclass(slots=True)
class Element:
    """One element: `[start:end]` is all of it, `[inner:close]` its content.

    A self-closing element has `inner == close == end`. `local` is the name without its prefix.
    """

    name: str
    attributes: dict[str, str]
    parent: Element | None
    start: int
    inner: int
    close: int = 0
    end: int = 0

    @property
    def local(self) -> str:
        """The name without its prefix."""
        return self.name.rpartition(":")[2]

    @property
    def self_closing(self) -> bool:
        """Whether there is no end tag."""
        return self.close == self.end

    def reference(self) -> str | None:
        """The relationship it points to (`r:id`, whatever the prefix is)."""
        for name, value in self.attributes.items():
            if name.endswith(":id"):
                return value
        return None


def elements(data: bytes) -> list[Element]:
    """Every element of a small part, in document order. Raises expat.ExpatError."""
    parser = expat.ParserCreate()
    found: list[Element] = []
    open_ones: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        at = parser.CurrentByteIndex
        parent = open_ones[-1] if open_ones else None
        element = Element(name, attributes, parent, at, tag_end(data, at))
        found.append(element)
        open_ones.append(element)

    def end(_name: str) -> None:
        element = open_ones.pop()
        if data[element.inner - 2 : element.inner] == b"/>":
            element.close = element.end = element.inner
        else:
            element.close = parser.CurrentByteIndex
            element.end = data.index(b">", element.close) + 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(data, True)
    return found


def tag_end(data: bytes | bytearray, start: int) -> int:
    """The offset behind the tag that begins at `start`; a `>` inside quotes does not end it."""
    tag = TAG.match(data, start)
    if tag is None:
        raise expat.ExpatError(f"no tag at byte {start}")
    return tag.end()


def splice(data: bytes, cuts: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Put each `(start, end, replacement)` in place; the pieces do not overlap."""
    pieces, at = [], 0
    for start, end, replacement in sorted(cuts, key=lambda cut: (cut[0], cut[1])):
        pieces += [data[at:start], replacement]
        at = end
    pieces.append(data[at:])
    return b"".join(pieces)


def append_child(data: bytes, element: Element, xml: bytes) -> tuple[int, int, bytes]:
    """The cut that adds `xml` as the last child of `element`."""
    if not element.self_closing:
        return element.close, element.close, xml
    tag = data[element.start : element.inner - 2].rstrip()
    return element.start, element.end, tag + b">" + xml + f"</{element.name}>".encode()


def prefix_of(element: Element) -> str:
    """The prefix of an element's name with its colon, or nothing."""
    head, colon, _ = element.name.rpartition(":")
    return head + colon


def prefixed(xml: str, prefix: str) -> bytes:
    """Our own markup in the prefix of the part. Pure ASCII, so that it fits every encoding."""
    if prefix:
        xml = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}", xml)
    return xml.encode("ascii", "xmlcharrefreplace")


def as_utf8(data: bytes) -> bytes:
    """A UTF-16 part as UTF-8 (no other encoding needs it: our own markup is ASCII)."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    return DECLARATION.sub(b"", data.decode("utf-16").encode("utf-8"))
