"""What can be removed of an output folder: never the only copy of what was paid for."""

from __future__ import annotations

import contextlib
import csv
import os
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.disk.folder import OutputFolder
from pipeline.disk.lock import run_lock
from pipeline.errors import StoreError
from pipeline.journal.decisions import read_decisions
from pipeline.journal.handovers import latest_handovers, note_handovers, note_removed, read_removed
from pipeline.journal.reading import read_entries
from pipeline.model import State
from pipeline.planner.plan import Action
from pipeline.planner.planner import plan_manifest
from pipeline.planner.selection import Selection
from pipeline.review.verdicts import latest_of
from pipeline.runner.pruning import Kept, Kind, Pruning, in_words, look, remove
from pipeline.runner.publishing import publish_results
from pipeline.writer.layout import Result
from tests.export.goods import draw, hand, judge
from tests.review.shop import Shop, make_shop

NOW = time.time()
ALL = list(Kind)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path, folder="outputs/shop")
    for key in ("MUG", "BAG"):
        shop.make(key)
    draw(shop)
    return shop


def names(found: Pruning) -> list[str]:
    return sorted(one.path.name for one in found.items)


def kept(found: Pruning) -> Counter[Kept]:
    counts: Counter[Kept] = Counter()
    for (_, why), number in found.kept.items():
        counts[why] += number
    return counts


def there(folder: OutputFolder) -> set[str]:
    return {one.name for one in folder.videos.iterdir()}


def age(path: Path, days: float = 60) -> None:
    os.utime(path, (NOW - days * 86_400,) * 2)


def test_the_only_copy_of_what_was_paid_for_stays(shop: Shop) -> None:
    """Approved or not; what the journal does not know stays as well."""
    judge(shop, "approve", "MUG")
    (shop.folder.videos / "mine.mp4").write_bytes(b"mine")
    found = look(shop.folder, ALL, NOW)
    assert found.items == []
    assert kept(found) == {Kept.CHOSEN: 2, Kept.UNKNOWN: 1}
    assert remove(found, NOW) == []


def test_a_take_goes_in_whose_place_a_later_one_was_chosen(shop: Shop) -> None:
    """As long as that one is there; what was approved stays; the journal notes what went."""
    for key in ("MUG", "BAG"):
        shop.make(key, 2)
    first = look(shop.folder, ALL, NOW)
    assert names(first) == ["BAG.mp4", "MUG.mp4"]
    assert look(shop.folder, ALL, NOW - 10 * 365 * 86_400).items == []
    assert look(shop.folder, [Kind.LOGS, Kind.PARTS], NOW).items == []
    (shop.folder.videos / "BAG-2.mp4").write_bytes(b"another")
    second = look(shop.folder, ALL, NOW)
    assert names(second) == ["MUG.mp4"]
    assert kept(second)[Kept.CHOSEN_GONE] == 1
    remove(second, 7.0)
    assert there(shop.folder) == {"MUG-2.mp4", "BAG.mp4", "BAG-2.mp4"}
    assert read_removed(shop.folder.journal) == {("MUG", 1): 7.0}
    assert look(shop.folder, ALL, NOW).items == []
    note_removed(shop.folder.journal, {}, 8.0)
    with pytest.raises(StoreError, match="deleted"):
        note_removed(shop.folder.root / "gone.db", {("MUG", 1): "MUG.mp4"}, 8.0)


def test_an_approved_take_stays_whatever_came_after_it(shop: Shop) -> None:
    """A newer one, a rejected one; an approved one that a newer approved one replaced, too."""
    judge(shop, "approve", "MUG", "BAG")
    for key in ("MUG", "BAG"):
        shop.make(key, 2)
    judge(shop, "reject", "BAG")
    assert look(shop.folder, ALL, NOW).items == []
    judge(shop, "approve", "MUG")
    found = look(shop.folder, ALL, NOW)
    assert found.items == []
    assert kept(found)[Kept.APPROVED] == 1


def test_a_video_that_was_handed_over_goes_as_long_as_its_copy_is_whole(shop: Shop) -> None:
    """Its row is done, without a warning, and nothing is bought again."""
    judge(shop, "approve", "MUG", "BAG")
    hand(shop)
    assert look(shop.folder, ALL, NOW - 86_400).items == [], "handed over just now"
    copy = shop.folder.approved / "BAG" / "BAG.mp4"
    copy.write_bytes(copy.read_bytes() + b"changed")
    found = look(shop.folder, ALL, NOW + 86_400)
    assert names(found) == ["MUG.mp4"]
    assert kept(found) == {Kept.NOT_HANDED_OVER: 1}
    remove(found, NOW)
    assert there(shop.folder) == {"BAG.mp4"}
    plan = plan_manifest(
        shop.check(), read_entries(shop.folder.journal), shop.folder, Selection(redo_changed=False)
    )
    step = plan.steps[0]
    assert (step.key, step.action, step.lost) == ("MUG", Action.LEAVE, False)
    assert "handed over" not in step.reason, "nobody need be told of it every night"
    shop.make("MUG", 2)
    judge(shop, "approve", "MUG")
    draw(shop)
    hand(shop)
    assert "MUG.mp4" in there(shop.folder), "an export puts the last copy back before it goes"


@pytest.mark.skipif(os.name != "posix", reason="links need rights there")
def test_no_link_is_followed(shop: Shop, tmp_path: Path) -> None:
    """Neither at a file, nor at a folder of it, nor at that of the copy."""
    shop.make("MUG", 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    old = shop.folder.videos / "MUG.mp4"
    old.rename(elsewhere / "MUG.mp4")
    old.symlink_to(elsewhere / "MUG.mp4")
    found = look(shop.folder, ALL, NOW)
    assert found.items == []
    assert kept(found)[Kept.NO_FILE] == 1
    old.unlink()
    judge(shop, "approve", "BAG")
    hand(shop)
    shop.folder.approved.rename(elsewhere / "approved")
    shop.folder.approved.symlink_to(elsewhere / "approved")
    assert look(shop.folder, ALL, NOW + 86_400).items == []
    shop.folder.videos.rename(elsewhere / "videos")
    shop.folder.videos.symlink_to(elsewhere / "videos")
    assert look(shop.folder, ALL, NOW + 86_400).items == []
    (tmp_path / "outputs" / "shop.rehearsal").symlink_to(elsewhere)
    assert kept(look(shop.folder, [Kind.REHEARSALS], NOW))[Kept.NO_FILE] == 1


def test_parts_and_logs_go_when_they_are_old(shop: Shop) -> None:
    """The log of the last runs stays, and so do parts of rows that are under way."""
    videos, root = shop.folder.videos, shop.folder.root
    for path in (
        videos / ".OLD.mp4.part",
        videos / ".OLD.mp4.part.json",
        videos / ".NEW.mp4.part",
        root / ".results.csv.42.part",
        root / "run.log",
        root / "run.log.1",
    ):
        path.write_bytes(b"x" * 10)
        if "NEW" not in path.name:
            age(path)
    (videos / ".FOLDER.mp4.part").mkdir()
    found = look(shop.folder, ALL, NOW - 30 * 86_400)
    assert names(found) == [".OLD.mp4.part", ".OLD.mp4.part.json", ".results.csv.42.part",
                            "run.log.1"]  # fmt: skip
    assert sum(one.size_bytes for one in found.items) == 40
    assert (kept(found)[Kept.YOUNG], kept(found)[Kept.NO_FILE]) == (1, 1)
    assert len(remove(found, NOW)) == 4
    assert (root / "run.log").exists()


def rehearse(shop: Shop) -> OutputFolder:
    """Leave what a rehearsal leaves: a summary, and no task that the emulator does not know."""
    folder = OutputFolder(shop.folder.root.with_name("shop.rehearsal"))
    (folder.cache / "emulator").mkdir(parents=True)
    folder.summary.write_text('{"provider": "rehearsal"}')
    folder.log.write_text("{}\n")
    for one in (folder.summary, folder.log):
        age(one)
    return folder


def test_an_old_rehearsal_goes_as_a_whole(shop: Shop) -> None:
    """Unless one works there, somebody changed its results, or it may hold what was paid for."""
    folder = rehearse(shop)
    before = NOW - 30 * 86_400
    assert look(shop.folder, [Kind.REHEARSALS], NOW - 90 * 86_400).items == []
    with run_lock(folder.lock):
        assert kept(look(shop.folder, [Kind.REHEARSALS], before))[Kept.UNDER_WAY] == 4  # files
    typed = folder.root / "results.before-2026-01-01.xlsx"
    typed.touch()
    assert kept(look(shop.folder, [Kind.REHEARSALS], before))[Kept.TYPED] == 4
    typed.unlink()
    folder.summary.write_text('{"provider": "toapis"}')
    assert kept(look(shop.folder, [Kind.REHEARSALS], before))[Kept.LIVE] == 3
    folder.summary.write_text('{"provider": "rehearsal"}')
    age(folder.summary)
    found = look(folder, ALL, before)
    assert [(one.kind, one.path) for one in found.items] == [(Kind.REHEARSALS, folder.root)]
    remove(look(shop.folder, [Kind.REHEARSALS], before), NOW)
    assert not folder.root.exists()
    assert shop.folder.journal.exists()


def test_a_folder_with_tasks_that_no_emulator_knows_is_no_rehearsal(tmp_path: Path) -> None:
    """Whatever its name is."""
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.folder.summary.write_text('{"provider": "rehearsal"}')
    found = look(shop.folder, ALL, NOW + 86_400)
    assert found.items == []
    assert kept(found) == {Kept.LIVE: len([*shop.folder.root.rglob("*.*")])}


def test_videos_in_another_place_stay_and_stand_for_no_file_here(shop: Shop) -> None:
    """What has the name of one here is not known."""
    with contextlib.closing(sqlite3.connect(shop.folder.journal)) as journal, journal:
        journal.execute(
            "UPDATE attempts SET video = json_set(video, '$.place', 's3://shop/films') "
            "WHERE key = 'MUG'"
        )
    shop.make("BAG", 2)
    with contextlib.closing(sqlite3.connect(shop.folder.journal)) as journal, journal:
        journal.execute(
            "UPDATE attempts SET video = json_set(video, '$.place', 's3://shop/films') "
            "WHERE key = 'BAG' AND number = 2"
        )
    found = look(shop.folder, ALL, NOW)
    assert found.items == []
    assert kept(found) == {Kept.CHOSEN_GONE: 1, Kept.UNKNOWN: 2}


def test_a_handover_that_was_taken_back_is_none(shop: Shop) -> None:
    judge(shop, "approve", "MUG")
    hand(shop)
    [note] = latest_handovers(shop.folder.journal).values()
    gone = type(note)(note.at + 1, note.entry, 0, "", note.name)
    note_handovers(shop.folder.journal, [gone])
    assert look(shop.folder, ALL, NOW + 86_400).items == []


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0.0 kB"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (3e9, "3.0 GB")]
)
def test_bytes_in_words(size: float, said: str) -> None:
    assert in_words(int(size)) == said


def test_what_was_typed_into_the_results_counts_before_a_take_goes(shop: Shop) -> None:
    """It is read back first; while it is not, no take goes that may be approved in it."""
    shop.make("MUG", 2)
    write_results(shop)
    assert names(look(shop.folder, ALL, NOW)) == ["MUG.mp4"], "as it was written"
    results = shop.folder.root / "results.csv"
    head, *rows = csv.reader(results.read_text("utf-8-sig").splitlines())
    mug = next(row for row in rows if row[0] == "MUG")
    mug[head.index("result_take")], mug[head.index("review")] = "1", "approve"
    with results.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    found = look(shop.folder, ALL, NOW)
    assert (names(found), kept(found)[Kept.UNREAD]) == ([], 1)
    done = CliRunner().invoke(app, ["prune", str(shop.folder.root), "--older-than", "0s", "--yes"])
    assert done.exit_code == 0, done.output
    assert latest_of(read_decisions(shop.folder.journal))["MUG", 1].verdict == "approve"
    assert "MUG.mp4" in there(shop.folder)


def test_prune_says_why_results_are_not_read_back(shop: Shop) -> None:
    """Without its manifest nobody knows what they say: the takes stay."""
    shop.make("MUG", 2)
    write_results(shop)
    (shop.folder.root / "results.csv").write_text("sku,review\nMUG,approve\n")
    shop.manifest.unlink()
    done = CliRunner().invoke(app, ["prune", str(shop.folder.root), "--older-than", "0s", "--yes"])
    assert "results.csv was changed, and is not read back" in done.output
    assert "takes: the results were changed, and are not read back" in done.output
    assert "MUG.mp4" in there(shop.folder)


def write_results(shop: Shop) -> None:
    """Have the results been written, as any command that writes them does."""
    checked = shop.check()
    results = [Result(row.number, State.DONE, take=1) for row in checked.manifest.rows]
    publish_results(checked, results, shop.folder, None)


def test_why_takes_of_rehearsals_stay_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go with all of it, by the kind that is named; where that was asked for nothing is."""
    monkeypatch.chdir(tmp_path)
    make_shop(tmp_path).make("MUG")

    def said(*words: str) -> str:
        return CliRunner().invoke(app, ["prune", "outputs/shop.rehearsal", *words]).stdout

    alone = "1 folder of rehearsals is left alone: it goes only as a whole, with --kinds rehearsals"
    assert said("--kinds", "takes", "--yes").splitlines()[-1] == alone
    assert said("--kinds", "takes,logs").splitlines()[-1] == alone
    assert "left alone" not in said("--kinds", "takes,rehearsals")
    assert "left alone" not in said()
