"""Queries, uploads and the balance: free and repeatable, so nothing unclear fails a row."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from pipeline.errors import NoSuchTask, ProviderError, Refused, Throttled, Unauthorized, Unreachable
from pipeline.model import Balance, Phase, TaskView
from pipeline.toapis.client import ToAPIs
from tests.toapis.doubles import KEY, Script, free_port, http, raw_server, texts_of

GOOD_UPLOAD = '{"success":true,"data":{"url":"https://files.example/u/1.jpg"}}'


async def query(answer: bytes, reference: str = "t1", **options: float) -> TaskView:
    script = Script(lambda _: answer)
    async with raw_server(script), ToAPIs(script.url, KEY, **options) as api:  # type: ignore[arg-type]
        return await api.query(reference)


async def query_failure(answer: bytes) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await query(answer)
    assert KEY not in texts_of(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ('"queued"', Phase.QUEUED),
        ('"submitted"', Phase.QUEUED),
        ('"Pending"', Phase.QUEUED),
        ('"IN_PROGRESS"', Phase.IN_PROGRESS),
        ('"processing"', Phase.IN_PROGRESS),
        ('"completed"', Phase.COMPLETED),
        ('" SUCCEEDED "', Phase.COMPLETED),
        ('"failed"', Phase.FAILED),
        ('"cancelling"', Phase.UNKNOWN),
        ("null", Phase.UNKNOWN),
        ("7", Phase.UNKNOWN),
    ],
)
async def test_each_spelling_of_a_status_is_a_phase(status: str, phase: Phase) -> None:
    """Known spellings in any case; anything else is unknown, never a failure."""
    view = await query(http(200, f'{{"id":"t1","status":{status}}}'))
    assert (view.task_id, view.phase) == ("t1", phase)


@pytest.mark.parametrize("body", ["{}", '{"id":"t1"}', '{"success":false,"message":"busy"}'])
async def test_a_missing_status_is_unknown(body: str) -> None:
    """An answer without a status means: ask again."""
    assert (await query(http(200, body))).phase is Phase.UNKNOWN


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ('"video_url":"https://a.b/1.mp4","url":"https://a.b/2.mp4"', "https://a.b/1.mp4"),
        ('"result":{"data":[{"url":"https://a.b/3.mp4"}]},"url":"https://a.b/2.mp4"', "3"),
        ('"url":"https://a.b/2.mp4","data":[{"url":"https://a.b/4.mp4"}]', "2"),
        ('"data":[{},{"url":"https://a.b/4.mp4?sig=x"}]', "https://a.b/4.mp4?sig=x"),
        ('"video_url":"file:///etc/passwd","url":"http://a.b/2.mp4"', "http://a.b/2.mp4"),
        ('"video_url":"https:///1.mp4"', None),
        ('"video_url":"https://me:pw@a.b/1.mp4"', None),
        ('"video_url":"https://a.b/1 .mp4"', "https://a.b/1%20.mp4"),
        ('"video_url":"https://[::1/1.mp4"', None),
        ('"video_url":"","result":[],"data":{}', None),
        ('"video_url":17', None),
    ],
)
async def test_the_video_is_found_in_the_contracts_order(body: str, url: str | None) -> None:
    """The first usable web address of the four places, or none."""
    view = await query(http(200, f'{{"status":"completed",{body}}}'))
    expected = f"https://a.b/{url}.mp4" if url and len(url) == 1 else url
    assert (view.phase, view.video_url) == (Phase.COMPLETED, expected)


@pytest.mark.parametrize(
    ("written", "progress"),
    [
        ("40", 40),
        ('"40.5"', 40.5),
        ("0", 0),
        ("130", 100),
        ("-1", 0),
        ("null", None),
        ("NaN", None),
        ("Infinity", None),
        ('"nan"', None),
        ('"half"', None),
        ('"100%"', 100),
        ('" 7.5% "', 7.5),
        ('"%"', None),
        ("true", None),
        ("[1]", None),
        ("1" + "0" * 400, None),
    ],
)
async def test_progress_is_a_percentage_or_nothing(written: str, progress: float | None) -> None:
    """Numbers and numeric text within 0-100; whatever else comes is left out."""
    view = await query(http(200, f'{{"status":"processing","progress":{written}}}'))
    assert (view.phase, view.progress) == (Phase.IN_PROGRESS, progress)


async def test_times_are_unix_seconds_and_zero_is_not_yet() -> None:
    """The provider's times, as numbers or text; a zero means that there is none yet."""
    body = '{"status":"queued","created_at":"1779247407","completed_at":0,"expires_at":1.5}'
    view = await query(http(200, body))
    assert (view.created_at, view.completed_at, view.expires_at) == (1779247407, None, 1.5)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ('"error":{"code":"moderation","message":"no"}', "moderation", "no"),
        ('"error":{"code":17,"message":"no"}', "17", "no"),
        ('"error":{"code":"x"},"fail_reason":"why"', "x", "why"),
        ('"error":"plain text"', None, "plain text"),
        ('"error":null,"fail_reason":"why"', None, "why"),
        (f'"fail_reason":"key {KEY}"', None, "key ***"),
        ('"error":{}', None, None),
    ],
)
async def test_a_failure_says_why(body: str, code: str | None, message: str | None) -> None:
    """HTTP 200 with a failed task: the reason from any of its three places, without the key."""
    view = await query(http(200, f'{{"status":"failed",{body}}}'))
    assert (view.phase, view.error_code, view.error_message) == (Phase.FAILED, code, message)


async def test_a_task_wrapped_in_data_is_read() -> None:
    """The whole task may stand in `data`, under a status of the wrapper."""
    inner = '{"task_id":"t9","status":"completed","url":"https://a.b/1.mp4"}'
    for outer in ('"code":"success"', '"status":"ok"', '"status":200'):
        view = await query(http(200, f'{{{outer},"data":{inner}}}'))
        assert view == TaskView("t9", Phase.COMPLETED, video_url="https://a.b/1.mp4")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(404, '{"error":{"code":"task_not_found","message":"x"}}'), NoSuchTask),
        (http(404, "404: Not Found"), NoSuchTask),
        (http(400, '{"message":"task_not_exist"}'), NoSuchTask),
        (http(400, '{"code":"task_not_exist","message":"x y","data":null}'), NoSuchTask),
        (http(200, '{"message":"task_not_exist"}'), NoSuchTask),
        (http(401, '{"message":"task_not_exist"}'), Unauthorized),
        (http(400, '{"message":"other"}'), Unreachable),
        (http(403, ""), Unreachable),
        (http(404, "<html>no such host</html>"), Unreachable),
        (http(429, ""), Throttled),
        (http(503, '{"code":"rate_limit_unavailable"}'), Throttled),
        (http(500, '{"message":"task_not_exist"}'), Unreachable),
        (http(502, "<html>bad gateway</html>"), Unreachable),
        (http(200, "<html>ok</html>"), Unreachable),
        (http(200, '{"status":"compl'), Unreachable),
        (http(200, '{"status":"failed"}', length=90), Unreachable),
        (http(200, '["failed"]'), Unreachable),
        (http(200, '{"status":"failed","x":"' + "x" * 1_000_001 + '"}'), Unreachable),
        (http(302, "", headers={"Location": "/v1/login"}), Unreachable),
        (b"", Unreachable),
        (b"no http at all\r\n\r\n", Unreachable),
    ],
)
async def test_a_query_that_fails_never_fails_the_task(
    answer: bytes, kind: type[ProviderError]
) -> None:
    """Each row of the contract's table for queries."""
    assert type(await query_failure(answer)) is kind


@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_asked_for_is_kept(status: int) -> None:
    """Retry-After reaches the engine with Throttled and with Unreachable."""
    error = await query_failure(http(status, "", headers={"Retry-After": "12"}))
    assert error.retry_after_s == 12


async def test_network_trouble_is_unreachable() -> None:
    """Nobody listening, and silence."""
    async with ToAPIs(f"http://127.0.0.1:{free_port()}", KEY) as api:
        for call in (api.query("t"), api.balance()):
            with pytest.raises(Unreachable) as caught:
                await call
            assert KEY not in texts_of(caught.value)
    script = Script(lambda _: None, then="stall")
    async with raw_server(script), ToAPIs(script.url, KEY, query_timeout_s=0.2) as api:
        with pytest.raises(Unreachable):
            await api.query("t")


@pytest.mark.parametrize(
    ("reference", "path"),
    [("a/b?c#d %", "a%2Fb%3Fc%23d%20%25"), ("..x", "..x"), ("tâche", "t%C3%A2che")],
)
async def test_the_reference_is_one_segment_of_the_path(reference: str, path: str) -> None:
    """An opaque id cannot lead to another address."""
    script = Script(lambda _: http(200, '{"status":"queued"}'))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        await api.query(reference)
    assert script.received[0].path == f"/v1/videos/generations/{path}"


@pytest.mark.parametrize("reference", ["", " ", ".", ".."])
async def test_what_is_no_reference_is_not_asked_for(reference: str) -> None:
    """An empty id would ask for something else altogether."""
    async with ToAPIs("https://toapis.com", KEY) as api:
        with pytest.raises(NoSuchTask):
            await api.query(reference)


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ('"success":true,"remain_balance":10.5,"used_balance":2.3', Balance(10.5, 2.3)),
        ('"remain_balance":"10.5","used_balance":"2"', Balance(10.5, 2)),
        ('"unlimited_quota":true,"remain_balance":-1,"used_balance":2', Balance(None, 2)),
        (
            '"unlimited_quota":false,"remain_balance":0,"remain_credits":0',
            Balance(0, None, remaining_credits=0),
        ),
        (
            '"remain_balance":75.6,"used_balance":7.2,"remain_credits":2100,"used_credits":200',
            Balance(10.5, 1, remaining_credits=2100, used_credits=200),
        ),
        (
            '"remain_credits":50,"credits_per_usd":100',
            Balance(0.5, None, remaining_credits=50),
        ),
        ('"remain_credits":50,"credits_per_usd":0', Balance(0.25, None, remaining_credits=50)),
        ('"remain_balance":72,"currency":"CNY"', Balance(72, None, "CNY")),
        ('"remain_balance":72,"currency":"credits?"', Balance(72, None, "USD")),
        (
            '"unlimited_quota":true,"remain_balance":-1,"remain_credits":-200,"used_credits":2',
            Balance(None, 0.01, used_credits=2),
        ),
        (
            '"data":{"remain_credits":200,"unlimited_quota":false}',
            Balance(1, None, remaining_credits=200),
        ),
    ],
)
async def test_a_balance_is_read(body: str, balance: Balance) -> None:
    """Numbers or text; unlimited is None, and an empty account is zero."""
    script = Script(lambda _: http(200, f"{{{body}}}"))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        assert await api.balance() == balance
    assert script.received[0].path == "/v1/balance"


async def test_the_balance_of_the_account_is_another_call() -> None:
    """A key can have a limit of its own; the record says whose figures they are."""
    script = Script(lambda _: http(200, '{"remain_balance":3,"used_balance":1}'))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        assert await api.balance("account") == Balance(3, 1, of="account")
    assert [one.path for one in script.received] == ["/v1/user/balance"]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (
            '{"success":true,"object":"list","data":[{"id":"veo3.1-fast"},{"id":"a"},{"id":"a"}]}',
            ("veo3.1-fast", "a"),
        ),
        ('{"data":["a",{"id":7},{"id":null},{"id":"b\\u0000"},{"name":"c"}]}', ("a", "7")),
        ('{"data":[]}', ()),
    ],
)
async def test_the_video_models_are_read(body: str, names: tuple[str, ...]) -> None:
    """Their names, each once; the call asks for those that make videos."""
    script = Script(lambda _: http(200, body))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        assert await api.video_models() == names
    assert script.received[0].path == "/v1/models?type=video"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, '{"success":false,"message":"no","data":[{"id":"a"}]}'), Unreachable),
        (http(200, '{"data":{"id":"a"}}'), Unreachable),
        (http(200, "<html>"), Unreachable),
        (http(404, ""), Unreachable),
        (http(429, ""), Throttled),
        (http(401, ""), Unauthorized),
        (b"", Unreachable),
    ],
)
async def test_models_that_are_not_told(answer: bytes, kind: type[ProviderError]) -> None:
    """No list is made up of something else."""
    script = Script(lambda _: answer)
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        with pytest.raises(ProviderError) as caught:
            await api.video_models()
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, '{"success":false,"message":"no","remain_balance":3}'), Unreachable),
        (http(200, "{}"), Unreachable),
        (http(200, "<html>"), Unreachable),
        (http(500, ""), Unreachable),
        (http(404, ""), Unreachable),
        (http(429, ""), Throttled),
        (http(401, ""), Unauthorized),
    ],
)
async def test_a_balance_that_is_not_told(answer: bytes, kind: type[ProviderError]) -> None:
    """No figure is made up."""
    script = Script(lambda _: answer)
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        with pytest.raises(ProviderError) as caught:
            await api.balance()
    assert type(caught.value) is kind


async def test_an_upload_is_one_part_with_a_plain_name(tmp_path: Path) -> None:
    """The bytes as they are, in one part `file` with the right type and an ASCII name."""
    content = os.urandom(3_000_000)
    picture = tmp_path / "Käse '1' ;%.png"
    picture.write_bytes(content)
    script = Script(lambda _: http(200, GOOD_UPLOAD))
    sha256 = hashlib.sha256(content).hexdigest()
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        url = await api.upload(picture, "image/jpeg", sha256=sha256)
    assert url == "https://files.example/u/1.jpg"
    sent = script.received[0]
    head, _, rest = sent.body.partition(b"\r\n\r\n")
    assert sent.path == "/v1/uploads/images"
    assert b'name="file"; filename="K-se-1.jpg"' in head
    assert b"Content-Type: image/jpeg" in head
    assert len(re.findall(rb"Content-Disposition", sent.body)) == 1
    assert rest.startswith(content)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(400, '{"success":false,"message":"Unsupported image type."}'), Refused),
        (http(413, "<html>too large</html>"), Refused),
        (http(422, ""), Refused),
        (http(200, '{"success":false,"message":"no"}'), Refused),
        (http(403, '{"success":false,"message":"no"}'), Refused),
        (http(401, '{"success":false,"message":"no"}'), Unauthorized),
        (http(429, '{"success":false,"message":"no"}'), Throttled),
        (http(500, '{"success":false,"message":"no"}'), Unreachable),
        (http(403, ""), Unreachable),
        (http(200, "<html>"), Unreachable),
        (http(200, '{"success":true}'), Unreachable),
        (http(200, '{"success":true,"data":{"url":"/relative.jpg"}}'), Unreachable),
        (http(307, "", headers={"Location": "/elsewhere"}), Unreachable),
        (b"", Unreachable),
    ],
)
async def test_an_upload_that_fails(
    tmp_path: Path, answer: bytes, kind: type[ProviderError]
) -> None:
    """Each row of the contract's table for uploads; nothing is repeated on its own."""
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"x")
    script = Script(lambda _: answer)
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        with pytest.raises(ProviderError) as caught:
            await api.upload(picture, "image/jpeg")
    assert type(caught.value) is kind
    assert script.posts == 1
    assert kind is not Refused or "picture" in caught.value.message


async def test_a_picture_that_changed_or_went_is_not_sent(tmp_path: Path) -> None:
    """Another content than the one checked, a missing file, a folder, one too large."""
    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"x")
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(10_000_001))
    script = Script(lambda _: http(200, GOOD_UPLOAD))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        for path, sha256, code in (
            (picture, "0" * 64, "picture_changed"),
            (tmp_path / "gone.jpg", None, "picture_unreadable"),
            (tmp_path, None, "picture_unreadable"),
            (large, None, "picture_too_large"),
        ):
            with pytest.raises(Refused) as caught:
                await api.upload(path, "image/jpeg", sha256=sha256)
            assert (caught.value.code, caught.value.status) == (code, None)
            assert str(path) in caught.value.message
    assert script.received == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
async def test_too_few_file_descriptors_are_no_fault_of_a_picture(tmp_path: Path) -> None:
    """It is tried again: the picture can be read as soon as another file is closed."""
    import resource  # noqa: PLC0415 - not on Windows

    picture = tmp_path / "a.jpg"
    picture.write_bytes(b"x")
    script = Script(lambda _: http(200, GOOD_UPLOAD))
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(Unreachable) as caught:
                await api.upload(picture, "image/jpeg")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert str(picture) in caught.value.message
    assert script.received == []


async def test_no_call_takes_anything_from_its_surroundings() -> None:
    """Cookies of an answer are not sent back."""
    script = Script(
        lambda _: http(200, '{"status":"queued"}', headers={"Set-Cookie": "a=b; Path=/"}),
        then="keep",
    )
    async with raw_server(script), ToAPIs(script.url, KEY) as api:
        await api.query("t")
        await api.query("t")
    assert all("cookie" not in each.headers for each in script.received)
    assert [each.connection for each in script.received] == [1, 1]
