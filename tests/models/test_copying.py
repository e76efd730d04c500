"""A new sheet like another one says the same of its model, and is read strictly."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.models.copying import write_sheet_like
from pipeline.models.records import Sheet, Value
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import shipped_sheets

DAY = date(2026, 11, 23)


def copy_of(sheet: Sheet, like: str, name: str = "clip-2") -> Sheet:
    text = write_sheet_like(sheet, like, name, today=DAY, replaces=False)
    return read_sheet(text, "clip-2.toml")


@pytest.mark.parametrize("like", shipped_sheets())
def test_each_sheet_can_be_copied(like: str) -> None:
    """Everything but the head is the same; nothing asks for a model that is not there."""
    sheet = shipped_sheets()[like]
    copy = copy_of(sheet, like)
    assert copy[1:4] == sheet[1:4]
    assert copy[5:] == sheet[5:]
    assert copy.head.models == ["clip-2"]
    assert (copy.head.read, copy.head.verified, copy.head.aliases) == (DAY, False, ())


def test_rules_about_one_of_several_models() -> None:
    """Only those that hold for the one that is copied are kept, and hold always."""
    sheet = shipped_sheets()["veo3.1-fast"]
    assert copy_of(sheet, "veo3.1-fast").rules == ()
    (rule,) = copy_of(sheet, "veo3.1-quality").rules
    assert rule.is_broken_by({"images": 3, "model": "clip-2"})
    assert not rule.is_broken_by({"images": 2, "model": "clip-2"})


HEAD = """
sheet = 1
models = ["a", "b"]
source = "https://example.test/"
read = 2026-11-22
[[images]]
counts = [0]
[[images]]
counts = [9]
put = { urls = ["{*}"] }
[fields.mode]
values = ["x", "y", "say \\"z\\""]
"""


@pytest.mark.parametrize(
    ("rule", "broken_a", "broken_b"),
    [
        ('need = { model = ["a"] }', False, True),
        ('forbid = { model = ["a"] }', True, False),
        ('forbid = { model = ["a"], images = [9] }', True, False),
        ('need = { model = ["a"], images = [9] }', True, True),
    ],
)
def test_rules_that_need_or_forbid_a_model(rule: str, broken_a: bool, broken_b: bool) -> None:
    """What they mean for the one that is copied, they mean for the copy."""
    text = f'{HEAD}[[rules]]\nwhen = {{ mode = ["x"] }}\n{rule}\nsay = "so"\n'
    sheet = read_sheet(text, "ab.toml")
    for like, broken in (("a", broken_a), ("b", broken_b)):
        rules = copy_of(sheet, like).rules
        said: dict[str, Value] = {"mode": "x", "images": 0, "model": "clip-2"}
        assert any(one.is_broken_by(said) for one in rules) is broken
        assert not any(one.is_broken_by({**said, "mode": "y"}) for one in rules)
