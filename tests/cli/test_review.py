"""`reelsheet review` from the command line: decisions by key and by file, and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import ExitCode
from tests.cli.conftest import Command
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.make("BAG")
    return shop


def test_keys_are_decided(shop: Shop, reelsheet: Command) -> None:
    """Exit code 0 when each had a video, 1 when one had none, 2 when one is unknown."""
    ended = reelsheet(
        "review", shop.manifest, "--approve", "MUG", "--reject", "BAG", "--reason", "other"
    )
    assert ended.exit_code == 0
    assert ended.stdout.startswith("2 decisions recorded in ")
    ended = reelsheet("review", shop.manifest, "--approve", "TEA", "--as", "Ada")
    assert ended.exit_code == ExitCode.NEEDS_USER
    assert "TEA has no finished video" in ended.stderr
    for words in (["--approve", "CUP"], ["--approve", "MUG", "--reject", "MUG"], ["--reason", "x"]):
        assert reelsheet("review", shop.manifest, *words).exception is not None


def test_files_are_written_and_taken_over(shop: Shop, reelsheet: Command) -> None:
    """Each with a line that says how many; what was not taken over is told and ends with 1."""
    reelsheet("review", shop.manifest, "--approve", "MUG", "--as", "Ada")
    ended = reelsheet("review", shop.manifest, "--export", "all.csv")
    assert ended.stdout == "1 decision: all.csv\n"
    ended = reelsheet("review", shop.manifest, "--import", "all.csv")
    assert (ended.exit_code, ended.stdout) == (0, "0 decisions taken over, 1 known already.\n")
    text = Path("all.csv").read_text(encoding="utf-8-sig").replace("approve", "reject")
    Path("hers.csv").write_text(text.replace("Ada", "Eve"), encoding="utf-8")
    ended = reelsheet("review", shop.manifest, "--import", "hers.csv")
    assert ended.exit_code == ExitCode.NEEDS_USER
    assert "conflict: MUG, take 1" in ended.stdout
    assert reelsheet("review", shop.manifest, "--prefer", "hers.csv").exit_code == 0


def test_status_says_what_is_decided(shop: Shop, reelsheet: Command) -> None:
    """Nothing as long as nothing is; a row by its newest take."""
    assert "review" not in reelsheet("status", shop.manifest).stdout
    assert "review" not in json.loads(reelsheet("status", shop.manifest, "--json").stdout)
    reelsheet("review", shop.manifest, "--approve", "MUG", "--as", "Ada")
    told = reelsheet("status", shop.manifest).stdout.splitlines()
    assert "review: 1 approved, 0 rejected, 1 to review" in told
    whole = "2 made, 1 approved, 0 to make again, 1 to look at, 0 need you"
    assert f"the whole job, 3 rows: {whole}" in told
    counted = json.loads(reelsheet("status", shop.manifest, "--json").stdout)["review"]
    assert counted == {"made": 2, "approved": 1, "rejected": 0, "open": 1}
    shop.make("MUG", 2)
    assert (
        "review: 0 approved, 0 rejected, 2 to review" in reelsheet("status", shop.manifest).stdout
    )


def test_several_manifests(shop: Shop, reelsheet: Command, tmp_path: Path) -> None:
    """A key belongs to whichever has it; each gets a file, and takes its own part of a file."""
    (tmp_path / "more").mkdir()
    other = make_shop(tmp_path / "more", "CUP POT", folder="../outputs/more.rehearsal")
    other = replace(other, manifest=other.manifest.rename(tmp_path / "more" / "more.csv"))
    other.make("CUP")
    both = (shop.manifest, other.manifest)
    ended = reelsheet("review", *both, "--approve", "MUG,CUP", "--as", "Ada")
    assert ended.exit_code == 0
    assert ended.stdout.count("1 decision recorded in ") == 2
    assert reelsheet("review", *both, "--approve", "NONE").exception is not None
    Path("files").mkdir()
    assert reelsheet("review", *both, "--export", "files").stdout.count("1 decision: ") == 2
    assert reelsheet("review", *both, "--export", "one.csv").exception is not None
    lines = [
        Path("files", f"decisions-{name}.json").read_text(encoding="utf-8")
        for name in ("shop", "more")
    ]
    documents = [json.loads(line) for line in lines]
    decisions = [
        {**one, "journal": document["journal"], "verdict": "reject", "reviewer": "Ada",
         "at": "2027-01-01T00:00:00Z"}
        for document in documents for one in document["decisions"]
    ]  # fmt: skip
    Path("hers.json").write_text(
        json.dumps({**documents[0], "journal": "", "decisions": decisions}), encoding="utf-8"
    )
    ended = reelsheet("review", shop.manifest, "--import", "hers.json")
    assert ended.stdout.splitlines() == [
        "1 decision taken over, 0 known already.",
        "1 decision in it: about other manifests, not looked at.",
    ]
    ended = reelsheet("review", *both, "--import", "hers.json")
    assert ended.stdout.splitlines() == [
        "0 decisions taken over, 1 known already.",
        "1 decision taken over, 0 known already.",
    ]
    ended = reelsheet("review", *both, "--static")
    assert ended.stdout == f"page: {tmp_path / 'outputs' / 'review.html'}\n"


def test_a_manifest_of_several_that_cannot_be_used(shop: Shop, reelsheet: Command) -> None:
    """Is said, and the others are worked on; alone it is raised."""
    ended = reelsheet("review", shop.manifest, "none.csv", "--approve", "MUG")
    assert ended.exit_code == ExitCode.NEEDS_USER
    assert "1 decision recorded" in ended.stdout
    assert "none.csv" in ended.stderr
    assert reelsheet("review", "none.csv", "--approve", "MUG").exception is not None
