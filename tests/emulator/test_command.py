"""The emulator as a program."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from pipeline.emulator.command import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.process
def test_it_announces_itself_and_ends_with_its_stdin(tmp_path: Path) -> None:
    """One line of JSON, then service until standard input closes."""
    file = tmp_path / "where.json"
    line = [sys.executable, "-m", "pipeline.emulator", "--quick", "--until-stdin-closes"]
    with subprocess.Popen(
        [*line, "--announce", str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        announced = json.loads(process.stdout.readline())
        assert announced["pid"] == process.pid
        assert json.loads(file.read_text()) == announced
        address = announced["base_url"] + "/emulator/records?summary=1"
        with urllib.request.urlopen(address) as got:  # noqa: S310 - our own loopback
            assert json.load(got)["accepted"] == 0
        process.stdin.close()
        assert process.wait(20) == 0
        assert process.stdout.read() == ""


def test_a_fault_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    """The message has the nearest name, and the exit code is that of wrong usage."""
    with pytest.raises(SystemExit) as ended:
        main(["--fault", "submit_42"])
    assert ended.value.code == 2
    assert "Did you mean submit_4" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [["--{}"], ["--port", "{}"], ["--fault", "{}"], ["--median-s", "{}"], ["--state", "{}"]],
)
def test_what_is_not_understood_is_shown_and_not_obeyed(
    line: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A line break and controls in an option or its value stand in the message as escapes."""
    hostile = "a\nerror: b\x1b[2J\x9b\u202e\u2028"
    monkeypatch.chdir(tmp_path)
    (tmp_path / hostile).touch()  # a file where a folder is asked for
    with pytest.raises(SystemExit) as ended:
        sys.exit(main([part.format(hostile) for part in line]))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "a\\nerror: b\\x1b[2J" in said
    assert not [line for line in said.splitlines() if line.startswith("error:")]
    assert all(sign.isprintable() for sign in said.replace("\n", ""))


def test_the_list_of_faults(capsys: pytest.CaptureFixture[str]) -> None:
    """Every fault has its line."""
    assert main(["--list-faults"]) == 0
    assert "download_zeroed" in capsys.readouterr().out


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """It says so in a sentence, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    errors = capsys.readouterr().err
    assert "--port" in errors
    assert "Traceback" not in errors
