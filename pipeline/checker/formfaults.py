"""What is wrong with a row's form, in sentences: which cell, what its model takes, what to write.

Tested in tests/checker/test_drafts.py and tests/checker/test_rowmodels.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.checker.rules import FORM_FIELDS, IMAGE_FIELDS, keeps_its_hash
from pipeline.manifest.wording import begin, shorten
from pipeline.models.records import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.checker.modelrules import ModelRules
    from pipeline.models.records import ConditionRule, Value


def explain_form(
    texts: Mapping[str, str], pictures: int, model: ModelRules
) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with the cells of a row's form: the field, a code, and a sentence.

    Args:
        texts: what the cells say, by field.
        pictures: how many pictures the row names.
        model: the rules of its model.

    """
    said: dict[str, Value] = {}
    strange: set[str] = set()
    for name in dict.fromkeys((*FORM_FIELDS, *model.fields)):
        text = texts.get(name, "")
        if not text:
            continue
        if name not in model.fields:
            yield (
                name,
                f"{name}_not_allowed",
                f"{model.model} takes no {_words(name)}. Leave the cell empty.",
            )
            continue
        value = model.understand(name, text)
        if value is not None:
            said[name] = value
            continue
        strange.add(name)
        yield name, f"{name}_not_allowed", _say_not_allowed(name, text, model)
    values = model.values_of({**said, "images": pictures})
    for name in strange:
        values.pop(name, None)
    rule = model.broken(values, pictures)
    if rule is not None and not strange & {*rule.when, *rule.wanted}:
        image = next((name for name in reversed(IMAGE_FIELDS) if texts.get(name)), "prompt")
        place, code, sentence = _explain_rule(rule, values, said, pictures, model)
        yield place or image, code, sentence


def _say_not_allowed(name: str, text: str, model: ModelRules) -> str:
    rule = model.fields[name]
    if rule.type == "string" and rule.values is None:
        return (
            f"The {_words(name)} has {len(text):,} characters; {model.model} takes at most "
            f"{rule.longest:,}. Shorten it."
        )
    default = model.defaults.get(name)
    empty = "" if default is None else f" for {show(default)}"
    return (
        f'The {_words(name)} "{shorten(text)}" is not possible{_with(model)}. '
        f"Write {model.sentence(name)}, or leave the cell empty{empty}."
    )


def _explain_rule(
    rule: ConditionRule,
    values: Mapping[str, Value],
    said: Mapping[str, Value],
    pictures: int,
    model: ModelRules,
) -> tuple[str, str, str]:
    """Explain a rule; the cell that says something is the one to change, if there is one."""
    named = [*rule.when, *rule.wanted]
    fields = [name for name in named if name in model.fields]
    place = next((name for name in fields if name in said), "")
    other = next((name for name in rule.wanted if name in values), "")
    if other:
        has = show(values[other])
    else:
        has = f"{pictures} pictures" if "images" in named else "none of these"
    origin = ""
    first = next(iter(rule.when))
    if first in model.fields and first not in said:
        origin = f", and the {_words(first)} is the default"
    ways = model.remedies(rule)
    advice = f" Write {', or '.join(ways)}." if ways else ""
    if "images" in named and not ways:
        advice = " Name another number of pictures."
    if not place and other in model.fields and not keeps_its_hash(model.model):
        place = other  # the cell is empty: its default is what breaks the rule
        origin = f", the default of {_words(other)}"
    code = "resolution_needs_frame" if first == "resolution" else "model_rule"
    return place, code, f"{begin(rule.say)}; this row has {has}{origin}.{advice}"


def wrong_count(named: int, model: ModelRules, most: int) -> str:
    """Say that a row names a number of pictures that its model does not take.

    Args:
        named: how many it names.
        model: the rules of its model.
        most: how many are counted.

    """
    counts = model.counts
    if counts == (0, 1, 3):
        remedy = "Remove one or add a third." if named == 2 else "Keep three, one or none."  # noqa: PLR2004
    elif counts == (0, 1, 2, 3):
        remedy = "Keep three."
    else:
        remedy = f"Name {model.say_counts()}."
    shown: object = f"more than {most}" if named > most else named
    pictures = "no picture" if not named else f"{shown} pictures" if named != 1 else "1 picture"
    what = "a video" if keeps_its_hash(model.model) else f"a video of {model.model}"
    return f"The row names {pictures}; {what} takes {model.say_counts()}. {remedy}"


def _with(model: ModelRules) -> str:
    return "" if keeps_its_hash(model.model) else f" with {model.model}"


def _words(field: str) -> str:
    return field.replace("_", " ")
