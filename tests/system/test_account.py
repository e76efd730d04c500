"""One account, several processes, manifests and folders: nothing is paid twice, no cap passed."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.account.reading import journals_in, submissions_of, total_since
from pipeline.journal.reading import read_entries
from pipeline.model import State
from tests.account.accounts import accounts_in
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import ROOT, Ended, Product, book_of
from tests.system.harness.sampling import few_of
from tests.system.test_journal_command import halved, zeroed


def zeroed_in_submissions(path: Path) -> None:
    zeroed(path, "submissions")


def zeroed_in_requests(path: Path) -> None:
    zeroed(path, "requests")


def prompts(api: Api, since: int) -> Counter[str]:
    """How often each prompt was accepted since a mark, by the API's own records."""
    sent = {call["client_business_id"] for call in api.calls("submit", since=since)}
    return Counter(
        one["prompt"] for one in api.records()["submissions"] if one["client_business_id"] in sent
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("cap", "storm"),
    [
        pytest.param("videos=50", (), marks=pytest.mark.long),
        ("videos=50", ("submit_429=0.3", "submit_reset=0.1", "submit_400=0.1")),
        pytest.param("video_seconds=203", (), marks=pytest.mark.long),
        pytest.param("money=101.5", ("submit_429=0.3",), marks=pytest.mark.long),
    ],
)
def test_three_processes_share_a_cap_of_the_day(
    product: Product, api: Api, cap: str, storm: tuple[str, ...]
) -> None:
    """Three manifests of thirty rows, at once, under a cap for fifty: fifty, not one more.

    What the API did not accept gives its place back, and the place is used.
    """
    manifests = [
        sheets.write(
            product.folder / f"m{n}.csv",
            # Keys of their own: a table with those of another one would be asked about.
            [sheets.row(f"M{n}-{row}", f"{cap}: {n} {row}", duration="4") for row in range(30)],
        )
        for n in range(3)
    ]
    mark = api.mark()
    api.faults(*storm)
    name, most = cap.split("=")
    sets = {
        f"budget.per_day.{name}": most,
        "budget.price_per_second": "0.5",
        "limits.submits_in_flight": "4",
        "api.lookup_s": "1",
    }
    running = [product.start("run", manifest, sets=sets) for manifest in manifests]
    ended = [product.end(process) for process in running]
    accepted = prompts(api, mark)
    states = Counter(
        state
        for n in range(3)
        for state in sheets.states(product.folder / "outputs" / f"m{n}").values()
    )
    assert sum(accepted.values()) == states["done"] == 50 - states["in_doubt"]
    assert max(accepted.values()) == 1
    assert states["waiting"] == 40 - states["refused"]
    assert any(f"budget.per_day.{name} is" in one.err for one in ended)
    (account,) = accounts_in(book_of())
    assert total_since(book_of(), account, 0, None).videos == 50
    if not storm:
        assert {one.code for one in ended} <= {0, 4}
        assert states == {"done": 50, "waiting": 40}
    again = product("run", manifests[0], sets=sets)
    assert again.code in {0, 1, 3, 4}
    assert sum(prompts(api, mark).values()) == states["done"]


def test_two_processes_with_the_same_rows(product: Product, api: Api) -> None:
    """The same sheet in two folders, at once: each request is bought by one of the two."""
    first = sheets.write(product.folder / "shop.csv", sheets.rows(20, "the film of {}"))
    second = product.folder / "copies" / "another.csv"
    second.parent.mkdir()
    shutil.copy(first, second)
    mark = api.mark()
    running = [product.start("run", manifest) for manifest in (first, second)]
    ended = [product.end(process) for process in running]
    accepted = prompts(api, mark)
    assert len(accepted) == 20
    assert set(accepted.values()) == {1}
    outs = [product.folder / "outputs" / name for name in ("shop", "another")]
    done = [Counter(sheets.states(out).values()) for out in outs]
    assert sum(one["done"] for one in done) >= 20
    for one, out in zip(ended, outs, strict=True):
        waiting = Counter(sheets.states(out).values())["waiting"]
        assert (one.code == 0) == (waiting == 0), one.err
    # What waits is free when the other's video is there.
    for manifest, out in zip((first, second), outs, strict=True):
        assert product("run", manifest).code == 0
        assert set(sheets.states(out).values()) == {"done"}
    assert prompts(api, mark) == accepted


def test_a_finished_folder_of_before_is_taken_over(product: Product, api: Api) -> None:
    """What a version without a book bought, and what ran without one, guards every other folder."""
    first = sheets.write(product.folder / "shop.csv", sheets.rows(4, "an earlier film of {}"))
    assert product("run", first, sets={"account.book": "none"}).code == 0
    assert not book_of().exists()
    second = product.folder / "copy.csv"
    shutil.copy(first, second)
    mark = api.mark()
    ended = product("run", second)
    assert ended.code == 0, ended.err
    assert api.calls("submit", since=mark) == []
    assert set(sheets.states(product.folder / "outputs" / "copy").values()) == {"done"}
    assert len(journals_in(book_of())) == 2


def test_a_run_without_a_book_says_so(product: Product) -> None:
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(1, "without a book {}"))
    ended = product("run", manifest, sets={"account.book": "none"})
    assert ended.code == 0
    assert "No book is kept (account.book: none)" in ended.err
    assert not book_of().exists()


def test_a_book_that_cannot_be_opened_stops_before_anything_is_sent(
    product: Product, api: Api
) -> None:
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2, "no book {}"))
    (product.folder / "kept").mkdir()
    mark = api.mark()
    ended = product("run", manifest, sets={"account.book": "kept"})
    assert ended.code == 5, ended.err
    assert "the account's book" in ended.err
    assert "account.book" in ended.err
    assert api.calls(since=mark) == []


def test_the_book_follows_resolve_and_renames(product: Product, api: Api) -> None:
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2, "resolved {}"))
    api.faults("submit_reset*1")
    quick = {"api.lookup_s": "0.3", "limits.submits_in_flight": "1"}
    assert product("run", manifest, sets=quick).code == 3
    out = product.folder / "outputs" / "shop"
    (doubt,) = [e for e in read_entries(out / "journal.db").values() if e.state is State.IN_DOUBT]
    (journal,) = journals_in(book_of())

    def state_of(reference: str) -> State:
        found = submissions_of(book_of(), journal.journal_id)
        return {one.reference: one.state for one in found}[reference]

    assert state_of(doubt.attempt.client_business_id) is State.IN_DOUBT
    assert product("resolve", manifest, doubt.key, "--not-sent").code == 0
    assert state_of(doubt.attempt.client_business_id) is State.WAITING
    manifest.write_text(manifest.read_text("utf-8").replace("\nP000", "\nQ000"), "utf-8")
    assert product("run", manifest).code == 0
    known = submissions_of(book_of(), journal.journal_id)
    assert {one.key for one in known} == {"Q0001", "Q0002"}


def mounted(product: Product, folder: Path, prepare: str, manifest: Path) -> Ended:
    """Run a manifest in mounts of its own, which `prepare` makes; skip where none are allowed."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_STATE_HOME"}
    line = [sys.executable, "-m", "pipeline", "run", str(manifest), *product._sets({})]
    script = f'{prepare} || exit 99; cd "$1" && shift && exec "$@"'
    ended = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(folder), *line],
        env={
            **environment,
            "PYTHONPATH": str(ROOT),
            "TOAPIS_API_KEY": KEY,
            "TMPDIR": str(folder),
            "HOME": "/proc/nowhere",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 99 or "unshare" in ended.stderr:
        pytest.skip(f"mounts are not allowed here: {ended.stderr.strip()[:80]}")
    return Ended(ended.returncode, ended.stdout, ended.stderr)


needs_mounts = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount"
)


@needs_mounts
@pytest.mark.parametrize(
    "prepare",
    [
        "true",
        'mount --bind "$1" "$1" && mount -o remount,bind,ro /',
    ],
    ids=["no home", "read-only root"],
)
def test_where_no_home_can_be_written(product: Product, tmp_path: Path, prepare: str) -> None:
    """A service whose user has no home, and a container with a read-only root and one volume.

    The book lies in the output folder. That is said once, and no row is bought a second time.
    """
    volume = tmp_path / "volume"
    manifest = sheets.write(volume / "shop.csv", sheets.rows(1, f"{prepare} {{}}"))
    told = []
    for _ in range(2):
        ended = mounted(product, volume, prepare, manifest)
        assert ended.code == 0, ended.err
        told.append("is made in" in ended.err)
    assert told == [True, False]
    assert (volume / "outputs" / ".account" / "book.db").is_file()


def test_a_day_of_the_zone(product: Product, api: Api) -> None:
    """The caps of the day begin anew at midnight of budget.timezone, not of UTC."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(3, "of a zone {}"))
    mark = api.mark()
    ahead = {"budget.per_day.videos": "2", "budget.timezone": "Pacific/Kiritimati"}
    behind = {**ahead, "budget.timezone": "Etc/GMT+12"}
    assert product("run", manifest, sets=ahead).code == 4
    # 26 hours apart: what was sent now is of one day in both, whatever time it is.
    with contextlib.closing(sqlite3.connect(book_of())) as book, book:
        book.execute("UPDATE submissions SET submitted_at = submitted_at - 90000")
    assert product("run", manifest, sets=behind).code == 0
    assert sum(prompts(api, mark).values()) == 3


@pytest.mark.parametrize(
    "damage", few_of([zeroed_in_submissions, zeroed_in_requests, halved], halved)
)
def test_a_damaged_book_is_mended_and_guards_every_folder(
    product: Product, api: Api, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Also what was bought for folders that are not near: the journals there are named in it."""
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    book = tmp_path / "state" / "reelsheet" / "book.db"
    mark, prompt = api.mark(), f"{tmp_path.name} damaged {{}}"
    manifest = product.folder / "shop.csv"
    sheets.write(manifest, sheets.rows(6, prompt))
    far = tmp_path / "far" / "away" / "shop"
    assert product("run", manifest, "--out", far, env=env).code == 0
    beside = product.folder / "beside.csv"
    sheets.write(beside, sheets.rows(2, f"{tmp_path.name} beside {{}}"))
    assert product("run", beside, env=env).code == 0
    damage(book)
    copy = tmp_path / "elsewhere" / "copy.csv"
    copy.parent.mkdir()
    shutil.copy(manifest, copy)
    for _ in range(2):
        ended = product("run", copy, env=env)
        assert ended.code == 5, ended.err
        assert f"reelsheet account import {book}" in ended.err
        assert "Move" not in ended.err
    mended = product("account", "import", book, env=env)
    assert mended.code == 0, mended.err
    ended = product("run", copy, env=env)
    assert ended.code == 0, ended.err
    assert "is gone" not in ended.err
    assert product("run", manifest, "--out", far, env=env).code == 0
    assert len(api.calls("submit", since=mark)) == 6 + 2
    assert not api.repeated()


def test_an_empty_book_is_a_lost_one(product: Product, api: Api, tmp_path: Path) -> None:
    """What can be known is known before anything is sent, and it is said that more is not."""
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    mark, prompt = api.mark(), f"{tmp_path.name} emptied {{}}"
    manifest, copy = product.folder / "shop.csv", product.folder / "copy.csv"
    for one in (manifest, copy):
        sheets.write(one, sheets.rows(3, prompt))
    assert product("run", manifest, env=env).code == 0
    (tmp_path / "state" / "reelsheet" / "book.db").write_bytes(b"")
    ended = product("run", copy, env=env)
    assert ended.code == 0, ended.err
    assert "had another one" in ended.err
    assert "reelsheet account import FILE" in ended.err
    assert len(api.calls("submit", since=mark)) == 3
    assert "had another one" not in product("run", copy, env=env).err
