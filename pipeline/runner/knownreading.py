"""How a manifest was read by earlier runs, wherever that is remembered.

A journal notes it; run.log keeps it for the day when the journal is lost. A journal from before
there were notes was read by the earliest names. A manifest without a journal of its own may be the
copy of one that was: then what was bought tells.

Tested in tests/system/test_columns_read.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pipeline.account.purchases import find_purchases
from pipeline.account.submission import COUNTING
from pipeline.checker.check import CheckedManifest
from pipeline.checker.rules import content_of
from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone
from pipeline.errors import StoreError, UsageError
from pipeline.journal.logreading import last_begin
from pipeline.journal.ownership import is_unused, read_notes
from pipeline.journal.reading import read_entries
from pipeline.manifest.columns import field_of
from pipeline.manifest.earlier import FOUND, NOTE, Reading
from pipeline.manifest.languages import EARLIEST
from pipeline.model import Request
from pipeline.runner.takes import bought_elsewhere

EARLIEST_READING = Reading(EARLIEST)


def known_reading(folder: OutputFolder) -> Reading | None:
    """Return how the runs of an output folder read their manifest; None if there were none."""
    try:
        if not is_gone(folder.journal):
            notes = read_notes(folder.journal)
            if NOTE in notes:
                return _with_found(Reading.noted(notes[NOTE]), notes)
            if not is_unused(folder.journal):
                return _with_found(EARLIEST_READING, notes)
    except (StoreError, UsageError):  # whoever opens it says what is wrong
        return _logged_reading(folder) or EARLIEST_READING
    return _logged_reading(folder)


def _with_found(reading: Reading, notes: Mapping[str, str]) -> Reading:
    """Return a reading with what an earlier version noted beside it."""
    if reading.encoding is not None or reading.sheet is not None:
        return reading
    encoding, sheet = (notes.get(f"{NOTE}_{name}") for name in FOUND)
    return replace(reading, encoding=encoding, sheet=sheet)


def _logged_reading(folder: OutputFolder) -> Reading | None:
    begun = last_begin(folder.log)
    return Reading.noted(str(begun.get(NOTE))) if begun else None


def read_as_bought(
    checked: CheckedManifest,
    config: Config,
    folder: OutputFolder,
    check_earliest: Callable[[], CheckedManifest],
) -> CheckedManifest:
    """Return a manifest without a journal as its rows were bought before, if they were.

    What a row says of its model is no other reading of the same: whoever names another one, or
    fills in a field that only this model has, asks for another video.

    Args:
        checked: The manifest as it is read when it is new.
        config: Its settings.
        folder: Its output folder.
        check_earliest: Checks it by the earliest names.

    Raises:
        StoreError: The account's book cannot be read.

    """
    if config.rehearses or not _reads_more(checked):
        return checked
    earliest = check_earliest()
    keys = dict(zip((row.number for row in earliest.manifest.rows), earliest.keys, strict=True))
    later = checked.requests
    rows = {
        content_of(request): keys[number]
        for number, request in earliest.requests.items()
        if number not in later
        or (
            (later[number].model, later[number].extras) == (request.model, request.extras)
            and content_of(later[number]) != content_of(request)
        )
    }
    bought = list(_bought(config, folder, earliest, rows))
    same = any(rows[content] == key for content, key in bought)
    return earliest if same or 2 * len({*dict(bought)}) > len(rows) else checked


def _reads_more(checked: CheckedManifest) -> bool:
    """Tell whether the latest names, or the settings, find more than the earliest names."""
    return any(field_of(header) is None for header, _ in checked.columns.read)


def _bought(
    config: Config, folder: OutputFolder, checked: CheckedManifest, wanted: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what was bought of these requests: the content of each, and the key of its row."""
    requests: list[Request] = [
        one for one in checked.requests.values() if content_of(one) in wanted
    ]
    purchases = find_purchases(config, os.environ, folder, checked.manifest.path)
    if purchases is not None:
        for content, several in bought_elsewhere(purchases, requests).items():
            yield from ((content, one.key) for one in several)
        return
    for near in folder.neighbours():  # without a book there are only the journals
        with contextlib.suppress(StoreError, UsageError):
            for entry in read_entries(near.journal).values():
                content = content_of(entry.attempt.request)
                if entry.state in COUNTING and content in wanted:
                    yield content, entry.key
