"""Which proxy an address is reached through, and whose certificates are trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from pipeline.config.settings import Config, Http
from pipeline.errors import ConfigError
from pipeline.network import DIRECT, read_network

PROXY = "http://proxy.example:3128"
API = "https://toapis.com/v1/balance"


def chosen(url: str, environ: dict[str, str], **http: str | None) -> str | None:
    config = Config(provider="toapis", http=Http(**http))
    proxy = read_network(config, environ).proxy_for(url)
    return None if proxy is None else proxy.url


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        (API, {}, None),
        (API, {"HTTPS_PROXY": PROXY}, PROXY),
        (API, {"HTTPS_PROXY": "proxy.example:3128"}, PROXY),
        (API, {"HTTPS_PROXY": f"{PROXY}/"}, PROXY),
        (API, {"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, PROXY),
        (API, {"https_proxy": " ", "HTTPS_PROXY": PROXY}, PROXY),
        (API, {"HTTP_PROXY": PROXY, "ALL_PROXY": PROXY}, None),
        ("http://files.example/a.mp4", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://files.example/a.mp4", {"HTTPS_PROXY": PROXY}, None),
        ("http://127.0.0.1:8000/v1", {"HTTP_PROXY": PROXY}, None),
        ("https://localhost/v1", {"HTTPS_PROXY": PROXY}, None),
        ("http://[::1]:8000/v1", {"HTTP_PROXY": PROXY}, None),
    ],
)
def test_the_proxies_of_the_environment(
    url: str, environ: dict[str, str], expected: str | None
) -> None:
    """HTTPS_PROXY for https, HTTP_PROXY for http; small letters come first; never this machine."""
    assert chosen(url, environ) == expected


@pytest.mark.parametrize(
    ("url", "names", "goes_through"),
    [
        (API, "*", False),
        (API, "toapis.com", False),
        (API, "a.example, .TOAPIS.com", False),
        (API, "apis.com,toapis.co", True),
        ("https://files.toapis.com/a", "toapis.com", False),
        ("https://files.toapis.com/a", "*.toapis.com", False),
        ("https://a.example:8443/", "a.example:8443", False),
        ("https://a.example:8444/", "a.example:8443", True),
        ("https://8.8.4.4/a", "8.8.0.0/16", False),
        ("https://8.8.4.4/a", "10.0.0.0/8,no/net", True),
        ("https://a.example/a", "0.0.0.0/0", True),
        ("https://[2001:4860::1]/a", "[2001:4860::1]", False),
        ("https://[2001:4860::1]/a", "2001:4860::1", False),
        (API, " ,, a.example ,toapis.com.,", False),
        (API, "a.example toapis.com", False),
        (API, "toapis.com:443", False),
        (API, "toapis.com:0443", False),
        (API, "toapis.com:8443", True),
        (API, "toapis.com:99999999", True),
        (API, "toapis.com:²", True),
        (API, f"toapis.com:{'9' * 5000}", True),
        (API, "https://toapis.com", True),
        (API, " , : [ ] [::1 a:b:c *. ** / 8.8.8.8/99 toapis.com/24 \udc80", True),
    ],
)
def test_the_hosts_that_need_no_proxy(url: str, names: str, goes_through: bool) -> None:
    """NO_PROXY by name, domain, port and network; the one in small letters comes first."""
    expected = PROXY if goes_through else None
    assert chosen(url, {"HTTPS_PROXY": PROXY, "NO_PROXY": names}) == expected
    small = {"HTTPS_PROXY": PROXY, "NO_PROXY": "*", "no_proxy": names}
    assert chosen(url, small) == expected


def test_the_proxy_of_the_setting() -> None:
    """It is for all but this machine, whatever the environment says; null is none."""
    environ = {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}
    assert chosen(API, environ, proxy=PROXY) == PROXY
    assert chosen("http://files.example/a", environ, proxy=PROXY) == PROXY
    assert chosen("http://127.0.0.1:8000/v1", environ, proxy=PROXY) is None
    assert chosen(API, {"HTTPS_PROXY": PROXY}, proxy=None) is None


def test_a_rehearsal_goes_nowhere() -> None:
    """Whatever the environment says, and be it wrong."""
    config = Config(http=Http(ca_file="/no/such/file"))
    assert read_network(config, {"HTTPS_PROXY": "socks5://a"}) == DIRECT


@pytest.mark.parametrize(
    "value",
    ["socks5://me:s3cret-word@a:1", "ftp://s3cret-word", "http://s3cret-word@", "http://a:b:c"],
)
def test_a_variable_that_is_no_proxy(value: str) -> None:
    """It is named, never repeated."""
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as caught:
        chosen(API, {"HTTPS_PROXY": value})
    assert "s3cret-word" not in f"{caught.value.message} {caught.value.action}"


def test_what_is_said_and_shown_of_a_proxy() -> None:
    """Its host and the setting; no user name and no password."""
    config = Config(provider="toapis", http=Http(proxy="http://me:s3cret-word@proxy.example:3128"))
    network = read_network(config, {})
    proxy = network.proxy_for(API)
    assert proxy is not None
    for text in (proxy.explain(), proxy.explain(407), proxy.explain(502)):
        assert "the proxy proxy.example:3128 (http.proxy)" in text
    for text in (proxy.explain(407), repr(network), repr(config)):
        assert "s3cret-word" not in text
        assert "me:" not in text


def test_a_file_of_certificates(tmp_path: Path) -> None:
    """They are trusted beside those of the system, whatever the comments between them say."""
    file = tmp_path / "ca.pem"
    comment = "# N\u00fcrnberg\n".encode()
    file.write_bytes(comment + b"".join(trustme.CA().cert_pem.bytes() for _ in range(2)))
    config = Config(provider="toapis", http=Http(ca_file=str(file)))
    assert read_network(Config(provider="toapis"), {}).certificates is None
    context = read_network(config, {}).certificates
    assert context is not None
    ours = [one for one in context.get_ca_certs() if "trustme" in str(one["subject"])]
    assert len(ours) == 2


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\x30\x82\x01"])
def test_a_file_without_certificates(tmp_path: Path, content: bytes | None) -> None:
    """Named with what was expected."""
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"http\.ca_file: .*ca\.pem") as caught:
        read_network(Config(provider="toapis", http=Http(ca_file=str(file))), {})
    assert caught.value.action
