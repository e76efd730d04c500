"""The rules of a submission, and what its refusals look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GENERATIONS = "/v1/videos/generations"


async def test_a_plain_request_is_accepted(api: Any) -> None:
    """The answer has an id, the queue's status and whole seconds."""
    status, body = await api.submit(client_business_id="row-1")
    assert status == 200
    assert body["object"] == "generation.task"
    assert body["status"] == "queued"
    assert isinstance(body["created_at"], int)
    (one,) = api.emulator.records.submissions
    assert (one.task_id, one.client_business_id) == (body["id"], "row-1")


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "  "},
        {"prompt": None},
        {"duration": 5},
        {"duration": "6"},
        {"duration": True},
        {"aspect_ratio": "1:1"},
        {"resolution": "720p"},
        {"resolution": "1080p", "aspect_ratio": "9:16"},
        {"image_urls": []},
        {"image_urls": ["https://example.com/a.jpg"] * 2},
        {"image_urls": ["data:image/png;base64,AAAA"]},
        {"image_urls": ["http://127.0.0.1:1/uploads/9/1_aaaaaaaa.png"]},
        {"client_business_id": "a b"},
        {"client_business_id": "a" * 65},
        {"seed": 1},
        {"model": "gemini-omni-flash", "resolution": "720P"},
        {"model": "gemini-omni-flash", "image_urls": ["https://example.com/a.jpg"] * 4},
        {"model": "gemini-omni-flash", "resolution": "1080p", "aspect_ratio": "9:16"},
    ],
    ids=str,
)
async def test_a_broken_rule_is_refused(api: Any, fields: dict[str, Any]) -> None:
    """Every rule of the request table is checked, and nothing is accepted."""
    status, body = await api.submit(**fields)
    assert status == 400
    assert body["error"]["code"]
    assert not api.emulator.records.submissions
    assert len(api.emulator.records.refused) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"duration": 10, "resolution": "1080p"},
        {"duration": 4, "aspect_ratio": "9:16"},
        {"image_urls": ["https://example.com/a.jpg"]},
        {"image_urls": ["https://example.com/a.jpg"] * 3},
        {"model": "gemini-omni-flash"},
        {"model": "gemini-omni-flash", "resolution": "720p", "aspect_ratio": "9:16"},
        {"model": "gemini-omni-flash", "image_urls": ["https://example.com/a.jpg"] * 2},
    ],
    ids=str,
)
async def test_every_allowed_form_is_accepted(api: Any, fields: dict[str, Any]) -> None:
    """What the table allows is accepted."""
    assert (await api.submit(**fields))[0] == 200


async def test_an_unknown_model_is_503(api: Any) -> None:
    """The service answers a misspelt model as if it were down."""
    status, body = await api.submit(model="veo")
    assert status == 503
    assert body["error"]["code"] == "model_not_found"


async def test_broken_json_is_400(api: Any) -> None:
    """A body that is no JSON is refused."""
    status, _ = await api.call("POST", GENERATIONS, data=b"{")
    assert status == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "secret"}])
async def test_no_key_is_401(api: Any, headers: dict[str, str]) -> None:
    """Every API call needs a key; that it had none is recorded."""
    status, body = await api.call("GET", "/v1/balance", headers=headers)
    assert status == 401
    assert body["error"]["type"] == "authentication_error"


async def test_only_the_configured_key_is_good(start: Callable[..., Awaitable[Any]]) -> None:
    """With a key configured another one is refused."""
    api = await start(key="other")
    assert (await api.call("GET", "/v1/balance"))[0] == 401


async def test_the_balance_goes_down_and_failed_tasks_are_refunded(
    start: Callable[..., Awaitable[Any]],
) -> None:
    """A second of video has its price, and a failed task gives it back."""
    api = await start(balance_usd=10.0, price_per_second_usd=0.5)
    await api.finished(await api.accepted())
    assert (await api.call("GET", "/v1/balance"))[1]["remain_balance"] == 7.0
    await api.finished(await api.accepted(prompt="[fault:query_failed_error]"))
    body = (await api.call("GET", "/v1/balance"))[1]
    assert (body["remain_balance"], body["used_balance"]) == (7.0, 3.0)
    assert (await api.submit(duration=10))[0] == 200
    status, refusal = await api.submit(duration=10)
    assert status == 402
    assert "quota" in refusal["error"]["code"]


async def test_rate_limits_answer_429_with_headers(start: Callable[..., Awaitable[Any]]) -> None:
    """A refused call says when to come back, and was not accepted."""
    api = await start(submit_per_minute=60, submit_burst=2)
    answers = [await api.submit() for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    url = api.emulator.base_url + GENERATIONS
    async with api.session.post(url, headers={"Authorization": "Bearer k"}) as answer:
        assert answer.status == 429
        assert answer.headers["X-RateLimit-Category"] == "async_submit"
        assert answer.headers["X-RateLimit-Limit"] == "60"
        assert int(answer.headers["Retry-After"]) >= 1
    assert len(api.emulator.records.submissions) == 2
    assert api.emulator.summary()["too_many_requests"] == 2


async def test_the_cap_on_unfinished_tasks(start: Callable[..., Awaitable[Any]]) -> None:
    """More unfinished tasks than the cap are refused until one ends."""
    api = await start(outstanding_cap=1)
    stuck = "[fault:query_never_finishing]"
    first = await api.accepted()
    await api.finished(first)
    await api.accepted(prompt=stuck)
    assert (await api.submit())[0] == 429
    assert api.emulator.peak_outstanding == 1
