"""Random lives of rows: event sequences that follow the lifecycle table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

from hypothesis import strategies as st

from pipeline import events as ev
from pipeline.lifecycle import MOVES, apply
from pipeline.model import Attempt, Entry, Request, Video

VIDEO = Video("a.mp4", 1000, "00", 6.0, 1280, 720, warnings=("0.1 s short",))

_WRITER = """
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute("PRAGMA cache_size = 1")
file.execute("PRAGMA journal_mode = DELETE")
file.execute("BEGIN EXCLUSIVE")
file.execute("CREATE TABLE of_the_killed (x)")
for _ in range(50):
    file.execute("INSERT INTO of_the_killed VALUES (zeroblob(9000))")
print("written", flush=True)
sys.stdin.read()
"""


def kill_while_written(path: Path) -> Path:
    """Kill a process in the middle of a transaction; return the file that undoes what it wrote."""
    line = [sys.executable, "-c", _WRITER, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, text=True, stdin=pipe, stdout=pipe) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.kill()
    undo = path.with_name(f"{path.name}-journal")
    assert undo.exists()
    return undo


def request(text: str) -> Request:
    """A request told by its text."""
    images = ("sha256:ab", "https://shop.example/ö.jpg", "sha256:cd") if len(text) % 2 else ()
    return Request(text, images, 6, "16:9", "720P", "gemini_omni_flash", f"hash-{text}")


def attempt(key: str, number: int, text: str = "a film") -> Attempt:
    """An attempt of a row."""
    cost = None if number % 2 else 0.25
    return Attempt(key, number, f"rs-{key}-{number}", request(text), f"{key}-{number}.mp4", cost)


def intended(key: str, number: int = 1, text: str = "a film") -> ev.Intended:
    """The beginning of most rows."""
    return ev.Intended(key, number, attempt(key, number, text))


NAMES = [f"name {number}" for number in range(50)]
"""Keys that rows may be renamed to, besides those that other rows had before."""

_MAKERS: dict[type[ev.Event], Callable[[str, int], ev.Event]] = {
    ev.Accepted: lambda key, number: ev.Accepted(key, number, f"task-{key}-{number}"),
    ev.Declined: lambda key, number: ev.Declined(key, number, None, 'no: "ß" \U0001f3a5'),
    ev.AnswerLost: lambda key, number: ev.AnswerLost(key, number, "timeout"),
    ev.Found: lambda key, number: ev.Found(key, number, f"found-{key}-{number}"),
    ev.Completed: lambda key, number: ev.Completed(key, number, 30.5 if number % 2 else None),
    ev.TaskFailed: lambda key, number: ev.TaskFailed(key, number, "moderation", "no"),
    ev.TaskLost: lambda key, number: ev.TaskLost(key, number, "gone"),
    ev.LinkLost: lambda key, number: ev.LinkLost(key, number, "link_dead", "403"),
    ev.Downloaded: lambda key, number: ev.Downloaded(key, number, VIDEO),
}


@st.composite
def lives(draw: st.DrawFn) -> list[list[ev.Event]]:
    """Batches of events of a few rows, each row along the table."""
    entries: dict[str, Entry] = {}
    identities: set[str] = set()
    batches: list[list[ev.Event]] = [[]]
    keys = draw(st.sampled_from([["a"], ["a", "b"], ["Ärmel/1", "b\n2", "-- c'"]]))
    for _ in range(draw(st.integers(1, 40))):
        key = draw(st.sampled_from([*keys, *(one for one in entries if one not in keys)]))
        event = _next(draw, key, entries, identities)
        entry = apply(entries.pop(event.key, None), event, 0.0)
        entries[entry.key] = entry
        identities.add(entry.identity)
        batches[-1].append(event)
        if draw(st.booleans()):
            batches.append([])
    return batches


def _next(draw: st.DrawFn, key: str, entries: dict[str, Entry], identities: set[str]) -> ev.Event:
    entry = entries.get(key)
    if entry is None:
        kinds: list[type[ev.Event]] = [ev.Intended, ev.PictureRefused, ev.Reused]
    else:
        kinds = [kind for kind, move in MOVES.items() if entry.state in move.sources]
        kinds.append(ev.Renamed)
    kind = draw(st.sampled_from(kinds))
    number = entry.attempt.number if entry else 1
    if kind in {ev.Intended, ev.PictureRefused, ev.Reused}:
        following = entry.next_number if entry else 1
        opened = attempt(key, following, draw(st.sampled_from(["a film", "another", "a third"])))
        identity = entry.identity if entry else _unused(key, identities)
        opened = replace(opened, identity=identity, client_business_id=f"{identity} {following}")
        if kind is ev.Intended:
            return ev.Intended(key, following, opened)
        if kind is ev.Reused:
            made_at = draw(st.sampled_from([None, 0.5]))
            return ev.Reused(key, following, opened, f"task {identity}", VIDEO, made_at)
        return ev.PictureRefused(key, following, opened, "bad_image", "no picture")
    if kind is ev.Renamed:
        free = [one for one in (*NAMES, *identities) if one not in entries and "\x1f" not in one]
        return ev.Renamed(key, number, draw(st.sampled_from(free)))
    maker = _MAKERS.get(kind)
    return maker(key, number) if maker else kind(key, number)


def _unused(key: str, identities: set[str]) -> str:
    """Return the identity of a new entry: the key, or the key and the first number that is free."""
    names = (key if number == 1 else f"{key}\x1f{number}" for number in count(1))
    return next(name for name in names if name not in identities)
