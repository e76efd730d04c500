"""What a run makes for those who judge its videos; nothing of it changes how the run ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.downloader import verification
from pipeline.runner import reviewing
from pipeline.runner.api import Reelsheet
from pipeline.runner.reports import RunReport
from tests.system.harness.api import KEY, emulator
from tests.system.harness.product import FAST


def data_in(page: Path) -> Any:
    text = (page.parent / "review" / "data.js").read_text(encoding="ascii")
    return json.loads(json.loads(text.removeprefix("const REVIEW_DATA = JSON.parse(")[:-3]))


@pytest.mark.process
def test_a_run_leaves_the_page_and_posters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that takes no page changes neither results nor exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    manifest = Path("shop.csv")
    manifest.write_text("sku,prompt,duration\nMUG 1,A mug turns.,4\n", encoding="utf-8")
    with emulator(tmp_path / "api") as api:
        settings = {**FAST, "api.base_url": api.base_url, "output.verify": "first_frame"}
        sheet = Reelsheet(manifest, settings=settings)
        report = sheet.run()
        _hold(sheet, report, tmp_path)


def _hold(sheet: Reelsheet, report: RunReport, elsewhere: Path) -> None:
    page = report.folder / "review.html"
    assert page.is_file()
    (card,) = data_in(page)["cards"]
    (take,) = card["takes"]
    poster = report.folder / "review" / "posters" / take["poster"]
    assert take["poster"] == "MUG 1.1.jpg"
    assert poster.read_bytes().startswith(b"\xff\xd8\xff")
    page.unlink()
    for one in (report.folder / "review").rglob("*"):
        if one.is_file():
            one.unlink()
    poster.parent.rmdir()
    (report.folder / "review").rmdir()
    (report.folder / "review").symlink_to(elsewhere)
    again = sheet.run()
    assert again.exit_code == 0
    assert not page.exists()
    assert not (elsewhere / "data.js").exists()
    log = (report.folder / "run.log").read_text(encoding="utf-8")
    assert "page_not_written" in log


@pytest.mark.process
def test_a_run_leaves_figures_of_its_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With chips in the page, in one pass where all is decoded anyway; nothing if it is off."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    manifest = Path("shop.csv")
    manifest.write_text("sku,prompt,duration\nMUG 1,A mug turns.,4\n", encoding="utf-8")
    kept = {}
    with emulator(tmp_path / "api") as api:
        for level, on in (("full", True), ("first_frame", True), ("first_frame", False)):
            settings = {
                **FAST,
                "api.base_url": api.base_url,
                "output.verify": level,
                "output.dir": f"{level} {on}",
                "review.quality": on,
                "review.posters": on,
                "repeats": "pay",
                "account.book": "none",
            }
            report = Reelsheet(manifest, settings=settings).run()
            found = sorted((report.folder / "cache" / "looks").glob("*.json"))
            (card,) = data_in(report.folder / "review.html")["cards"]
            (take,) = card["takes"]
            assert (take["poster"] == "MUG 1.1.jpg") == on
            assert (report.folder / "review" / "posters").exists() == on
            if not on:
                assert (found, take["chips"]) == ([], [])
                continue
            assert [one.stem for one in found] == [take["sha256"]]
            kept[level] = json.loads(found[0].read_text(encoding="ascii"))
            assert take["chips"] == ["blank"]  # the emulator's quick clips show one colour
    assert kept["full"] == kept["first_frame"]


@pytest.mark.process
def test_a_row_is_done_before_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a measure hangs, the run waits its while and ends as if there were none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOAPIS_API_KEY", KEY)
    hangs = tmp_path / "hangs.py"
    hangs.write_text("import time\nprint('{\"ready\": true}', flush=True)\ntime.sleep(600)\n")
    monkeypatch.setattr(verification, "MEASURER", hangs)
    monkeypatch.setattr(reviewing, "_MADE_AFTER_S", 0.5)
    manifest = Path("shop.csv")
    manifest.write_text("sku,prompt,duration\nMUG,A mug.,4\nBAG,A bag.,4\n", encoding="utf-8")
    with emulator(tmp_path / "api") as api:
        settings = {**FAST, "api.base_url": api.base_url, "output.verify": "first_frame"}
        report = Reelsheet(manifest, settings=settings).run()
    assert (report.exit_code, report.states) == (0, {"done": 2})
    assert not (report.folder / "cache" / "looks").exists()
    takes = [card["takes"][0] for card in data_in(report.folder / "review.html")["cards"]]
    assert [take["chips"] for take in takes] == [[], []]
