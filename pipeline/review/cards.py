"""The data of the review page: a card for each row, as plain values that become JSON.

The page shows what is here and asks for nothing else. Everything is text from the sheet or from the
journal; the page writes it with textContent only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from pipeline.checker.check import CheckedManifest
from pipeline.manifest.blank import without_controls
from pipeline.manifest.columns import MODEL_COLUMN, fold_header
from pipeline.manifest.normalform import to_normal_form
from pipeline.manifest.resultcolumns import our_columns
from pipeline.model import Decision, Row, Video, shown_key
from pipeline.review.posters import LOCAL, picture_name, poster_name, web_picture_name
from pipeline.review.takes import JudgedRow, TakeFile
from pipeline.review.verdicts import Take

Card: TypeAlias = dict[str, Any]

TITLES = ("title", "name", "product", "product_title", "product_name", "titel", "bezeichnung")
"""Headers of the column with the name of a product; the first one that is there counts."""
_MOST_GROUPS, _MOST_VALUES = 12, 40
"""Own columns, and values of each, by which the page can group."""
_HASH_CHARACTERS = 32
_SIDES, _SAME_FRAME = 4, 0.02


@dataclass(frozen=True, slots=True)
class Stills:
    """The names of the posters and small pictures that are there to be shown."""

    posters: Collection[str] = ()
    pictures: Collection[str] = ()


def _own_columns(checked: CheckedManifest) -> list[int]:
    """Return where the user's own columns are: those that are neither read nor written by us."""
    headers = checked.manifest.headers
    taken = {*checked.fields.values(), *our_columns(headers)}
    return [at for at, name in enumerate(headers) if name.strip() and at not in taken]


def find_own_column(checked: CheckedManifest, names: Sequence[str]) -> int | None:
    """Return where the first of these own columns is, by its folded header; None if none is."""
    headers = checked.manifest.headers
    folded = {fold_header(headers[at]): at for at in reversed(_own_columns(checked))}
    return next((folded[name] for name in names if name in folded), None)


class Cards:
    """Makes the cards of a manifest; what the sheet says of each row is put together once."""

    def __init__(self, checked: CheckedManifest) -> None:
        self._own = _own_columns(checked)
        self._title_at = find_own_column(checked, TITLES)
        self._checked = checked
        read = checked.reading.read
        named = (checked.manifest.headers[at].strip() for at in self._own)
        is_model = [read.get(name) == MODEL_COLUMN for name in named]
        self._models_at = self._own[is_model.index(True)] if any(is_model) else None
        self.groups, self._places = self._find_groups()
        self._said = [
            self._of_sheet(row, key)
            for row, key in zip(checked.manifest.rows, checked.keys, strict=True)
        ]

    def _find_groups(self) -> tuple[list[dict[str, Any]], list[tuple[int, dict[str, int]]]]:
        """Find the own columns that part the rows into groups, with their values."""
        rows = self._checked.manifest.rows
        groups: list[dict[str, Any]] = []
        places: list[tuple[int, dict[str, int]]] = []
        for at in self._own:
            values = dict.fromkeys(self._group_of(row, at) for row in rows)
            fits = 1 < len(values) <= _MOST_VALUES and len(values) < len(rows)
            if fits and at != self._title_at and len(groups) < _MOST_GROUPS:
                names = sorted(values)
                groups.append({"name": self._checked.manifest.headers[at], "values": names})
                places.append((at, {name: index for index, name in enumerate(names)}))
        return groups, places

    def _group_of(self, row: Row, at: int) -> str:
        """Return what a row is grouped by: of models the one that it has, however it is written."""
        request = self._checked.requests.get(row.number) if at == self._models_at else None
        return row.cells[at].strip() if request is None else request.model

    def _of_sheet(self, row: Row, key: str) -> Card:
        checked = self._checked
        request = checked.requests.get(row.number)
        prompt_at = checked.fields.get("prompt")
        prompt = row.cells[prompt_at].strip() if prompt_at is not None else ""
        if request is not None:
            prompt = request.prompt
        return {
            "key": shown_key(key),
            "title": row.cells[self._title_at].strip() if self._title_at is not None else "",
            "prompt": prompt,
            "prompt_hash": hash_of(checked.sheet_prompt(row.number)),
            "seconds": 0 if request is None else request.duration,
            "groups": [places[self._group_of(row, at)] for at, places in self._places],
        }

    def make(
        self,
        rows: Sequence[JudgedRow],
        latest: Mapping[Take, Decision],
        stills: Stills,
        odd: Mapping[Take, Sequence[str]] = MappingProxyType({}),
    ) -> list[Card]:
        """Return the cards of all rows, in their order.

        Args:
            rows: the rows with their takes, in the order of the manifest.
            latest: the decisions that count.
            stills: the posters and pictures that are there.
            odd: what was found odd about takes when they were measured.

        """
        return [
            {
                **said,
                "entry": row.entry,
                "state": str(row.state or "waiting"),
                "error": row.error or "",
                "pictures": self._pictures(row.row, stills.pictures),
                "takes": [
                    {
                        **_take(row.entry, take, said, latest, stills),
                        "chips": [*odd.get((row.entry, take.number), ()), *chips_of(take.video)],
                    }
                    for take in row.takes
                ],
            }
            for row, said in zip(rows, self._said, strict=True)
        ]

    def _pictures(self, row: int, there: Collection[str]) -> list[dict[str, str]]:
        shown = []
        for image in self._checked.images.get(row, ()):
            if not image.startswith(LOCAL):
                name = web_picture_name(image)
                shown.append({"url": image, "file": name} if name in there else {"url": image})
                continue
            sha256 = image.removeprefix(LOCAL)
            picture = self._checked.pictures.get(sha256)
            name = picture_name(sha256)
            shown.append(
                {"file": name} if name in there else {"name": picture.path.name if picture else ""}
            )
        return shown


def _take(
    entry: str, take: TakeFile, said: Card, latest: Mapping[Take, Decision], stills: Stills
) -> dict[str, Any]:
    video = take.video
    poster = poster_name(video.name, take.number)
    decision = latest.get((entry, take.number))
    shown: dict[str, Any] = {
        "number": take.number,
        "file": video.name,
        "sha256": video.sha256,
        "duration": round(video.duration_s, 2),
        "width": video.width,
        "height": video.height,
        "at": round(take.finished_at or 0),
        "poster": poster if poster in stills.posters else "",
    }
    if take.prompt != said["prompt"]:
        shown["prompt"] = take.prompt
    if decision is not None:
        shown["said"] = as_said(decision)
    return shown


def chips_of(video: Video) -> list[str]:
    """Return what is odd about a video, in a word or two each."""
    chips = []
    for warning in video.warnings:
        sizes = [int(one) for one in re.findall(r"\d+", warning)[:4]]
        if "pixels instead of" in warning and len(sizes) == _SIDES:
            wide, high, asked_wide, asked_high = sizes
            other = abs(wide * asked_high - high * asked_wide) > _SAME_FRAME * high * asked_wide
            chips.append("odd frame" if other else "odd size")
        else:
            chips.append("odd length" if "s long" in warning else warning)
    return chips


def as_said(decision: Decision) -> dict[str, Any]:
    """Return a decision as the page has it."""
    return {
        "entry": decision.entry,
        "number": decision.number,
        "sha256": decision.sha256,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "note": decision.note,
        "prompt": decision.prompt,
        "prompt_of": decision.prompt_of,
        "reviewer": decision.reviewer,
        "source": decision.source,
        "at": decision.at,
        "seq": decision.seq,
    }


def hash_of(prompt: str) -> str:
    """Return by what a new prompt knows the text of the sheet that it replaces."""
    # An editor or a spreadsheet program that saves line breaks and accents otherwise edits nothing.
    text = to_normal_form("NFC", without_controls(prompt.replace("\r\n", "\n").replace("\r", "\n")))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
