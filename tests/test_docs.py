"""README.md and docs/ say what the program does: nothing in them can drift unnoticed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

import pipeline
from docs.generate.modules import PACKAGE
from docs.generate.pages import FILES, PARTS, ROOT, pages, parts_of, refreshed
from docs.generate.program import command_tree, emulate_parser
from pipeline.authoring.starter import PICTURES_FOLDER, STARTER_MANIFEST
from pipeline.cli.app import EXIT_CODES
from pipeline.config.loading import load
from pipeline.emulator.command import settings_from
from pipeline.errors import ExitCode
from pipeline.runner.api import RunOptions
from pipeline.runner.watching import RunProgress
from pipeline.writer.outcome import highest

README = (ROOT / "README.md").read_text("utf-8")
DEVELOP, EXITS = (
    (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("develop", "exit-codes")
)
LONGEST_README = 12_300
"""Bytes of the first page: who begins reads all of it."""
TOP = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "outputs")
MADE_BY_THE_USER = {
    STARTER_MANIFEST.as_posix(),
    PICTURES_FOLDER.as_posix(),
    "manifests/shop.xlsx",
    "manifests/photos.xlsx",
}

each_page = pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)


def without_parts(text: str) -> str:
    """A page as a person wrote it."""
    return re.sub(r"<!-- begin: .*?<!-- end: [a-z ]+ -->", "", text, flags=re.DOTALL)


def blocks(text: str, *languages: str) -> list[str]:
    """The code blocks of a page in these languages, without the indent of a list."""
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [body.replace(f"\n{indent}", "\n").strip() for indent, name, body in found
            if name in languages]  # fmt: skip


def commands_of(page: Path) -> Iterator[list[str]]:
    """The words of every command line `reelsheet …` that a page or a script shows."""
    text = page.read_text("utf-8")
    if page.suffix == ".md":
        lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
        lines += re.findall(r"`(reelsheet [^`]+)`", text)
    else:
        called = re.sub(r'"(?:\$reelsheet|%REELSHEET%)"', "reelsheet", text)
        lines = [line.strip() for line in called.splitlines()]
    for line in lines:
        if line.startswith("reelsheet "):
            said = re.split(r"&|;|>>", line.replace("\\", "/"))[0]
            yield shlex.split(said, comments=True)[1:]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_generated_parts_are_what_the_code_says(page: Path) -> None:
    """A table or help text of a page is that of this very version of the program."""
    text = page.read_text("utf-8")
    assert text == refreshed(text), "run: python -m docs.generate"


@pytest.mark.parametrize("path", FILES)
def test_generated_files_are_what_the_code_says(path: str) -> None:
    """The same for files of programs."""
    assert (ROOT / path).read_text("utf-8") == FILES[path](), "run: python -m docs.generate"


@each_page
def test_every_marker_has_its_partner(page: Path) -> None:
    """A part without an end would silently never be brought up to date."""
    text = page.read_text("utf-8")
    assert len(re.findall(r"<!-- (?:begin|end)", text)) == 2 * len(parts_of(text))


def test_every_part_stands_on_a_page() -> None:
    """What is generated is shown somewhere."""
    shown = {name for page in pages() for name in parts_of(page.read_text("utf-8"))}
    assert shown == set(PARTS)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to another page or file of the repository, and to a heading, is good."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file.read_text("utf-8")), f"{page.name}: {target}"


@each_page
def test_paths_that_are_named_exist(page: Path) -> None:
    """A file or folder of the repository that a page names is there."""
    tops = "|".join(map(re.escape, TOP))
    text = without_parts(page.read_text("utf-8"))
    for path in re.findall(rf"(?<![\w/.\-])(?:{tops})/[\w./\-]*", text):
        named = path.rstrip("./")
        made = named in MADE_BY_THE_USER or named.startswith(".venv")
        assert made or (ROOT / named).exists(), f"{page.name}: {path}"


@each_page
def test_command_lines_are_understood(page: Path) -> None:
    """Every `reelsheet …` that a page shows names a command and options that exist."""
    for words in commands_of(page):
        name, *arguments = words
        if name in {"--version", "--install-completion"}:
            continue
        command = command_tree().commands[name]
        if not arguments or "--help" in arguments:
            continue
        if name == "emulate":
            settings_from(emulate_parser().parse_args(arguments))
            continue
        context = command.make_context(name, arguments)
        load(None, environ={}, overrides=context.params.get("sets") or ())


def test_no_help_text_names_a_type_of_python() -> None:
    """Arguments and options are named by what stands for them: FILE, KEY, MANIFEST."""
    shown = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert not re.findall(r"<(?:list\[)?(?:str|int|float|path|Path|text)\b", shown)
    assert "Usage: reelsheet plan [OPTIONS] MANIFEST…" in shown


def test_the_page_for_programs_names_every_argument() -> None:
    """What `run` takes, and what progress tells."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    table = page.partition("| argument | means |")[2].partition("## ")[0]
    told = set(re.findall(r"^\| `(\w+)=", table, re.MULTILINE))
    assert told == {*RunOptions.__optional_keys__, "on_progress"}
    assert {one.name for one in fields(RunProgress)} <= set(re.findall(r"`(\w+)`", table))


def test_the_pages_show_every_command() -> None:
    """The command lines that the pages show are found at all, for all commands but a few."""
    shown = {words[0] for page in pages() for words in commands_of(page)}
    assert shown >= {"init", "check", "plan", "run", "retry", "resolve", "report", "emulate"}


@each_page
def test_settings_that_are_shown_are_settings(page: Path, tmp_path: Path) -> None:
    """Every piece of configuration that a page shows is taken as it stands."""
    for block in blocks(page.read_text("utf-8"), "yaml"):
        file = tmp_path / "config.yaml"
        file.write_text(block, encoding="utf-8")
        load(file, environ={})


def test_make_targets_exist() -> None:
    """Every `make …` that a page shows is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in pages():
        for block in blocks(page.read_text("utf-8"), "sh"):
            assert set(re.findall(r"^make ([a-z]+)", block, re.MULTILINE)) <= targets


def test_the_page_of_exit_codes_names_every_one() -> None:
    """The table of exit codes is that of the program, with something to do on each."""
    found = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", EXITS, re.MULTILINE)
    assert {int(code): text for code, text, _ in found} == {
        int(code): text for code, text in EXIT_CODES.items()
    }
    assert set(EXIT_CODES) == set(ExitCode)


def test_the_page_orders_exit_codes_as_the_program_does() -> None:
    """Of two codes that the page gives in its order of gravity, the program takes the first."""
    said = re.search(r"the most serious is given: ([\d, or]+)\.", EXITS)
    assert said is not None
    order = [ExitCode(int(code)) for code in re.findall(r"\d+", said[1])]
    assert {*order, ExitCode.DONE} == set(ExitCode)
    assert all(highest(pair) is pair[0] for pair in pairwise(order))


def test_the_page_for_developers_lists_every_module() -> None:
    """Who reads the list has the whole of `ls pipeline/`, each once."""
    there = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    there |= {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    listed = re.findall(r"^(\w+(?:\.py|/)) +\S", DEVELOP, re.MULTILINE)
    assert sorted(listed) == sorted(there)


def test_the_page_for_developers_shows_the_demo_of_this_example() -> None:
    """The output that is shown is of as many rows as the example has."""
    rows = (ROOT / "manifests" / "example.csv").read_text("utf-8").strip().splitlines()
    assert f"manifests/example.xlsx: {len(rows) - 1} rows;" in DEVELOP


def test_the_readme_is_short() -> None:
    """It is for the first quarter of an hour; the rest stands in docs/."""
    assert len(README.encode()) <= LONGEST_README


def test_every_page_can_be_found() -> None:
    """The index of docs/ leads to each of its pages, by what one wants to do."""
    folder = ROOT / "docs"
    index = (folder / "README.md").read_text("utf-8")
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", index))
    assert listed == {page.name for page in folder.glob("*.md")} - {"README.md"}, (
        "add it to the index"
    )


@each_page
def test_a_page_begins_with_what_one_wants_to_do(page: Path) -> None:
    """Who opens a page sees in its first sentence whether it is the one they need."""
    if page.parent.name == "docs" and page.name != "README.md":
        begins = r"# .+\n\n\*\*You want to\*\* "
        assert re.match(begins, page.read_text("utf-8")), 'begin it with "**You want to** \u2026"'


def test_the_wheel_is_called_as_it_is_built() -> None:
    """Who pastes a line to install gets this very version."""
    wheel = f"reelsheet-{pipeline.__version__}-py3-none-any.whl"
    for page in (README, (ROOT / "docs" / "install.md").read_text("utf-8")):
        assert {*re.findall(r"reelsheet-[\d.]+-\S+?\.whl", page)} == {wheel}


@each_page
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    """What is written down is true on every machine."""
    assert not re.search(r"/(?:tmp|root|home|work|Users)/", page.read_text("utf-8"))
