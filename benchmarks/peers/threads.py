"""A thread per slot with requests: submit, sleep, poll, download.

    python benchmarks/peers/threads.py BASE_URL MANIFEST FOLDER CAP SLEEP_S

Downloads are taken over by eight threads of their own, so that they hold no slot.
"""

from __future__ import annotations

import csv
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

KEY = {"Authorization": "Bearer sk-benchmark"}
_own = threading.local()


def session() -> requests.Session:
    """Return this thread's session."""
    if not hasattr(_own, "session"):
        _own.session = requests.Session()
    found: requests.Session = _own.session
    return found


def make(base_url: str, row: dict[str, str], sleep_s: float) -> str:
    """Have one video made; return its URL."""
    body: dict[str, Any] = {
        "model": "gemini_omni_flash",
        "prompt": row["prompt"],
        "duration": int(row["duration"]),
    }
    url = f"{base_url}/v1/videos/generations"
    task_id = session().post(url, json=body, headers=KEY, timeout=60).json()["id"]
    while True:
        time.sleep(sleep_s)
        task = session().get(f"{url}/{task_id}", headers=KEY, timeout=60).json()
        if task["status"] == "completed":
            return str(task["video_url"])


def fetch(url: str, path: Path) -> None:
    """Bring one video home."""
    with session().get(url, stream=True, timeout=60) as answer, path.open("wb") as file:
        for piece in answer.iter_content(64 * 1024):
            file.write(piece)


def main(base_url: str, manifest: Path, folder: Path, cap: int, sleep_s: float) -> None:
    """Do all rows, so many at a time."""
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with ThreadPoolExecutor(cap) as slots, ThreadPoolExecutor(8) as transfers:

        def one(row: dict[str, str]) -> None:
            url = make(base_url, row, sleep_s)
            transfers.submit(fetch, url, folder / f"{row['sku']}.mp4")

        list(slots.map(one, rows))


if __name__ == "__main__":
    _, address, rows, out, slots, wait = sys.argv
    main(address, Path(rows), Path(out), int(slots), float(wait))
