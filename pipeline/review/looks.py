"""The figures of videos, kept in `cache/looks` by what the files hold, and the chips they make.

They may be deleted: `reelsheet review` measures again what is missing, and what another version of
the recipe has measured. What the figures of many videos have said is kept beside them in one file,
so that a page of thousands opens at once; it counts only for the very rules by which it was said.

Tested in tests/review/test_measuring.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from secrets import token_bytes
from typing import Any, Self

from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import open_to_read_bytes
from pipeline.disk.place import place_in_cache
from pipeline.disk.rights import make_cache
from pipeline.downloader.filmfigures import RECIPE
from pipeline.errors import ReelsheetError
from pipeline.model import shown_key
from pipeline.review import quality
from pipeline.review.doubles import Seen, look_alikes, same_files
from pipeline.review.nearness import near_pairs
from pipeline.review.posters import LOCAL
from pipeline.review.quality import OF_CARDS, findings, odd_ones, of_likeness
from pipeline.review.takes import JudgedRow, TakeFile
from pipeline.review.verdicts import Take

_MOST_BYTES = 200_000
_SUMMARY = "said.json"
_MANY = 200
"""What so many figures have said is kept in one file; fewer are read as quickly."""
_MOST_SUMMARY_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class _Look:
    """What of the figures of a video is remembered: the rest has said what it can say."""

    odd: tuple[str, ...]
    pictures: Mapping[str, Mapping[str, float]]
    bits: int
    tones: tuple[int, ...]

    @classmethod
    def of(cls, noted: Sequence[Any]) -> Self:
        """Return what was noted; raises TypeError, ValueError."""
        odd, pictures, bits, tones = noted
        return cls(tuple(map(str, odd)), dict(pictures), int(bits, 16), tuple(map(int, tones)))

    def noted(self) -> list[Any]:
        """Return it as JSON has it."""
        return [self.odd, self.pictures, f"{self.bits:x}", self.tones]


class Looks:
    """The figures of the videos of an output folder; any thread may ask.

    What was read is remembered, so that a page that is kept up to date reads only what is new.
    """

    def __init__(self, folder: Path, *, on: bool = True, rehearsal: bool = False) -> None:
        """Nothing is read yet.

        Args:
            folder: where the figures are kept.
            on: whether videos are measured, and chips made.
            rehearsal: whether the videos are those of a rehearsal.

        """
        self.folder = folder
        self.on = on
        self._rehearsal = rehearsal
        self._known: dict[str, _Look] = {}
        self._lock = threading.Lock()
        self._made = False
        self._summed: set[str] | None = None
        self._fresh = 0

    @classmethod
    def of(cls, folder: OutputFolder, config: Config) -> Self:
        """Return those of an output folder, as the settings have them."""
        return cls(folder.looks, on=config.review.quality, rehearsal=config.rehearses)

    def figures(self, sha256: str) -> dict[str, Any] | None:
        """Return what was measured of a video; None if nothing, or by another recipe."""
        try:
            with open_to_read_bytes(self.path(sha256)) as file:
                return figures_in(file.read(_MOST_BYTES))
        except OSError:
            return None

    def keep(self, sha256: str, figures: Mapping[str, Any]) -> None:
        """Keep what was measured of a video. Raises OSError, StoreError."""
        content = json.dumps(figures, separators=(",", ":")).encode("ascii")
        if not self._made:
            self._make_folder()
        try:
            place_in_cache(self.path(sha256), content)
        except FileNotFoundError:  # it was deleted meanwhile
            self._make_folder()
            place_in_cache(self.path(sha256), content)
        with self._lock:
            self._known.pop(sha256, None)

    def _make_folder(self) -> None:
        make_cache(self.folder.parent)
        make_cache(self.folder)
        self._made = True

    def path(self, sha256: str) -> Path:
        """Return where the figures of a video are kept."""
        return self.folder / f"{sha256}.json"

    def needs(self, take: TakeFile) -> bool:
        """Whether a take has not been measured, or not been held against its picture."""
        if not self.on:
            return False
        picture = picture_of(take.images)
        look = self._look(take.video.sha256, picture)
        return look is None or (picture is not None and picture not in look.pictures)

    def chips(self, rows: Sequence[JudgedRow]) -> dict[Take, tuple[str, ...]]:
        """Return what is odd about the takes that were measured, the gravest first."""
        if not self.on:
            return {}
        seen = [
            (row, take, look)
            for row in rows
            for take in row.takes
            if (look := self._look(take.video.sha256, picture_of(take.images))) is not None
        ]
        self._sum_up()
        found = [
            look.odd + of_likeness(look.pictures.get(picture_of(take.images) or ""))
            for _, take, look in seen
        ]
        if self._rehearsal:
            told = [tuple(one for one in odd if one not in OF_CARDS) for odd in found]
        else:
            told = [
                odd + double for odd, double in zip(odd_ones(found), _doubles(seen), strict=True)
            ]
        return {
            (row.entry, take.number): odd
            for (row, take, _), odd in zip(seen, told, strict=True)
            if odd
        }

    def _look(self, sha256: str, picture: str | None) -> _Look | None:
        with self._lock:
            if self._summed is None:
                self._read_summary()
            known = self._known.get(sha256)
            summed = self._summed is not None and sha256 in self._summed
        if known is not None and not (summed and picture and picture not in known.pictures):
            return known
        figures = self.figures(sha256)
        if figures is None:
            return None
        try:
            look = _look_of(figures)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return None  # somebody else has written it
        with self._lock:
            self._known[sha256] = look
            self._fresh += 1
            if self._summed is not None:
                self._summed.discard(sha256)
        return look

    def _read_summary(self) -> None:
        """Take over what figures have said before, by the same rules."""
        self._summed = set()
        try:
            with open_to_read_bytes(self.folder / _SUMMARY) as file:
                said = json.loads(file.read(_MOST_SUMMARY_BYTES))
            if said["by"] == _rules():
                self._known = {sha256: _Look.of(one) for sha256, one in said["looks"].items()}
                self._summed = {*self._known}
        except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
            self._known = {}  # it is made again from the figures

    def _sum_up(self) -> None:
        """Keep what many figures have said, where much of it is new."""
        with self._lock:
            if self._fresh < _MANY:
                return
            self._fresh = 0
            looks = {sha256: look.noted() for sha256, look in self._known.items()}
        said = json.dumps({"by": _rules(), "looks": looks}, separators=(",", ":"))
        with contextlib.suppress(OSError, ReelsheetError):
            place_in_cache(self.folder / _SUMMARY, said.encode("ascii"))


def figures_in(content: bytes) -> dict[str, Any] | None:
    """Return the figures that are written there; None where they are of another recipe."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(found, dict) and found.get("recipe") == RECIPE
    return found if fits else None


@cache
def _rules() -> str:
    """Return by what it is known that the rules are the same: the recipe, and their very text."""
    try:
        text = Path(quality.__file__).read_bytes()
    except OSError:  # it lies in an archive: then nothing is known to be the same
        text = token_bytes(16)
    return f"{RECIPE} {hashlib.sha256(text).hexdigest()}"


def picture_of(images: Sequence[str]) -> str | None:
    """Return the sha256 of the local picture that a video is to begin with; None without."""
    first = images[0] if images else ""
    return first.removeprefix(LOCAL) if first.startswith(LOCAL) else None


def _look_of(figures: Mapping[str, Any]) -> _Look:
    tones = (tone for pair in figures.get("tones", ()) for tone in pair)
    return _Look(
        findings(figures),
        figures.get("pictures", {}),
        int("".join(figures.get("hashes", ())) or "0", 16),
        tuple(tones),
    )


def _doubles(
    seen: Sequence[tuple[JudgedRow, TakeFile, _Look]],
) -> list[tuple[str, ...]]:
    """Return for each take which other article has its video, or one that looks like it."""
    takes = [
        Seen(row.entry, (take.prompt, take.images), take.video.sha256, look.bits, look.tones)
        for row, take, look in seen
    ]
    same, alike = same_files(takes), look_alikes(takes, near_pairs)
    told: list[tuple[str, ...]] = []
    for index in range(len(takes)):
        if index in same:
            told.append((f"same video as {shown_key(seen[same[index]][0].key)}",))
        elif index in alike:
            told.append((f"looks like {shown_key(seen[alike[index]][0].key)}",))
        else:
            told.append(())
    return told
