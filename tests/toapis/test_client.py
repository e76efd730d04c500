"""The client as an object: what it is made of, when it may be used, how it ends."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigError, Unreachable
from pipeline.model import Balance, Phase, TaskView
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, Script, http, raw_server


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
