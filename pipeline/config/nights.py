"""The settings of nights: which manifests, when, and what may be made again; and how to wait.

Tested in tests/config/test_nights.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.config.content import Section
from pipeline.config.values import Text, Variable, Zone, read_list

_WINDOW = re.compile(r"(?:(?P<days>[a-z ,-]+?) +)?(?P<start>\d\d?:\d\d) *- *(?P<end>\d\d?:\d\d)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EXAMPLE = 'write for example "22:00-06:00" or "mon-fri 22:00-06:00"'
_LARGEST_SHARE = 1_000_000
_LARGEST_PRIORITY = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """When a night may order, by the clock on the wall; an `end` not after `start` is tomorrow's.

    `days` are those on which it begins, from 0 for Monday.
    """

    days: frozenset[int]
    start: time
    end: time


def read_window(text: str) -> Window:
    """Return the window that a text such as "mon-fri 22:00-06:00" names; raises ValueError."""
    found = _WINDOW.fullmatch(" ".join(text.casefold().split()))
    if found is None:
        raise ValueError(f"is not a time from the beginning to the end; {_EXAMPLE}")
    start, end = read_clock(found["start"]), read_clock(found["end"], closing=True)
    if start == end and found["end"] != "24:00":
        raise ValueError(f"begins and ends at the same time; {_EXAMPLE}")
    return Window(_read_days(found["days"]), start, end)


def read_clock(text: str, *, closing: bool = False) -> time:
    """Return the time that a text such as 06:30 names; raises ValueError.

    With `closing` 24:00 is the midnight at the end of a day.
    """
    found = re.fullmatch(r"(\d\d?):(\d\d)", text.strip())
    hour, minute = (int(found[1]), int(found[2])) if found else (-1, -1)
    if closing and (hour, minute) == (24, 0):
        return time(0)
    try:
        return time(hour, minute)
    except ValueError:
        raise ValueError(f"{text} is no time of a day; write for example 06:30") from None


def _read_days(text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError(f"names the days {text}: write mon, tue, wed, thu, fri, sat or sun")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(days)


def _window(text: str) -> str:
    read_window(text)
    return text


class NightManifest(Section):
    """A manifest, a folder or a pattern of a night, and how it stands beside the others."""

    path: Text
    share: float = Field(default=1.0, gt=0, le=_LARGEST_SHARE)
    priority: int = Field(default=0, ge=-_LARGEST_PRIORITY, le=_LARGEST_PRIORITY)


def _manifests(value: object) -> object:
    """Read `a.xlsx` as {path: a.xlsx}; say in which place of the list something is wrong."""
    given = [value] if isinstance(value, str | dict) else [] if value is None else value
    if not isinstance(given, list | tuple):
        return value
    return tuple(_manifest(one, number) for number, one in enumerate(given, start=1))


def _manifest(one: object, number: int) -> NightManifest:
    if isinstance(one, NightManifest):
        return one
    given = {"path": one} if isinstance(one, str) else one
    try:
        return NightManifest.model_validate(given)
    except ValueError:
        raise ValueError(
            f"the place {number} of the list is neither a path nor {{path: a.xlsx, share: 2, "
            f"priority: 1}} with a share above 0 and a priority from -{_LARGEST_PRIORITY} up to "
            f"{_LARGEST_PRIORITY}"
        ) from None


NightManifests = Annotated[tuple[NightManifest, ...], BeforeValidator(_manifests)]
Redone = Annotated[tuple[Literal["changed", "rejected"], ...], BeforeValidator(read_list)]
WindowText = Annotated[str, AfterValidator(_window)]


class Night(Section):
    """What a night works on by itself, and when."""

    manifests: NightManifests = ()
    """The manifests, folders or patterns, relative to the working folder, where the command names
    none. Each is a path, or {path: manifests/new.xlsx, share: 3, priority: 1}: of the free slots a
    manifest gets its share of the sum of all shares (1 unless given), and one of a higher priority
    (0 unless given) goes first as long as it has rows.
    """
    window: WindowText | None = None
    """When a night may order: "22:00-06:00", or "mon-fri 22:00-06:00" with the days on which it
    begins. Nothing is ordered outside it, nor so late that it could not be collected before the
    end. null: at any time.
    """
    timezone: Zone = "local"
    """The zone of the window and of --until, for example Europe/Berlin or UTC. local: this
    machine's.
    """
    min_rows: int = Field(default=1, ge=0)
    """Fewer rows than this mean a broken export: nothing is ordered from such a manifest."""
    max_new: int | None = Field(default=None, ge=0)
    """More new rows than this mean a broken export: nothing is ordered from such a manifest. null:
    no bound.
    """
    redo: Redone = ()
    """Which done rows a night makes again: changed (edited since), rejected (in a review)."""


class Retry(Section):
    """New attempts of rows that failed, in a night."""

    wait_s: float = Field(default=900.0, ge=0, le=7 * 86_400)
    """Seconds from the failure of a row to the next attempt. Rows that no retry can help, and those
    that were paid for, are left to you; limits.attempts counts over all nights.
    """


_MODES = ("0600", "0640", "0644")


def _mode(value: object) -> object:
    """Refuse other rights, and numbers: without quotes YAML reads 0640 as 416, to the base of 8."""
    if value in _MODES:
        return value
    of_number = {number: one for one in _MODES for number in (int(one, 8), int(one))}
    if isinstance(value, int) and value in of_number:
        raise ValueError(f'is what YAML reads of rights without quotes; write "{of_number[value]}"')
    raise ValueError(f"must be one of {', '.join(_MODES)}")


LogMode = Annotated[str, BeforeValidator(_mode)]


def _address(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in url.strip():
        raise ValueError("is not a web address; write for example https://example.com/hook")
    return url.strip().rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class Notify(Section):
    """Who is told how a night went. What cannot be told is said, and changes nothing else."""

    on: Literal["always", "attention", "failure", "money"] = "attention"
    """When a message is sent. attention: if anything waits for a person. failure: if the night
    itself did not end well, with a code other than 0, 1 and 5. money: if anything was ordered.
    always: after each night.
    """
    urls_env: Variable | None = Field(default=None, repr=False)
    """The name of the environment variable that holds addresses of Apprise, such as mailto://,
    slack:// or tgram://, with blanks or line breaks between them. Never write an address itself
    here. It needs the extra notify: pip install "reelsheet[notify]". null: none.
    """
    urls_file: Text | None = None
    """A file that only this user can read (chmod 600), with addresses of Apprise, one on each line.
    It needs the same extra. null: none.
    """
    webhook: Address | None = Field(default=None, repr=False)
    """An address that gets night.json by POST, with the message under "text" and its title under
    "title". null: none.
    """
    ping: Address | None = Field(default=None, repr=False)
    """An address of a dead man's switch: it is asked for with /start when a night begins, as it
    stands when it ended well, and with /fail when it ended otherwise or never began.
    null: none.
    """


class Metrics(Section):
    """Figures for Prometheus, as a textfile of its node exporter."""

    textfile: Text | None = None
    """A file, as /var/lib/node_exporter/reelsheet.prom, that nights and runs write every few
    seconds, relative to the working folder. See docs/nights.md. null: none.
    """


class Log(Section):
    """run.log in each output folder."""

    rotate_mb: float | None = Field(default=50.0, gt=0, le=100_000)
    """Megabytes from which on run.log is renamed to run.log.1, run.log.2 and so on, and begun anew;
    the latest nine of these are kept. null: it grows for ever.
    """
    mode: LogMode = "0600"
    """The rights of run.log, in quotes. 0600: for its owner alone. 0640: its group may read it.
    0644: everybody. Whoever is let in has to be able to enter the output folder, too.
    """

    @property
    def rights(self) -> int:
        """The rights as the system takes them."""
        return int(self.mode, 8)
