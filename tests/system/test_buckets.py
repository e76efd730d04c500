"""Runs whose videos go to a bucket: each is there once, whatever happens on the way."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
import zipfile
from collections import Counter
from pathlib import Path
from time import sleep

import obstore
import pytest

from pipeline.model import State
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api, emulator
from tests.system.harness.bucket import SECRET, Bucket, Faults
from tests.system.harness.invariants import journal_holds, journal_made, no_secret
from tests.system.harness.product import Product, interrupt
from tests.system.harness.sampling import few_of


def product_at(folder: Path, api: Api, place: str, **more: str) -> Product:
    folder.mkdir()
    return Product(folder, api.base_url, KEY, {"output.videos": place, **more})


def hold(bucket: Bucket, api: Api, out: Path, rows: int) -> None:
    """Each row of so many that the API took is done, its object is there once, with its bytes."""
    entries = {key: one for key, one in journal_holds(out).items() if one.state is State.DONE}
    assert len(entries) == rows == len(api.records()["submissions"])
    assert not api.repeated()
    noted = {}
    for one in entries.values():
        assert one.video is not None
        assert one.task_id is not None
        assert one.video.sha256 == api.sha256_of(one.task_id)
        noted[f"spring/shop/{one.video.name}"] = one.video.sha256
    assert bucket.objects() == noted


def test_a_run_to_a_bucket(tmp_path: Path, bucket: Bucket, faults: Faults) -> None:
    """Results name the objects; the next run asks for a list and nothing else."""
    place = f"s3://{bucket.name}/spring"
    with emulator(tmp_path / "api") as api:
        product = product_at(tmp_path / "ein Ordner ü", api, place)
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(3))
        out = product.folder / "outputs" / "shop"
        assert product("run", shop.name).code == 0
        hold(bucket, api, out, 3)
        listed = {one["result_video"] for one in sheets.results(out)}
        assert listed == {f"{place}/shop/{one}.mp4" for one in journal_holds(out)}
        assert not (out / "videos").exists()
        assert not list((out / "cache" / "coming").iterdir())
        seen, calls = len(faults.seen), api.mark()
        assert product("run", shop.name).code == 0
        assert not api.calls(since=calls)
        assert [method for method, _ in faults.seen[seen:]] == ["GET"]
        told = product("status", shop.name, "--json").json
        assert {one["video"] for one in told["rows"]} == listed
        linked = {"output.link_base": "https://videos.example/s"}
        assert product("report", shop.name, sets=linked).code == 0
        assert {one["result_video"] for one in sheets.results(out)} == {
            f"https://videos.example/s/shop/{one}.mp4" for one in journal_holds(out)
        }
        # Takes stay where they were put, and a new row goes where it is said now.
        sheets.write(shop, sheets.rows(4))
        elsewhere = {"output.videos": str(tmp_path)}
        assert product("run", shop.name, sets=elsewhere).code == 0
        last = journal_holds(out)[sheets.rows(4)[3]["sku"]]
        assert last.video is not None
        assert (tmp_path / "shop" / last.video.name).stat().st_size == last.video.size_bytes
        assert len(api.records()["submissions"]) == 4
        assert len(bucket.objects()) == 3
        no_secret(product, SECRET)
        assert SECRET not in "".join(product.said)


def test_an_object_that_somebody_deleted(tmp_path: Path, bucket: Bucket) -> None:
    """It is noticed by the list, and fetched again while its link lives: nothing is paid."""
    with emulator(tmp_path / "api") as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(2))
        assert product("run", shop.name).code == 0
        before = bucket.objects()
        bucket.remove(next(iter(before)))
        found = product("journal", "verify", shop.name)
        assert "is gone" in found.out + found.err
        assert product("run", shop.name).code == 0
        assert bucket.objects() == before
        hold(bucket, api, product.folder / "outputs" / "shop", 2)


@pytest.mark.long
@pytest.mark.parametrize("left", ["run.log", "results.csv"])
def test_a_lost_journal_finds_its_videos_in_the_bucket(
    tmp_path: Path, bucket: Bucket, faults: Faults, left: str
) -> None:
    """Without a book, too: nothing is fetched from the API's host, whose links may be dead."""
    sets = {"account.book": "none", "output.link_base": "https://videos.example/s"}
    with emulator(tmp_path / "api") as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring", **sets)
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(3))
        out = product.folder / "outputs" / "shop"
        assert product("run", shop.name).code == 0
        before = journal_holds(out)
        for name in {"journal.db", "run.log", "summary.json", "results.csv"} - {left}:
            (out / name).unlink()
        faults.fault, faults.methods = "503", ("GET",)
        refused = product("journal", "rebuild", shop.name, "--yes")
        assert refused.code == 5, refused.err
        assert "nothing paid for is lost" in refused.err
        faults.fault = ""
        calls = api.mark()
        said = product("journal", "rebuild", shop.name, "--yes")
        assert said.code == 0, said.err
        assert "3 done" in said.out
        assert "each is fetched once" in said.err
        assert product("journal", "verify", shop.name).code == 0
        assert product("run", shop.name).code == 0
        assert not api.calls("download", since=calls)
        hold(bucket, api, out, 3)
        after = journal_holds(out)
        assert {key: one.video for key, one in after.items()} == {
            key: one.video for key, one in before.items()
        }
        assert not list((out / "cache" / "coming").iterdir())


def test_what_is_made_of_takes_in_a_bucket(tmp_path: Path, bucket: Bucket) -> None:
    """They are judged, handed over, shared and used again from there, and nothing is paid twice."""
    with emulator(tmp_path / "api") as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(2))
        out = product.folder / "outputs" / "shop"
        assert product("run", shop.name, sets={"output.verify": "first_frame"}).code == 0
        (entry, *_) = journal_holds(out).values()
        assert entry.video is not None
        content = obstore.get(bucket.store(), f"spring/shop/{entry.video.name}").bytes().to_bytes()
        page = (out / "review.html").read_text("utf-8")
        assert bucket.url in page
        assert SECRET not in page + (out / "review" / "data.js").read_text("ascii")
        stem = f"spring/shop/{entry.video.name.removesuffix('.mp4')}"
        assert {f"{stem}.1.jpg", f"{stem}.json"} <= bucket.everything().keys()

        served = product.start("review", shop.name, "--no-browser")
        assert served.stdout is not None
        address = served.stdout.readline().strip() + f"videos/{entry.video.name}"
        part = urllib.request.Request(address, headers={"Range": "bytes=10-19"})  # noqa: S310
        with urllib.request.urlopen(part, timeout=30) as reply:  # noqa: S310
            assert (reply.status, reply.read()) == (206, content[10:20])
        with urllib.request.urlopen(address, timeout=30) as reply:  # noqa: S310
            assert reply.read() == content
        served.send_signal(signal.SIGINT)
        assert product.end(served).code == 0

        assert product("review", shop.name, "--approve", entry.key).code == 0
        linked = {"output.link_base": "https://videos.example/s"}
        handed = product("export", shop.name, "--to", "folder", sets=linked)
        assert handed.code == 1, handed.err  # the other row is undecided
        assert f"https://videos.example/s/shop/{entry.video.name}" in (
            (out / "approved" / "media.csv").read_text("utf-8")
        )
        assert [one.read_bytes() for one in (out / "approved").rglob("*.mp4")] == [content]
        assert product("review", shop.name, "--share", "all.zip").code == 0
        with zipfile.ZipFile(product.folder / "all.zip") as archive:
            videos = [name for name in archive.namelist() if name.endswith(".mp4")]
            assert len(videos) == 2
            assert not any(b"X-Amz" in archive.read(name) for name in archive.namelist())

        again = sheets.write(product.folder / "again.csv", sheets.rows(2))
        assert product("run", again.name).code == 0
        assert len(api.records()["submissions"]) == 2
        assert sorted(bucket.objects().values())[::2] == sorted(bucket.objects().values())[1::2]
        home = sheets.write(product.folder / "home.csv", sheets.rows(2))
        assert product("run", home.name, sets={"output.videos": "null"}).code == 0
        assert len(list((product.folder / "outputs/home/videos").iterdir())) == 2
        assert len(api.records()["submissions"]) == 2
        assert not list((out / "cache" / "coming").iterdir())


@pytest.mark.parametrize("fault", few_of(["ignore", "403"], "ignore"))
def test_a_bucket_that_cannot_be_used_costs_nothing(
    tmp_path: Path, faults: Faults, bucket: Bucket, fault: str
) -> None:
    """It is tried before anything is sent."""
    code, words = {"ignore": (2, "overwrites what is"), "403": (5, "s3:PutObject")}[fault]
    faults.fault = fault
    with emulator(tmp_path / "api") as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        sheets.write(product.folder / "shop.csv", sheets.rows(2))
        ended = product("run", "shop.csv")
        assert ended.code == code
        assert words in ended.err
        assert not api.records()["submissions"]
        faults.fault = ""
        assert product("run", "shop.csv").code == 0


@pytest.mark.parametrize("fault", few_of(["503", "cut", "lose"], "lose"))
def test_a_bucket_that_goes_down(
    tmp_path: Path, faults: Faults, bucket: Bucket, fault: str
) -> None:
    """Rows wait, the run ends with 5, and the next one puts what was paid for, once."""
    with emulator(tmp_path / "api", median_s=1.0) as api:
        product = product_at(
            tmp_path / "work", api, f"s3://{bucket.name}/spring", **{"outage.patience_s": "1"}
        )
        sheets.write(product.folder / "shop.csv", sheets.rows(3))
        process = product.start("run", "shop.csv")
        while not api.records()["submissions"]:
            sleep(0.02)
        faults.fault = fault
        ended = product.end(process)
        assert ended.code == 5, ended.err
        faults.fault = ""
        links = api.mark()
        assert product("run", "shop.csv").code == 0
        # What was whole on the disk was not downloaded again.
        assert not api.calls("download", since=links)
        hold(bucket, api, product.folder / "outputs" / "shop", 3)


@pytest.mark.long
def test_a_bucket_that_forgets(tmp_path: Path, faults: Faults, bucket: Bucket) -> None:
    """It says that it has what it has not: the next run notices, and pays for nothing again."""
    with emulator(tmp_path / "api", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        sheets.write(product.folder / "shop.csv", sheets.rows(3))
        process = product.start("run", "shop.csv")
        while not api.records()["submissions"]:
            sleep(0.02)
        faults.fault = "forget"
        assert product.end(process).code == 0
        assert not bucket.objects()
        ended = product("run", "shop.csv")
        assert ended.code == 2, ended.err  # as long as it forgets it is no place for videos
        assert "overwrites what is there" in ended.err
        faults.fault = ""
        assert product("run", "shop.csv").code == 0
        hold(bucket, api, product.folder / "outputs" / "shop", 3)


@pytest.mark.long
def test_a_bucket_that_freezes_lets_a_run_be_ended(
    tmp_path: Path, faults: Faults, bucket: Bucket
) -> None:
    """Ctrl-C twice does not wait for it; what came lies whole on the disk until the next run."""
    with emulator(tmp_path / "api", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        sheets.write(product.folder / "shop.csv", sheets.rows(3))
        out = product.folder / "outputs" / "shop"
        process = product.start("run", "shop.csv")
        while not api.records()["submissions"]:
            sleep(0.02)
        seen, faults.fault = len(faults.seen), "freeze"
        while sum(method == "PUT" for method, _ in faults.seen[seen:]) < 3:
            sleep(0.02)
        for _ in range(2):
            interrupt(process)
            sleep(1)
        assert product.end(process).code == 130
        faults.fault = ""
        links = api.mark()
        assert product("run", "shop.csv").code == 0
        assert not api.calls("download", since=links)
        hold(bucket, api, out, 3)


@pytest.mark.long
def test_a_slow_bucket(tmp_path: Path, faults: Faults, bucket: Bucket) -> None:
    """All comes, however long each takes."""
    with emulator(tmp_path / "api", median_s=0.2) as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring")
        sheets.write(product.folder / "shop.csv", sheets.rows(12))
        faults.hold_s = 2.0
        assert product("run", "shop.csv").code == 0
        hold(bucket, api, product.folder / "outputs" / "shop", 12)


@pytest.mark.parametrize("kills", few_of([4, 30], 4))
def test_kills_in_the_middle_of_puts(
    tmp_path: Path, faults: Faults, bucket: Bucket, kills: int
) -> None:
    """Before the bucket has it, and after: one object a row, nothing paid twice."""
    rows, settings = 3 * kills, {"limits.outstanding": "3", "api.lookup_s": "2"}
    faults.hold_s = 0.1
    with emulator(tmp_path / "api", median_s=0.2) as api:
        product = product_at(tmp_path / "work", api, f"s3://{bucket.name}/spring", **settings)
        sheets.write(product.folder / "shop.csv", sheets.rows(rows))
        out = product.folder / "outputs" / "shop"
        for number in range(kills):
            process = product.start("run", "shop.csv", "-q")
            _wait_for_put(faults, out, process)
            sleep(0.25 * number / kills)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        faults.hold_s = 0.0
        ended = product("run", "shop.csv")
        # What was about to leave and never did is left in doubt: nothing else is.
        states = Counter(one.state for one in journal_holds(out).values())
        doubts = states[State.IN_DOUBT]
        assert states == {State.DONE: rows - doubts, **({State.IN_DOUBT: doubts} if doubts else {})}
        assert ended.code == (3 if doubts else 0), ended.err
        hold(bucket, api, out, rows - doubts)


def _wait_for_put(faults: Faults, out: Path, process: subprocess.Popen[str]) -> None:
    """Wait until a video, and not the probe, is on its way."""
    seen = len(faults.seen)
    while not any(method == "PUT" and path.endswith(".mp4") for method, path in faults.seen[seen:]):
        assert process.poll() is None, (process.returncode, process.communicate())
        sleep(0.01)
    assert journal_made(out)
