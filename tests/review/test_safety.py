"""Who is admitted to the review page: attacks on the address, the origin and the path."""

from __future__ import annotations

import pytest

from pipeline.review.safety import CSP, Door, Refusal, admit, is_plain, range_of

DOOR = Door("127.0.0.1:8123", "s3cret-token_A")
HOST = {"Host": "127.0.0.1:8123"}
OWN = {**HOST, "Origin": "http://127.0.0.1:8123", "Content-Type": "application/json"}


def status(method: str, path: str, headers: dict[str, str]) -> int:
    found = admit(DOOR, method, path, headers)
    return found.status if isinstance(found, Refusal) else 200


def test_the_page_itself_is_admitted() -> None:
    """By its whole address, decoded segment by segment."""
    assert admit(DOOR, "GET", "/s3cret-token_A/", HOST) == [""]
    path = "/s3cret-token_A/videos/Gr%C3%B6%C3%9Fe%2038%20%26%20T%C3%BCll%20%232.mp4?x=1"
    assert admit(DOOR, "GET", path, HOST) == ["videos", "Größe 38 & Tüll #2.mp4"]
    assert admit(DOOR, "POST", "/s3cret-token_A/api/decisions", OWN) == ["api", "decisions"]


@pytest.mark.parametrize(
    "token", ["", "x", "s3cret-token_", "s3cret-token_AA", "S3CRET-TOKEN_A", "%ff"]
)
def test_without_the_secret_there_is_nothing(token: str) -> None:
    """No page that guesses the port finds anything."""
    assert status("GET", f"/{token}/review.html", HOST) in {400, 404}
    assert status("POST", f"/{token}/api/decisions", OWN) in {400, 404}


@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "localhost:8123", "evil.example", "127.0.0.1:8124", "evil.example:8123"],
)
def test_another_name_of_this_machine_is_refused(host: str) -> None:
    """A name that was pointed here (DNS rebinding) is the origin of the page that it came from."""
    assert status("GET", "/s3cret-token_A/", {"Host": host}) == 421
    assert status("GET", "/s3cret-token_A/", {}) == 421


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://127.0.0.1:8123"}, 403),
        ({"Origin": ""}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Content-Type": "Application/JSON; charset=utf-8"}, 200),
    ],
)
def test_only_the_page_decides(changed: dict[str, str], expected: int) -> None:
    """A form or a script of another page does not, with whatever it says of itself."""
    assert status("POST", "/s3cret-token_A/api/decisions", {**OWN, **changed}) == expected


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "x"])
def test_nothing_else_can_be_done(method: str) -> None:
    """There are two methods."""
    assert status(method, "/s3cret-token_A/", OWN) == 405


def test_a_person_may_follow_a_link_to_the_page() -> None:
    """As from a terminal or a mail; a picture or a frame of another page is none."""
    link = {**HOST, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert status("GET", "/s3cret-token_A/", {**link, "Sec-Fetch-Dest": "document"}) == 200
    assert status("GET", "/s3cret-token_A/", {**link, "Sec-Fetch-Dest": "iframe"}) == 403
    image = {**HOST, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert status("GET", "/s3cret-token_A/videos/a.mp4", image) == 403


@pytest.mark.parametrize(
    "path",
    [
        "../journal.db", "%2e%2e/journal.db", "..%2fjournal.db", "%2e%2e%2fjournal.db",
        "..%5cjournal.db", "videos/../../journal.db", "videos/..%2f..%2fjournal.db",
        "videos/%2fetc%2fpasswd", "videos//etc/passwd", "videos/a.mp4%00.jpg", "videos/.hidden.mp4",
        "videos/C:a.mp4", "videos/a.mp4.", "videos/a.mp4%20", "videos/%ff.mp4", "videos/%0a.mp4",
        "a/b/c/d/e", "videos/.%2e/journal.db",
    ],
)  # fmt: skip
def test_a_path_names_only_what_lies_there(path: str) -> None:
    """In no spelling does it lead out of the two folders."""
    assert status("GET", f"/s3cret-token_A/{path}", HOST) == 400


def test_a_path_begins_at_the_root() -> None:
    """Proxies are not served."""
    assert status("GET", "http://127.0.0.1:8123/s3cret-token_A/", HOST) == 400
    assert status("GET", "*", HOST) == 400


@pytest.mark.parametrize(
    "name", ["Größe 38 & Tüll #2.mp4", "100% Wolle.mp4", "名前.mp4", "a;b=c&d"]
)
def test_every_real_name_is_plain(name: str) -> None:
    """Whatever keys are made of."""
    assert is_plain(name)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None), ("bytes=0-", (0, 100)), ("bytes=10-19", (10, 20)), ("bytes=-5", (95, 100)),
        ("bytes=90-500", (90, 100)), ("bytes=-500", (0, 100)), ("items=0-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None), ("bytes=100-", 416), ("bytes=20-10", 416), ("bytes=-0", 416),
        (f"bytes={'9' * 40}-", None),
    ],
)  # fmt: skip
def test_parts_of_a_file(header: str | None, part: tuple[int, int] | int | None) -> None:
    """As videos are asked for; what is no range of bytes is answered with the whole."""
    found = range_of(header, 100)
    assert (found.status if isinstance(found, Refusal) else found) == part


def test_the_page_may_load_its_own_files_only() -> None:
    """And makes no script of a text."""
    assert "default-src 'none'" in CSP
    assert "require-trusted-types-for 'script'" in CSP
    assert "unsafe" not in CSP
    assert "http" not in CSP
