"""Another user of this machine, who looks at whatever the system lets everybody look at.

The test's own interpreter may lie where only its owner gets: so a process of the test's user loads
what it needs, becomes the other user, and only then looks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

UID = 65534
"""Nobody: a user of every Unix, with no rights of its own."""

_PROGRAM = r"""
import base64, json, os, pathlib, socket, sys
order = json.load(sys.stdin)
"x".encode("idna")  # loaded now: later the library may be out of reach
os.setgroups([]); os.setgid(order["uid"]); os.setuid(order["uid"])
found = {"answers": [], "lines": [], "files": {}, "environments": []}

def ask(port, request):
    answer = b""
    with socket.create_connection(("127.0.0.1", port), 10) as plug:
        plug.settimeout(10)
        plug.sendall(request.encode("latin-1"))
        try:
            while part := plug.recv(65536):
                answer += part
        except OSError:
            pass
    return answer.decode("latin-1")

for port in order["ports"]:
    for request in order["requests"]:
        found["answers"].append(ask(port, request))
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit():
        for name, kind in (("cmdline", "lines"), ("environ", "environments")):
            try:
                said = (entry / name).read_bytes().decode("latin-1")
            except OSError:
                continue
            if (entry / "status").exists():
                found[kind].append(said)
for top in order["folders"]:
    for folder, folders, files in os.walk(top):
        for name in files:
            path = os.path.join(folder, name)
            try:
                with open(path, "rb") as file:
                    found["files"][path] = base64.b64encode(file.read()).decode()
            except OSError:
                pass
json.dump(found, sys.stdout)
"""


def why_not() -> str | None:
    """Return why no other user can be had here; None where one can."""
    if sys.platform != "linux":
        return "needs /proc and users of Linux"
    if os.geteuid() != 0:
        return "only root may become another user"
    return None


@dataclass(frozen=True)
class Seen:
    """What the other user got."""

    answers: list[str]
    lines: list[str]
    environments: list[str]
    files: dict[str, str]


def look(
    folder: Path, *, ports: list[int] | None = None, requests: list[str] | None = None
) -> Seen:
    """Have the other user knock at ports, list processes and read all that a folder holds."""
    order: dict[str, Any] = {
        "uid": UID,
        "ports": ports or [],
        "requests": requests or [],
        "folders": [str(folder)],
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return Seen(**json.loads(done.stdout))


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder that every user of the machine may enter and list."""
    with tempfile.TemporaryDirectory(prefix="neighbour ö ") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
