"""Figures of a night or a run for Prometheus, as a textfile of its node exporter reads them.

They are those of `night.json`: nothing is counted here. Counters begin at 0 with each night or run.

Tested in tests/night/test_metrics.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from pipeline import __version__
from pipeline.disk.openfile import is_gone, open_to_read_bytes
from pipeline.disk.place import place
from pipeline.errors import StoreError
from pipeline.model import State

_READABLE = 0o644
"""The exporter is another user."""


@dataclass(frozen=True, slots=True)
class Family:
    """Figures of one name: what they are, and their labels; `counts` says that they only grow."""

    meaning: str
    labels: tuple[str, ...] = ()
    counts: bool = False


_MANIFEST = ("manifest",)
FAMILIES = {
    "info": Family(
        "Always 1: the version, the command and the provider.", ("version", "command", "provider")
    ),
    "up": Family("1 while it goes on, and after a kill: see when it was updated."),
    "started_timestamp_seconds": Family("When it began, in Unix seconds."),
    "updated_timestamp_seconds": Family("When this was written."),
    "ended_timestamp_seconds": Family("When it ended; missing while it goes on."),
    "exit_code": Family("Its exit code; missing while it goes on."),
    "last_success_timestamp_seconds": Family(
        "When one last ended well; 0: never, as far as the history goes."
    ),
    "rows": Family("Rows by state.", ("manifest", "state")),
    "submissions_total": Family("Submissions of this night or run.", _MANIFEST, counts=True),
    "downloads_total": Family("Videos that it downloaded.", _MANIFEST, counts=True),
    "downloaded_bytes_total": Family("Bytes of these videos.", _MANIFEST, counts=True),
    "polls_total": Family("Queries that it made.", _MANIFEST, counts=True),
    "money": Family(
        "What it spent, confirmed or in doubt; missing without a price.", ("manifest", "currency")
    ),
    "oldest_paid_timestamp_seconds": Family(
        "When the oldest video was ordered that is paid for and not home; missing if all are.",
        _MANIFEST,
    ),
    "oldest_paid_age_seconds": Family(
        "How long ago that was when this was written; 0 if all are home.", _MANIFEST
    ),
    "manifest_exit_code": Family("The exit code of a manifest that is through.", _MANIFEST),
}
"""Every family of figures; the names begin with reelsheet_."""

PREFIX = "reelsheet_"
_Sample: TypeAlias = tuple[str, Sequence[str], float]
"""The family, the values of its labels, and the figure."""

_BEGINS = f"# HELP {PREFIX}".encode()
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(slots=True)
class ManifestFigures:
    """The figures of a manifest, as they are now.

    `paid_since` is the Unix second since which its oldest video is paid for, or perhaps, that is
    not home; `exit_code` is None as long as it goes on, `error` says why it is not worked on.
    """

    name: str
    states: Mapping[str, int] = field(default_factory=dict)
    submitted: int = 0
    downloaded: int = 0
    bytes: int = 0
    polls: int = 0
    money: float | None = None
    paid_since: float | None = None
    exit_code: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a night or a run. Times are Unix seconds.

    `provider` and `currency` are those of the configuration; `last_success` is when one last ended
    well, 0 if none is known; `well` says whether this one did, None while it goes on. `spend` is
    over all manifests, as `night.json` has it.
    """

    began: float
    now: float
    ended: bool
    exit_code: int | None
    stopped_by: str | None
    spend: Mapping[str, float | str | None]
    manifests: Sequence[ManifestFigures]
    command: str = ""
    provider: str = ""
    currency: str = ""
    last_success: float = 0.0
    well: bool | None = None


class Onlooker(Protocol):
    """Is told how far a night or a run is, whenever that is known anew."""

    def tell(self, figures: Figures) -> None:
        """Take in how far it is, or how it ended."""


def write_textfile(path: Path, figures: Figures) -> None:
    """Write the figures, whole or not at all; raises StoreError.

    A file that holds anything else is left alone: a manifest may have been named by mistake.
    """
    if not (is_gone(path) or _is_ours(path)):
        raise StoreError(
            f"{path} holds something else than metrics of Reelsheet; nothing is written there.",
            action="Name another file with metrics.textfile.",
        )
    data = render(figures).encode("utf-8", "backslashreplace")
    place(path, lambda file: file.write(data), begin=lambda temp: temp.chmod(_READABLE))


def _is_ours(path: Path) -> bool:
    with contextlib.suppress(OSError), open_to_read_bytes(path) as file:
        return file.read(len(_BEGINS)) in {_BEGINS, b""}
    return False


def render(figures: Figures) -> str:
    """Return the figures in the text format of Prometheus."""
    samples: dict[str, list[str]] = {name: [] for name in FAMILIES}
    for family, labels, value in _samples(figures):
        names = FAMILIES[family].labels
        told = ",".join(
            f'{name}="{label.translate(_ESCAPES)}"'
            for name, label in zip(names, labels, strict=True)
        )
        samples[family].append(f"{PREFIX}{family}{f'{{{told}}}' if told else ''} {value!r}\n")
    parts = []
    for family, lines in samples.items():
        if lines:
            name, kind = PREFIX + family, "counter" if FAMILIES[family].counts else "gauge"
            parts.append(f"# HELP {name} {FAMILIES[family].meaning}\n# TYPE {name} {kind}\n")
            parts += lines
    return "".join(parts)


def _samples(figures: Figures) -> Iterator[_Sample]:
    yield "info", (__version__, figures.command, figures.provider), 1
    yield "up", (), int(not figures.ended)
    yield "started_timestamp_seconds", (), round(figures.began, 3)
    yield "updated_timestamp_seconds", (), round(figures.now, 3)
    yield "last_success_timestamp_seconds", (), round(figures.last_success, 3)
    if figures.ended:
        yield "ended_timestamp_seconds", (), round(figures.now, 3)
        if figures.exit_code is not None:
            yield "exit_code", (), figures.exit_code
    for one in figures.manifests:
        yield from _samples_of(one, figures)


def _samples_of(
    one: ManifestFigures, of_all: Figures
) -> Iterator[tuple[str, Sequence[str], float]]:
    for state in State:
        yield "rows", (one.name, state.value), one.states.get(state.value, 0)
    yield "submissions_total", (one.name,), one.submitted
    yield "downloads_total", (one.name,), one.downloaded
    yield "downloaded_bytes_total", (one.name,), one.bytes
    yield "polls_total", (one.name,), one.polls
    if one.money is not None:
        yield "money", (one.name, of_all.currency), one.money
    if one.paid_since is not None:
        yield "oldest_paid_timestamp_seconds", (one.name,), round(one.paid_since, 3)
    age_s = 0.0 if one.paid_since is None else max(0.0, of_all.now - one.paid_since)
    yield "oldest_paid_age_seconds", (one.name,), round(age_s, 3)
    if one.exit_code is not None:
        yield "manifest_exit_code", (one.name,), one.exit_code
