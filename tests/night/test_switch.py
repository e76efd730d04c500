"""A run is reached by its owner alone, and what a killed one left is tidied up."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.app import exit_code_of
from pipeline.cli.steer import ask_to
from pipeline.night.switch import SUPPORTED, ask_all, listening
from pipeline.runner.signals import Brake

pytestmark = pytest.mark.skipif(not SUPPORTED, reason="no sockets of the file system")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this user's sockets; its name is short, as theirs have to be."""
    with tempfile.TemporaryDirectory(prefix="rs", dir="/tmp") as place:
        monkeypatch.setenv("XDG_RUNTIME_DIR", place)
        yield Path(place, "reelsheet")


def test_a_run_is_asked_to_end(runtime: Path, tmp_path: Path) -> None:
    """By whoever names the same folder of outputs, however it is written."""
    brake = Brake()
    outputs = tmp_path / "Ausgänge 1"
    outputs.mkdir()
    with listening(outputs, brake):
        (path,) = runtime.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
        assert ask_all(tmp_path / "other", {"do": "stop"}) == []
        named = outputs / ".." / outputs.name
        ((process, said),) = ask_all(named, {"do": "stop"})
        assert process == os.getpid()
        assert "as soon as what is under way has come" in said
        assert brake.presses == 1
        assert ask_all(outputs, {"do": "stop", "now": True})[0][1] == "ends now"
        assert brake.presses == 3
    assert list(runtime.iterdir()) == []
    assert ask_all(outputs, {"do": "stop"}) == []


def test_each_of_two_runs_of_a_program_is_asked(runtime: Path, tmp_path: Path) -> None:
    """The end of one leaves the other within reach."""
    first, second = Brake(), Brake()
    with listening(tmp_path, first):
        with listening(tmp_path, second):
            assert [one.process for one in ask_all(tmp_path, {"do": "stop"})] == [os.getpid()] * 2
        assert (first.presses, second.presses) == (1, 1)
        assert len(ask_all(tmp_path, {"do": "stop"})) == 1
        assert (first.presses, second.presses) == (2, 1)
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize(
    "request_of",
    [
        {"do": "limits", "limits": {"attempts": 9}},
        {"do": "limits", "limits": {"outstanding": 0}},
        {"do": "limits", "limits": {"outstanding": "many"}},
        {"do": "limits", "limits": [1]},
        {"do": "limits"},
        {"do": "pay"},
        {},
    ],
)
def test_what_is_not_understood_does_nothing(
    runtime: Path, tmp_path: Path, request_of: dict[str, object]
) -> None:
    """Nor do limits where no run is at work."""
    brake = Brake()
    with listening(tmp_path, brake):
        assert ask_all(tmp_path, request_of)[0][1] == "this was not understood"
        asked = {"do": "limits", "limits": {"outstanding": 5}}
        assert ask_all(tmp_path, asked)[0][1] == "is not at work yet, or any more"
    assert brake.presses == 0
    assert runtime.is_dir()


def test_what_a_killed_run_left_is_tidied_up(runtime: Path, tmp_path: Path) -> None:
    """Its socket is there, and nobody listens."""
    with listening(tmp_path, Brake()):
        (path,) = runtime.iterdir()
        name = path.name
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(runtime / name.replace(str(os.getpid()), "1")))
    left.close()
    assert ask_all(tmp_path, {"do": "stop"}) == []
    assert list(runtime.iterdir()) == []


def test_a_folder_that_others_can_enter_is_not_used(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have put it there."""
    other = runtime.with_name("tmp")
    monkeypatch.setattr("tempfile.tempdir", str(other))
    runtime.mkdir()
    runtime.chmod(0o777)
    other.mkdir()
    with listening(tmp_path, Brake()):
        assert list(runtime.iterdir()) == []
        assert len(ask_all(tmp_path, {"do": "stop"})) == 1


def test_a_run_goes_on_where_no_socket_can_be_made(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of all folders for them may be too long, say: nobody is listened to."""
    far = tmp_path / ("long" * 30)
    far.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(far))
    monkeypatch.setattr("tempfile.tempdir", str(far))
    with listening(tmp_path, Brake()):
        assert ask_all(tmp_path, {"do": "stop"}) == []
    assert not runtime.exists()


def test_a_caller_that_breaks_off_is_answered_and_keeps_nobody_waiting(
    runtime: Path, tmp_path: Path
) -> None:
    """What it said does nothing, and the next one is heard."""
    brake = Brake()
    with listening(tmp_path, brake):
        (path,) = runtime.iterdir()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(10)
            caller.connect(str(path))
            caller.sendall(b'{"do": "st')
            caller.shutdown(socket.SHUT_WR)
            assert caller.recv(100) == b"this was not understood\n"
        assert brake.presses == 0
        assert len(ask_all(tmp_path, {"do": "stop"})) == 1
    assert brake.presses == 1


@contextlib.contextmanager
def answering(runtime: Path, outputs: Path, process: int, *said: bytes) -> Iterator[None]:
    """Something that listens in the place of a run, and says this to whoever asks."""
    with listening(outputs, Brake()):
        (own,) = runtime.glob(f"*-{os.getpid()}.sock")
        name = own.name
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(runtime / name.replace(str(os.getpid()), str(process))))
        listener.listen()

        def answer() -> None:
            with contextlib.suppress(OSError):
                caller, _ = listener.accept()
                with caller:
                    caller.recv(4096)
                    for piece in said:
                        caller.sendall(piece)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_one_that_does_not_answer_keeps_no_other_from_being_asked(
    runtime: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A run that is halted listens and says nothing; it is named, with what can be done."""
    monkeypatch.setattr("pipeline.night.switch._PATIENCE_S", 0.2)
    brake = Brake()
    with answering(runtime, tmp_path, 7), answering(runtime, tmp_path, 8, b""):
        halted = socket.socket(socket.AF_UNIX)
        (other,) = runtime.glob("*-7.sock")
        halted.bind(str(other.with_name(other.name.replace("-7", "-5"))))
        halted.listen()
        with halted, listening(tmp_path, brake):
            assert exit_code_of(lambda: ask_to(tmp_path, {"do": "stop"})) == 5
    said = capsys.readouterr()
    assert "process 5: did not answer within 0.2 s\n" in said.out
    assert "process 7: closed the line without an answer\n" in said.out
    assert f"process {os.getpid()}: ends as soon as" in said.out
    assert "what was asked for is not done by processes 5, 7, 8" in said.err
    assert "or end the run with: kill 5 7 8." in said.err
    assert brake.presses == 1


@pytest.mark.parametrize(
    "said",
    [
        b"\x1b[2Jkeeps to it\n",
        b"\xff\xfe\n",
        b"x" * 100_000,
        b"[" * 4000 + b"\n",
        b"\nkeeps to it\n",
    ],
)
def test_garbage_is_no_answer(runtime: Path, tmp_path: Path, said: bytes) -> None:
    """It is shown in part at most, and counts as not done."""
    with answering(runtime, tmp_path, 7, said):
        (answer,) = ask_all(tmp_path, {"do": "stop"})
    assert not answer.does_it
    assert len(answer.told) <= 8192


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 4000,
        b'{"do": "limits", "limits": {"outstanding": 1e999}}',
        b'{"do": "limits", "limits": {"outstanding": ' + b"9" * 4000 + b"}}",
        b"x" * 100_000,
        b"\0\xff",
    ],
)
def test_no_request_ends_the_listening(runtime: Path, tmp_path: Path, line: bytes) -> None:
    """Whatever it is: the next one is answered."""
    with listening(tmp_path, Brake()):
        (path,) = runtime.iterdir()
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(10)
            caller.connect(str(path))
            with contextlib.suppress(OSError):  # it hears so much, and no more
                caller.sendall(line + b"\n")
                caller.recv(100)
        assert ask_all(tmp_path, {"do": "stop"})[0].does_it


def test_only_sockets_that_name_a_process_are_asked(runtime: Path, tmp_path: Path) -> None:
    """And what is no socket at all is no run."""
    with listening(tmp_path, Brake()):
        (path,) = runtime.iterdir()
        path.with_name(path.name.replace(str(os.getpid()), "many")).touch()
        path.with_name(path.name.replace(str(os.getpid()), "1")).touch()
        assert [one.process for one in ask_all(tmp_path, {"do": "stop"})] == [os.getpid()]
