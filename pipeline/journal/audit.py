"""Whether a journal, its events and the videos it knows of agree; read, and never written to."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.disk.failures import explain_os_error
from pipeline.disk.folder import OutputFolder
from pipeline.disk.openfile import is_gone, open_regular
from pipeline.errors import JournalDamaged, StoreError
from pipeline.journal.database import (
    clear_errors,
    connect_for_reading,
    refuse_damaged,
    refuse_lack_of_runs,
)
from pipeline.journal.handovers import latest_handovers
from pipeline.journal.reading import read_twice
from pipeline.lifecycle import ImpossibleMove
from pipeline.manifest.invocation import Invocation, of_row
from pipeline.manifest.wording import count
from pipeline.model import IDENTITY_MARK, Entry, State, Video, shown_key


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in or about a journal that is not as it should be, and what to do."""

    what: str
    action: str


def audit(
    folder: OutputFolder,
    typed: Invocation,
    gone_of: Callable[[Sequence[tuple[str, Video]]], Collection[str]],
) -> Iterator[Finding]:
    """Yield what is wrong with the journal of an output folder; it is there.

    Args:
        folder: The folder.
        typed: Is named in what to do.
        gone_of: Is given the videos in buckets with their keys, and returns the keys of those that
            are not there.

    Raises:
        UsageError: The journal is of a newer version.
        StoreError: The disk does not let it be read, or a bucket does not answer.

    """
    journal, restore = folder.journal, f"Restore it with: {typed.rebuild(folder.root)}."
    if (fault := _fault(journal)) is not None:
        yield Finding(fault, restore)
        return
    try:
        entries, replayed = read_twice(journal)
    except (ImpossibleMove, StoreError) as error:
        what = error.message if isinstance(error, StoreError) else f"{journal}: {error}."
        yield Finding(what, restore)
        return
    for key in sorted(entries.keys() | replayed.keys()):
        if entries.get(key) != replayed.get(key):
            yield Finding(
                f"row {shown_key(key)}: the journal has it as {_state(entries, key)}, and its "
                f"events come to {_state(replayed, key)}.",
                restore,
            )
    handed = {one.sha256 for one in latest_handovers(journal).values()}
    done = [
        (entry.key, entry.video)
        for entry in entries.values()
        if entry.state is State.DONE and entry.video is not None
    ]
    away = [(key, video) for key, video in done if "://" in video.place]
    gone = gone_of(away) if away else ()
    for key, video in done:
        path = folder.root / video.file
        if "://" in video.place:
            if key in gone and video.sha256 not in handed:
                yield _gone(key, video.file, typed)
            continue
        if video.sha256 in handed and is_gone(path):
            continue  # whoever got it has it; here it may go
        yield from _of_video(key, video, path, typed)


def _state(entries: Mapping[str, Entry], key: str) -> str:
    entry = entries.get(key)
    return "not known" if entry is None else f"{entry.state} (attempt {entry.attempt.number})"


def _fault(journal: Path) -> str | None:
    """Return what is wrong with the file itself, None if nothing is."""
    try:
        with clear_errors(journal):
            connection = connect_for_reading(journal)
            if connection is not None:
                with contextlib.closing(connection):
                    refuse_damaged(connection, journal)
                    refuse_lack_of_runs(journal)
    except JournalDamaged as error:
        return error.message
    return None


def _gone(key: str, file: Path | str, typed: Invocation) -> Finding:
    return Finding(
        f"row {shown_key(key)}: its video {file} is gone.", f"Put it back{_again(key, typed)}"
    )


def _again(key: str, typed: Invocation) -> str:
    if IDENTITY_MARK in key:
        return ": its row has left the manifest."
    fetch = typed.command("fetch", *of_row("--only", key))
    return f", or run {fetch}, which can bring it back for a day after it was made."


def _of_video(key: str, video: Video, path: Path, typed: Invocation) -> Iterator[Finding]:
    shown = shown_key(key)
    try:
        with open_regular(path) as descriptor:
            size = os.fstat(descriptor).st_size
            same = size == video.size_bytes and _hash_fits(descriptor, video)
    except FileNotFoundError:
        yield _gone(key, path, typed)
    except OSError as error:
        yield Finding(
            f"row {shown}: its video {path} cannot be read: {explain_os_error(error)}.",
            "Check the file, its rights and the disk.",
        )
    else:
        if not same:
            yield Finding(
                f"row {shown}: its video {path} is not the file that was verified"
                + (
                    f" ({count(size, 'byte')}, not {video.size_bytes:,})."
                    if size != video.size_bytes
                    else "."
                ),
                f"Move it away. Then put the right one back{_again(key, typed)}",
            )


def _hash_fits(descriptor: int, video: Video) -> bool:
    if not video.sha256:
        return True
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == video.sha256
