"""An API that says the key: no id, no address and no text holds it, nor marks of direction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pipeline.errors import NoSuchTask, Refused, Unclear, Unreachable
from pipeline.toapis.bodies import CONCEALED, conceal_key, parse
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, REQUEST, Script, http, raw_server, texts_of

ESCAPED = KEY.replace("s", "\\u0073")
MARK = "\u202e"


def says(document: Any, status: int = 200) -> Script:
    body = document if isinstance(document, str) else json.dumps(document)
    return Script(lambda _: http(status, body))


@pytest.mark.parametrize("told", [KEY, f"task-{KEY}", f"v{MARK}1", "v\u200f1", "v\u00051"])
@pytest.mark.parametrize("name", ["id", "task_id"])
async def test_an_id_that_nobody_may_write_down_is_none(told: str, name: str) -> None:
    """The task may be paid for: so the answer is unclear, and it is looked up by our reference."""
    script = says({name: told, "status": "queued"})
    async with raw_server(script) as api, ToAPIs(api.url, KEY) as client:
        with pytest.raises(Unclear) as caught:
            await client.submit(REQUEST, [], "rs-1")
        view = await client.query("rs-1")
    assert KEY not in texts_of(caught.value)
    assert view.task_id is None


@pytest.mark.parametrize(
    "document",
    [
        f'{{"id":"{ESCAPED}"}}',
        json.dumps({"data": [{"task_id": KEY}]}),
        json.dumps({"id": f"{KEY}/{quote(KEY, safe='')}"}),
    ],
)
async def test_the_key_is_found_however_it_is_written(document: str) -> None:
    """In escapes, wrapped, twice."""
    async with raw_server(says(document)) as api, ToAPIs(api.url, KEY) as client:
        with pytest.raises(Unclear):
            await client.submit(REQUEST, [], "rs-1")


async def test_an_address_that_holds_the_key_is_not_used() -> None:
    """Neither that of a video, which another host would see, nor that of a picture, to be kept."""
    link = f"https://files.example/v.mp4?token={KEY}"
    script = says({"id": "t1", "status": "completed", "video_url": link})
    async with raw_server(script) as api, ToAPIs(api.url, KEY) as client:
        view = await client.query("t1")
    assert view.video_url is None
    assert view.url_fault == "it holds the API key, which goes to no other host"
    script = says({"success": True, "data": {"url": link}})
    async with raw_server(script) as api, ToAPIs(api.url, KEY) as client:
        with pytest.raises(Unreachable):
            await client.upload(Path(__file__), "image/png")


async def test_texts_hold_neither_the_key_nor_marks_of_direction() -> None:
    """Not even a key with invisible characters between its letters."""
    torn = f"{KEY[:5]}\u200b{MARK}\x00{KEY[5:]}"
    said = f"no {MARK}evil\u2066 {KEY} {torn}\nmore\u0007"
    error = {"error": {"code": f"bad_{MARK}{KEY}", "message": said}}
    async with raw_server(says(error, 400)) as api, ToAPIs(api.url, KEY) as client:
        with pytest.raises(Refused) as caught:
            await client.submit(REQUEST, [], "rs-1")
    assert caught.value.code == "bad_***"
    assert caught.value.message.endswith("no evil *** *** more")
    failed = {"id": "t1", "status": "failed", "error": {"code": "c", "message": said}}
    async with raw_server(says(failed)) as api, ToAPIs(api.url, KEY) as client:
        view = await client.query("t1")
    assert view.error_message == "no evil *** *** more"
    odd = {"id": "t1", "status": f"odd{MARK} {KEY}"}
    async with raw_server(says(odd)) as api, ToAPIs(api.url, KEY) as client:
        assert (await client.query("t1")).unknown_status == "odd ***"


async def test_the_key_is_asked_for_as_no_task() -> None:
    """A person who pastes it in the place of a task id sends it to no log of the provider."""
    script = says({"id": "t1", "status": "queued"})
    async with raw_server(script) as api, ToAPIs(api.url, KEY) as client:
        with pytest.raises(NoSuchTask) as caught:
            await client.query(KEY)
    assert KEY not in texts_of(caught.value)
    assert script.received == []


async def test_names_of_models_are_plain() -> None:
    """They are shown as a table."""
    listed = {"success": True, "data": [{"id": "good"}, {"id": KEY}, {"id": f"b{MARK}ad"}]}
    async with raw_server(says(listed)) as api, ToAPIs(api.url, KEY) as client:
        assert await client.video_models() == ("good",)


@pytest.mark.parametrize(
    ("body", "key", "expected"),
    [
        (b'{"a": "b"}', KEY, b'{"a": "b"}'),
        (b'{"a": "\\u00e9"}', KEY, b'{"a": "\\u00e9"}'),
        (b"<html>", KEY, b"<html>"),
        (b'{"a": "short"}', "short", b'{"a": "short"}'),
        (b'{"a": 12345678901}', "2345678901", json.dumps({"a": CONCEALED}).encode()),
        (b'{"x12345678": {"12345678": true}}', "12345678",
         json.dumps({f"x{CONCEALED}": {CONCEALED: True}}).encode()),
        (b'{"a": "xSK-SECRETx"}', "sk-Secret", json.dumps({"a": f"x{CONCEALED}x"}).encode()),
        (b'{"a": "%73K-s%65cret"}', "sk-Secret", json.dumps({"a": CONCEALED}).encode()),
        ('{"a": "12345678"}'.encode("utf-16"), "12345678", json.dumps({"a": CONCEALED}).encode()),
    ],
)  # fmt: skip
def test_what_is_left_of_a_body(body: bytes, key: str, expected: bytes) -> None:
    """Without the key it stays byte for byte as it came."""
    assert conceal_key(body, key) == expected


def test_a_body_that_is_nested_without_end_is_unreadable() -> None:
    """It is no reason to fail."""
    body = b'{"a":"12345678","b":' + b"[" * 90_000 + b"]" * 90_000 + b"}"
    assert parse(conceal_key(body, "12345678")) is None


def test_a_body_too_deep_to_be_looked_through_is_no_answer() -> None:
    """What cannot be searched for the key is not shown, and not stored."""
    deep = '{"a":' * 800 + json.dumps(KEY) + "}" * 800
    assert parse(deep.encode()) is not None
    assert conceal_key(deep.encode(), KEY) == b""
