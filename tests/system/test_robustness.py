"""Folders, streams and limits that are not as one would like them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.disk.reserve import SIZE_BYTES
from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

RESERVE_KB = SIZE_BYTES // 1024
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs sh")


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system in memory; the test is skipped where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0 or not _mount(folder, options):
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _mount(folder: Path, options: str) -> bool:
    line = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(line, check=False, capture_output=True).returncode == 0


def test_spaces_and_umlauts_everywhere(product: Product, api: Api) -> None:
    """Names with spaces, umlauts and a leading dash are only names."""
    lines = [sheets.row("Tee Öl & Löffel", note="grün"), sheets.row("-rf"), sheets.row("茶/1")]
    folder = product.folder / "Müllers Läden (neu)"
    manifest = sheets.write(folder / "Früh jahr.csv", lines)
    out = folder / "Aus gabe"
    ended = product("run", manifest, "--out", out)
    assert ended.code == 0, ended.err
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
    assert len(list((out / "videos").iterdir())) == 3


def test_streams_are_plain_without_a_terminal(product: Product) -> None:
    """Piped, only results are on standard output; neither stream holds colours or bars."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2))
    ended = product("run", manifest, env={"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert ended.code == 0
    assert "results: " in ended.out
    assert "\x1b" not in ended.out + ended.err
    assert "\r" not in ended.out + ended.err
    quiet = product("run", manifest, "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


@posix
@pytest.mark.parametrize("command", [("run",), ("status", "--rows"), ("check", "--json")])
def test_nobody_reads_standard_output(product: Product, command: tuple[str, ...]) -> None:
    """A closed pipe is no error of ours: no traceback, the code that the work deserves."""
    manifest = sheets.write(
        product.folder / "shop.csv", [sheets.row("OK"), sheets.row("BAD", duration="5")]
    )
    reading, writing = os.pipe()
    os.close(reading)
    process = product.start(command[0], manifest, *command[1:], stdout=writing, stderr=writing)
    os.close(writing)
    ended = product.end(process)
    assert ended.code == {"run": 1, "status": 0, "check": 2}[command[0]], ended.err


@posix
@pytest.mark.parametrize(
    ("redirection", "code"), [(">&- 2>&-", 0), ("2>/dev/full", 0), (">/dev/full", 5)]
)
def test_streams_that_take_nothing(product: Product, redirection: str, code: int) -> None:
    """Closed streams and a full disk behind them stop no run; lost results are an error."""
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(1))
    ended = product("run", manifest, before=f"exec {redirection}")
    assert ended.code == code, ended.err
    assert "internal error" not in ended.err
    assert sheets.states(product.folder / "outputs" / "shop") == {"P0001": "done"}


def test_a_results_file_that_cannot_be_written(product: Product, api: Api) -> None:
    """They go to a file beside it, which is said; once it is free again they stand there."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2))
    out = product.folder / "outputs" / "shop"
    (out / "results.csv" / "in the way").mkdir(parents=True)
    ended = product("run", manifest)
    assert ended.code == 0, ended.err
    assert "results-2.csv" in ended.err
    assert [one["result_state"] for one in sheets.read(out / "results-2.csv")[1]] == ["done"] * 2
    (out / "results.csv" / "in the way").rmdir()
    (out / "results.csv").rmdir()
    mark = api.mark()
    assert product("run", manifest).code == 0
    assert api.calls(since=mark) == []
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_a_folder_that_cannot_be_written(product: Product, api: Api) -> None:
    """Read-only: said in one sentence, exit 5, and nothing is sent."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2))
    with mounted(product.folder / "locked", "ro,size=100k") as folder:
        mark = api.mark()
        ended = product("run", manifest, "--out", folder / "shop")
        assert ended.code == 5, ended.err
        assert "cannot be written" in ended.err
        assert product("status", manifest, "--out", folder / "shop").code == 0
        assert api.calls(since=mark) == []


def test_a_full_disk(product: Product, api: Api) -> None:
    """It fills up in mid-run: 5 (3 with doubts); with room it goes on and pays nothing twice."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(40, duration="4"))
    with mounted(product.folder / "small", f"size={RESERVE_KB + 360}k") as folder:
        out, mark = folder / "shop", api.mark()
        unwatched = {"limits.outstanding": "10", "disk.min_free_mb": "0"}
        full = product("run", manifest, "--out", out, sets=unwatched)
        left = {one.state for one in invariants.journal_holds(out).values()}
        # An answer that found no room is looked up by the next run; until then it is in doubt.
        assert full.code == (3 if left & invariants.UNSETTLED else 5), full.err
        assert 0 < len(api.calls("submit", since=mark)) < 40, "in mid-run"
        subprocess.run(["mount", "-o", "remount,size=20m", folder], check=True)
        last = product("run", manifest, "--out", out)
        assert last.code == 0, last.err
        assert len(api.calls("submit", since=mark)) == 40
        invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_a_disk_without_room_for_the_answers(product: Product, api: Api) -> None:
    """What has to be set aside for them is not there: said, exit 5, and nothing is sent."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(2))
    with mounted(product.folder / "small", "size=360k") as folder:
        mark = api.mark()
        ended = product("run", manifest, "--out", folder / "shop")
        assert ended.code == 5, ended.err
        assert "cannot be set aside" in ended.err
        assert api.calls(since=mark) == []


@posix
def test_few_file_descriptors(product: Product, api: Api) -> None:
    """With 64 of them nothing is lost: done, or unfinished and done when run again with more."""
    lines = sheets.rows(60, duration="4")
    for number, one in enumerate(lines):
        if number < 10:
            one["image_1"] = sheets.picture(product.folder / f"p{number}.png", hue=number * 9).name
    manifest = sheets.write(product.folder / "shop.csv", lines)
    out = product.folder / "outputs" / "shop"
    many = {"limits.downloads": "64", "limits.uploads": "64", "limits.submits_in_flight": "50"}
    few = product("run", manifest, sets=many, before="ulimit -n 64")
    assert few.code in {0, 5}, few.err
    assert product("run", manifest).code == 0
    assert len(sheets.results(out)) == 60
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
