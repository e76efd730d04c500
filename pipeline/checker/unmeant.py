"""Texts that nobody means to pay for: what was never filled in, never written, or is no product.

A video is made of whatever a prompt says. So a prompt that is certainly none is an error of its
row, until the setting `manifest.allow` names its code. Only what is certain is here: "Todo" is a
word in Spanish, `[WIDE SHOT]` a direction, `{"scene": "a mug"}` a way to write prompts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pipeline.checker import unmeantwords as words
from pipeline.manifest.wording import shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER, TODO, ERROR_TEXT = "prompt_placeholder", "prompt_todo", "error_text"
EXAMPLE_ROW, HEADER_ROW, TOTALS_ROW = "example_row", "header_row", "totals_row"

_LONGEST = 10_000
"""Characters of a text that are looked through."""
_BEFORE = 20
"""Characters that are shown before the end of a placeholder that has no beginning."""


class Unmeant(NamedTuple):
    """Why a text is none that anyone means: the code of the problem, and the sentence."""

    code: str
    sentence: str


# {{ title }}, {% if x %}, ${title}, {title}, {0}, [[title]], %s, %1$s, %(title)s, %TITLE%,
# __TITLE__, <%= title %>, {{ title, *|TITLE|*, ##title##, @@title@@, "a film of ____"
_PLACEHOLDER = re.compile(
    r"\{\{-?\s*[^\W\d][^{}]{0,200}\}\}|\{%[^%{}]{1,200}%\}|\$\{[^{}]{1,100}\}"
    r"|\{(?:[^\W\d]\w*(?:[ .-]\w+){0,5}|[0-9]{1,2})\}"
    r"|\[\[[^\[\]]{1,80}\]\]"
    r"|(?<![\w%])%(?:[0-9]{1,2}\$)?[sd@](?![\w%])|%\([^\W\d]\w{0,60}\)[sdrf]"
    r"|(?<![\w%])%[A-Za-z_]\w{0,60}%(?!\w)"
    r"|(?<!\w)__[A-Z][A-Z0-9_]{0,60}__(?!\w)"
    r"|<%[=-]?\s*[^\W\d][\w.]{0,60}\s*%>|\{\{[-#/^>&!]?\s*[^\W\d][\w .|-]{0,40}"
    r"|\*\|[^\W\d]\w{0,60}\|\*|(?<![#@%$\w])(##|@@|%%|\$\$)[^\W\d]\w{0,60}\1(?![#@%$\w])"
    r"|(?<=[^\W_] )_{3,60}(?!\w)|(?<![^\s])_{3,60}(?= [^\W_])"
)
_ANGLE = re.compile(r"<([^\W\d][\w .-]{1,60})>")
_SQUARE = re.compile(
    r"\[(?:insert(?! shot| cut| close| title| card)|enter|add|your|fill in|name of)\s"
    r"[^\[\]\n]{1,60}\]",
    re.IGNORECASE,
)
# [product name], (Produkt einfügen), $PRODUCT_NAME, #NAME#, «Name»: if the words are such.
_SIGNED = re.compile(
    r"(?P<square>\[[^\[\]\n]{2,60}\])|(?P<round>\([^()\n]{6,60}\))"
    r"|(?P<sign>(?<![\w$])\$[A-Z][A-Z_]{2,40}(?!\w)|(?<![\w#])#[A-Z][A-Z_]{2,40}#(?!\w)"
    r"|\u00ab[^\W\d_a-z]\w{1,40}\u00bb)"
)
_ASIAN = re.compile(
    r"[\u3010\u3008\u300a\u300c\u300e\uff3b\uff5b\[](\w{1,8})"
    r"[\u3011\u3009\u300b\u300d\u300f\uff3d\uff5d\]](?=[のがをはにとで的在、。\uff0c]|\Z)"
)
# Each placeholder has one of these.
_SIGN = re.compile(r"[^\w\s.,;:!?'/-]|__")
_LOREM = re.compile(r"lorem ipsum(?: dolor)?", re.IGNORECASE)
# What people write in angle brackets for somebody else to replace.
_TO_REPLACE = frozenset({
    "product", "products", "item", "name", "title", "brand", "colour", "color", "sku", "insert",
    "your", "enter", "placeholder", "description", "prompt", "produkt", "produktname", "produit",
    "producto", "prodotto", "nom", "nombre", "nome",
})  # fmt: skip
HTML_TAGS = frozenset({
    "a", "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em",
    "font", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "html", "i", "iframe", "img", "li",
    "link", "meta", "ol", "p", "pre", "s", "script", "section", "small", "span", "strike", "strong",
    "style", "sub", "sup", "svg", "table", "tbody", "td", "th", "thead", "title", "tr", "u", "ul",
})  # fmt: skip
"""The names of the tags that shops write."""

_NOT_LETTERS = re.compile(r"[\W_]+")
_TO_DO_WITHIN = re.compile(
    r"(?<![\w.])(?:(?i:tbd)|FIXME|(?i:x{3,20}))(?![\w.-]?\w)"
    r"|\A\W{0,3}(?:todo|TODO|ToDo|to-do)\s?:|(?<!\w)TODO:|[\[(](?i:todo)[\])]|(?<!\w)TODO\W{0,3}\Z"
)
_TO_DO_FIRST = re.compile(r"TODO[\s,\u2013\u2014-]+\w")
_SIZES = re.compile(r"(?<!\w)(?:X{1,4}[LS]|[2-9]XL)(?!\w)")
_EXAMPLE = re.compile(
    r"^\W{0,2}(?:(?:example|beispiel|muster|exemple|ejemplo|esempio|voorbeeld|exemplo|przykład|"
    r"пример|例|示例|記入例)(?: ?[0-9]{1,2})?\s?[:\uff1a]"
    r"|e\.\s?g\.|z\.\s?b\.|p\.\s?ex\.|p\.\s?ej\.|par exemple\b|por ejemplo\b|zum beispiel\b"
    r"|bijv\.|ad es\.|np\.|例如|例えば)",
    re.IGNORECASE | re.MULTILINE,
)
# Each beginning of an example has one of these, which are found in a tenth of the time.
_SIGNS_OF_EXAMPLES = ":\uff1a.\u4f8b"
_WORDS_OF_EXAMPLES = ("par exemple", "por ejemplo", "zum beispiel")
# Only signs, or letters x: ???, ..., -, x x x.
_NOTHING = re.compile(
    r"[?\uff1f\s]{3,}|[.\u2026\s]{1,9}|[-\u2010-\u2015_=*/\s]{1,99}|(?i:x[\s./-]+){2,20}x"
)

_ERROR_WITHIN = re.compile(f"(?<![\\w#])#(?:{'|'.join(map(re.escape, words.ERRORS))})(?!\\w)")
_ERROR_ALONE = re.compile(
    rf"#(?:{'|'.join(map(re.escape, words.ERRORS_ALONE))}|#{{2,}})|(?:Err|Fehler):5[0-9]{{2}}"
)
_NUMBER_BEHIND = re.compile(r"[\s:=(]*[0-9][0-9.,\s]*(?:[^\W\d]{1,10}\.?|[€$£¥%])?[\s)]*\Z")

_FIGURE = re.compile(r"[0-9.,\s:%€$£¥]*(?:s|sec|seconds|videos|rows)?", re.IGNORECASE)
_LONGEST_LABEL = 40


def judge_prompt(prompt: str) -> Unmeant | None:
    """Say why a prompt is certainly none; None if it may be meant."""
    text = prompt[:_LONGEST].strip()
    if found := find_error(text):
        return Unmeant(ERROR_TEXT, f"The prompt holds {found}, the error of a formula.")
    if example := _EXAMPLE.match(text):
        return Unmeant(
            EXAMPLE_ROW,
            f"The prompt is an example: it begins with {quote(example[0])}. Write your own "
            "prompt over it, or delete the row.",
        )
    if found := _find_placeholder(text):
        return Unmeant(
            PLACEHOLDER,
            f"The prompt holds a placeholder that was not filled in: {quote(found)}. Write the "
            "words that belong there.",
        )
    if found := _find_to_do(text):
        return Unmeant(
            TODO,
            f"The prompt is not written yet: it says {quote(found)}. Write what the video should "
            "show.",
        )
    return None


def begins_as_example(text: str) -> bool:
    """Tell whether a line of a text says that it is an example."""
    if not any(sign in text for sign in _SIGNS_OF_EXAMPLES):
        folded = text.casefold()
        if not any(word in folded for word in _WORDS_OF_EXAMPLES):
            return False
    return _EXAMPLE.search(text) is not None


def find_error(text: str) -> str | None:
    """Return the error of a spreadsheet that a text holds, in whatever language; None if none."""
    if "#" not in text and ":5" not in text:
        return None
    found = _ERROR_WITHIN.search(text) or _ERROR_ALONE.fullmatch(text.strip())
    return found[0] if found else None


def _find_placeholder(text: str) -> str | None:
    if found := _LOREM.search(text):
        return found[0]
    if not _SIGN.search(text):
        return None
    if found := _PLACEHOLDER.search(text) or _SQUARE.search(text):
        return found[0]
    if found := next(filter(_is_to_replace, _SIGNED.finditer(text)), None):
        return found[0]
    for found in _ASIAN.finditer(text):
        if found[1] in words.ASIAN_NAMES:
            return found[0]
    if "}}" in text and "{" not in text:
        return text[max(text.index("}}") - _BEFORE, 0) :]
    return _find_in_angles(text.replace("&lt;", "<").replace("&gt;", ">"))


def _is_to_replace(found: re.Match[str]) -> bool:
    """Tell whether the words between two signs are those that somebody was to replace."""
    said = frozenset(fold(found[0].replace("_", " ")).split())
    if found["sign"]:
        return words.is_property(said) or words.is_product(said)
    if words.is_order(said):
        return True
    heads = found.start() == 0 or found.string[found.start() - 1] == "\n"
    return bool(found["square"]) and words.is_property(said) and not (heads and words.heads(said))


def _find_in_angles(text: str) -> str | None:
    if "<" not in text:
        return None
    for found in _ANGLE.finditer(text):
        name = found[1]
        said = name.casefold().split()
        if said[0] in HTML_TAGS and (len(said) == 1 or "=" in name):
            continue
        to_replace = name.upper() == name or not _TO_REPLACE.isdisjoint(said)
        to_replace = to_replace or words.is_property(frozenset(said))
        if to_replace and f"</{name}>" not in text:
            return found[0]
    return None


def _find_to_do(text: str) -> str | None:
    if _NOTHING.fullmatch(text):
        return text
    if len(text) <= _LONGEST_LABEL:
        said = fold(text)
        if said in words.TO_DO or words.is_instruction(frozenset(said.split())):
            return text
    found = _TO_DO_WITHIN.search(text)
    if found and not (found[0].upper().startswith("XX") and _SIZES.search(text)):
        return found[0].strip()
    # "TODO write this"; all in capitals it may be Spanish.
    return "TODO" if _TO_DO_FIRST.match(text) and not text.isupper() else None


def is_totals_row(prompt: str, cells: Iterable[str]) -> bool:
    """Tell whether a row sums a table up: it has a label such as "Total", and no other prompt.

    Args:
        prompt: the row's prompt; empty without one.
        cells: all cells of the row.

    """
    if is_total(prompt):
        return True
    if prompt and not _FIGURE.fullmatch(prompt.strip()):
        return False
    labels = (cell for cell in cells if 0 < len(cell) <= _LONGEST_LABEL)
    return any(is_total(cell) or fold(cell) in words.FIGURES for cell in labels)


def is_total(cell: str) -> bool:
    """Tell whether a cell is the label of a totals row: "Total", "Summe: 25", "合計"."""
    label = fold(_NUMBER_BEHIND.sub("", cell[:_LONGEST]))
    first, _, rest = label.partition(" ")
    counted = bool(rest) and first in words.TOTALS and words.SUMMED.issuperset(rest.split())
    return counted or label in words.TOTALS


def fold(text: str) -> str:
    """Return the words of a text as they are compared: small letters, blanks for all signs."""
    return _NOT_LETTERS.sub(" ", text[:_LONGEST].casefold()).strip()


def quote(text: str) -> str:
    """Return a quoted text as a sentence shows it."""
    return f'"{shorten(" ".join(text.split()))}"'
