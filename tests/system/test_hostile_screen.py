"""The screen shows, it does not obey: hostile names, cells, settings and answers of the API."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.harness.api import wait_for
from tests.system.harness.hostile import Call, Said, hostile_api, tied_to
from tests.system.harness.product import Product
from tests.system.harness.terminal import Seen, terminal

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="such names are none there"),
]

JSON = {"Content-Type": "application/json"}
EVIL = "a\x1b]0;t\x07\x1b[31mb\x9b2Jc\u202ed\u2066e\x85f\u2028g\u061ch\nerror: forged\ri\x7fj"
FINE = "caf\u00e9 \u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f52c"
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# A bar begins its line anew and goes up for a line above it: its own doing, no text's.
BAR = re.compile("\r\n|\r|\x1b\\[A|\x1b\\[K")


def held(text: str) -> None:
    """Nothing in it is obeyed, and no line is forged."""
    assert not OBEYED.search(text), ascii(text)
    assert "\nerror: forged" not in text


@pytest.fixture
def evil(rehearsing: Product) -> Path:
    """A manifest of a hostile name with hostile headers and cells: one row sound, others not."""
    path = rehearsing.folder / f"m{FINE}{EVIL}.csv"
    rows = [
        ["sku", "prompt", "duration", "image", f"head{EVIL}", f"head {EVIL}"],
        [f"K{EVIL}", f"A mug {FINE}{EVIL}", "4", "", EVIL, ""],
        ["L", f"A mug {EVIL}", f"4{EVIL}", "", EVIL, ""],
        ["M", "A mug", "4", f"p{EVIL}.jpg", EVIL, ""],
        ["N", "A mug", "4", f"https://h/{EVIL}", EVIL, ""],
        ["O", "A mug", "4", f"{EVIL}://x", EVIL, ""],
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


COMMANDS = (
    ("check",), ("check", "--show-prompts", "1"), ("check", "--json", "--show-prompts", "1"),
    ("plan",), ("plan", "--verbose"), ("plan", "--json"), ("run",), ("status", "--rows"),
    ("status", "--json"), ("plan", "--verbose"), ("report",), ("resolve", "--all"),
    ("resolve", "--all", "--json"), ("journal verify",), ("run", "--strict"),
    ("run", "--redo", EVIL), ("run", "--only", f"K{EVIL}"), ("check", "--set", f"provider={EVIL}"),
    ("check", "--set", f"output.name=x{EVIL}"), ("check", "--set", f"{EVIL}=1"),
    ("check", "--config", EVIL), ("plan", "--out", f"out{EVIL}"), ("run", "--out", f"out{EVIL}"),
    ("check", "--set", f"manifest.sheet={EVIL}"), ("check", "--set", f"manifest.key={EVIL}"),
    ("check", "--set", f"manifest.prompt_template={{{{ {EVIL} }}}}"), ("check", EVIL),
    ("check", f"--{EVIL}"), ("account",), ("account", "--json"),
)  # fmt: skip


@pytest.mark.long
def test_piped_nothing_is_obeyed(rehearsing: Product, evil: Path) -> None:
    """All commands that show texts: no control character, no forged line, and JSON is JSON."""
    for command, *more in COMMANDS:
        named = () if command == "account" else (evil.name,)
        ended = rehearsing(*command.split(), *named, *more)
        held(ended.out)
        held(ended.err)
        assert ended.code != 70, (command, more, ended.err)
        if "--json" in more:
            assert isinstance(ended.json, dict)
    logs = list(rehearsing.folder.rglob("run.log"))
    assert logs
    for log in logs:
        text = log.read_text("utf-8")
        held(text)
        lines = text.splitlines()
        assert [json.loads(line)["run_id"] for line in lines]
        assert "forged" in text


@pytest.mark.long
def test_what_is_readable_stays_so(rehearsing: Product, evil: Path) -> None:
    """Letters of other languages and emoji, in a name and in a prompt; escapes beside them."""
    ended = rehearsing("check", evil.name, "--show-prompts", "1")
    assert f"A mug {FINE}a]0;t" in ended.out, "control characters are not sent"
    assert f"m{FINE}a\\x1b]0;t" in ended.out
    document = rehearsing("check", evil.name, "--json").json
    assert document["manifest"] == evil.name
    several = rehearsing("status", evil.name, evil.name.replace("m", "n", 1), "--json")
    held(several.out)
    held(several.err)


@pytest.mark.long
def test_at_a_terminal_nothing_is_obeyed(rehearsing: Product, evil: Path) -> None:
    """Both streams on one terminal, with bars: what moves the cursor is the bar's own."""
    for command in (("check",), ("plan", "--verbose"), ("run",), ("status", "--rows")):
        with terminal() as (person, program):
            seen = Seen(person)
            process = rehearsing.start(
                command[0],
                evil.name,
                *command[1:],
                env={"TERM": "xterm"},
                stdin=program,
                stdout=program,
                stderr=program,
            )
            wait_for("its end", lambda: seen("\0") or process.poll() is not None)  # noqa: B023
            seen("\0")
            assert process.returncode != 70
        assert "forged" in seen.text
        held(BAR.sub("\n", seen.text).replace("\t", ""))


def say_evil(call: Call) -> Said:
    """Refuse what is ordered, and fail otherwise, in hostile words."""
    if call.method == "POST":
        return Said({"error": {"code": f"bad{EVIL}", "message": EVIL, "type": EVIL}}, 422, JSON)
    return Said({"error": {"code": EVIL, "message": EVIL}, "data": EVIL}, 500, JSON)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Product]:
    """The product tied to an API that says hostile things."""
    with hostile_api(say_evil) as api, tied_to(api, tmp_path) as product:
        yield product


def test_what_the_api_says_is_shown(told: Product) -> None:
    """In the run's own words, in `status`, in the log and in the account."""
    (told.folder / "shop.csv").write_text("sku,prompt,duration\nMUG,A mug.,4\n", encoding="utf-8")
    ended = [told("run", "shop.csv", "--yes"), told("status", "shop.csv", "--rows")]
    ended += [told("report", "shop.csv"), told("account"), told("plan", "shop.csv", "--verbose")]
    shown = told("status", "shop.csv", "--json")
    for one in (*ended, shown):
        held(one.out)
        held(one.err)
    assert "refused" in shown.out
    text = (told.folder / "outputs" / "shop" / "run.log").read_text("utf-8")
    held(text)
    assert "forged" in text


def test_files_that_are_no_text_are_named(rehearsing: Product) -> None:
    """A name of bytes that no encoding reads, on a screen of ASCII, too."""
    name = os.fsdecode(b"m\xff\x85.csv")
    try:
        (rehearsing.folder / name).write_text("sku,prompt\nA,\n", encoding="utf-8")
    except OSError:
        pytest.skip("the file system takes text only")
    for env in ({}, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}):
        ended = rehearsing("check", name, env=env)
        assert "m\\udcff\\udc85.csv:2: error" in ended.out
        assert ended.code == 2
        assert rehearsing("check", name, "--json", env=env).json["rows"] == 1


@pytest.mark.long
def test_new_manifests_say_what_was_left_out(rehearsing: Product) -> None:
    """`init` names products and files of hostile names."""
    folder = rehearsing.folder / "pictures"
    folder.mkdir()
    for name in (f"x{EVIL}.txt", f"y{EVIL}.jpg", f"z{FINE}.jpg"):
        (folder / name).write_bytes(b"x")
    export = rehearsing.folder / "export.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        lines = [["Handle", "Title", "Body (HTML)"], [f"h{EVIL}", "", ""], ["i", f"T{EVIL}", ""]]
        csv.writer(file).writerows(lines)
    first = rehearsing("init", "--from-images", "pictures", "--output", "a.csv")
    second = rehearsing("init", "--from", "shopify", export.name, "--output", "b.csv")
    third = rehearsing("init", "--from", EVIL, export.name, "--output", "c.csv")
    for one in (first, second, third):
        held(one.out)
        held(one.err)
    assert "forged" in first.out
    assert (first.code, second.code, third.code) == (0, 0, 2)
