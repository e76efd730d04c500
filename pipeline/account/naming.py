"""What an account is called: by its setting, or by the host of the API.

Tested in tests/account/test_naming.py.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from pipeline.config.settings import Config
from pipeline.config.values import is_loopback, origin_of

_SAME = {"toapis.cn": "toapis.com"}
"""Hosts of one provider, with one balance."""


def account_name(config: Config) -> str:
    """Return the name of the account that a live run spends from.

    Addresses of this machine are an account each, whatever the setting says: what runs there is
    not what is paid from elsewhere.
    """
    address = config.api.base_url
    if is_loopback(address) or config.account.name is None:
        return name_of(address)
    return config.account.name


def digest_of(book_id: str, key: str) -> str:
    """Return what a book keeps of a key of the API, which says nothing to anybody else."""
    return hmac.digest(book_id.encode(), key.encode(), "sha256").hex()


def name_of(address: str) -> str:
    """Return the name of the account behind the address of an API, where no setting names it."""
    parts = urlsplit(origin_of(address))
    host = (parts.hostname or "").rstrip(".")
    if is_loopback(address):
        shown = f"[{host}]" if ":" in host else host
        return f"{shown}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return _SAME.get(host, host)
