"""The emulator as a process of its own, and its own record of what was asked of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.harness.product import ROOT, environment

KEY = "sk-marked-2f6c1d9e8b7a"
"""The only key that the emulator takes; nothing that the product writes may hold it."""


@dataclass(frozen=True)
class Api:
    """A running emulator."""

    base_url: str
    pid: int
    files_url: str = ""

    def records(self) -> dict[str, Any]:
        """Return everything that happened at the provider's side, in order."""
        return self._get("/emulator/records")

    def mark(self) -> int:
        """Return the number of the last call, for `calls(since=…)`."""
        return int(self._get("/emulator/records?summary=1")["calls"])

    def calls(self, kind: str | None = None, *, since: int = 0) -> list[dict[str, Any]]:
        """Return the calls after a mark, all or of one kind (submit, query, upload, download)."""
        return [
            call
            for call in self.records()["calls"]
            if call["number"] > since and kind in {None, call["kind"]}
        ]

    def posts_of(self, prompt: str, *, since: int = 0) -> int:
        """Return how many POSTs came for the row with this prompt, accepted or not."""
        records = self.records()
        answered = [*records["submissions"], *records["refused"]]
        references = {one["client_business_id"] for one in answered if one["prompt"] == prompt}
        return sum(
            call["client_business_id"] in references for call in self.calls("submit", since=since)
        )

    def accepted(self, prompt: str) -> list[dict[str, Any]]:
        """Return the accepted submissions with this prompt."""
        return [one for one in self.records()["submissions"] if one["prompt"] == prompt]

    def faults(self, *rules: str) -> None:
        """Put these faults in force, in the place of all others."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.base_url}/emulator/faults",
            data=json.dumps(rules).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            assert answer.status == 200

    def submit(self, prompt: str, duration: int) -> str:
        """Submit a row as any client would; return the id of its task."""
        body = {"model": "gemini_omni_flash", "prompt": prompt, "duration": duration}
        return str(self._get("/v1/videos/generations", json.dumps(body).encode())["id"])

    def task(self, task_id: str) -> dict[str, Any]:
        """Return a task as the API shows it."""
        return self._get(f"/v1/videos/generations/{task_id}")

    def sha256_of(self, task_id: str) -> str:
        """Return the hash of the video that the API serves for a task."""
        with urllib.request.urlopen(_link(self.task(task_id)), timeout=10) as answer:  # noqa: S310
            return hashlib.sha256(answer.read()).hexdigest()

    def repeated(self) -> list[str]:
        """Return the references that were accepted more than once.

        What was sent without one (`api.client_reference: false`) cannot be told apart here.
        """
        counts = Counter(one["client_business_id"] for one in self.records()["submissions"])
        return [reference for reference, count in counts.items() if reference and count > 1]

    def _get(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - loopback
            self.base_url + path, data=body, headers=headers
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            document: dict[str, Any] = json.load(answer)
            return document


def _link(task: dict[str, Any]) -> str:
    """Return the video's URL, wherever the API put it this time."""
    if task.get("code") == "success":
        return str(task["data"]["data"]["video_url"])
    listed = task.get("data") or task.get("result", {}).get("data") or [{}]
    return str(task.get("video_url") or task.get("url") or listed[0]["url"]).replace(" ", "%20")


@contextlib.contextmanager
def emulator(state: Path, *arguments: str, median_s: float = 0.3) -> Iterator[Api]:
    """Run an emulator with tiny clips, tasks of fractions of a second and no limit on its rate."""
    with _started(
        [
            "--quick",
            "--fractional-times",
            *("--state", str(state), "--key", KEY),
            *("--median-s", str(median_s), "--p95-s", str(median_s * 1.5)),
            *("--submit-per-minute", "0", "--query-per-minute", "0"),
            *arguments,
        ]
    ) as api:
        yield api


@contextlib.contextmanager
def _started(arguments: Sequence[str]) -> Iterator[Api]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.emulator", "--until-stdin-closes", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
        cwd=ROOT,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        yield Api(said["base_url"], process.pid, said["files_url"])
    finally:
        process.stdin.close()
        process.wait(20)
        process.stdout.close()


def wait_for(what: str, condition: Any, *, limit_s: float = 60) -> Any:
    """Return what `condition()` gives as soon as it is true."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {limit_s:g} s")
