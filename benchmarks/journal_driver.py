"""Write the lives of many rows into a journal, so many of them waiting for their commit at once.

    python -m benchmarks.journal_driver FOLDER EVENTS WAITING

Prints microseconds of CPU per event and events per second, the making of the events left out.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.events import Accepted, Completed, Downloaded, Event, Intended
from pipeline.journal.journal import Journal
from pipeline.model import Attempt, Request, Video


def life(number: int) -> tuple[Event, ...]:
    """Return the four events of a row without trouble."""
    key = f"P{number:06}"
    prompt = f"Slow dolly towards product {number} on a linen cloth, soft morning light"
    request = Request(prompt, (), 6, "16:9", "720P", "gemini_omni_flash", f"{number:064x}")
    attempt = Attempt(key, 1, f"rs-{number:040x}", request, f"{key}.mp4")
    video = Video(f"{key}.mp4", 4_000_000, f"{number:064x}", 6.0, 1280, 720)
    return (
        Intended(key, 1, attempt),
        Accepted(key, 1, f"video_01{number:024}"),
        Completed(key, 1, 60.0),
        Downloaded(key, 1, video),
    )


def batches(events: int, waiting: int) -> Iterator[list[Event]]:
    """Return events by turns: one of each of the rows that wait, then the next one of each."""
    for first in range(0, events // 4, waiting):
        lives = [life(number) for number in range(first, first + waiting)]
        yield from (list(turn) for turn in zip(*lives, strict=True))


def main(folder: Path, events: int, waiting: int) -> None:
    """Write and measure."""
    made = list(batches(events, waiting))
    journal = Journal(folder / "journal.db")
    cpu_s, began = time.process_time(), time.monotonic()
    for batch in made:
        commits = {journal.append((event,), time.time()) for event in batch}
        for one in commits:
            one.result()
    written = sum(map(len, made))
    cpu_s, took_s = time.process_time() - cpu_s, time.monotonic() - began
    journal.close()
    print(json.dumps({"us": cpu_s / written * 1e6, "per_s": written / took_s}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
