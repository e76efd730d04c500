"""`reelsheet check`: what it prints, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
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


def test_many_problems_are_grouped_and_all_are_at_hand(manifest: Path, reelsheet: Command) -> None:
    """400 empty prompts are one line; -v shows each, and --json has each beside the groups."""
    rows = "".join(f"K{row},,5\n" for row in range(400))
    manifest.write_text(f"sku,prompt,duration\n{rows}MUG,A mug.,7\n", encoding="utf-8")
    lines = reelsheet("check", manifest).stdout.splitlines()
    durations, prompts, *others = lines
    assert durations == (
        "shop.csv:2: error: 401 problems, rows 2, 3, 4, 5, 6 and 396 more, column duration, "
        'for example: The duration "5" is not possible. Write 4, 6 or 10 seconds, or leave the '
        "cell empty for 6."
    )
    assert prompts == (
        "shop.csv:2: error: 400 problems, rows 2, 3, 4, 5, 6 and 395 more, column prompt: "
        "The prompt is empty. Write what the video should show, or delete the row."
    )
    assert others == [
        "each problem in a line of its own: reelsheet check shop.csv -v",
        "marked in the sheet, each cell with a note: outputs/shop.rehearsal/problems.xlsx",
        "401 rows, 401 of them cannot be sent, 801 problems.",
    ]
    assert len(reelsheet("check", manifest, "-v").stdout.splitlines()) == 803
    document = json.loads(reelsheet("check", manifest, "--json").stdout)
    assert len(document["problems"]) == 801
    assert document["problems_file"] == "outputs/shop.rehearsal/problems.xlsx"
    assert [(one["code"], one["problems"]) for one in document["groups"]] == [
        ("duration_not_allowed", 401),
        ("prompt_empty", 400),
    ]


def test_a_strict_run_groups_them_too(manifest: Path, reelsheet: Command) -> None:
    """What keeps a run from starting is no longer than what a check says."""
    rows = "".join(f"K{row},,6\n" for row in range(400))
    manifest.write_text(f"sku,prompt,duration\n{rows}", encoding="utf-8")
    ended = reelsheet("run", manifest, "--strict")
    assert ended.exit_code == ExitCode.USAGE
    marked, first, *_, last = ended.stderr.splitlines()
    assert marked.endswith("outputs/shop.rehearsal/problems.xlsx")
    assert first.startswith("shop.csv:2: error: 400 problems, rows 2, 3, 4, 5, 6 and 395 more")
    assert last == "400 problems; nothing was sent."
    assert "outputs/shop.rehearsal/problems.xlsx" in reelsheet("plan", manifest, "--strict").stderr


def test_prompts_without_a_number(tmp_path: Path) -> None:
    """`--show-prompts` alone shows five, wherever it stands; with a number as many."""
    manifest = tmp_path / "m.csv"
    manifest.write_text("key,prompt\n" + "".join(f"k{n},Prompt {n} of a mug\n" for n in range(9)))

    def shown(*arguments: str) -> int:
        told = CliRunner().invoke(app, ["check", *arguments])
        assert told.exit_code == 0, told.output
        return str(told.stdout).count("of a mug")

    assert shown(str(manifest), "--show-prompts") == 5
    assert shown("--show-prompts", str(manifest)) == 5
    assert shown("--show-prompts", "2", str(manifest)) == 2
    assert shown(str(manifest), "--show-prompts=3") == 3
    assert shown(str(manifest)) == 0


def test_a_table_of_headers_alone_says_that_it_has_no_rows(
    manifest: Path, reelsheet: Command
) -> None:
    """Whoever has not begun to fill it in wonders about a check that finds nothing."""
    manifest.write_text("sku,prompt\n", encoding="utf-8")
    ended = reelsheet("check", manifest)
    assert "no rows below them" in ended.stdout
    assert ended.stdout.endswith("0 rows, 0 problems, 1 warning.\n")


@pytest.mark.parametrize(
    "words",
    [
        "export",
        "journal verify",
        "journal backup",
        "journal rebuild",
        "resolve --all",
        "prune",
        "status",
    ],
)
def test_a_misspelt_table_is_not_there(manifest: Path, reelsheet: Command, words: str) -> None:
    """Every command says so, with the name that may be meant, and not that a journal is missing."""
    wrong = reelsheet(*words.split(), "shopp.csv")
    assert isinstance(wrong.exception, ManifestError) or words in {"prune", "status"}
    told = f"{wrong.exception} {getattr(wrong.exception, 'action', '')} {wrong.stderr}"
    assert "shopp.csv does not exist." in told
    assert f"Did you mean {manifest}?" in told
