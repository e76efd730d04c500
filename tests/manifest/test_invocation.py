"""A suggested command names all that the user named, and can be pasted."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipeline.cli.options import split_list
from pipeline.manifest.invocation import Invocation, quoted_option


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
