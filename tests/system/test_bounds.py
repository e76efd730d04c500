"""What an API may ask for: no long sleep, no gigabytes, no key written down. Nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from pipeline.emulator.clips import free_box, plain_clip
from tests.system.harness import sheets
from tests.system.harness.api import KEY
from tests.system.harness.hostile import Call, HostileApi, Said, hostile_api, tied_to
from tests.system.harness.product import Product

DAY_S = 86_400
BIDI = "\u202e"
POST = "/v1/videos/generations"
CLIP = plain_clip(4, (1280, 720))


def usual(call: Call) -> Said:
    """Take everything, and finish each task at once with a tiny video."""
    if call.path.endswith("/uploads/images"):
        return Said({"success": True, "data": {"url": "https://files.example/a.jpg"}})
    if call.method == "POST":
        return Said({"id": "video_1", "status": "queued"})
    if call.path.startswith("/balance") or "models" in call.path:
        return Said({"success": False}, 404)
    if call.path.endswith(".mp4"):
        return Said(CLIP, headers={"Content-Type": "video/mp4"})
    return Said({"id": "video_1", "status": "completed", "video_url": "LINK"})


@pytest.fixture
def hostile() -> Iterator[HostileApi]:
    """An API that begins as a good one."""
    with hostile_api(usual) as api:
        yield api


@pytest.fixture
def shop(tmp_path: Path, hostile: HostileApi) -> Iterator[Product]:
    """The product tied to it."""
    with tied_to(hostile, tmp_path / "Größe 38") as tied:
        yield tied


def linked(api: HostileApi, answer: Callable[[Call], Said]) -> Callable[[Call], Said]:
    """Put the address of this API where LINK stands."""

    def said(call: Call) -> Said:
        one = answer(call)
        if isinstance(one.body, dict) and one.body.get("video_url") == "LINK":
            one.body["video_url"] = f"{api.url}/files/v.mp4"
        return one

    return said


def written(folder: Path) -> bytes:
    """Return all that lies in a folder, and all names."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() + str(path).encode() for path in files)


@pytest.mark.parametrize("form", ["seconds", "date"])
@pytest.mark.parametrize("where", ["submit", "query", "upload"])
def test_no_run_sleeps_for_a_day(shop: Product, hostile: HostileApi, where: str, form: str) -> None:
    """It says what was asked for and ends with 5; the next run goes on and pays once."""
    sheets.picture(shop.folder / "a.jpg")
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", image_1="a.jpg")])
    asked = str(DAY_S) if form == "seconds" else formatdate(time.time() + DAY_S, usegmt=True)

    def busy(call: Call) -> Said:
        kinds = {"submit": call.path == POST, "upload": "uploads" in call.path,
                 "query": f"{POST}/" in call.path}  # fmt: skip
        slow = Said({"message": "later"}, 429, {"Retry-After": asked})
        return slow if kinds[where] else usual(call)

    hostile.answer = linked(hostile, busy)
    ended = shop("run", manifest)
    assert ended.code == 5, ended.err
    assert "the provider asks to wait 24 h before the next" in ended.err
    assert "outage.patience_s" in ended.err
    hostile.answer = linked(hostile, usual)
    assert shop("run", manifest).code == 0
    posts = len([one for one in hostile.calls if one.path == POST])
    assert posts == (2 if where == "submit" else 1)


@pytest.mark.parametrize("announced", [True, False])
def test_a_clip_of_gigabytes_stays_where_it_is(
    shop: Product, hostile: HostileApi, *, announced: bool
) -> None:
    """The row keeps its task, says what to do, and what it says brings the video home, unpaid."""
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", duration="4")])
    large = CLIP + free_box(bytes(30_000_000))

    def fat(call: Call) -> Said:
        if not call.path.endswith(".mp4"):
            return usual(call)
        more = {} if announced else {"Content-Length": "", "Transfer-Encoding": "chunked"}
        body = large if announced else b"%x\r\n" % len(large) + large + b"\r\n0\r\n\r\n"
        return Said(body, headers={"Content-Type": "video/mp4", **more})

    hostile.answer = linked(hostile, fat)
    ended = shop("run", manifest)
    assert ended.code == 5, ended.err
    assert "1 row finished, but not downloaded; see result_error and result_action" in ended.err
    out = shop.folder / "outputs" / "s"
    (row,) = sheets.results(out)
    assert (row["result_state"], row["result_task_id"]) == ("ready", "video_1")
    assert "more than the 25 MB that it may have" in row["result_error"]
    assert not [path for path in (out / "videos").iterdir() if path.stat().st_size > 1_000_000]
    command = row["result_action"].partition("reelsheet ")[2]
    _, _, setting = command.partition("--set output.max_video_mb=")
    assert command.startswith("fetch ")
    assert shop("fetch", manifest, sets={"output.max_video_mb": setting}).code == 0
    assert sheets.states(out) == {"A": "done"}
    assert len([one for one in hostile.calls if one.path == POST]) == 1


@pytest.mark.parametrize("spelt", [KEY, f"task_{KEY}", KEY.replace("s", "\\u0073")])
def test_an_id_that_is_the_key_is_written_nowhere(
    shop: Product, hostile: HostileApi, spelt: str
) -> None:
    """Journal, book, log, results, screen: the task is known by our own reference instead."""
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", duration="4")])

    def spiteful(call: Call) -> Said:
        text = f'{{"id":"{spelt}","status":"queued","message":"{BIDI}{spelt}"}}'
        if call.path == POST:
            return Said(text.encode())
        if f"{POST}/" in call.path:
            link = f"{hostile.url}/files/v.mp4"
            done = text.replace("queued", "completed")
            return Said(f'{done[:-1]},"video_url":"{link}"}}'.encode())
        return usual(call)

    hostile.answer = spiteful
    ended = shop("run", manifest, sets={"api.lookup_s": "5"})
    assert ended.code == 0, ended.err
    assert KEY.encode() not in written(shop.folder)
    assert KEY not in ended.err + ended.out
    assert len([one for one in hostile.calls if one.path == POST]) == 1


def test_texts_of_the_api_obey_nobody(shop: Product, hostile: HostileApi) -> None:
    """What a failed task says comes without the key and without marks of direction."""
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", duration="4")])

    def rude(call: Call) -> Said:
        if f"{POST}/" in call.path:
            error = {"code": f"c{BIDI}1", "message": f"no{BIDI} \x1b[31m{KEY}"}
            return Said({"id": "video_1", "status": "failed", "error": error})
        return usual(call)

    hostile.answer = rude
    ended = shop("run", manifest)
    assert ended.code == 1, ended.err
    (row,) = sheets.results(shop.folder / "outputs" / "s")
    assert "no [31m***" in row["result_error"]
    assert "(c1)" in row["result_error"]
    assert not any(mark in written(shop.folder) for mark in (BIDI.encode(), b"\x1b[31m"))
    assert KEY.encode() not in written(shop.folder)
