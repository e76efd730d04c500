"""`reelsheet export` from the command line: what it says, and how it ends."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import obstore
import pytest

from pipeline.errors import ExitCode, StoreError, UsageError
from pipeline.manifest.wording import quote_name
from pipeline.storage.bucket import BucketPlace
from tests.cli.conftest import Command
from tests.export.goods import draw
from tests.review.shop import Shop, make_shop
from tests.system.harness.bucket import Bucket, Faults


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    shop = make_shop(tmp_path)
    for key in ("MUG", "BAG", "TEA"):
        shop.make(key)
    draw(shop)
    return shop


def test_what_was_done_and_what_is_left_is_said(shop: Shop, reelsheet: Command) -> None:
    """Undecided rows are counted and end with 1; nothing is refused."""
    reelsheet("review", shop.manifest, "--approve", "MUG", "--reject", "TEA")
    ended = reelsheet("export", shop.manifest, "--to", "folder")
    assert ended.exit_code == ExitCode.NEEDS_USER
    folder = Path("outputs/shop.rehearsal/approved")
    assert ended.stdout.splitlines() == [
        f"handed over: 1 video (1 new), in {folder}",
        f"table: {folder / 'media.csv'}",
        f"table: {folder / 'left_out.csv'}",
    ]
    assert "not handed over: 1 undecided, 1 rejected; see left_out.csv" in ended.stderr
    assert f"to judge them: reelsheet review {quote_name(str(shop.manifest))}" in ended.stderr
    assert "this is a rehearsal" in ended.stderr
    reelsheet("review", shop.manifest, "--approve", "BAG")
    ended = reelsheet("export", shop.manifest)
    assert ended.exit_code == 0
    assert "handed over: 2 videos (1 as before, 1 new)" in ended.stdout


def test_changes_are_told_by_their_rows(shop: Shop, reelsheet: Command) -> None:
    """What was replaced, what was removed, and what could not be handed over."""
    reelsheet("review", shop.manifest, "--approve", "MUG,BAG,TEA")
    assert reelsheet("export", shop.manifest).exit_code == 0
    shop.make("MUG", 2)
    draw(shop)
    reelsheet("review", shop.manifest, "--approve", "MUG", "--reject", "BAG")
    (shop.folder.approved / "TEA" / "TEA.mp4").write_bytes(b"mine")
    ended = reelsheet("export", shop.manifest)
    assert ended.exit_code == ExitCode.NEEDS_USER
    assert "replaced: MUG, take 2 in place of take 1" in ended.stdout
    assert "removed: BAG, take 1: it is not approved any more" in ended.stdout
    assert "TEA: " in ended.stderr
    assert "was changed since" in ended.stderr


def test_what_was_handed_over_unjudged_is_not_called_unapproved(
    shop: Shop, reelsheet: Command
) -> None:
    """Once only approved takes are asked for again, the others go, and it is said why."""
    reelsheet("review", shop.manifest, "--approve", "MUG,TEA")
    assert reelsheet("export", shop.manifest, "--all").exit_code == 0
    reelsheet("review", shop.manifest, "--reopen", "TEA")
    ended = reelsheet("export", shop.manifest)
    assert "removed: BAG, take 1: nobody has judged it" in ended.stdout
    assert "removed: TEA, take 1: it is not approved any more" in ended.stdout


def test_what_is_typed_into_the_results_counts(shop: Shop, reelsheet: Command) -> None:
    """Without any command in between: each of them reads it back at its start."""
    reelsheet("report", shop.manifest)
    results = shop.folder.root / "results.csv"
    with results.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    at = lines[0].index("review")
    lines[1][at], lines[2][at] = "ok", "nein"
    with results.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines)
    ended = reelsheet("export", shop.manifest)
    assert "handed over: 1 video" in ended.stdout
    assert "not handed over: 1 undecided, 1 rejected" in ended.stderr


def test_a_document_for_programs(shop: Shop, reelsheet: Command) -> None:
    """And nothing else on standard output."""
    reelsheet("review", shop.manifest, "--approve", "MUG")
    ended = reelsheet("export", shop.manifest, "--json", "--to", "google")
    told = json.loads(ended.stdout)
    assert ended.exit_code == ExitCode.NEEDS_USER
    assert (told["handed_over"], told["new"], told["same"], told["undecided"]) == (1, 1, 0, 2)
    assert (told["rehearsal"], told["unwritten"], told["faults"]) == (True, ["google"], [])
    assert "no table for google: it needs the address" in ended.stderr


def test_what_cannot_be_exported_is_refused(shop: Shop, reelsheet: Command) -> None:
    """A file with some of the rows, a manifest that was never run, an unknown format."""
    part = shop.folder.root / "failed.csv"
    part.write_text(shop.manifest.read_text())
    ended = reelsheet("export", part)
    assert isinstance(ended.exception, UsageError)
    assert "only those rows" in ended.exception.message
    Path("new.csv").write_text("sku,prompt\nA,B\n")
    ended = reelsheet("export", "new.csv")
    assert isinstance(ended.exception, UsageError)
    assert "no journal" in ended.exception.message
    assert str(ended.exception.action).endswith("make its videos first: reelsheet run new.csv")
    ended = reelsheet("export", ".")
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.message == ". is a folder."
    assert reelsheet("export", shop.manifest, "--to", "amazon").exit_code == ExitCode.USAGE
    assert not shop.folder.approved.exists()


def test_an_option_of_a_table_that_is_not_asked_for_is_refused(
    shop: Shop, reelsheet: Command
) -> None:
    """Whoever names the field of a plugin would wait for it in vain."""
    wrong = reelsheet("export", shop.manifest, "--meta-key", "_video").exception
    assert isinstance(wrong, UsageError)
    assert "Add --to woocommerce" in str(wrong.action)


def test_a_bucket_that_says_nothing_is_waited_for_once(
    tmp_path: Path,
    bucket: Bucket,
    faults: Faults,
    reelsheet: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not for each poster, and each video after it; what was handed over before stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(BucketPlace.__init__.__kwdefaults__ or {}, "timeout_s", 1.0)
    shop, address = make_shop(tmp_path), f"s3://{bucket.name}/shop"
    for key in ("MUG", "BAG", "TEA"):
        video = shop.make(key, place=address)
        obstore.put(bucket.store(), f"shop/{key}.mp4", shop.folder.videos / video.name)
    draw(shop)
    reelsheet("review", shop.manifest, "--approve", "MUG")
    assert reelsheet("export", shop.manifest).exit_code == ExitCode.NEEDS_USER
    assert reelsheet("review", shop.manifest, "--share", "all.zip").exit_code == 0
    reelsheet("review", shop.manifest, "--approve", "BAG,TEA")
    shutil.rmtree(shop.folder.posters)
    handed, packed = shop.folder.approved / "MUG" / "MUG.mp4", Path("all.zip").read_bytes()
    faults.fault, faults.methods = "freeze", ("GET", "HEAD")
    for words in (("export",), ("review", "--share", "all.zip")):
        faults.seen.clear()
        ended = reelsheet(words[0], shop.manifest, *words[1:])
        assert len(faults.seen) == 1
        error = ended.exception
        assert isinstance(error, StoreError)
        assert error.exit_code == ExitCode.UNFINISHED
        assert f"The bucket {address} does not answer" in error.message
        assert "(it was given 1 s)" in error.message
        assert error.action == "Run again later: nothing paid for is lost."
    assert handed.is_file()
    assert Path("all.zip").read_bytes() == packed
