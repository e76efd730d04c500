"""What came back from a call, and plain values out of its JSON body. Pure.

Among them the address of a finished video: first come the places of docs/contract.md, "Queries";
then any other that speaks of a video. The downloader sees whether it is one.

Tested in tests/toapis/test_submit.py, test_free_calls.py and test_places.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from pipeline.concealment import SHORTEST

Body: TypeAlias = Mapping[str, object]

# One decoder for all: `json.loads` makes a new one for each call that names a constant's parser.
CONCEALED = "\x7f***\x7f"
"""What stands in a body in the place of the key. No id and no address may hold its control
characters, so none that holds the key is ever used, and in texts they are dropped."""

_OF_OTHERS = re.compile(
    "image|picture|photo|thumb|cover|poster|preview|frame|gif|audio|avatar|input|source|refer"
    "|callback|webhook|notif|help|doc|error|message|request|prompt|support|query|status|poll|cancel"
)
"""In the name of what is no video of ours, or not yet."""
_OF_VIDEOS = re.compile("video|download|output|result|content|media|file|data|url|work")
_SUFFIXES = (".mp4", ".mov", ".webm", ".m4v")
_DEEPEST = 6
_JSON = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, of which at least the status came.

    `body` is None if it broke off or was too large; `retry_after_s` is the wait that the headers
    ask for, in seconds.
    """

    status: int
    body: bytes | None = field(repr=False)
    retry_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether the status is in the 200s."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP statuses read best as numbers


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer came. `sent` is False only if it is proven that nothing left this machine.

    `misdirected` says that no host of that name is known, that its certificate is not trusted, or
    that a proxy wants a password: a setting may be wrong.
    """

    sent: bool
    reason: str
    misdirected: bool = False


Received: TypeAlias = Answer | Silence


def parse(body: bytes | None) -> Body | None:
    """Return the JSON object in `body`, or the only entry of its list.

    None for anything else: HTML, half a body, a list of several.
    """
    if body is None:
        return None
    try:
        value = _JSON.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def conceal_key(body: bytes, key: str) -> bytes:
    """Return a body in which `CONCEALED` stands wherever a text or a number holds the key.

    So what is stored or shown of an answer cannot hold it, whatever the answer is read for.
    """
    if len(key) < SHORTEST:
        return body
    spelt = _spellings(key)
    plain = json.detect_encoding(body).startswith("utf-8") and b"\\" not in body
    if plain and not spelt.search(body.decode("utf-8", "replace")):
        return body
    try:
        value = parse(body)
        hidden = _hide(value, spelt)
        return body if hidden == value else json.dumps(hidden).encode()
    except RecursionError:
        return b""


@lru_cache(maxsize=4)
def _spellings(key: str) -> re.Pattern[str]:
    """Return what finds the key in any case, and with any of its letters as `%73`."""
    letters = (f"(?:{re.escape(one)}|{_percent(one)})" for one in key)
    return re.compile("".join(letters), re.IGNORECASE)


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def _hide(value: object, spelt: re.Pattern[str]) -> object:
    if isinstance(value, dict):
        return {_hide(name, spelt): _hide(one, spelt) for name, one in value.items()}
    if isinstance(value, list):
        return [_hide(one, spelt) for one in value]
    if isinstance(value, int | float) and spelt.search(str(value)):
        return CONCEALED
    return spelt.sub(CONCEALED, value) if isinstance(value, str) else value


def good_body(received: Received) -> Body | None:
    """Return the data of an answer with a status in the 200s."""
    if isinstance(received, Silence) or not received.is_success:
        return None
    return parse(received.body)


def denies(body: Body | None) -> bool:
    """Tell whether a body says that the call failed, which may come with any status."""
    return body is not None and body.get("success") is False


def object_in(body: Body, name: str) -> Body:
    """Return the object of this name; an empty one where there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def word_of(value: object) -> str | None:
    """Return a code or an id, which may come as a whole number."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def text_of(value: object) -> str | None:
    """Return a text without blanks around it; None if it is empty or no text."""
    return value.strip() or None if isinstance(value, str) else None


def number_of(value: object) -> float | None:
    """Return a finite number given as a number or as text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def named_places(body: Body) -> tuple[object, ...]:
    """Return what stands in the places that are for the address of a video alone."""
    result, data = object_in(body, "result"), object_in(body, "data")
    listed = (*listed_urls(result.get("data")), *listed_urls(body.get("data")))
    return (body.get("video_url"), *listed, result.get("video_url"), data.get("video_url"))


def listed_urls(value: object) -> list[object]:
    """Return what stands under `url` in the entries of a list."""
    entries = value if isinstance(value, list) else []
    return [entry.get("url") for entry in entries if isinstance(entry, dict)]


def other_places(body: Body, *, videos_only: bool) -> list[str]:
    """Return the addresses in all other places, files of videos first.

    Nothing is named where pictures, pages of help or what was asked for stand.

    Args:
        body: The object that shows the task.
        videos_only: Whether to leave out what is not called like the file of a video.

    """
    found = list(_texts(body, 0))
    files = [text for text in found if _is_file(text)]
    return files if videos_only else [*files, *(text for text in found if text not in files)]


def _texts(value: object, depth: int, *, told: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if told and value.strip().lower().startswith(("http://", "https://")):
            yield value
    elif depth == _DEEPEST:
        return
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry, depth + 1, told=told)
    elif isinstance(value, dict):
        for name, entry in value.items():
            folded = str(name).lower()
            if not _OF_OTHERS.search(folded):
                named = told or _OF_VIDEOS.search(folded) is not None
                yield from _texts(entry, depth + 1, told=named)


def _is_file(address: str) -> bool:
    return re.split(r"[?#]", address.strip(), maxsplit=1)[0].lower().endswith(_SUFFIXES)
