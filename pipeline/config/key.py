"""The provider's key: from the environment, else from a file. No message repeats it.

The places, in this order: the variable that `api.key_env` names, the file that a variable of that
name with `_FILE` behind it names, and the credentials that systemd gives a service.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError

_CREDENTIALS = "CREDENTIALS_DIRECTORY"
_CREDENTIAL = "toapis_key"
_LARGEST_BYTES = 10_000
_OTHERS_MAY_READ = 0o044


def api_key(config: Config, environ: Mapping[str, str]) -> str:
    """Return the provider's key.

    Raises ConfigError where there is none, or where it holds characters that no key has.
    """
    name = config.api.key_env
    value = environ.get(name, "")
    if value.strip():
        again = f"Set {name} again, without quotes, spaces or line breaks around the key."
        return _checked(value, f"The environment variable {name} (api.key_env)", again)
    found = _file_of(name, environ)
    if found is None:
        state = "is empty" if name in environ else "is not set"
        raise ConfigError(
            f"The environment variable {name} (api.key_env) {state}.",
            action=f"Type {_assignment(name)}, with your API key for YOUR_KEY; or put the path of "
            f"a file that holds it into {name}_FILE.{_where_nobody_types()}",
        )
    path, source = found
    return _read(path, f"The file {path} ({source})")


def _assignment(name: str, *, windows: bool = os.name == "nt") -> str:
    """Return what is typed to set a variable for the commands that follow."""
    if windows:
        return f'$env:{name} = "YOUR_KEY" (in cmd.exe: set {name}=YOUR_KEY)'
    return f"export {name}=YOUR_KEY"


def _where_nobody_types() -> str:
    """Return what else is to be done where no terminal starts it: what is typed there is lost."""
    with contextlib.suppress(OSError):
        if os.isatty(0):
            return ""
    return (
        " Cron, systemd and containers know nothing of what is typed in a terminal: for these the "
        "line belongs into the file that their entry reads, as the recipes of docs/nights.md say."
    )


def say_refused_key(config: Config, environ: Mapping[str, str]) -> str:
    """Say where a key came from that the provider refuses, and how another one is set."""
    name = config.api.key_env
    typed = f"type {_assignment(name)}, with a key of your ToAPIs account for YOUR_KEY"
    if environ.get(name, "").strip():
        came = f"It came from the environment variable {name} (api.key_env)"
        return f"{came}: {typed}.{_where_nobody_types()}"
    found = _file_of(name, environ)
    if found is None:
        return f"Before the next run {typed}."
    path, source = found
    came = f"It came from the file {path} ({source})"
    if source == f"{name}_FILE":
        return f"{came}: write a key of your ToAPIs account into it, on one line; or {typed}."
    return (
        f"{came}: give the service a key of your ToAPIs account as its credential {_CREDENTIAL}, "
        f"and start it again; or {typed}."
    )


def secret_of(config: Config, environ: Mapping[str, str]) -> str:
    """Return the key to be kept out of every text; it need not be one that can be used."""
    if value := environ.get(config.api.key_env, "").strip():
        return value
    try:
        return api_key(config, environ)
    except ConfigError:
        return ""


def key_warnings(config: Config, environ: Mapping[str, str]) -> list[str]:
    """Return what is worth a word about where the key comes from, though it can be used."""
    name = config.api.key_env
    found = None if config.rehearses else _file_of(name, environ)
    if found is None:
        return []
    path, source = found
    if value := environ.get(name, "").strip():
        return _differing(value, name, path, source)
    # What a service is given lies in a folder of its own, whatever the rights of the file say.
    if source == f"{name}_FILE" and os.name == "posix":
        return _readable_by_others(path, source)
    return []


def _differing(value: str, name: str, path: Path, source: str) -> list[str]:
    try:
        same = _read(path, "") == value
    except ConfigError:
        return []
    if same:
        return []
    used = f"The key in the environment variable {name} is used"
    return [f"{used}; the file {path} ({source}) holds another one."]


def _readable_by_others(path: Path, source: str) -> list[str]:
    try:
        open_to_others = path.stat().st_mode & _OTHERS_MAY_READ
    except OSError:
        return []
    if not open_to_others:
        return []
    remedy = "chmod 600 keeps it to you"
    return [f"Other users of this machine can read the key in {path} ({source}): {remedy}."]


def _file_of(name: str, environ: Mapping[str, str]) -> tuple[Path, str] | None:
    """Return the file that holds the key, and what names it; None where nothing does."""
    if named := environ.get(f"{name}_FILE", "").strip():
        return Path(named), f"{name}_FILE"
    if folder := environ.get(_CREDENTIALS, "").strip():
        path = Path(folder, _CREDENTIAL)
        # A service may have other credentials and its key from elsewhere.
        if os.path.lexists(path):
            return path, f"${_CREDENTIALS}"
    return None


def _read(path: Path, where: str) -> str:
    """Return the key that a file holds, without blanks and line breaks around it."""
    again = "Write the key into it and nothing else, on one line, as plain text."
    try:
        content = read_regular(path, _LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(
            f"{where} cannot be read: {explain_os_error(error)}.",
            action="Correct the path, or let this user read the file.",
        ) from None
    if len(content) > _LARGEST_BYTES:
        raise ConfigError(f"{where} is too large for a key.", action=again)
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{where} is not plain text.", action=again) from None
    if not text:
        raise ConfigError(f"{where} is empty.", action=again)
    if len(text.splitlines()) > 1:
        raise ConfigError(f"{where} holds several lines.", action=again)
    return _checked(text, where, again)


def _checked(value: str, where: str, again: str) -> str:
    if any(char.isspace() for char in value):
        raise ConfigError(f"{where} contains spaces or line breaks.", action=again)
    if not (value.isascii() and value.isprintable()):
        raise ConfigError(f"{where} contains characters that no key has.", action=again)
    return value
