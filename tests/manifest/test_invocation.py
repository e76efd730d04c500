"""A suggested command names all that the user named, and can be pasted."""

from __future__ import annotations

import shlex
from pathlib import Path

from pipeline.manifest.invocation import Invocation


def test_all_that_was_named_is_named() -> None:
    """Nothing else is; a shell takes the words apart as they were."""
    assert Invocation(Path("p.csv")).command("check") == "reelsheet check p.csv"
    typed = Invocation(Path("my shop/p.csv"), Path("a b"), "night", Path("c.yaml"))
    words = ["my shop/p.csv", "--out", "a b", "--series", "night", "--config", "c.yaml"]
    assert shlex.split(typed.words) == words
    assert typed.words.startswith('"my shop/p.csv" ')
    for odd in ('a "b"', "$HOME x", "it's a\\b", "a\tb", "a;b"):
        assert shlex.split(Invocation(Path(odd)).words) == [odd]
    command = typed.command("fetch", "--only", "it's")
    assert shlex.split(command) == ["reelsheet", "fetch", *words, "--only", "it's"]


def test_the_folder_of_a_journal_to_restore() -> None:
    """It is named if it was, or if the manifest's name does not tell it."""
    usual = Invocation(Path("m/p.csv"))
    assert usual.rebuild(Path("outputs/p")) == "reelsheet journal rebuild m/p.csv"
    assert usual.rebuild(Path("outputs/p-2")).endswith(" m/p.csv --out outputs/p-2")
    named = Invocation(Path("p.csv"), Path("outputs/p"))
    assert named.rebuild(Path("outputs/p")).endswith(" p.csv --out outputs/p")
