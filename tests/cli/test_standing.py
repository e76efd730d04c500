"""The first screen: `reelsheet` alone says which tables are here, how far each is, what is next."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.cli.app import EXIT_CODES, WORDS
from pipeline.cli.firstscreen import first_screen
from pipeline.cli.standing import MOST_SHOWN, Left, look_around, stand
from pipeline.disk.lock import run_lock
from pipeline.model import State
from tests.cli.conftest import Command

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
ENDED = "2026-11-27T11:00:00Z"
HEAVY = ("pandas", "yaml", "aiohttp", "openpyxl", "pipeline.runner")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a blank and an umlaut in its name."""
    folder = tmp_path / "my vidëos"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def table(name: str) -> Path:
    """A table that was saved before its runs."""
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("sku,prompt\nMUG,A mug.\n", encoding="utf-8")
    os.utime(path, (NOW - 90_000, NOW - 90_000))
    return path


def left(path: Path, folder: str, **changes: object) -> Path:
    """What a run of a table leaves in an output folder."""
    record = {
        "manifest": str(path),
        "provider": "toapis",
        "rows": 3,
        "states": {"done": 3},
        "finished_at": ENDED,
        **changes,
    }
    Path(folder).mkdir(parents=True)
    summary = Path(folder, "summary.json")
    summary.write_text(json.dumps(record), encoding="utf-8")
    os.utime(summary, (NOW - 3600, NOW - 3600))
    return Path(folder)


def shown(**environ: str) -> str:
    """The first screen as one text."""
    return "\n".join(first_screen(environ, NOW))


def test_an_empty_folder_offers_three_ways_to_begin() -> None:
    """With the commands in the order of the work, and no exit codes."""
    said = shown()
    assert "There is no table in this folder yet" in said
    for way in ("init my-videos", "init --from shopify", "init --from-images"):
        assert f"  reelsheet {way}" in said
    steps = [line.split()[1] for line in said.partition("order of the work:")[2].splitlines()[1:8]]
    assert steps == ["init", "check", "plan", "run", "status", "review", "export"]
    assert "70" not in said


def test_tables_are_found_here_and_in_manifests() -> None:
    """What commands write, hidden files and other kinds are none."""
    for name in ("shop.csv", "manifests/bags.xlsx", "results.csv", ".hidden.csv", "~$a.xlsx"):
        table(name)
    Path("notes.txt").write_text("x", encoding="utf-8")
    Path("folder.csv").mkdir()
    found = [str(one.table) for one in look_around({}, NOW).tables]
    assert found == ["shop.csv", str(Path("manifests/bags.xlsx"))]
    assert "reelsheet check shop.csv" in shown()


@pytest.mark.parametrize(
    ("states", "live", "said", "step"),
    [
        ({"done": 3}, True, "3 of 3 videos are ready", "review"),
        (
            {"done": 1, "in_doubt": 1, "missing": 1},
            True,
            "2 to be settled",
            "resolve shop.csv --all",
        ),
        ({"done": 1, "running": 2}, True, "2 being made", "run shop.csv"),
        ({"done": 2, "invalid": 1}, True, "1 with a mistake in the line", "check"),
        (
            {"done": 1, "failed": 2},
            True,
            "2 not succeeded",
            "plan shop.csv --retry failed,expired",
        ),
        ({"done": 2, "refused": 1}, True, "1 refused", "status shop.csv --rows"),
        ({"done": 2, "failed": 1}, False, "tried out: 2 of 3", "status shop.csv --rows"),
        ({"done": 3}, False, "tried out: 3 of 3", "review"),
    ],
)
def test_what_comes_next_is_what_most_needs_a_person(
    states: dict[str, int], live: bool, said: str, step: str
) -> None:
    """Money in doubt before all else; nothing that is suggested pays unseen."""
    counted = {State(name): number for name, number in states.items()}
    found = stand(Path("shop.csv"), [Left(Path(), live, counted, 3, NOW)], live=live, now=NOW)
    assert said in found.said
    assert found.next.startswith(f"reelsheet {step}")


def test_a_table_that_was_tried_out_is_priced_once_runs_are_live() -> None:
    """The configuration or the environment says so; a live run counts before a rehearsal."""
    left(table("shop.csv"), "outputs/shop.rehearsal", provider="rehearsal")
    assert "  reelsheet review shop.csv" in shown()
    Path("config.yaml").write_text("limits: {}\nprovider: 'toapis'  # live\n", encoding="utf-8")
    assert "  reelsheet plan shop.csv" in shown()
    assert "  reelsheet review shop.csv" in shown(REELSHEET_PROVIDER="rehearsal")
    left(Path("shop.csv"), "outputs/shop", states={"done": 1, "failed": 2})
    assert "tried out: " not in shown()


def test_the_outputs_may_lie_elsewhere() -> None:
    """As the configuration or the environment has it."""
    left(table("shop.csv"), "made here/shop")
    text = 'budget: {}\noutput:\n  # where\n  name: "{key}"\n  dir: "made here"  # all\n'
    Path("config.yaml").write_text(text, encoding="utf-8")
    assert "3 of 3 videos are ready" in shown()
    Path("config.yaml").unlink()
    assert "not looked at yet" in shown()
    assert "3 of 3 videos are ready" in shown(REELSHEET_OUTPUT__DIR="made here")


def test_a_table_that_was_saved_since_is_planned_again() -> None:
    """It may have other lines by now."""
    path = table("shop.csv")
    left(path, "outputs/shop")
    os.utime(path, (NOW, NOW))
    assert "saved since" in shown()
    assert "  reelsheet plan shop.csv" in shown()


def test_a_run_that_goes_on_and_one_that_was_killed() -> None:
    """The one is watched, the other is run again."""
    folder = left(table("shop.csv"), "outputs/shop", finished_at=None)
    assert "cut short" in shown()
    assert "  reelsheet run shop.csv" in shown()
    with run_lock(folder / "cache" / "run.lock"):
        assert "is being worked on now" in shown()
        assert "  reelsheet status shop.csv --watch" in shown()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"states": 3}', '{"manifest": "shop.csv", "states": {"odd": 1}}'],
)
def test_figures_that_cannot_be_read_end_nothing(text: str) -> None:
    """Where a journal is, what the last run left is asked of it; what lies there is not opened."""
    table("shop.csv")
    folder = Path("outputs/shop")
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(text, encoding="utf-8")
    assert "not looked at yet" in shown()
    (folder / "journal.db").write_bytes(b"no journal at all")
    assert "cannot be read" in shown()
    assert "  reelsheet status shop.csv" in shown()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="every folder can be read")
def test_a_folder_that_cannot_be_read_is_named() -> None:
    """The other one is shown all the same."""
    table("shop.csv")
    table("manifests/bags.csv")
    Path("manifests").chmod(0)
    try:
        assert "The folder manifests cannot be read" in shown()
        assert "shop.csv" in shown()
    finally:
        Path("manifests").chmod(0o700)


def test_of_very_many_tables_some_are_shown() -> None:
    """Those that were worked on first; several new ones of a folder are checked together."""
    for number in range(30):
        table(f"t{number:02}.csv")
    left(Path("t29.csv"), "outputs/t29")
    here = look_around({}, NOW)
    assert [str(one.table) for one in here.tables][:2] == ["t29.csv", "t00.csv"]
    assert (len(here.tables), here.more) == (MOST_SHOWN, 30 - MOST_SHOWN)
    assert f"and {30 - MOST_SHOWN} more tables: reelsheet status ." in shown()
    assert shown().count("reelsheet check .") == 1


def test_what_is_suggested_can_be_pasted() -> None:
    """A name with a blank is in quotes."""
    table("my shop.csv")
    assert '  reelsheet check "my shop.csv"' in shown()


def test_help_explains_exit_codes_words_and_commands(reelsheet: Command) -> None:
    """What the first screen leaves out is one command away."""
    said = reelsheet("help", "exit-codes").stdout
    assert all(f"{int(code):>3}  {text}\n" in said for code, text in EXIT_CODES.items())
    said = reelsheet("help", "words").stdout
    assert all(exact in said for _, exact, _ in WORDS)
    assert reelsheet("help").stdout.startswith("Usage: ")
    assert "--show-prompts" in reelsheet("help", "check").stdout
    assert "backup" in reelsheet("help", "journal").stdout
    assert reelsheet("help", "chek").exit_code != 0


@pytest.mark.process
def test_the_command_alone_loads_nothing_heavy() -> None:
    """It answers at once, without a terminal, and ends with 0; help loads no database either."""
    table("shop.csv")
    code = (
        "import sys\nthere = set(sys.modules)\nfrom pipeline.cli.app import app\n"
        "assert not {'sqlite3', 'pipeline.models.shelf'} & (set(sys.modules) - there)\n"
        "try:\n    app([], standalone_mode=True)\nexcept SystemExit as end:\n"
        f"    loaded = [one for one in {HEAVY!r} if one in sys.modules]\n"
        "    sys.exit(end.code or (f'loaded: {loaded}' if loaded else 0))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"shop.csv" in ended.stdout


EXPORT = "Handle,Title,Body (HTML),Vendor,Type,Image Src,Image Position,Variant SKU,Variant Price\n"


def test_a_shops_export_is_named_with_the_way_to_a_table() -> None:
    """As long as there is no table; whoever has one needs no word of it."""
    Path("my export.csv").write_text(EXPORT + "mug,Mug,,V,Mugs,,,,9\n", encoding="utf-8-sig")
    said = shown()
    command = 'reelsheet init --from shopify "my export.csv" --output "my export-videos.xlsx"'
    assert command.replace('"', "'") in said.replace('"', "'")
    assert "an export of Shopify" in said
    assert "reelsheet check" not in said.partition("Next:")[2].partition("In the order")[0]
    table("manifests/shop.csv")
    said = shown()
    assert "an export of Shopify" in said
    assert "--from shopify" not in said


@pytest.mark.parametrize("start", ["", "\x00\x01", "a" * 400_000, '"' + "b,c\n" * 50_000, "a;b\tc"])
def test_any_beginning_of_a_table_can_be_looked_at(start: str) -> None:
    """What is no export is a table that nobody has checked."""
    Path("odd.csv").write_text(start, encoding="utf-8")
    assert "reelsheet check odd.csv" in shown()


def test_two_folders_of_new_tables_are_told_apart() -> None:
    """Each step says of which tables it speaks."""
    for name in ("a.csv", "b.csv", "manifests/c.csv", "manifests/d.csv"):
        table(name)
    said = shown()
    assert "still wrong in the new tables here" in said
    assert "still wrong in those of manifests" in said


def test_inside_of_outputs_the_folder_above_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stands where runs write finds the way to the tables."""
    table("manifests/shop.csv")
    Path("config.yaml").touch()
    Path("outputs/shop").mkdir(parents=True)
    home = Path.cwd()
    monkeypatch.chdir("outputs/shop")
    step = next(line for line in shown().splitlines() if line.startswith("  cd "))
    assert shlex.split(step) == ["cd", str(home)]
