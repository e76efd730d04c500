"""Which files a command works on: names, folders, patterns; each once, in a known order."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from openpyxl import Workbook
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.several import find_manifests
from pipeline.errors import ConfigError, UsageError
from tests.cli.conftest import Command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with manifests and with what lies beside them."""
    monkeypatch.chdir(tmp_path)
    home = Path("sheets")
    for name in (
        "b.csv",
        "A.XLSX",
        "c.tsv",
        "d.xlsm",
        "e.ods",
        "results.csv",
        "Results Anna.xlsx",
        "failed-2.csv",
        "problems.csv",
        ".hidden.csv",
        "~$A.xlsx",
        "old.xls",
        "notes.txt",
        "below/f.csv",
        "dir.csv/x.txt",
    ):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return home


def names(*named: str) -> list[str]:
    return [file.as_posix() for file in find_manifests(list(map(Path, named))).manifests]


def test_a_folder_stands_for_its_own_manifests(folder: Path) -> None:
    """Not those below, nor hidden ones, locks of an office program, or what a run wrote."""
    assert names(str(folder)) == [
        f"sheets/{one}" for one in ("A.XLSX", "b.csv", "c.tsv", "d.xlsm", "e.ods")
    ]


@pytest.mark.usefixtures("folder")
def test_a_pattern_stands_for_what_it_matches() -> None:
    """Also for files that a run wrote, if they are asked for; never for hidden ones and locks."""
    assert names("sheets/*.csv") == [
        f"sheets/{one}" for one in ("b.csv", "failed-2.csv", "problems.csv", "results.csv")
    ]
    assert names("sheets/[ab]*") == ["sheets/b.csv"]


@pytest.mark.usefixtures("folder")
def test_each_file_counts_once_in_the_order_in_which_it_was_named() -> None:
    """Named twice, by a folder and by itself, it is still one manifest."""
    assert names("sheets/c.tsv", "sheets", "sheets/../sheets/b.csv") == [
        f"sheets/{one}" for one in ("c.tsv", "A.XLSX", "b.csv", "d.xlsm", "e.ods")
    ]


@pytest.mark.parametrize(
    ("named", "several"),
    [
        (["sheets/b.csv"], False),
        (["missing.csv"], False),
        (["sheets/b.csv", "sheets/b.csv"], True),
        (["sheets/below"], True),
        (["sheets/b*.csv"], True),
    ],
)
@pytest.mark.usefixtures("folder")
def test_the_form_of_the_output_does_not_hang_on_how_many_there_are(
    named: Iterable[str], several: bool
) -> None:
    """A folder with one manifest in it is still a folder."""
    found = find_manifests(list(map(Path, named)))
    assert (len(found.manifests), found.several) == (1, several)


def test_a_name_with_the_signs_of_a_pattern_is_a_name(folder: Path) -> None:
    """If there is a file of that name."""
    (folder / "[b].csv").touch()
    found = find_manifests([folder / "[b].csv"])
    assert (found.manifests, found.several) == ((folder / "[b].csv",), False)


@pytest.mark.parametrize("named", ["empty", "nothing*.csv"])
def test_none_at_all_is_an_error(folder: Path, named: str) -> None:
    """It names the place, and what a manifest is."""
    Path("empty").mkdir()
    with pytest.raises(UsageError, match=r"manifest") as raised:
        find_manifests([folder / "b.csv", Path(named)])
    assert named in raised.value.message
    assert ".xlsx" in (raised.value.action or "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
@pytest.mark.parametrize("command", ["check", "plan", "run", "status", "report", "retry", "fetch"])
def test_a_link_that_leads_to_itself_is_refused(command: str, tmp_path: Path) -> None:
    """Asked where it ends, the library of some versions fails."""
    ring = tmp_path / "ring.csv"
    ring.symlink_to(ring)
    ended = CliRunner().invoke(app, [command, str(ring)])
    assert (ended.exit_code, "leads back to itself" in ended.output) == (2, True) or (
        isinstance(ended.exception, UsageError)
        and "leads back to itself" in ended.exception.message
    )


@pytest.mark.parametrize("command", ["retry", "fetch"])
def test_of_a_table_that_was_never_run_nothing_is_made(
    command: str, manifest: Path, reelsheet: Command
) -> None:
    """What is for earlier orders says that there are none, and what makes some; guards hold."""
    table = Path("Käse und Brot.xlsx")
    book = Workbook()
    sheet = book.worksheets[0]
    for cells in (("sku", "prompt", "image_1"), ("A", "A mug turns.", "a.png"), ("B", "", "")):
        sheet.append(cells)
    book.save(table)
    Image.new("RGB", (400, 400)).save("a.png")
    for path in (manifest, table):
        ended = reelsheet(command, path)
        assert ended.exit_code == 0
        said = ended.stdout.splitlines()[-1]
        assert said.startswith(f"Nothing was ever rehearsed from {path}, so that there is nothing")
        assert f"nothing to {command}. To make its videos: " in said
        words = shlex.split(said.partition("videos: ")[2])
        assert words == ["reelsheet", "run", str(path)]
    assert reelsheet(command, manifest, "-q").output == ""
    for refused in (("--only", "NONE"), ("--set", "provider=toapis")):  # no such row, and no key
        ended = reelsheet(command, manifest, *refused)
        assert isinstance(ended.exception, UsageError | ConfigError), ended.output
    kept = {one.relative_to("outputs") for one in Path("outputs").rglob("*") if one.is_file()}
    assert kept == {Path("Käse und Brot.rehearsal", "cache", "pictures.db")}  # as of a check
