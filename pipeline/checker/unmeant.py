"""Texts that nobody means to pay for: what was never filled in, never written, or is no product.

A video is made of whatever a prompt says. So a prompt that is certainly none is an error of its
row, until the setting `manifest.allow` names its code. Only what is certain is here: "Todo" is a
word in Spanish, `[WIDE SHOT]` a direction, `{"scene": "a mug"}` a way to write prompts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER, TODO, ERROR_TEXT = "prompt_placeholder", "prompt_todo", "error_text"
EXAMPLE_ROW, HEADER_ROW, TOTALS_ROW = "example_row", "header_row", "totals_row"

_LONGEST = 10_000
"""Characters of a text that are looked through."""
_SHOWN = 40
"""The most characters that a sentence quotes."""


class Unmeant(NamedTuple):
    """Why a text is none that anyone means: the code of the problem, and the sentence."""

    code: str
    sentence: str


# {{ title }}, {% if x %}, ${title}, {title}, {0}, [[title]], %s, %1$s, %(title)s, %TITLE%,
# __TITLE__
_PLACEHOLDER = re.compile(
    r"\{\{-?\s*[^\W\d][^{}]{0,200}\}\}|\{%[^%{}]{1,200}%\}|\$\{[^{}]{1,100}\}"
    r"|\{(?:[^\W\d]\w*(?:[ .-]\w+){0,5}|[0-9]{1,2})\}"
    r"|\[\[[^\[\]]{1,80}\]\]"
    r"|(?<![\w%])%(?:[0-9]{1,2}\$)?[sd@](?![\w%])|%\([^\W\d]\w{0,60}\)[sdrf]"
    r"|(?<![\w%])%[A-Za-z_]\w{0,60}%(?!\w)"
    r"|(?<!\w)__[A-Z][A-Z0-9_]{0,60}__(?!\w)"
)
_ANGLE = re.compile(r"<([^\W\d][\w .-]{1,60})>")
_SQUARE = re.compile(
    r"\[(?:insert|enter|add|your|fill in|name of)\s[^\[\]\n]{1,60}\]", re.IGNORECASE
)
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
# A whole prompt that says that there is none yet. Folded: small letters, blanks for signs.
_TO_DO = frozenset({
    "todo", "to do", "tbd", "tba", "tbc", "tktk", "fixme", "wip", "placeholder", "pending",
    "prompt here", "your prompt", "your prompt here", "write prompt", "write prompt here",
    "write the prompt", "insert prompt", "insert prompt here", "enter prompt", "enter prompt here",
    "add prompt", "add prompt here", "prompt missing", "missing prompt", "no prompt yet",
    "to be added", "to be announced", "to be confirmed", "to be decided", "to be defined",
    "to be determined", "to be done", "to be written", "fill in", "fill me in",
    "noch offen", "folgt noch", "kommt noch", "noch ergänzen", "noch zu ergänzen", "ausfüllen",
    "bitte ausfüllen", "bitte ergänzen", "wird noch ergänzt", "à faire", "à compléter",
    "à définir", "à remplir", "por definir", "por completar", "pendiente", "a definir",
    "a preencher", "por preencher", "da definire", "da completare", "da compilare", "da fare",
    "nog in te vullen", "nog invullen", "in te vullen", "do uzupełnienia", "do ustalenia",
    "待定", "待补充", "待填", "待填写", "未定", "未記入", "要記入", "要入力",
})  # fmt: skip
_TO_DO_WITHIN = re.compile(
    r"(?<![\w.])(?:(?i:tbd)|FIXME|(?i:x{3,20}))(?![\w.]?\w)"
    r"|\A\W{0,3}(?:todo|TODO|ToDo|to-do)\s?:|(?<!\w)TODO:|[\[(](?i:todo)[\])]|(?<!\w)TODO\W{0,3}\Z"
)
_TO_DO_FIRST = re.compile(r"TODO[\s,-]+\w")
_QUESTION = re.compile(r"[?\uff1f\s]{3,}")

# The errors of Excel, LibreOffice and Google Sheets in the languages that they are shown in.
_ERRORS = (
    "N/A", "REF!", "VALUE!", "NAME?", "DIV/0!", "NUM!", "NULL!", "SPILL!", "CALC!", "FIELD!",
    "BLOCKED!", "UNKNOWN!", "CONNECT!", "BUSY!", "ERROR!", "PYTHON!", "EXTERNAL!",
    "BEZUG!", "WERT!", "ZAHL!", "ÜBERLAUF!", "KALK!", "FELD!", "VALEUR!", "NOM?", "NOMBRE!",
    "NUL!", "PROPAGATION!", "¡REF!", "¡VALOR!", "¿NOMBRE?", "¡DIV/0!", "¡NUM!", "¡NULO!",
    "¡DESBORDAMIENTO!", "VALOR!", "NOME?", "NÚM!", "NULO!", "RIF!", "VALORE!", "VERW!", "WAARDE!",
    "NAAM?", "DEEL/0!", "GETAL!", "LEEG!", "ADR!", "ARG!", "NAZWA?", "LICZBA!", "DZIEL/0!", "ZERO!",
    "ССЫЛКА!", "ЗНАЧ!", "ИМЯ?", "ДЕЛ/0!", "ЧИСЛО!", "ПУСТО!",
)  # fmt: skip
_ERROR_WITHIN = re.compile(f"(?<![\\w#])#(?:{'|'.join(map(re.escape, _ERRORS))})(?!\\w)")
_ERROR_ALONE = re.compile(
    r"#(?:NV|NB|N/[ABD]!?|\u041d/\u0414|GETTING_DATA|#{2,})|(?:Err|Fehler):5[0-9]{2}"
)

_TOTALS = frozenset({
    "total", "totals", "grand total", "subtotal", "sub total", "sum", "summary", "sum total",
    "total rows", "total products", "total videos", "total seconds",
    "summe", "gesamt", "gesamtsumme", "gesamtergebnis", "ergebnis", "zwischensumme", "insgesamt",
    "total général", "sous total", "somme", "total general", "suma", "suma total", "totale",
    "totale complessivo", "somma", "totaal", "eindtotaal", "som", "total geral", "soma", "razem",
    "suma końcowa", "ogółem", "celkem", "součet", "summa", "yhteensä", "i alt", "toplam",
    "genel toplam", "итого", "итог", "всего", "сумма", "σύνολο", "合計", "総計", "小計", "集計",
    "合计", "总计", "總計", "小计", "汇总", "합계", "총계",
})  # fmt: skip
_FIGURES = frozenset({
    "count", "average", "mean", "anzahl", "mittelwert", "durchschnitt", "moyenne", "promedio",
    "media", "gemiddelde", "aantal", "średnia", "min", "max", "minimum", "maximum",
})  # fmt: skip
"""Labels of other rows of figures: words of products, too, so they count beside a figure alone."""
_NUMBER_BEHIND = re.compile(r"[\s:=(]*[0-9][0-9.,\s]*(?:[^\W\d]{1,10}\.?|[€$£¥%])?[\s)]*\Z")

_FIGURE = re.compile(r"[0-9.,\s:%€$£¥]*(?:s|sec|seconds|videos|rows)?", re.IGNORECASE)
_LONGEST_LABEL = 40


def judge_prompt(prompt: str) -> Unmeant | None:
    """Say why a prompt is certainly none; None if it may be meant."""
    text = prompt[:_LONGEST].strip()
    if found := find_error(text):
        return Unmeant(ERROR_TEXT, f"The prompt holds {found}, the error of a formula.")
    if found := _find_placeholder(text):
        return Unmeant(
            PLACEHOLDER,
            f"The prompt holds a placeholder that was not filled in: {shorten(found)}. Write the "
            "words that belong there.",
        )
    if found := _find_to_do(text):
        return Unmeant(
            TODO,
            f"The prompt is not written yet: it says {shorten(found)}. Write what the video should "
            "show.",
        )
    return None


def find_error(text: str) -> str | None:
    """Return the error of a spreadsheet that a text holds, in whatever language; None if none."""
    if "#" not in text and ":5" not in text:
        return None
    found = _ERROR_WITHIN.search(text) or _ERROR_ALONE.fullmatch(text.strip())
    return found[0] if found else None


def _find_placeholder(text: str) -> str | None:
    if found := _PLACEHOLDER.search(text) or _SQUARE.search(text) or _LOREM.search(text):
        return found[0]
    if "<" not in text:
        return None
    for found in _ANGLE.finditer(text):
        name = found[1]
        words = name.casefold().split()
        if words[0] in HTML_TAGS and (len(words) == 1 or "=" in name):
            continue
        to_replace = name.upper() == name or not _TO_REPLACE.isdisjoint(words)
        if to_replace and f"</{name}>" not in text:
            return found[0]
    return None


def _find_to_do(text: str) -> str | None:
    if fold(text) in _TO_DO or _QUESTION.fullmatch(text):
        return text
    if found := _TO_DO_WITHIN.search(text):
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
    return any(is_total(cell) or fold(cell) in _FIGURES for cell in labels)


def is_total(cell: str) -> bool:
    """Tell whether a cell is the label of a totals row: "Total", "Summe: 25", "合計"."""
    return fold(_NUMBER_BEHIND.sub("", cell[:_LONGEST])) in _TOTALS


def fold(text: str) -> str:
    """Return the words of a text as they are compared: small letters, blanks for all signs."""
    return _NOT_LETTERS.sub(" ", text[:_LONGEST].casefold()).strip()


def shorten(text: str) -> str:
    """Return a quoted text as a sentence shows it."""
    plain = " ".join(text.split())
    return f'"{plain if len(plain) <= _SHOWN else plain[: _SHOWN - 1] + "…"}"'
