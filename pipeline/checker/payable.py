"""The rows that are not to be paid for although they break no rule: found, held, or let through.

Most manifests hold none: their prompts are looked through in bundles, by signs that all of these
texts have, and only what has one is looked at by itself.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice, repeat
from typing import TYPE_CHECKING, get_args

from pipeline.checker import unmeant
from pipeline.checker.drafts import problem_at
from pipeline.checker.packeddrafts import drafts_without
from pipeline.checker.unmeant import (
    ERROR_TEXT,
    EXAMPLE_ROW,
    HEADER_ROW,
    TOTALS_ROW,
    Unmeant,
    judge_prompt,
)
from pipeline.checker.unmeantwords import is_label
from pipeline.config.values import AllowedCode
from pipeline.manifest.blank import strip_blanks
from pipeline.manifest.examples import EXAMPLE_PROMPTS
from pipeline.manifest.meanings import meanings_of
from pipeline.manifest.packedrows import numbers_of, texts_of
from pipeline.manifest.wording import agree, count, list_numbers, plural
from pipeline.model import Manifest, Problem, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.checker.rules import Draft

_ALLOWABLE = frozenset(get_args(AllowedCode))
_BUNDLE = 1000
"""Prompts that are looked through together."""
_SHORT = 24
"""A prompt of so few characters is always looked at: it may say no more than "to be written"."""
# Each text that `judge_prompt` refuses is short, is an example, or has one of these.
# `#` in a key, too.
_SIGNS = re.compile(
    r"[{<%#\[\u00ab\u3010\u3008\u300a\u300c\u300e\uff3b\uff5b]|\$[A-Z]|}}|@@|\*\||&lt;|__"
)
# One of which each of those has: they are found in a hundredth of the time.
_OF_SIGNS = "{<%[#$}@*&_\u00ab\u3010\u3008\u300a\u300c\u300e\uff3b\uff5b"
_WORDS = (
    "todo", "tbd", "fixme", "xxx", "orem ipsum", "prompt", "insert", "insér", "einfügen",
    "eintragen", "ergänzen", "invoegen",
)  # fmt: skip
_ASCII_WORDS = tuple(filter(str.isascii, _WORDS))


@dataclass(frozen=True, slots=True)
class SoughtIn:
    """Where texts are looked for that nobody means.

    `made` are the prompts that a template made, by the number of their row, `made_of` the indexes
    of the columns that it uses. `live` says that videos are paid for.
    """

    manifest: Manifest
    keys: Sequence[str]
    fields: Mapping[str, int]
    made: Mapping[int, str]
    made_of: Sequence[int] = ()
    live: bool = True

    def find(self) -> list[Problem]:
        """Find the rows that are certainly not meant, each with an error that can be allowed."""
        prompt_at, rows, found = self.fields.get("prompt"), self.manifest.rows, list[Problem]()
        prompts, start = iter(self._prompts(prompt_at)), 0
        while texts := list(islice(prompts, _BUNDLE)):
            for at in self._suspects(texts):
                fault = self._judge(rows[start + at], texts[at])
                if fault is not None:
                    found.append(self._problem(start + at, prompt_at, fault))
            start += len(texts)
        return [*found, *self._in_keys(), *self._in_parts_of_prompts()]

    def _prompts(self, prompt_at: int | None) -> Iterable[str]:
        rows = self.manifest.rows
        texts = repeat("", len(rows)) if prompt_at is None else texts_of(rows, prompt_at)
        if not self.made:
            return texts
        return map(self.made.get, numbers_of(rows), texts)

    def _suspects(self, texts: Sequence[str]) -> Iterable[int]:
        joined = "\n".join(texts)
        examples = self.live and not EXAMPLE_PROMPTS.isdisjoint(texts)
        if not examples and not _has_a_sign(joined):
            if min(map(len, texts)) > _SHORT:
                return ()
            return [at for at, text in enumerate(texts) if len(text) <= _SHORT]
        return [
            at
            for at, text in enumerate(texts)
            if len(text) <= _SHORT or (examples and text in EXAMPLE_PROMPTS) or _has_a_sign(text)
        ]

    def _judge(self, row: Row, text: str) -> Unmeant | None:
        prompt = strip_blanks(text)
        if self.live and prompt in EXAMPLE_PROMPTS:
            return Unmeant(
                EXAMPLE_ROW,
                "This is an example row of the template. Write your own product over it, or delete "
                "the row.",
            )
        if len(prompt) <= _SHORT:
            if self._repeats_headers(row, prompt):
                return Unmeant(HEADER_ROW, "This row repeats the headers. Delete it.")
            if self._labels_columns(row, prompt):
                return Unmeant(HEADER_ROW, "This row says what the columns are. Delete it.")
            if unmeant.is_totals_row(prompt, row.cells):
                return Unmeant(TOTALS_ROW, "This is a row of totals, not a product. Delete it.")
        return judge_prompt(prompt) if prompt else None

    def _repeats_headers(self, row: Row, prompt: str) -> bool:
        at = self.fields.get("prompt")
        if at is None or not prompt or not _is_same(prompt, self.manifest.headers[at]):
            return False
        filled = [pair for pair in zip(row.cells, self.manifest.headers, strict=True) if pair[0]]
        return 2 * sum(_is_same(*pair) for pair in filled) > len(filled)

    def _labels_columns(self, row: Row, prompt: str) -> bool:
        """Tell whether a row holds the headers in other words, or what belongs below each."""
        if not prompt or not _is_label(prompt, "prompt"):
            return False
        names = {index: name for name, index in self.fields.items()}
        filled = [(cell, names.get(at)) for at, cell in enumerate(row.cells) if cell.strip()]
        labels = sum(_is_label(cell, name) for cell, name in filled)
        return labels > 1 and 2 * labels > len(filled)

    def _in_keys(self) -> Iterator[Problem]:
        key_at = self.fields.get("key")
        if key_at is None:
            return
        for at, text in enumerate(texts_of(self.manifest.rows, key_at)):
            if "#" in text and unmeant.find_error(cell := text.strip()) == cell:
                sentence = f"The key is {cell}, the error of a formula. Write the key."
                yield self._problem(at, key_at, Unmeant(ERROR_TEXT, sentence))

    def _in_parts_of_prompts(self) -> Iterator[Problem]:
        """Yield the problems of cells that made prompts are made of."""
        for at, row in enumerate(self.manifest.rows if self.made else ()):
            if row.number not in self.made or judge_prompt(self.made[row.number]) is not None:
                continue
            for index in self.made_of:
                text = strip_blanks(row.cells[index])
                fault = judge_prompt(text) if 0 < len(text) <= _SHORT else None
                if fault is not None:
                    sentence = fault.sentence.replace("The prompt", "A cell of the prompt", 1)
                    yield self._problem(at, index, Unmeant(fault.code, sentence))

    def _problem(self, at: int, index: int | None, fault: Unmeant) -> Problem:
        row, key = self.manifest.rows[at], self.keys[at]
        return problem_at(
            self.manifest, row.number, index, key, code=fault.code, message=fault.sentence
        )


def _is_same(cell: str, header: str) -> bool:
    return bool(cell) and unmeant.fold(cell) == unmeant.fold(header)


def _is_label(cell: str, field: str | None) -> bool:
    """Tell whether a cell is what a column is called, if `field` that of this field."""
    said = unmeant.fold(cell) if len(cell) <= _SHORT else ""
    if is_label(said):
        return True
    return bool(said) and any(one.field == field for one in meanings_of(cell))


def _has_a_sign(text: str) -> bool:
    if any(sign in text for sign in _OF_SIGNS) and _SIGNS.search(text):
        return True
    if unmeant.begins_as_example(text):
        return True
    lowered = text.lower()
    return any(word in lowered for word in (_ASCII_WORDS if text.isascii() else _WORDS))


@dataclass(frozen=True, slots=True)
class Sorted:
    """The rows that can be sent, those that nobody means, which are held, and all problems."""

    drafts: Mapping[int, Draft]
    held: Mapping[int, Draft]
    problems: list[Problem]


def hold_unmeant(
    drafts: Mapping[int, Draft],
    problems: list[Problem],
    found: Sequence[Problem],
    allowed: Sequence[str],
) -> Sorted:
    """Hold the rows that nobody means, and say how each kind is let through.

    Args:
        drafts: the rows that break no rule, by their numbers.
        problems: what else was found.
        found: the problems of rows that nobody means.
        allowed: the codes that are let through.

    """
    if not found:
        return Sorted(drafts, {}, problems)
    refused = [_with_remedy(one, allowed) for one in found if one.code not in allowed]
    rows = {one.row for one in refused}
    totals = {one.row for one in refused if one.code in {TOTALS_ROW, HEADER_ROW}}
    # That the totals have no prompt, or a duration of 600 s, is not said as well.
    kept = [one for one in problems if one.row is None or one.row not in totals]
    numbers = sorted({row for row in rows if row is not None and row in drafts})
    return Sorted(
        drafts_without(drafts, frozenset(numbers)),
        {number: drafts[number] for number in numbers},
        [*kept, *refused, *_say_allowed([one for one in found if one.code in allowed])],
    )


def _with_remedy(problem: Problem, allowed: Sequence[str]) -> Problem:
    if problem.code not in _ALLOWABLE:
        return problem
    codes = ",".join(dict.fromkeys([*allowed, problem.code]))
    listed = codes.replace(",", ", ")
    remedy = (
        f"If it is meant, let it through with manifest.allow: [{listed}] in the configuration, or "
        f"--set manifest.allow={codes}"
    )
    return replace(problem, message=f"{problem.message} {remedy}")


def _say_allowed(found: Sequence[Problem]) -> Iterator[Problem]:
    """Yield a warning for each kind of text that the settings let through."""
    by_code: defaultdict[str, list[int]] = defaultdict(list)
    for one in found:
        by_code[one.code].append(one.row or 0)
    for code, rows in by_code.items():
        numbers = list(dict.fromkeys(rows))
        yield Problem(
            code=code,
            message=f"{count(len(numbers), 'row')} ({name_rows(numbers)}) "
            f"{agree(len(numbers), 'is', 'are')} let through by manifest.allow: {code}.",
            severity=Severity.WARNING,
        )


def name_rows(numbers: Sequence[int]) -> str:
    """Return "row 3", "rows 3, 4 and 7"."""
    return f"{plural(len(numbers), 'row')} {list_numbers(numbers)}"
