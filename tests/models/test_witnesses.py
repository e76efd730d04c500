"""Three witnesses of each shipped model agree: its sheet, the emulator's own rules, and requests.

The sheet says what is sent, the emulator what the provider takes; neither reads the other. The
requests in tests/examples are written from the facts of the pages. A mistake in one of the three
shows here, before a row is paid for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from pipeline.emulator.orders import RefusedError
from pipeline.emulator.pages import MODELS, check_order
from pipeline.models.body import make_body
from pipeline.models.records import FieldRule, Sheet, Value
from pipeline.models.shelf import shipped_sheets

EXAMPLES = Path(__file__).parents[1] / "examples"
URLS = [f"https://shop.example/{number}.jpg" for number in range(1, 6)]
SEEDS = (-1, 0, 2**31)
WRONG: tuple[Any, ...] = ("", "x", "720P ", 0, 99, -1, 4.5, True, None, [], {}, "6")
"""What somebody might send by mistake, in any field."""


def values_of(rule: FieldRule) -> Sequence[Value | None]:
    """Every value that a row may say, and nothing where the field may be left out."""
    if rule.values is not None:
        allowed: Sequence[Value] = rule.values
    elif rule.range is not None:
        fewest, most = rule.range
        allowed = range(fewest, most + 1)
    else:
        allowed = (True, False) if rule.type == "boolean" else SEEDS
    return [*allowed, *([] if rule.default is not None else [None])]


def combinations_of(model: str, sheet: Sheet) -> Iterator[tuple[dict[str, Value], int, bool]]:
    """Yield the values of all fields, a number of pictures, and whether the rules allow both."""
    values = map(values_of, sheet.fields.values())
    for count, chosen in product(sheet.picture_counts, product(*values)):
        named = zip(sheet.fields, chosen, strict=True)
        said = {name: value for name, value in named if value is not None}
        told: dict[str, Value] = {**said, "images": count, "model": model}
        yield said, count, not any(rule.is_broken_by(told) for rule in sheet.rules)


def takes(body: object) -> bool:
    """Return whether the emulator takes a body, as it comes over the wire."""
    try:
        check_order(json.loads(json.dumps(body)), MODELS, lambda _: True)
    except RefusedError:
        return False
    return True


def body_of(model: str, said: dict[str, Value], count: int, prompt: str = "A mug") -> Any:
    sheet = shipped_sheets()[model]
    return make_body(sheet, model, prompt, values=said, image_urls=URLS[:count], reference="row-1")


def test_every_sheet_has_all_witnesses() -> None:
    """A model that is shipped without rules of its own in the emulator would be believed."""
    assert set(MODELS) == set(shipped_sheets())
    assert {path.stem for path in EXAMPLES.glob("*.json")} == set(MODELS)


def test_how_much_is_tried() -> None:
    """As docs/promises.md says."""
    sheets = shipped_sheets()
    tried = [one for model in MODELS for one in combinations_of(model, sheets[model])]
    wrong = [
        one
        for model in MODELS
        for said, count in bases_of(model)
        for name, rule in sheets[model].fields.items()
        for one in mutations_of(body_of(model, said, count), rule.path or name)
    ]
    assert (len(tried), len(wrong)) == (14_112, 888)


@pytest.mark.parametrize("model", MODELS)
def test_every_combination(model: str) -> None:
    """What the sheet allows is taken, and what its rules forbid is refused."""
    sheet, tried = shipped_sheets()[model], 0
    for said, count, allowed in combinations_of(model, sheet):
        assert takes(body_of(model, said, count)) is allowed, (said, count)
        tried += 1
    assert tried >= 10


def bases_of(model: str) -> Iterator[tuple[dict[str, Value], int]]:
    """Yield allowed values for each number of pictures with which the sheet allows any."""
    seen = set()
    for said, count, allowed in combinations_of(model, shipped_sheets()[model]):
        if allowed and count not in seen:
            seen.add(count)
            yield said, count


def mutations_of(body: Any, path: str) -> Iterator[tuple[Any, Any]]:
    """Yield a body once for each wrong value in the place of a field that it has."""
    *outer, last = path.split(".")
    for wrong in WRONG:
        changed = place = json.loads(json.dumps(body))
        for one in outer:
            place = place[one]
        if last in place:
            place[last] = wrong
            yield wrong, changed


@pytest.mark.parametrize("model", MODELS)
def test_every_wrong_value(model: str) -> None:
    """Alone in a request that is otherwise good."""
    fields, tried = shipped_sheets()[model].fields, set[str]()
    for said, count in bases_of(model):
        body = body_of(model, said, count)
        for name, rule in fields.items():
            sent = [rule.sent(one) for one in rule.values or ()]
            for wrong, changed in mutations_of(body, rule.path or name):
                fine = any(type(one) is type(wrong) and one == wrong for one in sent)
                free = rule.values is None and rule.allows(wrong)
                assert takes(changed) is (fine or free), (name, wrong, count)
                tried.add(name)
    assert tried == {*fields}


@pytest.mark.parametrize("model", MODELS)
def test_every_other_mutation(model: str) -> None:
    """A field too many, another name, a picture too few or too many, no prompt, too long a one."""
    sheet = shipped_sheets()[model]
    most = sheet.prompt.max_characters
    for said, count in bases_of(model):
        body = body_of(model, said, count)
        assert takes(body)
        for changed in ({"strange": 1}, {"model": f"{model}x"}, {"client_business_id": "a b"}):
            assert not takes(body | changed)
        assert not takes(body | {"prompt": ""})
        needed = sheet.prompt.required is True or count == 0
        assert takes(body_of(model, said, count, prompt="")) is not needed
        assert takes(body_of(model, said, count, prompt="x" * (most or 10_000)))
        assert most is None or not takes(body_of(model, said, count, prompt="x" * (most + 1)))
        for other in range(6) if "image_urls" in body else ():
            if other not in sheet.picture_counts or other == 0:
                assert not takes(body | {"image_urls": URLS[:other]}), other


@pytest.mark.parametrize("model", MODELS)
def test_every_wrong_place(model: str) -> None:
    """A picture or a constant that is wrong, left out or elsewhere; a field that is elsewhere."""
    sheet = shipped_sheets()[model]
    for said, count in bases_of(model):
        body = body_of(model, said, count)
        images = next((one for one in sheet.images if count in one.counts), None)
        put = {} if images is None else images.put
        for place in put:
            for _, changed in mutations_of(body, place):
                assert not takes(changed), (place, changed)
            lacks = without(body, place)
            alone = 0 in sheet.picture_counts and len(put) == 1
            assert takes(lacks) is alone, place
            assert not takes(lacks | {"pictures": URLS[:count]})
        for name, rule in sheet.fields.items():
            if name in said:
                elsewhere = "metadata" if "." not in (rule.path or name) else None
                value = rule.sent(said[name])
                lacks = without(body, rule.path or name)
                inside = {"metadata": {**lacks.get("metadata", {}), name: value}}
                assert not takes(lacks | (inside if elsewhere else {name: value})), name


def without(body: Any, path: str) -> Any:
    """Return a body without what stands in a place."""
    *outer, last = path.split(".")
    changed = place = json.loads(json.dumps(body))
    for one in outer:
        place = place[one]
    del place[last]
    return changed


@pytest.mark.parametrize("model", MODELS)
def test_requests_as_the_page_has_them(model: str) -> None:
    """What a row asks for becomes this very body, in its wire types, and the emulator takes it."""
    sheet = shipped_sheets()[model]
    document = json.loads((EXAMPLES / f"{model}.json").read_text("utf-8"))
    assert document["page"] == sheet.head.source
    assert document["read"] == sheet.head.read.isoformat()
    for request in document["requests"]:
        row = dict(request["row"])
        prompt, pictures = row.pop("prompt", ""), row.pop("pictures", [])
        made = make_body(sheet, model, prompt, values=sheet.defaults | row, image_urls=pictures)
        assert json.dumps(made, sort_keys=True) == json.dumps(request["body"], sort_keys=True)
        assert takes(request["body"])
