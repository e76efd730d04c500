"""The promises of a run, held against the API's own records and against the files themselves."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pipeline.journal.reading import read_entries, replay
from pipeline.model import Entry, State
from tests.system.harness import loglines, sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import Product

UNSETTLED = frozenset({State.SUBMITTING, State.IN_DOUBT})


def hold(api: Api, product: Product, manifest: Path, out: Path, bytes_before: bytes) -> None:
    """Hold every invariant after a run of `manifest` into `out`."""
    assert manifest.read_bytes() == bytes_before, "the manifest was written to"
    entries = journal_holds(out)
    submissions_hold(api, out, entries)
    rows_hold(api, manifest, out, entries)
    assert api.records()["summary"]["files_authorizations"] == 0, "the key went to the files host"
    no_secret(product, KEY)
    loglines.in_folder(out)


def journal_made(out: Path) -> bool:
    """Whether a run came far enough to have a journal with its tables."""
    path = out / "journal.db"
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0])


def journal_holds(out: Path) -> dict[str, Entry]:
    """Hold that the journal is whole and that its events add up to its states."""
    path = out / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    entries = dict(read_entries(path))
    assert replay(path) == entries
    return entries


def submissions_hold(api: Api, out: Path, entries: dict[str, Entry]) -> None:
    """Hold that nothing was accepted twice, nor without an intent, nor lost.

    So one accepted submission at most for each (key, request, attempt), and every task id that the
    API gave out is in the journal, or its row is in doubt.
    """
    assert not api.repeated()
    known_attempts = attempts(out)
    for one in api.records()["submissions"]:
        known = known_attempts.get(one["client_business_id"])
        if known is None:
            continue  # of another test: the emulator serves several
        key, number, task_id = known
        in_doubt = entries[key].state in UNSETTLED and entries[key].attempt.number == number
        assert task_id == one["task_id"] or in_doubt, f"{key}: {one['task_id']} is lost"
    accepted = {one["task_id"] for one in api.records()["submissions"]}
    assert {task_id for _, _, task_id in known_attempts.values() if task_id} <= accepted


def book_holds(book: Path, out: Path) -> None:
    """Hold that the account's book says of every attempt that was sent what the journal says."""
    with closing(sqlite3.connect(out / "journal.db")) as journal:
        (journal_id,) = journal.execute("SELECT value FROM meta WHERE name = 'id'").fetchone()
        sent = journal.execute(
            "SELECT client_business_id, state, task_id FROM attempts "
            "WHERE submitted_at IS NOT NULL AND NOT closed"
        ).fetchall()
    with closing(sqlite3.connect(book)) as account:
        found = account.execute(
            "SELECT reference, state, task_id FROM submissions WHERE journal_id = ?", (journal_id,)
        ).fetchall()
    known = {reference: (state, task_id) for reference, state, task_id in found}
    for reference, state, task_id in sent:
        # For the account a task whose video is ready is still under way.
        assert known[reference] == (state.replace("ready", "running"), task_id), reference


def attempts(out: Path) -> dict[str, tuple[str, int, str | None]]:
    """Return key, number and task id of every attempt in the journal, by its reference."""
    with closing(sqlite3.connect(out / "journal.db")) as connection:
        found = connection.execute("SELECT client_business_id, key, number, task_id FROM attempts")
        return {reference: (key, number, task_id) for reference, key, number, task_id in found}


def rows_hold(api: Api, manifest: Path, out: Path, entries: dict[str, Entry]) -> None:
    """Hold that rows in = rows out, and that `done` is a whole video of that very row."""
    head, given = sheets.read(manifest)
    results = sheets.results(out)
    own = [name for name in head if not name.startswith("result_")]
    assert [[one[name] for name in own] for one in results] == [
        [one[name] for name in own] for one in given
    ]
    prompts = {one["task_id"]: one["prompt"] for one in api.records()["submissions"]}
    for one in results:
        if one["result_state"] == State.DONE.value:
            entry = entries[one["sku"]]
            task_id = sheets.linked_text(one["result_task_id"])
            assert prompts[task_id] == entry.attempt.request.prompt
            _video_holds(api, out, one, entry)


def _video_holds(api: Api, out: Path, one: dict[str, str], entry: Entry) -> None:
    assert entry.state is State.DONE
    assert entry.video is not None
    assert entry.task_id == sheets.linked_text(one["result_task_id"])
    name = _path_of(one["result_video"])
    assert name == f"videos/{entry.video.name}"
    sha256 = hashlib.sha256((out / name).read_bytes()).hexdigest()
    assert sha256 == entry.video.sha256 == api.sha256_of(entry.task_id or "")


def _path_of(cell: str) -> str:
    linked = re.match(r'=HYPERLINK\("([^"]+)"', cell)
    return linked[1] if linked else cell


def no_secret(product: Product, secret: str) -> None:
    """Hold that the key stands in no file below the working folder and in nothing that was said."""
    assert not any(secret in text for text in product.said)
    for path in product.folder.rglob("*"):
        if path.is_file():
            assert not any(secret.encode() in content for content in _contents(path)), path


def _contents(path: Path) -> Iterator[bytes]:
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            yield from (package.read(name) for name in package.namelist())


def command_lines() -> set[str]:
    """Return the command lines of all processes, where the system shows them.

    Those of emulators are left out: they are told the key that they take.
    """
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # ended meanwhile
            found.add(path.read_bytes().decode(errors="replace"))
    return {line for line in found if "pipeline.emulator" not in line}
