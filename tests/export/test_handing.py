"""What lies in the folder of what is handed over: the approved takes, byte for byte."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.disk.lock import run_lock
from pipeline.errors import ExitCode, RunLocked, StoreError
from pipeline.export.choice import Standing
from pipeline.export.exporting import Wish
from pipeline.export.handing import Change
from pipeline.export.publicaddress import PublicAddress
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.reading import read_entries
from pipeline.model import State
from pipeline.planner.plan import FILE_LOST, Action
from pipeline.planner.planner import plan_manifest
from pipeline.planner.selection import Selection
from pipeline.writer.publish import results_of
from tests.export.goods import draw, files_in, hand, judge, notes_of
from tests.review.shop import Shop, make_shop
from tests.security.disk import resize, small_disk


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.make("BAG")
    draw(shop)
    return shop


def test_approved_takes_are_copied_byte_for_byte(shop: Shop) -> None:
    """With their posters; a rejected one and one that nobody judged are not, and both are told."""
    judge(shop, "approve", "MUG")
    done = hand(shop)
    there = files_in(done.folder)
    assert there.keys() == {"MUG/MUG.mp4", "MUG/MUG.jpg", "media.csv", "left_out.csv"}
    assert there["MUG/MUG.mp4"] == (shop.folder.videos / "MUG.mp4").read_bytes()
    assert there["MUG/MUG.jpg"] == b"still of MUG.1.jpg"
    assert done.standings == {Standing.UNDECIDED: 1, Standing.NO_VIDEO: 1}
    assert not done.complete
    (line,) = csv.DictReader(there["media.csv"].decode("utf-8-sig").splitlines())
    assert (line["key"], line["file"]) == ("MUG", "MUG/MUG.mp4")
    assert (line["approved_by"], line["approved_at"]) == ("Ada", "1970-01-01T00:29:24Z")
    assert (line["title"], line["take"], line["ai_generated"]) == ("The MUG", "1", "rehearsal")
    assert "BAG,3,,nobody has judged its take" in there["left_out.csv"].decode()


def test_all_takes_what_is_open_and_never_what_was_rejected(shop: Shop) -> None:
    """`--all` is for a first look in the shop."""
    judge(shop, "reject", "MUG")
    done = hand(shop, Wish(undecided=True))
    assert "BAG/BAG.mp4" in files_in(done.folder)
    assert "MUG/MUG.mp4" not in files_in(done.folder)
    assert done.complete
    assert done.media[0].cells[12:14] == ("", "")


def test_the_address_of_a_video_is_that_of_its_copy_or_its_own(shop: Shop) -> None:
    """Where `approved` will be on the web, else where others reach what lies in a bucket."""
    judge(shop, "approve", "MUG")
    linked = {"videos/MUG.mp4": "https://films.example/shop/MUG.mp4"}.get
    (medium,) = hand(shop, Wish(linked=linked)).media
    assert medium.cells[-1] == "https://films.example/shop/MUG.mp4"
    address = PublicAddress.read("https://cdn.example/v")
    (medium,) = hand(shop, Wish(linked=linked, address=address)).media
    assert medium.cells[-1] == "https://cdn.example/v/MUG/MUG.mp4"


def test_a_second_export_changes_nothing(shop: Shop) -> None:
    """Not a byte, not a file's time, not a note in the journal."""
    judge(shop, "approve", "MUG", "BAG")
    wish = Wish(tables=("shopify",))
    folder = hand(shop, wish).folder
    before, notes = files_in(folder), notes_of(shop)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    done = hand(shop, wish)
    assert done.changes == {Change.SAME: 2}
    assert files_in(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times
    assert notes_of(shop) == notes


def test_a_new_approved_take_replaces_the_earlier_one(shop: Shop) -> None:
    """Under the same name; as long as nobody has judged the new one the approved one stays."""
    judge(shop, "approve", "MUG")
    hand(shop)
    second = shop.make("MUG", 2)
    draw(shop)
    done = hand(shop)
    assert done.changes == {Change.SAME: 1}
    assert done.handed.delivered[0].chosen.newer
    judge(shop, "approve", "MUG")
    done = hand(shop)
    assert done.changes == {Change.REPLACED: 1}
    there = files_in(done.folder)
    assert there["MUG/MUG.mp4"] == (shop.folder.videos / second.name).read_bytes()
    assert there["MUG/MUG.jpg"] == b"still of MUG-2.2.jpg"


def test_a_take_that_is_rejected_afterwards_is_removed(shop: Shop) -> None:
    """Its folder goes with it, unless somebody else has put something there."""
    judge(shop, "approve", "MUG", "BAG")
    folder = hand(shop).folder
    (folder / "BAG" / "mine.txt").write_text("mine")
    judge(shop, "reject", "MUG", "BAG")
    done = hand(shop)
    assert [one.row.key for one, _ in done.handed.removed] == ["MUG", "BAG"]
    assert files_in(folder).keys() == {"BAG/mine.txt", "media.csv", "left_out.csv"}
    assert not (folder / "MUG").exists()
    assert hand(shop).handed.removed == []


def test_what_no_export_put_there_is_never_touched(shop: Shop) -> None:
    """A video of that name, a changed one, a folder, a link: each is told, and the others go on."""
    judge(shop, "approve", "MUG", "BAG")
    folder = hand(shop).folder
    (folder / "MUG" / "MUG.mp4").write_bytes(b"cut by hand")
    judge(shop, "reject", "MUG")
    done = hand(shop)
    ((row, why),) = done.faults
    assert row.key == "MUG"
    assert "was changed since" in why
    assert (folder / "MUG" / "MUG.mp4").read_bytes() == b"cut by hand"
    assert not done.complete
    judge(shop, "approve", "MUG")
    assert len(hand(shop).faults) == 1
    (folder / "MUG" / "MUG.mp4").unlink()
    assert hand(shop).faults == ()


def test_a_link_in_the_place_is_not_followed(shop: Shop, tmp_path: Path) -> None:
    """Neither at the file nor at its folder; one in the place of all is an error of the disk."""
    judge(shop, "approve", "MUG", "BAG")
    folder, elsewhere = shop.folder.approved, tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "BAG").mkdir(parents=True)
    (folder / "MUG").symlink_to(elsewhere)
    (folder / "BAG" / "BAG.mp4").symlink_to(elsewhere / "BAG.mp4")
    done = hand(shop)
    assert {row.key: why.split(" that ")[0].split(" was ")[0] for row, why in done.faults} == {
        "MUG": f"{folder / 'MUG'} is a link",
        "BAG": str(folder / "BAG" / "BAG.mp4"),
    }
    assert not any(elsewhere.iterdir())
    folder.rename(tmp_path / "aside")
    folder.symlink_to(elsewhere)
    with pytest.raises(StoreError, match="is a link to another place"):
        hand(shop)
    folder.unlink()
    folder.write_text("no folder")
    with pytest.raises(StoreError, match=str(folder)):
        hand(shop)


def test_a_missing_and_a_damaged_video_are_told(shop: Shop) -> None:
    """The other rows go on; nothing that was not verified leaves."""
    third = shop.make("TEA")
    judge(shop, "approve", "MUG", "BAG", "TEA")
    (shop.folder.videos / "MUG.mp4").unlink()
    (shop.folder.videos / "BAG.mp4").write_bytes(b"another film")
    done = hand(shop)
    whys = {row.key: why for row, why in done.faults}
    assert whys["MUG"].startswith("its video videos/MUG.mp4 is gone. Put it back")
    assert "is not the file that was verified" in whys["BAG"]
    videos = [name for name in files_in(done.folder) if name.endswith(".mp4")]
    assert videos == ["TEA/TEA.mp4"]
    assert done.media[0].delivered.take.video == third


def test_a_row_stays_done_when_its_file_goes_after_the_handover(shop: Shop) -> None:
    """A warning of the row says so; without the handover it would be downloaded again, or lost."""
    judge(shop, "approve", "MUG")
    hand(shop)
    for name in ("MUG.mp4", "BAG.mp4"):
        (shop.folder.videos / name).unlink()
    checked, entries = shop.check(), read_entries(shop.folder.journal)
    plan = plan_manifest(checked, entries, shop.folder, Selection(), wall=1764230400.0)
    steps = {step.key: step for step in plan.steps}
    assert steps["BAG"].action is Action.TAKE_UP
    late = plan_manifest(checked, entries, shop.folder, Selection(), wall=1864230400.0)
    results = {one.row: one for one in results_of(checked, late, entries)}
    assert results[3].state is State.DONE
    assert results[3].warnings == (FILE_LOST,)
    for one in (plan, late):
        result = results_of(checked, one, entries)[0]
        assert result.state is State.DONE
        assert result.warnings == ("its video was handed over, and its file here is gone",)
        assert next(step for step in one.steps if step.key == "MUG").action is Action.LEAVE
    assert hand(shop).changes == {Change.SAME: 1}


def test_the_last_copy_of_a_video_is_put_back_before_it_goes(shop: Shop) -> None:
    """What was paid for is never lost: not by a rejection, not by a new take."""
    judge(shop, "approve", "MUG", "BAG")
    hand(shop)
    before = files_in(shop.folder.videos)
    for path in shop.folder.videos.iterdir():
        path.unlink()
    shop.make("BAG", 2)
    draw(shop)
    judge(shop, "reject", "MUG")
    judge(shop, "approve", "BAG")
    done = hand(shop)
    assert done.handed.restored == ["videos/MUG.mp4", "videos/BAG.mp4"]
    there = files_in(shop.folder.videos)
    assert {name: there[name] for name in before} == before
    assert "MUG/MUG.mp4" not in files_in(done.folder)


def test_a_renamed_row_moves(shop: Shop) -> None:
    """Its folder has the key that people see now."""
    judge(shop, "approve", "MUG")
    hand(shop)
    shop.rename("MUG", "CUP")
    done = hand(shop)
    assert done.changes == {Change.MOVED: 1}
    videos = [name for name in files_in(done.folder) if name.endswith(".mp4")]
    assert videos == ["CUP/CUP.mp4"]


def test_a_row_that_left_the_manifest_keeps_what_was_handed_over(shop: Shop) -> None:
    """Nobody said that it is wrong; it is told that it has no line in the tables."""
    judge(shop, "approve", "MUG", "BAG")
    hand(shop)
    text = shop.manifest.read_text()
    shop.manifest.write_text("".join(line for line in text.splitlines(True) if "BAG" not in line))
    done = hand(shop)
    assert done.handed.left == 1
    assert "BAG/BAG.mp4" in files_in(done.folder)


@pytest.mark.process
def test_the_disk_is_full(tmp_path: Path) -> None:
    """It is said as such; what is there by then is whole, noted, and gone on from."""
    shop = make_shop(tmp_path)
    for key in ("MUG", "BAG"):
        shop.make(key, content=bytes(150_000))
    judge(shop, "approve", "MUG", "BAG")
    with small_disk(shop.folder.approved, "200k") as disk:
        with pytest.raises(StoreError, match="the disk is full") as failed:
            hand(shop)
        assert failed.value.exit_code == ExitCode.UNFINISHED
        assert list(files_in(disk)) == ["MUG/MUG.mp4"]
        assert [one.entry for one in notes_of(shop)] == ["MUG"]
        resize(disk, "600k")
        assert hand(shop).changes == {Change.SAME: 1, Change.NEW: 1}


def test_a_folder_takes_nothing_in_between(shop: Shop) -> None:
    """What is there by then is noted, and the next export goes on from there."""
    judge(shop, "approve", "MUG", "BAG")
    (shop.folder.approved / "BAG").mkdir(parents=True)
    (shop.folder.approved / "BAG" / ".BAG.mp4.part").mkdir()  # nothing can be written beside
    with pytest.raises(StoreError, match=r"BAG\.mp4"):
        hand(shop)
    assert [one.entry for one in notes_of(shop)] == ["MUG"]
    (shop.folder.approved / "BAG" / ".BAG.mp4.part").rmdir()
    assert hand(shop).changes == {Change.SAME: 1, Change.NEW: 1}


def test_an_export_that_was_killed_before_its_note_knows_its_files(shop: Shop) -> None:
    """A take of the row that lies there can have come from an export alone."""
    judge(shop, "approve", "MUG")
    hand(shop)
    target = shop.folder.approved / "BAG"
    target.mkdir()
    (target / "BAG.mp4").write_bytes((shop.folder.videos / "BAG.mp4").read_bytes())
    (target / "BAG.jpg").write_bytes(b"still of BAG.1.jpg")
    shop.make("BAG", 2)
    draw(shop)
    judge(shop, "approve", "BAG")
    done = hand(shop)
    assert done.faults == ()
    assert files_in(target)["BAG.jpg"] == b"still of BAG-2.2.jpg"


def test_an_approval_of_another_file_counts_for_nothing(shop: Shop) -> None:
    """The video came anew and is another one: somebody has to look at it."""
    judge(shop, "approve", "MUG")
    with DecisionTable(shop.folder.journal) as table:
        table.add(None, lambda old: [replace(old[-1], sha256="0" * 64, seq=0)])
    assert len(read_decisions(shop.folder.journal)) == 2
    assert hand(shop).standings[Standing.UNDECIDED] == 2


def test_two_exports_do_not_work_in_one_folder(shop: Shop) -> None:
    """They would write to the same names."""
    with run_lock(shop.folder.cache / "export.lock"), pytest.raises(RunLocked):
        hand(shop)
