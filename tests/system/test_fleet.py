"""Runs with workers: each video is in its place once, and nothing is submitted twice.

Whatever happens: to workers (killed, frozen, without a disk, without the bucket, of another
version), to the scheduler, to the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import trustme

from pipeline.model import State
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api, emulator, wait_for
from tests.system.harness.bucket import SECRET, Bucket
from tests.system.harness.invariants import journal_holds, no_secret
from tests.system.harness.product import ROOT, Product, environment, interrupt

pytestmark = pytest.mark.process
LARGE = "--padding-bytes"
FEW = {"fleet.slots": "2", "limits.outstanding": "4"}
"""So that a run over some rows goes on for a while."""


def product_at(folder: Path, api: Api, **more: str) -> Product:
    folder.mkdir(exist_ok=True)
    return Product(folder, api.base_url, KEY, {"output.verify": "first_frame", **more})


def hold(api: Api, out: Path, rows: int) -> dict[str, str]:
    """Each row is done and was bought once; return the names of the videos with their hashes."""
    entries = {key: one for key, one in journal_holds(out).items() if one.state is State.DONE}
    assert len(entries) == rows == len(api.records()["submissions"])
    assert not api.repeated()
    noted = {}
    for one in entries.values():
        assert one.video is not None
        assert one.task_id is not None
        assert one.video.sha256 == api.sha256_of(one.task_id)
        noted[one.video.name] = one.video.sha256
    return noted


def ordered(api: Api) -> int:
    """Return how many videos were ordered."""
    return len(api.records()["submissions"])


def hold_here(api: Api, out: Path, rows: int) -> None:
    """Likewise, and the folder of videos has each of them once, and nothing else."""
    videos = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in (out / "videos").iterdir()
    }
    assert videos == hold(api, out, rows)


def hold_there(api: Api, out: Path, rows: int, bucket: Bucket) -> None:
    """Likewise in the bucket."""
    names = {f"spring/{out.name}/{name}": one for name, one in hold(api, out, rows).items()}
    assert bucket.objects() == names


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Cluster:
    """A scheduler and workers as processes, as somebody else runs them."""

    def __init__(self, folder: Path, protocol: str = "tcp", **env: str) -> None:
        self.folder = folder
        self.env = env
        self.port = free_port()
        self.protocol = protocol
        self.address = f"{protocol}://127.0.0.1:{self.port}"
        self.started: list[subprocess.Popen[str]] = []
        self.scheduler = self.begin()

    def begin(self) -> subprocess.Popen[str]:
        """Start the scheduler, or bring it back."""
        command = ["-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
        options = ["--port", str(self.port), "--no-dashboard", "--dashboard-address", "127.0.0.1:0"]
        options += ["--protocol", self.protocol]
        home = Path(self.env.get("PYTHONPATH", ROOT))
        return self._start([sys.executable, *command, *options], self.env, home)

    def worker(
        self, name: str, env: Mapping[str, str], *, home: Path = ROOT, slots: int = 2
    ) -> subprocess.Popen[str]:
        """Start a worker, of the package that lies in `home`."""
        options = ["--scratch", str(self.folder / name), "--slots", str(slots)]
        command = [sys.executable, "-m", "pipeline", "worker", self.address, *options]
        return self._start(command, {"PYTHONPATH": str(home), **env}, home)

    def _start(
        self, command: list[str], env: Mapping[str, str], home: Path = ROOT
    ) -> subprocess.Popen[str]:
        ttl = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "4s"}
        process = subprocess.Popen(
            command,
            cwd=home,
            env=environment(**{**ttl, **env}),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        for process in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "scratch")
    yield made
    made.end()


def elsewhere(cluster: Cluster, bucket: Bucket) -> dict[str, str]:
    place = f"s3://{bucket.name}/spring"
    return {**FEW, "fleet.scheduler": cluster.address, "output.videos": place}


def workers_at(out: Path) -> list[dict[str, Any]]:
    """Return the workers as they are noted beside the output folder."""
    with contextlib.suppress(OSError, ValueError):
        found: list[dict[str, Any]] = json.loads((out / "cache" / "workers.json").read_text())
        return found
    return []


def test_workers_of_this_machine(tmp_path: Path) -> None:
    """As without them: the videos, their posters and figures; status lists them meanwhile."""
    with emulator(tmp_path / "api", median_s=1.0) as api:
        product = product_at(tmp_path / "ein Ordner ü", api, **{"fleet.local": "2"})
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(4))
        out = product.folder / "outputs" / "shop"
        running = product.start("run", shop.name)
        wait_for("workers", lambda: len(workers_at(out)) == 2)
        told = product("status", shop.name, "--json").json
        assert [one["slots"] for one in told["workers"]] == [8, 8]
        assert all(is_there(one["pid"]) for one in told["workers"])
        pids = [one["pid"] for one in told["workers"]]
        for pid in pids:
            assert KEY not in Path(f"/proc/{pid}/environ").read_text()
        ended = product.end(running)
        assert ended.code == 0, ended.err
        hold_here(api, out, 4)
        assert len(list((out / "review" / "posters").iterdir())) == 4
        assert "workers" not in product("status", shop.name, "--json").json
        assert not (out / "cache" / "coming" / "workers").exists()
        wait_for("their end", lambda: not any(is_there(pid) for pid in pids))
        no_secret(product, KEY)


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_is_killed_or_frozen(tmp_path: Path, number: signal.Signals) -> None:
    """Another one does its work, and it is replaced, which takes a while where it is frozen."""
    rows = 24 if number is signal.SIGKILL else 100
    with emulator(tmp_path / "api", LARGE, "3000000", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, **{"fleet.local": "2", **FEW})
        env = {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "4s"}
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(rows))
        out = product.folder / "outputs" / "shop"
        running = product.start("run", shop.name, env=env)
        wait_for("a video", lambda: list((out / "videos").glob("*.mp4")))
        first = workers_at(out)[0]["pid"]
        os.kill(first, number)
        wait_for("another", lambda: len(workers_at(out)) == 2 and first not in pids_at(out))
        ended = product.end(running)
        assert ended.code == 0, ended.err
        hold_here(api, out, rows)


def is_there(pid: int) -> bool:
    """Tell whether a process is there."""
    return Path(f"/proc/{pid}").is_dir()


def pids_at(out: Path) -> list[int]:
    return [one["pid"] for one in workers_at(out)]


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c(tmp_path: Path, times: int) -> None:
    """Once: what is under way is awaited. Twice: it is given up. The next run has the rest."""
    with emulator(tmp_path / "api", LARGE, "3000000", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, **{"fleet.local": "2", **FEW})
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(16))
        out = product.folder / "outputs" / "shop"
        running = product.start("run", shop.name)
        wait_for("a video", lambda: list((out / "videos").glob("*.mp4")))
        api.faults("download_stall@3=0.7")
        time.sleep(1.5)
        pids = pids_at(out)
        for _ in range(times):
            interrupt(running)
            time.sleep(0.5)
        assert product.end(running).code == 130
        wait_for("their end", lambda: not any(is_there(pid) for pid in pids))
        assert not workers_at(out)
        api.faults()
        assert product("run", shop.name).code == 0
        hold_here(api, out, 16)


@pytest.mark.long
def test_a_run_that_is_killed_leaves_no_worker(tmp_path: Path) -> None:
    """Its workers end with it, and the next run continues."""
    with emulator(tmp_path / "api", LARGE, "3000000", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, **{"fleet.local": "2"})
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(12))
        out = product.folder / "outputs" / "shop"
        api.faults("download_stall@30=0.7")
        running = product.start("run", shop.name)
        wait_for("videos", lambda: ordered(api) == 12 and list(out.glob("videos/*.mp4")))
        pids = pids_at(out)
        running.kill()
        running.communicate()
        api.faults()
        wait_for("their end", lambda: not any(is_there(pid) for pid in pids))
        assert product("run", shop.name).code == 0
        hold_here(api, out, 12)


@pytest.mark.long
def test_workers_elsewhere_put_into_a_bucket(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """They have the bucket's keys from their own environment; no task and no file has any."""
    keys = bucket.environment()
    workers = [cluster.worker(name, keys) for name in ("one", "two")]
    with emulator(tmp_path / "api", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(8))
        out = product.folder / "outputs" / "shop"
        ended = product("run", shop.name)
        assert ended.code == 0, ended.err
        hold_there(api, out, 8, bucket)
        assert len(list((out / "review" / "posters").iterdir())) == 8
        no_secret(product, SECRET)
        assert [one.poll() for one in workers] == [None, None]
        # The same workers serve the next run.
        sheets.write(shop, sheets.rows(10))
        assert product("run", shop.name).code == 0
        hold_there(api, out, 10, bucket)


@pytest.mark.long
def test_a_run_is_killed_while_workers_elsewhere_go_on(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """What they still put for nobody is taken for what it is by the next run."""
    for name in ("one", "two"):
        cluster.worker(name, bucket.environment())
    with emulator(tmp_path / "api", LARGE, "3000000", median_s=0.5) as api:
        settings = {**elsewhere(cluster, bucket), "api.lookup_s": "2"}
        product = product_at(tmp_path / "work", api, **settings)
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(30))
        for number in range(5):
            api.faults("download_stall@20=0.7")
            links = api.mark()
            running = product.start("run", shop.name)
            wait_for("a transfer", lambda links=links: api.calls("download", since=links))
            time.sleep(0.2 * number)
            running.kill()
            running.communicate()
        api.faults()
        ended = product("run", shop.name)
        doubts = json.loads(product("status", shop.name, "--json").out)["states"].get("in_doubt", 0)
        assert ended.code == (3 if doubts else 0), ended.err
        hold_there(api, product.folder / "outputs" / "shop", 30 - doubts, bucket)


@pytest.mark.long
@pytest.mark.parametrize("away", [False, True])
def test_a_folder_that_all_machines_share(tmp_path: Path, cluster: Cluster, away: bool) -> None:
    """Workers put into it what they see under the same path: `videos`, or a folder elsewhere.

    One that does not see what the run has written there gets nothing.
    """
    cluster.worker("one", {})
    share = tmp_path / "eine Ablage ü"
    share.mkdir()
    more = {"output.videos": str(share)} if away else {}
    with emulator(tmp_path / "api", median_s=0.5) as api:
        settings = {**FEW, "fleet.scheduler": cluster.address, "output.shared": "true", **more}
        product = product_at(tmp_path / "work", api, **settings)
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(8))
        out = product.folder / "outputs" / "shop"
        ended = product("run", shop.name)
        assert ended.code == 0, ended.err
        if away:
            noted = hold(api, out, 8)
            there = {one.name: one.read_bytes() for one in (share / "shop").iterdir()}
            assert {name: hashlib.sha256(one).hexdigest() for name, one in there.items()} == noted
            assert not (out / "videos").exists()
        else:
            hold_here(api, out, 8)
        assert product("journal", "verify", shop.name).code == 0
        # A worker that is killed in the middle is started again; nothing is there twice.
        sheets.write(shop, sheets.rows(16))
        running = product.start("run", shop.name)
        wait_for("a worker", lambda: pids_at(out))
        (pid,) = pids_at(out)
        wait_for("an order", lambda: ordered(api) > 8)
        os.kill(pid, signal.SIGKILL)
        ended = product.end(running)
        assert ended.code == 0, ended.err
        hold(api, out, 16)
        assert len(list((share / "shop" if away else out / "videos").iterdir())) == 16


@pytest.mark.long
def test_certificates_keep_others_out(
    tmp_path: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scheduler, workers and run have those of Dask's settings; who has none does not get in."""
    authority, certificate = trustme.CA(), tmp_path / "both.pem"
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    setting = "DASK_DISTRIBUTED__COMM__TLS__"
    tls = {f"{setting}CA_FILE": str(tmp_path / "ca.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        tls |= {f"{setting}{role}__{kind}": str(certificate) for kind in ("CERT", "KEY")}
    with monkeypatch.context() as known:
        for name, text in tls.items():
            known.setenv(name, text)
        cluster = Cluster(tmp_path / "scratch", "tls")
        cluster.worker("one", bucket.environment())
    try:
        with emulator(tmp_path / "api", median_s=0.5) as api:
            product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
            shop = sheets.write(product.folder / "shop.csv", sheets.rows(4))
            ended = product("run", shop.name)
            assert ended.code == 2
            assert "name none" in ended.err
            assert not api.records()["submissions"]
            ended = product("run", shop.name, env=tls)
            assert ended.code == 0, ended.err
            hold_there(api, product.folder / "outputs" / "shop", 4, bucket)
    finally:
        cluster.end()


@pytest.mark.long
def test_the_scheduler_is_killed_and_brought_back(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """Run and workers find it again; what was under way is fetched again, and not bought."""
    for name in ("one", "two"):
        cluster.worker(name, bucket.environment())
    with emulator(tmp_path / "api", LARGE, "3000000", median_s=1.0) as api:
        product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(24))
        running = product.start("run", shop.name)
        wait_for("a video", bucket.objects)
        cluster.scheduler.kill()
        cluster.scheduler.wait()
        time.sleep(1)
        cluster.begin()
        ended = product.end(running)
        assert ended.code == 0, ended.err
        hold_there(api, product.folder / "outputs" / "shop", 24, bucket)


@pytest.mark.long
def test_a_worker_without_the_bucket_is_let_go(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """It joined when no run was there to say which bucket; it gets nothing, and ends."""
    good = cluster.worker("one", bucket.environment())
    bad = cluster.worker("two", {**bucket.environment("http://127.0.0.1:9")})
    with emulator(tmp_path / "api", median_s=0.5) as api:
        product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(12))
        ended = product("run", shop.name)
        assert ended.code == 0, ended.err
        hold_there(api, product.folder / "outputs" / "shop", 12, bucket)
        assert good.poll() is None
        said = product("run", shop.name)  # nothing is left to do
        assert said.code == 0
        assert bad.poll() in {None, 5}


@pytest.mark.long
def test_a_worker_without_a_disk_is_let_go(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """It fails fast, so that without the rule it would get most of the work and do none of it."""
    for name in ("one", "two"):
        cluster.worker(name, bucket.environment())
    with emulator(tmp_path / "api", median_s=0.5) as api:
        product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(30))
        running = product.start("run", shop.name)
        wait_for("a video", bucket.objects)
        for folder in (cluster.folder / "two" / "1").iterdir():
            if folder.name.isdecimal():
                shutil.rmtree(folder)
                folder.write_text("no folder any more")
        ended = product.end(running)
        assert ended.code == 0, ended.err
        assert "gets no more videos" in ended.err
        hold_there(api, product.folder / "outputs" / "shop", 30, bucket)


@pytest.mark.long
def test_a_worker_of_another_version_gets_nothing(
    tmp_path: Path, cluster: Cluster, bucket: Bucket
) -> None:
    """Before a run is there it joins, and is let go; while one is there it does not join."""
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "pipeline", copy / "pipeline")
    (copy / "pipeline" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    old = cluster.worker("old", bucket.environment(), home=copy)
    with emulator(tmp_path / "api", median_s=0.5) as api:
        product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(6))
        ended = product("run", shop.name)
        assert ended.code == 5
        assert "the worker has reelsheet" in ended.err
        assert not api.records()["submissions"]
        cluster.worker("new", bucket.environment())
        ended = product("run", shop.name)
        assert ended.code == 0, ended.err
        hold_there(api, product.folder / "outputs" / "shop", 6, bucket)
        assert old.wait(30) == 5


@pytest.mark.long
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_worker_is_ended_by_signals(cluster: Cluster, number: signal.Signals, code: int) -> None:
    """However many come; before it has joined, too, it says what it waits for."""
    cluster.scheduler.kill()
    cluster.scheduler.wait()
    worker = cluster.worker("one", {})
    lines: list[str] = []
    assert worker.stdout is not None
    while not any("it is waited for" in one for one in lines):
        lines.append(worker.stdout.readline())
        assert lines[-1], lines
    for _ in range(3):
        worker.send_signal(number)
    said, _ = worker.communicate(timeout=30)
    assert said == "ended; what it had under way goes to other workers\n"
    assert worker.returncode == code


@pytest.mark.long
def test_a_scheduler_without_reelsheet_costs_nothing(tmp_path: Path, bucket: Bucket) -> None:
    """It reads each task, and could hand none on: that is noticed before anything is sent."""
    other = tmp_path / "other" / "pipeline"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('not installed here')\n")
    cluster = Cluster(tmp_path / "scratch", PYTHONPATH=str(other.parent))
    cluster.worker("one", bucket.environment())
    try:
        with emulator(tmp_path / "api", median_s=0.5) as api:
            product = product_at(tmp_path / "work", api, **elsewhere(cluster, bucket))
            shop = sheets.write(product.folder / "shop.csv", sheets.rows(2))
            ended = product("run", shop.name)
            assert ended.code == 5
            assert "Reelsheet is not installed where it runs" in ended.err
            assert not api.records()["submissions"]
    finally:
        cluster.end()


@pytest.mark.long
def test_no_worker_and_no_scheduler_cost_nothing(tmp_path: Path) -> None:
    """The run ends with 5 before anything is sent, and says what to start."""
    with emulator(tmp_path / "api") as api:
        settings = {"fleet.scheduler": f"tcp://127.0.0.1:{free_port()}", "output.shared": "true"}
        product = product_at(tmp_path / "work", api, **settings)
        shop = sheets.write(product.folder / "shop.csv", sheets.rows(2))
        ended = product("run", shop.name)
        assert ended.code == 5
        assert "reelsheet worker tcp://127.0.0.1" in ended.err
        assert not api.records()["submissions"]
