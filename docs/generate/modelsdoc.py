"""The page of models: what each of those takes that come with Reelsheet."""

from __future__ import annotations

from pipeline.models.describing import say_pictures, say_price, say_prompt, say_rule
from pipeline.models.records import FieldRule, Sheet, show
from pipeline.models.shelf import DEFAULT_MODEL, shipped_sheets

from .tables import table


def models() -> str:
    """Return the table of models."""
    sheets: dict[int, Sheet] = {id(one): one for one in shipped_sheets().values()}
    first = sorted(sheets.values(), key=lambda one: DEFAULT_MODEL not in one.head.models)
    heads = ("model", "fields, and what an empty cell means", "pictures, prompt, rules", "price",
             "page read")  # fmt: skip
    return table(heads, map(_row, first))


def _row(sheet: Sheet) -> tuple[str, ...]:
    fields = "; ".join(f"`{name}` {_say(name, rule)}" for name, rule in sheet.fields.items())
    rules = [say_pictures(sheet), *(rule.say for rule in sheet.rules)]
    if sheet.prompt != type(sheet.prompt)():
        rules.insert(1, f"prompt: {say_prompt(sheet)}")
    return (
        ", ".join(f"`{name}`" for name in sheet.head.models),
        fields,
        "; ".join(rules),
        "; ".join(map(say_price, sheet.prices)) or "none public",
        f"[{sheet.head.read}]({sheet.head.source}){'' if sheet.head.verified else ', never run'}",
    )


def _say(name: str, rule: FieldRule) -> str:
    left = "left out" if rule.default is None else show(rule.default)
    return f"{say_rule(name, rule)} ({left})"
