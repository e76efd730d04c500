"""The provider's key: where it is read from, and how it is kept out of every message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.config.settings import Config

_SECRET_LIKE = re.compile(
    r"(?<![A-Za-z0-9])sk-|^(?=.*[a-z])(?=.*[0-9])[A-Za-z0-9_\-]{28,}$",
)


def looks_secret(text: str) -> bool:
    """Whether a text may be a pasted key, so that no message may repeat it."""
    return bool(_SECRET_LIKE.search(text.strip()))


def api_key(config: Config, environ: Mapping[str, str]) -> str:
    """The provider's key, from the environment only; no message ever repeats it.

    Raises ConfigError when the variable is unset, empty, or holds what no key holds.
    """
    name = config.api.key_env
    value = environ.get(name, "")
    where = f"The environment variable {name} (api.key_env)"
    if not value.strip():
        state = "is empty" if name in environ else "is not set"
        raise ConfigError(f"{where} {state}.", action=f"Put your API key into {name}.")
    again = f"Put the key into {name} again, without quotes, blanks or line breaks around it."
    if any(char.isspace() for char in value):
        raise ConfigError(f"{where} holds blanks or line breaks.", action=again)
    if not (value.isascii() and value.isprintable()):
        raise ConfigError(f"{where} holds characters that no key has.", action=again)
    return value
