"""Several manifests: `check`, `plan` and `status` show each, then all together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import ExitCode
from pipeline.writer.outcome import code_of_several
from tests.cli.conftest import Command

PRICE = ("--set", "budget.price_per_second=0.5")


@pytest.fixture
def two(manifest: Path) -> tuple[Path, Path]:
    """A second manifest beside the one with a broken row; the keys are partly the same."""
    other = manifest.with_name("other.csv")
    text = "sku,prompt,duration\nMUG,A red mug turns.,4\nCUP,A cup turns.,6\n"
    other.write_text(text, encoding="utf-8")
    return manifest, other


def test_a_check_shows_the_problems_of_each(two: tuple[Path, Path], reelsheet: Command) -> None:
    """Each under its name; the exit code says that some manifest has any."""
    ended = reelsheet("check", *two)
    assert ended.exit_code == 2
    assert ended.stdout.splitlines()[0] == "shop.csv:"
    assert "other.csv:\n2 rows, 0 problems." in ended.stdout
    assert reelsheet("check", "other.csv", "other.csv").exit_code == 0
    assert "other.csv:" not in reelsheet("check", *two, "-q").stdout


def test_a_check_gives_a_document_of_each(two: tuple[Path, Path], reelsheet: Command) -> None:
    """Those of single manifests in a list; one that cannot be read has its problem there."""
    ended = reelsheet("check", *two, "missing.csv", "--json")
    assert ended.exit_code == 2
    shop, other, missing = json.loads(ended.stdout)["manifests"]
    assert shop == json.loads(reelsheet("check", two[0], "--json").stdout)
    assert other == json.loads(reelsheet("check", two[1], "--json").stdout)
    assert (missing["manifest"], missing["rows"]) == ("missing.csv", 0)
    assert missing["problems"][0]["severity"] == "error"


def test_a_plan_shows_each_and_the_sum(two: tuple[Path, Path], reelsheet: Command) -> None:
    """Seconds and money add up over all manifests."""
    ended = reelsheet("plan", *two, *PRICE)
    assert ended.exit_code == 0
    assert "to submit: 2 rows, 14 s of video, 7.00 USD" in ended.stdout
    assert "to submit: 2 rows, 10 s of video, 5.00 USD" in ended.stdout
    assert "2 manifests together: 5 rows" in ended.stdout
    assert "to submit: 4 rows, 24 s of video, 12.00 USD" in ended.stdout
    documents = json.loads(reelsheet("plan", *two, *PRICE, "--json").stdout)["manifests"]
    assert [one["cost"]["amount"] for one in documents] == [7.0, 5.0]


def test_keys_belong_to_whichever_manifest_has_them(
    two: tuple[Path, Path], reelsheet: Command
) -> None:
    """One that is in both is meant in both; one that nobody has is refused."""
    both = reelsheet("plan", *two, "--only", "MUG,CUP")
    assert "to submit: 1 row, 4 s of video" in both.stdout
    assert "to submit: 2 rows, 10 s of video" in both.stdout
    refused = reelsheet("plan", *two, "--only", "MUG,TYPO")
    assert "no row has the key TYPO" in str(refused.exception)


def test_a_limit_is_for_all_of_them(two: tuple[Path, Path], reelsheet: Command) -> None:
    """The first manifests get it, in the order in which they are named."""
    documents = json.loads(reelsheet("plan", *two, "--limit", "3", "--json").stdout)["manifests"]
    assert [one["video_seconds"] for one in documents] == [14, 4]
    documents = json.loads(reelsheet("plan", *two, "--limit", "1", "--json").stdout)["manifests"]
    assert [one["video_seconds"] for one in documents] == [4, 0]


@pytest.mark.parametrize("command", ["plan", "status"])
def test_one_that_cannot_be_read_counts_as_one_that_needs_the_user(
    two: tuple[Path, Path], reelsheet: Command, command: str
) -> None:
    """The others are shown; only if there are none, the code says that nothing could be done."""
    ended = reelsheet(command, two[1], "missing.csv")
    assert ended.exit_code == 1
    assert "missing.csv" in ended.stderr
    assert "1 manifest together" in ended.stdout
    assert reelsheet(command, "missing.csv", "gone.csv").exit_code == 2
    document = json.loads(reelsheet(command, two[1], "missing.csv", "--json").stdout)
    assert document["manifests"][1]["exit_code"] == 2
    assert "missing.csv" in document["manifests"][1]["error"]


def test_the_states_of_all_are_added_up(two: tuple[Path, Path], reelsheet: Command) -> None:
    """After those of each manifest."""
    ended = reelsheet("status", *two)
    assert ended.exit_code == 0
    lines = ended.stdout.splitlines()
    together = lines.index("2 manifests together:")
    assert [line.split() for line in lines[together + 1 :]] == [["1", "invalid"], ["4", "waiting"]]
    documents = json.loads(reelsheet("status", ".", "--json").stdout)["manifests"]
    assert [one["manifest"] for one in documents] == ["other.csv", "shop.csv"]


def test_a_folder_gives_the_list_also_of_a_single_manifest(good: Path, reelsheet: Command) -> None:
    """A program that names a folder knows the form of what it gets."""
    (document,) = json.loads(reelsheet("plan", ".", "--json").stdout)["manifests"]
    alone = json.loads(reelsheet("plan", good, "--json").stdout)
    assert document | {"manifest": ""} == alone | {"manifest": ""}


def test_manifests_of_one_name_get_a_folder_each(good: Path, reelsheet: Command) -> None:
    """Also where neither was ever run; it is said, as for one that comes later."""
    beside = Path("b", "shop.csv")
    beside.parent.mkdir()
    beside.write_text("sku,prompt\nTIN,A tin turns.\n", encoding="utf-8")
    ended = reelsheet("plan", good, beside)
    assert ended.exit_code == 0
    assert "outputs/shop.rehearsal belongs to another manifest of that name" in ended.stderr
    assert "the output folder of b/shop.csv is outputs/shop-2.rehearsal" in ended.stderr


def test_two_parts_of_one_folder_do_not_meet(good: Path, reelsheet: Command) -> None:
    """A manifest and its failed.csv have one folder: one of them is left out, and it is said."""
    assert reelsheet("report", good).exit_code == 0
    folder = Path("outputs", "shop.rehearsal")
    (folder / "journal.db").touch()
    (folder / "failed.csv").write_text("sku,prompt\nMUG,A mug.\n", encoding="utf-8")
    ended = reelsheet("plan", good, folder / "failed.csv")
    assert ended.exit_code == 1
    assert "have the same output folder" in ended.stderr


@pytest.mark.parametrize(
    ("worked", "refused", "code"),
    [
        ([0, 0], [], 0),
        ([0], [2], 1),
        ([0], [75], 1),
        ([0, 2], [], 1),
        ([3, 0], [2], 3),
        ([2], [75], 75),
        ([], [2, 75], 75),
        ([], [2, 2], 2),
        ([4, 1], [5], 4),
        ([130], [75], 130),
    ],
)
def test_the_most_serious_code_counts(worked: list[int], refused: list[int], code: int) -> None:
    """2 and 75 only if nothing could be done for any of them."""
    assert code_of_several(list(map(ExitCode, worked)), map(ExitCode, refused)) == code
