"""Videos are measured beside whatever goes on; what was measured is kept by what the files hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.config.settings import Config
from pipeline.downloader.filmfigures import RECIPE
from pipeline.errors import BadVideo, Unfinished
from pipeline.review import looks as looks_of
from pipeline.review import quality
from pipeline.review.looks import Looks
from pipeline.review.measuring import Measurer, measuring_of, not_measured
from pipeline.review.takes import rows_with_takes
from tests.review.shop import make_shop
from tests.review.test_quality import figures


@dataclass
class Bench:
    """Measures as it is told, and notes what it was asked for."""

    found: dict[str, Any] = field(default_factory=lambda: {"recipe": RECIPE, **figures()})
    asked: list[str] = field(default_factory=list)

    async def measure(self, path: Path) -> dict[str, Any]:
        """Measure a video."""
        self.asked.append(path.name)
        await asyncio.sleep(0)
        if path.name == "bad.mp4":
            raise BadVideo("the decoder crashes on it")
        if path.name == "late.mp4":
            raise Unfinished("no decoder starts")
        if path.name == "odd.mp4":
            raise ZeroDivisionError
        if path.name == "slow.mp4":
            await asyncio.Event().wait()
        return self.found

    async def compare(self, start: dict[str, Any], picture: Path) -> dict[str, Any]:
        """Compare with a picture."""
        self.asked.append(f"{start['name']} {picture.name}")
        if picture.name == "none.png":
            raise BadVideo("it cannot be opened")
        return {"alike": 0.3, "colour": 0.2}


async def run(bench: Bench, work: Sequence[Any]) -> None:
    """Have all of it done."""
    async with Measurer(bench) as measurer:
        measurer.put(work)
        await measurer.finish(10)


async def test_what_is_missing_is_measured_once(tmp_path: Path) -> None:
    """By the file, whatever row has it; another recipe is measured again; a changed file never."""
    shop = make_shop(tmp_path)
    video = shop.make("MUG")
    shop.make("BAG")
    (shop.folder.videos / "BAG.mp4").write_bytes(b"something else by now")
    checked, looks = shop.check(), Looks(shop.folder.looks)
    rows = rows_with_takes(checked, shop.folder)
    bench = Bench()
    await run(bench, not_measured(rows, checked, shop.folder, looks))
    assert bench.asked == ["MUG.mp4"]
    assert looks.figures(video.sha256) == bench.found
    kept = shop.folder.looks / f"{video.sha256}.json"
    assert [one.name for one in shop.folder.looks.iterdir()] == [kept.name]
    assert [one.video.name for one in not_measured(rows, checked, shop.folder, looks)] == [
        "BAG.mp4"
    ]
    for other in ('{"recipe":0}', "no figures", "[1]", f'{{"recipe":{RECIPE}}}'):
        kept.write_text(other, encoding="utf-8")
        again = Looks(shop.folder.looks)
        assert again.chips(rows) == {}
        assert len(not_measured(rows, checked, shop.folder, again)) == 2


async def test_what_cannot_be_measured_stops_nothing(tmp_path: Path) -> None:
    """A video that crashes the decoder is damaged; where no decoder starts nothing is said."""
    shop = make_shop(tmp_path, keys="bad late odd fine slow")
    for key in ("bad", "late", "odd", "fine", "slow"):
        shop.make(key)
    checked, looks = shop.check(), Looks(shop.folder.looks)
    rows = rows_with_takes(checked, shop.folder)
    bench, work = Bench(), not_measured(rows, checked, shop.folder, looks)
    async with Measurer(bench) as measurer:
        measurer.put(work)
        await measurer.finish(0.2)
    assert bench.asked == ["bad.mp4", "late.mp4", "odd.mp4", "fine.mp4", "slow.mp4"]
    assert looks.chips(rows) == {("bad", 1): (quality.DAMAGED,)}


async def test_figures_that_came_by_the_way_are_kept(tmp_path: Path) -> None:
    """After a full verification nothing is decoded again; a blocked folder is no failure."""
    shop = make_shop(tmp_path)
    video = shop.make("MUG")
    checked, looks, bench = shop.check(), Looks(shop.folder.looks), Bench()
    work = measuring_of(video, (), checked, shop.folder, looks, figures=bench.found)
    shop.folder.cache.write_text("in the way")
    await run(bench, [work])
    assert looks.figures(video.sha256) is None
    shop.folder.cache.unlink()
    await run(bench, [work])
    assert bench.asked == []
    assert looks.figures(video.sha256) == bench.found


async def test_a_video_is_held_against_the_picture_of_its_take(tmp_path: Path) -> None:
    """The small copy, where there is one; later takes with another picture are compared, too."""
    shop = make_shop(tmp_path)
    Image.new("RGB", (400, 400), "green").save(tmp_path / "mug.png")
    shop.manifest.write_text("sku,prompt,image\nMUG,A MUG.,mug.png\n")
    checked = check_manifest(shop.manifest, Config(), cache_dir=None)
    (image,) = next(iter(checked.images.values()))
    video = shop.make("MUG")
    looks, bench = Looks(shop.folder.looks), Bench()
    bench.found["start"] = {"name": "start"}
    work = measuring_of(video, (image,), checked, shop.folder, looks)
    await run(bench, [work, work])
    assert bench.asked == ["MUG.mp4", "start mug.png"]
    kept = looks.figures(video.sha256)
    assert kept is not None
    assert list(kept["pictures"]) == [image.removeprefix("sha256:")]
    web = measuring_of(video, ("https://shop.example/a.png",), checked, shop.folder, looks)
    gone = measuring_of(video, ("sha256:" + "0" * 64,), checked, shop.folder, looks)
    await run(bench, [web, gone])
    assert len(bench.asked) == 2


def test_measures_can_be_turned_off(tmp_path: Path) -> None:
    """Then nothing is measured, and nothing is shown of what was."""
    shop = make_shop(tmp_path)
    video = shop.make("MUG")
    checked = shop.check()
    rows = rows_with_takes(checked, shop.folder)
    Looks(shop.folder.looks).keep(video.sha256, {"recipe": RECIPE, "fault": "it is damaged"})
    config = Config.model_validate({"review": {"quality": False}})
    looks = Looks.of(shop.folder, config)
    assert looks.chips(rows) == {}
    assert not_measured(rows, checked, shop.folder, looks) == []
    assert Looks.of(shop.folder, Config()).chips(rows) == {("MUG", 1): (quality.DAMAGED,)}


def test_a_rehearsal_does_not_say_what_is_true_of_all_its_cards(tmp_path: Path) -> None:
    """They stand still; what is broken is said."""
    shop = make_shop(tmp_path)
    still = shop.make("MUG")
    black = shop.make("BAG")
    rows = rows_with_takes(shop.check(), shop.folder)
    keeper = Looks(shop.folder.looks)
    keeper.keep(still.sha256, {"recipe": RECIPE, **figures(moved=[0] * 20, sound=None)})
    keeper.keep(black.sha256, {"recipe": RECIPE, **figures(highest=[0] * 24)})
    rehearsed = Looks(shop.folder.looks, rehearsal=True)
    assert rehearsed.chips(rows) == {("BAG", 1): (quality.BLACK,)}
    assert Looks(shop.folder.looks).chips(rows)["MUG", 1] == (quality.STILL, quality.NO_SOUND)


def test_doubles_name_the_other_article(tmp_path: Path) -> None:
    """Videos of one file, and videos that look alike."""
    shop = make_shop(tmp_path)
    mug, bag, tea = (shop.make(key) for key in ("MUG", "BAG", "TEA"))
    rows = rows_with_takes(shop.check(), shop.folder)
    looks = Looks(shop.folder.looks)
    bits = ["f0f0" * 16] * 3
    for video in (mug, bag):
        looks.keep(video.sha256, {"recipe": RECIPE, **figures(hashes=bits, tones=[[1, 2]] * 3)})
    looks.keep(tea.sha256, {"recipe": RECIPE, **figures(hashes=bits, tones=[[400, 2]] * 3)})
    chips = looks.chips(rows)
    assert chips == {("MUG", 1): ("looks like BAG",), ("BAG", 1): ("looks like MUG",)}


def test_what_many_figures_have_said_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that they need not be read again; for the same rules alone, and as long as it is whole."""
    monkeypatch.setattr(looks_of, "_MANY", 2)
    shop = make_shop(tmp_path)
    mug, bag = shop.make("MUG"), shop.make("BAG")
    rows = rows_with_takes(shop.check(), shop.folder)
    looks = Looks(shop.folder.looks)
    looks.keep(mug.sha256, {"recipe": RECIPE, **figures(highest=[0] * 24)})
    looks.keep(bag.sha256, {"recipe": RECIPE, **figures(sound=None)})
    said = looks.chips(rows)
    assert said == {("MUG", 1): (quality.BLACK,), ("BAG", 1): (quality.NO_SOUND,)}
    summary = shop.folder.looks / "said.json"
    looks.keep(bag.sha256, {"recipe": RECIPE, **figures()})
    assert Looks(shop.folder.looks).chips(rows) == said, "read from the one file"
    assert looks.chips(rows) == {("MUG", 1): (quality.BLACK,)}, "what was measured since counts"
    for content in ("{}", "[" * 9999, summary.read_text().replace('"by":"', '"by":"other '), "x"):
        summary.write_text(content)
        assert Looks(shop.folder.looks).chips(rows) == {("MUG", 1): (quality.BLACK,)}
    pictured = replace(rows[1].takes[0], images=("sha256:" + "a" * 64,))
    likeness = {"a" * 64: {"alike": 0.1, "colour": 1}}
    kept = Looks(shop.folder.looks)
    assert kept.needs(pictured)
    Looks(shop.folder.looks).keep(bag.sha256, {"recipe": RECIPE, **figures(), "pictures": likeness})
    assert not Looks(shop.folder.looks).needs(pictured), "another process has compared it since"
