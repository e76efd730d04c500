"""What the provider takes: the values of each field, how people write them, and the request itself.

The values of `FIELD_RULES` are those of the default model's sheet (`models`).

A request has several spellings. An editor, Git or a spreadsheet program saves line breaks in cells
as LF, CRLF or CR, and accented letters in one character (NFC) or in two (NFD). A request is hashed
as the row writes it, and sent like that, except that control characters are left out. But whoever
asks whether a row was edited, or whether its request was bought before, must take all spellings for
the same, or a video is paid for again. That goes for prompts alone: another address of a picture
may be another picture.

The provider writes the name of its model with `_` on one page and with `-` on another, and takes
both (docs/contract.md, "Models"): they are one model, and one video.

Tested in tests/checker/test_rules.py and tests/checker/test_spelling.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, NamedTuple

from pipeline.checker.formtexts import lines_in, ratio_in, seconds_in
from pipeline.manifest.blank import has_controls, without_controls
from pipeline.manifest.normalform import is_in_normal_form, to_normal_form
from pipeline.manifest.picturetexts import split_addresses
from pipeline.model import Entry, Request, State
from pipeline.models.body import body_of, values_of
from pipeline.models.describing import say_counts, say_values
from pipeline.models.shelf import DEFAULT_MODEL, sheet_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.models.records import Value


@dataclass(frozen=True, slots=True)
class Rule:
    """A field of a request: its allowed values, and how to say what is allowed."""

    field: str
    allowed: tuple[int | str, ...]
    sentence: str


_BREAK = re.compile(r"\r\n?")

_SHEET = sheet_of(DEFAULT_MODEL)
_ALLOWED = {name: tuple(rule.values or ()) for name, rule in _SHEET.fields.items()}
FIELD_RULES = (
    Rule("prompt", (), "what the video shows; every row needs one"),
    *(Rule(name, allowed, say_values(name, allowed)) for name, allowed in _ALLOWED.items()),
    Rule("image_urls", _SHEET.picture_counts, say_counts(_SHEET.picture_counts)),
)
"""What the provider allows in each field of a request, in the order of the request."""
BY_FIELD = {rule.field: rule for rule in FIELD_RULES}
"""The same rules by the name of their field."""
FORM_RULES = _SHEET.rules
"""What holds between the fields: the resolution 1080p needs an aspect ratio."""
LONG_PROMPT = 4_000
"""Characters above which a prompt gets a warning; the provider documents no limit."""
SINGLE_IMAGES = ("image_1", "image_2", "image_3")
"""The fields whose cells name one picture each."""
IMAGE_FIELDS = (*SINGLE_IMAGES, "images")
"""All fields whose cells name pictures."""
_HASH_VERSION = "request-1"
"""Begins the text that is hashed: another way to write a request gets another one."""
_BODY_VERSION = "body-1"
"""Begins it where it is the body that would be sent, with pictures by content and in any order."""
_UNPAID_ENDS = frozenset({State.FAILED, State.REFUSED})
_AS_BEFORE = frozenset({"gemini_omni_flash", "gemini-omni-flash"})

_BY_LINES = {str(one).rstrip("Pp"): str(one) for one in _ALLOWED["resolution"]}


class Form(NamedTuple):
    """Duration in seconds, aspect ratio and resolution, as the provider writes them.

    Also the defaults, which empty cells take; without settings they are those of the table.
    `model` is that of the row, empty for the one of the settings; `extras` are the values of its
    further fields. What it leaves out is 0 or an empty text.
    """

    duration: int = 6
    aspect_ratio: str = "16:9"
    resolution: str = "720P"
    model: str = ""
    extras: tuple[tuple[str, Value], ...] = ()


FORM_FIELDS = ("duration", "aspect_ratio", "resolution")
"""The names of the fields of a form that are columns of every manifest."""


class Draft(NamedTuple):
    """A row that keeps all rules, with its pictures still as the cells name them.

    A tuple, because there is one for each row and it costs a third of a frozen dataclass. `said`
    names the fields that the row says itself, where the sheet of its model has the others.
    """

    key: str
    row: int
    prompt: str
    image_cells: tuple[str, ...]
    form: Form
    said: tuple[str, ...] = ()

    @property
    def duration(self) -> int:
        """The seconds of its video."""
        return self.form.duration

    @property
    def resolution(self) -> str:
        """The resolution of its video."""
        return self.form.resolution


@lru_cache(maxsize=4096)
def form_of(duration: str, aspect_ratio: str, resolution: str, defaults: Form) -> Form | None:
    """Understand the three cells of a row's form; None if they break a rule.

    Remembered, because a manifest says the same few things in all its rows.

    Args:
        duration: the cell's text without blanks around it, like the other two; empty: the default.
        aspect_ratio: as `duration`.
        resolution: as `duration`.
        defaults: what an empty text means.

    """
    seconds = duration_of(duration) if duration else defaults.duration
    ratio = aspect_ratio_of(aspect_ratio) if aspect_ratio else defaults.aspect_ratio
    lines = resolution_of(resolution) if resolution else defaults.resolution
    if seconds is None or ratio is None or lines is None:
        return None
    said: Mapping[str, Value] = {
        "duration": seconds, "aspect_ratio": ratio, "resolution": lines,
    }  # fmt: skip
    broken = any(rule.is_broken_by(said) for rule in FORM_RULES)
    return None if broken else Form(seconds, ratio, lines)


@lru_cache(maxsize=4096)
def duration_of(text: str) -> int | None:
    """Read a duration that the default model takes; None for any other text."""
    value = seconds_in(text)
    return value if value in _ALLOWED["duration"] else None


@lru_cache(maxsize=4096)
def aspect_ratio_of(text: str) -> str | None:
    """Read an aspect ratio that the default model takes; None for any other text."""
    value = ratio_in(text)
    return value if value in _ALLOWED["aspect_ratio"] else None


@lru_cache(maxsize=4096)
def resolution_of(text: str) -> str | None:
    """Read a resolution, as the default model's page spells it; None for any other text."""
    return _BY_LINES.get(lines_in(text) or "")


def make_request(draft: Draft, images: tuple[str, ...], model: str) -> Request:
    """Make the provider-ready form of a draft.

    Args:
        draft: the valid row.
        images: its pictures as URLs and `sha256:<hex>`, in the order of the cells.
        model: the name of the provider's model.

    """
    form, model = draft.form, draft.form.model or model
    if keeps_its_hash(model) and not form.extras:
        made = request_hash(draft.prompt, images, form, model)
        return Request(draft.prompt, images, *form[:3], model, made)
    plain = Request(draft.prompt, images, *form[:3], model, "", form.extras, said=draft.said)
    content = body_of(plain, without_controls(draft.prompt), images)
    body = _text_of(content)
    return replace(plain, request_hash=_hash_of_body(body), body=body)


def keeps_its_hash(model: str) -> bool:
    """Tell whether requests of a model are hashed as they were before there were sheets.

    So are those of both names of the default, and of a model that has no sheet.
    """
    return model in _AS_BEFORE or model not in sheet_of(model).head.models


def _text_of(body: Mapping[str, object]) -> str:
    """Return the one text of a body, whatever the order of its fields."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def _hash_of_body(body: str) -> str:
    text = f'["{_BODY_VERSION}",{body}]'
    return hashlib.sha256(text.encode()).hexdigest()


def request_hash(prompt: str, images: Sequence[str], form: Form, model: str) -> str:
    """Hash everything that the provider would be told (SHA-256); the same on every machine.

    Hashed is the JSON (ASCII, no blanks) of `[version, prompt, [images], duration, aspect_ratio,
    resolution, model]`. The journal knows requests by it: another hash means another video.
    Models other than the first have the body itself in its place (see `make_request`).
    """
    shown = ",".join(map(_quoted, images))
    rest = ",".join(map(_quoted, (form.aspect_ratio, form.resolution, model)))
    text = f'["{_HASH_VERSION}",{_quoted(prompt)},[{shown}],{form.duration},{rest}]'
    return hashlib.sha256(text.encode()).hexdigest()


def cost(duration_s: int, price_per_second: float | None) -> float | None:
    """Return what so many seconds of video cost, in the currency of the price; None without one."""
    return None if price_per_second is None else duration_s * price_per_second


def content_of(request: Request) -> str:
    """Return what all spellings of a request have in common: the hash of one of them."""
    if request.body:
        return _hash_with(request, plain_prompt(request.prompt), request.model)
    prompt, model = request.prompt, request.model.replace("-", "_")
    if any("," in image for image in request.images):
        request = _with_single_images(request)
    if "\r" not in prompt and not has_controls(prompt) and is_in_normal_form("NFC", prompt):
        if model == request.model or not prompt:  # without a prompt it is one that nobody knows
            return request.request_hash
        return _hash_with(request, prompt, model)
    return _hash_with(request, plain_prompt(prompt), model)


def plain_prompt(prompt: str) -> str:
    """Return what all spellings of a prompt have in common."""
    if prompt.isascii() and prompt.isprintable():
        return prompt
    return to_normal_form("NFC", _BREAK.sub("\n", without_controls(prompt)))


def _with_single_images(request: Request) -> Request:
    """Return a request whose pictures are one address each.

    Addresses parted by commas were once sent as a single one: what was bought then is no other row
    now that they are told apart.
    """
    images = tuple(address for image in request.images for address in split_addresses(image))
    if images == request.images:
        return request
    parted = replace(request, images=images)
    return replace(parted, request_hash=_hash_with(parted, request.prompt, request.model))


def same_content(one: Request, other: Request) -> bool:
    """Return whether two requests are one, however their texts are spelled."""
    return one.request_hash == other.request_hash or content_of(one) == content_of(other)


def sheet_changed(request: Request, sent: Request) -> bool:
    """Tell whether a row asks for something else only since the sheet of its model was changed.

    So it is if all that it says itself is as it was: what differs are defaults, constants, places
    in the body and how values are sent.
    """
    if not (request.body and sent.body) or request.model != sent.model:
        return False
    now, before, known = values_of(request), values_of(sent), sheet_of(request.model).fields
    return (
        request.images == sent.images
        and plain_prompt(request.prompt) == plain_prompt(sent.prompt)
        and {name: now.get(name) for name in request.said}
        == {name: before.get(name) for name in sent.said if name in known}
    )


def is_edited(request: Request, entry: Entry) -> bool:
    """Return whether a row asks for something else than its latest attempt did.

    A model that is spelled in another way is the same one; but a row may have been refused since
    the provider did not take the first spelling.
    """
    sent = entry.attempt.request
    corrected = entry.state in _UNPAID_ENDS and request.model != sent.model
    return corrected or not same_content(request, sent)


def say_sheet_changed(*, done: bool) -> str:
    """Say of a row that is left alone that its model's sheet was changed, and what it needs."""
    needs = "--redo changed" if done else "--retry, or --redo and its key"
    return f"the sheet of its model was changed since it was sent, not the row; needs {needs}"


def spellings_of(request: Request) -> tuple[str, ...]:
    """Return the hashes that a request may have been bought under, its own first."""
    pairs = [
        (text, model)
        for model in ((request.model,) if request.body else _models(request.model))
        for text in _texts(request.prompt)
        if (text, model) != (request.prompt, request.model)
    ]
    return (request.request_hash, *(_hash_with(request, *pair) for pair in pairs))


def _models(model: str) -> Iterable[str]:
    return dict.fromkeys((model, model.replace("-", "_"), model.replace("_", "-")))


def _texts(prompt: str) -> Iterable[str]:
    sent = without_controls(prompt)
    if sent.isascii() and "\n" not in sent and "\r" not in sent:
        return dict.fromkeys((prompt, sent))
    texts: dict[str, None] = {prompt: None}
    for text in (sent, to_normal_form("NFC", sent), to_normal_form("NFD", sent)):
        plain = _BREAK.sub("\n", text)
        broken = (plain.replace("\n", other) for other in ("\r\n", "\r"))
        texts |= dict.fromkeys((text, plain, *broken))
    return texts


def _hash_with(request: Request, prompt: str, model: str) -> str:
    if request.body:
        content = json.loads(request.body) | {"prompt": without_controls(prompt)}
        return _hash_of_body(_text_of(content))
    form = Form(request.duration, request.aspect_ratio, request.resolution)
    return request_hash(prompt, request.images, form, model)
