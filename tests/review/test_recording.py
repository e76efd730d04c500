"""Decisions get into the journal by keys and by files, and out of it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.journal.decisions import read_decisions
from pipeline.review.recording import Verdict, decide, export_file, import_file, tell_import
from pipeline.review.takes import rows_with_takes
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.make("MUG", 2)
    shop.make("BAG")
    return shop


def judge(shop: Shop, **verdicts: str) -> list[str]:
    rows = rows_with_takes(shop.check(), shop.folder)
    said = {key: Verdict(verdict, reviewer="Ada", at=5.0) for key, verdict in verdicts.items()}
    return decide(rows, shop.folder, said)[1]


def test_the_newest_take_is_judged(shop: Shop) -> None:
    """Of a row without a video nothing is recorded, and that is told."""
    assert judge(shop, MUG="approve", TEA="reject") == ["TEA"]
    (one,) = read_decisions(shop.folder.journal)
    assert (one.entry, one.number, one.verdict, one.source) == ("MUG", 2, "approve", "command")
    judge(shop, MUG="approve")
    assert len(read_decisions(shop.folder.journal)) == 1
    judge(shop, MUG="")
    assert [one.verdict for one in read_decisions(shop.folder.journal)] == ["approve", ""]


def test_a_key_that_no_row_has_records_nothing(shop: Shop) -> None:
    """Neither for the keys beside it."""
    with pytest.raises(UsageError, match="no row has the key CUP"):
        judge(shop, MUG="approve", CUP="approve")
    assert read_decisions(shop.folder.journal) == []


def test_a_renamed_row_keeps_its_decisions(shop: Shop) -> None:
    """Its entry is what was judged, whatever the row is called."""
    judge(shop, BAG="reject")
    shop.rename("BAG", "SACK")
    rows = rows_with_takes(shop.check(), shop.folder)
    path, number = export_file(shop.folder.root / "all.json", shop.manifest, rows, shop.folder)
    (told,) = json.loads(path.read_text())["decisions"]
    assert (number, told["entry"], told["key"]) == (1, "BAG", "SACK")
    judge(shop, SACK="approve")
    assert [one.entry for one in read_decisions(shop.folder.journal)] == ["BAG", "BAG"]


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_a_round_by_file(shop: Shop, tmp_path: Path, suffix: str) -> None:
    """What one folder decided another of the same journal takes over; twice changes nothing."""
    judge(shop, MUG="approve", BAG="reject")
    rows = rows_with_takes(shop.check(), shop.folder)
    file = tmp_path / f"hers{suffix}"
    export_file(file, shop.manifest, rows, shop.folder)
    assert import_file(file, rows, shop.folder)[0].known == 2
    judge(shop, BAG="")
    found, unfit = import_file(file, rows, shop.folder)
    assert (found.added, unfit) == ((), ())
    assert len(read_decisions(shop.folder.journal)) == 3


def test_another_journal_is_refused(shop: Shop, tmp_path: Path) -> None:
    """Unless somebody says so; then what is about the very same videos counts."""
    other = make_shop(tmp_path, folder="outputs/other")
    other.make("MUG")
    other.make("BAG", content=b"another film")
    theirs = rows_with_takes(other.check(), other.folder)
    decide(theirs, other.folder, {"MUG": Verdict("reject"), "BAG": Verdict("approve")})
    file, _ = export_file(tmp_path, other.manifest, theirs, other.folder)
    assert file.name == "decisions-shop.json"
    rows = rows_with_takes(shop.check(), shop.folder)
    with pytest.raises(UsageError, match="another manifest") as refused:
        import_file(file, rows, shop.folder)
    assert "--force" in (refused.value.action or "")
    found, _ = import_file(file, rows, shop.folder, force=True)
    assert [(one.entry, one.number, one.verdict) for one in found.added] == [("MUG", 1, "reject")]
    lines = tell_import(found, {"BAG": "bag no. 1"})
    assert lines == [
        "1 decision taken over, 0 known already.",
        "skipped: bag no. 1, take 1, approve: it was made about another file.",
    ]


def test_conflicts_are_told(shop: Shop, tmp_path: Path) -> None:
    """With both sides, and which one counts."""
    judge(shop, BAG="reject")
    rows = rows_with_takes(shop.check(), shop.folder)
    file, _ = export_file(tmp_path, shop.manifest, rows, shop.folder)
    text = file.read_text().replace('"reject"', '"approve"').replace('"Ada"', '"Ben"')
    file.write_text(text)
    found, _ = import_file(file, rows, shop.folder)
    said = "conflict: BAG, take 1: reject by Ada here, approve by Ben in the file; "
    assert tell_import(found, {})[1] == f"{said}the earlier stands."
    found, _ = import_file(file, rows, shop.folder, prefer=True)
    assert tell_import(found, {})[1] == f"{said}the file's counts now."
    assert [one.verdict for one in read_decisions(shop.folder.journal)] == ["reject", "approve"]


def test_only_two_kinds_of_files_are_written(shop: Shop, tmp_path: Path) -> None:
    """A workbook is not what anybody wrote into."""
    rows = rows_with_takes(shop.check(), shop.folder)
    with pytest.raises(UsageError, match="neither"):
        export_file(tmp_path / "all.xlsx", shop.manifest, rows, shop.folder)
