"""Children keep their limits, know no secret, and end with whoever started them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.process import children
from pipeline.process.children import Child, Died, NotStarted, TookTooLong, child_environment

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]
READY = "import sys, time\nprint('ready', flush=True)\norder = sys.stdin.readline()\n"
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="has no such limits")


def program(tmp_path: Path, text: str, before: str = "") -> Path:
    path = tmp_path / "program.py"
    path.write_text(before + READY + text)
    return path


def confined(limits: str) -> str:
    return (
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"from pipeline.process.confinement import confine\nconfine({limits})\n"
    )


def ask(path: Path, *, limit_s: float = 60, starved_s: float | None = None) -> bytes:
    with Child(path, limit_s=limit_s, starved_s=starved_s) as child:
        child.give(b"\n")
        return b"".join(child.lines(10_000))


def gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left of one for its parent."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 20
    while not gone(pid):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_answers_in_lines(tmp_path: Path) -> None:
    """An order goes out, lines come back, and nothing of it is left."""
    path = program(tmp_path, "print(order.upper(), flush=True)\ntime.sleep(3)")
    with Child(path, limit_s=60) as child:
        child.give(b"one\n")
        assert next(child.lines(100)) == b"ONE\n"
        assert not gone(child.pid)
    with pytest.raises(ChildProcessError):  # it was waited for
        os.waitpid(child.pid, 0)


def test_a_child_that_hangs_is_ended(tmp_path: Path) -> None:
    """The clock of the parent ends it, whatever it does."""
    with pytest.raises(TookTooLong):
        ask(program(tmp_path, "time.sleep(600)"), limit_s=0.3)


IN_BURSTS = """
ends = time.monotonic() + {seconds}
while time.monotonic() < ends:
    sum(range(100_000))
    time.sleep(0.02)
print("read", flush=True)
time.sleep(60)
"""
"""Works like a child on a busy machine, which gets a little of the processor now and then."""


@ON_POSIX
def test_a_child_that_is_starved_has_more_time(tmp_path: Path) -> None:
    """The clock alone ends no child that works; the later bound ends it whatever it does."""
    path = program(tmp_path, IN_BURSTS.format(seconds=4))
    with Child(path, limit_s=2, starved_s=60) as child:
        child.give(b"\n")
        assert next(child.lines(100)) == b"read\n"
    with pytest.raises(TookTooLong):
        ask(program(tmp_path, IN_BURSTS.format(seconds=60)), starved_s=1.5, limit_s=1)


def test_a_child_that_sleeps_has_no_more_time(tmp_path: Path) -> None:
    """One that does nothing is not starved: it ends with its time, long before the later bound."""
    with pytest.raises(TookTooLong):
        ask(program(tmp_path, "time.sleep(600)"), limit_s=0.3, starved_s=600)


@ON_POSIX
@pytest.mark.parametrize("limits", ["cpu_s=1", "clock_s=0.5"])
def test_it_ends_itself_in_the_middle_of_a_library(tmp_path: Path, limits: str) -> None:
    """Neither limit of time waits for Python's turn: this search never gives it one."""
    hangs = "import re\nre.match('(a+)+b', 'a' * 100)"
    confines = confined(f"memory_bytes=2**30, {limits}")
    with Child(program(tmp_path, hangs, confines), limit_s=20) as child:
        child.give(b"\n")
        with pytest.raises(TookTooLong):
            next(child.lines(100))
        assert not child._late, "it has not waited for its parent's clock"


@pytest.mark.skipif(sys.platform != "linux", reason="only there address space is limited")
def test_memory_is_limited(tmp_path: Path) -> None:
    """What asks for more than the limit fails in the child."""
    fails = "try:\n    bytearray(2**29)\nexcept MemoryError:\n    print('no more', flush=True)"
    with Child(program(tmp_path, fails, confined("memory_bytes=2**28")), limit_s=60) as child:
        child.give(b"\n")
        assert next(child.lines(100)) == b"no more\n"


@ON_POSIX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_child_that_dies_is_told_from_one_that_is_slow(tmp_path: Path, name: str) -> None:
    """How it died is said by the name of the signal."""
    dies = f"import os, signal\nos.kill(os.getpid(), signal.{name})\ntime.sleep(60)"
    confines = confined("memory_bytes=2**30")  # and nothing is written about it
    with pytest.raises(Died, match=name):
        ask(program(tmp_path, dies, confines))


def test_what_it_says_is_limited(tmp_path: Path) -> None:
    """A child that never stops talking takes no memory of the parent's."""
    with pytest.raises(Died, match="too much"):
        ask(program(tmp_path, "while True: print('x' * 1000)"))


@pytest.mark.parametrize("text", ["raise SystemExit(1)\n", "print('hello')\n"])
def test_a_child_that_does_not_start_is_no_matter_of_the_file(tmp_path: Path, text: str) -> None:
    """A broken installation is told apart."""
    path = tmp_path / "program.py"
    path.write_text(text)
    with pytest.raises(NotStarted):
        ask(path)


def test_it_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it knows what an interpreter needs; whatever else there is is left out."""
    monkeypatch.setenv("TOAPIS_KEY", "secret")
    monkeypatch.setenv("ANY_OTHER_TOKEN", "secret")
    monkeypatch.setenv("LC_ALL", "C")
    found = child_environment()
    assert "secret" not in found.values()
    assert found["LC_ALL"] == "C"
    assert found["PATH"] == os.environ["PATH"]


def test_nothing_of_the_working_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what is called like ours nor what is called like a library, even if it is a place."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])
    *_, places = children.child_command("pipeline.reader.workbook.worker")
    assert str(tmp_path) not in json.loads(places)
    assert "" not in json.loads(places)


def test_a_child_gets_its_arguments_and_gives_its_own_children_our_package(tmp_path: Path) -> None:
    """Another package of our name that comes first on its import path is not found by them."""
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "__init__.py").touch()
    *before, home, _, _ = children.child_command("pipeline.emulator.command")
    command = [*before, home, "pipeline.emulator.command", json.dumps([str(tmp_path)])]
    ended = subprocess.run([*command, "--list-faults"], capture_output=True, text=True, check=True)
    assert "download_zeroed" in ended.stdout
    shown = "import importlib.util, sys\nprint(importlib.util.find_spec('pipeline').origin)"
    last = "import_module(program).serve()"
    code = before[-1].replace(last, f"del sys.modules['pipeline']\n{shown}")
    assert code != before[-1]
    ended = subprocess.run(
        [*command[: len(before) - 1], code, *command[len(before) :], "x"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(ended.stdout.strip()).is_relative_to(ROOT)


@ON_POSIX
def test_a_thread_may_start_one_among_many(tmp_path: Path) -> None:
    """Ten threads each have a child of their own, and each hears its own answer."""
    path = program(tmp_path, "print(order.strip(), flush=True)\nprint('end', flush=True)")
    heard: dict[int, bytes] = {}

    def one(number: int) -> None:
        with Child(path, limit_s=60) as child:
            child.give(b"%d\n" % number)
            heard[number] = next(child.lines(100))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: b"%d\n" % number for number in range(10)}


PARENT = """
import sys, threading
from pathlib import Path
sys.path.insert(0, {root!r})
from pipeline.process.children import Child
with Child(Path({path!r}), limit_s=600) as child:
    child.give(b"x\\n")
    print(child.pid, flush=True)
    list(child.lines(100))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT"])
def test_it_ends_with_its_parent(tmp_path: Path, name: str) -> None:
    """Whatever ends the parent ends the child, in the middle of a search that hears nothing."""
    ends = (
        f"{confined('memory_bytes=2**30')}from pipeline.process.confinement import end_with_input\n"
    )
    hangs = "end_with_input()\nimport re\nre.match('(a+)+b', 'a' * 100)"
    path = program(tmp_path, hangs, ends)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(root=str(ROOT), path=str(path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)  # into the search
    if name == "SIGINT":  # as a terminal sends it: to the whole group
        os.killpg(parent.pid, signal.SIGINT)
    else:
        parent.send_signal(getattr(signal, name))
    parent.wait(20)
    parent.stdout.close()
    wait_until_gone(child)
    with suppress(ProcessLookupError):
        os.kill(child, 0)
