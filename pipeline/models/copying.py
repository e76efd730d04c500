"""A sheet as the text of its file: what `models new` begins with. Pure.

Tested in tests/models/test_copying.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from pipeline.models.records import (
    ANY,
    ConditionRule,
    Conditions,
    Price,
    PromptRule,
    Sheet,
    name_of_frame,
)

_MODEL = "model"
"""What conditions of a sheet for several models ask for."""
_PROMPT = "[prompt]\nrequired = true\n"
_ALWAYS: Conditions = {"images": "any"}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_HEAD = """\
# Made like the sheet of {like}. Change what the page of {name} says otherwise, then:
#   reelsheet models check {file}
sheet  = 1
models = [{named}]
# The address of the page, and the day on which you have read it.
source = {source}
read   = {read}
"""


def write_sheet_like(sheet: Sheet, like: str, name: str, *, today: date, replaces: bool) -> str:
    """Return the text of a new sheet that says of a model what another sheet says.

    Args:
        sheet: the other sheet.
        like: the model that it is for, of those that it is for.
        name: the model that the new one is for.
        today: the day on which the page is read.
        replaces: whether the program has a sheet for the model.

    """
    head = _HEAD.format(
        like=like,
        name=name,
        file=f"models/{name}.toml",
        named=_text(name),
        source=_text(sheet.head.source),
        read=today.isoformat(),
    )
    sections = [
        _table("prompt", sheet.prompt) if sheet.prompt != PromptRule() else _PROMPT,
        *(_table("images", one, listed=True) for one in sheet.images),
        *(_table(f"fields.{field}", rule) for field, rule in sheet.fields.items()),
        *(
            _table("rules", rule._replace(say=rule.say.replace(like, name)), listed=True)
            for rule in _rules_of(sheet, like)
        ),
        *(_table("prices", price, listed=True) for price in _prices_of(sheet, like)),
    ]
    if sheet.frames:
        sizes = (
            f"{_text(name_of_frame(parts))} = {_inline(list(size))}\n"
            for parts, size in sheet.frames.items()
        )
        sections.append("[frames]\n" + "".join(sizes))
    if any(value is not None for value in sheet.image_files):
        sections.append(_table("image_files", sheet.image_files))
    return (
        head + ("replaces = true\n" if replaces else "") + "".join(f"\n{one}" for one in sections)
    )


def _rules_of(sheet: Sheet, model: str) -> Iterator[ConditionRule]:
    """Yield the rules that hold for a model, without asking any more which it is."""
    for rule in sheet.rules:
        if (when := _without_model(rule.when, model)) is None:
            continue
        when = when or _ALWAYS
        need, forbid = _without_model(rule.need or {}, model), dict(rule.forbid or {})
        never = need is None or (_MODEL in forbid and _names(forbid.pop(_MODEL), model))
        if never:
            yield rule._replace(when=when, need=None, forbid=when)
        elif need or forbid:
            yield rule._replace(when=when, need=need or None, forbid=forbid or None)


def _prices_of(sheet: Sheet, model: str) -> Iterator[Price]:
    for price in sheet.prices:
        if (when := _without_model(price.when, model)) is not None:
            yield price._replace(when=when)


def _without_model(conditions: Conditions, model: str) -> Conditions | None:
    """Return conditions without that of the model; None where it is not met."""
    if _MODEL in conditions and not _names(conditions[_MODEL], model):
        return None
    return {name: wanted for name, wanted in conditions.items() if name != _MODEL}


def _names(wanted: object, model: str) -> bool:
    return wanted == ANY or (isinstance(wanted, list) and model in wanted)


def _table(title: str, section: NamedTuple, *, listed: bool = False) -> str:
    """Write what a section says beyond its defaults."""
    defaults = type(section)._field_defaults
    said = {
        name: value
        for name, value in section._asdict().items()
        if value is not None and (name not in defaults or value != defaults[name])
    }
    lines = [f"{name.rstrip('_')} = {_inline(value)}\n" for name, value in said.items()]
    return (f"[[{title}]]\n" if listed else f"[{title}]\n") + "".join(lines)


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(name)} = {_inline(one)}" for name, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    return _text(value)


def _key(name: str) -> str:
    return name if name and _BARE.issuperset(name) else _text(name)


def _text(value: object) -> str:
    """Write a text, a number or a boolean: those of JSON are those of TOML."""
    return json.dumps(value, ensure_ascii=False)
