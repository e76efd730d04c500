"""What a screen or a log gets of a hostile text, and that nothing is printed past that."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline
from pipeline.cli import screen
from pipeline.cli.progress import Progress
from pipeline.concealment import show_controls, show_in_json
from pipeline.errors import ConfigError, UsageError
from pipeline.manifest.wording import quote_name
from pipeline.model import State
from pipeline.runner.watching import RunProgress

PACKAGE = Path(pipeline.__file__).parent
HOSTILE = "a\x1b]0;t\x07b\x1b[31mc\x9b2Jd\u202ee\u2066f\x85g\u2028h\u061ci\nerror: forged\rk\tl\x7f"
SHOWN = r"a\x1b]0;t\x07b\x1b[31mc\x9b2Jd\u202ee\u2066f\x85g\u2028h\u061ci\nerror: forged\rk\tl\x7f"
FINE = (
    "plain, caf\u00e9, cafe\u0301, \u05e9\u05dc\u05d5\u05dd, \u0633\u0644\u0627\u0645, "
    "\u0e44\u0e17\u0e22, \u092e\u0930\u094d\u200d\u091c\u0940, "
    "\U0001f469\u200d\U0001f52c, \u2764\ufe0f, "
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f, a\u00a0b"
)
# Those who may write to a stream by themselves: the screen, and programs that other programs read.
WRITERS = (
    "cli/screen.py", "downloader/examiner.py", "emulator/command.py", "pictures/strictly.py",
)  # fmt: skip
PAST = {"print", "echo", "secho", "confirm", "prompt", "pprint", "print_exc", "showwarning"}
STREAM = {"write", "writelines", "buffer", "fileno", "detach"}


def test_what_a_terminal_would_obey_is_shown() -> None:
    """Escapes, C1, marks of direction, ends of lines: all visible, on one line."""
    assert show_controls(HOSTILE) == SHOWN
    assert show_controls("name\udcff") == "name\\udcff"


def test_what_people_write_stays_readable() -> None:
    """Emoji, what joins them, combining marks, letters that are written from the right."""
    assert show_controls(FINE) == FINE
    assert show_in_json(json.dumps(FINE, ensure_ascii=False)) == f'"{FINE}"'


@given(st.text(st.characters(), max_size=40))
def test_no_text_moves_the_cursor_or_breaks_a_line(text: str) -> None:
    """Whatever the text, and JSON of it is JSON with the same meaning on one line."""
    shown = show_controls(text)
    assert len(shown.splitlines()) <= 1
    kinds = {unicodedata.category(letter) for letter in shown}
    assert not kinds & {"Cc", "Zl", "Zp", "Cs"}
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not {unicodedata.bidirectional(letter) for letter in shown} & turning
    document = show_in_json(json.dumps({text: text}, ensure_ascii=False))
    assert json.loads(document) == {text: text}
    assert len(document.splitlines()) == 1
    document.encode()


def test_each_text_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a problem, a cell of a table, an error and what to do: none forges another."""
    screen.print_line(HOSTILE)
    screen.print_table([(HOSTILE, 1), ("b", 2)], (HOSTILE, "n"))
    screen.say(HOSTILE)
    screen.say_error(UsageError(HOSTILE, action=HOSTILE))
    screen.say_error(ConfigError("Two faults:", faults=[HOSTILE, "second"]))
    out, err = capsys.readouterr()
    width = len(SHOWN)
    assert out.split("\n") == [
        SHOWN,
        f"  {SHOWN}  n",
        f"  {SHOWN}  1",
        f"  {'b':{width}}  2",
        "",
    ]
    assert err.split("\n") == [
        SHOWN,
        f"error: {SHOWN}",
        f"       {SHOWN}",
        "error: Two faults:",
        f"  {SHOWN}",
        "  second",
        "",
    ]


def test_the_streams_show_what_others_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library, a thread that fails, a logger: past our own functions it is the stream itself."""
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.StringIO())
    screen.guard_streams()
    for stream in (sys.stdout, sys.stderr):
        assert stream.write(f"{FINE}{HOSTILE}\n") == len(FINE) + len(HOSTILE) + 1
        stream.writelines([HOSTILE])
        assert not hasattr(stream, "buffer")
        assert not stream.isatty()
        told = cast("io.StringIO", screen.bare_stream(stream)).getvalue()
        once = SHOWN.replace("\\n", "\n")
        assert told == f"{FINE}{once}\n{once}"


def test_json_is_json_whatever_the_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of ASCII or of western Europe gets the escapes of JSON."""
    document = {HOSTILE: [FINE, "name\udcff"]}
    for encoding in ("utf-8", "ascii", "cp1252"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        screen.print_json(document)
        text = raw.getvalue().decode(encoding)
        assert json.loads(text) == document
        assert show_controls(text.replace("\n", "")) == text.replace("\n", "")


def test_a_progress_line_is_one_line() -> None:
    """Also what a run waits for, and warnings between."""
    stream = io.StringIO()
    times = iter([0.0, 0.0, 100.0, 100.0, 200.0, 200.0, 300.0])
    with Progress(3, stream, now=lambda: next(times)) as progress:
        progress.show(RunProgress({State.WAITING: 3}))
        progress.show(RunProgress({State.WAITING: 3}, waits_for=HOSTILE))
        progress.say(HOSTILE)
        progress.warn(HOSTILE)
    lines = stream.getvalue().split("\n")
    assert len(lines) == 4
    assert lines[0].endswith(SHOWN)
    assert lines[1:] == [SHOWN, SHOWN, ""]


@pytest.mark.process
def test_a_suggested_command_can_be_pasted() -> None:
    """A name with control characters is written as shells read it, and means the same file."""
    bash = Path("/bin/bash")
    if not bash.exists():
        pytest.skip("needs bash")
    for name in (HOSTILE, "it's \\ \x1b", "bytes \udcff\x85", "x\ny"):
        quoted = quote_name(name)
        assert show_controls(quoted) == quoted
        told = subprocess.run(
            [bash, "-c", f"printf %s {quoted}"],
            capture_output=True,
            check=True,
            env={"LC_ALL": "C.UTF-8"},
        )
        assert told.stdout == name.encode("utf-8", "surrogateescape")
    assert quote_name("plain name") == '"plain name"'


def named(node: ast.AST) -> str:
    """The dotted name that an expression is; empty for any other expression."""
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def prints(node: ast.AST) -> bool:
    """Tell whether a function is called that prints, or a standard stream is written to."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in PAST
    of, *_ = name = named(node).split(".")
    what = name[-1]
    return (
        (of == "sys" and name[1:2] != ["stdin"] and what in STREAM)
        or (of in {"typer", "click"} and what in PAST)
        or (of == "tqdm" and what == "write")
        or (of == "traceback" and what.startswith("print"))
    )


def imports_a_printer(node: ast.AST) -> bool:
    """Tell whether a standard stream or a function that prints gets a name of its own."""
    known = isinstance(node, ast.ImportFrom) and node.module in {"sys", "typer", "click"}
    return known and any(one.name in {"stdout", "stderr", *PAST} for one in node.names)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_nobody_prints_past_the_screen(path: Path) -> None:
    """No module but the screen names a standard stream's `write` or a function that prints."""
    if path.relative_to(PACKAGE).as_posix() in WRITERS:
        return
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    assert not [ast.unparse(node) for node in nodes if prints(node) or imports_a_printer(node)]


def test_the_rule_finds_who_prints() -> None:
    """The rule itself sees each way past the screen."""
    for text in (
        "print(1)", "typer.echo('x')", "sys.stdout.write('x')", "tqdm.write('x')",
        "from typer import echo", "sys.__stderr__.buffer", "traceback.print_exc()",
        "from sys import stdout", "click.secho('x')",
    ):  # fmt: skip
        nodes = list(ast.walk(ast.parse(text)))
        assert any(prints(node) or imports_a_printer(node) for node in nodes), text
