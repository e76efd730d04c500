"""Looks: named ways of filming, which become words of a prompt.

The library is data, looks.toml, and a team adds files of its own in the same form. A look has words
for a row with three pictures, with one and without: no words ask for a side that no picture shows.

Tested in tests/manifest/test_videolooks.py.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from pipeline.manifest.blank import is_blank
from pipeline.manifest.meanings import fold_name

LOOK_COLUMN = "video_look"
"""The column of a manifest that names the look of a row."""
LOOK_VALUE = "look"
"""The value of a prompt template that stands for the words of the look."""
LONGEST_WORDS = 2000
"""Characters of the words of a look."""
_LONGEST_NAME = 40
_MOST = 200
_TEXTS = ("about", "words", "one_picture", "no_picture")
_LEAST_IN_COMPOUND = 5
"""Letters of a word that others may end with: a Schreibtischleuchte is a Leuchte."""
_PLENTY = 3
"""So many pictures show a product from several sides."""


class LooksFault(Exception):
    """A file of looks cannot be used; the text is the reason, unpunctuated."""


@dataclass(frozen=True, slots=True)
class Look:
    """A named way of filming, with its words by the number of pictures."""

    name: str
    about: str
    words: str
    one_picture: str = ""
    no_picture: str = ""
    earlier: tuple[str, ...] = ()

    def for_pictures(self, count: int) -> str:
        """Return the words for a row with so many pictures."""
        if count == 0:
            return self.no_picture or self.words
        return self.words if count >= _PLENTY else self.one_picture or self.words

    @property
    def wordings(self) -> tuple[str, ...]:
        """All words that the look has and has had, the longest first."""
        known = {self.words, self.one_picture, self.no_picture, *self.earlier} - {""}
        return tuple(sorted(known, key=lambda words: (-len(words), words)))


@dataclass(frozen=True, slots=True)
class Library:
    """The looks that a manifest may name, by their folded names."""

    looks: Mapping[str, Look] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, as they are written."""
        return tuple(look.name for look in self.looks.values())

    def find(self, name: str) -> Look | None:
        """Return the look of a name, in any case and with any joints."""
        return self.looks.get(fold_name(name))

    def nearest(self, name: str) -> str | None:
        """Return the known name that another one may be a slip of."""
        near = difflib.get_close_matches(fold_name(name)[:_LONGEST_NAME], self.looks, n=1)
        return self.looks[near[0]].name if near else None

    def joined(self, own: Library) -> Library:
        """Return both; of two looks of one name the own one counts."""
        return Library({**self.looks, **own.looks})

    def default(self, about: str, pictures: int) -> Look:
        """Return the look for a product of which type and title are known."""
        words = {fold_name(word) for word in about.split()}
        for name, known in _defaults().items():
            long = tuple(word for word in known if len(word) >= _LEAST_IN_COMPOUND)
            if words & known or any(word.endswith(long) for word in words):
                return self.looks[name]
        return self.looks[fold_name("turntable" if pictures >= _PLENTY else "hero push-in")]

    def put_into(self, prompt: str, look: Look, pictures: int) -> str:
        """Return a prompt with the words of a look: in place of another's words, or at its end."""
        words = look.for_pictures(pictures)
        if words in prompt:
            return prompt
        for other in self.looks.values():
            for wording in other.wordings:
                if wording in prompt:
                    return prompt.replace(wording, words)
        return f"{prompt.rstrip()} {words}"


@cache
def built_in() -> Library:
    """Return the library that comes with the product."""
    return read_looks(_data("looks.toml"))


@cache
def _defaults() -> dict[str, frozenset[str]]:
    data = tomllib.loads(_data("lookdefaults.toml"))
    return {fold_name(name): frozenset(map(fold_name, one["words"])) for name, one in data.items()}


def _data(name: str) -> str:
    return files("pipeline.manifest").joinpath(name).read_text("utf-8")


def read_looks(text: str) -> Library:
    """Read looks from TOML.

    Raises:
        LooksFault: it is no TOML, or has anything but looks.

    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise LooksFault(f"it is not TOML: {str(error).rstrip('.')}") from error
    if len(data) > _MOST:
        raise LooksFault(f"it has more than {_MOST} looks")
    looks = [_read_look(name, value) for name, value in data.items()]
    folded = {fold_name(look.name): look for look in looks}
    if len(folded) < len(looks):
        raise LooksFault("two of its looks have the same name but for case and joints")
    return Library(folded)


def _read_look(name: str, value: Any) -> Look:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(value, dict):
        raise LooksFault(f'"{name}" stands outside of a look; begin with a line ["its name"]')
    if not 0 < len(name) <= _LONGEST_NAME or not fold_name(name) or not name.isprintable():
        raise LooksFault(f"a look's name has 1 to {_LONGEST_NAME} characters, with a letter")
    unknown = [key for key in value if key not in (*_TEXTS, "earlier")]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _TEXTS, n=1)
        hint = f'did you mean "{near[0]}"' if near else f"a look has {', '.join(_TEXTS)}"
        raise LooksFault(f'the look "{name}" has an unknown "{unknown[0]}"; {hint}')
    texts = {key: value[key] for key in _TEXTS if key in value}
    earlier = value.get("earlier", [])
    if not isinstance(earlier, list):
        raise LooksFault(f'"earlier" of the look "{name}" is not a list of texts')
    for text in [*texts.values(), *earlier]:
        if not isinstance(text, str) or is_blank(text) or len(text) > LONGEST_WORDS:
            raise LooksFault(
                f'the look "{name}" has a value that is not a text of 1 to {LONGEST_WORDS:,} '
                "characters"
            )
    if "words" not in texts:
        raise LooksFault(f'the look "{name}" has no "words"')
    plain = {key: " ".join(text.split()) for key, text in texts.items()}
    wordings = tuple(" ".join(text.split()) for text in earlier)
    return Look(name.strip(), plain.pop("about", ""), earlier=wordings, **plain)
