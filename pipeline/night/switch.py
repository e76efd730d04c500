"""Reach a run that goes on: stop it, or have it keep to other limits, from another process.

A run listens on a socket of the file system in a folder that only its owner can enter; its name
says to which folder of outputs and to which process it belongs. Where there are no such sockets, as
on Windows, nobody listens.

Tested in tests/night/test_switch.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.engine.control import LIMITS
from pipeline.errors import ExitCode
from pipeline.runner.signals import Brake

SUPPORTED = hasattr(socket, "AF_UNIX") and os.name == "posix"
"""Whether a run can be reached on this system."""

_FOLDER = "reelsheet"
_LONGEST_BYTES = 4096
_PATIENCE_S = 5.0
_OWN_FOLDER = 0o700
_ASKED = "stopped by `reelsheet stop`"


@contextlib.contextmanager
def listening(outputs: Path, brake: Brake) -> Iterator[None]:
    """Take requests for a run over manifests of a folder of outputs as long as the context lasts.

    Where no socket can be made, nobody is listened to: the run itself does not need it.
    """
    server = _bound(outputs) if SUPPORTED else None
    if server is None:
        yield
        return
    listener, path = server
    ended = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, brake, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))  # so that it is noticed
        path.unlink(missing_ok=True)
        thread.join(_PATIENCE_S)
        listener.close()


def ask_all(outputs: Path, request: Mapping[str, object]) -> list[tuple[int, str]]:
    """Ask each run over manifests of a folder of outputs; return process and answer of each.

    What a killed run left behind is tidied up.
    """
    answers = []
    for folder in _folders():
        for path in sorted(folder.glob(f"{_mark(outputs)}-*.sock")):
            answer = _ask(path, request)
            if answer is None:
                path.unlink(missing_ok=True)
            else:
                answers.append((int(path.stem.rpartition("-")[2]), answer))
    return answers


def _ask(path: Path, request: Mapping[str, object]) -> str | None:
    """Return what a run answers; None if nobody listens there any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_PATIENCE_S)
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        caller.sendall(json.dumps(request).encode() + b"\n")
        return _line(caller)


def _bound(outputs: Path) -> tuple[socket.socket, Path] | None:
    for folder in _folders(make=True):
        path = folder / f"{_mark(outputs)}-{os.getpid()}.sock"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path.unlink(missing_ok=True)  # of an earlier process of this number
            listener.bind(str(path))
            path.chmod(0o600)
            listener.listen()
        except OSError:  # a read-only disk, or a path too long for a socket
            listener.close()
            continue
        return listener, path
    return None


def _serve(listener: socket.socket, brake: Brake, ended: threading.Event) -> None:
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        if ended.is_set():
            caller.close()
            return
        with caller, contextlib.suppress(OSError):
            caller.settimeout(_PATIENCE_S)
            caller.sendall(_answer(_line(caller), brake).encode() + b"\n")


def _answer(line: str, brake: Brake) -> str:
    """Do what a request says, and return what is answered."""
    try:
        request: Any = json.loads(line)
        asked = request["do"]
        limits = {str(name): int(value) for name, value in request.get("limits", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return "this was not understood"
    if asked == "stop":
        grace_s = 0.0 if request.get("now") else None
        brake.press(ExitCode.UNFINISHED, _ASKED, grace_s)
        if request.get("now"):
            brake.press(ExitCode.UNFINISHED, _ASKED, grace_s)
        return "ends now" if request.get("now") else "ends as soon as what is under way has come"
    if asked == "limits" and limits and set(limits) <= set(LIMITS) and min(limits.values()) > 0:
        return "keeps to it" if brake.limit(limits) else "is not at work yet, or any more"
    return "this was not understood"


def _line(caller: socket.socket) -> str:
    received = b""
    while b"\n" not in received and len(received) < _LONGEST_BYTES:
        piece = caller.recv(_LONGEST_BYTES)
        if not piece:
            break
        received += piece
    return received.decode("utf-8", "replace").strip()


def _mark(outputs: Path) -> str:
    return hashlib.sha256(os.fsencode(outputs.resolve())).hexdigest()[:16]


def _folders(*, make: bool = False) -> Iterator[Path]:
    """Yield the folders in which sockets may lie, each for this user alone."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime) / _FOLDER] if os.path.isabs(runtime) else []  # noqa: PTH117
    places.append(Path(tempfile.gettempdir()) / f"{_FOLDER}-{os.getuid()}")
    for place in places:
        with contextlib.suppress(OSError):
            if make:
                place.mkdir(_OWN_FOLDER, exist_ok=True)
            found = place.lstat()
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            if ours and stat.S_IMODE(found.st_mode) == _OWN_FOLDER:
                yield place
