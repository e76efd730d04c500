"""The base URL of the API: forgiving about its spelling, strict about where the key may go."""

from __future__ import annotations

import pytest

from pipeline.config.values import address_of, origin_of
from pipeline.errors import ConfigError
from pipeline.toapis.client import ToAPIs


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://toapis.com", "https://toapis.com"),
        (" https://toapis.com/ ", "https://toapis.com"),
        ("https://toapis.com/v1", "https://toapis.com"),
        ("https://toapis.com/v1/v1//", "https://toapis.com"),
        ("https://toapis.com//v1/", "https://toapis.com"),
        ("HTTPS://ToAPIs.cn:443/V1", "https://toapis.cn"),
        ("https://gateway.example:8443", "https://gateway.example:8443"),
        ("http://127.0.0.1:8089/v1", "http://127.0.0.1:8089"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:8089", "http://[::1]:8089"),
    ],
)
def test_every_common_spelling_is_one_origin(written: str, meant: str) -> None:
    """With or without /v1, slashes, case and the usual port."""
    assert origin_of(written) == meant


SECRET = "0f3a" * 8
"""What the address of an emulator has behind its port."""


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/v1/"])
def test_the_address_of_an_emulator_has_its_secret(tail: str) -> None:
    """It belongs to every call, and to no name of an account or a task."""
    written = f" http://127.0.0.1:8801/{SECRET}{tail} "
    assert address_of(written) == f"http://127.0.0.1:8801/{SECRET}"
    assert origin_of(written) == "http://127.0.0.1:8801"
    assert address_of("https://toapis.com/v1") == "https://toapis.com"


@pytest.mark.parametrize(
    "written",
    [
        f"https://toapis.com/{SECRET}",
        f"http://127.0.0.1:8801/{SECRET}0",
        f"http://127.0.0.1:8801/{SECRET}/{SECRET}",
        "",
        "toapis.com",
        "http://toapis.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://0.0.0.0",
        "ftp://toapis.com",
        "https://",
        "https://:8443",
        "https://toapis.com:port",
        "https://toapis.com:99999",
        "https://[::1",
        "https://a..b",
        "https://" + "a" * 64 + ".com",
        "https://-toapis.com",
        "https://to apis.com",
        "https://toapis.com/v1/videos/generations",
        "https://toapis.com/v1?x=1",
        "https://toapis.com#v1",
        "https://me:hunter2@toapis.com",
    ],
)
def test_anything_else_is_a_configuration_error(written: str) -> None:
    """No key goes to another place, unencrypted or to a host misread; passwords stay unsaid."""
    with pytest.raises(ConfigError) as caught:
        origin_of(written)
    assert "api.base_url" in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    """A key that would break the header is a configuration error that does not show it."""
    with pytest.raises(ConfigError) as caught:
        ToAPIs("https://toapis.com", key)
    assert not key or key not in caught.value.message
