"""Disks that are too small for what a run would order: what is paid for comes first."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.disk.folder import OutputFolder
from pipeline.engine.rows import stop_by
from pipeline.errors import StoreError, UsageError
from pipeline.runner.storage import say_shared
from tests.security.disk import fill, resize, small_disk
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, emulator
from tests.system.harness.product import Product

ONE_MB = {"disk.min_free_mb": "1"}


@pytest.fixture
def padded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An emulator whose videos have half a megabyte each, as those of a second have."""
    folder = tmp_path_factory.mktemp("padded")
    with emulator(folder, "--padding-bytes", "500000") as api:
        yield api


def night(product: Product, name: str, count: int = 100) -> Path:
    """Write a manifest of rows that no other has."""
    rows = [sheets.row(f"{name}-{n}", f"{name}, shot {n}", duration="4") for n in range(count)]
    return sheets.write(product.folder / f"{name}.csv", rows)


@pytest.mark.long
def test_six_nights_on_nine_megabytes(product: Product, api: Api) -> None:
    """Each orders what fits and brings all of it home; with more room the rest is had as well."""
    with small_disk(product.folder / "small", "9m") as disk:
        mark = api.mark()
        manifests = [night(product, f"night{number}") for number in range(6)]
        for manifest in manifests:
            out = disk / manifest.stem
            ended = product("run", manifest, "--out", out, sets=ONE_MB)
            states = Counter(sheets.states(out).values())
            assert set(states) <= {"done", "waiting"}, (states, ended.err)
            assert ended.code == (5 if states["waiting"] else 0), ended.err
            if states["waiting"]:
                assert "disk.min_free_mb" in ended.err
                assert f"Make room on the disk of {out}" in ended.err
            assert shutil.disk_usage(disk).free > 1e6
            invariants.hold(api, product, manifest, out, manifest.read_bytes())
        videos = list(disk.glob("*/videos/*.mp4"))
        assert len(videos) == len(api.calls("submit", since=mark))
        assert 100 <= len(videos) < 600
        resize(disk, "60m")
        for manifest in manifests:
            ended = product("run", manifest, "--out", disk / manifest.stem, sets=ONE_MB)
            assert ended.code == 0, ended.err
        assert len(api.calls("submit", since=mark)) == 600
        assert api.repeated() == []


@pytest.mark.long
def test_large_videos_on_nine_megabytes(product: Product, padded: Api) -> None:
    """What the first one shows decides how many more fit; the book lies on the disk as well."""
    large = Product(product.folder, padded.base_url, KEY)
    with small_disk(product.folder / "small", "9m") as disk:
        manifest, out = night(large, "large"), disk / "large"
        sets = ONE_MB | {"account.book": str(disk / "book.db")}
        ended = large("run", manifest, "--out", out, sets=sets)
        assert ended.code == 5, ended.err
        states = Counter(sheets.states(out).values())
        assert set(states) == {"done", "waiting"}
        assert 2 <= states["done"] == len(padded.calls("submit")) <= 9
        planned = large("plan", manifest, "--out", out, sets=sets).out
        assert f"about 0 of {states['waiting']} rows will fit" in planned
        resize(disk, "18m")
        assert large("run", manifest, "--out", out, sets=sets).code == 5
        more = Counter(sheets.states(out).values())
        assert more["done"] == len(padded.calls("submit")) > states["done"]


def test_what_is_paid_for_comes_home_first(product: Product, padded: Api) -> None:
    """Also for another manifest, and where the disk has no room to set aside for new orders."""
    large = Product(product.folder, padded.base_url, KEY)
    with small_disk(product.folder / "small", "30m") as disk:
        first, second = night(large, "first", 6), night(large, "second", 6)
        padded.faults("download_truncated")
        left = large("run", first, "--out", disk / "first", sets=ONE_MB)
        assert left.code == 5, left.err
        assert Counter(sheets.states(disk / "first").values()) == {"ready": 6}
        padded.faults()
        mark = padded.mark()
        ballast = fill(disk)
        _leave(ballast, disk, 9_500_000)
        other = large("run", second, "--out", disk / "second", sets=ONE_MB)
        assert other.code == 5, other.err
        assert padded.calls("submit", since=mark) == []
        assert "for videos that are paid for and not yet home" in other.err
        _leave(ballast, disk, 4_000_000)
        longer = night(large, "first", 8)
        home = large("run", longer, "--out", disk / "first", sets=ONE_MB)
        assert home.code == 5, home.err
        assert "cannot be set aside" in home.err
        assert Counter(sheets.states(disk / "first").values()) == {"done": 6, "waiting": 2}
        assert padded.calls("submit", since=mark) == []
        ballast.unlink()
        assert large("run", longer, "--out", disk / "first", sets=ONE_MB).code == 0
        assert large("run", second, "--out", disk / "second", sets=ONE_MB).code == 0
        assert len(padded.calls("submit", since=mark)) == 8
        assert padded.repeated() == []


def test_a_full_disk_of_one_manifest_keeps_no_other_from_its_turn(
    product: Product, api: Api
) -> None:
    """It has no room to set aside, and says so; night.json and the others have the truth."""
    outputs, mark = product.folder / "outputs", api.mark()
    full, other = night(product, "full", 3), night(product, "other", 3)
    with small_disk(outputs / "full", "3m"):
        ended = product("night", full, other)
        assert ended.code == 5, ended.err
        assert "cannot be set aside" in ended.err
        assert sheets.summary(outputs / "full")["states"] == {"waiting": 3}
        assert sheets.summary(outputs / "full")["exit_code"] == 5
    assert sheets.summary(outputs / "other")["exit_code"] == 0
    assert len(api.calls("submit", since=mark)) == 3
    record = json.loads((outputs / "night.json").read_text("utf-8"))
    assert (record["states"], record["well"]) == ({"waiting": 3, "done": 3}, False)


@pytest.mark.long
def test_manifests_of_one_run_share_the_room_of_a_disk(product: Product, padded: Api) -> None:
    """Two manifests that would fit alone do not fit together; both are told so."""
    large = Product(product.folder, padded.base_url, KEY)
    with small_disk(product.folder / "small", "17m") as disk:
        manifests = [night(large, "one", 9), night(large, "two", 9)]
        sets = ONE_MB | {"output.dir": str(disk)}
        assert large("run", night(large, "seen", 1), sets=sets).code == 0
        mark = padded.mark()
        alone = large("plan", manifests[0], sets=sets).out
        assert "not enough" not in alone
        planned = large("plan", *manifests, sets=sets)
        assert "That is not enough: about " in planned.out
        assert " of 18 rows will fit" in planned.out
        ended = large("run", *manifests, sets=sets)
        assert ended.code == 5, ended.err
        states = Counter(
            state for one in manifests for state in sheets.states(disk / one.stem).values()
        )
        assert set(states) == {"done", "waiting"}
        assert states["done"] == len(padded.calls("submit", since=mark)) > 0
        assert shutil.disk_usage(disk).free > 1e6


def test_a_file_that_ends_the_work_on_all_manifests_says_so(tmp_path: Path) -> None:
    """The journal of one is named to all: each is told that its own disk is that one, too."""
    folders = [OutputFolder(tmp_path / name) for name in ("a", "b")]
    for folder in folders:
        folder.root.mkdir()
    stop = stop_by(StoreError("a/journal.db cannot be written: the disk is full."))
    assert say_shared(stop, folders).reason == (
        "a/journal.db cannot be written: the disk is full; that ended the work on all 2 manifests, "
        "whose folders are on one disk"
    )
    assert say_shared(stop, folders[:1]) == stop
    assert say_shared(stop_by(UsageError("no.")), folders).reason == "no."


def test_the_disk_of_the_book_is_looked_at(product: Product, api: Api) -> None:
    """Videos have all the room they want; the account's book has not."""
    manifest, mark = night(product, "shop", 3), api.mark()
    with small_disk(product.folder / "state", "2m") as disk:
        sets = {"account.book": str(disk / "book.db"), "disk.min_free_mb": "1.9"}
        ended = product("run", manifest, sets=sets)
        assert ended.code == 5, ended.err
        assert api.calls("submit", since=mark) == []
        assert f"Make room on the disk of {disk}" in ended.err
        planned = product("plan", manifest, sets=sets)
        assert f"free in {disk}" in planned.out
        assert "about 0 of 3 rows will fit" in planned.out
        assert product("run", manifest, sets=sets | ONE_MB).code == 0


def test_below_what_is_to_stay_free_nothing_is_ordered(product: Product, api: Api) -> None:
    """The run says which folder, how much is free, and how much is needed; the plan does, too."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(3))
    mark = api.mark()
    most = {"disk.min_free_mb": "1000000000"}
    ended = product("run", manifest, sets=most)
    assert ended.code == 5, ended.err
    assert api.calls("submit", since=mark) == []
    folder = Path("outputs") / "shop"
    assert f"{folder} has " in ended.err
    assert " free and needs 1,000,000.0 GB" in ended.err
    planned = product("plan", manifest)
    assert "disk: 0.009 GB needed for videos (sizes assumed: none has come yet), " in planned.out
    assert f" GB free in {folder}" in planned.out
    assert "not enough" not in planned.out
    assert "about 0 of 3 rows will fit, since 1,000,000.0 GB are kept" in (
        product("plan", manifest, sets=most).out
    )
    unwatched = {"disk.min_free_mb": "0"}
    assert "disk: " not in product("plan", manifest, sets=unwatched).out
    assert product("run", manifest, "-q", sets=unwatched).code == 0


def _leave(ballast: Path, disk: Path, free_bytes: int) -> None:
    """Make the ballast as large as leaves so much free."""
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        file.write(bytes(shutil.disk_usage(disk).free - free_bytes))
