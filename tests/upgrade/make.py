"""Make the folders below `cases/`. They are made once, and never made anew.

They were made with the version of 22 November 2026, commit 66b0e27, of which this script uses the
command line alone. Whoever adds a case that this version would have to stand behind as well does:

    git worktree add /tmp/then 66b0e27
    cp -r tests/upgrade /tmp/then/tests/
    cd /tmp/then && make .venv/dev.stamp
    .venv/bin/python -m tests.upgrade.make          # whatever is not there yet, see catalogue.py

and copies the new folder and the new SHA256SUMS back. A case that is there is left alone, whatever
its recipe says by now: what a later version makes is no witness for what this one made.

Each case is built as a user would, in a folder below /tmp/catalogue, which is the path that its
journals remember. Live runs go to the emulator. The clocks of both say that it is the evening of
22 November, so that on any later day every link is dead and every upload is too old. At last the
folder is copied without its `cache/`, which may be deleted between runs, and that version itself is
run over the copy as the tests do: what it says and does stands in the `expected.json` of the case.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import yaml
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from tests.upgrade.replay import (
    CASES,
    EXPECTED,
    KEY,
    MADE_IN,
    ROOT,
    SUMS,
    Shop,
    Told,
    provider,
    sums,
)

VERSION = "66b0e27"
EVENING = datetime(2026, 11, 22, 20, tzinfo=UTC).timestamp()
API, FILES = 18801, 18802
BASE_URL = f"http://127.0.0.1:{API}"
LIVE: Mapping[str, Any] = {
    "provider": "toapis",
    "api": {"base_url": BASE_URL},
    "polling": {"first_s": 0.2, "interval_s": 0.1},
}
"""What the configuration of a live case says, unless it says otherwise."""

_CLOCK = '''"""The clock is set back."""
import os
import time

_back, _now, _utc, _local = float(os.environ["SET_BACK_S"]), time.time, time.gmtime, time.localtime
time.time = lambda: _now() - _back
time.gmtime = lambda at=None: _utc(time.time() if at is None else at)
time.localtime = lambda at=None: _local(time.time() if at is None else at)
'''


@dataclass
class Asked:
    """A manifest of a case, and what the tests do with it."""

    manifest: str
    options: tuple[str, ...]
    run: bool
    exact: bool


@dataclass
class Making:
    """A case while it is made: the user's folder, and what is to be asked of it later."""

    folder: Path
    set_back_s: float
    asked: list[Asked] = field(default_factory=list)
    finished: dict[str, str] = field(default_factory=dict)
    clip: str = ""

    # What the user has.

    def data(self, name: str, content: bytes) -> None:
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def text(self, name: str, *lines: str, encoding: str = "utf-8", end: str = "\n") -> None:
        """Write a text file of these lines."""
        self.data(name, "".join(line + end for line in lines).encode(encoding))

    def table(
        self,
        name: str,
        *rows: Sequence[str],
        delimiter: str = ",",
        encoding: str = "utf-8",
        end: str = "\r\n",
    ) -> None:
        """Write a text manifest: its headers, then its rows."""
        target = io.StringIO()
        csv.writer(target, delimiter=delimiter, lineterminator=end).writerows(rows)
        self.data(name, target.getvalue().encode(encoding))

    def picture(self, name: str, hue: int = 0, size: tuple[int, int] = (320, 180)) -> None:
        """Write a picture in the format of its suffix."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("HSV", size, (hue, 160, 200)).convert("RGB").save(path)

    def config(self, *, name: str = "config.yaml", **sections: Any) -> None:
        """Write a configuration: that of a live case, with these sections beside it."""
        tree = {**LIVE, **sections}
        self.data(name, yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode())

    # What the user does.

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the product in the folder."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline", *arguments],
            cwd=self.folder,
            env=environment(self.set_back_s),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def do(self, *arguments: str, code: int = 0) -> None:
        """Run a command to its end, which has to be this one."""
        with self.start(*arguments) as process:
            said, _ = process.communicate(timeout=180)
        if process.returncode != code:
            raise RuntimeError(f"{arguments} ended with {process.returncode}:\n{said}")

    def run(self, manifest: str, *options: str, code: int = 0) -> None:
        """Run a manifest."""
        self.do("run", manifest, *options, code=code)

    def killed(self, *arguments: str, states: Mapping[str, str]) -> None:
        """Run a command and kill it as soon as the journal has these states, by key."""
        journal = self.folder / "outputs" / Path(arguments[1]).stem / "journal.db"
        end = time.monotonic() + 60
        with self.start(*arguments) as process:
            while time.monotonic() < end and process.poll() is None:
                if states.items() <= _states(journal).items():
                    break
                time.sleep(0.05)
            process.kill()
            said, _ = process.communicate()
        if not states.items() <= _states(journal).items():
            raise RuntimeError(f"{arguments} never came to {states}:\n{said}")

    def faults(self, *rules: str) -> None:
        """Put these faults in force at the emulator, in the place of all others."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{BASE_URL}/emulator/faults",
            data=json.dumps(rules).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            answer.read()

    # What the tests do later.

    def ask(self, manifest: str, *options: str, run: bool = True, exact: bool = True) -> None:
        """Have a manifest looked at later, and run unless told otherwise.

        Where it is not `exact`, what becomes of its rows is meant to change: only that nothing is
        new, changed, waiting or bought is held.
        """
        self.asked.append(Asked(manifest, options, run, exact))

    def made(self, manifest: str, *options: str) -> None:
        """Run a manifest to its good end, and have it looked at and run later."""
        self.run(manifest, *options)
        self.ask(manifest, *options)

    def finish(self, out: str, *keys: str, clip: str) -> None:
        """Let the provider finish these rows after the last run here."""
        self.clip = clip
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / out}/journal.db?mode=ro",
                                                uri=True)) as journal:  # fmt: skip
            for key in keys:
                found = journal.execute(
                    "SELECT client_business_id, task_id FROM attempts WHERE key = ? "
                    "ORDER BY number DESC LIMIT 1",
                    (key,),
                ).fetchone()
                reference, task_id = found[0], found[1] or f"video_found_{key}"
                self.finished |= {reference: task_id, task_id: task_id}


def environment(set_back_s: float) -> dict[str, str]:
    """Return the environment of a process whose clock is set back by so much."""
    clock = Path(tempfile.gettempdir()) / "upgrade-clock"
    clock.mkdir(exist_ok=True)
    (clock / "sitecustomize.py").write_text(_CLOCK, encoding="utf-8")
    return {
        "PATH": os.environ["PATH"],
        "HOME": MADE_IN,
        "PYTHONPATH": os.pathsep.join((str(clock), str(ROOT))),
        "PYTHONUTF8": "1",
        "SET_BACK_S": str(set_back_s),
        "TOAPIS_API_KEY": KEY,
    }


def make(case: Callable[[Making], None], set_back_s: float) -> None:
    """Make a case, unless it is there."""
    name = case.__name__.replace("_", "-")
    target = CASES / name
    if target.exists():
        return
    sys.stderr.write(f"{name}\n")
    making = Making(Path(MADE_IN) / name, set_back_s)
    shutil.rmtree(making.folder, ignore_errors=True)
    making.folder.mkdir(parents=True)
    making.faults()
    case(making)
    shutil.copytree(
        making.folder, target, ignore=shutil.ignore_patterns("cache", "*-shm", "*.part")
    )
    shutil.rmtree(making.folder)
    expected = _expected(target, making, " ".join((case.__doc__ or "").split()))
    text = json.dumps(expected, indent=1)  # ASCII, so that what cannot be seen can be read
    (target / EXPECTED).write_text(f"{text}\n", encoding="ascii")


def _expected(case: Path, making: Making, about: str) -> dict[str, Any]:
    expected: dict[str, Any] = {"about": about, "manifests": []}
    if making.finished:
        expected |= {"finished": making.finished, "clip": making.clip}
    with tempfile.TemporaryDirectory() as folder, provider() as double:
        shop = Shop.of(case, Path(folder), double).knowing(expected)
        for one in making.asked:
            told = shop.told(one.manifest, *one.options)
            note = _note(told, one) | (_rerun(shop, told, one) if one.run else {})
            if double.posts:
                raise RuntimeError(f"{case.name}: {one.manifest} would be bought again")
            expected["manifests"].append(note)
    return expected


def _note(told: Told, one: Asked) -> dict[str, Any]:
    note: dict[str, Any] = {"manifest": one.manifest}
    if one.options:
        note["options"] = one.options
    if not one.exact:
        note["exact"] = False
    return note | {"plan": told.groups, "video_seconds": told.video_seconds, "rows": told.rows}


def _rerun(shop: Shop, told: Told, one: Asked) -> dict[str, Any]:
    mark = len(shop.double.calls)
    ended = shop("run", one.manifest, *one.options)
    out = _out(shop.folder, one)
    summary = shop.summary(out)
    if summary["submitted"] or summary["exit_code"] != ended.code:
        raise RuntimeError(f"{one.manifest}: {summary}\n{ended.err}")
    note = {"out": out, "exit_code": ended.code, "states": summary["states"]}
    after = shop.told(one.manifest, *one.options).groups
    if len(shop.double.calls) > mark:
        note["plan_after"] = after
    elif after != told.groups:
        raise RuntimeError(f"{one.manifest}: {after} after a run that did nothing")
    return {"run": note}


def _out(folder: Path, one: Asked) -> str:
    if one.manifest.startswith("outputs/"):
        return one.manifest.rpartition("/")[0]
    stem = Path(one.manifest).stem
    names = [name for name in (stem, f"{stem}.rehearsal") if (folder / "outputs" / name).is_dir()]
    (name,) = names
    return f"outputs/{name}"


def _states(journal: Path) -> dict[str, str]:
    if not journal.exists():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as opened:
            return dict(opened.execute("SELECT key, state FROM attempts ORDER BY number"))
    except sqlite3.Error:  # it is being made
        return {}


@contextlib.contextmanager
def emulator(set_back_s: float) -> Iterator[None]:
    """Run the emulator with tiny clips and short tasks."""
    with tempfile.TemporaryDirectory() as state:
        _clips(Path(state) / "clips")
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "pipeline.emulator", "--until-stdin-closes"),
                *("--quick", "--fractional-times", "--key", KEY, "--state", state),
                *("--port", str(API), "--files-port", str(FILES)),
                *("--median-s", "0.2", "--p95-s", "0.3"),
                *("--submit-per-minute", "0", "--query-per-minute", "0"),
            ],
            env=environment(set_back_s),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                yield
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(20)


def _clips(folder: Path) -> None:
    """Encode what the emulator serves: a frame a second, so that a clip takes two kilobytes."""
    folder.mkdir()
    for seconds in (4, 6, 10):
        for width, height in ((1280, 720), (720, 1280), (1920, 1080)):
            path = folder / f"plain-{seconds}s-{width}x{height}.mp4"
            with av.open(str(path), "w", options={"movflags": "+faststart"}) as box:
                stream = box.add_stream("libx264", rate=1, options={"preset": "veryslow"})
                assert isinstance(stream, VideoStream)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for number in range(seconds):
                    frame = VideoFrame(width, height, "yuv420p")
                    for plane in frame.planes:
                        plane.update(bytes([128]) * plane.buffer_size)
                    frame.pts, frame.time_base = number, Fraction(1)
                    box.mux(stream.encode(frame))
                box.mux(stream.encode(None))


def main() -> None:
    """Make what is not there yet."""
    git = ("git", "-C", str(ROOT), "rev-parse", "HEAD")
    head = subprocess.run(git, check=True, capture_output=True, text=True).stdout
    if not head.startswith(VERSION):
        raise SystemExit(f"{ROOT} is {head.strip()}, and this has to be done with {VERSION}.")
    from tests.upgrade.catalogue import RECIPES  # noqa: PLC0415 - it needs that version's tests

    set_back_s = time.time() - EVENING
    with emulator(set_back_s):
        for case in RECIPES:
            make(case, set_back_s)
    SUMS.write_text(sums(), encoding="utf-8")


if __name__ == "__main__":
    main()
