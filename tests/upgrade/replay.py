"""A folder as the version of 22 November left it, taken up by the version at hand.

A case is a working folder of a user: manifests, configuration, output folders. It is copied, the
journals are told that their manifests lie in the copy (for the user, nothing was moved), and the
command line is called in it as a process. The provider is a double of a few lines that counts all
that it is asked for, so that nobody has to take the product's word for what was bought.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = HERE / "cases"
SUMS = HERE / "SHA256SUMS"
EXPECTED = "expected.json"
"""Beside a case: what the version of 22 November said of it, and did when it was run again."""

MADE_IN = "/tmp/catalogue"  # noqa: S108 - the place where the journals were made, as they remember
SHOWN = ("key", "row", "state", "task_id", "video")
"""What is compared of a row: all that `status --rows` says but the wording of an error."""

KEY = "sk-upgrade-5d0c"
LIMIT_S = 120
_TASKS = "/v1/videos/generations/"
_OURS = ("REELSHEET_", "TOAPIS_", "NO_COLOR", "PYTHON")


@dataclass(frozen=True)
class Ended:
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


@dataclass
class Provider:
    """The double: its address, what it was asked for, and which tasks it knows.

    `finished` has the task id of each task that it knows, by that id and by its reference; all of
    them are completed, with `clip` as their video.
    """

    base_url: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    finished: Mapping[str, str] = field(default_factory=dict)
    clip: bytes = b""

    @property
    def posts(self) -> list[str]:
        """The paths that anything was sent to: submissions above all, and uploads."""
        return [path for method, path in self.calls if method == "POST"]

    def answer(self, method: str, path: str) -> tuple[int, bytes]:
        """Count a call and return status and body of its answer."""
        self.calls.append((method, path))
        if path == "/clip.mp4":
            return 200, self.clip
        if method == "POST":
            # Whoever comes here has failed already; a refused key ends the run at once.
            return 401, _body(error={"code": "invalid_api_key", "message": "not in this test"})
        if path == "/v1/balance":
            return 200, _body(remain_balance=1000.0, used_balance=0.0, unlimited_quota=False)
        name = unquote(path.removeprefix(_TASKS))
        if path.startswith(_TASKS) and name in self.finished:
            return 200, _body(
                id=self.finished[name],
                object="generation.task",
                status="completed",
                progress=100,
                video_url=f"{self.base_url}/clip.mp4",
            )
        return 404, _body(error={"code": "task_not_found", "message": "not known here"})


def _body(**document: object) -> bytes:
    return json.dumps(document).encode()


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """Serve the double on a free port of this machine."""
    double = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer("POST")

        def _answer(self, method: str) -> None:
            status, content = double.answer(method, self.path.partition("?")[0])
            self.send_response(status)
            kind = "video/mp4" if self.path.endswith(".mp4") else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        double.base_url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield double
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class Told:
    """What is said of one manifest without going online."""

    groups: dict[str, int]
    rows: list[dict[str, Any]]
    video_seconds: int


@dataclass
class Shop:
    """A copy of a case, and the command line in it."""

    folder: Path
    double: Provider
    expected: Mapping[str, Any]

    @classmethod
    def of(cls, case: Path, into: Path, double: Provider, *, moved: bool = False) -> Shop:
        """Copy a case; where it was not `moved`, its journals know that they lie there."""
        folder = into / case.name
        shutil.copytree(case, folder)
        note = folder / EXPECTED
        expected = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
        note.unlink(missing_ok=True)
        (into / "home").mkdir()
        if not moved:
            for journal in sorted(folder.glob("outputs/*/journal.db")):
                _at_home(journal, folder)
        return cls(folder, double, expected).knowing(expected)

    def knowing(self, expected: Mapping[str, Any]) -> Shop:
        """Let the double know the tasks that the provider had finished meanwhile."""
        if expected.get("finished"):
            self.double.finished = expected["finished"]
            self.double.clip = (self.folder / expected["clip"]).read_bytes()
        return self

    def told(self, manifest: str, *options: str) -> Told:
        """Ask for plan and rows of a manifest; both at once, as neither changes anything."""
        plan = self.start("plan", manifest, "--json", *options)
        status = self.end(self.start("status", manifest, "--rows", "--json", *options))
        planned = self.end(plan)
        assert planned.code == 0, planned.err
        assert status.code == 0, status.err
        groups = {name: count for name, count in planned.json["groups"].items() if count}
        rows = [{name: row[name] for name in SHOWN} for row in status.json["rows"]]
        return Told(groups, rows, planned.json["video_seconds"])

    def __call__(self, *arguments: str) -> Ended:
        """Run a command to its end."""
        return self.end(self.start(*arguments))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command; `UPGRADE_PYTHON` may name the Python of another installation."""
        python = os.environ.get("UPGRADE_PYTHON")
        return subprocess.Popen(
            [python or sys.executable, "-P", "-m", "pipeline", *arguments, *self._sets()],
            cwd=self.folder,
            env=self._environment({} if python else {"PYTHONPATH": str(ROOT)}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    @staticmethod
    def end(process: subprocess.Popen[str]) -> Ended:
        """Wait for the end of what was started."""
        with process:
            try:
                out, err = process.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert "Traceback" not in err, err
        return Ended(process.returncode, out, err)

    def summary(self, out: str) -> dict[str, Any]:
        """Return the summary.json of an output folder."""
        document: dict[str, Any] = json.loads((self.folder / out / "summary.json").read_bytes())
        return document

    def rehearsed(self, out: str) -> int:
        """Return how many tasks the emulator of the rehearsals there ever took."""
        state = self.folder / out / "cache" / "emulator" / "state.db"
        if not state.exists():
            return 0
        with contextlib.closing(sqlite3.connect(state)) as emulator:
            (count,) = emulator.execute("SELECT count(*) FROM task").fetchone()
        return int(count)

    def _sets(self) -> Sequence[str]:
        # Whatever address a case was made with: nothing goes anywhere but to the double.
        return ("--set", f"api.base_url={self.double.base_url}")

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return this process's environment, without what the product would heed, nor a home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        home = str(self.folder.parent / "home")
        places = dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), home)
        places |= {"XDG_STATE_HOME": f"{home}/state", "STATE_DIRECTORY": f"{home}/state"}
        return {**kept, **places, "PYTHONUTF8": "1", "TOAPIS_API_KEY": KEY, **more}


def sums() -> str:
    """Return the sums of all files of all cases, as sha256sum writes them."""
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(CASES).as_posix()}\n"
        for path in sorted(CASES.rglob("*"))
        if path.is_file()
    )


def _at_home(journal: Path, folder: Path) -> None:
    """Tell a journal that its manifest lies in the copy.

    A run that was killed left a part of it in `journal.db-wal`. Closing the last connection would
    fold that in, so that the two files are taken before and put back as they were.
    """
    log = journal.with_name(f"{journal.name}-wal")
    files = [journal, log] if log.exists() else []
    with contextlib.closing(sqlite3.connect(journal)) as connection:
        (made,) = connection.execute("SELECT value FROM meta WHERE name = 'manifest'").fetchone()
        place = made.removeprefix(f"{MADE_IN}/{folder.name}/")
        assert place != made, made
        with connection:
            connection.execute(
                "UPDATE meta SET value = ? WHERE name = 'manifest'",
                (str((folder / place).resolve()),),
            )
        taken = [(path, path.read_bytes()) for path in files]
    for path, content in taken:
        path.write_bytes(content)
