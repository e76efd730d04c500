"""What the page of each model says that an order may be: in code of its own.

No sheet of a model is read here. The sheets say what the program sends, these rules what the
provider takes, and tests/models/test_witnesses.py holds one against the other. A model without a
page here is one of the user's own: what it is asked for is believed.

Tested in tests/emulator/test_pages.py and tests/emulator/test_submit.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pipeline.emulator.orders import Order, RefusedError

_MARK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RATIO = re.compile(r"([1-9][0-9]?):([1-9][0-9]?)")
_LINES = re.compile(r"([1-9][0-9]{2,3})[pP]")
_MOST_LINES = 2160
_LONGEST_S, _UNSAID_S = 60, 5
_LONGEST_SHAPE = 3

Body = Mapping[str, Any]
KnowsUrl = Callable[[str], bool]


def check_order(
    body: object, models: Sequence[str], known_url: KnowsUrl, own: Sequence[str] = ()
) -> Order:
    """Return the order in ``body`` or raise ``RefusedError``.

    Args:
        body: the decoded JSON.
        models: the model names that exist.
        known_url: tells whether a picture's URL can be resolved.
        own: further names, whose orders are believed.
    """
    if not isinstance(body, Mapping):
        raise RefusedError(400, "invalid_request", "the body must be a JSON object")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise _invalid("model", "is required")
    if model not in models and model not in own:
        raise RefusedError(503, "model_not_found", f"No available channel for model {model}")
    order = (_own_model if model in own else _PAGES.get(model, _gemini))(body)
    for url in order.image_urls:
        if not known_url(url):
            raise RefusedError(400, "image_fetch_failed", f"could not fetch image {url}")
    return order


# The pages.


def _gemini(body: Body) -> Order:
    """Take the document of the default model."""
    return _gemini_spelled(body, "720P", (1, 3))


def _gemini_newer(body: Body) -> Order:
    """Take the newer page of the same model."""
    return _gemini_spelled(body, "720p", (1, 2, 3))


def _gemini_spelled(body: Body, lower: str, counts: Sequence[int]) -> Order:
    _refuse_others(body, "duration", "aspect_ratio", "resolution", "image_urls")
    order = Order(
        model=body["model"],
        prompt=_prompt(body),
        duration_s=_whole(body, "duration", (4, 6, 10), 6),
        aspect_ratio=_word(body, "aspect_ratio", ("16:9", "9:16"), "16:9"),
        resolution=_word(body, "resolution", (lower, "1080p"), lower),
        image_urls=_urls(body, counts),
        client_business_id=_reference(body),
    )
    if order.resolution == "1080p" and order.aspect_ratio != "16:9":
        raise _invalid("resolution", "1080p is only available with aspect_ratio 16:9")
    return order


def _grok(body: Body) -> Order:
    """Take the page of grok-video-1.5: one picture, as a single string."""
    _refuse_others(body, "duration", "aspect_ratio", "resolution", "image")
    return Order(
        model=body["model"],
        prompt=_prompt(body),
        duration_s=_whole(body, "duration", range(1, 16), 8),
        aspect_ratio=_word(body, "aspect_ratio", ("1:1", "16:9", "9:16", "3:2", "2:3"), "16:9"),
        resolution=_word(body, "resolution", ("480p", "720p"), "720p"),
        image_urls=(_url(body.get("image"), "image"),),
        client_business_id=_reference(body),
        asked=body,
    )


def _veo(body: Body) -> Order:
    """Take the page of the three models veo3.1: two frames, or three references."""
    _refuse_others(body, "duration", "aspect_ratio", "image_urls", "metadata")
    metadata = body.get("metadata", {})
    if not isinstance(metadata, Mapping):
        raise _invalid("metadata", "must be an object")
    strange = sorted(set(metadata) - {"resolution", "generation_type"})
    if strange:
        raise _invalid("metadata", f"unknown parameter: {', '.join(strange)}")
    urls = _urls(body, (2, 3))
    wanted = {0: None, 2: "frame", 3: "reference"}[len(urls)]
    if metadata.get("generation_type") != wanted:
        raise _invalid("generation_type", f"must be {wanted} with {len(urls)} pictures")
    if wanted == "reference" and body["model"] == "veo3.1-quality":
        raise _invalid("generation_type", "veo3.1-quality does not support reference images")
    return Order(
        model=body["model"],
        prompt=_prompt(body),
        duration_s=_whole(body, "duration", (8,), 8),
        aspect_ratio=_word(body, "aspect_ratio", ("16:9", "9:16"), "16:9"),
        resolution=_word(metadata, "resolution", ("720p", "1080p", "4k"), "720p"),
        image_urls=urls,
        client_business_id=_reference(body),
        asked=body,
    )


def _vidu(body: Body) -> Order:
    """Take the page of the two models viduq3: pictures are the first and the last frame."""
    fields = ("duration", "resolution", "aspect_ratio", "audio", "seed", "image_urls")
    _refuse_others(body, *fields)
    urls = _urls(body, (1, 2))
    prompt = _prompt(body, 5_000) if "prompt" in body or not urls else ""
    if urls and "aspect_ratio" in body:
        raise _invalid("aspect_ratio", "is not supported with image_urls")
    if not isinstance(body.get("audio", True), bool):
        raise _invalid("audio", "must be a boolean")
    if "seed" in body and type(body["seed"]) is not int:
        raise _invalid("seed", "must be an integer")
    ratios = ("16:9", "9:16", "1:1", "4:3", "3:4")
    return Order(
        model=body["model"],
        prompt=prompt,
        duration_s=_whole(body, "duration", range(1, 17), 5),
        aspect_ratio=_word(body, "aspect_ratio", ratios, "16:9"),
        resolution=_word(body, "resolution", ("540p", "720p", "1080p"), "720p"),
        image_urls=urls,
        client_business_id=_reference(body),
        asked=body,
    )


_PAGES: Mapping[str, Callable[[Body], Order]] = {
    "gemini_omni_flash": _gemini,
    "gemini-omni-flash": _gemini_newer,
    "grok-video-1.5": _grok,
    **dict.fromkeys(("veo3.1-fast", "veo3.1-quality", "veo3.1-lite"), _veo),
    **dict.fromkeys(("viduq3-pro", "viduq3-turbo"), _vidu),
}
MODELS = tuple(_PAGES)
"""The models whose pages are known here."""


def _own_model(body: Body) -> Order:
    """Believe a body whose model has no page here, and guess the video that it asks for."""
    words = dict(_words(body))
    said = (str(one) for name, one in words.items() if "duration" in name or "seconds" in name)
    length = next(filter(str.isdecimal, said), _UNSAID_S)
    texts = [one for one in words.values() if isinstance(one, str)]
    return Order(
        model=body["model"],
        prompt=body["prompt"] if isinstance(body.get("prompt"), str) else "",
        duration_s=min(max(int(length), 1), _LONGEST_S),
        aspect_ratio=next(filter(_is_shape, texts), "16:9"),
        resolution=next(filter(_is_resolution, texts), "720p"),
        image_urls=tuple(filter(_is_http, texts)),
        client_business_id=_reference(body),
        asked=body,
    )


def _is_shape(text: str) -> bool:
    found = _RATIO.fullmatch(text)
    return (
        found is not None and 1 / _LONGEST_SHAPE <= int(found[1]) / int(found[2]) <= _LONGEST_SHAPE
    )


def _is_resolution(text: str) -> bool:
    found = _LINES.fullmatch(text)
    return text == "4k" or (found is not None and int(found[1]) <= _MOST_LINES)


def _words(body: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value of a body with its place, but for the prompt."""
    if isinstance(body, Mapping):
        for name, inner in body.items():
            if place or name != "prompt":
                yield from _words(inner, f"{place}.{name}")
    elif isinstance(body, list):
        for number, inner in enumerate(body):
            yield from _words(inner, f"{place}.{number}")
    elif not isinstance(body, bool):
        yield place, body


# What the pages have in common.


def _invalid(field: str, message: str) -> RefusedError:
    return RefusedError(400, f"invalid_{field}", f"{field}: {message}")


def _refuse_others(body: Body, *fields: str) -> None:
    unknown = sorted(set(body) - {"model", "prompt", "client_business_id", *fields})
    if unknown:
        raise RefusedError(400, "unknown_parameter", f"unknown parameter: {', '.join(unknown)}")


def _prompt(body: Body, most: int | None = None) -> str:
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise _invalid("prompt", "is required")
    if most is not None and len(prompt) > most:
        raise _invalid("prompt", f"must have at most {most} characters")
    return prompt


def _whole(body: Body, field: str, allowed: Sequence[int], default: int) -> int:
    value = body.get(field, default)
    # bool is an int to Python, not to JSON.
    if isinstance(value, bool) or not isinstance(value, int):
        raise _invalid(field, "must be an integer")
    if value not in allowed:
        raise _invalid(field, f"must be one of {', '.join(map(str, allowed))}")
    return value


def _word(body: Body, field: str, allowed: Sequence[str], default: str) -> str:
    value = body.get(field, default)
    if not isinstance(value, str) or value not in allowed:
        raise _invalid(field, f"must be one of {', '.join(allowed)}")
    return value


def _urls(body: Body, counts: Sequence[int]) -> tuple[str, ...]:
    if "image_urls" not in body:
        return ()
    urls = body["image_urls"]
    if not isinstance(urls, list):
        raise _invalid("image_urls", "must be an array of strings")
    if len(urls) not in counts:
        allowed = " or ".join(map(str, counts))
        raise _invalid("image_urls", f"must hold {allowed} URLs, not {len(urls)}")
    return tuple(_url(url, "image_urls") for url in urls)


def _url(url: object, field: str) -> str:
    if not isinstance(url, str) or not _is_http(url):
        raise _invalid(field, "must be public http or https URLs")
    return url


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _reference(body: Body) -> str:
    if "client_business_id" not in body:
        return ""
    value = body["client_business_id"]
    if not isinstance(value, str) or _MARK.fullmatch(value) is None:
        raise _invalid("client_business_id", "up to 64 characters of A-Z a-z 0-9 _ -")
    return value
