"""Reach a run that goes on: stop it, or have it keep to other limits, from another process.

A run listens on a socket of the file system in a folder that only its owner can enter; its name
says to which folder of outputs and to which process it belongs. Where there are no such sockets, as
on Windows, nobody listens.

Tested in tests/night/test_switch.py and tests/system/test_nights.py.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.engine.control import LIMITS
from pipeline.errors import ExitCode
from pipeline.runner.signals import Brake

SUPPORTED = hasattr(socket, "AF_UNIX") and os.name == "posix"
"""Whether a run can be reached on this system."""

_FOLDER = "reelsheet"
_LONGEST_BYTES = 4096
_PATIENCE_S = 5.0
"""How long an answer is awaited."""
_HEARING_S = 1.0
"""How long a run hears one caller: another one must not lose patience meanwhile."""
_REST_S = 0.1
_OWN_FOLDER = 0o700
_ASKED = "stopped by `reelsheet stop`"
_KEEPS = "keeps to it"
_ENDS = "ends as soon as what is under way has come"
_ENDS_NOW = "ends now"
_runs = itertools.count(1)
"""A program may have several at once: each has a socket of its own."""
_DONE = frozenset({_KEEPS, _ENDS, _ENDS_NOW})


class Answer(NamedTuple):
    """What became of a request to one process: what is told of it, and whether it does it."""

    process: int
    told: str

    @property
    def does_it(self) -> bool:
        """Whether it does what it was asked for."""
        return self.told in _DONE


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


def ask_all(outputs: Path, request: Mapping[str, object]) -> list[Answer]:
    """Ask each run over manifests of a folder of outputs; return what each of them answers.

    What a killed run left behind is tidied up. One that does not answer keeps no other from being
    asked.
    """
    answers = []
    for folder in _folders():
        for path in sorted(folder.glob(f"{_mark(outputs)}-*.sock")):
            process = path.stem.rpartition("-")[2]
            if not process.isdecimal():
                continue
            try:
                told = _ask(path, request) or "closed the line without an answer"
            except (ConnectionRefusedError, FileNotFoundError):  # nobody listens there any more
                path.unlink(missing_ok=True)
                continue
            except TimeoutError:
                told = f"did not answer within {_PATIENCE_S:g} s"
            except OSError as error:
                told = f"could not be asked: {error.strerror or error}"
            answers.append(Answer(int(process), told))
    return answers


def _ask(path: Path, request: Mapping[str, object]) -> str:
    """Return what a run answers; raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_PATIENCE_S)
        caller.connect(str(path))
        caller.sendall(json.dumps(request).encode() + b"\n")
        return _line(caller, _PATIENCE_S)


def _bound(outputs: Path) -> tuple[socket.socket, Path] | None:
    for folder in _folders(make=True):
        path = folder / f"{_mark(outputs)}-{next(_runs)}-{os.getpid()}.sock"
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
        except OSError:  # the process has no file left for it: later
            if ended.wait(_REST_S):
                return
            continue
        if ended.is_set():
            caller.close()
            return
        with caller, contextlib.suppress(OSError):
            caller.settimeout(_HEARING_S)
            caller.sendall(_answer(_line(caller, _HEARING_S), brake).encode() + b"\n")


def _answer(line: str, brake: Brake) -> str:
    """Do what a request says, and return what is answered."""
    try:
        request: Any = json.loads(line)
        asked = request["do"]
        limits = {str(name): int(value) for name, value in request.get("limits", {}).items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return "this was not understood"
    if asked == "stop":
        grace_s = 0.0 if request.get("now") else None
        brake.press(ExitCode.UNFINISHED, _ASKED, grace_s)
        if request.get("now"):
            brake.press(ExitCode.UNFINISHED, _ASKED, grace_s)
        return _ENDS_NOW if request.get("now") else _ENDS
    if asked == "limits" and limits and set(limits) <= set(LIMITS) and min(limits.values()) > 0:
        return _KEEPS if brake.limit(limits) else "is not at work yet, or any more"
    return "this was not understood"


def _line(caller: socket.socket, patience_s: float) -> str:
    """Return what a caller says until its line, or the time for it, is over; raises OSError."""
    received, until = b"", time.monotonic() + patience_s
    while b"\n" not in received and len(received) < _LONGEST_BYTES:
        left_s = until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        caller.settimeout(left_s)
        piece = caller.recv(_LONGEST_BYTES)
        if not piece:
            break
        received += piece
    return received.partition(b"\n")[0].decode("utf-8", "replace").strip()


def _mark(outputs: Path) -> str:
    return hashlib.sha256(os.fsencode(outputs.resolve())).hexdigest()[:16]


def _folders(*, make: bool = False) -> Iterator[Path]:
    """Yield the folders in which sockets may lie, each for this user alone."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    places = [Path(runtime) / _FOLDER] if os.path.isabs(runtime) else []  # noqa: PTH117
    if not (places or make):  # as from cron, of a night that was begun at a desk
        places.append(Path(f"/run/user/{os.getuid()}") / _FOLDER)
    places.append(Path(tempfile.gettempdir()) / f"{_FOLDER}-{os.getuid()}")
    for place in places:
        with contextlib.suppress(OSError):
            if make:
                place.mkdir(_OWN_FOLDER, exist_ok=True)
            found = place.lstat()
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            if ours and stat.S_IMODE(found.st_mode) == _OWN_FOLDER:
                yield place
