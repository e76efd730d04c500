"""The journal as a file: whole after a run, copied during one, checked, and damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.journal.reading import read_entries, replay
from tests.journal.lives import kill_while_written
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product, book_of, interrupt
from tests.system.harness.sampling import few_of

pytestmark = pytest.mark.long

PAGE = 4096
SLOW = {"polling.deadline_s": "100"}


@pytest.fixture
def manifest(product: Product) -> Path:
    """A manifest that is not run yet."""
    return sheets.write(product.folder / "shop.csv", sheets.rows(12))


@pytest.fixture
def out(product: Product) -> Path:
    """Its output folder."""
    return product.folder / "outputs" / "shop"


def beside(out: Path) -> set[str]:
    return {one.name for one in out.iterdir() if one.name.startswith("journal.db")}


def alone(out: Path, folder: Path) -> Path:
    """Copy the journal's file by itself, as `cp` would, to where nothing else is."""
    folder.mkdir()
    return Path(shutil.copy(out / "journal.db", folder))


def whole(path: Path) -> bool:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


# After a run.


@pytest.mark.parametrize("end", ["done", "failed", "capped", "int", "term"])
def test_a_copy_of_the_file_is_whole_after_every_run(
    product: Product, api: Api, manifest: Path, out: Path, end: str
) -> None:
    """However it ended: nothing lies beside it, and all that was accepted is in it."""
    if end == "failed":
        api.faults("query_failed_error@internal_error")
    if end in {"int", "term"}:
        api.faults("query_never_finishing")
        process = product.start("run", manifest, sets=SLOW)
        wait_for("submissions", lambda: len(taken(out)) == 12)
        interrupt(process, signal.SIGINT if end == "int" else signal.SIGTERM)
        code = product.end(process).code
    else:
        sets = {"budget.videos": "3"} if end == "capped" else {}
        code = product("run", manifest, sets=sets).code
    assert code == {"done": 0, "failed": 1, "capped": 4, "int": 130, "term": 143}[end]
    assert beside(out) == {"journal.db"}
    copy = alone(out, product.folder / "copy")
    assert whole(copy)
    entries = read_entries(out / "journal.db")
    assert read_entries(copy) == entries == replay(copy)
    assert len([one for one in entries.values() if one.task_id]) == (3 if end == "capped" else 12)
    for command in ("status", "plan", "check"):
        assert product(command, manifest).code == 0
    assert beside(out) == {"journal.db"}, "who reads it leaves nothing there either"


def taken(out: Path) -> list[str]:
    path = out / "journal.db"
    if not invariants.journal_made(out):
        return []
    return [one.task_id for one in read_entries(path).values() if one.task_id]


def test_after_a_kill_the_next_writer_folds_the_log_in(
    product: Product, api: Api, manifest: Path, out: Path
) -> None:
    """Until then the file beside it is needed; nothing is lost, and nothing is sent again."""
    api.faults("query_never_finishing")
    process = product.start("run", manifest, sets=SLOW)
    wait_for("submissions", lambda: len(taken(out)) == 12)
    process.kill()
    product.end(process)
    assert "journal.db-wal" in beside(out)
    api.faults()
    mark = api.mark()
    assert product("run", manifest, "-q").code == 0
    assert beside(out) == {"journal.db"}
    assert api.calls("submit", since=mark) == []
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


# During a run.


def test_in_a_quiet_moment_a_copy_of_the_file_is_whole(
    product: Product, api: Api, manifest: Path, out: Path
) -> None:
    """While the tasks take their time and nothing is written, `cp journal.db` has all of them."""
    api.faults("query_never_finishing")
    process = product.start("run", manifest, sets=SLOW)
    wait_for("submissions", lambda: len(taken(out)) == 12)
    wait_for("the log", lambda: (out / "journal.db-wal").stat().st_size == 0)
    copy = alone(out, product.folder / "copy")
    assert whole(copy)
    assert len([one for one in read_entries(copy).values() if one.task_id]) == 12
    interrupt(process)
    assert product.end(process).code == 130


def test_a_backup_during_a_run(product: Product, api: Api, manifest: Path, out: Path) -> None:
    """It is complete, for its owner alone, and needs no other file; the run goes on."""
    api.faults("query_never_finishing")
    process = product.start("run", manifest, sets=SLOW)
    wait_for("submissions", lambda: len(taken(out)) == 12)
    made = product("journal", "backup", manifest)
    assert made.code == 0, made.err
    backup = product.folder / made.out.removeprefix("backup: ").strip()
    assert backup.parent == out
    assert whole(backup)
    assert len([one for one in read_entries(backup).values() if one.task_id]) == 12
    assert {one.name for one in out.iterdir() if one.name.startswith(backup.name)} == {backup.name}
    if sys.platform != "win32":
        assert backup.stat().st_mode & 0o777 == 0o600
    assert product("journal", "verify", manifest).code == 0, "also during a run"
    interrupt(process)
    assert product.end(process).code == 130


def test_a_backup_goes_where_it_is_told_and_over_nothing(
    product: Product, manifest: Path, out: Path
) -> None:
    """A file, or a folder; one that exists is left as it is, and so is a manifest never run."""
    never = product("journal", "backup", manifest)
    assert never.code == 2
    assert "there is no journal" in never.err
    assert product("journal", "verify", manifest).code == 2
    assert not out.exists()
    assert product("run", manifest, "-q").code == 0
    target = product.folder / "safe" / "shop.db"
    nowhere = product("journal", "backup", manifest, target)
    assert nowhere.code == 5
    assert "its folder does not exist" in nowhere.err
    target.parent.mkdir()
    assert product("journal", "backup", manifest, target, "-q").out == ""
    assert product("journal", "backup", manifest, target.parent).code == 0
    assert len(list(target.parent.iterdir())) == 2
    target.write_bytes(b"mine")
    again = product("journal", "backup", manifest, target)
    assert again.code == 2
    assert f"{target} exists" in again.err
    assert target.read_bytes() == b"mine"
    assert len(list(target.parent.iterdir())) == 2


# Damage.


def test_verify_names_each_finding_and_what_to_do(
    product: Product, manifest: Path, out: Path
) -> None:
    """Videos that are gone or changed, a row that its events do not come to; nothing is changed."""
    assert product("run", manifest, "-q").code == 0
    fine = product("journal", "verify", manifest)
    assert (fine.code, "12 rows" in fine.out) == (0, True)
    assert product("journal", "verify", manifest, "-q").out == ""
    (out / "videos" / "P0001.mp4").unlink()
    longer = out / "videos" / "P0002.mp4"
    longer.write_bytes(longer.read_bytes() + b"x")
    other = out / "videos" / "P0003.mp4"
    content = bytearray(other.read_bytes())
    content[len(content) // 2] ^= 1
    other.write_bytes(content)
    with contextlib.closing(sqlite3.connect(out / "journal.db")) as journal, journal:
        journal.execute("UPDATE attempts SET task_id = 'other' WHERE key = 'P0004'")
    before = (out / "journal.db").read_bytes()
    found = product("journal", "verify", manifest)
    assert found.code == 1
    lines = found.out.splitlines()
    assert len(lines) == 4
    for key, words in {
        "P0001": "is gone. Put it back, or run reelsheet fetch",
        "P0002": "is not the file that was verified (",
        "P0003": "is not the file that was verified. Move it away.",
        "P0004": "its events come to",
    }.items():
        assert [one for one in lines if one.startswith(f"row {key}:") and words in one]
    assert (out / "journal.db").read_bytes() == before
    assert beside(out) == {"journal.db"}


def zeroed(path: Path, table: str = "attempts") -> None:
    """Zero the page where a table begins."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        (page,) = connection.execute(find, (table,)).fetchone()
    content = bytearray(path.read_bytes())
    content[(page - 1) * PAGE : page * PAGE] = bytes(PAGE)
    path.write_bytes(content)


def zeroed_in_events(path: Path) -> None:
    zeroed(path, "events")


def halved(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 // PAGE * PAGE])


def torn(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2 + 100])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def a_text(path: Path) -> None:
    path.write_text("a text that somebody saved under this name\n" * 200, encoding="utf-8")


COMMANDS = [
    ("plan",),
    ("status",),
    ("report",),
    ("run",),
    ("run", "--out", "outputs/shop"),
    ("retry",),
    ("fetch",),
    ("resolve", "P0001", "--not-sent"),
    ("resolve", "--all"),
    ("journal backup",),
]


@pytest.mark.parametrize(
    "damage", few_of([zeroed, zeroed_in_events, halved, torn, emptied, a_text], torn, a_text)
)
def test_damage_is_said_by_every_command(
    product: Product, api: Api, manifest: Path, out: Path, damage: Callable[[Path], None]
) -> None:
    """What is wrong, and the command that helps, never that there is no room; nothing is sent."""
    assert product("run", manifest, "-q").code == 0
    made = product("journal", "backup", manifest)
    backup = product.folder / made.out.removeprefix("backup: ").strip()
    damage(out / "journal.db")
    mark, content = api.mark(), (out / "journal.db").read_bytes()
    lines = [*sheets.rows(12), sheets.row("NEW")]
    sheets.write(manifest, lines)
    for first, *arguments in COMMANDS:
        ended = product(*first.split(), manifest, *arguments)
        assert ended.code == 5, (first, ended.err)
        assert f"the journal {Path('outputs', 'shop', 'journal.db')} " in ended.err
        assert "damaged" in ended.err or "is empty" in ended.err
        named = " ".join([str(manifest), *(arguments if "--out" in arguments else ())])
        assert f"reelsheet journal rebuild {named} --set" in ended.err
        for word in ("room", "space", "--out", "run again"):
            assert word not in ended.err.replace(named, "").lower(), ended.err
    assert product("check", manifest).code == 0
    found = product("journal", "verify", manifest)
    assert found.code == 1
    assert len(found.out.splitlines()) == 1
    assert f"reelsheet journal rebuild {manifest}" in found.out
    assert api.calls(since=mark) == []
    assert [one.name for one in out.parent.iterdir()] == ["shop"]

    (out / "journal.db").rename(out / "damaged.db")
    shutil.copy(backup, out / "journal.db")
    assert product("journal", "verify", manifest).code == 0
    assert product("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1, "the new one alone"
    assert len(content) == (out / "damaged.db").stat().st_size or damage is emptied


@pytest.mark.parametrize("first", ["status", "journal verify", "journal backup", "report", "run"])
def test_after_a_kill_in_the_middle_of_a_write_every_command_goes_on(
    product: Product, api: Api, manifest: Path, out: Path, first: str
) -> None:
    """Of the journal or of the account's book: whoever comes first has the write undone."""
    assert product("run", manifest, "-q").code == 0
    mark, known = api.mark(), read_entries(out / "journal.db")
    undo = [kill_while_written(one) for one in (out / "journal.db", book_of())]
    ended = product(*first.split(), manifest)
    assert ended.code == 0, ended.err
    assert not undo[0].exists()
    assert product("account").code == 0
    assert not undo[1].exists()
    assert read_entries(out / "journal.db") == known == replay(out / "journal.db")
    assert product("run", manifest, "-q").code == 0
    assert product("journal", "rebuild", manifest).code == 0
    assert api.calls("submit", since=mark) == []
    assert whole(out / "journal.db")
    assert whole(book_of())


@pytest.mark.skipif(sys.platform == "win32", reason="rights are others there")
@pytest.mark.parametrize("closed", ["journal.db", "."])
def test_a_journal_without_rights(
    product: Product, api: Api, manifest: Path, out: Path, closed: str
) -> None:
    """The file, or its folder, is named with the command that opens it; no other folder is."""
    assert product("run", manifest, "-q").code == 0
    mark, mode = api.mark(), (out / closed).stat().st_mode
    (out / closed).chmod(0)
    if os.access(out / closed, os.R_OK):
        (out / closed).chmod(mode)
        pytest.skip("this user may read everything")
    for command in ("plan", "status", "run", "fetch", "journal verify", "journal backup"):
        ended = product(*command.split(), manifest)
        assert ended.code == 5
        assert "access is denied" in ended.err
        right = "u+rwx" if closed == "." else "u+rw"
        assert f"chmod {right} {Path('outputs', 'shop', closed)}." in ended.err
        assert "--out" not in ended.err
    (out / closed).chmod(mode)
    assert product("run", manifest, "-q").code == 0
    assert api.calls(since=mark) == []


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="needs the sqlite3 command")
def test_a_dump_is_restored(product: Product, api: Api, manifest: Path, out: Path) -> None:
    """By sqlite3's own .dump, which loses the number of the schema: nothing is sent again."""
    assert product("run", manifest, "-q").code == 0
    mark = api.mark()
    path = out / "journal.db"
    dump = subprocess.run(
        ["sqlite3", path, ".dump"], check=True, capture_output=True, text=True
    ).stdout
    path.unlink()
    subprocess.run(["sqlite3", path], input=dump, check=True, text=True)
    with contextlib.closing(sqlite3.connect(path)) as restored:
        assert restored.execute("PRAGMA user_version").fetchone() == (0,)
    assert product("plan", manifest, "--json").json["groups"]["done"] == 12
    assert product("journal", "verify", manifest).code == 0
    assert product("run", manifest, "-q").code == 0
    with contextlib.closing(sqlite3.connect(path)) as restored:
        assert restored.execute("PRAGMA user_version").fetchone() != (0,)
    assert api.calls(since=mark) == []
