"""From bought to handed over, as processes: approve, export, reject, make again, export again."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from pathlib import Path

from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product


def media_of(out: Path) -> dict[str, dict[str, str]]:
    """Return the lines of media.csv by their keys."""
    with (out / "approved" / "media.csv").open(encoding="utf-8-sig", newline="") as file:
        return {line["key"]: line for line in csv.DictReader(file)}


def test_bought_videos_are_approved_and_handed_over(product: Product, api: Api) -> None:
    """What was handed over may go from `videos`: the row stays done, and no call is made for it."""
    folder = product.folder / "Größe 38"
    manifest = sheets.write(folder / "shop.csv", sheets.rows(3, duration="6"))
    out = folder / "out"
    named = (manifest, "--out", out)
    assert product("run", *named).code == 0
    approved = product("review", *named, "--approve", "P0001,P0002", "--as", "Ada")
    assert approved.code == 0, approved.err

    tables = ("--to", "matrixify", "--to", "google", "--base-url", "https://cdn.example.com/v")
    first = product("export", *named, *tables)
    assert first.code == 1, first.err
    assert "not handed over: 1 undecided" in first.err
    assert "rehearsal" not in first.err
    lines = media_of(out)
    assert lines.keys() == {"P0001", "P0002"}
    for key, line in lines.items():
        copy = (out / "approved" / line["file"]).read_bytes()
        assert copy == (out / "videos" / f"{key}.mp4").read_bytes()
        assert hashlib.sha256(copy).hexdigest() == line["sha256"]
        assert (out / "approved" / line["poster"]).read_bytes()[:2] == b"\xff\xd8"
        assert (line["approved_by"], line["sound"], line["ai_generated"]) == ("Ada", "no", "yes")
        assert line["url"] == f"https://cdn.example.com/v/{key}/{key}.mp4"

    shared = product("review", *named, "--share", folder / "for Eve.zip")
    assert (shared.code, shared.out) == (0, f"3 videos: {folder / 'for Eve.zip'}\n"), shared.err
    with zipfile.ZipFile(folder / "for Eve.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert str(product.folder).encode() not in archive.read("shop-review/review/data.js")
    assert sum(name.endswith(".mp4") for name in names) == 3
    assert sum(name.endswith(".jpg") for name in names) == 3

    mark = api.mark()
    (out / "videos" / "P0001.mp4").unlink()
    again = product("run", *named)
    assert again.code == 0, again.err
    assert [*sheets.states(out).values()] == ["done"] * 3
    told = sheets.results(out)[0]["result_warnings"]
    assert "its video was handed over, and its file here is gone" in told
    assert product("journal", "verify", *named).code == 0
    assert api.calls(since=mark) == []

    rejected = product("review", *named, "--reject", "P0002", "--approve", "P0003")
    assert rejected.code == 0, rejected.err
    last = product("export", *named, *tables)
    assert last.code == 0, last.err
    assert "removed: P0002, take 1: it is not approved any more" in last.out
    assert not (out / "approved" / "P0002").exists()
    assert media_of(out).keys() == {"P0001", "P0003"}
    assert api.calls(since=mark) == []
