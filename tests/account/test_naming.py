"""What accounts are called."""

from __future__ import annotations

import pytest

from pipeline.account.place import account_name
from pipeline.config.loading import load


@pytest.mark.parametrize(
    ("address", "setting", "name"),
    [
        ("https://toapis.com", "", "toapis.com"),
        ("https://toapis.com/v1/", "", "toapis.com"),
        ("https://TOAPIS.cn", "", "toapis.com"),
        ("https://eu.toapis.com:8443", "", "eu.toapis.com"),
        ("https://toapis.com", "agency", "agency"),
        ("http://127.0.0.1:8000", "", "127.0.0.1:8000"),
        (f"http://127.0.0.1:8000/{'0f' * 16}/v1", "", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000", "agency", "127.0.0.1:8000"),
        ("http://localhost", "", "localhost:80"),
        ("https://[::1]", "", "[::1]:443"),
    ],
)
def test_names(address: str, setting: str, name: str) -> None:
    chosen = [f"api.base_url={address}", *([f"account.name={setting}"] if setting else [])]
    assert account_name(load(None, environ={}, overrides=chosen)) == name
