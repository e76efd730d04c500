"""All files of results: their rows derived from manifest, plan and journal, then written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from pipeline.checker.check import CheckedManifest
from pipeline.checker.naming import looks_made_of_contents
from pipeline.config.settings import Config
from pipeline.config.values import TASK_PATH, origin_of
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.disk.sqlitefile import path_of
from pipeline.errors import DownloadError, StoreError, UsageError
from pipeline.journal.ownership import find_manifest
from pipeline.manifest.invocation import Invocation, quoted_option
from pipeline.model import Entry, State, shown_key
from pipeline.planner.delivered import FILE_DELIVERED, was_handed_over
from pipeline.planner.plan import Plan, Step
from pipeline.process.collector import pause_collector
from pipeline.storage.opening import web_address
from pipeline.writer.advice import ASK_THE_ACCOUNT, RUN_AGAIN
from pipeline.writer.failed import write_failed
from pipeline.writer.kept import NOTHING_KEPT, Kept
from pipeline.writer.layout import Result
from pipeline.writer.outcome import FRESH_TAKE, result_of, state_of
from pipeline.writer.results import write_results
from pipeline.writer.summary import Summary, write_summary

ROWS_AT_ONCE = 500
"""For this many rows entries are read and held at a time."""

EntriesOf: TypeAlias = Callable[[Sequence[str]], Mapping[str, Entry]]
"""Returns the journal's entries of rows, by their keys."""
_OwnerOf: TypeAlias = Callable[[str, str], Path | None]
"""Returns whose an output folder is by now, from the manifest that it was known by."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where the results are, and notes about them for the user."""

    results: Path
    failed: Path | None
    notes: tuple[str, ...]


def results_of(
    checked: CheckedManifest,
    plan: Plan,
    entries: Mapping[str, Entry],
    config: Config | None = None,
    typed: Invocation | None = None,
) -> list[Result]:
    """Return one result for each row of the manifest, in order.

    Args:
        checked: the manifest and its problems.
        plan: what the run does with each row.
        entries: the journal's entries of all rows, by key.
        config: as for `results_by_part`.
        typed: likewise.

    """
    return results_by_part(checked, plan, lambda _keys: entries, config, typed)


@pause_collector()
def results_by_part(
    checked: CheckedManifest,
    plan: Plan,
    entries_of: EntriesOf,
    config: Config | None = None,
    typed: Invocation | None = None,
) -> list[Result]:
    """Return one result for each row of the manifest, in order.

    Args:
        checked: the manifest and its problems.
        plan: what the run did with each row.
        entries_of: returns the entries of rows; it is asked for a few hundred rows at a time, and
            once for each, since an entry takes three times the memory of its result.
        config: with that of a live run, the tasks of a workbook are linked to the provider's page
            about them. With `output.thumbnails` its videos get stills.
        typed: what the user named, for the commands in what to do; None for the manifest alone.

    """
    manifest = checked.manifest
    linked = config is not None and not config.rehearses and manifest.dialect is None
    tasks = (
        f"{origin_of(config.api.base_url)}{TASK_PATH}" if config is not None and linked else None
    )
    stills = config is not None and config.output.thumbnails
    typed = typed or Invocation(manifest.path)
    results = []
    owner_of = cache(_owner_of)
    rows = zip(manifest.rows, plan.steps, strict=True)
    while part := list(islice(rows, ROWS_AT_ONCE)):
        entries = entries_of([step.key for _, step in part])
        for row, step in part:
            problems = checked.problems_of(row.number)
            result = result_of(row.number, step, entries.get(step.key), problems)
            if config is not None and (url := web_address(config, result.video or "")):
                result = replace(result, video=url)
            if stills and result.video:
                result = replace(result, caption=shown_key(step.key))
            if was_handed_over(step):
                result = replace(result, warnings=(*result.warnings, FILE_DELIVERED))
            reused = any(map(_ends_in_advice, result.warnings))
            if result.action or reused or (tasks and result.task_id):
                result = _complete_advice(result, typed, step, tasks, owner_of)
            results.append(result)
    return results


def states_of(gone: Sequence[Step], entries_of: EntriesOf) -> list[State]:
    """Return the state of each row that left the manifest; `entries_of` as above."""
    states: list[State] = []
    for first in range(0, len(gone), ROWS_AT_ONCE):
        part = gone[first : first + ROWS_AT_ONCE]
        entries = entries_of([step.key for step in part])
        states += [state_of(step, entries.get(step.key)) for step in part]
    return states


def _complete_advice(
    result: Result, typed: Invocation, step: Step, tasks: str | None, owner_of: _OwnerOf
) -> Result:
    """Complete the commands in the advice with the names, so that they can be copied."""
    bought, action = step.repeat_of, result.action
    there = None
    if bought is not None and action is not None and "THERE" in action:
        owner = owner_of(bought.manifest, bought.folder)
        there = typed.elsewhere(owner or bought.manifest, bought.folder)
        if owner is None:
            # Only a manifest that is there can have the work of that folder finished.
            there = typed.in_place_of(bought.folder)
            action = action.replace("reelsheet resolve THERE --all", "reelsheet fetch THERE")
    if action is not None:
        action = typed.complete(action, step.key, result.state, there)
    link = f"{tasks}{quote(result.task_id, safe='')}" if tasks and result.task_id else None
    fresh = quoted_option("--pay-again", step.key)
    warnings = (
        one.replace("--pay-again KEY", fresh) if _ends_in_advice(one) else one
        for one in result.warnings
    )
    return replace(result, action=action, task_link=link, warnings=tuple(warnings))


def _owner_of(manifest: str, folder: str) -> Path | None:
    """Return the manifest that an output folder belongs to by now; None if that is gone."""
    owner = None
    # A journal that cannot be read is told of by the command that is suggested.
    with contextlib.suppress(StoreError, UsageError):
        owner = find_manifest(OutputFolder(path_of(folder)).journal)
    owner = owner or path_of(manifest)
    return None if is_gone(owner) else owner


def _ends_in_advice(warning: str) -> bool:
    return warning.endswith(FRESH_TAKE)


@pause_collector()
def publish(
    checked: CheckedManifest,
    results: Sequence[Result],
    folder: OutputFolder,
    summary: Summary | None,
    source: Path | None = None,
    *,
    typed: Invocation | None = None,
    kept: Kept = NOTHING_KEPT,
    begin: Callable[[Path], None] = lambda _: None,
) -> Published:
    """Write the results, the rows that need the user, and the summary if there is one.

    The results of a manifest that is itself one of these files, as failed.csv is, are written
    beside it as `failed-results.csv`: no manifest is overwritten, and results.csv keeps all rows.

    Args:
        checked: the manifest and its problems.
        results: one for each of its rows, in order.
        folder: where to write.
        summary: the run in figures; None to write none.
        source: a copy of the manifest as it was when it was read; None for the manifest itself.
        typed: what the user named, for the commands in notes; None for the manifest alone.
        kept: what a person has put into the results that are there, and what stays of it.
        begin: as for `write_results`.

    Raises:
        BookUnfit: the workbook of `kept` cannot be written into; nothing was written.
        StoreError: the folder does not take the files.

    """
    manifest = checked.manifest
    named = typed or Invocation(manifest.path)
    write = partial(
        write_results,
        manifest,
        results,
        folder.root,
        summary=summary,
        source=source,
        kept=kept,
        begin=begin,
    )
    if folder.wrote(manifest.path):
        stem = f"{manifest.path.stem}-results"
        write = partial(write, stem=stem)
        written = write()
        failed, notes = None, (*written.notes, _part(checked, named, folder.root))
    else:
        written = write()
        keys = None if "key" in checked.fields else checked.keys
        failed = write_failed(manifest, results, folder.root, keys=keys, source=source)
        notes = written.notes
    if summary is not None:
        write_summary(summary, folder.root)
    return Published(written.path, failed, tuple(map(named.complete, notes)))


def _part(checked: CheckedManifest, typed: Invocation, folder: Path) -> str:
    """Return what remains to do after a run over results or failed rows of a manifest."""
    command = "reelsheet report"
    if typed.origin is not None:
        command = typed.owner(folder).command("report")
    report = f"`{command}` with the manifest itself brings its own results up to date."
    if any(map(looks_made_of_contents, checked.keys)):
        return (
            f"{report} Do not repeat the corrections there: it has no key column, so the corrected "
            "rows would be new ones and be paid for again."
        )
    return f"Repeat the corrections in the manifest itself; after that, {report}"


def with_unknown_statuses(
    results: list[Result], keys: Sequence[str], statuses: Mapping[str, str]
) -> list[Result]:
    """Warn in the results of running rows of a status that nobody knows.

    Args:
        results: what came of each row.
        keys: the keys of the rows, in the same order.
        statuses: the words, by the keys of their rows.

    """
    if not statuses:
        return results
    told = []
    for result, key in zip(results, keys, strict=True):
        word = statuses.get(key)
        if word is None or result.state is not State.RUNNING:
            told.append(result)
            continue
        last = f'the last status of its task was "{word}", which is not known here and ends nothing'
        if not word:
            last = "the last answer to the query for its task named no status, which ends nothing"
        warning = f"{last}: the next run asks again; look the task up in your ToAPIs account"
        told.append(replace(result, warnings=(*result.warnings, warning)))
    return told


def with_undelivered(
    results: list[Result],
    keys: Sequence[str],
    undelivered: Mapping[str, DownloadError],
    typed: Invocation,
) -> list[Result]:
    """Say in the results of finished rows why a run did not get their videos, and the way on.

    Args:
        results: what came of each row.
        keys: the keys of the rows, in the same order.
        undelivered: why not, by the keys of the rows.
        typed: what the user named for the run.

    """
    if not undelivered:
        return results
    return [
        replace(
            one,
            error=undelivered[key].message,
            action=typed.complete(undelivered[key].action or RUN_AGAIN.action, key),
        )
        if key in undelivered and one.state is State.READY
        else one
        for one, key in zip(results, keys, strict=True)
    ]


def with_ways_on(
    results: list[Result], keys: Sequence[str], doubtful: Collection[str], typed: Invocation
) -> list[Result]:
    """Say in the results of rows that may have been sent how a person settles it.

    Args:
        results: what came of each row.
        keys: the keys of the rows, in the same order.
        doubtful: the keys of the rows that were left alone.
        typed: what the user named for the run.

    """
    if not doubtful:
        return results
    return [
        replace(
            one,
            error="not sent: it may have been sent already, and that cannot be looked up",
            action=typed.complete(ASK_THE_ACCOUNT.action, shown_key(key)),
        )
        if key in doubtful and one.state is State.WAITING
        else one
        for one, key in zip(results, keys, strict=True)
    ]
