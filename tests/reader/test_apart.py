"""Workbooks are read in a process of their own: whatever they do there becomes one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ManifestError, Unfinished
from pipeline.model import Severity
from pipeline.reader.reading import read
from pipeline.reader.workbook import apart, wire, worker
from tests.corpus.workbooks import row, xlsx

if TYPE_CHECKING:
    from tests.reader.conftest import MakeBook

ROOT = Path(__file__).parents[2]
HANGS = "import time\ntime.sleep(600)\n"


def answering(tmp_path: Path, text: str) -> Path:
    """A program in place of the one that reads."""
    path = tmp_path / "program.py"
    path.write_text(
        "import os, signal, sys, time\nprint('ready', flush=True)\n"
        f"sys.stdin.buffer.read({len(book())})\n{text}\n"
    )
    return path


@cache
def book() -> bytes:
    """The same workbook, to the byte: a package says when it was made."""
    return xlsx(row(1, "sku", "prompt") + row(2, "A", "A red shoe"))


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """What is said where the process that reads does this."""
    path = tmp_path / "täble.xlsx"
    path.write_bytes(book())
    monkeypatch.setattr(apart, "_PROGRAM", answering(tmp_path, text))
    monkeypatch.setattr(apart, "LIMIT_S", 1)
    monkeypatch.setattr(apart, "_refused", {})
    with pytest.raises(ManifestError) as caught:
        read(path)
    assert caught.value.exit_code == 2
    assert "täble.xlsx" in caught.value.message
    assert caught.value.action
    return caught.value.message


@pytest.mark.process
def test_a_workbook_crosses_whole(make_book: MakeBook) -> None:
    """Texts of all kinds, numbers of rows, the sheet and the problems of cells come over."""
    cells = '<row r="3"><c r="B3" t="inlineStr"><is><t>sku</t></is></c></row>'
    cells += '<row r="7"><c r="B7" t="inlineStr"><is><t>ä\U0001f600\n"x"</t></is></c>'
    cells += '<c r="C7" t="e"><v>#REF!</v></c></row>'
    path = make_book(
        cells.replace("</row><row", '<c r="C3" t="inlineStr"><is><t>prompt</t></is></c></row><row')
    )
    found = read(path)
    assert found.path == path
    assert found.headers == ("sku", "prompt")
    assert [(one.number, one.cells) for one in found.rows] == [(7, ('ä\U0001f600\n"x"', ""))]
    assert (found.sheet, found.first_column, found.header_row) == ("Sheet 1", 1, 3)
    (problem,) = found.cell_problems
    assert (problem.code, problem.cell, problem.severity) == ("error_value", "C7", Severity.ERROR)


@pytest.mark.process
def test_equal_texts_stay_one_text(make_book: MakeBook) -> None:
    """What a column says over and over is kept once, as when it is read here."""
    rows = "".join(row(number, str(number), "720P") for number in range(2, 40))
    path = make_book(row(1, "sku", "resolution") + rows)
    assert len({id(one.cells[1]) for one in read(path).rows}) == 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HANGS, "takes longer than 1 s"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("os.abort()", "SIGABRT"),
        ("raise SystemExit(3)", "exit code 3"),
        ("print('[\"memory\",null]', flush=True)\ntime.sleep(9)", "more than 1 GB"),
        ('print(\'["fault","RecursionError"]\', flush=True)\ntime.sleep(9)', "RecursionError"),
        ("print('[\"fault\"', flush=True)\ntime.sleep(9)", "makes the library fail"),
        ('print(\'["rows",[[1],[["a"]]]]\', flush=True)\ntime.sleep(9)', "makes the library fail"),
        ("print('{}', flush=True)\ntime.sleep(9)", "makes the library fail"),
    ],
)
def test_whatever_becomes_of_the_process_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """A hang, a crash, a lack of memory, and answers that make no sense are the file's."""
    assert said in refused(tmp_path, monkeypatch, f"{text}\n")


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="has no such clock")
def test_an_honest_file_is_read_on_a_busy_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time counts while the process that reads has a processor, not while others have it."""
    bursts = "for _ in range(150):\n    sum(range(100_000))\n    time.sleep(0.02)\n"
    said = 'print(\'["head",[["sku"],"S",0,1,false,[],[],[]]]\\n["end",null]\', flush=True)\n'
    path = tmp_path / "table.xlsx"
    path.write_bytes(book())
    monkeypatch.setattr(apart, "_PROGRAM", answering(tmp_path, bursts + said + "time.sleep(60)"))
    monkeypatch.setattr(apart, "LIMIT_S", 2)
    monkeypatch.setattr(apart, "_refused", {})
    assert read(path).headers == ("sku",)


@pytest.mark.process
def test_a_file_that_was_given_up_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that reads its manifest twice waits for it once; another content is tried."""
    said = refused(tmp_path, monkeypatch, HANGS)
    path = tmp_path / "other.xlsx"
    path.write_bytes(book())

    def no_child(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(apart, "Child", no_child)
    with pytest.raises(ManifestError) as caught:
        read(path)
    assert caught.value.message == said.replace("täble", "other")
    path.write_bytes(xlsx(row(1, "sku")))
    with pytest.raises(AssertionError):
        read(path)


@pytest.mark.process
def test_an_installation_that_is_broken_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no process starts, the same command can be given again."""
    path = tmp_path / "table.xlsx"
    path.write_bytes(book())
    (tmp_path / "program.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(apart, "_PROGRAM", tmp_path / "program.py")
    with pytest.raises(Unfinished, match="does not start"):
        read(path)


READS = """
import os, sys
sys.path.insert(0, os.fsdecode({root!r}))
from pathlib import Path
from pipeline.process.children import child_command
print(child_command.__module__)
from pipeline.reader.reading import read
print(read(Path(sys.argv[1])).rows[0].cells)
"""


@pytest.mark.process
@pytest.mark.skipif(os.name != "posix", reason="a locale of C")
def test_it_works_in_a_strangers_folder_and_in_the_locale_c(tmp_path: Path) -> None:
    """Modules named like ours, or like libraries, are not imported; names need no UTF-8."""
    marker = tmp_path / "executed"
    for name in ("pandas", "json", "numpy", "pipeline", "sitecustomize", "xlrd", "olefile"):
        (tmp_path / name).mkdir()
        for place in (tmp_path / f"{name}.py", tmp_path / name / "__init__.py"):
            place.write_text(f"open({str(marker)!r}, 'a').write({name!r})\nraise SystemExit(9)\n")
    (tmp_path / "größe.xlsx").write_bytes(book())
    script = tmp_path / "sub" / "program.py"
    script.parent.mkdir()
    script.write_text(READS.format(root=os.fsencode(ROOT)))
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": ""}
    ended = subprocess.run(
        [sys.executable, str(script), "größe.xlsx"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert ended.stdout.decode().splitlines()[-1:] == ["('A', 'A red shoe')"], ended.stderr
    assert not marker.exists()


def test_what_crosses_is_limited(make_book: MakeBook, monkeypatch: pytest.MonkeyPatch) -> None:
    """More characters than any table has are refused before they cross; so are more cells."""
    path = make_book(row(1, "sku", "prompt") + row(2, "A", "x" * 500))
    monkeypatch.setattr(wire, "MOST_CHARACTERS", 500)
    with pytest.raises(ManifestError, match="more than 100,000,000 characters"):
        read(path)
    monkeypatch.setattr(wire, "_MOST_CELLS", 1)
    with pytest.raises(ManifestError, match="2 cells"):
        read(path)


def test_the_child_has_the_limits_that_are_told() -> None:
    """Its clock is a little behind that of its parent, which says what happened."""
    assert worker.MEMORY_BYTES == apart.MEMORY_GB * 1024**3
    assert worker.CPU_S < apart.LIMIT_S == worker.CLOCK_S < 30
    assert apart.STARVED_S == worker.STARVED_S > apart.LIMIT_S
