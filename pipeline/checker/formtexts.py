"""What people write in the cells of a row's form, in any model: seconds, shapes, lines, yes and no.

Which of it a model takes is not asked here (see `modelrules`).

Tested in tests/checker/test_rules.py and tests/checker/test_rowmodels.py.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.manifest.blank import fold_text
from pipeline.manifest.meanings import is_unit_of_seconds

_SECONDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*(?:s|sec|secs|seconds?|\u2032\u2032|\")?\.?")
_IN_WORDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*([^\W\d_]{1,20}\.?)")
# Excel turns 16:9 into a time, which comes out as 16:09, 16:09:00, 4:09 PM, the fraction of a day,
# or a time on the first day of its calendar.
_RATIO = re.compile(r"0*([0-9]{1,4})\s*[:x\u00d7/\u2236\u2215\u2044]\s*0*([0-9]{1,4})(?::00)?")
_DAY_FRACTION = re.compile(r"0?[.,][0-9]{4,}")
_CLOCK = re.compile(r"0*([0-9]{1,2}):([0-9]{2})(?::00)?\s*([ap])\.?m\.?")
_FIRST_DAY = re.compile(r"(?:1899-12-3[01]|1900-01-0[01])[t ]")
_MINUTES_PER_DAY = 1440
_LINES = re.compile(r"0*([0-9]{3,4})\s*p?")
_UPRIGHT = (
    "portrait", "vertical", "hochformat", "hochkant", "verticale", "retrato", "staand", "pionowy",
    "pionowo", "竖屏", "竖版", "直式", "縦", "縦長", "縦型",
)  # fmt: skip
_LYING = (
    "landscape", "horizontal", "querformat", "paysage", "orizzontale", "horizontale", "paisagem",
    "apaisado", "liggend", "poziomy", "poziomo", "横屏", "横版", "橫式", "横", "横長", "横型",
)  # fmt: skip
_SHAPES = dict.fromkeys(_UPRIGHT, "9:16") | dict.fromkeys(_LYING, "16:9")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?=(?:[.,]0*)?$)")
_YES = frozenset({
    "true", "yes", "y", "on", "1", "ja", "an", "wahr", "oui", "vrai", "si", "sí", "vero", "sim",
    "verdadeiro", "tak", "prawda", "是", "はい", "✓",
})  # fmt: skip
_NO = frozenset({
    "false", "no", "n", "off", "0", "nein", "aus", "falsch", "non", "faux", "falso", "não", "nao",
    "nie", "fałsz", "否", "いいえ", "✗",
})  # fmt: skip


@lru_cache(maxsize=4096)
def seconds_in(text: str) -> int | None:
    """Read a duration: `4`, `4s`, `4 Sekunden`, `4.0`, full-width digits…; None if it is none."""
    plain = fold_text(text)
    match = _SECONDS.fullmatch(plain)
    if match is None and (worded := _IN_WORDS.fullmatch(plain)) and is_unit_of_seconds(worded[2]):
        match = worded
    return int(match[1]) if match else None


@lru_cache(maxsize=4096)
def ratio_in(text: str) -> str | None:
    """Read an aspect ratio: `16:9`, `16x9`, `16/9`, `portrait`, a time…; None if it is none."""
    plain = _FIRST_DAY.sub("", fold_text(text), count=1)
    match = _RATIO.fullmatch(plain)
    return f"{match[1]}:{match[2]}" if match else _SHAPES.get(plain) or _ratio_of_time(plain)


@lru_cache(maxsize=4096)
def lines_in(text: str) -> str | None:
    """Read the lines of a resolution: `720`, `720p`, `1080P`…; None if it has none."""
    match = _LINES.fullmatch(fold_text(text))
    return match[1] if match else None


def yes_or_no_in(text: str) -> bool | None:
    """Read yes or no in any of the languages; None if it is neither."""
    plain = fold_text(text)
    return True if plain in _YES else False if plain in _NO else None


def whole_in(text: str) -> int | None:
    """Read a whole number, as a spreadsheet writes it; None if it is none."""
    match = _WHOLE.match(fold_text(text))
    return int(match[0]) if match else None


def _ratio_of_time(plain: str) -> str | None:
    """Find the aspect ratio that was typed where a spreadsheet kept a time of day."""
    if _DAY_FRACTION.fullmatch(plain):
        minutes = round(float(plain.replace(",", ".")) * _MINUTES_PER_DAY, 1)
        hours, rest = divmod(minutes, 60)
        return f"{hours:g}:{rest:g}"
    if clock := _CLOCK.fullmatch(plain):
        return f"{int(clock[1]) % 12 + 12 * (clock[3] == 'p')}:{int(clock[2])}"
    return None
