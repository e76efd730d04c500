"""The review page over HTTP on this machine: files, decisions, other people, and what is new."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.journal.decisions import DecisionTable, read_decisions
from pipeline.journal.journal import Journal
from pipeline.manifest.invocation import Invocation
from pipeline.model import Decision
from pipeline.review import saving
from pipeline.review.live import LiveReview
from pipeline.review.server import serve
from pipeline.review.static import Reviewed
from pipeline.review.together import Together
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path, keys="MUG BAG TEA")
    shop.make("MUG", name="Größe 38 & Tüll #2.mp4", content=bytes(range(200)) * 3000)
    shop.make("BAG")
    return shop


def live_of(shop: Shop) -> LiveReview:
    typed = Invocation(shop.manifest)
    return LiveReview(Reviewed.of(shop.check(), shop.folder, Config(), typed))


@contextlib.asynccontextmanager
async def served(shop: Shop) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    live = live_of(shop)
    async with (
        serve(Together([live]), "Ada") as address,
        aiohttp.ClientSession(skip_auto_headers=["Origin"]) as client,
    ):
        yield address, client


def decision(
    shop: Shop, key: str = "MUG", verdict: str = "approve", **more: object
) -> dict[str, Any]:
    videos = {
        "MUG": shop.folder.videos / "Größe 38 & Tüll #2.mp4",
        "BAG": shop.folder.videos / "BAG.mp4",
    }
    digest = hashlib.sha256(videos[key].read_bytes()).hexdigest()
    return {"entry": key, "number": 1, "sha256": digest, "verdict": verdict, "at": 5.5, **more}


async def post(
    address: str, client: aiohttp.ClientSession, *decisions: dict[str, Any]
) -> tuple[int, Any]:
    origin = str(URL(address).origin())
    body = json.dumps({"decisions": decisions})
    headers = {"Origin": origin, "Content-Type": "application/json"}
    async with client.post(f"{address}api/decisions", data=body, headers=headers) as reply:
        text = await reply.text()
        return reply.status, json.loads(text) if text.startswith("{") else text


async def test_the_page_and_its_files(shop: Shop) -> None:
    """With every header of safety; and nothing of the folder but videos and stills."""
    async with served(shop) as (address, client):
        for name, kind in (
            ("", "text/html"),
            ("review/page.js", "text/javascript"),
            ("review/review.css", "text/css"),
            ("review/data.js", "text/javascript"),
        ):
            async with client.get(address + name) as reply:
                assert (reply.status, reply.content_type) == (200, kind)
                assert "trusted-types" in reply.headers["Content-Security-Policy"]
                assert reply.headers["Referrer-Policy"] == "no-referrer"
                assert "Set-Cookie" not in reply.headers
                assert await reply.read()
        for name in ("journal.db", "results.csv", "run.log", "cache/run.lock", "videos/journal.db",
                     "review/../journal.db", "nothing", "review/store.js"):  # fmt: skip
            async with client.get(URL(address + name, encoded=True)) as reply:
                assert reply.status in {400, 404}
        async with client.get(str(URL(address).origin()) + "/") as reply:
            assert reply.status == 404


async def test_the_data_is_a_script_that_nothing_ends(shop: Shop) -> None:
    """Also where a title is a script by itself."""
    text = shop.manifest.read_text().replace("The BAG", "</script><script>alert(1)</script>")
    shop.manifest.write_text(text)
    async with served(shop) as (address, client), client.get(f"{address}review/data.js") as reply:
        script = (await reply.read()).decode("ascii")
    assert "<" not in script
    data = _data(script.encode())
    assert data["served"] is True
    assert data["who"] == "Ada"
    assert [card["key"] for card in data["cards"]] == ["MUG", "BAG", "TEA"]
    assert data["cards"][1]["title"] == "</script><script>alert(1)</script>"
    assert data["groups"] == [{"name": "shop", "values": ["north", "south"]}]


async def test_videos_come_whole_and_in_parts(shop: Shop) -> None:
    """Under any name; what is gone, or a link to another place, is not there."""
    whole = (shop.folder.videos / "Größe 38 & Tüll #2.mp4").read_bytes()
    (shop.folder.videos / "link.mp4").symlink_to(shop.folder.journal)
    async with served(shop) as (address, client):
        video = URL(
            f"{address}videos/Gr%C3%B6%C3%9Fe%2038%20%26%20T%C3%BCll%20%232.mp4", encoded=True
        )
        async with client.get(video) as reply:
            assert (reply.status, reply.content_type) == (200, "video/mp4")
            assert reply.headers["Accept-Ranges"] == "bytes"
            assert await reply.read() == whole
        async with client.get(video, headers={"Range": "bytes=1000-1999"}) as reply:
            assert reply.status == 206
            assert reply.headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
            assert await reply.read() == whole[1000:2000]
        async with client.get(video, headers={"Range": f"bytes={len(whole)}-"}) as reply:
            assert reply.status == 416
        async with client.head(video) as reply:
            assert reply.content_length == len(whole)
        for name in ("link.mp4", "gone.mp4"):
            async with client.get(f"{address}videos/{name}") as reply:
                assert reply.status == 404
        aside = shop.folder.videos.rename(shop.folder.root / "aside")
        shop.folder.videos.symlink_to(aside)
        async with client.get(video) as reply:
            assert reply.status == 404


async def test_a_decision_is_durable_when_it_is_answered(shop: Shop) -> None:
    """Under the name of the server's user, whatever the page says; the same again adds nothing."""
    async with served(shop) as (address, client):
        saved = await post(address, client, decision(shop, note="fine\x07", reviewer="Eve"))
        assert saved == (
            200,
            {"gone": [], "saved": [{"entry": "MUG", "number": 1, "seq": 1}], "conflicts": []},
        )
        (one,) = read_decisions(shop.folder.journal)
        assert (one.verdict, one.note, one.reviewer, one.source) == (
            "approve",
            "fine",
            "Ada",
            "page",
        )
        await post(address, client, decision(shop, note="fine", seen=1))
        await post(address, client, decision(shop, verdict="", seen=1))
    assert [one.verdict for one in read_decisions(shop.folder.journal)] == ["approve", ""]
    assert not shop.folder.journal.with_name("journal.db-wal").exists()


async def test_another_persons_newer_verdict_is_shown(shop: Shop) -> None:
    """409 with theirs, and nothing is overruled; who has seen it may."""
    values = decision(shop, verdict="reject")
    theirs = Decision("MUG", 1, values["sha256"], "reject", "other", reviewer="Ben", at=4.0)
    async with served(shop) as (address, client):
        with DecisionTable(shop.folder.journal) as table:
            table.add(None, lambda _: [theirs])
        mine = decision(shop, verdict="approve")
        status, told = await post(address, client, mine, decision(shop, "BAG"))
        assert status == 409
        assert told["saved"] == [{"entry": "BAG", "number": 1, "seq": 2}]
        (conflict,) = told["conflicts"]
        assert (conflict["theirs"]["reviewer"], conflict["theirs"]["seq"]) == ("Ben", 1)
        status, _ = await post(address, client, {**mine, "seen": 1})
        assert status == 200
    assert [one.verdict for one in read_decisions(shop.folder.journal)][-1] == "approve"


async def test_what_no_page_sends_is_refused(shop: Shop) -> None:
    """And nothing of it is kept; the server goes on."""
    good = decision(shop)
    bad: list[tuple[dict[str, Any], str]] = [
        ({**good, "verdict": "maybe"}, "verdict"),
        ({**good, "number": "1"}, "number"),
        ({**good, "number": True}, "number"),
        ({**good, "note": ["x"]}, "text"),
        ({**good, "note": "x" * 5000}, "5,000 characters"),
    ]
    async with served(shop) as (address, client):
        for one, reason in bad:
            status, text = await post(address, client, one, decision(shop, "BAG"))
            assert status == 400
            assert reason in text
        assert (await post(address, client, *[good] * 501))[0] == 400
        headers = {"Origin": str(URL(address).origin()), "Content-Type": "application/json"}
        for body, expected in (
            (b"{", 400),
            (b"[" * 100_000, 400),
            (b"[]", 400),
            (b"x" * 5_000_000, 413),
        ):
            async with client.post(
                f"{address}api/decisions", data=io.BytesIO(body), headers=headers
            ) as reply:
                assert reply.status == expected
        headers["Origin"] = "http://evil.example"
        async with client.post(f"{address}api/decisions", data=b"{}", headers=headers) as reply:
            assert reply.status == 403
        async with client.get(address, headers={"Host": "evil.example"}) as reply:
            assert reply.status == 421
    assert read_decisions(shop.folder.journal) == []


async def test_a_take_that_is_not_there_any_more(shop: Shop) -> None:
    """What is decided about it is told and not kept; the others are saved."""
    async with served(shop) as (address, client):
        other = {**decision(shop), "sha256": "00"}
        status, told = await post(address, client, other, decision(shop, "BAG"))
        assert (status, told["gone"]) == (200, [{"entry": "MUG", "number": 1}])
        status, told = await post(address, client, {**decision(shop), "entry": "CUP"})
        assert (status, told["gone"]) == (200, [{"entry": "CUP", "number": 1}])
    assert [one.entry for one in read_decisions(shop.folder.journal)] == ["BAG"]


async def test_many_saves_share_a_commit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run beside it waits for few commits, not for one of each key that is pressed."""
    commits = []

    class Counted(DecisionTable):
        def add(self, *arguments: Any) -> list[Decision]:
            commits.append(1)
            return super().add(*arguments)

    monkeypatch.setattr(saving, "DecisionTable", Counted)
    async with served(shop) as (address, client):
        notes = [decision(shop, note=f"note {number}") for number in range(40)]
        with contextlib.closing(Journal(shop.folder.journal)):  # as a run has it open
            replies = await asyncio.gather(*(post(address, client, one) for one in notes))
        assert {status for status, _ in replies} == {200}
    assert len(read_decisions(shop.folder.journal)) == 40
    assert len(commits) < 20


async def test_pages_are_told_what_is_new(shop: Shop) -> None:
    """A video that a run has made meanwhile, and what another person decided."""
    async with served(shop) as (address, client):
        timeout = aiohttp.ClientTimeout(total=30)
        async with client.get(f"{address}review/data.js") as reply:
            version = _data(await reply.read())["version"]
        await asyncio.to_thread(shop.make, "TEA")  # before the page listens
        async with client.get(f"{address}review/data.js") as another:  # as a second page does
            assert _data(await another.read())["version"] > version
        events = f"{address}api/events?since={version}"
        async with client.get(events, timeout=timeout) as reply:
            assert reply.content_type == "text/event-stream"
            assert await reply.content.readline() == b": here\n"
            news = await _news(reply)
            ((place, card),) = news["cards"]
            assert (place, card["key"], card["takes"][0]["file"]) == (2, "TEA", "TEA.mp4")
            said = Decision("BAG", 1, decision(shop, "BAG")["sha256"], "reject", reviewer="Ben")
            with DecisionTable(shop.folder.journal) as table:
                table.add(None, lambda _: [replace(said, at=7.0)])
            news = await _news(reply)
            assert news["decisions"][0]["reviewer"] == "Ben"
        status, _ = await post(address, client, decision(shop, "BAG", seen=1))
        assert status == 200


def _data(script: bytes) -> Any:
    text = script.decode("ascii").removeprefix("const REVIEW_DATA = JSON.parse(")
    return json.loads(json.loads(text[:-3]))


async def _news(reply: aiohttp.ClientResponse) -> Any:
    async for line in reply.content:
        if line.startswith(b"data: "):
            return json.loads(line[6:])
    raise AssertionError


async def test_a_port_that_is_taken(shop: Shop) -> None:
    """Is told with the way on."""
    async with served(shop) as (address, _):
        live = live_of(shop)
        with pytest.raises(UsageError, match="cannot be used"):
            async with serve(Together([live]), "Ada", port=URL(address).port or 0):
                pass


async def test_on_a_network_each_browser_says_who_decides(shop: Shop) -> None:
    """Under the address that was named and no other one; a decision without a name is refused."""
    page = Together([live_of(shop)])
    async with (
        serve(page, None, host="localhost") as address,
        aiohttp.ClientSession(skip_auto_headers=["Origin"]) as client,
    ):
        assert address.startswith("http://localhost:")
        async with client.get(f"{address}review/data.js") as reply:
            assert b'\\"asks\\":true' in await reply.read()
        status, told = await post(address, client, decision(shop))
        assert (status, "nobody says who decides" in told) == (400, True)
        assert (await post(address, client, decision(shop, reviewer="Eve\x07")))[0] == 200
        async with client.get(address, headers={"Host": "127.0.0.1"}) as reply:
            assert reply.status == 421
    assert read_decisions(shop.folder.journal)[0].reviewer == "Eve"
    for host, said in (("0.0.0.0", "every network"), ("no.such.invalid", "no such address"),
                       ("::", "every network"), ("192.0.2.1", "cannot be used")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            async with serve(page, None, host=host):
                pass
