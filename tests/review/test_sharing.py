"""The archive for a colleague: all that the page shows, and nothing of this machine."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.journal.decisions import read_decisions
from pipeline.journal.reading import read_id
from pipeline.model import Decision
from pipeline.review.exchange import write_json
from pipeline.review.recording import import_file
from pipeline.review.sharing import Shared, share
from pipeline.review.takes import rows_with_takes
from tests.export.goods import draw
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.make("MUG")
    shop.make("BAG", name="Größe 38 & Tüll #2.mp4")
    shop.make("MUG", 2)
    draw(shop)
    return shop


def pack(shop: Shop, target: Path) -> Shared:
    return share(shop.check(), shop.folder, Config(), target)


def unpack(path: Path, folder: Path) -> Path:
    """Unpack as a file manager does; return the folder that was in it."""
    with zipfile.ZipFile(path) as archive:
        assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
        archive.extractall(folder)
    (inside,) = folder.iterdir()
    return inside


def test_all_that_the_page_shows_is_in_it(shop: Shop, tmp_path: Path) -> None:
    """Each file that the data names lies where the page looks for it."""
    done = pack(shop, tmp_path / "for Eve.zip")
    assert (done.videos, done.faults) == (3, ())
    inside = unpack(done.path, tmp_path / "hers")
    assert inside.name == "shop-review"
    assert (inside / "review.html").read_bytes().startswith(b"<!doctype html>")
    script = (inside / "review" / "data.js").read_text("ascii")
    data = json.loads(json.loads(script.partition("JSON.parse(")[2].rpartition(")")[0]))
    takes = [take for card in data["cards"] for take in card["takes"]]
    assert len(takes) == 3
    for take in takes:
        video = inside / "videos" / take["file"]
        assert video.read_bytes() == (shop.folder.videos / take["file"]).read_bytes()
        assert (inside / "review" / "posters" / take["poster"]).is_file()
    for name in ("page.js", "review.css", "mark.svg"):
        assert (inside / "review" / name).is_file()


def test_nothing_of_this_machine_is_in_it(shop: Shop, tmp_path: Path) -> None:
    """No path, no journal, no log, no settings; web addresses without what signs them."""
    text = shop.manifest.read_text().replace("title\n", "title,image_1\n", 1)
    lines = text.splitlines()
    lines[1] += ",https://cdn.example.com/a.jpg?signature=verysecret"
    lines[2:] = [f"{line}," for line in lines[2:]]
    shop.manifest.write_text("\n".join(lines) + "\n")
    done = pack(shop, tmp_path / "out.zip")
    with zipfile.ZipFile(done.path) as archive:
        names = archive.namelist()
        everything = b"".join(archive.read(name) for name in names if "videos/" not in name)
    assert {name.split("/")[1] for name in names} == {"review.html", "review", "videos"}
    assert not any(name.endswith((".db", ".log", ".json", ".yaml")) for name in names)
    assert str(tmp_path).encode() not in everything
    assert b"verysecret" not in everything
    assert b"cdn.example.com/a.jpg" in everything
    assert b"reelsheet run shop.csv" in everything


def test_her_decisions_come_back(shop: Shop, tmp_path: Path) -> None:
    """The page knows the journal by its id, and what she saves is a file for --import."""
    done = pack(shop, tmp_path / "out.zip")
    with zipfile.ZipFile(done.path) as archive:
        data = archive.read("shop-review/review/data.js").decode()
    journal = read_id(shop.folder.journal)
    assert journal is not None
    assert journal in data
    rows = rows_with_takes(shop.check(), shop.folder)
    bag = rows[1].takes[0]
    hers = Decision(rows[1].entry, 1, bag.video.sha256, "approve", reviewer="Eve", at=5.0)
    saved = tmp_path / "decisions-shop-Eve.json"
    saved.write_text(write_json(journal, "shop.csv", [("BAG", hers)]), encoding="utf-8")
    weighed, unfit = import_file(saved, rows, shop.folder, prefer=False, force=False)
    assert (len(weighed.added), list(unfit)) == (1, [])
    assert read_decisions(shop.folder.journal)[0].reviewer == "Eve"


def test_what_is_gone_or_changed_is_told(shop: Shop, tmp_path: Path) -> None:
    """Nobody judges another film than the one that was verified."""
    (shop.folder.videos / "MUG.mp4").unlink()
    (shop.folder.videos / "MUG-2.mp4").write_bytes(b"another film")
    done = pack(shop, tmp_path / "out.zip")
    assert done.videos == 1
    assert done.faults == (
        "MUG, take 1: videos/MUG.mp4 is gone.",
        "MUG, take 2: videos/MUG-2.mp4 is not the file that was verified.",
    )


def test_the_name_of_the_archive(shop: Shop, tmp_path: Path) -> None:
    """In a folder that of the manifest; an earlier one is replaced, and no other file."""
    done = pack(shop, tmp_path)
    assert done.path == tmp_path / "shop-review.zip"
    assert pack(shop, tmp_path).path == done.path
    other = tmp_path / "mine.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("mine.txt", "mine")
    for target in (other, tmp_path / "review.tar"):
        with pytest.raises(UsageError):
            pack(shop, target)
    assert zipfile.ZipFile(other).namelist() == ["mine.txt"]


def test_thousands_of_videos_are_never_held_together(shop: Shop, tmp_path: Path) -> None:
    """A video larger than what is read at once goes through in pieces."""
    shop.make("TEA", content=bytes(5_000_000))
    seen: list[tuple[int, int]] = []
    done = share(
        shop.check(), shop.folder, Config(), tmp_path / "out.zip", lambda *now: seen.append(now)
    )
    assert done.path.stat().st_size > 5_000_000
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
