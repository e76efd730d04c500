"""The review page as files: what is in the package, and the data of one manifest beside it.

The page works by double click. A browser lets no page of that kind fetch anything, so the data is a
script: ASCII, without a `<`, and one text that is parsed as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from pipeline.checker.check import CheckedManifest
from pipeline.checker.rowmodels import say_unchecked
from pipeline.config.settings import Config
from pipeline.disk.failures import raise_store_errors
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import refuse_link
from pipeline.disk.place import place_unless_same
from pipeline.disk.rights import make_folder_for
from pipeline.journal.decisions import read_decisions
from pipeline.journal.reading import read_id
from pipeline.manifest.invocation import Invocation
from pipeline.review.cards import Card, Cards, Stills
from pipeline.review.looks import Looks
from pipeline.review.posters import names_in
from pipeline.review.takelinks import link_takes
from pipeline.review.takes import JudgedRow, rows_with_takes
from pipeline.review.verdicts import latest_of

PAGE = "review.html"
SCRIPT = "page.js"
ASSETS = ("review.css", "mark.svg", SCRIPT)
"""The files of the page in the folder `review`, beside its data."""
_SCRIPTS = ("store.js", "words.js", "wall.js", "one.js", "again.js", "app.js")
"""What the script of the page is put together from, in this order."""
DATA = "data.js"
_MEDIA = b"media-src 'self' blob:"
MOST_ROWS = 20_000
"""Above this no page is written after a run: `reelsheet review` shows it all the same."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says of the whole manifest.

    `unchecked` is said of models whose rules stand in a sheet of the team's own alone.
    """

    manifest: Path
    journal: str
    rehearsal: bool
    price: float | None
    currency: str
    command: str
    importing: str
    unchecked: tuple[str, ...]

    @classmethod
    def of(cls, checked: CheckedManifest, config: Config, typed: Invocation, journal: str) -> Facts:
        """Return the facts of a manifest.

        Args:
            checked: the manifest.
            config: its settings.
            typed: what the user named, for the commands that make videos again and that take over
                a file of decisions.
            journal: the id of its journal.

        """
        return cls(
            checked.manifest.path,
            journal,
            config.rehearses,
            config.budget.price_per_second,
            config.budget.currency,
            typed.command("run"),
            replace(typed, adopt=False).command("review", "--import", "FILE"),
            say_unchecked(checked.models, rehearses=config.rehearses),
        )


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A manifest whose takes are judged: what is in it, its output folder, what the page says.

    `looks` has what was measured of its videos.
    """

    checked: CheckedManifest
    folder: OutputFolder
    facts: Facts
    looks: Looks

    @classmethod
    def of(
        cls, checked: CheckedManifest, folder: OutputFolder, config: Config, typed: Invocation
    ) -> Reviewed:
        """Return a manifest with what the page says of it; raises StoreError.

        Args:
            checked: the manifest.
            folder: its output folder, with its journal.
            config: its settings.
            typed: what the user named.

        """
        journal = read_id(folder.journal) or ""
        facts = Facts.of(checked, config, typed, journal)
        return cls(checked, folder, facts, Looks.of(folder, config))


def page_data(
    facts: Sequence[Facts],
    groups: object,
    cards: Sequence[Card],
    roots: Sequence[str] = ("",),
    **more: object,
) -> dict[str, Any]:
    """Return all data of the page.

    Args:
        facts: those of each manifest.
        groups: the columns by which the cards can be grouped.
        cards: all cards.
        roots: where the files of each manifest begin, seen from the page.
        more: what only a server can say.

    """
    manifests = [
        {
            "journal": one.journal,
            "manifest": one.manifest.name,
            "rehearsal": one.rehearsal,
            "price": one.price,
            "currency": one.currency,
            "command": one.command,
            "importing": one.importing,
            "unchecked": one.unchecked,
        }
        for one in facts
    ]
    several = [{**one, "root": root} for one, root in zip(manifests, roots, strict=True)]
    whole = manifests[0] if len(facts) == 1 else {"manifests": several}
    said = {"windows": os.name == "nt", "groups": groups, "cards": cards}
    return {"schema": 1, **whole, **said, **more}


def as_script(data: Mapping[str, Any]) -> bytes:
    """Return data as a script that nothing in it can end or break out of."""
    text = json.dumps(json.dumps(data, separators=(",", ":")))
    return (
        b"const REVIEW_DATA = JSON.parse(" + text.replace("<", "\\u003c").encode("ascii") + b");\n"
    )


def asset(name: str) -> bytes:
    """Return a file of the page, which is part of the package."""
    page = resources.files("pipeline.review").joinpath("page")
    names = _SCRIPTS if name == SCRIPT else (name,)
    return b"".join(page.joinpath(one).read_bytes() for one in names)


def stills_in(folder: OutputFolder) -> Stills:
    """Return the posters and small pictures of an output folder."""
    return Stills(names_in(folder.posters), names_in(folder.small_pictures))


def write_page(
    checked: CheckedManifest, folder: OutputFolder, config: Config, typed: Invocation
) -> Path | None:
    """Write the static page of a manifest into its output folder; None if it has too many rows.

    Args:
        checked: the manifest.
        folder: its output folder, with its journal.
        config: its settings.
        typed: what the user named.

    Raises:
        StoreError: The folder does not take it, or the journal cannot be read.

    """
    if len(checked.manifest.rows) > MOST_ROWS:
        return None
    one = Reviewed.of(checked, folder, config, typed)
    rows = rows_with_takes(checked, folder)
    maker, cards = cards_of(one, rows)
    linked = link_takes(cards, rows)
    data = page_data([one.facts], maker.groups, cards, until=linked.until)
    return put_page(folder, data, (checked.manifest.path,), linked.origins)


def cards_of(one: Reviewed, rows: Sequence[JudgedRow]) -> tuple[Cards, list[Card]]:
    """Return the cards of a manifest with these rows, and what made them; raises StoreError."""
    latest = latest_of(read_decisions(one.folder.journal))
    maker = Cards(one.checked)
    odd = one.looks.chips(rows)
    return maker, maker.make(rows, latest, stills_in(one.folder), odd)


def put_page(
    folder: OutputFolder,
    data: Mapping[str, Any],
    sources: tuple[Path, ...],
    origins: Collection[str] = (),
) -> Path:
    """Write the page with its data and its other files; return it. Raises StoreError.

    Args:
        folder: where it goes.
        data: what it shows.
        sources: the manifests, whose rights it shares.
        origins: those of videos that lie elsewhere.

    """
    refuse_link(folder.review)
    with raise_store_errors(folder.review):
        make_folder_for(folder.review, sources[0])
    for name in ASSETS:
        _put(folder.review / name, asset(name), sources)
    _put(folder.review / DATA, as_script(data), sources)
    page = folder.root / PAGE
    _put(page, _page_for(origins), sources)
    return page


def _page_for(origins: Collection[str]) -> bytes:
    """Return the page, which may play videos from these origins and load nothing else there."""
    allowed = "".join(f" {one}" for one in sorted(origins)).encode("ascii")
    return asset(PAGE).replace(_MEDIA, _MEDIA + allowed)


def _put(target: Path, data: bytes, sources: tuple[Path, ...]) -> None:
    """Place a file with the rights of the manifests, unless it says that already."""
    place_unless_same(target, data, copy_of=sources)
