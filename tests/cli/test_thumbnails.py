"""`output.thumbnails`: the results workbook shows a still of each video, also after `report`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from pipeline.disk.folder import OutputFolder
from pipeline.review.posters import poster_name
from tests.cli.conftest import Command
from tests.review.shop import Shop
from tests.writer.test_thumbnails import still

ON = ("--set", "output.thumbnails=true")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    book = Workbook()
    sheet: Any = book.active
    for line in (["sku", "prompt"], ["MUG", "A mug."], ["BAG", "A bag."], ["TEA", "A tea."]):
        sheet.append(line)
    book.save("shop.xlsx")
    shop = Shop(Path("shop.xlsx"), OutputFolder(Path("outputs/shop.rehearsal")))
    for key in ("MUG", "BAG"):
        video = shop.make(key)
        shop.folder.posters.mkdir(parents=True, exist_ok=True)
        (shop.folder.posters / poster_name(video.name, 1)).write_bytes(still("red"))
    return shop


def test_off_by_default_and_kept_by_each_report(shop: Shop, reelsheet: Command) -> None:
    """The first sheet stays the manifest's; the results still read as a manifest."""
    results = shop.folder.root / "results.xlsx"
    reelsheet("report", shop.manifest)
    assert "Videos" not in load_workbook(results).sheetnames
    for _ in range(2):
        assert reelsheet("report", shop.manifest, *ON).exit_code == 0
        loaded: Any = load_workbook(results)
        assert loaded.sheetnames[0] == "Sheet"
        assert [line[1] for line in loaded["Videos"].values] == ["key", "MUG", "BAG"]
        assert len(loaded["Videos"]._images) == 2
    assert reelsheet("check", results).exit_code == 0
    loaded["Sheet"]["Z1"] = "mine"
    loaded.save(results)  # as a person does, in a program that names its parts otherwise
    assert reelsheet("report", shop.manifest, *ON).exit_code == 0
    loaded = load_workbook(results)
    assert [name for name in loaded.sheetnames if name.startswith("Videos")] == ["Videos"]
    assert len(loaded["Videos"]._images) == 2


@pytest.mark.usefixtures("shop")
def test_a_text_manifest_has_no_sheets(reelsheet: Command) -> None:
    """The setting is no error there."""
    Path("shop.csv").write_text("sku,prompt\nMUG,A mug.\n")
    ended = reelsheet("plan", "shop.csv", *ON)
    assert ended.exit_code == 0
    assert reelsheet("plan", "shop.csv", "--set", "output.thumbnails=often").exception is not None
