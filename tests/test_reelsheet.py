"""The package `reelsheet`: imported from any folder, with types, and as its page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.harness.product import environment

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
SOON = {
    "REELSHEET_POLLING__FIRST_S": "0.3",
    "REELSHEET_POLLING__INTERVAL_S": "0.3",
    "REELSHEET_OUTPUT__VERIFY": "boxes",
}
CLIENT = '''\
"""A program that makes videos from a spreadsheet."""

from pathlib import Path
from typing import assert_type

from reelsheet import (
    OnProgress, Reelsheet, ReelsheetError, RepeatsWait, RowChoice, RunOptions, RunProgress,
    RunReport, State,
)


def show(progress: RunProgress) -> None:
    print(progress.states.get(State.DONE, 0), progress.submitted)


def make(manifest: Path) -> list[Path]:
    sheet = Reelsheet(manifest, out="out", settings={"limits.outstanding": 2})
    told: OnProgress = show
    try:
        report = sheet.run(limit=1, only=["A"], yes=True, on_progress=told)
    except RepeatsWait as error:
        report = error.report
    except ReelsheetError as error:
        raise SystemExit(int(error.exit_code)) from error
    assert_type(report, RunReport)
    assert_type(report.states, dict[str, int])
    assert_type(sheet.plan(retry="failed").money, float | None)
    return [row.video for row in report.results if row.video is not None]


def plan_and_run(sheet: Reelsheet, choice: RowChoice, options: RunOptions) -> int:
    return sheet.plan(**choice).submits + sheet.run(**options).submitted


async def wait(sheet: Reelsheet) -> int:
    return (await sheet.arun()).submitted + sheet.status().states.get("done", 0)
'''
STRANGER = "import pathlib\n\npathlib.Path('executed').touch()\n"
REHEARSE = """\
from reelsheet import Reelsheet

report = Reelsheet("shop.csv").run()
assert (report.exit_code, report.states) == (0, {"done": 1}), report
"""


def python(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, as a user does."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment(**SOON, **env),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("place", "started"),
    [
        ("pipeline/__init__.py", ("client.py",)),
        ("pipeline.py", ("client.py",)),
        ("pipeline/__init__.py", ("-c", REHEARSE)),
    ],
    ids=["a script beside a package", "a script beside a module", "a line of Python"],
)
def test_a_strangers_pipeline_is_never_executed(
    tmp_path: Path, place: str, started: tuple[str, ...]
) -> None:
    """A program whose folder holds a `pipeline` rehearses all the same, child processes too."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(STRANGER, encoding="utf-8")
    (tmp_path / "client.py").write_text(REHEARSE, encoding="utf-8")
    (tmp_path / "shop.csv").write_text("key,prompt,duration\nA,a red mug,4\n", encoding="utf-8")
    ended = python(tmp_path, *started)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not (tmp_path / "executed").exists()


def test_a_strangers_pipeline_ahead_on_the_import_path(tmp_path: Path) -> None:
    """As with PYTHONPATH: neither the program nor the emulator takes it from there."""
    ahead = tmp_path / "ahead"
    (ahead / "pipeline").mkdir(parents=True)
    (ahead / "pipeline" / "__init__.py").write_text(STRANGER, encoding="utf-8")
    (tmp_path / "shop.csv").write_text("key,prompt,duration\nA,a red mug,4\n", encoding="utf-8")
    ended = python(tmp_path, "-c", REHEARSE, PYTHONPATH=os.pathsep.join([str(ahead), str(ROOT)]))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("place", ["pipeline.py", "pipeline/__init__.py"])
def test_another_pipeline_that_is_imported_already(tmp_path: Path, place: str) -> None:
    """The error names both and the way out; nothing of either is changed."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("mine = True\n", encoding="utf-8")
    ended = python(
        tmp_path,
        "-c",
        "import pipeline, sys\nbefore = sys.modules['pipeline']\ntry:\n    import reelsheet\n"
        "except ImportError as error:\n    print(error)\n"
        "assert sys.modules['pipeline'] is before\nassert 'reelsheet' not in sys.modules\n",
    )
    assert ended.returncode == 0, ended.stderr
    assert str(tmp_path / place) in ended.stdout
    assert re.search(r"its own, .+pipeline\. ", ended.stdout)
    assert "subprocess.run" in ended.stdout


def test_our_own_pipeline_may_be_imported_first(tmp_path: Path) -> None:
    """Whichever comes first, both names are of the same package."""
    ended = python(
        tmp_path,
        "-c",
        "import pipeline.errors, reelsheet\n"
        "assert reelsheet.ReelsheetError is pipeline.errors.ReelsheetError\n",
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_client_is_type_checked_against_the_installed_wheel(tmp_path: Path) -> None:
    """The wheel ships its types: a good client passes strict mypy, a bad one does not."""
    interpreter = installed_wheel(tmp_path)
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(CLIENT, encoding="utf-8")
    bad.write_text(CLIENT.replace('only=["A"]', "only=1"), encoding="utf-8")
    line = ("-m", "mypy", "--strict", "--config-file=", "--python-executable", interpreter)
    ended = python(tmp_path, *line, "good.py", PYTHONPATH="")
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    ended = python(tmp_path, *line, "bad.py", PYTHONPATH="")
    assert ended.returncode == 1
    assert 'Argument "only" to "run" of "Reelsheet" has incompatible type "int"' in ended.stdout


def installed_wheel(folder: Path) -> str:
    """Return a Python that has the wheel installed; where these tests run on it, the own one."""
    if not (ROOT / "pipeline").is_dir():
        return sys.executable
    source = folder / "source"
    for name in ("pipeline", "reelsheet"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    quiet = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    made = python(
        source, "-m", "pip", "wheel", *quiet, "--no-build-isolation", "-w", str(folder), "."
    )
    assert made.returncode == 0, made.stderr
    (wheel,) = folder.glob("reelsheet-*.whl")
    assert python(folder, "-m", "venv", "--without-pip", "venv").returncode == 0
    interpreter = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    line = ("-m", "pip", "--python", str(interpreter), "install", *quiet, str(wheel))
    made = python(folder, *line, PYTHONPATH="")  # metadata beside the sources look like it is there
    assert made.returncode == 0, made.stderr
    return str(interpreter)


def test_the_page_for_programs_does_what_it_shows(tmp_path: Path) -> None:
    """Its code blocks, one after the other, as one program in a folder with the example."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 6
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    (tmp_path / "client.py").write_text("\n".join(blocks), encoding="utf-8")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    ended = python(tmp_path, "client.py", PATH=path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "10 of 10 rows can be sent" in ended.stdout
    assert "2 no row has the key no such key." in ended.stdout
    assert '"valid": 10' in ended.stdout
