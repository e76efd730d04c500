"""What a row asks for becomes the body of its submission, as the sheet of its model says. Pure.

The order is the sheet's: model, prompt, the fields, the pictures, our own reference.

Tested in tests/models/test_body.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.model import Request
from pipeline.models.records import MARK, FieldRule, Sheet, Value, marks_of, run_from
from pipeline.models.shelf import sheet_of


def make_body(
    sheet: Sheet,
    model: str,
    prompt: str,
    *,
    values: Mapping[str, Value],
    image_urls: Sequence[str] = (),
    reference: str | None = None,
) -> dict[str, Any]:
    """Make the body of a submission.

    Args:
        sheet: that of the model.
        model: the name that is sent.
        prompt: the text that is sent; an empty one is left out.
        values: what the row asks for, by field; a field without a value is left out.
        image_urls: the public addresses of its pictures, in order.
        reference: our own reference; None to send none.

    """
    body: dict[str, Any] = {"model": model, "prompt": prompt} if prompt else {"model": model}
    for name, rule in sheet.fields.items():
        if name in values:
            _put(body, rule.path or name, rule.sent(_typed(rule, values[name])))
    for images in sheet.images:
        if len(image_urls) in images.counts:
            for place, template in images.put.items():
                _put(body, place, _fill(template, image_urls))
    if reference is not None:
        body["client_business_id"] = reference
    return body


def body_of(
    request: Request,
    prompt: str,
    image_urls: Sequence[str] = (),
    reference: str | None = None,
) -> dict[str, Any]:
    """Make the body of a request's submission by the sheet of its model.

    Args:
        request: what the row asks for.
        prompt: the text that is sent.
        image_urls: the public addresses of its pictures, in order.
        reference: our own reference; None to send none.

    """
    return make_body(
        sheet_of(request.model),
        request.model,
        prompt,
        values=values_of(request),
        image_urls=image_urls,
        reference=reference,
    )


def values_of(request: Request) -> dict[str, Value]:
    """Return the values of a request's fields, without those that it leaves out."""
    form: tuple[tuple[str, Value], ...] = (
        ("duration", request.duration),
        ("aspect_ratio", request.aspect_ratio),
        ("resolution", request.resolution),
    )
    return {name: value for name, value in form if value} | dict(request.extras)


def _typed(rule: FieldRule, value: Value) -> Value:
    """Return a length, a shape or a resolution, which rows have in one type each, as it is sent."""
    if rule.type == "string" and not isinstance(value, str):
        return str(value)
    return int(value) if rule.type == "integer" and isinstance(value, str) else value


def _put(body: dict[str, Any], place: str, content: object) -> None:
    *outer, last = place.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = content


def _fill(template: object, image_urls: Sequence[str], each: str = "") -> Any:  # noqa: ANN401 - any JSON
    """Return a template with an address for each mark.

    What holds `{*}` or `{2+}` in a list comes once for each of those pictures; there that mark is
    `each`, the picture's own address.
    """
    if isinstance(template, str):
        return MARK.sub(
            lambda mark: each if run_from(mark[1]) else image_urls[int(mark[1]) - 1], template
        )
    if isinstance(template, Mapping):
        return {name: _fill(inner, image_urls, each) for name, inner in template.items()}
    if isinstance(template, list):
        filled: list[Any] = []
        for inner in template:
            first = next(filter(None, map(run_from, marks_of(inner))), None)
            run = [each] if first is None or each else image_urls[first - 1 :]
            filled += [_fill(inner, image_urls, url) for url in run]
        return filled
    return template
