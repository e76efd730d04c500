"""One file of the corpus: its bytes, and what a check has to find in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Found = tuple[int | None, str | None, str]
"""A problem as (physical row, column, code); no row for the whole file."""


@dataclass(frozen=True)
class Case:
    """A file with what is expected of it.

    `refused` is a part of the sentence of a file that is no manifest at all; otherwise `problems`
    are all that there are, and `valid` the rows that could be sent. `says` are parts of the
    messages. `sent` has parts of requests, by row: prompt, or (duration, frame, resolution).
    """

    name: str
    data: bytes
    file: str = "shop.csv"
    problems: tuple[Found, ...] = ()
    valid: tuple[int, ...] = ()
    refused: str = ""
    says: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sent: Mapping[int, str | tuple[int, str, str]] = field(default_factory=dict)
    around: Callable[[Path], None] | None = None


def lines(*texts: str, encoding: str = "utf-8", end: str = "\n") -> bytes:
    """A text file of these lines."""
    return "".join(one + end for one in texts).encode(encoding)
