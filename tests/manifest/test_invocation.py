"""A suggested command names all that the user named, and can be pasted."""

from __future__ import annotations

import ast
import re
import shlex
from contextvars import Context, copy_context
from pathlib import Path

import pytest

import pipeline
from pipeline.cli.options import split_list
from pipeline.manifest.invocation import (
    Invocation,
    account_command,
    note_options,
    quoted_option,
)
from pipeline.manifest.wording import quote_name


def test_all_that_was_named_is_named() -> None:
    """Nothing else is; a shell takes the words apart as they were."""
    assert Invocation(Path("p.csv")).command("check") == "reelsheet check p.csv"
    typed = Invocation(Path("my shop/p.csv"), Path("a b"), "night", Path("c.yaml"))
    words = ["my shop/p.csv", "--out", "a b", "--series", "night", "--config", "c.yaml"]
    assert shlex.split(typed.words) == words
    assert typed.words.startswith('"my shop/p.csv" ')
    for odd in ('a "b"', "$HOME x", "it's a\\b", "a;b", "Käse & Öl.csv", "*", "~"):
        assert shlex.split(Invocation(Path(odd)).words) == [odd]
    command = typed.command("fetch", "--only", "it's")
    assert shlex.split(command) == ["reelsheet", "fetch", *words, "--only", "it's"]
    sets = Invocation(Path("Käse.csv"), sets=("provider=toapis", "a={b: 1}"))
    assert sets.words == 'Käse.csv --set provider=toapis --set "a={b: 1}"'


def test_names_that_look_like_options() -> None:
    """A manifest and a key may begin with a dash, and are no options for it."""
    typed = Invocation(Path("-p.csv"))
    assert typed.command("run") == "reelsheet run ./-p.csv"
    assert typed.command("resolve", "--task-id", "ID", key="-k") == (
        "reelsheet resolve ./-p.csv --task-id ID -- -k"
    )
    assert typed.command("resolve", "--not-sent", key="k") == (
        "reelsheet resolve ./-p.csv k --not-sent"
    )


@pytest.mark.parametrize("key", ["k", "a, b", '"a"', 'a "b", c', "it's", "-k", 'a"b', "ä,", '"'])
def test_a_key_is_one_of_a_list(key: str) -> None:
    """Whatever is in it, a comma or a quote: the command line takes it for one."""
    option, listed = shlex.split(quoted_option("--only", key))
    assert option == "--only"
    assert split_list(listed) == [key]
    assert split_list(f"b, {listed} ,c") == ["b", key, "c"]


def test_a_key_that_is_a_word_of_ours() -> None:
    """It does not stand for all rows: no other is paid for."""
    assert quoted_option("--pay-again", "all") == "--pay-again all --only all"
    assert quoted_option("--redo", "changed") == "--redo changed --only changed"


def test_commands_in_advice() -> None:
    """They alone are completed; THERE is the manifest that the video was bought for."""
    typed = Invocation(Path("p 1.csv"), config=Path("c.yaml"))
    there = typed.elsewhere("/s/q.csv", "/s/out put")
    for advice, said in {
        "Do: reelsheet run MANIFEST --redo KEY.": (
            'Do: reelsheet run "p 1.csv" --config c.yaml --redo "a b".'
        ),
        "MANIFEST KEY: reelsheet retry MANIFEST --states STATE.": (
            'MANIFEST KEY: reelsheet retry "p 1.csv" --config c.yaml --states failed.'
        ),
        "reelsheet resolve MANIFEST KEY --task-id ID, or": (
            'reelsheet resolve "p 1.csv" --config c.yaml "a b" --task-id ID, or'
        ),
        "reelsheet fetch THERE.": ('reelsheet fetch /s/q.csv --out "/s/out put" --config c.yaml.'),
    }.items():
        assert typed.complete(advice, "a b", "failed", there) == said


def test_the_folder_of_a_journal_to_restore() -> None:
    """It is named if it was, or if the manifest's name does not tell it."""
    usual = Invocation(Path("m/p.csv"))
    assert usual.rebuild(Path("outputs/p")) == "reelsheet journal rebuild m/p.csv"
    assert usual.rebuild(Path("outputs/p-2")).endswith(" m/p.csv --out outputs/p-2")
    failed = Invocation(Path("outputs/p/failed.csv"), origin=Path("m/p.csv"))
    assert failed.rebuild(Path("outputs/p")) == "reelsheet journal rebuild m/p.csv"
    named = Invocation(Path("p.csv"), Path("outputs/p"))
    assert named.rebuild(Path("outputs/p")).endswith(" p.csv --out outputs/p")


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("http.proxy=http://me:w0rd@proxy.example:1", "http.proxy=http://proxy.example:1"),
        ("http.proxy=me:w0rd@proxy.example:1", "http.proxy=proxy.example:1"),
        ("http.proxy = 'http://me:w@rd@proxy.example:1'", "proxy.example:1"),
        ("http.proxy=null", "http.proxy=null"),
        ("api.model=a@b", "api.model=a@b"),
    ],
)
def test_the_login_of_a_proxy_is_not_printed(typed: str, printed: str) -> None:
    """Commands are printed and logged, and it belongs to the proxy alone."""
    command = Invocation(Path("m.csv"), sets=(typed,)).command("run")
    assert printed in command
    assert "w0rd" not in command
    assert "rd@" not in command


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        (r"C:\shop\p.csv", r"C:\shop\p.csv"),
        (r"C:\my shop\p.csv", r'"C:\my shop\p.csv"'),
        ("C:\\my shop\\", '"C:\\my shop\\\\"'),
        ("a,b", '"a,b"'),
        ("50%", '"50%"'),
        ("@home", '"@home"'),
        ("it's & Käse!", '"it\'s & Käse!"'),
        ("$5 it's", "'$5 it''s'"),
        ("", '""'),
    ],
)
def test_names_on_windows(name: str, quoted: str) -> None:
    """For cmd.exe and PowerShell; what both read otherwise is for PowerShell, the usual one."""
    assert quote_name(name, windows=True) == quoted


@pytest.mark.parametrize("name", ["=ls", "a\\b", "$x", "!x", "`x`", "#1", "{a,b}", ""])
def test_names_in_a_posix_shell(name: str) -> None:
    """What any shell would read is quoted."""
    quoted = quote_name(name, windows=False)
    assert quoted != name
    assert shlex.split(quoted) == [name]


def test_several_options_and_an_option_to_add() -> None:
    """Each takes its own word."""
    advice = "reelsheet retry MANIFEST --states STATE --only KEY. Or add --only KEY."
    assert Invocation(Path("p.csv")).complete(advice, "a b", "failed") == (
        'reelsheet retry p.csv --states failed --only "a b". Or add --only "a b".'
    )


def test_commands_about_the_account_carry_what_was_named() -> None:
    """The book of another configuration is another book."""

    def say() -> str:
        note_options(Path("my c.yaml"), ["account.name=shop", "http.proxy=http://me:pw@p:1"])
        return account_command("import", "a b/journal.db")

    assert copy_context().run(say) == (
        'reelsheet account import "a b/journal.db" --config "my c.yaml" '
        "--set account.name=shop --set http.proxy=http://p:1"
    )
    plain = Context().run(account_command, "import", "FILE")
    assert plain == "reelsheet account import FILE"


def test_commands_have_one_home() -> None:
    """Whoever prints a command has it made here: elsewhere are only texts to be completed."""
    made = re.compile(
        r"reelsheet (check|plan|run|retry|fetch|status|report|resolve|journal|account)\b"
        r" (?!MANIFEST\b|THERE\b)"
    )
    free = {"cli", "emulator", "authoring"}  # help texts, and a starter that is not there yet
    package = Path(pipeline.__file__).parent
    for path in sorted(package.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        explained = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if path.relative_to(package).parts[0] in free or id(node) in explained:
                continue
            assert not made.search(node.value), (path, node.value)


def test_what_an_error_suggests_last_can_be_copied_to_the_end_of_its_line() -> None:
    """No full stop goes along, but where another sentence of the same message may follow."""
    ends = re.compile(r"\b(?:command|run_into|rebuild)\((?:[^()]|\([^()]*\))*\)\}\.\",")
    package = Path(pipeline.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if ends.search(path.read_text(encoding="utf-8"))
    }
    assert found == {
        "journal/ownership.py", "runner/comparison.py", "runner/forgotten.py",
        "runner/namesakes.py",
    }  # fmt: skip
