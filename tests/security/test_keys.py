"""The key and the signatures of links: in no text, and at no host but the API's own."""

from __future__ import annotations

import json
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.concealment import conceal
from pipeline.errors import ProviderError
from pipeline.manifest.locations import locate
from pipeline.model import PictureFault
from pipeline.runner.runlog import RunLog
from pipeline.toapis.client import ToAPIs
from tests.security.shop import Shop
from tests.system.harness import sheets
from tests.system.harness.api import KEY as SHOP_KEY
from tests.system.harness.product import book_of
from tests.toapis.doubles import KEY, REQUEST, Script, http, raw_server, texts_of

Call = Callable[[ToAPIs], Awaitable[object]]
CALLS: dict[str, Call] = {
    "submit": lambda api: api.submit(REQUEST, [], "rs-1"),
    "query": lambda api: api.query("video_1"),
    "upload": lambda api: api.upload(Path(__file__), "image/png"),
    "balance": lambda api: api.balance(),
}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h.example/a.mp4?X-Signature=abc&b=1", "https://h.example/a.mp4?…"),
        ("a HTTP://h.example/?s=1 b https://h.example/x#s=2.", ("a HTTP://h.example/?… b "
         "https://h.example/x?…")),
        ('{"url":"https://h.example/a?s=1","n":2}', '{"url":"https://h.example/a?…","n":2}'),
        ("https://me:secret@h.example/a", "https://h.example/a"),
        ("https://me:secret@h.example/a?s=1", "https://h.example/a?…"),
        ("https://h.example/a", "https://h.example/a"),
        ("what? no: address", "what? no: address"),
        (f"http://127.0.0.1:80/{'0f' * 16}/v1/x?s=1", "http://127.0.0.1:80/v1/x?…"),
        (f"at http://localhost/{'0f' * 16}, say", "at http://localhost, say"),
        (f'"http://[::1]:8/{"0f" * 16}"', '"http://[::1]:8"'),
        (f"http://h.example/{'0f' * 16}/v1", f"http://h.example/{'0f' * 16}/v1"),
    ],
)  # fmt: skip
def test_addresses_are_shortened(text: str, shown: str) -> None:
    """What is behind the question mark is a signature, what is in front of the host a password."""
    assert conceal(text) == shown


@given(st.text(max_size=20), st.text('abcXYZ0189-_"\\/', min_size=8, max_size=40), st.text())
def test_a_secret_is_in_no_text(before: str, secret: str, after: str) -> None:
    """Neither as it is nor as JSON writes it; and JSON stays JSON."""
    assert secret not in conceal(before + secret + after, secret)
    line = json.dumps({"said": secret, "n": 1})
    assert json.loads(conceal(line, secret)) == {"said": "***", "n": 1}


def test_what_is_too_short_to_be_a_key_tears_no_word() -> None:
    """A variable that holds a letter by mistake does not star every word that has it."""
    assert conceal("waiting", "a", "") == "waiting"


@pytest.mark.long
def test_a_run_at_an_emulator_writes_its_secret_nowhere(shop: Shop) -> None:
    """Uploads, redirects, links that fail and answers that repeat it: no file has it."""
    picture = sheets.picture(shop.folder / "p.png").name
    markers = ("", "[fault:download_redirect]", "[fault:download_redirect_host]",
        "[fault:download_404*all]", "[fault:query_url_not_http*all]")  # fmt: skip
    lines = [
        sheets.row(f"R{n}", prompt=f"a mug {marker}", image_1=picture, duration="4")
        for n, marker in enumerate(markers)
    ]
    sheets.write(shop.folder / "shop.csv", lines)
    shop.run()
    assert shop.states()["R0"] == shop.states()["R1"] == "done"
    secret = urlsplit(shop.api.base_url).path[1:].encode()
    kept = [path for path in shop.folder.rglob("*") if path.is_file()]
    assert {"journal.db", "run.log", "results.csv"} <= {path.name for path in kept}
    assert not [path for path in (*kept, book_of()) if secret in path.read_bytes()]


def test_the_log_conceals_what_a_bug_gives_it(tmp_path: Path) -> None:
    """A key in a message, a signed link in a traceback: every line is still JSON, without them."""
    with RunLog(tmp_path / "run.log", "r", time.time, secret=KEY) as log:
        log.write("internal_error", traceback=f"File x\\n {KEY} 'https://h/a?sig=1'\\n")
    (line,) = (tmp_path / "run.log").read_text("utf-8").splitlines()
    assert json.loads(line)["traceback"] == "File x\\n *** 'https://h/a?…'\\n"


def test_a_password_in_a_cell_is_not_repeated(tmp_path: Path) -> None:
    """Nor is the signature of an address with a blank in it, which no parser reads."""
    for cell in ("https://me:secret@[bad/a.png", "https://h/a b.png?sig=secret"):
        found = locate(cell, tmp_path)
        assert isinstance(found, PictureFault)
        assert "secret" not in found.message


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_call_follows_a_redirect(call: Call, status: int) -> None:
    """Another host gets no request at all, so it gets no key."""
    async with raw_server(Script(lambda _: http(200, '{"id":"t"}'))) as other:
        moved = http(status, "", headers={"Location": f"{other.url}/v1/x"})
        async with (
            raw_server(Script(lambda _: moved)) as server,
            ToAPIs(server.url, KEY) as api,
        ):
            with pytest.raises(ProviderError):
                await call(api)
        assert len(server.received) == 1
        assert other.connections == 0


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [200, 400, 401, 402, 429, 500])
async def test_an_answer_that_repeats_the_key_is_not_repeated(call: Call, status: int) -> None:
    """Whatever the server says about the Authorization that it got."""
    said = json.dumps({"error": {"code": KEY, "message": f"bad {KEY} https://h/a?s={KEY}"}})
    async with (
        raw_server(Script(lambda _: http(status, said))) as server,
        ToAPIs(server.url, KEY) as api,
    ):
        try:
            shown = repr(await call(api))
        except ProviderError as error:
            shown = texts_of(error)
    assert KEY not in shown


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_over_1_mb_is_refused(call: Call, packed: bool) -> None:
    """Also one that unfolds to 200 MB: it is neither read nor kept."""
    content = b'{"id":"t","status":"queued","x":"' + bytes(200_000_000 if packed else 1_000_001)
    headers = {"Content-Encoding": "deflate"} if packed else {}
    answer = http(200, zlib.compress(content) if packed else content, headers=headers)
    del content
    async with raw_server(Script(lambda _: answer)) as server, ToAPIs(server.url, KEY) as api:
        tracemalloc.start()
        try:
            with pytest.raises(ProviderError):
                await call(api)
            assert tracemalloc.get_traced_memory()[1] < 40_000_000
        finally:
            tracemalloc.stop()


def test_a_whole_run_writes_the_key_nowhere(shop: Shop) -> None:
    """Every file in the output folder, the ones in the cache included, byte for byte."""
    shop.api.faults("submit_422*1", "query_500*2", "download_500*1")
    shop.run()
    files = [path for path in shop.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if SHOP_KEY.encode() in path.read_bytes()]
    assert shop.api.records()["summary"]["files_authorizations"] == 0
