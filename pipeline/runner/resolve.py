"""A person settles a submission whose outcome nobody knows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.config.loading import api_key
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.errors import NoSuchTask, UsageError
from pipeline.events import ClosedUnsent, Event, Found, Interrupted
from pipeline.journal.journal import Journal
from pipeline.journal.reading import read_entries, read_runs
from pipeline.model import Entry, State, TaskView
from pipeline.runner.doubts import OPEN, Doubt, doubts
from pipeline.runner.rehearsal import KEY, emulator
from pipeline.toapis.client import ToAPIs


def open_doubts(folder: OutputFolder, rows: Mapping[str, int]) -> list[Doubt]:
    """Return what is to be settled in an output folder; `rows` are the rows' numbers by key."""
    return doubts(read_entries(folder.journal).values(), read_runs(folder.journal), rows)


def adopt_task(
    manifest: Path, config: Config, folder: OutputFolder, key: str, task_id: str, *, adopt: bool
) -> str:
    """Tie a row to a task that the provider knows; returns what to say.

    Raises UsageError if the row is not open to that, the provider does not know the task, or it
    belongs to another row.
    """
    with _opened(manifest, folder, key, adopt=adopt) as (journal, entry):
        try:
            view = asyncio.run(_ask(config, folder, task_id))
        except NoSuchTask as error:
            raise UsageError(
                f"the provider does not know the task {task_id}: {error.message}",
                action="Look the id up in your ToAPIs account.",
            ) from error
        _refuse_owned(journal.entries(), key, {task_id, view.task_id})
        _append(journal, entry, Found(key, entry.attempt.number, view.task_id or task_id))
    return f"{key}: task {view.task_id or task_id} is {view.phase}; the next run takes it up."


def _refuse_owned(entries: Mapping[str, Entry], key: str, task_ids: set[str | None]) -> None:
    owners = [one.key for one in entries.values() if one.task_id in task_ids and one.key != key]
    if owners:
        raise UsageError(
            f"this task belongs to the row {owners[0]!r}: its video would stand for two products.",
            action="Look the id up in your ToAPIs account once more.",
        )


def close_unsent(manifest: Path, folder: OutputFolder, key: str, *, adopt: bool) -> str:
    """Close an attempt that was never accepted; returns what to say.

    Raises UsageError if the row is not open to that.
    """
    with _opened(manifest, folder, key, adopt=adopt) as (journal, entry):
        _append(journal, entry, ClosedUnsent(key, entry.attempt.number))
    number = entry.attempt.number
    return f"{key}: attempt {number} is closed; the next run submits it as attempt {number + 1}."


@contextlib.contextmanager
def _opened(
    manifest: Path, folder: OutputFolder, key: str, *, adopt: bool
) -> Iterator[tuple[Journal, Entry]]:
    if not folder.journal.is_file():
        raise UsageError(
            f"there is no journal in {folder.root}: nothing was ever sent from there.",
            action="Check the manifest's name, provider and --out.",
        )
    with (
        run_lock(folder.lock),
        contextlib.closing(Journal(folder.journal)) as journal,
    ):
        journal.claim(manifest, adopt=adopt)
        yield journal, _open_entry(journal.entries(), key)


def _open_entry(entries: dict[str, Entry], key: str) -> Entry:
    entry = entries.get(key)
    if entry is not None and entry.state in OPEN:
        return entry
    others = sorted(one.key for one in entries.values() if one.state in OPEN)
    raise UsageError(
        f"the row {key!r} is {entry.state if entry else 'not known'}: there is nothing to settle.",
        action=f"Rows to settle: {', '.join(others) or 'none'}.",
    )


def _append(journal: Journal, entry: Entry, event: Event) -> None:
    events = [event]
    if entry.state is State.SUBMITTING:
        events.insert(0, Interrupted(entry.key, entry.attempt.number))
    journal.append(events, time.time()).result()


async def _ask(config: Config, folder: OutputFolder, task_id: str) -> TaskView:
    async with contextlib.AsyncExitStack() as stack:
        if config.provider == "rehearsal":
            base_url, key = await stack.enter_async_context(emulator(folder.emulator)), KEY
        else:
            base_url, key = config.api.base_url, api_key(config, os.environ)
        api = await stack.enter_async_context(ToAPIs(base_url, key))
        return await api.query(task_id)
