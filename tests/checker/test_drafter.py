"""The quick reader of rows: what it drafts is what the rules say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checker.drafter import drafter
from pipeline.checker.rules import FORM_FIELDS, IMAGE_FIELDS, LONG_PROMPT, Defaults, parse
from pipeline.model import Manifest, Row

OTHERS = (*IMAGE_FIELDS, *FORM_FIELDS)
TEXTS = st.sampled_from(
    ("", " ", "4", "6s", "5", "16:9", "9x16", "1080", "720p", "\u200b", "a.png")
)


@given(st.fixed_dictionaries({"prompt": TEXTS}, optional=dict.fromkeys(OTHERS, TEXTS)))
def test_quick_drafts_are_those_of_parse(cells: dict[str, str]) -> None:
    """The quick reader gives what `parse` gives without a word, or leaves the row to it."""
    fields = {name: index for index, name in enumerate(cells)}
    row = Row(7, tuple(cells.values()))
    manifest = Manifest(Path("shop.csv"), tuple(cells), (row,))
    parsed, problems = parse(row, "A", manifest=manifest, fields=fields, defaults=Defaults())
    draft = drafter(fields, Defaults())(row, "A")
    if draft is not None:
        assert (draft, ()) == (parsed, problems)
    elif not cells.get("images"):
        assert problems


@pytest.mark.parametrize("prompt", ["", " \u200b ", "x" * (LONG_PROMPT + 1)])
def test_quick_reader_leaves_odd_prompts(prompt: str) -> None:
    """A prompt that is missing or very long is not the quick reader's to judge."""
    assert drafter({"prompt": 0}, Defaults())(Row(7, (prompt,)), "A") is None
    assert drafter({"duration": 0}, Defaults())(Row(7, ("6",)), "A") is None
