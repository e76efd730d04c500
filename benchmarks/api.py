"""A lean local API, so that what is measured is the client: raw HTTP/1.1, one process, no library.

    python -m benchmarks.api --report FILE [--median-s 3] [--bar exact] …

Prints one line of JSON with its address once it listens, serves until standard input closes, then
writes what it saw to FILE. The n-th accepted task takes the n-th drawn time, whoever asks, so that
every client meets the same tasks in the order of acceptance. It answers what the emulator answers
in fair weather, in a tenth of its time; whether clients are right is not its business.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import socket
import struct
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

BARS = ("exact", "bent", "jumping", "stuck", "missing")
_P95 = 1.6448536269514722  # of the normal distribution, in standard deviations
_QUEUED_SHARE = 0.08
_END = b"\r\n\r\n"


def draw(seed: int, number: int, median_s: float, p95_s: float) -> tuple[float, float]:
    """Return how long a task takes, in seconds, and how its bar is bent.

    Args:
        seed: Which draw of all tasks.
        number: Which task, in the order of acceptance, from 0.
        median_s: The median of the times, in seconds.
        p95_s: Their 95th percentile, in seconds.

    """
    dice = random.Random(f"{seed}:{number}")  # noqa: S311 - no secret
    sigma = math.log(p95_s / median_s) / _P95
    return median_s * math.exp(sigma * dice.gauss(0, 1)), math.exp(dice.gauss(0, 0.15))


@dataclass(slots=True)
class Task:
    """One accepted task and what was asked about it; times in seconds since the API's start."""

    number: int
    accepted_at: float
    run_s: float
    curve: float
    polls: int = 0
    asked_at: float = 0.0
    shortest_gap_s: float = math.inf
    seen_at: float | None = None
    fetched_at: float | None = None


@dataclass
class Tasks:
    """What is accepted, when it ends and what its bar shows."""

    chosen: argparse.Namespace
    video_url: str
    began: float = field(default_factory=time.monotonic)
    known: dict[str, Task] = field(default_factory=dict)
    throttled_at: list[float] = field(default_factory=list)
    tokens: float = 0.0
    filled_at: float = 0.0
    rate_per_s: float = 0.0
    tick_s: float = 1.0

    def __post_init__(self) -> None:
        """Begin with a full bucket: ten seconds' worth, as the provider documents it."""
        self.rate_per_s, self.tick_s = self.chosen.submits_per_minute / 60, self.chosen.tick_s
        self.tokens = self.bucket_size
        self.epoch = time.time() - time.monotonic()

    @property
    def bucket_size(self) -> float:
        """The most submissions at once."""
        return max(1.0, self.rate_per_s * 10)

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def submit(self, body: bytes) -> tuple[int, dict[str, object]]:
        """Accept a submission, or refuse it where rate or storm forbid."""
        now = self.now()
        if not self._admits(now):
            self.throttled_at.append(now)
            return 429, {"error": {"code": "rate_limit_exceeded", "message": "too many requests"}}
        json.loads(body)
        number = len(self.known)
        run_s, curve = draw(self.chosen.seed, number, self.chosen.median_s, self.chosen.p95_s)
        task = Task(number, now, run_s, curve)
        name = f"video_01{number:024}"
        self.known[name] = task
        return 200, {"id": name, "object": "generation.task", "status": "queued"}

    def _admits(self, now: float) -> bool:
        storm = self.chosen.storm
        if storm is not None and self.known:
            since = now - next(iter(self.known.values())).accepted_at
            if storm[0] <= since < storm[0] + storm[1]:
                return False
        if not self.rate_per_s:
            return True
        gained = (now - self.filled_at) * self.rate_per_s
        self.tokens = min(self.bucket_size, self.tokens + gained)
        self.filled_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def query(self, name: str) -> tuple[int, dict[str, object]]:
        """Show a task as it stands."""
        task, now = self.known.get(name), self.now()
        if task is None:
            return 404, {"error": {"code": "task_not_found", "message": "no such task"}}
        task.shortest_gap_s = min(task.shortest_gap_s, now - (task.asked_at or task.accepted_at))
        task.polls, task.asked_at = task.polls + 1, now
        created = self._stamp(task.accepted_at)
        share = (now - task.accepted_at) / task.run_s
        if share < 1:
            status = "queued" if share < _QUEUED_SHARE else "in_progress"
            bar = self._bar(task, share)
            return 200, {"id": name, "status": status, "progress": bar, "created_at": created}
        task.seen_at = task.seen_at or now
        return 200, {
            "id": name,
            "status": "completed",
            "progress": 100,
            "created_at": created,
            "completed_at": self._stamp(task.accepted_at + task.run_s),
            "expires_at": created + 86400,
            "video_url": f"{self.video_url}/{name}.mp4",
        }

    def _stamp(self, at: float) -> float:
        # The provider gives whole seconds; in a benchmark scaled down they are scaled, too.
        return math.floor((self.epoch + self.began + at) / self.tick_s) * self.tick_s

    def _bar(self, task: Task, share: float) -> int | None:
        moved = max(0.0, (share - _QUEUED_SHARE) / (1 - _QUEUED_SHARE))
        match self.chosen.bar:
            case "exact":
                return int(100 * moved)
            case "bent":
                return int(100 * moved**task.curve)
            case "jumping":
                return random.randrange(100)  # noqa: S311 - no secret
            case "stuck":
                return 99
            case _:
                return None

    def fetched(self, name: str) -> None:
        """Take note of a video that went out to its last byte."""
        if name in self.known:
            self.known[name].fetched_at = self.now()

    def report(self) -> dict[str, object]:
        """Return everything seen."""
        return {
            "tasks": [
                {
                    "accepted_at": task.accepted_at,
                    "run_s": task.run_s,
                    "polls": task.polls,
                    "shortest_gap_s": task.shortest_gap_s if task.polls else None,
                    "seen_at": task.seen_at,
                    "fetched_at": task.fetched_at,
                }
                for task in self.known.values()
            ],
            "throttled_at": self.throttled_at,
            "cpu_s": time.process_time(),
        }


class Connection(asyncio.Protocol):
    """One connection to the API: requests in, answers out, kept alive until asked to close."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._come = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._come += data
        while (end := self._come.find(_END)) >= 0:
            head = bytes(self._come[:end]).lower()
            length = 0
            if (at := head.find(b"\r\ncontent-length:")) >= 0:
                length = int(head[at + 17 :].split(b"\r\n", 1)[0])
            whole = end + len(_END) + length
            if len(self._come) < whole:
                return
            first = bytes(self._come[: self._come.find(b"\r\n")]).split(b" ")
            body = bytes(self._come[end + len(_END) : whole])
            del self._come[:whole]
            self._answer(first[0], first[1].decode(), body, close=b"connection: close" in head)

    def _answer(self, method: bytes, path: str, body: bytes, *, close: bool) -> None:
        assert self._transport is not None
        if method == b"POST":
            status, document = self._tasks.submit(body)
        elif path == "/v1/balance":
            status, document = 200, {"success": True, "remain_balance": 100.0, "used_balance": 0.0}
        else:
            status, document = self._tasks.query(path.rsplit("/", 1)[1])
        text = json.dumps(document).encode()
        wait = b"Retry-After: 1\r\n" if status == 429 else b""
        self._transport.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, wait, len(text), text)
        )
        if close:
            self._transport.close()


class Files(threading.Thread):
    """Serves one video to everybody, a thread a connection, straight from the file.

    With `stamped` no two are the same file: each ends with a box of its own.
    """

    def __init__(self, video: Path, took: dict[str, Tasks], *, stamped: bool = False) -> None:
        super().__init__(daemon=True)
        self._stamped = stamped
        self._video = video
        self._took = took
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/videos"

    def run(self) -> None:
        """Take connections for ever."""
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        size, come = self._video.stat().st_size, b""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, self._video.open("rb") as file:
            while True:
                while _END not in come:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    come += piece
                head, come = come.split(_END, 1)
                name = head.split(b" ", 2)[1].rsplit(b"/", 1)[1].decode().removesuffix(".mp4")
                stamp = struct.pack(">I4s", 40, b"free") + name.encode().ljust(32)[:32]
                stamp = stamp if self._stamped else b""
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n"
                    b'ETag: "%s"\r\nAccept-Ranges: bytes\r\n\r\n'
                    % (size + len(stamp), name.encode())
                )
                try:
                    connection.sendfile(file, 0, size)
                    connection.sendall(stamp)
                except OSError:  # the client went away
                    return
                self._took["tasks"].fetched(name)


def options() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    parser = argparse.ArgumentParser(description="a lean local API for benchmarks")
    add = parser.add_argument
    add("--report", type=Path, required=True, help="gets what was seen, at the end")
    add("--median-s", type=float, default=3.0)
    add("--p95-s", type=float, default=9.0)
    add("--bar", choices=BARS, default="exact", help="what `progress` shows")
    add("--submits-per-minute", type=float, default=0, help="0: no limit")
    add("--storm", type=float, nargs=2, metavar=("AFTER_S", "FOR_S"), help="429 to all meanwhile")
    add("--video-bytes", type=int, default=0, help="enlarge the video to this size")
    add("--video", type=Path, help="serve this video, each time with another box at its end")
    add("--tick-s", type=float, default=1.0, help="how fine the times in answers are")
    add("--seed", type=int, default=1)
    add("--port", type=int, default=0, help="that of an earlier night: the account is the same")
    return parser


def video_bytes(size: int) -> bytes:
    """Return a small real video, with a box of padding up to the size."""
    # Half a second of libraries.
    from pipeline.emulator.clips import free_box, plain_clip  # noqa: PLC0415

    clip = plain_clip(6, (1280, 720))
    return clip + (free_box(bytes(size - len(clip) - 8)) if size > len(clip) + 8 else b"")


async def serve(chosen: argparse.Namespace, files: Files, took: dict[str, Tasks]) -> None:
    """Serve until standard input closes."""
    loop = asyncio.get_running_loop()
    tasks = took["tasks"] = Tasks(chosen, files.url)
    made = lambda: Connection(tasks)  # noqa: E731 - a factory
    server = await loop.create_server(made, "127.0.0.1", chosen.port, backlog=1024)
    files.start()
    address = server.sockets[0].getsockname()
    said = {"base_url": f"http://127.0.0.1:{address[1]}", "files_url": files.url}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    chosen.report.write_text(json.dumps(tasks.report()), encoding="utf-8")


def main() -> None:
    """Serve as the command line says."""
    chosen = options().parse_args()
    with tempfile.TemporaryDirectory(prefix="reelsheet-api-") as folder:
        video = chosen.video or Path(folder, "video.mp4")
        if chosen.video is None:
            video.write_bytes(video_bytes(chosen.video_bytes))
        took: dict[str, Tasks] = {}
        files = Files(video, took, stamped=chosen.video is not None)
        asyncio.run(serve(chosen, files, took))
    os._exit(0)  # connections and their threads have nothing to lose


if __name__ == "__main__":
    main()
