"""Every fault strikes as the catalogue says, and leaves behind what it should."""

from __future__ import annotations

import asyncio
import io
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import av
import pytest
from yarl import URL

from pipeline.emulator.catalogue import CATALOGUE, UnknownFaultError, list_faults
from pipeline.emulator.faults import FaultBoard, parse_rule
from pipeline.emulator.pages import MODELS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GENERATIONS = "/v1/videos/generations"


def test_a_rule_is_read_and_written() -> None:
    """All parts of the form come back."""
    text = "submit_500=0.25*3@502~html"
    assert str(parse_rule(text)) == text
    assert parse_rule("submit_429", marker=True).count == 1
    assert parse_rule("submit_429").count is None
    assert parse_rule("query_never_finishing", marker=True).count is None
    assert parse_rule("submit_429*all", marker=True).count is None


@pytest.mark.parametrize("text", ["", "submit_429=2", "submit_429*x", "submit_429~round", "no"])
def test_a_rule_that_is_none(text: str) -> None:
    """Wrong forms are named."""
    with pytest.raises(UnknownFaultError):
        parse_rule(text)


def test_shares_are_kept_and_repeatable() -> None:
    """A share of calls is struck, the same ones for one seed."""
    boards = [FaultBoard(["submit_429=0.3"], seed=5) for _ in range(2)]
    struck = [[board.pick("submit") is not None for _ in range(1000)] for board in boards]
    assert struck[0] == struck[1]
    assert 250 < sum(struck[0]) < 350


def test_a_share_of_tasks_is_struck_always() -> None:
    """For a task's own fault the share picks tasks, not calls."""
    board = FaultBoard(["query_not_found=0.5"])
    for key in map(str, range(50)):
        answers = {board.pick("query", key) is not None for _ in range(5)}
        assert len(answers) == 1


def test_every_fault_has_its_line() -> None:
    """The list is complete."""
    assert [name for name, _ in list_faults()] == list(CATALOGUE)


PLAIN_SUBMIT = [kind.name for kind in CATALOGUE.values() if kind.group == "submit" and kind.status]


@pytest.mark.parametrize("name", [name for name in PLAIN_SUBMIT if name != "submit_500_after"])
async def test_plain_refusals_of_a_submission(api: Any, name: str) -> None:
    """The status of the catalogue, nothing accepted, and the second try goes through."""
    prompt = f"a chair [fault:{name}]"
    assert (await api.submit(prompt=prompt))[0] == CATALOGUE[name].status
    assert not api.emulator.records.submissions
    (refused,) = api.emulator.records.refused
    assert refused.code == CATALOGUE[name].code
    assert (await api.submit(prompt=prompt))[0] == 200


async def test_a_marker_with_a_count_belongs_to_one_row(api: Any) -> None:
    """The first N calls of a row are struck, whatever other rows do."""
    rows = [f"{name} [fault:submit_429*2]" for name in "ab"]
    answers = [(await api.submit(prompt=row))[0] for _ in range(3) for row in rows]
    assert answers == [429, 429, 429, 429, 200, 200]


async def test_a_marker_nobody_knows_is_refused(api: Any) -> None:
    """A typing error in a test must not pass for a good run."""
    status, body = await api.submit(prompt="[fault:submit_42]")
    assert (status, body["error"]["code"]) == (400, "unknown_fault")


@pytest.mark.parametrize("shape", ["error", "error_int", "success", "message", "flat", "plain"])
async def test_error_bodies_in_every_shape(api: Any, shape: str) -> None:
    """A test can choose the shape of a refusal."""
    _, body = await api.submit(prompt=f"[fault:submit_400~{shape}]")
    keys = {
        "error": {"error"},
        "error_int": {"error"},
        "success": {"success", "message"},
        "message": {"message"},
        "flat": {"code", "message", "data"},
        "plain": {"error"},
    }
    assert set(body) == keys[shape]


async def test_retry_after_in_seconds_and_as_a_date(api: Any) -> None:
    """Both forms of the header, and none."""
    found = []
    for mark in ("submit_429", "submit_429_seconds@7", "submit_429_date@7"):
        body = {"model": "gemini_omni_flash", "prompt": f"[fault:{mark}]"}
        url, headers = api.emulator.base_url + GENERATIONS, {"Authorization": "Bearer k"}
        async with api.session.post(url, json=body, headers=headers) as answer:
            found.append(answer.headers.get("Retry-After"))
    assert found[:2] == [None, "7"]
    assert parsedate_to_datetime(found[2]).tzinfo is not None


@pytest.mark.parametrize(
    ("mark", "accepted"),
    [
        ("submit_reset", 0),
        ("submit_answer_lost", 1),
        ("submit_answer_lost@close", 1),
        ("submit_stall@0.05", 1),
    ],
)
async def test_submissions_without_an_answer(api: Any, mark: str, accepted: int) -> None:
    """The connection ends; only the records know whether a task was made."""
    with pytest.raises(aiohttp.ClientError):
        await api.submit(prompt=f"[fault:{mark}]", client_business_id="row-1")
    assert len(api.emulator.records.submissions) == accepted
    assert (await api.query("row-1"))[0] == (200 if accepted else 404)


async def test_a_client_that_gives_up_has_still_spent_its_money(api: Any) -> None:
    """The task of a stalled submission lives on without its client."""
    submitting = asyncio.create_task(api.submit(prompt="[fault:submit_slow@30]"))
    while not api.emulator.records.submissions:  # noqa: ASYNC110 - records have no event
        await asyncio.sleep(0.01)
    submitting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await submitting
    (one,) = api.emulator.records.submissions
    assert (await api.finished(one.task_id))["status"] == "completed"


@pytest.mark.parametrize(
    ("mark", "status", "id_at"),
    [
        ("submit_500_after@504", 504, None),
        ("submit_no_id", 200, None),
        ("submit_html", 200, None),
        ("submit_half_json", 200, None),
        ("submit_id_as_task_id", 200, ("task_id",)),
        ("submit_id_in_data", 200, ("data", "id")),
        ("submit_id_in_list", 200, ("data", 0, "task_id")),
    ],
)
async def test_odd_answers_after_acceptance(
    api: Any, mark: str, status: int, id_at: tuple[str | int, ...] | None
) -> None:
    """A task was made, whatever the answer looks like."""
    url, headers = api.emulator.base_url + GENERATIONS, {"Authorization": "Bearer k"}
    body = {"model": "gemini_omni_flash", "prompt": f"[fault:{mark}]"}
    async with api.session.post(url, json=body, headers=headers) as answer:
        assert answer.status == status
        (one,) = api.emulator.records.submissions
        if id_at is None:
            with pytest.raises((ValueError, aiohttp.ContentTypeError, KeyError)):
                (await answer.json())["id"]
        else:
            document = await answer.json()
            for key in id_at:
                document = document[key]
            assert document == one.task_id


async def test_a_redirected_submission(api: Any) -> None:
    """A 308 with a place to go; nobody who stays away is billed."""
    assert (await api.submit(prompt="[fault:submit_redirect@308]"))[0] == 308
    assert not api.emulator.records.submissions


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("query_401", 401),
        ("query_500", 500),
        ("query_429", 429),
        ("query_429_seconds", 429),
        ("query_not_found_early", 404),
        ("query_html", 200),
    ],
)
async def test_queries_that_fail_once(api: Any, name: str, status: int) -> None:
    """The first query is struck, the second is not."""
    task_id = await api.accepted(prompt=f"[fault:{name}]")
    first = await api.query(task_id)
    assert first[0] == status
    assert not isinstance(first[1], dict) or "progress" not in first[1]
    assert (await api.finished(task_id))["status"] == "completed"


async def test_a_query_without_an_answer(api: Any) -> None:
    """Reset, stalled, and half a document."""
    prompt = "[fault:query_reset][fault:query_stall@0.01]"
    task_id = await api.accepted(prompt=prompt)
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await api.query(task_id)
    assert (await api.query(task_id))[0] == 200
    half = await api.accepted(prompt="[fault:query_half_json]")
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        await api.query(half)


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [("query_not_found", 404, None), ("query_task_not_exist", 400, {"message": "task_not_exist"})],
)
async def test_tasks_lost_for_good(
    api: Any, name: str, status: int, body: dict[str, str] | None
) -> None:
    """They are never found again, in either spelling."""
    task_id = await api.accepted(prompt=f"[fault:{name}]")
    for _ in range(3):
        found = await api.query(task_id)
        assert found[0] == status
        assert body is None or found[1] == body


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("query_url_result", ("result", "data", 0, "url")),
        ("query_url_plain", ("url",)),
        ("query_url_data", ("data", 0, "url")),
    ],
)
async def test_the_url_in_other_places(api: Any, name: str, path: tuple[Any, ...]) -> None:
    """It works from wherever it stands."""
    found: Any = await api.finished(await api.accepted(prompt=f"[fault:{name}]"))
    assert "video_url" not in found
    for step in path:
        found = found[step]
    assert (await api.get(found))[0] == 200


async def test_a_task_within_data(api: Any) -> None:
    """As gateways wrap a vendor's answer: the address is in the `data` of `data`."""
    task_id = await api.accepted(prompt="[fault:query_nested]")
    _, body = await api.query(task_id)
    while body["data"]["status"] != "completed":
        await asyncio.sleep(0.01)
        _, body = await api.query(task_id)
    assert (body["code"], body["data"]["task_id"]) == ("success", task_id)
    assert (await api.get(body["data"]["data"]["video_url"]))[0] == 200


@pytest.mark.parametrize(("mark", "chars"), [("", 10_000), ("@60000", 60_000)])
async def test_a_signed_url_has_to_come_back_as_it_was(api: Any, mark: str, chars: int) -> None:
    """Letter for letter with its blank escaped; a letter changed, or no signature, is refused."""
    body = await api.finished(await api.accepted(prompt=f"[fault:query_url_signed{mark}]"))
    url = body["video_url"]
    assert len(url) > chars
    assert " " in url
    sent = url.replace(" ", "%20")
    for changed, status in ((sent, 200), (sent.replace("%2B", "+"), 403), (sent[:200], 403)):
        async with api.session.get(URL(changed, encoded=True)) as answer:
            assert answer.status == status


async def test_completed_without_a_url(api: Any) -> None:
    """For a few queries, or for ever."""
    task_id = await api.accepted(prompt="[fault:query_no_url*2]")
    answers = [await api.finished(task_id) for _ in range(3)]
    assert ["video_url" in answer for answer in answers] == [False, False, True]
    never = await api.accepted(prompt="[fault:query_no_url*all]")
    for _ in range(5):
        assert "video_url" not in await api.finished(never)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("query_status_submitted", "submitted"),
        ("query_status_pending", "pending"),
        ("query_status_processing", "processing"),
        ("query_status_succeeded", "succeeded"),
        ("query_status_upper", "COMPLETED"),
        ("query_status_succeed", "succeed"),
        ("query_status_success", "SUCCESS"),
        ("query_status_word", "ready"),
        ("query_status_word@fertig", "fertig"),
        ("query_failed_error][fault:query_status_failure", "FAILURE"),
        ("query_unknown_status", "reticulating"),
        ("query_missing_status", None),
    ],
)
async def test_statuses_in_other_words(
    start: Callable[..., Awaitable[Any]], name: str, word: str | None
) -> None:
    """Each spelling turns up in a task's life."""
    now = [1_779_247_407.0]
    api = await start(lambda: now[0], median_s=20, p95_s=20)
    await api.accepted()
    task_id = await api.accepted(prompt=f"[fault:{name}]")
    seen = set()
    for _ in range(60):
        seen.add((await api.query(task_id))[1].get("status"))
        if word in seen:
            return
        now[0] += 1
        await asyncio.sleep(0.01)
    pytest.fail(f"{word} is not among {seen}")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("query_progress_null", {None}),
        ("query_progress_stuck][fault:query_progress_percent", {"99%"}),
        ("query_progress_missing", {"none"}),
        ("query_progress_stuck", {99}),
    ],
)
async def test_progress_that_tells_nothing(
    start: Callable[..., Awaitable[Any]], name: str, values: set[Any]
) -> None:
    """Null, missing or stuck, as long as the task runs."""
    api = await start(median_s=900, p95_s=900)
    task_id = await api.accepted(prompt=f"[fault:{name}]")
    assert {(await api.query(task_id))[1].get("progress", "none") for _ in range(3)} == values


async def test_tasks_that_fail(api: Any) -> None:
    """With an error, or with a fail_reason and no error."""
    first = await api.finished(await api.accepted(prompt="[fault:query_failed_error@blocked]"))
    assert (first["status"], first["error"]["code"]) == ("failed", "blocked")
    second = await api.finished(await api.accepted(prompt="[fault:query_failed_reason]"))
    assert second["fail_reason"]
    assert "error" not in second


async def test_a_task_that_never_ends(api: Any) -> None:
    """It stays in progress long after its time."""
    task_id = await api.accepted(prompt="[fault:query_never_finishing]")
    await api.finished(await api.accepted())
    assert (await api.query(task_id))[1]["status"] == "in_progress"
    assert api.emulator.summary()["outstanding"] == 1


async def test_look_ups_by_reference(start: Callable[..., Awaitable[Any]]) -> None:
    """Unsupported, late by queries, late by seconds; the id is good all the time."""
    now = [1_779_247_407.0]
    api = await start(lambda: now[0])
    marks = ("query_lookup_unsupported", "query_lookup_late*2", "query_lookup_late@30")
    found = []
    for number, mark in enumerate(marks):
        reference = f"row-{number}"
        task_id = await api.accepted(prompt=f"[fault:{mark}]", client_business_id=reference)
        assert (await api.query(task_id))[0] == 200
        found.append([(await api.query(reference))[0] for _ in range(3)])
    assert found == [[404, 404, 404], [404, 404, 200], [404, 404, 404]]
    now[0] += 31
    assert (await api.query("row-2"))[0] == 200


@pytest.mark.parametrize(
    ("name", "status", "success"),
    [
        ("upload_400", 400, False),
        ("upload_401", 401, None),
        ("upload_success_false", 200, False),
        ("upload_500", 500, None),
        ("upload_429", 429, None),
    ],
)
async def test_uploads_that_fail(
    api: Any, png: bytes, name: str, status: int, success: bool | None
) -> None:
    """Nothing is stored, and the next try goes through."""
    api.emulator.faults.add(f"{name}*1")
    found, body = await api.upload(png)
    assert (found, body.get("success")) == (status, success)
    assert not api.emulator.records.uploads
    assert (await api.upload(png))[0] == 200


@pytest.mark.parametrize(("name", "stored"), [("upload_reset", 0), ("upload_answer_lost", 1)])
async def test_uploads_without_an_answer(api: Any, png: bytes, name: str, stored: int) -> None:
    """A marker in the file's name does as well."""
    with pytest.raises(aiohttp.ClientError):
        await api.upload(png, name=f"chair [fault:{name}].png")
    assert len(api.emulator.records.uploads) == stored


@pytest.mark.parametrize(
    ("name", "status", "success"),
    [("balance_401", 401, None), ("balance_500", 502, None), ("balance_success_false", 200, False)],
)
async def test_balances_that_fail(api: Any, name: str, status: int, success: bool | None) -> None:
    """A status, or success:false inside a 200."""
    api.emulator.faults.add(f"{name}@502~flat" if name == "balance_500" else name)
    found, body = await api.call("GET", "/v1/balance")
    assert (found, body.get("success")) == (status, success)


async def test_an_unlimited_balance(api: Any) -> None:
    """Minus one does not mean empty."""
    api.emulator.faults.add("balance_unlimited")
    body = (await api.call("GET", "/v1/balance"))[1]
    assert (body["unlimited_quota"], body["remain_balance"]) == (True, -1)


async def test_key_and_account_have_a_balance_each(api: Any) -> None:
    """The same figures, unless the key may spend more than there is, or there is no such call."""
    path = "/v1/user/balance"
    key, account = await api.call("GET", "/v1/balance"), await api.call("GET", path)
    assert key == account
    api.emulator.faults.add("balance_key_full")
    assert (await api.call("GET", "/v1/balance"))[1]["remain_credits"] > 100_000_000
    assert await api.call("GET", path) == account
    api.emulator.faults.replace(["balance_other_unit", "balance_account_404"])
    assert (await api.call("GET", path))[0] == 404
    other = (await api.call("GET", "/v1/balance"))[1]
    assert other["remain_credits"] == key[1]["remain_credits"]
    assert other["remain_balance"] > key[1]["remain_balance"]
    api.emulator.faults.replace(["balance_no_credits"])
    assert "remain_credits" not in (await api.call("GET", path))[1]


async def test_the_models_that_a_key_may_use(api: Any) -> None:
    """Those of videos where the call asks for them; or what a fault says."""

    async def names(query: str = "?type=video") -> list[str]:
        status, body = await api.call("GET", f"/v1/models{query}")
        assert status == 200
        return [one["id"] for one in body["data"]]

    assert await names() == list(MODELS)
    assert "gemini_omni_flash" not in await names("")
    api.emulator.faults.replace(["models_listed@veo3.1-fast,viduq3-pro"])
    assert await names() == ["veo3.1-fast", "viduq3-pro"]
    api.emulator.faults.replace(["models_404"])
    assert (await api.call("GET", "/v1/models?type=video"))[0] == 404


@pytest.mark.parametrize("status", [403, 404, 410, 500])
async def test_downloads_refused_once(api: Any, status: int) -> None:
    """An HTML page with the status, then the video."""
    url = await api.video_url(prompt=f"[fault:download_{status}]")
    assert (await api.get(url))[0] == status
    assert (await api.get(url))[0] == 200


@pytest.mark.parametrize(
    "mark", ["download_reset", "download_cut", "download_cut_chunked", "download_stall@0.01"]
)
async def test_downloads_that_break(api: Any, mark: str) -> None:
    """The client notices, and the second try is whole."""
    url = await api.video_url(prompt=f"[fault:{mark}]")
    with pytest.raises(aiohttp.ClientError):
        await api.get(url)
    status, body, headers = await api.get(url)
    assert (status, len(body)) == (200, int(headers["Content-Length"]))


@pytest.mark.parametrize(
    "name",
    [
        "download_cut_close",
        "download_corrupt_head",
        "download_html",
        "download_json",
        "download_empty",
        "download_truncated",
        "download_zeroed",
        "download_wrong_frame",
        "download_wrong_length",
    ],
)
async def test_downloads_that_lie(api: Any, name: str) -> None:
    """The answer is 200 and in itself whole; what it holds is not the video."""
    good = (await api.get(await api.video_url()))[1]
    status, body, headers = await api.get(await api.video_url(prompt=f"[fault:{name}]"))
    assert status == 200
    assert ("Content-Length" in headers) == (name != "download_cut_close")
    if name in ("download_cut_close", "download_truncated"):
        assert len(body) == len(good) // 2
    elif name == "download_zeroed":
        assert len(body) == len(good)
        assert body[-400:-100] == bytes(300)
    elif name.startswith("download_wrong"):
        with av.open(io.BytesIO(body)) as container:
            video = container.streams.video[0]
            found = (video.width, video.height, video.frames)
        assert found in ((720, 1280, 144), (1280, 720, 96))
    else:
        assert body[:64] != good[:64]


async def test_a_compressed_download(api: Any) -> None:
    """A client that unpacks has the whole, one that counts bytes is surprised."""
    url = await api.video_url(prompt="[fault:download_gzip*2]")
    async with aiohttp.ClientSession(auto_decompress=False) as raw, raw.get(url) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert (await answer.read())[:2] == b"\x1f\x8b"
    assert b"ftyp" in (await api.get(url))[1][:16]


async def test_a_download_longer_than_announced(api: Any) -> None:
    """There is more on the wire than Content-Length says."""
    url = await api.video_url(prompt="[fault:download_longer]")
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert len(body) == int(length.split()[1]) + 1024


async def test_a_slow_download(api: Any) -> None:
    """Bytes come one at a time."""
    url = await api.video_url(prompt="[fault:download_slow@0.001]")
    async with api.session.get(url) as answer:
        assert len(await answer.content.read(1)) == 1


async def test_ranged_downloads_answered_otherwise(api: Any) -> None:
    """Range ignored, then 416; an answer to a plain request is not struck."""
    url = await api.video_url(prompt="[fault:download_range_ignored][fault:download_416]")
    assert (await api.get(url))[0] == 200
    status, body, _ = await api.get(url, Range="bytes=10-")
    assert (status, body[4:8]) == (200, b"ftyp")
    assert (await api.get(url, Range="bytes=10-"))[0] == 416
    assert (await api.get(url, Range="bytes=10-"))[0] == 206


async def test_an_etag_that_changes(api: Any) -> None:
    """Together with a cut: the rest must not be glued on."""
    url = await api.video_url(prompt="[fault:download_etag_changed*all]")
    first, second = [(await api.get(url))[2]["ETag"] for _ in range(2)]
    assert first != second
    status, _, _ = await api.get(url, **{"Range": "bytes=10-", "If-Range": first})
    assert status == 200


async def test_downloads_that_stand_elsewhere(api: Any) -> None:
    """Another path, and another origin."""
    url = await api.video_url(prompt="[fault:download_redirect*all]")
    status, body, _ = await api.get(url)
    assert (status, body[4:8]) == (200, b"ftyp")
    url = await api.video_url(prompt="[fault:download_redirect_host@127.0.0.1:1]")
    async with api.session.get(url, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith("http://127.0.0.1:1/")


async def test_faults_over_the_control_endpoint(api: Any) -> None:
    """A JSON list replaces the set; text and objects do; wrong names are refused."""
    path = "/emulator/faults"
    wanted = ["query_500=0.5", {"name": "submit_429", "count": 1}]
    status, body = await api.call("POST", path, json=wanted)
    assert (status, body["faults"]) == (200, ["query_500=0.5", "submit_429*1"])
    assert [(await api.submit())[0] for _ in range(2)] == [429, 200]
    status, body = await api.call("POST", path, json=["submit_42"])
    assert status == 400
    assert "Did you mean" in body["error"]
    assert "submit_reset" in (await api.call("GET", path))[1]["known"]
    assert (await api.call("POST", path, json=[]))[1]["faults"] == []


async def test_records_over_the_control_endpoint(api: Any) -> None:
    """Calls in order of arrival, with everything a test wants to hold against them."""
    task_id = await api.accepted(client_business_id="row-1")
    await api.finished(task_id)
    document = (await api.call("GET", "/emulator/records"))[1]
    numbers = [call["number"] for call in document["calls"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert document["submissions"][0]["body"]["prompt"] == "a red chair"
    assert document["queries"][task_id] == len(numbers) - 1
    summary = (await api.call("GET", "/emulator/records?summary=1"))[1]
    assert (summary["accepted"], summary["outstanding"], summary["peak_outstanding"]) == (1, 0, 1)
