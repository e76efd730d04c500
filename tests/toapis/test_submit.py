"""Submitting: money. Whatever is not proven to be unaccepted is Unclear, and sent once only."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from pipeline.errors import (
    NotSent,
    OutOfCredit,
    ProviderError,
    Refused,
    Throttled,
    Unauthorized,
    Unclear,
)
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, REQUEST, Script, free_port, http, raw_server, texts_of

ERROR = '{{"error":{{"code":"{code}","message":"{message}","type":"x"}}}}'


async def submit(script: Script, **options: float) -> str:
    async with raw_server(script), ToAPIs(script.url, KEY, **options) as api:  # type: ignore[arg-type]
        return await api.submit(REQUEST, [], "ref-1")


async def failure(script: Script, **options: float) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await submit(script, **options)
    assert KEY not in texts_of(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        '{"id":"t1","status":"queued"}',
        '{"task_id":"t1"}',
        '{"data":{"id":"t1"}}',
        '{"code":"success","message":"","data":{"task_id":"t1"}}',
        '{"code":200,"data":[{"status":"submitted","task_id":"t1"}]}',
        '{"data":[{"id":"t1"}]}',
        '{"id":"t1","status":"failed","error":{"code":"insufficient_quota"}}',
        '\ufeff{"id":" t1 "}',
    ],
)
async def test_an_id_is_found_wherever_it_stands(body: str) -> None:
    """A 200 with an id is an acceptance, whatever stands around it."""
    assert await submit(Script(lambda _: http(200, body))) == "t1"


async def test_a_number_as_id_and_201_are_an_acceptance_too() -> None:
    """The id is opaque and any status of the 200s accepts."""
    assert await submit(Script(lambda _: http(201, '{"id":17}'))) == "17"


async def test_the_body_is_exactly_what_the_contract_lists() -> None:
    """Empty picture lists and a missing reference are left out, and nothing is added."""
    script = Script(lambda _: http(200, '{"id":"t"}'))
    async with raw_server(script), ToAPIs(script.url + "/v1/", KEY) as api:
        await api.submit(REQUEST, [], None)
        await api.submit(replace(REQUEST, duration=10), ["https://a/1.jpg"], "ref")
    base = {
        "model": "gemini_omni_flash",
        "prompt": "A red kettle",
        "duration": 6,
        "aspect_ratio": "16:9",
        "resolution": "720P",
    }
    extra = {"duration": 10, "image_urls": ["https://a/1.jpg"], "client_business_id": "ref"}
    first, second = script.received
    assert json.loads(first.body) == base
    assert json.loads(second.body) == base | extra
    assert first.path == "/v1/videos/generations"
    assert first.headers["authorization"] == f"Bearer {KEY}"
    assert first.headers["content-type"] == "application/json"
    assert KEY not in first.path + first.body.decode()


async def test_only_a_rehearsal_is_told_what_a_row_is_called() -> None:
    """A key may name a customer; the provider learns nothing that it has no use for."""
    script = Script(lambda _: http(200, '{"id":"t"}'))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        await api.submit(REQUEST, [], "ref", "TASSE-Grün")
    async with raw_server(script), ToAPIs(script.url, KEY, tells_keys=True) as api:
        await api.submit(REQUEST, [], "ref", "TASSE-Grün")
        await api.submit(REQUEST, [], "ref", "\U0001f45f" * 1000)
    live, rehearsed, long = (one.headers for one in script.received)
    assert "TASSE" not in str(live)
    assert "TASSE-Gr%C3%BCn" in str(rehearsed)
    assert len(str(long)) < 4000, "a server refuses headers of more than 8 KB"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, ERROR.format(code="invalid_api_key", message="quota"), Unauthorized, None),
        (402, "", OutOfCredit, None),
        (403, ERROR.format(code="insufficient_user_quota", message="x"), OutOfCredit, None),
        (429, ERROR.format(code="insufficient_quota", message="x"), OutOfCredit, None),
        (400, '{"success":false,"message":"Your Quota is used up"}', OutOfCredit, None),
        (500, '{"message":"insufficient_user_quota"}', OutOfCredit, None),
        (200, '{"code":"insufficient_user_quota","message":"x","data":null}', OutOfCredit, None),
        (400, ERROR.format(code="bad", message="no"), Refused, "bad"),
        (400, '{"error":{"code":400,"message":"no"}}', Refused, "400"),
        (400, '{"success":false,"message":"no"}', Refused, None),
        (404, '{"error":"no such path"}', Refused, None),
        (413, "<html>too large</html>", Refused, None),
        (422, '{"code":"content_policy","message":"no","data":null}', Refused, "content_policy"),
        (403, "<html>denied</html>", Refused, None),
        (503, ERROR.format(code="model_not_found", message="x"), Refused, "model_not_found"),
        (200, '{"code":"model_not_found","message":"x"}', Refused, "model_not_found"),
        (429, "", Throttled, None),
        (503, ERROR.format(code="rate_limit_unavailable", message="x"), Throttled, None),
        (503, '{"message":"rate_limit_unavailable"}', Throttled, None),
    ],
)
async def test_a_definite_no_is_told_apart(
    status: int, body: str, kind: type[ProviderError], code: str | None
) -> None:
    """Each row of the contract's table that proves that nothing was accepted."""
    error = await failure(Script(lambda _: http(status, body)))
    assert type(error) is kind
    assert error.status == status
    assert code is None or error.code == code


@pytest.mark.parametrize("status", [408, 409, 410, 425, 451, 500, 501, 502, 503, 504, 520])
async def test_any_other_status_is_unclear(status: int) -> None:
    """A status outside of the table proves nothing."""
    script = Script(lambda _: http(status, ERROR.format(code="internal", message="oops")))
    error = await failure(script)
    assert type(error) is Unclear
    assert (error.status, error.code, script.posts) == (status, "internal", 1)


@pytest.mark.parametrize(
    "answer",
    [
        http(200, "<html>ok</html>"),
        http(200, '{"id":"vid'),
        http(200, '{"id":"video_1"}', length=400),
        http(200, ""),
        http(204),
        http(200, "{}"),
        http(200, '{"id":null}'),
        http(200, '{"id":""}'),
        http(200, '{"id":true}'),
        http(200, '{"id":"\\ud800"}'),
        http(200, '["t1"]'),
        http(200, '{"data":[{"task_id":"t1"},{"task_id":"t2"}]}'),
        http(200, '{"data":["t1"]}'),
        http(500, '{"data":[{"task_id":"t1"}],"message":"quota"}'),
        http(200, b"\xff\xfe\x00"),
        http(200, "[" * 100_000),
        http(200, '{"id":"t","pad":"' + "x" * 1_000_001 + '"}'),
        http(200, '{"success":true,"message":"accepted, quota left 5"}'),
        http(500, '{"message":"failed to update the quota afterwards"}'),
        http(500, '{"task_id":"t1","message":"quota"}'),
        http(400, '{"object":"generation.task","id":"t1"}'),
        http(200, "not gzip", headers={"Content-Encoding": "gzip"}),
        http(307, headers={"Location": "/elsewhere"}),
        http(302, '{"id":"t1"}', headers={"Location": "https://127.0.0.1:1/"}),
        http(304),
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ],
)
async def test_no_readable_id_is_unclear(answer: bytes) -> None:
    """Half an answer, a page, a redirect or nothing: sent once, never again, never refused."""
    script = Script(lambda _: answer)
    error = await failure(script)
    assert type(error) is Unclear
    assert script.posts == 1


@pytest.mark.parametrize("then", ["reset", "close"])
async def test_a_connection_lost_after_the_request_is_unclear(then: str) -> None:
    """The request was read and the answer is lost."""
    script = Script(lambda _: None, then=then)
    assert type(await failure(script)) is Unclear
    assert script.posts == 1


async def test_a_connection_reset_before_the_request_was_read_is_unclear() -> None:
    """Connected is enough: whether the bytes were read cannot be known here."""
    script = Script(lambda _: None, before="reset")
    assert type(await failure(script)) is Unclear
    assert (script.posts, script.connections) == (0, 1)


async def test_silence_is_unclear_after_the_time_limit() -> None:
    """A timeout after connecting says nothing about acceptance."""
    script = Script(lambda _: None, then="stall")
    assert type(await failure(script, submit_timeout_s=0.2)) is Unclear
    assert script.posts == 1


async def test_a_refusal_counts_although_its_body_breaks_off() -> None:
    """The status alone proves that nothing was accepted."""
    error = await failure(Script(lambda _: http(400, '{"err', length=500)))
    assert (type(error), error.status) == (Refused, 400)


async def test_nobody_listening_is_not_sent() -> None:
    """A refused connection proves that nothing left."""
    async with ToAPIs(f"http://127.0.0.1:{free_port()}", KEY) as api:
        with pytest.raises(NotSent) as caught:
            await api.submit(REQUEST, [], None)
    assert KEY not in texts_of(caught.value)


async def test_an_unknown_host_is_not_sent() -> None:
    """A name that nobody resolves (too long to be asked for at all): nothing left."""
    async with ToAPIs("https://" + f"{'a' * 60}." * 5 + "invalid", KEY) as api:
        with pytest.raises(NotSent):
            await api.submit(REQUEST, [], None)


@pytest.mark.parametrize("before", ["", "reset"])
async def test_a_broken_tls_handshake_is_not_sent(before: str) -> None:
    """Before the handshake is through no request can have been sent."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not before:
            received.append(await reader.read(5))
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, ToAPIs(f"https://127.0.0.1:{port}", KEY) as api:
        with pytest.raises(NotSent):
            await api.submit(REQUEST, [], None)
    assert all(first.startswith(b"\x16\x03") for first in received)


async def test_a_connection_is_never_used_for_a_second_submission() -> None:
    """A server that drops idle connections cannot swallow a paid request."""
    script = Script(lambda _: http(200, '{"id":"t"}'), then="keep")
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        for _ in range(3):
            await api.submit(REQUEST, [], None)
    assert [each.connection for each in script.received] == [1, 2, 3]
    assert {each.headers["connection"] for each in script.received} == {"close"}


async def test_a_kept_connection_that_dies_gets_no_second_post() -> None:
    """Even on a session that keeps connections, a POST on a dead one is not sent again."""
    script = Script(lambda _: http(200, '{"id":"t"}'), then="keep")

    def answer(_: object) -> bytes | None:
        if len(script.received) == 1:
            return http(200, '{"id":"t"}')
        script.then = "close"
        return None

    script.answer = answer
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        caller = api._caller
        caller._paid, paid = caller._free, caller._paid
        try:
            await api.submit(REQUEST, [], None)
            with pytest.raises(Unclear):
                await api.submit(REQUEST, [], None)
        finally:
            caller._paid = paid
    assert [each.connection for each in script.received] == [1, 1]


async def test_the_key_is_taken_out_of_what_the_server_says() -> None:
    """A server that echoes the key, or signed addresses, does not bring them into our texts."""
    message = f"Bearer {KEY} may not fetch https://a.b/c.jpg?sig=abc\\nline two"
    error = await failure(Script(lambda _: http(400, ERROR.format(code=KEY, message=message))))
    assert "sig=abc" not in texts_of(error)
    assert "\n" not in error.message
    assert "https://a.b/c.jpg?…" in error.message


async def test_cancelling_is_passed_through() -> None:
    """Ctrl-C is no failure of the provider."""
    script = Script(lambda _: None, then="stall")
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        call = asyncio.create_task(api.submit(REQUEST, [], None))
        await script.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({}, None),
        (
            {
                "Retry-After": "Sun, 01 Nov 2026 10:00:30 GMT",
                "Date": "Sun, 01 Nov 2026 10:00:00 GMT",
            },
            30,
        ),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:50 GMT"}, 10),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:50 GMT"}, 0),
    ],
)
async def test_the_wait_asked_for_is_read(headers: dict[str, str], wait_s: float | None) -> None:
    """Seconds, or a date against the answer's own clock, else against the one given."""
    script = Script(lambda _: http(429, "", headers=headers))
    async with raw_server(script), ToAPIs(script.url, KEY, clock=lambda: 100.0) as api:
        with pytest.raises(Throttled) as caught:
            await api.submit(REQUEST, [], None)
    assert caught.value.retry_after_s == wait_s


def test_a_repr_shows_no_key() -> None:
    """The client can be logged."""
    assert KEY not in repr(ToAPIs("https://toapis.com", KEY))
