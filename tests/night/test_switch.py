"""A run is reached by its owner alone, and what a killed one left is tidied up."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

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
