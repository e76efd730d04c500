"""Decisions of the served page are gathered and made durable, at most ten times a second.

A run that pays waits for each commit of the journal, whoever makes it: so one for each key that a
person presses would hold it up. Whoever sends decisions is answered when they are on the disk.

Tested in tests/review/test_server.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pipeline.journal.decisions import DecisionTable
from pipeline.model import Decision
from pipeline.review.cards import as_said
from pipeline.review.exchange import seconds_of
from pipeline.review.verdicts import (
    Conflict,
    Save,
    Take,
    UnfitDecision,
    clean,
    latest_of,
    take_of,
    weigh_saves,
)

MOST_AT_ONCE = 500
_BETWEEN_COMMITS_S = 0.1
_CLOSE_AFTER_S = 2.0
"""The journal is left whole as a file when nobody has decided anything for so long."""
_TEXTS = ("entry", "sha256", "verdict", "reason", "note", "prompt", "prompt_of")


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of saves: the place of each that counts, and those that others forbid."""

    places: dict[Take, int]
    conflicts: tuple[Conflict, ...]

    def document(self, gone: Sequence[Decision] = ()) -> dict[str, Any]:
        """Return it as the page takes it; `gone` are about takes that are not there."""
        return {
            "gone": [{"entry": one.entry, "number": one.number} for one in gone],
            "saved": [
                {"entry": entry, "number": number, "seq": seq}
                for (entry, number), seq in self.places.items()
            ],
            "conflicts": [{"theirs": as_said(one.stands)} for one in self.conflicts],
        }


def join_documents(parts: Sequence[tuple[int, dict[str, Any]]], manifests: int) -> dict[str, Any]:
    """Return what became of saves as one document; of several manifests with the place of each."""
    joined: dict[str, list[Any]] = {"gone": [], "saved": [], "conflicts": []}
    for at, document in parts:
        place = {"m": at} if manifests > 1 else {}
        for name in ("gone", "saved"):
            joined[name] += [{**one, **place} for one in document[name]]
        theirs = [one["theirs"] for one in document["conflicts"]]
        joined["conflicts"] += [{"theirs": {**one, **place}} for one in theirs]
    return joined


def understand(
    document: object, videos: Sequence[dict[Take, str]], who: str | None
) -> list[tuple[list[Save], list[Decision]]]:
    """Return the saves in what a page sent, and decisions about takes that are gone.

    Args:
        document: the JSON.
        videos: of each manifest, the sha256 of each take's video.
        who: whose they are, whatever the page says; None where it is to say so.

    Raises:
        UnfitDecision: It is not what a page sends.

    """
    listed = document.get("decisions") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_AT_ONCE:
        raise UnfitDecision(f"no list of at most {MOST_AT_ONCE} decisions")
    parts: list[tuple[list[Save], list[Decision]]] = [([], []) for _ in videos]
    for values in listed:
        at, save = _save(values, who)
        if not 0 <= at < len(videos):
            raise UnfitDecision("there is no such manifest")
        saves, gone = parts[at]
        if videos[at].get(take_of(save.decision)) == save.decision.sha256:
            saves.append(save)
        else:
            gone.append(save.decision)
    return parts


def _save(values: object, who: str | None) -> tuple[int, Save]:
    """Return the place of the manifest that a decision is about, and the decision."""
    if not isinstance(values, dict):
        raise UnfitDecision("a decision is a record")
    texts = {name: values.get(name, "") for name in _TEXTS}
    number, seen, place = values.get("number"), values.get("seen", 0), values.get("m", 0)
    if not all(isinstance(text, str) for text in texts.values()):
        raise UnfitDecision("a text is none")
    if not (type(number) is type(seen) is type(place) is int):
        raise UnfitDecision("a number is none")
    name = values.get("reviewer", "") if who is None else who
    try:
        at = seconds_of(values.get("at"))
    except (ValueError, OverflowError, OSError):
        at = 0.0
    decision = Decision(texts["entry"], number, texts["sha256"], texts["verdict"])
    decision = clean(
        Decision(
            **{
                **texts,
                "number": number,
                "reviewer": name if isinstance(name, str) else "",
                "source": "page",
                "at": at or time.time(),
            }
        )
    )
    if who is None and not decision.reviewer:
        raise UnfitDecision("nobody says who decides: load the page again")
    return place, Save(decision, seen)


class Saver:
    """Writes what pages save; an async context manager, to be used by one event loop."""

    def __init__(self, journal: Path, tell: Callable[[], None] = lambda: None) -> None:
        """Write to a journal; `tell` is called after each commit."""
        self._journal = journal
        self._tell = tell
        self._waiting: list[tuple[Sequence[Save], asyncio.Future[Saved]]] = []
        self._more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stack = contextlib.ExitStack()
        self._table: DecisionTable | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._work())
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(done for _, done in self._waiting), return_exceptions=True)
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._close()

    async def save(self, saves: Sequence[Save]) -> Saved:
        """Return when these are durable; raises StoreError."""
        done: asyncio.Future[Saved] = asyncio.get_running_loop().create_future()
        self._waiting.append((saves, done))
        self._more.set()
        return await asyncio.shield(done)

    async def _work(self) -> None:
        while True:
            try:
                await asyncio.wait_for(self._more.wait(), _CLOSE_AFTER_S)
            except TimeoutError:
                await asyncio.to_thread(self._close)
                await self._more.wait()
            self._more.clear()
            batch = self._waiting[:]
            await self._commit(batch)
            del self._waiting[: len(batch)]
            self._tell()
            await asyncio.sleep(_BETWEEN_COMMITS_S)

    async def _commit(self, batch: list[tuple[Sequence[Save], asyncio.Future[Saved]]]) -> None:
        try:
            results = await asyncio.to_thread(self._write, [saves for saves, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed to everyone who waits
            self._close()
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
        else:
            for (_, done), result in zip(batch, results, strict=True):
                if not done.done():
                    done.set_result(result)

    def _close(self) -> None:
        self._table = None
        self._stack.close()

    def _write(self, batch: Sequence[Sequence[Save]]) -> list[Saved]:
        if self._table is None:
            self._table = self._stack.enter_context(DecisionTable(self._journal))
        every = [save for saves in batch for save in saves]
        before: dict[Take, Decision] = {}
        conflicts: list[Conflict] = []

        def choose(existing: Sequence[Decision]) -> Sequence[Decision]:
            before.update(latest_of(existing))
            added, refused = weigh_saves(existing, every)
            conflicts[:] = refused
            return added

        added = self._table.add({save.decision.entry for save in every}, choose)
        latest = before | latest_of(added)
        return [_saved(saves, latest, conflicts) for saves in batch]


def _saved(
    saves: Sequence[Save], latest: dict[Take, Decision], conflicts: Sequence[Conflict]
) -> Saved:
    own = {id(save.decision) for save in saves}
    refused = tuple(one for one in conflicts if id(one.wanted) in own)
    lost = {id(one.wanted) for one in refused}
    takes = [take_of(save.decision) for save in saves if id(save.decision) not in lost]
    places = {take: latest[take].seq if take in latest else 0 for take in takes}
    return Saved(places, refused)
