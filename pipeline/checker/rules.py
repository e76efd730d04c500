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
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import TYPE_CHECKING, NamedTuple

from pipeline.manifest.blank import fold_text
from pipeline.manifest.controls import has_controls, without_controls
from pipeline.manifest.meanings import is_unit_of_seconds
from pipeline.manifest.normalform import is_in_normal_form, to_normal_form
from pipeline.manifest.picturetexts import split_addresses
from pipeline.model import Request
from pipeline.models.shelf import DEFAULT_MODEL, sheet_of
from pipeline.models.wording import say_counts, say_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.models.records import ConditionRule, Value


@dataclass(frozen=True, slots=True)
class Rule:
    """A field of a request: its allowed values, and how to say what is allowed."""

    field: str
    allowed: tuple[int | str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class FormRule:
    """Some values of the field `name` need some of the field `other`.

    `sentence` is the sheet's own; `needed` says which of `other`, `instead` which of `name` do not.
    """

    name: str
    other: str
    sentence: str
    needed: str
    instead: str
    condition: ConditionRule


def _form_rule(condition: ConditionRule) -> FormRule:
    ((name, when),), ((other, needed),) = condition.when.items(), condition.wanted.items()
    free = [value for value in _ALLOWED[name] if value not in when]
    return FormRule(
        name,
        other,
        condition.say,
        say_values(other, list(needed)),
        say_values(name, free),
        condition,
    )


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
FORM_RULES = tuple(map(_form_rule, _SHEET.rules))
"""What holds between the fields: the resolution 1080p needs an aspect ratio."""
LONG_PROMPT = 4_000
"""Characters above which a prompt gets a warning; the provider documents no limit."""
SINGLE_IMAGES = ("image_1", "image_2", "image_3")
"""The fields whose cells name one picture each."""
IMAGE_FIELDS = (*SINGLE_IMAGES, "images")
"""All fields whose cells name pictures."""
_HASH_VERSION = "request-1"
"""Begins the text that is hashed: another way to write a request gets another one."""

_BY_LINES = {str(one).rstrip("Pp"): str(one) for one in _ALLOWED["resolution"]}
_SECONDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*(?:s|sec|secs|seconds?|\u2032\u2032|\")?\.?")
_IN_WORDS = re.compile(r"\+?0*([0-9]{1,6})(?:[.,]0*)?\s*([^\W\d_]{1,20}\.?)")
# Excel turns 16:9 into a time, which comes out as 16:09, 16:09:00, 4:09 PM, the fraction of a day,
# or a time on the first day of its calendar.
_RATIO = re.compile(r"0*([0-9]{1,4})\s*[:x\u00d7/\u2236\u2215\u2044]\s*0*([0-9]{1,4})(?::00)?")
_DAY_FRACTION = re.compile(r"0?[.,][0-9]{4,}")
_CLOCK = re.compile(r"0*([0-9]{1,2}):([0-9]{2})(?::00)?\s*([ap])\.?m\.?")
_FIRST_DAY = re.compile(r"(?:1899-12-3[01]|1900-01-0[01])[t ]")
_MINUTES_PER_DAY = 1440
_LINES = re.compile(r"0*([0-9]{3,4})\s*p?")
_UPRIGHT = (
    "portrait", "vertical", "hochformat", "hochkant", "verticale", "retrato", "staand", "pionowy",
    "pionowo", "竖屏", "竖版", "直式", "縦", "縦長", "縦型",
)  # fmt: skip
_LYING = (
    "landscape", "horizontal", "querformat", "paysage", "orizzontale", "horizontale", "paisagem",
    "apaisado", "liggend", "poziomy", "poziomo", "横屏", "横版", "橫式", "横", "横長", "横型",
)  # fmt: skip
_SHAPES = dict.fromkeys(_UPRIGHT, "9:16") | dict.fromkeys(_LYING, "16:9")


class Form(NamedTuple):
    """Duration in seconds, aspect ratio and resolution, as the provider writes them.

    Also the defaults, which empty cells take; without settings they are those of the table.
    """

    duration: int = 6
    aspect_ratio: str = "16:9"
    resolution: str = "720P"


FORM_FIELDS = Form._fields
"""The names of the fields of a form."""


class Draft(NamedTuple):
    """A row that keeps all rules, with its pictures still as the cells name them.

    A tuple, because there is one for each row and it costs a third of a frozen dataclass.
    """

    key: str
    row: int
    prompt: str
    image_cells: tuple[str, ...]
    form: Form

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
    form = Form(seconds, ratio, lines)
    return None if broken_rule(form._asdict()) else form


def broken_rule(said: Mapping[str, Value]) -> FormRule | None:
    """Return the rule between fields that these values break, if any; others may be missing."""
    for rule in FORM_RULES:
        if rule.other in said and rule.condition.is_broken_by(said):
            return rule
    return None


@lru_cache(maxsize=4096)
def duration_of(text: str) -> int | None:
    """Read a duration: `4`, `4s`, `4 Sekunden`, `4.0`, full-width digits…; None if not allowed."""
    plain = fold_text(text)
    match = _SECONDS.fullmatch(plain)
    if match is None and (worded := _IN_WORDS.fullmatch(plain)) and is_unit_of_seconds(worded[2]):
        match = worded
    value = int(match[1]) if match else None
    return value if value in _ALLOWED["duration"] else None


@lru_cache(maxsize=4096)
def aspect_ratio_of(text: str) -> str | None:
    """Read an aspect ratio: `16:9`, `16x9`, `16/9`, `portrait`, a time…; None if not allowed."""
    plain = _FIRST_DAY.sub("", fold_text(text), count=1)
    match = _RATIO.fullmatch(plain)
    value = f"{match[1]}:{match[2]}" if match else _SHAPES.get(plain) or _ratio_of_time(plain)
    return value if value in _ALLOWED["aspect_ratio"] else None


@lru_cache(maxsize=4096)
def resolution_of(text: str) -> str | None:
    """Read a resolution: `720`, `720p`, `1080P`…, as the provider spells it; None if none."""
    match = _LINES.fullmatch(fold_text(text))
    return _BY_LINES.get(match[1]) if match else None


def _ratio_of_time(plain: str) -> str | None:
    """Find the aspect ratio that was typed where a spreadsheet kept a time of day."""
    if _DAY_FRACTION.fullmatch(plain):
        minutes = round(float(plain.replace(",", ".")) * _MINUTES_PER_DAY, 1)
        hours, rest = divmod(minutes, 60)
        return f"{hours:g}:{rest:g}"
    if clock := _CLOCK.fullmatch(plain):
        return f"{int(clock[1]) % 12 + 12 * (clock[3] == 'p')}:{int(clock[2])}"
    return None


def make_request(draft: Draft, images: tuple[str, ...], model: str) -> Request:
    """Make the provider-ready form of a draft.

    Args:
        draft: the valid row.
        images: its pictures as URLs and `sha256:<hex>`, in the order of the cells.
        model: the name of the provider's model.

    """
    made = request_hash(draft.prompt, images, draft.form, model)
    return Request(draft.prompt, images, *draft.form, model, made)


def request_hash(prompt: str, images: Sequence[str], form: Form, model: str) -> str:
    """Hash everything that the provider would be told (SHA-256); the same on every machine.

    Hashed is the JSON (ASCII, no blanks) of `[version, prompt, [images], duration, aspect_ratio,
    resolution, model]`. The journal knows requests by it: another hash means another video.
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
    prompt, model = request.prompt, request.model.replace("-", "_")
    if any("," in image for image in request.images):
        request = _with_single_images(request)
    if "\r" not in prompt and not has_controls(prompt) and is_in_normal_form("NFC", prompt):
        if model == request.model or not prompt:  # without a prompt it is one that nobody knows
            return request.request_hash
        return _hash_with(request, prompt, model)
    text = _BREAK.sub("\n", without_controls(prompt))
    return _hash_with(request, to_normal_form("NFC", text), model)


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


def spellings_of(request: Request) -> tuple[str, ...]:
    """Return the hashes that a request may have been bought under, its own first."""
    pairs = [
        (text, model)
        for model in _models(request.model)
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
    form = Form(request.duration, request.aspect_ratio, request.resolution)
    return request_hash(prompt, request.images, form, model)
