"""The recipes of docs/nights.md at work: what cron starts, and the night as process 1."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate.recipes import FOLDER
from tests.system.harness import sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.home import accepted, install, night_of, working_folder
from tests.system.harness.product import LIMIT_S, environment

posix = pytest.mark.skipif(os.name == "nt", reason="cron and namespaces are not there")


@pytest.fixture
def home(tmp_path: Path, api: Api) -> Path:
    """A user's home: the working folder, the key in its file, and the program where it belongs."""
    home = tmp_path / "Häuser & Höfe"
    working_folder(home / "my-videos", api, shoes=2, bags=1)
    key = home / "my-videos" / "key.sh"
    key.write_text(f"export TOAPIS_API_KEY={KEY}\n", "utf-8")
    key.chmod(0o600)
    install(home / "reelsheet" / ".venv" / "bin" / "reelsheet")
    return home


@pytest.fixture
def nights() -> Iterator[list[subprocess.Popen[str]]]:
    """Whatever is started; what a failed test leaves running is ended."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for one in started:
        if one.poll() is None:
            one.kill()
            one.communicate()


def by_cron(home: Path) -> subprocess.Popen[str]:
    """Start the line of the recipe as cron does: its own few variables, and a shell."""
    *settings, entry = [
        line
        for line in (FOLDER / "crontab").read_text("utf-8").splitlines()
        if line and line[0] != "#"
    ]
    said = dict(line.split("=", 1) for line in settings)
    given = {"HOME": str(home), "LOGNAME": "videos", "SHELL": "/bin/sh"}
    return subprocess.Popen(
        [said["SHELL"], "-c", entry.split(maxsplit=5)[5]],
        env=given | said,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@posix
def test_what_cron_starts(home: Path, api: Api, nights: list[subprocess.Popen[str]]) -> None:
    """It survives a kill, never overlaps itself, and mails nothing when there is nothing to do."""
    folder = home / "my-videos"
    api.faults("query_never_finishing")
    nights.append(by_cron(home))
    wait_for("three orders", lambda: len(accepted(api, folder)) == 3)
    nights.append(by_cron(home))
    _, err = nights[1].communicate(timeout=LIMIT_S)
    assert nights[1].returncode == 75, err
    assert night_of(folder)["pid"] == nights[0].pid
    nights[0].kill()
    nights[0].communicate()
    api.faults()
    nights.append(by_cron(home))
    out, err = nights[2].communicate(timeout=LIMIT_S)
    assert (nights[2].returncode, out) == (0, "")
    assert re.fullmatch(r"The night that began at \S+ did not end: it was killed\.\n", err)
    nights.append(by_cron(home))
    assert nights[3].communicate(timeout=LIMIT_S) == ("", "")
    assert len(accepted(api, folder)) == len(set(accepted(api, folder))) == 3
    assert (home / ".local" / "state" / "reelsheet" / "book.db").is_file()
    assert not [path for path in folder.rglob("*.log") if KEY in path.read_text("utf-8")]


def _namespaces() -> list[str] | None:
    """How to start a process as number 1 here; None if that cannot be."""
    if (program := shutil.which("unshare")) is None:
        return None
    line = [program, "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run([*line, "true"], capture_output=True, check=False)
    return None if tried.returncode else line


@posix
def test_a_night_as_process_1(
    tmp_path: Path, api: Api, nights: list[subprocess.Popen[str]]
) -> None:
    """SIGTERM ends it, with nothing in doubt and the results written; no child is left over."""
    alone = _namespaces()
    if alone is None:
        pytest.skip("no process of number 1 can be started here")
    # Every video is decoded, in processes of its own; and it cannot have ordered all too soon.
    sets = {"output.verify": "full", "limits.submits_per_minute": "120"}
    folder = working_folder(tmp_path / "data", api, sets=sets, shoes=60)
    night = subprocess.Popen(
        [*alone, sys.executable, "-m", "pipeline", "night"],
        cwd=folder,
        env=environment(TOAPIS_API_KEY=KEY, STATE_DIRECTORY=str(folder / "state")),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    nights.append(night)
    wait_for("videos", lambda: night_of(folder)["states"].get("done", 0) >= 6)
    assert night_of(folder)["pid"] == 1
    (inside,) = children_of(night.pid)
    assert not [one for one in children_of(inside) if state_of(one) == "Z"]
    os.kill(inside, signal.SIGTERM)
    _, err = night.communicate(timeout=LIMIT_S)
    assert night.returncode == 143, err
    record = night_of(folder)
    assert (record["state"], record["exit_code"]) == ("ended", 143)
    assert "in_doubt" not in record["states"]
    assert record["states"] == sheets.summary(folder / "outputs" / "shoes")["states"]
    assert record["submitted"] == len(accepted(api, folder)) < 60


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    return [int(one) for one in text.split()]


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(") ")[2][:1]
