"""Read the name of a picture's file: what of it may be the product, and what its ending says.

Behind a product's name stand the view (`front`, `hinten`, `_2`, `_b`), what was done to the
picture (`retusche`, `final_v2`), copies (`Kopie`, `(1)`) and sizes that shops make (`-1600x1200`).
An ending is sure, or may be part of the product's name, too; then `grouping` asks the other files.
The words are data, in filenames.toml. They are compared without case and accents, and `_`, `-` and
blanks are the same; the accents of a product's name tell products apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pipeline.authoring.namewords import LEAST_SIDE, is_article, size_of, vocabulary
from pipeline.manifest.normalform import fold

VIEWS = ("front", "", "side", "back", "top", "detail", "inside", "other", "use", "pack")
"""The kinds of views in the order in which a video takes them; "" is a picture without a view."""
LARGEST_VIEW = 99
_LAST_LETTER = "j"
_SURE_SIDE = 400
"""Pixels: `-1600x1200` is the size of a picture, 50x70 that of a poster; what is between may be."""

_LONGEST_STEM = 255
_WORD = re.compile(r"[^\s_\-\u2013\u2014,;.()\[\]{}+#~@=!'\"\u201c\u201d\u201e\u2018\u2019]+")
_DECIMAL = re.compile(r"(?<!\d)(\d{1,3})([.,])(?=\d{1,3}(?!\d))")
_PARENTHESIS = re.compile(r"\((\d{1,3})\)")
_JOINT = "\ue000"  # stands for the point of 1.5 while a name is parted
# What shops put into names as one piece; it is no part of them.
_SHOP_PIECES = (
    re.compile(r"\._[A-Z0-9_,]+_(?=\.|$)"),  # Amazon: 71abc._AC_SL1500_
    re.compile(r"(?<=[\w\-])(?:_(?:small|medium|large|grande))?@[234]x(?![^\W_])", re.IGNORECASE),
    re.compile(r"^il_(?:\d+x(?:\d+|N)|fullxfull)\."),  # Etsy
)
# Shopify, behind a picture of a name that another has; Printful behind every one, with the time.
_UUID = re.compile(
    r"(?<=.)[_\-](?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[56](?=\d*[a-f])[0-9a-f]{12}$)"
)
_CHANGED_BY_PHONE = re.compile(r"^(IMG_)E(?=\d{4})", re.IGNORECASE)
_EDITED = re.compile(r"e\d{10,13}")  # WooCommerce: the time of a change
_TURNED = re.compile(r"\d{1,3}(?:deg|degrees?|grad|\u00b0)")
_NUMBER = re.compile(r"\d{1,2}|0\d{2,3}")
_VERSION = re.compile(r"(?:v|ver|rev|version)\d{1,2}")
_ONE_OF = re.compile(r"(?<![^\W_])(\d{1,2}) ?(?:von|of|sur|de|di|van|z) ?\d{1,2}$", re.IGNORECASE)
_CODES = re.compile(r"(?:pt)\d{1,2}|[a-h]\d[a-z]\d")
_NUMBERED = re.compile(r"([^\W\d_]+)(\d{1,5})")
_CAMEL = re.compile(r"(.*[a-z0-9])([A-Z][a-z]+)")
_DIGITS = re.compile(r"[\d.,\ue000x]+")
_DAY = re.compile(r"(?:19|20)\d{2}[01]\d[0-3]\d")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a name: its text without case and accents, and where it stands."""

    text: str
    start: int
    end: int
    lone: bool = False
    """Whether it is a number in parentheses."""
    capital: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a name: the product's words, and what was taken off behind them.

    `doubt` is the kind of the last ending that was not sure: `word`, `version`, `number`, `letter`,
    `size`, or nothing.
    """

    words: tuple[Word, ...]
    view: str = ""
    kind: str = ""
    number: int | None = None
    letter: str = ""
    versions: tuple[str, ...] = ()
    copy: bool = False
    lone: bool = False
    size: tuple[int, int] | None = None
    doubt: str = ""
    doubted: str = ""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a picture's file without its suffix, and the ways to read it.

    `readings` begin with the one in which only sure endings are taken off. `nameless` says that
    the name was given by a camera or a program.
    """

    stem: str
    words: tuple[Word, ...]
    readings: tuple[Reading, ...]
    nameless: bool

    def key(self, reading: Reading) -> str:
        """Return the product's name as it is compared."""
        return " ".join(self._spelt(word).casefold() for word in reading.words)

    def shown(self, reading: Reading) -> str:
        """Return the product's name as it is written."""
        words = reading.words
        if not words:
            return self.stem
        pieces = []
        for word, after in zip(words, (*words[1:], None), strict=True):
            between = "" if after is None else self.stem[word.end : after.start]
            pieces.append(self._spelt(word) + (between if len(between) <= 3 else " "))  # noqa: PLR2004
        return "".join(pieces)

    def _spelt(self, word: Word) -> str:
        return self.stem[word.start : word.end]


def read_name(stem: str) -> Name:
    """Read a name without its suffix; the longest that a file can have are read in no time."""
    composed = unicodedata.normalize("NFC", stem)[:_LONGEST_STEM]
    again = _UUID.search(composed)
    composed = _UUID.sub("", composed)
    versions = ("edited",) if _CHANGED_BY_PHONE.match(composed) else ()
    composed = _ONE_OF.sub(r"(\1)", _CHANGED_BY_PHONE.sub(r"\1", composed))
    copy = False
    for piece in _SHOP_PIECES:
        less = piece.sub("", composed)
        copy, composed = copy or less != composed, less or composed
    words = _split(composed)
    while taken := _begins(words, vocabulary().before):
        words, copy = words[taken:], True
    first = Reading(tuple(words), letter=again[0] if again else "", versions=versions, copy=copy)
    nameless = not words or _is_nameless(words)
    return Name(composed, first.words, tuple(_readings(first, nameless=nameless)), nameless)


def whole_key(text: str) -> str:
    """Return a product's name, all of it, as it is compared."""
    name = read_name(text)
    return name.key(Reading(name.words)) or text


def _split(stem: str) -> list[Word]:
    text = _DECIMAL.sub(rf"\1{_JOINT}", stem)
    lone = {match.start(1) for match in _PARENTHESIS.finditer(stem)}
    words = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        if camel := _CAMEL.fullmatch(match[0]):
            middle = start + camel.start(2)
            if fold(camel[2]) in vocabulary().views:  # LampeVorne
                words.append(Word(fold(camel[1]), start, middle, capital=match[0][0].isupper()))
                words.append(Word(fold(camel[2]), middle, end, capital=True))
                continue
        wide = start in lone
        capital = match[0][0].isupper()
        words.append(Word(fold(match[0]), start - wide, end + wide, wide, capital))
    return words


def _begins(words: list[Word], known: frozenset[str]) -> int:
    """Return how many words in front are one of the known texts."""
    return next((n for n in (2, 1) if len(words) > n and _joined(words[:n]) in known), 0)


def _joined(words: list[Word] | tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def _is_nameless(words: list[Word]) -> bool:
    """Tell whether nothing but words of cameras and programs, and numbers, stand in a name."""
    known, between, found = vocabulary().nameless, vocabulary().between, False
    at = 0
    while at < len(words):
        if _DIGITS.fullmatch(words[at].text) or (found and words[at].text in between):
            at += 1
            continue
        taken = next((n for n in (3, 2, 1) if _joined(words[at : at + n]) in known), 0)
        numbered = _NUMBERED.fullmatch(words[at].text) or re.fullmatch(r"e\d+", words[at].text)
        if not taken and not (numbered and (numbered[0][0] == "e" or numbered[1] in known)):
            if not _is_ending(words, at):
                return False
            break
        at, found = at + max(taken, 1), True
    return found or (len(words) > 1 and _DAY.fullmatch(words[0].text) is not None)


def _is_ending(words: list[Word], at: int) -> bool:
    return at > 0 and bool(words[at:]) and _takes_all(tuple(words[at:]))


def _takes_all(words: tuple[Word, ...]) -> bool:
    rest = Reading((Word("\ue001", 0, 0), *words))
    while len(rest.words) > 1:
        shorter = next(_sure(rest), None)
        if shorter is None:
            return False
        rest = shorter
    return True


def _readings(first: Reading, *, nameless: bool) -> Iterator[Reading]:
    reading = _without_sure(first, nameless=nameless)
    yield reading
    for _ in range(3):
        unsure = _unsure(reading, nameless=nameless)
        if unsure is None:
            return
        reading = _without_sure(unsure, nameless=nameless)
        yield reading


def _without_sure(reading: Reading, *, nameless: bool) -> Reading:
    while len(reading.words) > 1:
        shorter = next(_sure(reading), None)
        if shorter is None or (nameless and shorter.number is not None and not _timed(shorter)):
            return reading
        reading = shorter
    return reading


def _timed(reading: Reading) -> bool:
    """Tell whether a nameless name is one of its kind: it has a time, or a camera's number."""
    return sum(map(str.isdigit, reading.words[-1].text)) > 3  # noqa: PLR2004


def _sure(reading: Reading) -> Iterator[Reading]:
    """Yield the reading without its last ending, if that is sure."""
    words, known = reading.words, vocabulary()
    for taken in (3, 2, 1):
        rest, text = words[:-taken], _joined(words[-taken:])
        if not rest:
            continue
        if text in known.sizes:
            yield replace(reading, words=rest, copy=True)
        if text in known.copies:
            yield replace(reading, words=rest, copy=True, number=None)
        if text.rstrip("0123456789") in known.versions:  # final, final2
            yield replace(reading, words=rest, versions=(text, *reading.versions))
        yield from _sure_view(reading, rest, words[-taken:])
    if words[:-1]:
        yield from _sure_by_form(reading, words[:-1], words[-1])
        if is_article(words[-2].text) and len(words) == 2 and not reading.view:  # noqa: PLR2004
            yield from _behind_article(reading, words[:-1], words[-1].text)


def _sure_by_form(reading: Reading, rest: tuple[Word, ...], word: Word) -> Iterator[Reading]:
    """Yield the reading without its last word, if the form of that says enough."""
    known, last, behind = vocabulary(), word.text, rest[-1].text
    versions = (last, *reading.versions)
    if size := size_of(last):
        if min(size) >= _SURE_SIDE or 0 in size:
            yield replace(reading, words=rest, copy=True, size=size)
    elif _EDITED.fullmatch(last):
        yield replace(reading, words=rest, versions=("edited", *reading.versions))
    elif _TURNED.fullmatch(last):
        yield _seen(reading, rest, last, "side")
    elif word.lone:
        yield replace(_numbered(reading, rest, int(last)), lone=True)
    elif _NUMBER.fullmatch(last) and (behind in known.copies or behind in known.versions):
        yield replace(reading, words=rest)
    elif (_VERSION.fullmatch(last) or last in known.unsure_versions) and _after_ending(rest):
        yield replace(reading, words=rest, versions=versions)


def _behind_article(reading: Reading, rest: tuple[Word, ...], last: str) -> Iterator[Reading]:
    """Yield the reading without what stands behind the number of an article: it is a view."""
    if _CODES.fullmatch(last):
        yield _seen(reading, rest, last, "front" if last in {"a1c1", "c1n1"} else "side")
    elif _NUMBER.fullmatch(last):
        yield _numbered(reading, rest, int(last))
    elif last.isalpha():
        yield _seen(reading, rest, last, "other")


def _sure_view(
    reading: Reading, rest: tuple[Word, ...], taken: tuple[Word, ...]
) -> Iterator[Reading]:
    """Yield the reading without a view, that may have a number: `front`, `detail 2`, `vorne2`."""
    known, text, number = vocabulary(), _joined(taken), None
    if len(taken) > 1 and _NUMBER.fullmatch(taken[-1].text):
        text, number = _joined(taken[:-1]), int(taken[-1].text)
    elif (match := _NUMBERED.fullmatch(text)) and len(match[2]) <= 2:  # noqa: PLR2004
        text, number = match[1], int(match[2])
    kind = known.views.get(text)
    if kind is None and number is not None and known.unsure.get(text) == "other":
        kind = "other"
    if kind and rest[-1].text not in known.compounds.get(text, ()):
        if number is not None and number > 3 and text == "hero":  # noqa: PLR2004 - a camera's model
            return
        yield _seen(reading, rest, text, kind, number)


def _seen(
    reading: Reading, rest: tuple[Word, ...], view: str, kind: str, number: int | None = None
) -> Reading:
    """Note a view; of two the first one counts for the order, and both for what differs."""
    views = f"{view} {reading.view}".strip()
    if reading.number is not None:
        number = reading.number
    return replace(reading, words=rest, view=views, kind=kind, number=number)


def _numbered(reading: Reading, rest: tuple[Word, ...], number: int) -> Reading:
    if reading.number is not None:
        return replace(reading, words=rest, view=f"{number} {reading.view}".strip())
    return replace(reading, words=rest, number=number)


def _after_ending(rest: tuple[Word, ...]) -> bool:
    """Tell whether what is left ends with a view or a version: then `v2` is a version, too."""
    return len(rest) > 1 and next(_sure(Reading(rest)), None) is not None


def _unsure(reading: Reading, *, nameless: bool) -> Reading | None:
    """Return the reading without an ending that may be one; None if there is none."""
    words, known = reading.words, vocabulary()
    if len(words) < 2 or (nameless and not _timed(replace(reading, words=words[:-1]))):  # noqa: PLR2004
        return None
    rest, last = words[:-1], words[-1].text
    behind, doubted = rest[-1].text, f"{last}"
    if (size := size_of(last)) and min(size) >= LEAST_SIDE:
        return replace(reading, words=rest, copy=True, size=size, doubt="size", doubted=doubted)
    guarded = behind in known.numbered or _joined(rest[-2:]) in known.numbered
    if _NUMBER.fullmatch(last) and int(last) <= LARGEST_VIEW:
        short = _numbered(reading, rest, int(last))
        return None if guarded else replace(short, doubt="number", doubted=doubted)
    if len(last) == 1 and "a" <= last <= _LAST_LETTER:
        lettered = replace(reading, words=rest, letter=last, doubt="letter", doubted=doubted)
        return None if guarded else lettered
    return _unsure_word(reading, rest, last)


def _unsure_word(reading: Reading, rest: tuple[Word, ...], last: str) -> Reading | None:
    known, number = vocabulary(), None
    versions = (last, *reading.versions)
    numbered = _VERSION.fullmatch(last) and not reading.words[-1].capital  # V2 is a product's
    if numbered or last in known.unsure_versions or last in known.largest:
        size = (known.largest[last],) * 2 if last in known.largest else None
        kind = "size" if size else "version"
        return replace(reading, words=rest, versions=versions, size=size, doubt=kind, doubted=last)
    if match := _NUMBERED.fullmatch(last):
        last, number = match[1], int(match[2])
    kind = known.unsure.get(last, "")
    if not kind or rest[-1].text in known.compounds.get(last, ()):
        return None
    return replace(_seen(reading, rest, last, kind, number), doubt="word", doubted=last)
