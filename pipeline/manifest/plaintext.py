"""Texts that a program would run or render, made plain: a shop's HTML, a spreadsheet's formula.

A results CSV is opened in Excel, which runs a cell that starts with `=` (CSV injection). A leading
apostrophe keeps it text; so that reading the results back gives every text as it was, a text that
begins with an apostrophe gets a second one.

Where lists are separated by another sign than the file's, the program splits a cell at that sign:
in half of Europe a comma file is opened with semicolons, and `x;=1+1;y` becomes three cells, one of
them a formula. So what the API says, and all that a run writes, is guarded behind each such sign,
too. Cells of the user's own stay as they are: their manifest holds them the same way.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from itertools import islice

# Nobody reads the content of these elements.
_SILENT = frozenset({"script", "style", "template", "svg", "noscript", "head", "iframe", "object"})
# Elements within a line; all others end it.
_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i", "ins", "kbd",
    "mark", "meta", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
})  # fmt: skip
_MARKUP = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#]")
# Python's versions differ over a section that is none: the one raises, the other leaves it out.
_NO_SECTION = re.compile(
    r"<!\[(?!(?:temp|cdata|ignore|include|rcdata|if|else|endif)(?![-_.a-z0-9]))", re.IGNORECASE
)
# What is left of declarations and of numbers of characters when the parser cannot read them.
_UNREADABLE = re.compile(r"<(?=[!?])|&(?=#)")
# For each tag that is never closed the parser looks through the whole rest of the text: with many,
# they are words. Shops write a few at most.
_UNCLOSED = re.compile(r"<(?=[a-zA-Z/!?][^<>]*(?:<|\Z))")
_MOST_UNCLOSED = 50
_LESS = "\ufdd0"
"""No character of any text. It stands for a `<` that is a word: `&lt;` takes its time to read."""
_ENDS = ".!?:;,\u2026\u3002\uff01\uff1f"

_APOSTROPHE = "'"
# Some locales of spreadsheet programs take the fullwidth forms for their ASCII twins.
_STARTERS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_GUARDED = _STARTERS | {_APOSTROPHE}
# Negative and telephone numbers are data: a spreadsheet shows them and runs nothing.
_PLAIN_NUMBER = re.compile(r"[+-](?:[0-9]+(?:[.,][0-9]+)?%?|[0-9][0-9 ]*)")

# Where a program may begin a cell: signs that separate lists somewhere, tabs and line breaks. What
# follows may stand behind blanks and quotes, which are taken away with the cell's own. An option
# behind a blank, as in our own "; --redo changed makes a new take", is text to all of them.
_CELL_BEGINS = r"(?<=[,;|\t\r\n])"
_COULD_RUN = "(?='|(?! --[a-z])[ \u00a0\"]*[=+\\-@\uff1d\uff0b\uff0d\uff20])"
_BEHIND_BLANKS = re.compile("[ \u00a0]+[=+\\-@\uff1d\uff0b\uff0d\uff20]")
_UNGUARDED_WITHIN = re.compile(_CELL_BEGINS + _COULD_RUN)
_GUARDED_WITHIN = re.compile(f"{_CELL_BEGINS}{_APOSTROPHE}{_COULD_RUN}")


class _Reader(HTMLParser):
    """Collects the text of a document, with a line break wherever an element ends a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        _ = attrs
        if tag in _SILENT and tag not in self._silent:
            self._silent.append(tag)
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        _ = attrs  # <svg/> has no content to leave out
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A line break within HTML is a blank.
            self.pieces.append(data.replace("\r", " ").replace("\n", " "))

    def _break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append("\n")


def plain_text(text: str) -> str:
    """Return HTML as one line of plain text; a text without markup only loses its line breaks.

    Semicolons separate paragraphs and list items that end without a punctuation mark. Whatever the
    parser cannot read is text: `<![ 20 % off ]>` stands as it is.
    """
    if not _MARKUP.search(text):
        return " ".join(text.split())
    less = "&lt;" if _LESS in text else _LESS
    written = _close(_NO_SECTION.sub(f"{less}![", text), less)
    for source in (written, _UNREADABLE.sub(lambda found: html.escape(found[0]), written)):
        reader = _Reader()
        try:
            reader.feed(source)
            reader.close()
        except Exception:  # noqa: BLE001, S112 - a shop's text must not end a run, whatever it holds
            continue
        read = "".join(reader.pieces)
        read = read.replace(_LESS, "<") if less == _LESS else read
        lines = (" ".join(line.split()) for line in read.split("\n"))
        return _join([line for line in lines if line])
    return " ".join(text.split())


def _close(text: str, less: str) -> str:
    """Make words of the tags, comments and sections that are never closed, where they are many."""
    if next(islice(_UNCLOSED.finditer(text), _MOST_UNCLOSED, None), None):
        text = _UNCLOSED.sub(less, text)
    for opening, closing in (("<!--", "-->"), ("<![", "]>")):
        rest = text[text.rfind(closing) + 1 :]
        if rest.count(opening) > _MOST_UNCLOSED:
            text = text[: len(text) - len(rest)] + rest.replace(opening, less + opening[1:])
    return text


def unescape(text: str) -> str:
    """Return a text in which characters are written as `&amp;`; as it is where that fails."""
    try:
        return html.unescape(text)
    except ValueError:  # a number of thousands of digits
        return text


def sentence(text: str) -> str:
    """Return a text with a full stop, unless it is empty or already ends with a mark."""
    bare = text.strip()
    return f"{bare}." if bare and bare[-1] not in _ENDS else bare


def guard(text: str) -> str:
    """Give `text` a leading apostrophe where a spreadsheet could run it, or where it has one."""
    return _APOSTROPHE + text if _is_guarded(text) else text


def unguard(text: str) -> str:
    """Undo `guard` exactly; any other text stays as it is, also after a single apostrophe."""
    if text[:1] == _APOSTROPHE and _is_guarded(text[1:]):
        return text[1:]
    return text


def guard_within(text: str) -> str:
    """Guard a text at its beginning and wherever a spreadsheet could begin another cell in it."""
    inside = _UNGUARDED_WITHIN.sub(_APOSTROPHE, text)
    return _APOSTROPHE + inside if _is_guarded(inside) or _BEHIND_BLANKS.match(inside) else inside


def unguard_within(text: str) -> str:
    """Undo `guard_within` exactly."""
    inside = text[1:]
    guarded = text[:1] == _APOSTROPHE and (_is_guarded(inside) or _BEHIND_BLANKS.match(inside))
    return _GUARDED_WITHIN.sub("", inside if guarded else text)


def _join(lines: list[str]) -> str:
    if not lines:
        return ""
    marked = [line if line[-1] in _ENDS else f"{line};" for line in lines[:-1]]
    return " ".join([*marked, lines[-1]])


def _is_guarded(text: str) -> bool:
    return text[:1] in _GUARDED and text != "" and _PLAIN_NUMBER.fullmatch(text) is None
