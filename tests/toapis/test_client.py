"""The client as an object: what it is made of, when it may be used, how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError, NotSent, Refused, Unreachable
from pipeline.model import Balance, Phase, TaskView
from pipeline.network import Network, Proxy
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, REQUEST, Script, http, raw_server, texts_of


@pytest.mark.parametrize("key", ["", " ", "sk a", "sk\n", "schlüssel", "sk\x00"])
def test_a_key_that_is_none_is_refused_and_not_repeated(key: str) -> None:
    """Before any call; what was pasted there is not said again."""
    with pytest.raises(ConfigError) as caught:
        ToAPIs("https://api.example", key)
    assert not key.strip() or key not in caught.value.message
    assert "api.key_env" in (caught.value.action or "")


async def test_it_calls_nobody_outside_of_its_block() -> None:
    """Neither before nor after: a session that is closed would leak its connections."""
    async with raw_server(Script(lambda _: http(200, "{}"))) as server:
        api = ToAPIs(server.url, KEY)
        with pytest.raises(RuntimeError):
            await api.balance()
        async with api:
            pass
        with pytest.raises(RuntimeError):
            await api.query("t")
        await api.__aexit__()
        assert server.connections == 0


async def test_a_wrapped_balance_is_read() -> None:
    """In `data`, as other bodies are wrapped too."""
    body = '{"success":true,"data":{"remain_balance":3,"used_balance":1}}'
    async with (
        raw_server(Script(lambda _: http(200, body))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        assert await api.balance() == Balance(3, 1)


@pytest.mark.parametrize("digits", [4_300, 4_301, 100_000])
async def test_a_number_of_many_digits_is_no_trouble(digits: int) -> None:
    """Where an id, a code or an amount should stand: no traceback, and no such number."""
    body = f'{{"id":{"1" * digits},"status":"queued","code":{"1" * digits},"progress":1e999}}'
    async with (
        raw_server(Script(lambda _: http(200, body))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        if digits > 4_300:  # more than Python reads, so it is no JSON to it
            with pytest.raises(Unreachable):
                await api.query("t")
            return
        view = await api.query("t")
        assert view == TaskView(None, Phase.QUEUED)


PROXIED = {
    "password": (http(407), "wants a user name and a password"),
    "refused": (http(403), "refuses to connect to the host (HTTP 403)"),
    "hung up": (None, "cannot be reached, or broke the connection"),
    "hung up in the tunnel": (http(200), "cannot be reached, or broke the connection"),
}


@pytest.mark.parametrize(("answer", "said"), PROXIED.values(), ids=PROXIED)
async def test_a_proxy_that_lets_nothing_through_is_named(answer: bytes | None, said: str) -> None:
    """With the setting, and without its password; nothing was sent to the API."""
    async with raw_server(Script(lambda _: answer)) as server:
        url = server.url.replace("http://", "http://me:geheim@")
        through = Network({"https": Proxy(url, "the setting http.proxy")})
        async with ToAPIs("https://api.example", KEY, network=through) as api:
            with pytest.raises(NotSent) as caught:
                await api.submit(REQUEST, [], "rs-1")
    (asked,) = server.received
    assert asked.method == "CONNECT"
    assert said in caught.value.message
    assert "the setting http.proxy" in caught.value.message
    assert "geheim" not in texts_of(caught.value)
    assert KEY not in f"{asked.headers} {asked.body!r}"


async def test_a_picture_that_cannot_be_freed_of_its_metadata_is_not_sent(tmp_path: Path) -> None:
    """Its row is told why, and what to do."""
    picture = tmp_path / "p.png"
    picture.write_bytes(b"a picture")

    def fail(_data: bytes, _mime_type: str) -> bytes:
        raise ValueError("it ends in the middle")

    async with (
        raw_server(Script(lambda _: http(200, "{}"))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        with pytest.raises(Refused, match="it ends in the middle") as caught:
            await api.upload(picture, "image/png", rewrite=fail)
    assert caught.value.code == "picture_unreadable"
    assert str(picture) in caught.value.message
    assert "images.metadata" in caught.value.message
    assert server.received == []


async def test_a_proxy_is_not_blamed_for_an_api_that_keeps_silent() -> None:
    """No answer came in time, wherever it was lost."""
    async with raw_server(Script(lambda _: None, then="stall")) as server:
        through = Network({"https": Proxy(server.url, "the setting http.proxy")})
        api = ToAPIs("https://api.example", KEY, network=through, query_timeout_s=0.2)
        async with api:
            with pytest.raises(Unreachable, match="no answer came in time"):
                await api.query("t1")
