"""`reelsheet check`: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.errors import ExitCode, ManifestError
from tests.cli.conftest import Command


def test_problems_are_lines_that_name_their_place(manifest: Path, reelsheet: Command) -> None:
    """File, row, cell, column, sentence, key; then how many there are, and exit code 2."""
    ended = reelsheet("check", manifest)
    assert ended.exit_code == ExitCode.USAGE
    problem, total = ended.stdout.splitlines()
    assert problem.startswith("shop.csv:4: error: ")
    assert "column prompt" in problem
    assert problem.endswith("(key TEA)")
    assert total == "3 rows, 1 of them cannot be sent, 1 problem."


def test_a_good_manifest_ends_with_0(good: Path, reelsheet: Command) -> None:
    """Only the total is printed."""
    ended = reelsheet("check", good)
    assert (ended.exit_code, ended.stdout) == (0, "2 rows, 0 problems.\n")


def test_quietly_only_problems_are_printed(manifest: Path, reelsheet: Command) -> None:
    """With --quiet the total is left out."""
    assert len(reelsheet("check", manifest, "--quiet").stdout.splitlines()) == 1


def test_json_has_everything_once(manifest: Path, reelsheet: Command) -> None:
    """One document, with the problem's parts by name; prompts only if asked for."""
    ended = reelsheet("check", manifest, "--json")
    document = json.loads(ended.stdout)
    assert ended.exit_code == ExitCode.USAGE
    assert (document["rows"], document["valid"]) == (3, 2)
    (problem,) = document["problems"]
    assert (problem["row"], problem["column"], problem["key"]) == (4, "prompt", "TEA")
    assert "prompts" not in document


def test_prompts_are_shown_as_they_would_be_sent(manifest: Path, reelsheet: Command) -> None:
    """The first N of the rows that can be sent, with row and key."""
    ended = reelsheet("check", manifest, "--show-prompts", "1")
    assert ended.stdout.splitlines()[0] == "row 2 (key MUG): A mug turns."
    document = json.loads(reelsheet("check", manifest, "--show-prompts", "9", "--json").stdout)
    assert [prompt["key"] for prompt in document["prompts"]] == ["MUG", "BAG"]


def test_a_file_that_cannot_be_read_is_one_problem_of_the_document(
    manifest: Path, reelsheet: Command
) -> None:
    """With --json it is a document all the same, without it an error."""
    manifest.write_bytes(b"")
    ended = reelsheet("check", manifest, "--json")
    assert ended.exit_code == ExitCode.USAGE
    document = json.loads(ended.stdout)
    assert document["rows"] == 0
    assert document["problems"][0]["row"] is None
    assert isinstance(reelsheet("check", manifest).exception, ManifestError)
